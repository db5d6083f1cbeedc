"""Running statements inside one transaction, and saying clearly what went wrong.

A statement is compiled once for the engine and then run through the driver itself: on the hot path that is a third of
the cost. So only statements held in module variables come here, and values must already be plain integers, texts or
bytes (see `backend.store.codec`). Refuses to go on once the engine has given up the transaction: what followed would
be written outside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError

from backend.core.errors import AgentError, StoreUnavailable

Values = Mapping[str, Any]
Row = tuple[Any, ...]

NUMBERS_AT_ONCE = 5_000  # well below the 32,766 variables that SQLite takes in a statement


class Prepared:
    """Statements compiled for one engine: SQL text, order of its parameters, constants inside it."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[Executable, tuple[str, Sequence[str], Values]] = {}

    def __getitem__(self, statement: Executable) -> tuple[str, Sequence[str], Values]:
        """Return the compiled form, made at the first use."""
        known = self._compiled.get(statement)
        if known is None:
            compiled: Any = statement.compile(dialect=self._dialect)  # type: ignore[attr-defined]
            known = compiled.string, tuple(compiled.positiontup or ()), compiled.params
            self._compiled[statement] = known
        return known


class Trouble(Protocol):
    """What an engine's failure means; each engine knows its own codes."""

    def __call__(self, error: BaseException, taken: str) -> AgentError:
        """Return the refusal to raise; `taken` says which thing exists already, should that be the matter."""
        ...


class Work:
    """The connection of one open transaction."""

    def __init__(
        self, connection: Connection, prepared: Prepared, trouble: Trouble, is_open: Callable[[Any], bool]
    ) -> None:
        dialect = connection.dialect
        assert isinstance(dialect, DefaultDialect)  # noqa: S101 - for the type checker: `loaded_dbapi` is its own
        self._driver_error: type[Exception] = dialect.loaded_dbapi.Error
        self._driver = connection.connection.dbapi_connection
        self._cursor: Any = connection.connection.cursor()
        self._connection = connection
        self._prepared = prepared
        self._trouble = trouble
        self._is_open = is_open
        self._is_lost = False
        self._depth = 0

    def close(self) -> None:
        """Let go of the driver's cursor: one left open keeps the file from being closed."""
        self._cursor.close()

    def write(self, statement: Executable, values: Values | None = None, *, taken: str = "") -> int:
        """Run an insert, update or delete; return how many rows it met.

        Raises:
            AlreadyExists: a unique column or index refuses the row; the text is `taken`.
            InconsistentState: a guard of the schema refuses it.
            StoreUnavailable: the engine failed; the transaction is lost.
        """
        self._run(statement, values, taken)
        return int(self._cursor.rowcount)

    def write_many(self, statement: Executable, rows: Sequence[Values], *, taken: str = "") -> None:
        """Run one statement for each of the rows."""
        sql, order, constants = self._prepared[statement]
        try:
            self.refuse_if_lost()
            self._cursor.executemany(sql, [[{**constants, **row}[name] for name in order] for row in rows])
        except self._driver_error as error:
            raise self._explained(error, taken) from error

    def rows(self, statement: Executable, values: Values | None = None, *, taken: str = "") -> list[Row]:
        """Run a statement and return all its rows."""
        self._run(statement, values, taken)
        found: list[Row] = self._cursor.fetchall()
        return found

    def row(self, statement: Executable, values: Values | None = None, *, taken: str = "") -> Row | None:
        """Run a statement and return its first row, if any."""
        found = self.rows(statement, values, taken=taken)
        return found[0] if found else None

    def rows_for(self, statement: Executable, numbers: Iterable[int]) -> Iterator[Row]:
        """Run a statement with the expanding parameter `numbers`, in as few runs as the engine allows."""
        asked = iter(sorted(set(numbers)))
        while chunk := list(islice(asked, NUMBERS_AT_ONCE)):
            self.refuse_if_lost()
            try:
                found = self._connection.execute(statement, {"numbers": chunk}).fetchall()
            except DBAPIError as error:
                raise self._explained(error.orig or error, "") from error
            yield from map(tuple, found)

    @contextmanager
    def savepoint(self, undone: Callable[[], None]) -> Iterator[None]:
        """Undo what is written inside if an exception leaves, then call `undone`; they nest."""
        name = f"part_{self._depth}"
        self._command(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
        except BaseException:
            if not self._is_lost:
                self._command(f"ROLLBACK TO SAVEPOINT {name}")
                self._command(f"RELEASE SAVEPOINT {name}")
            undone()
            raise
        else:
            self._command(f"RELEASE SAVEPOINT {name}")
        finally:
            self._depth -= 1

    def _run(self, statement: Executable, values: Values | None, taken: str) -> None:
        sql, order, constants = self._prepared[statement]
        given = values if values is not None else {}
        try:
            self.refuse_if_lost()
            self._cursor.execute(sql, [given[name] if name in given else constants[name] for name in order])
        except self._driver_error as error:
            raise self._explained(error, taken) from error

    def _command(self, sql: str) -> None:
        self.refuse_if_lost()
        try:
            self._cursor.execute(sql)
        except self._driver_error as error:
            raise self._explained(error, "") from error

    def refuse_if_lost(self) -> None:
        """Raise `StoreUnavailable` when the engine has already given the transaction up."""
        if self._is_lost:
            raise StoreUnavailable("the store gave up this transaction after a failure; nothing of it was kept, retry")

    def _explained(self, error: BaseException, taken: str) -> AgentError:
        """Translate a failure, and notice when the engine ended the transaction by itself (a full disk does that)."""
        if not self._is_open(self._driver):
            self._is_lost = True
        return self._trouble(error, taken)
