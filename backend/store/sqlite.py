"""The SQLite engine: one file, one writer, every commit on the disk before it is answered.

WAL with `synchronous=FULL`; transactions take the write lock at their beginning, so none fails half-way for want of
it. The file is 0600 from its first byte, and one that others can open is refused. This module knows SQLite's error
codes; nothing above it does.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from backend.core.errors import AgentError, AlreadyExists, InconsistentState, StoreUnavailable
from backend.store.errors import StoreDamaged, StoreUnsafe
from backend.store.port import Transaction
from backend.store.schema import upgrade
from backend.store.transaction import SqlTransaction
from backend.store.work import Prepared, Work

_PRAGMAS: Final = (
    "PRAGMA busy_timeout = 5000",  # another process of ours (a command on the agent's host) may hold the lock
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",  # nothing of the store lands in a shared temporary directory
)
_TAKEN: Final = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE: Final = 0xFF  # an extended code carries the primary one in its low byte
_WHY: Final = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and retry",
    sqlite3.SQLITE_READONLY: "the file is read-only; give its owner the right to write, and check the file system",
    sqlite3.SQLITE_BUSY: "another program holds it; find out which one has it open",
    sqlite3.SQLITE_IOERR: "the disk reports an error; look at the system's log",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the path and its rights",
}


def open_store(path: Path) -> SqliteStore:
    """Open the store, creating or upgrading it first.

    Raises:
        StoreTooNew: a newer program has upgraded it.
        StoreDamaged: the file is broken or not a store.
        StoreUnsafe: the file or its directory is open to other accounts.
        StoreUnavailable: it cannot be opened or created.
    """
    _claim(path)
    engine = _engine(path)
    try:
        with _translated(path), engine.begin() as connection:
            upgrade(connection, path)
    except BaseException:
        engine.dispose()
        raise
    return SqliteStore(path, engine)


class SqliteStore:
    """`port.Store` in one SQLite file."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self._path = path
        self._engine = engine
        self._prepared = Prepared(engine.dialect)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit on leaving, roll back on an exception.

        Raises:
            StoreUnavailable: it cannot begin or commit; nothing was changed.
        """
        with _translated(self._path):
            connection = self._engine.connect()
        try:
            with _translated(self._path):
                connection.begin()
            with closing(Work(connection, self._prepared, self._trouble, _is_open)) as work:
                transaction = SqlTransaction(work)
                yield transaction
                transaction.finish()
            with _translated(self._path):
                connection.commit()
        finally:
            self._leave(connection)

    def close(self) -> None:
        """Close the file; SQLite folds the write-ahead log into it."""
        self._engine.dispose()

    def _leave(self, connection: Connection) -> None:
        """Roll back what was not committed; a connection that cannot even do that is thrown away."""
        try:
            connection.close()
        except DBAPIError:
            connection.invalidate()

    def _trouble(self, error: BaseException, taken: str) -> AgentError:
        return _explain(error, self._path, taken)


def _explain(error: BaseException, path: Path, taken: str = "") -> AgentError:
    """Return what a failure of SQLite means to a caller."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _TAKEN:
        return AlreadyExists(taken or f"the store refuses a row that exists already ({error})")
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return InconsistentState("the store refuses a row of something that it does not hold")
    if code == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return InconsistentState(str(error))  # the guards of the schema speak in sentences
    primary = code & _PRIMARY_CODE
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return InconsistentState(f"the store refuses a row ({error})")
    if primary in _BROKEN:
        return StoreDamaged(path, str(error))
    why = _WHY.get(primary, str(error))
    return StoreUnavailable(f"the store {path} failed: {why}; nothing was changed", place=str(path))


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _explain(error.orig or error, path) from error
    except sqlite3.Error as error:
        raise _explain(error, path) from error


def _is_open(driver: Any) -> bool:
    return bool(driver.in_transaction)


def _engine(path: Path) -> Engine:
    """Make the engine; the driver's own transaction handling is off, ours begins with the write lock."""
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"isolation_level": None})
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(driver: Any, _record: Any) -> None:
    for pragma in _PRAGMAS:
        driver.execute(pragma).close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _claim(path: Path) -> None:
    """Create the file privately, or make sure that the one there is ours alone."""
    try:
        _check_directory(path.parent)
        if not _create(path):
            _check_file(path)
    except OSError as error:
        raise _cannot_open(path, error.strerror or str(error)) from error


def _create(path: Path) -> bool:
    """Create an empty file, unless there is one.

    A file that is there is not opened: closing it again would drop the locks of a store that this process has open.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    os.close(handle)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)  # a name that is lost with the power would lose every commit under it
    finally:
        os.close(directory)
    return True


def _check_file(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise StoreUnsafe(f"the store {path} is not a regular file; give the path of the file itself")
    if found.st_mode & 0o077:
        raise StoreUnsafe(
            f"the store {path} can be opened by other accounts (mode {stat.S_IMODE(found.st_mode):04o}); "
            f"run: chmod 600 {path}"
        )
    if not os.access(path, os.R_OK | os.W_OK):
        raise _cannot_open(path, "it cannot be read and written")


def _cannot_open(path: Path, why: str) -> StoreUnavailable:
    return StoreUnavailable(f"the store {path} cannot be opened: {why}; check the path and its rights", place=str(path))


def _check_directory(directory: Path) -> None:
    mode = directory.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreUnsafe(
            f"other accounts can replace files in {directory} (mode {stat.S_IMODE(mode):04o}); "
            f"run: chmod go-w {directory}"
        )
