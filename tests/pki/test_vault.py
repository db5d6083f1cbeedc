import json
import os
import stat
from pathlib import Path

import pytest

from backend.core.errors import AgentError, AlreadyExists, InvalidInput, NotFound
from backend.core.model import Secret
from backend.pki.files import UnsafeFile
from backend.pki.vault import KeyVault, VaultDamaged, WrongPassphrase

PASSPHRASE = Secret("correct horse")


@pytest.fixture
def vault(tmp_path: Path) -> KeyVault:
    return KeyVault.create(tmp_path / "keys", PASSPHRASE)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_what_was_sealed_is_read_back_after_opening_again(vault: KeyVault, directory: Path) -> None:
    vault.write("ca-1.key", b"first")
    vault.write("ca-1.key", b"second")
    vault.write("token.key", b"")
    again = KeyVault.open(directory, PASSPHRASE)
    assert again.names() == ("ca-1.key", "token.key")
    assert (again.read("ca-1.key"), again.read("token.key")) == (b"second", b"")


def test_everything_in_it_is_private_and_nothing_is_readable(vault: KeyVault, directory: Path) -> None:
    vault.write("ca-1.key", b"PRIVATE KEY")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for path in directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"PRIVATE KEY" not in path.read_bytes()
        assert PASSPHRASE.reveal().encode() not in path.read_bytes()
    assert repr(vault) == f"KeyVault({str(directory)!r})"


def test_the_same_bytes_are_sealed_differently_each_time(vault: KeyVault, directory: Path) -> None:
    vault.write("a", b"same")
    first = (directory / "a").read_bytes()
    vault.write("a", b"same")
    assert (directory / "a").read_bytes() != first


def test_a_wrong_passphrase_is_told_from_damage(vault: KeyVault, directory: Path) -> None:
    with pytest.raises(WrongPassphrase, match="give the one it was created with") as caught:
        KeyVault.open(directory, Secret("battery staple"))
    assert "battery" not in str(caught.value)


@pytest.mark.parametrize("entry", ["", "vault.json", "ca-1.key"])
def test_loosened_permissions_refuse_to_open_and_say_what_to_run(vault: KeyVault, directory: Path, entry: str) -> None:
    vault.write("ca-1.key", b"key")
    path = directory / entry
    path.chmod(path.stat().st_mode | stat.S_IRGRP)
    with pytest.raises(UnsafeFile, match=f"run: chmod {'600' if entry else '700'} {path}"):
        KeyVault.open(directory, PASSPHRASE)


def test_a_file_loosened_while_the_vault_is_open_is_not_read(vault: KeyVault, directory: Path) -> None:
    vault.write("ca-1.key", b"key")
    (directory / "ca-1.key").chmod(0o644)
    with pytest.raises(UnsafeFile, match="chmod 600"):
        vault.read("ca-1.key")


def test_swapped_cut_and_changed_files_are_damage(vault: KeyVault, directory: Path) -> None:
    vault.write("a", b"key of a")
    vault.write("b", b"key of b")
    sealed = (directory / "a").read_bytes()
    for wrong in [(directory / "b").read_bytes(), sealed[:-1], sealed + b"x", sealed[:10], b"", b"x" + sealed[1:]]:
        (directory / "a").write_bytes(wrong)
        with pytest.raises(VaultDamaged, match="restore it from a backup"):
            vault.read("a")
    (directory / "a").write_bytes(sealed)
    assert vault.read("a") == b"key of a"


@pytest.mark.parametrize("header", ["", "[]", "{}", "null", '{"check": 1}', '{"check": "AAAA", "version": 2}'])
def test_a_strange_header_is_damage(vault: KeyVault, directory: Path, header: str) -> None:
    (directory / "vault.json").write_text(header)
    with pytest.raises(VaultDamaged, match=r"vault\.json"):
        KeyVault.open(directory, PASSPHRASE)


@pytest.mark.parametrize("change", [{"n": 2**30}, {"r": 1}, {"p": 10**6}, {"kdf": "none"}, {"salt": ""}])
def test_a_header_with_other_costs_is_refused_before_it_costs_anything(
    vault: KeyVault, directory: Path, change: dict[str, object]
) -> None:
    header = json.loads((directory / "vault.json").read_text())
    (directory / "vault.json").write_text(json.dumps({**header, **change}))
    with pytest.raises(VaultDamaged):
        KeyVault.open(directory, PASSPHRASE)


def test_shredding_removes_the_file_and_may_be_repeated(vault: KeyVault, directory: Path) -> None:
    vault.write("ca-1.key", b"key")
    kept = os.open(directory / "ca-1.key", os.O_RDONLY)
    try:
        vault.shred("ca-1.key")
        vault.shred("ca-1.key")
        assert set(os.read(kept, 1000)) == {0}
    finally:
        os.close(kept)
    assert vault.names() == ()
    with pytest.raises(NotFound, match=r"ca-1\.key"):
        vault.read("ca-1.key")


def test_what_a_killed_write_left_is_cleared_and_never_listed(vault: KeyVault, directory: Path) -> None:
    leftover = directory / ".ca-1.key.0011.tmp"
    leftover.touch(0o600)
    assert vault.names() == ()
    KeyVault.open(directory, PASSPHRASE)
    assert not leftover.exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "vault.json", "a\0", "a\n", "é", "x" * 101])
def test_names_cannot_leave_the_vault(vault: KeyVault, name: str) -> None:
    for act in (lambda: vault.read(name), lambda: vault.write(name, b""), lambda: vault.shred(name)):
        with pytest.raises(InvalidInput, match="cannot name"):
            act()


def test_links_and_strange_entries_are_refused(vault: KeyVault, directory: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(directory)
    with pytest.raises(UnsafeFile, match="symbolic link"):
        KeyVault.open(tmp_path / "link", PASSPHRASE)
    (directory / "ca-1.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AgentError, match=r"ca-1\.key"):
        KeyVault.open(directory, PASSPHRASE)


def test_creating_and_opening_in_the_wrong_place(vault: KeyVault, directory: Path, tmp_path: Path) -> None:
    with pytest.raises(AlreadyExists):
        KeyVault.create(directory, PASSPHRASE)
    with pytest.raises(NotFound, match="no key vault"):
        KeyVault.open(tmp_path / "nowhere", PASSPHRASE)
    with pytest.raises(InvalidInput, match="empty"):
        KeyVault.create(tmp_path / "other", Secret(""))
    assert not (tmp_path / "other").exists()
