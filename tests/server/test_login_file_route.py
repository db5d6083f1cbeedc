"""A login file goes only over an older login file of the same identity; nothing else on the disk is ever lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.core.errors import AgentError, InconsistentState
from backend.core.model import Secret
from backend.delivery.file import write_login_file
from backend.pki.files import UnsafeFile

TEXT = Secret("name: kms-1\ntoken: new\ncertificate: bmV3\n")
OLD = "name: kms-1\ntoken: old\ncertificate: b2xk\nclienttype: ControlPlane\n"


def test_a_missing_file_is_written_for_its_owner_only(tmp_path: Path) -> None:
    target = tmp_path / "login.yaml"
    write_login_file(target, "kms-1", TEXT)
    assert target.read_text() == TEXT.reveal()
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_an_older_login_file_of_the_same_identity_is_replaced(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "login.yaml"
    target.write_text(OLD)
    target.chmod(mode)
    write_login_file(target, "kms-1", TEXT)
    assert target.read_text() == TEXT.reveal()
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"root:x:0:0:root:/root:/bin/sh\n",
        b"\x7fELF\x02\x01",
        b"\xff\xfe\x00name: kms-1",
        b"[" * 5000,
        b"name: kms-1\n",  # some other YAML that happens to have a name
        b"- name: kms-1\n  token: t\n  certificate: c\n",
        b"name: [kms-1]\ntoken: t\ncertificate: c\n",
        b"? [kms-1]\n: 1\n",
        b"name: 2026-99-99\ntoken: t\ncertificate: c\n",
        OLD.encode() + b"#" * 300_000,
    ],
)
def test_what_is_no_login_file_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "login.yaml"
    target.write_bytes(content)
    with pytest.raises(InconsistentState, match="is not replaced") as refused:
        write_login_file(target, "kms-1", TEXT)
    assert str(target) in str(refused.value)
    assert "loginFilePath" in str(refused.value)
    assert target.read_bytes() == content


def test_the_login_file_of_another_identity_is_never_replaced(tmp_path: Path) -> None:
    target = tmp_path / "login.yaml"
    target.write_text(OLD)
    with pytest.raises(InconsistentState, match="another identity than csi-1"):
        write_login_file(target, "csi-1", TEXT)
    assert target.read_text() == OLD


def test_a_refusal_shows_nothing_of_what_lies_there(tmp_path: Path) -> None:
    target = tmp_path / "login.yaml"
    target.write_text("password: hunter2\n")
    with pytest.raises(InconsistentState) as refused:
        write_login_file(target, "kms-1", TEXT)
    assert "hunter2" not in str(refused.value)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    behind = tmp_path / "behind.yaml"
    behind.write_text(OLD)
    target = tmp_path / "login.yaml"
    target.symlink_to(behind)
    with pytest.raises(UnsafeFile):
        write_login_file(target, "kms-1", TEXT)
    assert behind.read_text() == OLD


def test_a_pipe_neither_hangs_nor_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "login.yaml"
    os.mkfifo(target)
    with pytest.raises(AgentError):
        write_login_file(target, "kms-1", TEXT)
    assert target.is_fifo()


@pytest.mark.parametrize("path", ["login.yaml", "missing/login.yaml"])
def test_a_path_that_cannot_be_meant_is_refused(tmp_path: Path, path: str) -> None:
    target = Path(path) if path == "login.yaml" else tmp_path / path
    with pytest.raises(InconsistentState, match=str(target)):
        write_login_file(target, "kms-1", TEXT)
