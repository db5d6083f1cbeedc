"""Files that hold credentials: written whole or not at all, and private from the first byte.

Owns the one way in which agent and client write a key, certificate, login file or cloudconfig, and the one way in which
they read a private one. Knows nothing of what is in them. A failing disk stays an `OSError`: its text names the path.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import ClassVar, Final

from backend.core.errors import AgentError

TEMPORARY_SUFFIX: Final = ".tmp"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class UnsafeFile(AgentError):
    """A file or directory, as it lies there, cannot be trusted with a secret; the text says what mends it."""

    reason: ClassVar[str] = "unsafe_file"


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put `data` at `path`: at any moment, also after a power cut, the old file or the new one is there, whole.

    The bytes go to a hidden file in the same directory which nobody else may read, reach the disk, and are then renamed
    over `path`; `mode` is set before the rename, whatever the umask. The owner of a replaced file is kept.

    Raises:
        UnsafeFile: `path` is a link, a directory or a device.
        OSError: the directory is missing, the disk is full or the owner may not be kept; the old file stays.
    """
    old = _replaced(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600)
    try:
        try:
            born = os.fstat(descriptor)  # not our own ids: a set-group-ID directory hands down its group
            if old is not None and (old.st_uid, old.st_gid) != (born.st_uid, born.st_gid):
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, mode)  # after the owner: a change of owner clears bits
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_directory(path.parent)


def read_private(path: Path, max_bytes: int, *, follow_links: bool = True) -> bytes:
    """Return the bytes of a file that only its owner may read.

    Links are followed by default, since Kubernetes mounts a Secret's files as links; what counts is the file behind.

    Raises:
        UnsafeFile: group or others may read it, it belongs to another user, is no regular file, or is too large.
        FileNotFoundError: there is no such file.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # non-blocking: opening a pipe must not hang
    if not follow_links:
        refuse_link(path)
        flags |= os.O_NOFOLLOW
    descriptor = os.open(path, flags)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise UnsafeFile(f"{path} is not a regular file; point to the file itself")
        check_private(path, facts)
        if facts.st_size > max_bytes:
            raise UnsafeFile(
                f"{path} has {facts.st_size} bytes, more than the {max_bytes} allowed; is it the right file?"
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(max_bytes)
    finally:
        os.close(descriptor)


def check_private(path: Path, facts: os.stat_result) -> None:
    """Refuse what others may reach or another user owns; root's files are accepted, as services are handed them.

    Raises:
        UnsafeFile: with the command that mends it.
    """
    if facts.st_uid not in {os.geteuid(), 0}:
        raise UnsafeFile(f"{path} belongs to user {facts.st_uid}, not to the user running this; chown it")
    if facts.st_mode & _OTHERS:
        mode = 0o700 if stat.S_ISDIR(facts.st_mode) else 0o600
        raise UnsafeFile(
            f"{path} has mode {stat.S_IMODE(facts.st_mode):04o}, so others on this computer may reach it; "
            f"run: chmod {mode:o} {path}"
        )


def refuse_link(path: Path) -> None:
    """Refuse a symbolic link.

    Raises:
        UnsafeFile: `path` is one.
    """
    if path.is_symlink():
        raise UnsafeFile(f"{path} is a symbolic link; put the file itself there")


def make_private_directory(path: Path) -> None:
    """Make `path` (and what lies above it) if it is missing, with mode 0700, and refuse one that others may reach.

    Raises:
        UnsafeFile: it exists and is a link, no directory, or open to others.
    """
    refuse_link(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        sync_directory(path.parent)
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode):
        raise UnsafeFile(f"{path} is not a directory; move it away")
    check_private(path, facts)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable; without it a rename may be lost with the power (pki.md 5.7)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replaced(path: Path) -> os.stat_result | None:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode):
        raise UnsafeFile(f"{path} is not a regular file, so it is not replaced; move it away")
    return facts


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
