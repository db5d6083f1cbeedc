"""The clients of a rotation with overlap: who takes part, and what was observed of each.

Set-based, because every tick looks at the whole fleet, and a row is written only when a fact in it changed. Whatever a
client says of itself stays a claim: an epoch is acknowledged (E2), trust is proved at the canary (E3), a certificate
counts when a call was made with it (E4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from backend.core.model import Certificate, Heartbeat, Identity, LastSeen
from backend.core.overlap import OverlapClient, OverlapPhase, Route, wave_of
from backend.service.contact import is_living, is_unheard_yet
from backend.service.overlap_plan import PlannedThrough, ways_through
from backend.service.overlap_trust import behind
from backend.service.serving import OVERLAP
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import OverlapClientRow, RotationRow

# In the shadow every call is judged a second time; once the old CA is distrusted the first judging is that one.
_JUDGED: Final = {OverlapPhase.SHADOW.value, OverlapPhase.DISTRUSTED.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The rows after a look, as `core.overlap` reads them, and what was read beside them."""

    rows: tuple[OverlapClientRow, ...]
    clients: tuple[OverlapClient, ...]
    identities: Mapping[int, Identity]
    heartbeats: Mapping[int, Heartbeat]


def first_rows(rotation_id: str, planned: Sequence[PlannedThrough]) -> list[OverlapClientRow]:
    """The rows that a rotation begins with, in the order in which their clients are told to renew.

    That order is administrators, node agents, the management cluster, then workload clusters (domain.md 16.6); the
    first wave is a hundredth of it.
    """
    ordered = sorted(planned, key=lambda one: (_rank(one), one.cluster, one.name))
    told = [one for one in ordered if one.way.route is Route.ITSELF]
    waves = {one.number: wave_of(place, len(told)) for place, one in enumerate(told)}
    return [
        OverlapClientRow(
            rotation_id=rotation_id,
            identity_number=one.number,
            name=one.name,
            route=one.way.route.value,
            after=one.way.after,
            wave=waves.get(one.number, 4),
        )
        for one in ordered
    ]


def _rank(one: PlannedThrough) -> int:
    kinds = {"Admin": 0, "Mocctl": 0, "Kvactl": 0, "NodeAgent": 1}
    return kinds.get(one.kind.value, 2 if one.kind.value in _MANAGEMENT else 3)


# What was issued and not used yet matters before a CA's leaves stop counting.
_TAKING_AWAY: Final = {OverlapPhase.DRAINING.value, OverlapPhase.SHADOW.value, OverlapPhase.REISSUING_BACK.value}
_BEFORE_SERVING: Final = {OverlapPhase.TRUSTED.value, OverlapPhase.ISSUING.value}
_MANAGEMENT: Final = frozenset({"KVA", "CAPH", "CloudOperator"})


