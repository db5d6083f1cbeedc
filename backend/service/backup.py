"""A backup of an agent's directory in one file, made while the agent runs; and the note in the store that it was made.

The store is copied first and the keys afterwards: a key file is on the disk before the row that names it, so whatever
key the copied store names is there. A key that was given up in between is the one exception, and then all of it is done
again. Putting a backup back is `tar` and an agent's ordinary start, which reconciles.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from backend.core.errors import AlreadyExists, InconsistentState, InvalidInput, NotFound
from backend.core.model import AuthorityStatus
from backend.pki.files import TEMPORARY_SUFFIX, sync_directory
from backend.service import audit
from backend.service.agent_file import read_agent_file
from backend.service.bootstrap import KEYS_DIRECTORY, STORE_FILE
from backend.store.port import StoreOpener, Transaction

BACKUP_KEY: Final = "backup.at"  # in the store: Unix seconds of the last backup of store and keys
_TRIES: Final = 3
_NOT_KEPT: Final = frozenset({"lock", STORE_FILE, f"{STORE_FILE}-wal", f"{STORE_FILE}-shm", f"{STORE_FILE}-journal"})

StoreCopier = Callable[[Path, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What was written: `files` of them, the store included, in `size_bytes`."""

    path: Path
    files: int
    size_bytes: int


def write_backup(directory: Path, output: Path, *, copy_store: StoreCopier, open_store: StoreOpener) -> Backup:
    """Write store, keys and names of the agent in `directory` into the tar file `output`, which must not exist yet.

    Raises:
        NotFound: there is no agent in the directory, or no directory for the output.
        AlreadyExists: the output exists; a backup is never written over.
        InvalidInput: the output would lie in the agent's directory.
        InconsistentState: keys that the store names are missing.
        OSError: the disk refuses; nothing is left behind.
    """
    read_agent_file(directory)
    directory, output = directory.resolve(), output.parent.resolve() / output.name
    if not output.parent.is_dir():
        raise NotFound(f"there is no directory {output.parent}; make it, or name another --output")
    if output.is_relative_to(directory):
        raise InvalidInput(f"{output} lies in the agent's own directory; keep a backup somewhere else")
    try:
        os.close(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise AlreadyExists(f"{output} exists already; a backup is never written over, name another file") from None
    try:
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as held:
            made = _write(directory, output, Path(held), copy_store, open_store)
    except BaseException:
        with suppress(FileNotFoundError):
            output.unlink()
        raise
    sync_directory(output.parent)
    return made


def note_backup(tx: Transaction, now: datetime, made: Backup) -> None:
    """Tell the store that a backup exists, so that a CA rotation need not warn of its absence."""
    tx.meta.put(BACKUP_KEY, str(int(now.timestamp())))
    audit.record(
        tx, now, actor="agent", origin="cli", action="back_up", subject=made.path.name, detail={"path": str(made.path)}
    )


def _write(directory: Path, output: Path, held: Path, copy_store: StoreCopier, open_store: StoreOpener) -> Backup:
    missing = ""
    for attempt in range(_TRIES):
        store, archive = held / f"{attempt}.db", held / f"{attempt}.tar"
        copy_store(directory / STORE_FILE, store)
        wanted = _keys_named(store, open_store)
        names = _pack(directory, store, archive)
        missing = ", ".join(sorted(key for key in wanted if f"{KEYS_DIRECTORY}/{key}" not in names))
        if not missing:
            size = archive.stat().st_size
            os.replace(archive, output)
            return Backup(path=output, files=len(names), size_bytes=size)
    raise InconsistentState(f"keys that the store names are not in {directory / KEYS_DIRECTORY}: {missing}")


def _keys_named(path: Path, open_store: StoreOpener) -> frozenset[str]:
    store = open_store(path)
    try:
        with store.transaction() as tx:
            named = (one.key_file for one in tx.authorities.all() if one.status is not AuthorityStatus.DESTROYED)
            return frozenset(named)
    finally:
        store.close()


def _pack(directory: Path, store: Path, archive: Path) -> set[str]:
    """Write the archive, synced to the disk; return the names of the files in it."""
    names = {STORE_FILE}
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            tar.add(directory, ".", recursive=False)
            for path in _kept(directory):
                name = path.relative_to(directory).as_posix()
                with suppress(FileNotFoundError):  # it went between the look and the copy
                    tar.add(path, name, recursive=False)
                    if path.is_file():
                        names.add(name)
            tar.add(store, STORE_FILE, recursive=False)
        file.flush()
        os.fsync(file.fileno())
    return names


def _kept(directory: Path) -> Iterator[Path]:
    """Directories and plain files, directories first; links, locks and half-written files are left out."""
    for path in sorted(directory.rglob("*")):
        if path.is_symlink() or path.name.endswith(TEMPORARY_SUFFIX):
            continue
        if path.parent == directory and path.name in _NOT_KEPT:
            continue
        if path.is_dir() or path.is_file():
            yield path
