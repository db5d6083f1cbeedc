"""Rows of a rotation with overlap: its clients' evidence, and the cells of the trust matrix."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update

from backend.store.codec import Codec
from backend.store.records import OverlapClientRow, ProbeRow
from backend.store.rotation_tables import overlap_clients, rotation_probes
from backend.store.work import Work

_CLIENT = Codec(OverlapClientRow, overlap_clients)
_IS_CLIENT = (
    overlap_clients.c.rotation_id == bindparam("rotation"),
    overlap_clients.c.identity_number == bindparam("number"),
)
_ADD = insert(overlap_clients).values({name: bindparam(name) for name in _CLIENT.names})
_PUT = update(overlap_clients).where(*_IS_CLIENT).values({name: bindparam(name) for name in _CLIENT.names})
_FIND = select(*_CLIENT.columns).where(*_IS_CLIENT)
_CLIENTS = (
    select(*_CLIENT.columns)
    .where(overlap_clients.c.rotation_id == bindparam("rotation"))
    .order_by(overlap_clients.c.position)
)

_PROBE = Codec(ProbeRow, rotation_probes)
_IS_PROBE = (rotation_probes.c.rotation_id == bindparam("rotation"), rotation_probes.c.cell == bindparam("which"))
_ADD_PROBE = insert(rotation_probes).values({name: bindparam(name) for name in _PROBE.names})
_PUT_PROBE = update(rotation_probes).where(*_IS_PROBE).values({name: bindparam(name) for name in _PROBE.names})
_PROBES = (
    select(*_PROBE.columns)
    .where(rotation_probes.c.rotation_id == bindparam("rotation"))
    .order_by(rotation_probes.c.cell)
)


class SqlOverlap:
    """The part of `port.Rotations` that belongs to rotations with overlap and to rehearsals."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def overlap_clients(self, rotation_id: str) -> Sequence[OverlapClientRow]:
        """Return its clients in the order they were given."""
        return [_CLIENT.from_row(row) for row in self._work.rows(_CLIENTS, {"rotation": rotation_id})]

    def find_overlap_client(self, rotation_id: str, identity_number: int) -> OverlapClientRow | None:
        """Return one client, if the rotation has it."""
        row = self._work.row(_FIND, {"rotation": rotation_id, "number": identity_number})
        return None if row is None else _CLIENT.from_row(row)

    def put_overlap_clients(self, clients: Sequence[OverlapClientRow]) -> None:
        """Overwrite clients, and take in those that came later."""
        for client in clients:
            row = _CLIENT.to_row(client)
            key = {"rotation": client.rotation_id, "number": client.identity_number}
            if not self._work.write(_PUT, row | key):
                self._work.write(_ADD, row)

    def probes(self, rotation_id: str) -> Sequence[ProbeRow]:
        """Return the cells of its matrix that were probed."""
        return [_PROBE.from_row(row) for row in self._work.rows(_PROBES, {"rotation": rotation_id})]

    def put_probes(self, probes: Sequence[ProbeRow]) -> None:
        """Overwrite cells, and take in new ones."""
        for probe in probes:
            row = _PROBE.to_row(probe)
            if not self._work.write(_PUT_PROBE, row | {"rotation": probe.rotation_id, "which": probe.cell}):
                self._work.write(_ADD_PROBE, row)