def observe(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> Seen:
    """Fold the facts into the rows, write those that changed, and return all."""
    known = tx.rotations.overlap_clients(rotation.id)
    identities = {identity.number: identity for identity in tx.identities.all()}
    heartbeats = {beat.identity_number: beat for beat in tx.heartbeats.all()}
    last = {seen.identity_number: seen for seen in tx.seen.all()}
    shadow = rotation.phase_at if rotation.phase in _JUDGED else None
    # A rehearsal publishes nothing; an epoch of another phase is forgotten when that phase begins.
    publishes = rotation.kind == OVERLAP and OverlapPhase(rotation.phase).trusts_both
    epoch = tx.bundles.current().epoch if publishes else None
    seen = []
    for row in [*known, *_newcomers(tx, world, rotation, known, identities, now)]:
        number = row.identity_number
        identity, beat = identities.get(number), heartbeats.get(number)
        if identity is None or identity.revoked_at is not None:
            seen.append(_note_gone(row, identity))
            continue
        row = _note_call(tx, row, last.get(number), shadow)
        row = _note_route(world, row, beat, rotation, now)
        seen.append(_note_epoch(row, beat, epoch))
    before = {row.identity_number: row for row in known}
    changed = [row for row in seen if before.get(row.identity_number) != row]
    if changed:
        tx.rotations.put_overlap_clients(changed)
    clients = _values(tx, rotation, seen, heartbeats, last, now)
    return Seen(rows=tuple(seen), clients=clients, identities=identities, heartbeats=heartbeats)


def values_of(
    tx: Transaction, rotation: RotationRow, rows: Sequence[OverlapClientRow], now: datetime
) -> tuple[OverlapClient, ...]:
    """The rows as `core.overlap` reads them, with what lies beside them; folds no news into them."""
    numbers = [row.identity_number for row in rows]
    beats = {beat.identity_number: beat for beat in tx.heartbeats.all(numbers)}
    last = {seen.identity_number: seen for seen in tx.seen.all(numbers)}
    return _values(tx, rotation, rows, beats, last, now)


def _values(
    tx: Transaction,
    rotation: RotationRow,
    rows: Sequence[OverlapClientRow],
    beats: Mapping[int, Heartbeat],
    last: Mapping[int, LastSeen],
    now: datetime,
) -> tuple[OverlapClient, ...]:
    unused = _unused(tx, rotation, [row.identity_number for row in rows])
    told_by_file = [row.identity_number for row in rows if row.route == Route.CROSS.value]
    late = behind(tx, told_by_file, rotation.from_generation) if rotation.phase in _BEFORE_SERVING else frozenset()
    return tuple(
        _value(
            row,
            beats.get(row.identity_number),
            last.get(row.identity_number),
            unused.get(row.identity_number),
            row.identity_number in late,
            now,
        )
        for row in rows
    )


def _unused(tx: Transaction, rotation: RotationRow, numbers: Sequence[int]) -> Mapping[int, Certificate]:
    """The newest certificate of each client, if no call was made with it: it may be on its way, or lost.

    Read only where it decides: a client that takes it up after its CA was distrusted would be refused.
    """
    if rotation.phase not in _TAKING_AWAY:
        return {}
    newest: dict[int, Certificate] = {}
    for certificate in tx.certificates.for_fleet(numbers):  # newest first
        newest.setdefault(certificate.identity_number, certificate)
    return {number: one for number, one in newest.items() if one.first_used_at is None and one.revoked_at is None}


def _value(
    row: OverlapClientRow,
    beat: Heartbeat | None,
    last: LastSeen | None,
    unused: Certificate | None,
    is_behind: bool,
    now: datetime,
) -> OverlapClient:
    reports = beat is not None and beat.interval > timedelta(0)
    return OverlapClient(
        number=row.identity_number,
        name=row.name,
        route=Route(row.route),
        is_living=reports and is_living(beat, now),
        interval=timedelta(0) if beat is None else beat.interval,
        heard_at=beat.heard_at if beat is not None and reports else last.at if last is not None else None,
        informed_at=row.informed_at,
        proved_at=row.proved_at,
        careless=row.careless,
        generation=row.generation,
        generation_at=row.generation_at,
        holds_until=row.holds_until,
        unused_generation=0 if unused is None else unused.generation,
        unused_until=None if unused is None else unused.validity.not_after,
        ordered_at=row.ordered_at,
        wave=row.wave,
        last_error="" if beat is None else beat.last_error,
        waived=row.waived,
        written_off=row.written_off,
        would_fail_at=row.would_fail_at,
        is_behind=is_behind,
        after=row.after,
    )


def _newcomers(
    tx: Transaction,
    world: World,
    rotation: RotationRow,
    known: Iterable[OverlapClientRow],
    identities: Mapping[int, Identity],
    now: datetime,
) -> list[OverlapClientRow]:
    """Identities made since the plan: they get the present bundle and issuer, and the gates wait for them too."""
    numbers = {row.identity_number for row in known}
    joined = [one for one in identities.values() if one.number not in numbers and one.revoked_at is None]
    ways = ways_through(tx, world, joined, now) if joined else {}
    return [
        OverlapClientRow(
            rotation_id=rotation.id,
            identity_number=one.number,
            name=one.name,
            route=ways[one.number].route.value,
            after=ways[one.number].after,
            wave=4,
        )
        for one in joined
        if one.number in ways
    ]


def _note_gone(row: OverlapClientRow, identity: Identity | None) -> OverlapClientRow:
    if row.written_off:
        return row
    return replace(row, written_off=f"its identity was {'deleted' if identity is None else 'revoked'}")


def _note_call(
    tx: Transaction, row: OverlapClientRow, last: LastSeen | None, shadow: datetime | None
) -> OverlapClientRow:
    """Note which certificate its last call was made with; the rows of certificates are read only when it is another."""
    if last is None:
        return row
    if last.serial != row.serial:
        certificate = tx.certificates.find(last.serial)
        if certificate is None:
            return row
        return replace(
            row,
            serial=last.serial,
            generation=certificate.generation,
            generation_at=last.at,
            holds_until=certificate.validity.not_after,
        )
    if shadow is not None and row.generation_at is not None and row.generation_at <= shadow < last.at:
        return replace(row, generation_at=last.at)  # judged a second time from here on
    return row


def _note_route(
    world: World, row: OverlapClientRow, beat: Heartbeat | None, rotation: RotationRow, now: datetime
) -> OverlapClientRow:
    """A client that is back takes part again; one that fell silent is not waited for before its certificate matters."""
    if row.route == Route.OUT.value and (row.generation_at is None or row.generation_at < rotation.started_at):
        return row
    route = Route.CROSS
    if beat is not None and beat.interval > timedelta(0):
        heard = is_living(beat, now) or is_unheard_yet(beat, world.watch.listening_since, now)
        route = Route.ITSELF if heard else Route.SILENT
    return row if row.route == route.value else replace(row, route=route.value)


def _note_epoch(row: OverlapClientRow, beat: Heartbeat | None, epoch: int | None) -> OverlapClientRow:
    """Note that it named the present epoch."""
    if row.informed_at is not None or beat is None or beat.epoch != epoch:
        return row
    return replace(row, informed_at=beat.heard_at)
