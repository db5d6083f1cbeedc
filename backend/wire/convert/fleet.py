"""The fleet's columns on the wire: deltas out in chunks, chunks in as deltas.

Every chunk is complete in itself: its columns point into its own names, so a reader applies and forgets it. Columns
that go in pairs are sent as differences (fleet.proto says which), since most of those are one number for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import add, sub, xor
from typing import Final

from backend.core.delta import TEXT_COLUMNS, AuthorityInfo, ClientColumns, ClusterInfo, FleetDelta
from backend.core.errors import InvalidInput
from backend.core.lifecycle import Validity
from backend.core.limits import MESSAGE_BYTES
from backend.core.model import AuthorityStatus
from backend.wire.convert.checks import quoted
from backend.wire.convert.columns import (
    SIGNED,
    pack,
    pack_serials,
    pack_texts,
    unpack,
    unpack_serials,
    unpack_texts,
)
from backend.wire.convert.instants import instant, known_instant, unix
from backend.wire.mocdeck.v1 import fleet_pb2

FORM: Final = 2
CHUNK_CLIENTS: Final = 2000  # some 60 kB of an ordinary fleet: a few milliseconds of one core on either side
CHUNK_REMOVED: Final = 20_000
CHUNK_BYTES: Final = MESSAGE_BYTES // 2  # leaves room for the authorities and clusters of the first chunk

_COLUMNS: Final = tuple(column.name for column in fields(ClientColumns))
_UTF8: Final = 4  # bytes that a character may need
_FROM_PLACE: Final = frozenset({"number", "name"})
_FROM_OTHER: Final[Mapping[str, str]] = {
    "certificate_not_after": "certificate_not_before",
    "token_issued_at": "certificate_not_before",
    "token_expires_at": "token_issued_at",
    "heartbeat_at": "last_seen_at",
    "renew_until": "certificate_not_before",
}
_SMALL: Final = (0, 2**32 - 1)
_BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "generation": _SMALL,
    "heartbeat_interval": _SMALL,
    "skew": (-(2**31), 2**31 - 1),
    "flags": _SMALL,
}
_STATUSES: Final = {status.value: status for status in AuthorityStatus}


def fleet_request(since: int = 0) -> fleet_pb2.FleetRequest:
    """Ask for what is newer than `since`, in the form that this program reads."""
    return fleet_pb2.FleetRequest(since=since, form=FORM)


def check_form(request: fleet_pb2.FleetRequest) -> None:
    """Refuse a reader that would misread our chunks.

    Raises:
        InvalidInput: it knows another form.
    """
    if request.form != FORM:
        older = "this reader is older than the agent; update it" if request.form < FORM else "update the agent"
        raise InvalidInput(
            f"the agent sends its fleet in form {FORM}, and form {request.form or 1} was asked for: {older}"
        )


def fleet_chunks(delta: FleetDelta) -> Iterator[fleet_pb2.FleetChunk]:
    """Split a delta into messages of at most 2000 clients and half a megabyte; at least one, and in order.

    The first carries `full`, the authorities and the clusters; the last carries `change` and `last`. Removals come
    before clients. A reader that applied all of them holds what one that applied `delta` holds.
    """
    pending = _opening(delta)
    for chunk in _pieces(delta):
        if pending.removed or pending.clients.count:
            yield pending
            pending = chunk
        else:
            pending.MergeFrom(chunk)
    pending.change = delta.change if delta.last else 0
    pending.last = delta.last
    pending.bundle_epoch = delta.bundle_epoch
    pending.simulated = delta.simulated
    pending.rotation_phase = delta.rotation_phase
    pending.rotation_held = delta.rotation_held
    yield pending


def fleet_delta(chunk: fleet_pb2.FleetChunk) -> FleetDelta:
    """One chunk as core knows it; its texts are still raw.

    Raises:
        InvalidInput: it is in another form, its columns do not fit its count or point at no text, or the row of an
            authority or a cluster makes no sense.
    """
    if chunk.form != FORM:
        older = "update the agent" if chunk.form < FORM else "update this program"
        raise InvalidInput(f"the agent sent its fleet in form {chunk.form or 1}, and this reads form {FORM}: {older}")
    clients = _unpacked(chunk.clients)
    return FleetDelta(
        change=chunk.change,
        agent_time=chunk.agent_time,
        full=chunk.full,
        last=chunk.last,
        deployment=chunk.deployment,
        deployment_id=chunk.deployment_id,
        names=unpack_texts(chunk.clients.texts) if len(clients) else (),
        clients=clients,
        removed=list(chunk.removed),
        authorities=tuple(authority_info(row) for row in chunk.authorities),
        clusters=tuple(cluster_info(row) for row in chunk.clusters),
        bundle_epoch=chunk.bundle_epoch,
        agent_version=chunk.agent_version,
        simulated=chunk.simulated,
        rotation_phase=chunk.rotation_phase,
        rotation_held=chunk.rotation_held,
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
        form=FORM,
    )


def _pieces(delta: FleetDelta) -> Iterator[fleet_pb2.FleetChunk]:
    for start in range(0, len(delta.removed), CHUNK_REMOVED):
        removed = delta.removed[start : start + CHUNK_REMOVED]
        yield fleet_pb2.FleetChunk(agent_time=delta.agent_time, removed=removed, form=FORM)
    for start in range(0, len(delta.clients), CHUNK_CLIENTS):
        yield from _clients(delta, start, min(start + CHUNK_CLIENTS, len(delta.clients)))


def _clients(delta: FleetDelta, start: int, stop: int) -> Iterator[fleet_pb2.FleetChunk]:
    """The clients from `start` to `stop`, halved until each piece is small enough: texts have no usual length."""
    names, columns = _cut(delta, start, stop)
    if sum(map(len, names)) * _UTF8 > CHUNK_BYTES and stop - start > 1:
        middle = (start + stop) // 2
        yield from _clients(delta, start, middle)
        yield from _clients(delta, middle, stop)
    else:
        yield fleet_pb2.FleetChunk(agent_time=delta.agent_time, clients=_packed(names, columns), form=FORM)


def _cut(delta: FleetDelta, start: int, stop: int) -> tuple[Sequence[str], Mapping[str, Sequence[int]]]:
    """The columns from `start` to `stop`, and the texts that they point at."""
    columns = {name: getattr(delta.clients, name)[start:stop] for name in _COLUMNS}
    if stop - start == len(delta.clients):
        return delta.names, columns
    used = sorted(set().union(*(columns[name] for name in TEXT_COLUMNS)))
    local = {index: position for position, index in enumerate(used)}
    columns |= {name: [local[index] for index in columns[name]] for name in TEXT_COLUMNS}
    return [delta.names[index] for index in used], columns


def _packed(names: Sequence[str], columns: Mapping[str, Sequence[int]]) -> fleet_pb2.ClientColumns:
    count = len(columns["number"])
    packed: dict[str, fleet_pb2.Column] = {}
    for name, numbers in columns.items():
        if name in _FROM_PLACE:
            packed[name] = pack(_each(sub, numbers, range(count)))
        elif name in _FROM_OTHER:
            packed[name] = pack(_each(sub, numbers, columns[_FROM_OTHER[name]]))
        elif name == "serial_low":
            packed[name] = pack_serials(numbers)
        elif name == "used_serial_low":
            packed[name] = pack_serials(_each(xor, numbers, columns["serial_low"]))
        else:
            packed[name] = pack(numbers)
    return fleet_pb2.ClientColumns(count=count, texts=pack_texts(names), **packed)


def _unpacked(clients: fleet_pb2.ClientColumns) -> ClientColumns:
    count = clients.count
    if not count:
        return ClientColumns()
    if count > CHUNK_CLIENTS:
        raise InvalidInput(f"a chunk of {count} clients, more than the {CHUNK_CLIENTS} of one; the sender is broken")
    columns: dict[str, list[int]] = {}
    for name in _COLUMNS:
        column = getattr(clients, name)
        if name == "serial_low":
            columns[name] = unpack_serials(column, count)
        elif name == "used_serial_low":
            columns[name] = _each(xor, unpack_serials(column, count), columns["serial_low"])
        elif name in _FROM_PLACE:
            columns[name] = _each(add, unpack(column, count), range(count))
        elif name in _FROM_OTHER:
            columns[name] = _each(add, unpack(column, count), columns[_FROM_OTHER[name]])
        else:
            columns[name] = unpack(column, count, _BOUNDS.get(name, SIGNED))
    if min(columns["number"]) < 0 or max(columns["number"]) > SIGNED[1]:
        raise InvalidInput("a chunk has a client whose number cannot be one; the sender is broken")
    return ClientColumns(**columns)


def _each(operate: Callable[[int, int], int], left: Sequence[int], right: Sequence[int]) -> list[int]:
    return list(map(operate, left, right))
