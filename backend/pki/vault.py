"""The agent's private keys at rest: a directory of files sealed under one passphrase (pki.md 7.4).

A key-encryption key comes from the passphrase by scrypt, once per opening. Each file is sealed with AES-256-GCM under
its own nonce, with its name authenticated, so that files cannot be swapped. Refuses to open with a wrong passphrase or
where others may reach the files. Knows nothing of what the bytes mean. Clients never load this module.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from backend.core.errors import AgentError, AlreadyExists, InvalidInput, NotFound
from backend.core.model import Secret
from backend.pki.files import (
    TEMPORARY_SUFFIX,
    check_private,
    make_private_directory,
    read_private,
    refuse_link,
    sync_directory,
    write_atomic,
)

_HEADER: Final = "vault.json"
_MAGIC: Final = b"MDV1"
_NONCE_BYTES: Final = 12
_MAX_BYTES: Final = 64 * 1024
_COST: Final = {"kdf": "scrypt", "n": 2**15, "r": 8, "p": 1}  # 32 MB and about 0.1 s for each guess
_CHECK: Final = b"mocdeck key vault"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class WrongPassphrase(AgentError):
    """The passphrase does not open this vault."""

    reason: ClassVar[str] = "wrong_passphrase"


class VaultDamaged(AgentError):
    """A file of the vault is not what was written there."""

    reason: ClassVar[str] = "vault_damaged"


class KeyVault:
    """An opened vault. Its `repr` shows the directory and nothing of the keys."""

    __slots__ = ("_aead", "_directory")

    def __init__(self, directory: Path, aead: AESGCM) -> None:
        self._directory = directory
        self._aead = aead

    @classmethod
    def create(cls, directory: Path, passphrase: Secret) -> KeyVault:
        """Make `directory` (mode 0700) into an empty vault and open it.

        Raises:
            AlreadyExists: there is a vault in it.
            InvalidInput: the passphrase is empty.
            UnsafeFile: the directory is there and others may reach it.
        """
        if not passphrase.reveal():
            raise InvalidInput("the passphrase of the key vault is empty; choose one and keep it safe")
        make_private_directory(directory)
        if (directory / _HEADER).exists():
            raise AlreadyExists(f"{directory} already holds a key vault; open it, or choose another directory")
        header = {"version": 1, **_COST, "salt": base64.b64encode(secrets.token_bytes(16)).decode()}
        aead = _derive(header, passphrase)
        check = base64.b64encode(_seal(aead, _CHECK, _canonical(header))).decode()
        write_atomic(directory / _HEADER, _canonical({**header, "check": check}))
        return cls(directory, aead)

    @classmethod
    def open(cls, directory: Path, passphrase: Secret) -> KeyVault:
        """Open the vault in `directory`, removing what interrupted writes left; only one process may use a vault.

        Raises:
            NotFound: there is no vault.
            WrongPassphrase: the passphrase does not fit.
            UnsafeFile: others may reach the directory or one of its files.
            VaultDamaged: its header cannot be read.
        """
        if not (directory / _HEADER).exists():
            raise NotFound(f"there is no key vault in {directory}; check the agent's directory")
        _check_tree(directory)
        header = _read_header(directory / _HEADER)
        check = header.pop("check")
        aead = _derive(header, passphrase)
        try:
            _unseal(aead, check, _canonical(header))
        except InvalidTag:
            raise WrongPassphrase(
                f"the passphrase does not open the key vault in {directory}; give the one it was created with"
            ) from None
        for leftover in directory.glob(f".*{TEMPORARY_SUFFIX}"):
            leftover.unlink()
        return cls(directory, aead)

    def write(self, name: str, data: bytes) -> None:
        """Seal `data` under `name`, replacing what was there; on the disk when this returns."""
        write_atomic(self._path(name), _seal(self._aead, data, name.encode()))

    def read(self, name: str) -> bytes:
        """Return what was sealed under `name`.

        Raises:
            NotFound: nothing was.
            VaultDamaged: the file was changed, or belongs to another vault or name.
            UnsafeFile: others may reach the file.
        """
        path = self._path(name)
        try:
            sealed = read_private(path, _MAX_BYTES, follow_links=False)
        except FileNotFoundError:
            raise NotFound(f"the key vault has no {name}; restore {path} from a backup") from None
        try:
            return _unseal(self._aead, sealed, name.encode())
        except InvalidTag:
            raise VaultDamaged(f"{path} was changed since it was written; restore it from a backup") from None

    def shred(self, name: str) -> None:
        """Overwrite and remove `name`, if it is there; on modern disks no proof of destruction (pki.md 7.4)."""
        path = self._path(name)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            file.write(bytes(os.fstat(descriptor).st_size))
            os.fsync(descriptor)
        path.unlink()
        sync_directory(self._directory)

    def names(self) -> tuple[str, ...]:
        """Names of all sealed files, sorted."""
        found = (entry.name for entry in os.scandir(self._directory))
        return tuple(sorted(name for name in found if name != _HEADER and _NAME.fullmatch(name)))

    def __repr__(self) -> str:
        return f"KeyVault({str(self._directory)!r})"

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name == _HEADER:
            raise InvalidInput(f"{name!r} cannot name a sealed file; use letters, digits, dots, dashes and underscores")
        return self._directory / name


def _derive(header: Mapping[str, Any], passphrase: Secret) -> AESGCM:
    scrypt = Scrypt(salt=base64.b64decode(header["salt"]), length=32, n=header["n"], r=header["r"], p=header["p"])
    return AESGCM(scrypt.derive(passphrase.reveal().encode()))


def _read_header(path: Path) -> dict[str, Any]:
    """Return the header, `check` as bytes; costs other than ours are refused, lest a changed file exhaust memory."""
    try:
        header = json.loads(read_private(path, _MAX_BYTES, follow_links=False))
        header["check"] = base64.b64decode(header["check"], validate=True)
        is_ours = header["version"] == 1 and {key: header[key] for key in _COST} == _COST
        is_ours = is_ours and len(base64.b64decode(header["salt"], validate=True)) == 16
    except (ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise VaultDamaged(f"{path} is not a key vault header that this version reads; restore it from a backup")
    return dict(header)


def _check_tree(directory: Path) -> None:
    refuse_link(directory)
    check_private(directory, directory.lstat())
    for entry in sorted(directory.iterdir()):
        facts = entry.lstat()
        if not stat.S_ISREG(facts.st_mode):
            raise VaultDamaged(f"{entry} does not belong in a key vault; move it away")
        check_private(entry, facts)


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _seal(aead: AESGCM, data: bytes, context: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _MAGIC + nonce + aead.encrypt(nonce, data, _MAGIC + context)


def _unseal(aead: AESGCM, sealed: bytes, context: bytes) -> bytes:
    start = len(_MAGIC) + _NONCE_BYTES
    if not sealed.startswith(_MAGIC) or len(sealed) < start + 16:
        raise InvalidTag
    return aead.decrypt(sealed[len(_MAGIC) : start], sealed[start:], _MAGIC + context)
