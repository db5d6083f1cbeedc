"""Rows of the audit chain and the deployment's small named texts.

The audit only grows: the schema refuses updates, removals and gaps. What the links mean is `backend.service.audit`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import bindparam, insert, select, update

from backend.core.model import AuditEvent
from backend.store.codec import Codec
from backend.store.tables import audit, meta
from backend.store.work import Work

_WALK_STEP = 1_000

_EVENT = Codec(AuditEvent, audit)
_ORDER = audit.c["index"]
_APPEND = insert(audit).values({name: bindparam(name) for name in _EVENT.names})
_HEAD = select(*_EVENT.columns).order_by(_ORDER.desc()).limit(1)
_NEWEST = select(*_EVENT.columns).order_by(_ORDER.desc()).limit(bindparam("most"))
_NEWEST_OF = _NEWEST.where(audit.c.subject == bindparam("subject"))
_AFTER = select(*_EVENT.columns).where(bindparam("after") < _ORDER).order_by(_ORDER).limit(bindparam("most"))
_AFTER_OF = _AFTER.where(audit.c.subject == bindparam("subject"))

_FIND_META = select(meta.c.value).where(meta.c.key == bindparam("name"))
_ADD_META = insert(meta).values(key=bindparam("name"), value=bindparam("content"))
_PUT_META = update(meta).where(meta.c.key == bindparam("name")).values(value=bindparam("content"))


class SqlAudit:
    """`port.Audit` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._head: AuditEvent | None = None  # what this transaction appended last: a batch reads the chain's end once

    def append(self, event: AuditEvent) -> None:
        """Add the next link; its index must follow the head's."""
        self._work.write(_APPEND, _EVENT.to_row(event), taken=f"audit event {event.index} exists already")
        self._head = event

    def head(self) -> AuditEvent | None:
        """Return the newest event, if any."""
        if self._head is None:
            row = self._work.row(_HEAD)
            return None if row is None else _EVENT.from_row(row)
        return self._head

    def undone(self) -> None:
        """A part was rolled back, perhaps with links in it: look at the chain's end again."""
        self._head = None

    def newest(self, limit: int, subject: str = "") -> Sequence[AuditEvent]:
        """Return up to `limit` events, newest first, of one subject or of all."""
        statement = _NEWEST_OF if subject else _NEWEST
        rows = self._work.rows(statement, {"most": limit, "subject": subject})
        return [_EVENT.from_row(row) for row in rows]

    def after(self, index: int, limit: int, subject: str = "") -> Sequence[AuditEvent]:
        """Return up to `limit` events after `index`, ascending, of one subject or of all."""
        statement = _AFTER_OF if subject else _AFTER
        rows = self._work.rows(statement, {"after": index, "most": limit, "subject": subject})
        return [_EVENT.from_row(row) for row in rows]

    def walk(self) -> Iterator[AuditEvent]:
        """Return every event, ascending, without holding them all."""
        index = -1
        while events := self.after(index, _WALK_STEP):
            yield from events
            index = events[-1].index


class SqlMeta:
    """`port.Meta` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def find(self, key: str) -> str | None:
        """Return the text under `key`, if any."""
        row = self._work.row(_FIND_META, {"name": key})
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        """Write the text under `key`."""
        values = {"name": key, "content": value}
        if not self._work.write(_PUT_META, values):
            self._work.write(_ADD_META, values)
