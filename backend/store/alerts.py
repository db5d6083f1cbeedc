"""Rows of alerts, silences, owed notices and sinks. What they mean is `backend.core.alerts`'s."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Table, bindparam, delete, func, insert, select, update

from backend.core.alerts import Alert, Silence
from backend.core.facts import Severity
from backend.store.alert_records import NoticeRow, SinkRow
from backend.store.alert_tables import alerts, notices, silences, sinks
from backend.store.codec import Codec
from backend.store.work import Work

T = TypeVar("T")


class _Keyed(Generic[T]):
    """Statements over a table with a text key."""

    def __init__(self, kind: type[T], table: Table, key: Column[Any]) -> None:
        self.codec: Codec[T] = Codec(kind, table)
        self.key = key.name
        fresh: dict[str, Any] = {name: bindparam(name) for name in self.codec.names}
        self.all = select(*self.codec.columns).order_by(key)
        self.find = select(*self.codec.columns).where(key == bindparam("wanted"))
        self.add = insert(table).values(fresh)
        self.put = update(table).where(key == bindparam("wanted")).values(fresh)
        self.delete = delete(table).where(key == bindparam("wanted"))


class _SqlKeyed(Generic[T]):
    def __init__(self, work: Work, keyed: _Keyed[T]) -> None:
        self._work = work
        self._keyed = keyed

    def all(self) -> Sequence[T]:
        """Return every row, by key."""
        return [self._keyed.codec.from_row(row) for row in self._work.rows(self._keyed.all)]

    def find(self, key: str) -> T | None:
        """Return the one with that key, if any."""
        row = self._work.row(self._keyed.find, {"wanted": key})
        return None if row is None else self._keyed.codec.from_row(row)

    def put(self, value: T) -> None:
        """Write it, new or known."""
        row = self._keyed.codec.to_row(value)
        if not self._work.write(self._keyed.put, row | {"wanted": row[self._keyed.key]}):
            self._work.write(self._keyed.add, row)

    def delete(self, key: str) -> None:
        """Forget it; one that is not there is no error."""
        self._work.write(self._keyed.delete, {"wanted": key})


_ALERTS = _Keyed(Alert, alerts, alerts.c.entity)
_IS_HELD = alerts.c.held != ""
_TALLY = select(alerts.c.severity, _IS_HELD, func.count()).group_by(alerts.c.severity, _IS_HELD)
_SILENCES = _Keyed(Silence, silences, silences.c.subject)
_SINKS = _Keyed(SinkRow, sinks, sinks.c.name)


class SqlAlerts(_SqlKeyed[Alert]):
    """`port.Alerts` over one transaction."""

    def __init__(self, work: Work) -> None:
        super().__init__(work, _ALERTS)

    def tally(self) -> dict[tuple[Severity, bool], int]:
        """Return how many there are by severity, and by whether they are held back."""
        return {(Severity(row[0]), bool(row[1])): int(row[2]) for row in self._work.rows(_TALLY)}


class SqlSilences(_SqlKeyed[Silence]):
    """`port.Silences` over one transaction."""

    def __init__(self, work: Work) -> None:
        super().__init__(work, _SILENCES)


class SqlSinks(_SqlKeyed[SinkRow]):
    """`port.Sinks` over one transaction."""

    def __init__(self, work: Work) -> None:
        super().__init__(work, _SINKS)


_NOTICE = Codec(NoticeRow, notices)
_FRESH: dict[str, Any] = {name: bindparam(name) for name in _NOTICE.names}
_NOTICES = select(*_NOTICE.columns).order_by(notices.c.position)
_OWED = _NOTICES.where(notices.c.sink == bindparam("owner")).limit(bindparam("most"))
_FIND = _NOTICES.where(notices.c.sink == bindparam("owner"), notices.c.entity == bindparam("wanted"))
_ADD = insert(notices).values(_FRESH)
_TRY = update(notices).where(notices.c.id == bindparam("wanted")).values(attempts=notices.c.attempts + 1)
_DROP = delete(notices).where(notices.c.id == bindparam("wanted"))
_DROP_SINK = delete(notices).where(notices.c.sink == bindparam("owner"))
_COUNT = select(notices.c.sink, func.count()).group_by(notices.c.sink)


class SqlNotices:
    """`port.Notices` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, notice: NoticeRow) -> None:
        """Owe it; another one for the same sink and entity is refused (`AlreadyExists`)."""
        taken = f"a notice about {notice.entity} is already owed to {notice.sink}"
        self._work.write(_ADD, _NOTICE.to_row(notice), taken=taken)

    def find(self, sink: str, entity: str) -> NoticeRow | None:
        """Return the one that is owed to a sink about an entity, if any."""
        row = self._work.row(_FIND, {"owner": sink, "wanted": entity})
        return None if row is None else _NOTICE.from_row(row)

    def owed(self, sink: str, limit: int) -> Sequence[NoticeRow]:
        """Return what is owed to a sink, oldest first."""
        return [_NOTICE.from_row(row) for row in self._work.rows(_OWED, {"owner": sink, "most": limit})]

    def count(self) -> dict[str, int]:
        """Return how many are owed to each sink that is owed any."""
        return {str(row[0]): int(row[1]) for row in self._work.rows(_COUNT)}

    def mark_tried(self, ids: Iterable[str]) -> None:
        """Count an attempt for each, before it is made."""
        self._work.write_many(_TRY, [{"wanted": one} for one in ids])

    def drop(self, ids: Iterable[str]) -> None:
        """Remove what was taken or is overtaken; ids that are gone are no error."""
        self._work.write_many(_DROP, [{"wanted": one} for one in ids])

    def drop_sink(self, sink: str) -> None:
        """Remove everything that is owed to a sink which is no more."""
        self._work.write(_DROP_SINK, {"owner": sink})
