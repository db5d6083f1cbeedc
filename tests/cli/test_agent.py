"""`mocdeck agent init | run`: what is told, and what is refused."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Mocdeck = Callable[..., Result]
PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def copy(born: Path, tmp_path: Path) -> Path:
    directory = tmp_path / "agent"
    shutil.copytree(born, directory)
    return directory


def test_init_prints_what_it_made(mocdeck: Mocdeck, tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text(f"{PASSPHRASE}\n")
    secret.chmod(0o600)
    directory = tmp_path / "new"
    words = ["agent", "init", "--directory", directory, "--fqdn", "ca.bonn.example", "--administrator", "root"]
    result = mocdeck(*words, "--passphrase-file", secret)
    assert result.exit_code == 0, result.stderr
    for part in ("CA fingerprint", "CA ends", "root", str(directory / "admin" / "login.yaml")):
        assert part in result.stdout
    assert "mocdeck agent run" in result.stderr
    assert PASSPHRASE not in result.output
    again = mocdeck(*words, "--passphrase-file", secret)
    assert again.exit_code == 5
    assert "already holds an agent" in again.stderr


def test_init_without_a_passphrase_makes_nothing(mocdeck: Mocdeck, tmp_path: Path) -> None:
    result = mocdeck("agent", "init", "--directory", tmp_path / "new", "--fqdn", "a.example")
    assert result.exit_code == 81
    assert "--passphrase-file" in result.stderr
    assert not (tmp_path / "new").exists()


def test_a_passphrase_file_that_others_can_read_is_refused(mocdeck: Mocdeck, tmp_path: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o644)
    words = ["agent", "init", "--directory", tmp_path / "new", "--fqdn", "a.example", "--passphrase-file", secret]
    result = mocdeck(*words)
    assert result.exit_code == 84
    assert f"chmod 600 {secret}" in result.stderr
    secret.chmod(0o600)
    secret.write_text("\n")
    assert mocdeck(*words).exit_code == 64
    secret.write_bytes(b"\xff\xfe")
    assert mocdeck(*words).exit_code == 64
    secret.unlink()
    assert mocdeck(*words).exit_code == 66


def test_a_name_that_cannot_be_certified_is_refused(mocdeck: Mocdeck, tmp_path: Path) -> None:
    result = mocdeck(
        *("agent", "init", "--directory", tmp_path / "new", "--fqdn", "not a name"), MOCDECK_PASSPHRASE=PASSPHRASE
    )
    assert result.exit_code == 64
    assert not (tmp_path / "new").exists()


def run(mocdeck: Mocdeck, directory: Path, *words: str, passphrase: str = PASSPHRASE) -> Result:
    return mocdeck(
        *("agent", "run", "--directory", directory, "--host", "127.0.0.1"), *words, MOCDECK_PASSPHRASE=passphrase
    )


def test_a_wrong_passphrase_does_not_start_the_agent(mocdeck: Mocdeck, copy: Path) -> None:
    result = run(mocdeck, copy, "--port", "0", "--auth-port", "0", passphrase="wrong")
    assert result.exit_code == 81
    assert "passphrase" in result.stderr


def test_a_directory_without_an_agent_is_told(mocdeck: Mocdeck, tmp_path: Path) -> None:
    result = run(mocdeck, tmp_path / "nothing")
    assert result.exit_code == 66
    assert "mocdeck agent init" in result.stderr
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("option", ["--port", "--auth-port", "--canary-port"])
def test_a_port_in_use_is_told_with_its_number(mocdeck: Mocdeck, copy: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        free = {"--port": "0", "--auth-port": "0", "--canary-port": "0"}
        options = [word for pair in (free | {option: port}).items() for word in pair]
        result = run(mocdeck, copy, *options)
    assert result.exit_code == 82
    assert port in result.stderr


def test_keys_that_others_can_reach_are_refused(mocdeck: Mocdeck, copy: Path) -> None:
    (copy / "keys").chmod(0o755)
    result = run(mocdeck, copy, "--port", "0", "--auth-port", "0")
    assert result.exit_code == 84
    assert f"chmod 700 {copy / 'keys'}" in result.stderr


def test_a_store_of_a_newer_version_is_left_alone(mocdeck: Mocdeck, copy: Path) -> None:
    with sqlite3.connect(copy / "store.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    result = run(mocdeck, copy, "--port", "0", "--auth-port", "0")
    assert result.exit_code == 83
    assert "9999" in result.stderr


def test_a_damaged_store_is_told(mocdeck: Mocdeck, copy: Path) -> None:
    (copy / "store.db").write_bytes(b"this is no database, whatever its name says" * 100)
    for suffix in ("-wal", "-shm"):
        (copy / f"store.db{suffix}").unlink(missing_ok=True)
    result = run(mocdeck, copy, "--port", "0", "--auth-port", "0")
    assert result.exit_code == 65
    assert "store.db" in result.stderr


@pytest.mark.parametrize("text", ["deployment: [", "{}", "deployment: bonn\ncolour: red"])
def test_a_damaged_agent_file_is_named(mocdeck: Mocdeck, copy: Path, text: str) -> None:
    (copy / "agent.yaml").write_text(text)
    result = run(mocdeck, copy, "--port", "0", "--auth-port", "0")
    assert result.exit_code == 64
    assert "agent.yaml" in result.stderr
