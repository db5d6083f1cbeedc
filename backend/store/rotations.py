"""Rows of CA rotations, their clients and their steps.

The schema refuses a second open rotation, and a move must name the version it was made from: two movers cannot both
succeed (pki.md, invariants I3 and I4). Which move is legal is `backend.core.rotation`'s to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from backend.core.errors import InconsistentState, NotFound
from backend.store.changes import SqlChanges
from backend.store.codec import Codec, to_instant, to_seconds
from backend.store.overlap import SqlOverlap
from backend.store.records import RotationClientRow, RotationRow
from backend.store.rotation_tables import rotation_clients, rotation_steps, rotations
from backend.store.work import Work

_ROTATION = Codec(RotationRow, rotations)
_WRITTEN: dict[str, Any] = {name: bindparam(name) for name in [*_ROTATION.names, "is_open"]}
_ADD = insert(rotations).values(_WRITTEN)
_PUT = (
    update(rotations)
    .where(rotations.c.id == bindparam("key"), rotations.c.version == bindparam("made_from"))
    .values(_WRITTEN)
)
_LAST = select(*_ROTATION.columns).order_by(rotations.c.position.desc()).limit(1)
_OPEN = select(*_ROTATION.columns).where(rotations.c.is_open == 1)
_GET = select(*_ROTATION.columns).where(rotations.c.id == bindparam("id"))

_CLIENT = Codec(RotationClientRow, rotation_clients)
_ADD_CLIENT = insert(rotation_clients).values({name: bindparam(name) for name in _CLIENT.names})
_PUT_CLIENT = (
    update(rotation_clients)
    .where(
        rotation_clients.c.rotation_id == bindparam("rotation"),
        rotation_clients.c.identity_number == bindparam("number"),
    )
    .values({name: bindparam(name) for name in _CLIENT.names})
)
_CLIENTS = (
    select(*_CLIENT.columns)
    .where(rotation_clients.c.rotation_id == bindparam("rotation"))
    .order_by(rotation_clients.c.position)
)

_IS_STEP = (rotation_steps.c.rotation_id == bindparam("rotation"), rotation_steps.c.step == bindparam("which"))
_STEPS = (
    select(rotation_steps.c.step, rotation_steps.c.begun_at, rotation_steps.c.done_at)
    .where(rotation_steps.c.rotation_id == bindparam("rotation"))
    .order_by(rotation_steps.c.position)
)
_FIND_STEP = select(rotation_steps.c.step).where(*_IS_STEP)
_BEGIN = insert(rotation_steps).values(
    rotation_id=bindparam("rotation"), step=bindparam("which"), begun_at=bindparam("at")
)
_FINISH = update(rotation_steps).where(*_IS_STEP, rotation_steps.c.done_at.is_(None)).values(done_at=bindparam("at"))


def _row(rotation: RotationRow) -> dict[str, object]:
    return _ROTATION.to_row(rotation) | {"is_open": 1 if rotation.ended_at is None else None}


class SqlRotations(SqlOverlap):
    """`port.Rotations` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        super().__init__(work)
        self._changes = changes

    def add(self, rotation: RotationRow, clients: Sequence[RotationClientRow]) -> None:
        """Begin a rotation with all its clients; a second open one is refused (`AlreadyExists`)."""
        taken = "another CA rotation is open; only one may"
        self._work.write(_ADD, _row(rotation), taken=taken)
        rows = [_CLIENT.to_row(client) for client in clients]
        self._work.write_many(_ADD_CLIENT, rows, taken=f"rotation {rotation.id} names a client twice")
        self._changes.step()

    def put(self, rotation: RotationRow) -> None:
        """Overwrite it, if it is still at the version before."""
        values = _row(rotation) | {"key": rotation.id, "made_from": rotation.version - 1}
        if not self._work.write(_PUT, values, taken="another CA rotation is open; only one may"):
            stored = self.get(rotation.id)
            raise InconsistentState(
                f"CA rotation {rotation.id} is at version {stored.version}, so it cannot move to version "
                f"{rotation.version}; look at it again"
            )
        self._changes.step()

    def find_open(self) -> RotationRow | None:
        """Return the open one, if any."""
        row = self._work.row(_OPEN)
        return None if row is None else _ROTATION.from_row(row)

    def find_last(self) -> RotationRow | None:
        """Return the one begun last, open or not, if any."""
        row = self._work.row(_LAST)
        return None if row is None else _ROTATION.from_row(row)

    def get(self, rotation_id: str) -> RotationRow:
        """Return the one with that id; raise `NotFound`."""
        row = self._work.row(_GET, {"id": rotation_id})
        if row is None:
            raise NotFound(f"there is no CA rotation {rotation_id}")
        return _ROTATION.from_row(row)

    def clients(self, rotation_id: str) -> Sequence[RotationClientRow]:
        """Return its clients in the order they were given."""
        return [_CLIENT.from_row(row) for row in self._work.rows(_CLIENTS, {"rotation": rotation_id})]

    def put_client(self, client: RotationClientRow) -> None:
        """Overwrite one client, or take in one that came later."""
        row = _CLIENT.to_row(client)
        key = {"rotation": client.rotation_id, "number": client.identity_number}
        if not self._work.write(_PUT_CLIENT, row | key):
            self._work.write(_ADD_CLIENT, row)

    def put_clients(self, clients: Sequence[RotationClientRow]) -> None:
        """Write several clients."""
        for client in clients:
            self.put_client(client)

    def intent(self, rotation_id: str, step: str, at: datetime) -> None:
        """Record that a step begins; the first time counts."""
        key = {"rotation": rotation_id, "which": step}
        if self._work.row(_FIND_STEP, key) is None:
            self._work.write(_BEGIN, key | {"at": to_seconds(at)})

    def finish(self, rotation_id: str, step: str, at: datetime) -> None:
        """Record that a step is done; the first time counts.

        Raises:
            InconsistentState: it never began.
        """
        key = {"rotation": rotation_id, "which": step}
        if not self._work.write(_FINISH, key | {"at": to_seconds(at)}) and self._work.row(_FIND_STEP, key) is None:
            raise InconsistentState(f"step {step} of CA rotation {rotation_id} is to be finished and never began")

    def steps(self, rotation_id: str) -> Sequence[tuple[str, datetime, datetime | None]]:
        """Return (step, begun, done) in the order they began."""
        rows = self._work.rows(_STEPS, {"rotation": rotation_id})
        return [(step, to_instant(begun), None if done is None else to_instant(done)) for step, begun, done in rows]
