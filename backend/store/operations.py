"""Rows of operations and their targets.

A target that is under way is part of the fleet view, so its identity is touched; so are the targets of an operation
that begins or ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import bindparam, func, insert, select, text, update

from backend.core.errors import NotFound
from backend.store.changes import SqlChanges
from backend.store.codec import Codec
from backend.store.records import OperationRow, TargetRow
from backend.store.tables import operations, targets
from backend.store.work import Work

_OPERATION = Codec(OperationRow, operations)
_ADD = insert(operations).values({name: bindparam(name) for name in _OPERATION.names})
_PUT = (
    update(operations)
    .where(operations.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in _OPERATION.names})
)
_GET = select(*_OPERATION.columns).where(operations.c.id == bindparam("id"))
_RUNNING = (
    select(*_OPERATION.columns)
    .where(operations.c.state == "running")
    .order_by(operations.c.started_at, operations.c.position)
)
_RECENT = (
    select(*_OPERATION.columns)
    .order_by(operations.c.started_at.desc(), operations.c.position.desc())
    .limit(bindparam("most"))
)

_TARGET = Codec(TargetRow, targets)
_ADD_TARGET = insert(targets).values({name: bindparam(name) for name in _TARGET.names})
_PUT_TARGET = (
    update(targets)
    .where(targets.c.operation_id == bindparam("operation"), targets.c.position == bindparam("place"))
    .values({name: bindparam(name) for name in _TARGET.names})
)
_TARGETS = select(*_TARGET.columns).where(targets.c.operation_id == bindparam("operation")).order_by(targets.c.position)
_NUMBERS = select(targets.c.identity_number).where(targets.c.operation_id == bindparam("operation"))
_ACTIVITIES = (
    select(targets.c.identity_number, func.coalesce(func.nullif(targets.c.step, ""), targets.c.state))
    .join(operations, operations.c.id == targets.c.operation_id)
    .where(text("targets.state IN ('ordered', 'issued', 'delivered')"), operations.c.state == "running")
    .order_by(targets.c.identity_number, operations.c.position)
)
_ACTIVITIES_SOME = _ACTIVITIES.where(targets.c.identity_number.in_(bindparam("numbers", expanding=True)))


class SqlOperations:
    """`port.Operations` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def add(self, operation: OperationRow, targets: Sequence[TargetRow]) -> None:
        """Begin an operation with all its targets."""
        taken = f"an operation with id {operation.id} exists already"
        self._work.write(_ADD, _OPERATION.to_row(operation), taken=taken)
        self._work.write_many(
            _ADD_TARGET,
            [_TARGET.to_row(target) for target in targets],
            taken=f"two targets of operation {operation.id} have the same position",
        )
        self._changes.touch_many(target.identity_number for target in targets)

    def put(self, operation: OperationRow) -> None:
        """Overwrite it."""
        was = self.get(operation.id)
        self._work.write(_PUT, _OPERATION.to_row(operation) | {"key": operation.id})
        if was.state != operation.state:
            numbers = self._work.rows(_NUMBERS, {"operation": operation.id})
            self._changes.touch_many(number for (number,) in numbers)

    def put_target(self, target: TargetRow) -> None:
        """Overwrite the target at that position."""
        key = {"operation": target.operation_id, "place": target.position}
        if not self._work.write(_PUT_TARGET, _TARGET.to_row(target) | key):
            raise NotFound(f"operation {target.operation_id} has no target at position {target.position}")
        self._changes.touch(target.identity_number)

    def get(self, operation_id: str) -> OperationRow:
        """Return the one with that id; raise `NotFound`."""
        row = self._work.row(_GET, {"id": operation_id})
        if row is None:
            raise NotFound(f"there is no operation {operation_id}")
        return _OPERATION.from_row(row)

    def targets(self, operation_id: str) -> Sequence[TargetRow]:
        """Return its targets in order of execution."""
        return [_TARGET.from_row(row) for row in self._work.rows(_TARGETS, {"operation": operation_id})]

    def running(self) -> Sequence[OperationRow]:
        """Return those that run, oldest first."""
        return [_OPERATION.from_row(row) for row in self._work.rows(_RUNNING)]

    def recent(self, limit: int) -> Sequence[OperationRow]:
        """Return up to `limit`, newest first."""
        return [_OPERATION.from_row(row) for row in self._work.rows(_RECENT, {"most": limit})]

    def activities(self, numbers: Iterable[int] | None = None) -> Iterator[tuple[int, str]]:
        """Return (identity number, step, or the state where no step is named) of targets that are under way."""
        rows = self._work.rows(_ACTIVITIES) if numbers is None else self._work.rows_for(_ACTIVITIES_SOME, numbers)
        return ((number, step) for number, step in rows)
