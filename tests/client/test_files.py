"""Login files, cloudconfigs, contexts and records: whole on disk, strict in reading, silent about secrets."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.client import access_file, contexts, login_file, record
from backend.client.access_file import AccessFile
from backend.client.errors import FileInvalid
from backend.client.material import Material
from backend.client.settings import ClientSettings
from backend.core.errors import InvalidInput, NotFound
from backend.core.model import Authority, AuthorityStatus, Secret
from backend.pki import keys, trust
from backend.pki.files import UnsafeFile
from backend.pki.issue import Issuer, make_root
from backend.pki.profiles import ClientTemplate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TOKEN = "eyJhbGciOi.payload.c2lnbmF0dXJl"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    key = keys.generate_key(keys.KeyKind.P256)
    root = make_root(1, "site-a", key, NOW, timedelta(days=365))
    authority = Authority(
        generation=1, subject=trust.common_name_of(root.subject), validity=trust.validity_of(root),
        fingerprint=trust.fingerprint(root), pem=trust.bundle_pem([root]), key_file="k",
        status=AuthorityStatus.ISSUING, created_at=NOW,
    )  # fmt: skip
    return Issuer(authority, key)


@pytest.fixture(scope="module")
def make_access(issuer: Issuer) -> Callable[[], AccessFile]:
    def make() -> AccessFile:
        key = keys.generate_key(keys.KeyKind.P256)
        template = ClientTemplate(common_name="kms-1", identity_id="id", lifetime=timedelta(days=90))
        leaf = issuer.issue_client(template, key.public_key(), NOW)
        return access_file.make_access_file(
            trust_pem=issuer.authority.pem,
            certificate_pem=leaf.pem,
            key_pem=Secret(keys.private_key_pem(key).decode()),
            identity_name="kms-1",
        )

    return make


@pytest.fixture
def login(issuer: Issuer) -> login_file.LoginFile:
    return login_file.LoginFile(
        name="kms-1", token=Secret(TOKEN), trust_pem=issuer.authority.pem, cloud_fqdn="agent.site", cloud_port=55000,
        cloud_auth_port=65000, location="MocLocation", other={"newkey": [1, 2]},
    )  # fmt: skip


def test_a_login_file_has_mocs_nine_keys_and_keeps_what_it_does_not_know(
    login: login_file.LoginFile, tmp_path: Path
) -> None:
    path = tmp_path / "login.yaml"
    login_file.write_login_file(path, login)
    values = yaml.safe_load(path.read_text())
    assert list(values) == [
        "name", "token", "certificate", "clienttype", "cloudfqdn", "cloudport", "cloudauthport", "location", "type",
        "newkey",
    ]  # fmt: skip
    assert base64.b64decode(values["certificate"], validate=True).decode() == login.trust_pem
    assert path.stat().st_mode & 0o777 == 0o600
    again = login_file.read_login_file(path)
    assert again.token.reveal() == TOKEN
    assert replace(again, token=login.token) == login


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"token": None}, "token"),
        ({"token": "two words"}, "token"),
        ({"certificate": "no base64!"}, "certificate"),
        ({"certificate": base64.b64encode(b"no pem").decode()}, "certificate"),
        ({"clienttype": "Butler"}, "clienttype"),
        ({"cloudport": "55000"}, "cloudport"),
        ({"cloudport": 65536}, "cloudport"),
        ({"cloudauthport": -1}, "cloudauthport"),
        ({"cloudauthport": True}, "cloudauthport"),
    ],
)
def test_a_wrong_login_file_names_file_key_and_what_was_expected(
    login: login_file.LoginFile, change: dict[str, object], key: str
) -> None:
    values = {**yaml.safe_load(login_file.render_login_file(login)), **change}
    path = Path("/somewhere/login.yaml")
    with pytest.raises(FileInvalid) as caught:
        login_file.parse_login_file(yaml.safe_dump(values).encode(), path)
    assert caught.value.key == key
    assert str(caught.value).startswith(f"{path}: {key}: expected ")
    assert TOKEN not in str(caught.value)


@HOSTILE
@given(st.binary(max_size=300))
def test_garbage_is_never_a_login_file_a_cloudconfig_or_a_traceback(data: bytes) -> None:
    for parse in (login_file.parse_login_file, access_file.parse_access_file):
        with pytest.raises(FileInvalid):
            parse(data, Path("x"))


def test_yaml_tags_and_deep_nesting_are_refused() -> None:
    for data in (b"!!python/object/apply:os.system ['true']", b"[" * 1500, b"{" * 1500, b"a: 2026-99-99"):
        with pytest.raises(FileInvalid):
            login_file.parse_login_file(data, Path("x"))


@HOSTILE
@given(cut=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
def test_a_torn_or_changed_cloudconfig_is_refused_or_still_a_whole_pair(
    make_access: Callable[[], AccessFile], cut: int, flip: int
) -> None:
    data = access_file.render_access_file(make_access())
    place = cut % len(data)
    with pytest.raises(FileInvalid):
        access_file.parse_access_file(data[:place], Path("x"))
    changed = data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]
    try:
        found = access_file.parse_access_file(changed, Path("x"))
    except FileInvalid:
        return
    key = keys.load_private_key(found.key_pem.reveal().encode())
    leaf = trust.split_bundle(found.certificate_pem)[0]
    assert keys.key_sha256(keys.check_allowed(leaf.public_key())) == keys.key_sha256(key.public_key())


def test_a_cloudconfig_has_mocs_five_keys_compact_and_private(
    make_access: Callable[[], AccessFile], tmp_path: Path
) -> None:
    path = tmp_path / "new" / "cloudconfig"
    access = make_access()
    access_file.write_access_file(path, access)
    data = path.read_bytes()
    assert list(json.loads(data)) == [
        "CloudCertificate", "ClientCertificate", "ClientKey", "IdentityName", "ClientCertificateType",
    ]  # fmt: skip
    assert b": " not in data
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert access_file.read_access_file(path) == access
    assert "PRIVATE KEY" not in repr(access)


def test_a_key_of_another_certificate_is_no_pair(make_access: Callable[[], AccessFile]) -> None:
    mixed = replace(make_access(), key_pem=make_access().key_pem)
    with pytest.raises(FileInvalid) as caught:
        access_file.parse_access_file(access_file.render_access_file(mixed), Path("x"))
    assert caught.value.key == "ClientKey"


def test_a_file_that_others_could_read_is_tightened_and_read(
    make_access: Callable[[], AccessFile], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cloudconfig"
    access_file.write_access_file(path, make_access())
    path.chmod(0o644)
    access_file.read_access_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "its mode was set to 0600" in caplog.text


def test_a_directory_or_a_pipe_in_a_files_place_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises((UnsafeFile, OSError)):
            access_file.read_access_file(tmp_path / name)


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_swap_that_fails_or_dies_halfway_leaves_the_old_pair_in_use(
    make_access: Callable[[], AccessFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    path = tmp_path / "cloudconfig"
    old, new = make_access(), make_access()
    access_file.write_access_file(path, old)
    renames = 0
    rename = os.replace

    def failing(source: str, target: str) -> None:
        nonlocal renames
        renames += 1
        if renames == fails_at:
            raise OSError(28, "No space left on device")
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", failing)
        with pytest.raises(OSError, match="No space"):
            access_file.swap_access_file(path, old, new)
    assert access_file.read_access_file(path) == old
    assert not list(tmp_path.glob(".*.tmp"))
    material = Material(ClientSettings(access_file=path))
    material.refresh(NOW)
    assert (material.access, material.previous) == (old, None)  # the same pair twice is none to fall back to
    access_file.swap_access_file(path, old, new)
    assert access_file.read_access_file(path) == new
    assert access_file.read_access_file(access_file.previous_path(path)) == old


def test_a_client_killed_before_the_first_use_finds_both_pairs_and_can_fall_back(
    make_access: Callable[[], AccessFile], tmp_path: Path
) -> None:
    path = tmp_path / "cloudconfig"
    old, new = make_access(), make_access()
    access_file.write_access_file(path, old)
    access_file.swap_access_file(path, old, new)
    material = Material(ClientSettings(access_file=path))
    material.refresh(NOW)
    assert (material.access, material.previous) == (new, old)
    assert material.fall_back()
    assert access_file.read_access_file(path) == old
    assert not material.fall_back()


def test_a_start_on_a_torn_cloudconfig_takes_the_pair_before(
    make_access: Callable[[], AccessFile], tmp_path: Path
) -> None:
    path = tmp_path / "cloudconfig"
    old = make_access()
    access_file.write_access_file(access_file.previous_path(path), old)
    path.write_bytes(b"")
    path.chmod(0o600)
    material = Material(ClientSettings(access_file=path))
    material.refresh(NOW)
    assert material.access == old
    assert access_file.read_access_file(path) == old
    assert (tmp_path / "cloudconfig.broken-20260301T120000Z").exists()


def test_a_bundle_that_is_none_changes_nothing(make_access: Callable[[], AccessFile], tmp_path: Path) -> None:
    path = tmp_path / "cloudconfig"
    held = make_access()
    access_file.write_access_file(path, held)
    material = Material(ClientSettings(access_file=path))
    material.refresh(NOW)
    for bundle in ("", "garbage", held.certificate_pem):
        with pytest.raises(InvalidInput):
            material.store_bundle(5, bundle, chained=False)
    assert (access_file.read_access_file(path), material.epoch) == (held, 0)


def test_a_record_comes_back_and_garbage_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "cloudconfig.status.json"
    kept = record.Record(
        status=record.Status(state="working", serial="1f", not_after=NOW, failures=3),
        memory=record.Memory(epoch=4, done_order="o1"),
    )
    record.write_record(path, kept)
    assert record.read_record(path) == kept
    rng = random.Random(1)  # noqa: S311 - garbage
    for garbage in (
        b"",
        b"{}",
        b"[]",
        b'{"status": 1, "memory": {}}',
        rng.randbytes(50),
        b'{"status":{"failures":"x"},"memory":{}}',
    ):
        path.write_bytes(garbage)
        assert record.read_record(path) == record.Record()


CONTEXT = {"name": "lab", "address": "agent.site", "cloudconfig": "lab/cloudconfig", "login_file": "/k/login.yaml"}


def test_contexts_come_back_with_paths_from_the_files_own_directory(tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.yaml"
    found = contexts.parse_contexts(yaml.safe_dump({"contexts": [CONTEXT], "current": "lab"}).encode(), path)
    lab = found.get()
    assert (lab.port, lab.auth_port, lab.server_name) == (55000, 65000, "")
    assert lab.cloudconfig == tmp_path / "config" / "lab" / "cloudconfig"
    assert lab.login_file == Path("/k/login.yaml")
    contexts.write_contexts(path, found.put(replace(lab, name="two", port=1)))
    again = contexts.read_contexts(path)
    assert [context.name for context in again.contexts] == ["lab", "two"]
    assert again.current == "two"
    assert again.remove("two").current == ""
    assert again.choose("lab").get() == again.get("lab")


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ([], ""),
        ("text", ""),
        ({"context": []}, "context"),
        ({"contexts": {}, "current": 5}, "current"),
        ({"contexts": {"a": 1}}, "contexts"),
        ({"contexts": ["x"]}, "contexts[0]"),
        ({"contexts": [{**CONTEXT, "tag": "two words"}]}, "contexts[0].tag"),
        ({"contexts": [{**CONTEXT, "tag": "x" * 17}]}, "contexts[0].tag"),
        ({"contexts": [CONTEXT, {**CONTEXT, "name": ""}]}, "contexts[1].name"),
        ({"contexts": [CONTEXT, CONTEXT]}, "contexts[1].name"),
        ({"contexts": [{**CONTEXT, "port": "55000"}]}, "contexts[0].port"),
        ({"contexts": [{**CONTEXT, "port": 0}]}, "contexts[0].port"),
        ({"contexts": [{**CONTEXT, "port": 65536}]}, "contexts[0].port"),
        ({"contexts": [{**CONTEXT, "prot": 1}]}, "contexts[0].prot"),
        ({"contexts": [{**CONTEXT, "address": "host/path"}]}, "contexts[0].address"),
        ({"contexts": [{"name": "x", "address": "y"}]}, "contexts[0].cloudconfig"),
        ({"contexts": [CONTEXT], "current": "gone"}, "current"),
    ],
)
def test_a_mistake_in_the_contexts_names_its_path(values: object, key: str) -> None:
    with pytest.raises(FileInvalid) as caught:
        contexts.parse_contexts(yaml.safe_dump(values).encode(), Path("config.yaml"))
    assert caught.value.key == key


@HOSTILE
@given(st.binary(max_size=200))
def test_garbage_in_the_contexts_is_an_error_or_nothing(data: bytes) -> None:
    with contextlib.suppress(FileInvalid):
        assert contexts.parse_contexts(data, Path("config.yaml")).contexts == ()


def test_a_missing_contexts_file_holds_none_and_says_how_to_add_one(tmp_path: Path) -> None:
    none = contexts.read_contexts(tmp_path / "config.yaml")
    with pytest.raises(NotFound, match="mocdeck login"):
        none.get()


def test_one_folder_holds_everything_when_mocdeck_home_is_set() -> None:
    places = contexts.find_places({"MOCDECK_HOME": "/m"})
    assert places.config_file == Path("/m/config/config.yaml")
    assert (places.data, places.state) == (Path("/m/data"), Path("/m/state"))
    assert contexts.find_places({"MOCDECK_HOME": ""}).config.name == "mocdeck"
