"""A login file in one key of one Secret, against an API server that speaks Kubernetes' own words."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.core.delivery import DeliveryRefused, ReachState, SecretPlace
from backend.core.model import Secret
from backend.delivery import kubernetes
from backend.delivery.kubernetes import APPLY, Cluster, look_at_secret, write_secret

PLACE = SecretPlace(namespace="default", name="caphlogintoken", key="value")


def refused(work: Callable[[], object]) -> DeliveryRefused:
    with pytest.raises(DeliveryRefused) as caught:
        work()
    return caught.value


def looked(cluster: Cluster, place: SecretPlace = PLACE) -> DeliveryRefused:
    return refused(lambda: look_at_secret(cluster, place, "caph"))


def managers(api: Any) -> dict[str, list[str]]:
    entries = api.secrets["default", "caphlogintoken"]["metadata"]["managedFields"]
    return {entry["manager"]: sorted(entry["fieldsV1"].get("f:data", {})) for entry in entries}


def test_a_secret_that_is_not_there_is_made_with_our_key_alone(api: Any, cluster: Cluster, text: Secret) -> None:
    write_secret(cluster, PLACE, "caph", text)
    assert api.value("default", "caphlogintoken", "value") == text.reveal()
    assert managers(api) == {"mocdeck.value": ["f:value"]}
    method, path, kind = api.requests[-1]
    assert (method, kind) == ("PATCH", APPLY)
    assert "fieldManager=mocdeck.value" in path
    assert "force=false" in path


def test_nothing_else_in_the_secret_is_touched(api: Any, cluster: Cluster, text: Secret) -> None:
    labels = {"type": "example.test/kind", "metadata_note": "kept"}
    api.create("default", "caphlogintoken", "kubectl-create", {"other": "theirs"}, **labels)
    write_secret(cluster, PLACE, "caph", text)
    found = api.secrets["default", "caphlogintoken"]
    assert (found["type"], found["metadata_note"]) == ("example.test/kind", "kept")
    assert api.value("default", "caphlogintoken", "other") == "theirs"
    assert managers(api) == {"kubectl-create": [".", "f:other"], "mocdeck.value": ["f:value"]}


def test_two_clients_share_a_secret_without_taking_each_others_keys(
    api: Any, cluster: Cluster, make_login: Callable[..., str]
) -> None:
    second = replace(PLACE, key="second")
    write_secret(cluster, PLACE, "caph", Secret(make_login("caph", "t1")))
    write_secret(cluster, second, "csi", Secret(make_login("csi", "t2")))
    write_secret(cluster, PLACE, "caph", Secret(make_login("caph", "t3")))
    assert api.value("default", "caphlogintoken", "value") == make_login("caph", "t3")
    assert api.value("default", "caphlogintoken", "second") == make_login("csi", "t2")


def test_a_look_writes_nothing_and_returns_the_login_file_there(api: Any, cluster: Cluster, text: Secret) -> None:
    assert look_at_secret(cluster, PLACE, "caph") is None
    assert not api.secrets
    write_secret(cluster, PLACE, "caph", text)
    before = json.dumps(api.secrets["default", "caphlogintoken"])
    held = look_at_secret(cluster, PLACE, "caph")
    assert held is not None
    assert held.reveal() == text.reveal()
    assert json.dumps(api.secrets["default", "caphlogintoken"]) == before


def test_another_programs_login_file_is_a_conflict_until_it_is_to_be_taken_over(
    api: Any, cluster: Cluster, text: Secret, make_login: Callable[..., str]
) -> None:
    api.create("default", "caphlogintoken", "akshci", {"value": make_login("caph", "old")})
    for failure in (looked(cluster), refused(lambda: write_secret(cluster, PLACE, "caph", text))):
        assert failure.state is ReachState.CONFLICT
        assert "akshci" in str(failure)
        assert "take_over" in str(failure)
    assert api.value("default", "caphlogintoken", "value") == make_login("caph", "old")
    write_secret(replace(cluster, take_over=True), PLACE, "caph", text)
    assert api.value("default", "caphlogintoken", "value") == text.reveal()
    assert managers(api) == {"akshci": ["."], "mocdeck.value": ["f:value"]}
    write_secret(cluster, PLACE, "caph", text)  # it is ours from now on


@pytest.mark.parametrize("take_over", [False, True])
def test_what_is_no_login_file_of_this_client_is_never_replaced(
    api: Any, cluster: Cluster, text: Secret, make_login: Callable[..., str], take_over: bool
) -> None:
    cluster = replace(cluster, take_over=take_over)
    for held, words in (("-----BEGIN PRIVATE KEY-----", "something else"), (make_login("csi"), "another identity")):
        api.create("default", "caphlogintoken", "akshci", {"value": held})
        for failure in (looked(cluster), refused(lambda: write_secret(cluster, PLACE, "caph", text))):
            assert failure.state is ReachState.FOREIGN
            assert words in str(failure)
            assert "PRIVATE" not in str(failure)
        assert api.value("default", "caphlogintoken", "value") == held


def test_a_conflict_that_arises_between_look_and_apply_is_named(
    api: Any, cluster: Cluster, text: Secret, make_login: Callable[..., str]
) -> None:
    api.before_patch = lambda: api.create("default", "caphlogintoken", "late", {"value": make_login("caph", "x")})
    failure = refused(lambda: write_secret(cluster, PLACE, "caph", text))
    assert failure.state is ReachState.CONFLICT
    assert "managed by late" in str(failure)


def test_a_secret_that_changed_since_the_look_is_looked_at_again(api: Any, cluster: Cluster, text: Secret) -> None:
    api.create("default", "caphlogintoken", "kubectl", {"other": "1"})
    changes = iter(["2"])

    def change() -> None:
        for value in changes:
            api.create("default", "caphlogintoken", "kubectl", {"other": value})

    api.before_patch = change
    write_secret(cluster, PLACE, "caph", text)
    assert api.value("default", "caphlogintoken", "other") == "2"
    assert api.value("default", "caphlogintoken", "value") == text.reveal()


@pytest.mark.parametrize(
    ("missing", "words"), [("patch", "may not patch"), ("get", "may not get"), ("create", "forbids")]
)
def test_a_right_that_is_missing_is_found_by_the_look(api: Any, cluster: Cluster, missing: str, words: str) -> None:
    api.allowed.discard(missing)
    failure = looked(cluster)
    assert failure.state is ReachState.FORBIDDEN
    assert words in str(failure)


def test_a_namespace_that_is_not_there_is_named(cluster: Cluster) -> None:
    failure = looked(cluster, replace(PLACE, namespace="caph-system"))
    assert failure.state is ReachState.MISSING
    assert "no namespace caph-system" in str(failure)


@pytest.mark.parametrize(
    ("code", "reason", "state", "words"),
    [
        (401, "Unauthorized", ReachState.FORBIDDEN, "fetch a fresh kubeconfig"),
        (500, "InternalError", ReachState.DOWN, "KMS plug-in is locked out"),
        (503, "ServiceUnavailable", ReachState.DOWN, "not ready"),
        (429, "TooManyRequests", ReachState.DOWN, "not ready"),
        (418, "Teapot", ReachState.REFUSED, "Teapot"),
    ],
)
def test_what_the_server_refuses_is_a_state_and_a_sentence(
    api: Any, cluster: Cluster, refused_status: Any, code: int, reason: str, state: ReachState, words: str
) -> None:
    api.broken = refused_status(code, reason, "kmsPlugin.sock: no such file; c2VjcmV0")
    failure = looked(cluster)
    assert failure.state is state
    assert words in str(failure)
    assert "c2VjcmV0" not in str(failure)


def test_an_api_server_that_is_down_is_a_named_state(serve: Callable[..., Any], kubeconfig: Any) -> None:
    server = serve()
    port = server.port
    cluster = Cluster(name="wl1", kubeconfig=kubeconfig(port))
    server._server.socket.close()
    failure = looked(cluster)
    assert failure.state in {ReachState.DOWN, ReachState.LATE}
    assert "wl1" in str(failure)
    assert failure.__cause__ is None


def test_an_answer_that_does_not_come_ends_the_look(
    api: Any, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes, "ANSWER_SECONDS", 0.2)
    api.hold.clear()
    failure = looked(cluster)
    assert failure.state is ReachState.LATE
    assert len(api.requests) == 1  # and nothing is sent again by itself


@pytest.mark.parametrize(
    ("wish", "words"),
    [({"host": "127.0.0.9"}, "another name"), ({"ended": True}, "has ended"), ({"issuer": "other"}, "unknown CA")],
)
def test_a_server_that_proves_nothing_gets_nothing(
    serve: Callable[..., Any], kubeconfig: Any, stranger: Any, wish: dict[str, Any], words: str
) -> None:
    server = serve(**({"issuer": stranger} if "issuer" in wish else wish))
    failure = looked(Cluster(name="wl1", kubeconfig=kubeconfig(server.port)))
    assert failure.state is ReachState.UNTRUSTED
    assert words in str(failure)
    assert not server.requests


def test_a_redirect_is_not_followed(api: Any, serve: Callable[..., Any], cluster: Cluster) -> None:
    other = serve()
    api.redirect = f"https://127.0.0.1:{other.port}/"
    assert looked(cluster).state is ReachState.REFUSED
    assert not other.requests


@pytest.mark.parametrize("garbage", [b"<html>", b"[1]", b"\xff\xfe", b"{" * 5_000])
def test_an_answer_that_is_none_of_kubernetes_is_no_traceback(api: Any, cluster: Cluster, garbage: bytes) -> None:
    api.garbage = garbage
    assert isinstance(looked(cluster), DeliveryRefused)


def test_an_immutable_secret_is_named(api: Any, cluster: Cluster) -> None:
    api.create("default", "caphlogintoken", "kubectl", {"other": "1"}, immutable=True)
    failure = looked(cluster)
    assert failure.state is ReachState.REFUSED
    assert "immutable" in str(failure)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"user": {"exec": {"command": "touch", "args": ["x"]}}}, "'exec'"),
        ({"user": {"auth-provider": {"name": "oidc"}}}, "'auth-provider'"),
        ({"user": {"username": "u", "password": "hunter2"}}, "'username'"),
        ({"user": {"client-certificate-data": "!!"}}, "not base64"),
        ({"user": {"client-certificate-data": base64.b64encode(b"x").decode()}}, "only one"),
        ({"cluster": {"insecure-skip-tls-verify": True}}, "does not verify"),
        ({"cluster": {"server": "http://127.0.0.1:1"}}, "https://"),
        ({"cluster": {"certificate-authority-data": base64.b64encode(b"x").decode()}}, "cannot be read"),
        ({"mode": 0o644}, "chmod 600"),
    ],
)
def test_a_kubeconfig_that_would_do_harm_is_refused(
    api: Any, kubeconfig: Callable[..., Path], wish: dict[str, Any], words: str
) -> None:
    failure = looked(Cluster(name="wl1", kubeconfig=kubeconfig(api.port, **wish)))
    assert failure.state is ReachState.UNUSABLE
    assert words in str(failure)
    assert "hunter2" not in str(failure)
    assert not api.requests


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    failure = looked(Cluster(name="wl1", kubeconfig=tmp_path / "none"))
    assert failure.state is ReachState.MISSING
    assert str(tmp_path / "none") in str(failure)


def test_neither_token_nor_data_is_ever_logged(
    api: Any, cluster: Cluster, text: Secret, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    write_secret(cluster, PLACE, "caph", text)
    look_at_secret(cluster, PLACE, "caph")
    assert "kubeconfig-token" not in caplog.text
    assert "eyJ" not in caplog.text
    assert base64.b64encode(text.reveal().encode()).decode()[:24] not in caplog.text


def test_an_agent_does_not_load_the_library_before_a_cluster_is_looked_at() -> None:
    code = "import sys, backend.server.app, backend.cli.root; assert 'kubernetes' not in sys.modules; print('ok')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert done.stdout == "ok\n", done.stderr
