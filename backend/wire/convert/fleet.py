"""The fleet's columns on the wire: deltas out in chunks, chunks in as deltas.

Every chunk is complete in itself: its columns point into its own names, so a reader applies and forgets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from backend.core.delta import AuthorityInfo, ClientColumns, ClusterInfo, FleetDelta
from backend.core.errors import InvalidInput
from backend.core.lifecycle import Validity
from backend.core.limits import MESSAGE_BYTES
from backend.core.model import AuthorityStatus
from backend.wire.convert.checks import quoted
from backend.wire.convert.instants import instant, known_instant, unix
from backend.wire.mocdeck.v1 import fleet_pb2

CHUNK_CLIENTS: Final = 2000  # about 100 kB of an ordinary fleet: a few milliseconds of one core on either side
CHUNK_REMOVED: Final = 20_000
CHUNK_BYTES: Final = MESSAGE_BYTES // 2  # leaves room for the authorities and clusters of the first chunk

_COLUMNS: Final = tuple(column.name for column in fields(ClientColumns))
_TEXTS: Final = ("name", "kind", "cluster", "host", "owner", "activity")
_NUMBERS: Final = tuple(name for name in _COLUMNS if name not in _TEXTS)
_STATUSES: Final = {status.value: status for status in AuthorityStatus}


def fleet_chunks(delta: FleetDelta) -> Iterator[fleet_pb2.FleetChunk]:
    """Split a delta into messages of at most 2000 clients and half a megabyte; at least one, and in order.

    The first carries `full`, the authorities and the clusters; the last carries `change` and `last`. Removals come
    before clients. A reader that applied all of them holds what one that applied `delta` holds.
    """
    pending = _opening(delta)
    for chunk in _pieces(delta):
        if pending.removed or pending.clients.number:
            yield pending
            pending = chunk
        else:
            pending.MergeFrom(chunk)
    pending.change = delta.change if delta.last else 0
    pending.last = delta.last
    pending.bundle_epoch = delta.bundle_epoch
    pending.simulated = delta.simulated
    pending.rotation_phase = delta.rotation_phase
    yield pending


def fleet_delta(chunk: fleet_pb2.FleetChunk) -> FleetDelta:
    """One chunk as core knows it; its texts are still raw.

    Raises:
        InvalidInput: the columns differ in length or point at no text, or the row of an authority or a cluster makes
            no sense.
    """
    clients = chunk.clients
    return FleetDelta(
        change=chunk.change,
        agent_time=chunk.agent_time,
        full=chunk.full,
        last=chunk.last,
        deployment=chunk.deployment,
        deployment_id=chunk.deployment_id,
        names=list(chunk.names),
        clients=ClientColumns(**{name: list(getattr(clients, name)) for name in _COLUMNS}),
        removed=list(chunk.removed),
        authorities=tuple(authority_info(row) for row in chunk.authorities),
        clusters=tuple(cluster_info(row) for row in chunk.clusters),
        bundle_epoch=chunk.bundle_epoch,
        agent_version=chunk.agent_version,
        simulated=chunk.simulated,
        rotation_phase=chunk.rotation_phase,
    )


def authority_row(info: AuthorityInfo) -> fleet_pb2.AuthorityRow:
    """One CA generation as a row."""
    return fleet_pb2.AuthorityRow(
        generation=info.generation,
        subject=info.subject,
        not_before=unix(info.validity.not_before),
        not_after=unix(info.validity.not_after),
        status=info.status.value,
        fingerprint=info.fingerprint,
    )


def authority_info(row: fleet_pb2.AuthorityRow) -> AuthorityInfo:
    """One CA generation from its row.

    Raises:
        InvalidInput: its status is unknown, or its validity is empty or incomplete.
    """
    status = _STATUSES.get(row.status)
    if status is None:
        raise InvalidInput(f"CA generation {row.generation} has the unknown status {quoted(row.status)}")
    begin = known_instant(row.not_before, f"notBefore of CA generation {row.generation}")
    end = known_instant(row.not_after, f"notAfter of CA generation {row.generation}")
    try:
        validity = Validity(not_before=begin, not_after=end)
    except ValueError as problem:
        raise InvalidInput(f"CA generation {row.generation}: {problem}") from None
    return AuthorityInfo(
        generation=row.generation,
        subject=row.subject,
        validity=validity,
        status=status,
        fingerprint=row.fingerprint,
    )


def cluster_row(info: ClusterInfo) -> fleet_pb2.ClusterRow:
    """One cluster as a row."""
    return fleet_pb2.ClusterRow(
        name=info.name,
        management=info.is_management,
        removed=info.is_removed,
        planned_off_until=unix(info.planned_off_until),
    )


def cluster_info(row: fleet_pb2.ClusterRow) -> ClusterInfo:
    """One cluster from its row.

    Raises:
        InvalidInput: the instant is out of range.
    """
    return ClusterInfo(
        name=row.name,
        is_management=row.management,
        is_removed=row.removed,
        planned_off_until=instant(row.planned_off_until),
    )


def _opening(delta: FleetDelta) -> fleet_pb2.FleetChunk:
    return fleet_pb2.FleetChunk(
        agent_time=delta.agent_time,
        full=delta.full,
        deployment=delta.deployment,
        deployment_id=delta.deployment_id,
        authorities=[authority_row(info) for info in delta.authorities],
        clusters=[cluster_row(info) for info in delta.clusters],
        agent_version=delta.agent_version,
    )


def _pieces(delta: FleetDelta) -> Iterator[fleet_pb2.FleetChunk]:
    for start in range(0, len(delta.removed), CHUNK_REMOVED):
        removed = delta.removed[start : start + CHUNK_REMOVED]
        yield fleet_pb2.FleetChunk(agent_time=delta.agent_time, removed=removed)
    for start in range(0, len(delta.clients), CHUNK_CLIENTS):
        yield from _clients(delta, start, min(start + CHUNK_CLIENTS, len(delta.clients)))


def _clients(delta: FleetDelta, start: int, stop: int) -> Iterator[fleet_pb2.FleetChunk]:
    """The clients from `start` to `stop`, halved until each piece is small enough: texts have no usual length."""
    slices = {name: getattr(delta.clients, name)[start:stop] for name in _TEXTS}
    used = sorted(set().union(*slices.values()))
    local = {index: position for position, index in enumerate(used)}
    columns = fleet_pb2.ClientColumns(
        **{name: [local[index] for index in indices] for name, indices in slices.items()},
        **{name: getattr(delta.clients, name)[start:stop] for name in _NUMBERS},
    )
    chunk = fleet_pb2.FleetChunk(
        agent_time=delta.agent_time, names=[delta.names[index] for index in used], clients=columns
    )
    if chunk.ByteSize() > CHUNK_BYTES and stop - start > 1:
        middle = (start + stop) // 2
        yield from _clients(delta, start, middle)
        yield from _clients(delta, middle, stop)
    else:
        yield chunk
