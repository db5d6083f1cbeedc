"""Rows of what was last heard of each client: its heartbeat and its last authenticated call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, bindparam, insert, select, update

from backend.core.model import Heartbeat, LastSeen
from backend.store.changes import SqlChanges
from backend.store.codec import Codec
from backend.store.tables import heartbeats, seen
from backend.store.work import Work

T = TypeVar("T", bound=Heartbeat | LastSeen)


class _Marks(Generic[T]):
    """Statements over a table with one row an identity."""

    def __init__(self, kind: type[T], table: Table) -> None:
        self.codec: Codec[T] = Codec(kind, table)
        owner = table.c.identity_number
        self.all = select(*self.codec.columns).order_by(owner)
        self.some = self.all.where(owner.in_(bindparam("numbers", expanding=True)))
        self.find = select(*self.codec.columns).where(owner == bindparam("number"))
        self.add = insert(table).values({name: bindparam(name) for name in self.codec.names})
        fresh: dict[str, Any] = {name: bindparam(name) for name in self.codec.names if name != "identity_number"}
        self.put = update(table).where(owner == bindparam("number")).values(fresh)


_HEARTBEATS = _Marks(Heartbeat, heartbeats)
_SEEN = _Marks(LastSeen, seen)


class _SqlMarks(Generic[T]):
    """One row an identity, overwritten each time."""

    def __init__(self, work: Work, changes: SqlChanges, marks: _Marks[T]) -> None:
        self._work = work
        self._changes = changes
        self._marks: _Marks[T] = marks

    def put(self, mark: T) -> None:
        """Write it over the last one; an overwrite is the common case, so it is tried first."""
        row = self._marks.codec.to_row(mark)
        if not self._work.write(self._marks.put, row | {"number": mark.identity_number}):
            self._work.write(self._marks.add, row)
        self._changes.touch(mark.identity_number)

    def find(self, identity_number: int) -> T | None:
        """Return that of one identity, if any."""
        row = self._work.row(self._marks.find, {"number": identity_number})
        return None if row is None else self._marks.codec.from_row(row)

    def all(self, numbers: Iterable[int] | None = None) -> Iterator[T]:
        """Return those of all identities, or of those given."""
        rows = self._work.rows(self._marks.all) if numbers is None else self._work.rows_for(self._marks.some, numbers)
        return map(self._marks.codec.from_row, rows)


class SqlHeartbeats(_SqlMarks[Heartbeat]):
    """`port.Heartbeats` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        super().__init__(work, changes, _HEARTBEATS)

    def put(self, heartbeat: Heartbeat) -> None:
        """Write the last heartbeat of its identity."""
        super().put(heartbeat)


class SqlSeen(_SqlMarks[LastSeen]):
    """`port.Seen` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        super().__init__(work, changes, _SEEN)

    def put(self, seen: LastSeen) -> None:
        """Write the last authenticated call of its identity."""
        super().put(seen)
