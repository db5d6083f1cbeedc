"""A copy of a store as of one instant, while its agent goes on writing.

Owns SQLite's online backup and the question whether this program knows the copy's schema; it never upgrades anything,
neither the store nor the copy.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from backend.core.errors import InconsistentState, StoreUnavailable
from backend.store.errors import StoreDamaged, StoreTooNew
from backend.store.schema import NEWEST

_BUSY_SECONDS: Final = 5.0


def copy_store(source: Path, target: Path) -> None:
    """Copy a store whole into a new file of mode 0600; writers wait for nobody meanwhile (write-ahead log).

    Raises:
        StoreUnavailable: there is no store at `source`, or a disk refuses.
        StoreDamaged: it is not a store.
        StoreTooNew: a newer program has upgraded it.
        InconsistentState: an older program's store, which its agent has to upgrade first.
    """
    if not source.is_file():
        raise StoreUnavailable(f"there is no store at {source}; name the agent's directory")
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        uri = f"{source.absolute().as_uri()}?mode=rw"  # rw: a log that a crash left is read too; nothing is written
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)) as here,
            closing(sqlite3.connect(target)) as there,
        ):
            here.backup(there)
            there.execute("PRAGMA journal_mode = DELETE").close()  # one file, without a log beside it
            _check_version(there, source)
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            raise StoreDamaged(source, str(error)) from error
        raise StoreUnavailable(f"the store {source} cannot be copied: {error}; nothing was changed") from error


def _check_version(copy: sqlite3.Connection, source: Path) -> None:
    if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise StoreDamaged(source, "its pages contradict each other")
    try:
        version = str(copy.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.OperationalError, TypeError):
        raise StoreDamaged(source, "it is a database of another program") from None
    if version > NEWEST:
        raise StoreTooNew(source, version, NEWEST)
    if version < NEWEST:
        raise InconsistentState(
            f"the store {source} has schema version {version}, older than this program's {NEWEST}; "
            "start the agent with this program first, or back up with the one that it runs"
        )
