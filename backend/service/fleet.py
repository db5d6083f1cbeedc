"""The fleet as columns, for readers that keep it; and the clusters it is made of.

Reads whole sets, never one client at a time: ten thousand rows are a handful of statements. Judges nothing: states and
severities are `backend.core.health`'s, made by whoever reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final

import backend
from backend.core.delta import AuthorityInfo, ClientColumns, ClientFlag, ClusterInfo, FleetDelta, unix
from backend.core.errors import InvalidInput
from backend.core.fleet import FleetColumns
from backend.core.model import Certificate, Cluster, Heartbeat, Identity, LastSeen, Token, TokenStanding
from backend.service import audit
from backend.service.caller import Caller
from backend.service.contact import interval_of
from backend.service.current import current_certificate, is_revoked, last_used, trusted_generations
from backend.service.description import ClientDescription, describe
from backend.service.world import World
from backend.store.port import Transaction

__all__ = ["ClientDescription", "columns_of", "describe", "is_orphan", "put_cluster", "read", "remove_cluster"]

CHUNK: Final = 2000  # clients a chunk: some 200 kB on the wire, well below the message limit
_LOW_64: Final = 2**64 - 1
_COLUMNS: Final = tuple(column.name for column in fields(ClientColumns))


def read(tx: Transaction, world: World, since: int, limit: int = CHUNK) -> Sequence[FleetDelta]:
    """Return what changed after the counter `since` (0: everything), at most `limit` clients a chunk; never empty.

    The first chunk of a full answer has `full` set, the last chunk of any answer has `last` set and the counter to ask
    with next time. A counter from the future (a restored store) is answered in full.
    """
    now = world.clock.now()
    current = tx.changes.current()
    numbers, removed = tx.changes.since(since) if 0 < since <= current else (None, ())
    is_full = numbers is None
    if not is_full and not numbers and not removed and current == since:
        return [_frame(tx, world, now, current, has_news=False)]
    sources = _gather(tx, numbers, now)
    identities = sources.identities
    parts = [identities[start : start + limit] for start in range(0, len(identities), limit)] or [[]]
    deltas = [_chunk(sources, part, now) for part in parts]
    last = _frame(tx, world, now, current, has_news=True)
    deltas[-1] = replace(last, names=deltas[-1].names, clients=deltas[-1].clients)
    deltas[0] = replace(deltas[0], full=is_full, removed=tuple(removed) if not is_full else ())
    return deltas


def columns_of(tx: Transaction, world: World, numbers: Iterable[int] | None = None) -> FleetColumns:
    """Return these clients (or all) as a reader would hold them, so that agent and screen judge the same facts."""
    now = world.clock.now()
    chosen = None if numbers is None else list(numbers)
    sources = _gather(tx, chosen, now)
    chunk = _chunk(sources, sources.identities, now)
    frame = _frame(tx, world, now, tx.changes.current(), has_news=True)
    columns = FleetColumns()
    columns.apply(replace(frame, full=True, names=chunk.names, clients=chunk.clients))
    return columns


def put_cluster(tx: Transaction, world: World, caller: Caller, cluster: Cluster) -> Cluster:
    """Make a cluster known, or change it; a removed one of that name is taken back.

    Raises:
        InvalidInput: it has no name.
    """
    if not cluster.name.strip():
        raise InvalidInput("a cluster needs a name; give the one that its clients' identities carry")
    now = world.clock.now()
    before = tx.clusters.find(cluster.name)
    cluster = replace(cluster, removed_at=None)
    if before == cluster:
        return cluster
    tx.clusters.put(cluster)
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action="put_cluster",
        subject=cluster.name,
        detail={
            "management": "yes" if cluster.is_management else "no",
            "planned_off_until": "" if cluster.planned_off_until is None else cluster.planned_off_until.isoformat(),
            "before": "" if before is None else "removed" if before.removed_at else "known",
        },
    )
    return cluster


def remove_cluster(tx: Transaction, world: World, caller: Caller, name: str) -> None:
    """Mark a cluster as gone: its identities stay, as orphans, until somebody removes them.

    Raises:
        InvalidInput: there is no such cluster.
    """
    now = world.clock.now()
    cluster = tx.clusters.find(name)
    if cluster is None:
        raise InvalidInput(f"there is no cluster {name!r}; check the name")
    if cluster.removed_at is not None:
        return
    tx.clusters.put(replace(cluster, removed_at=now))
    audit.record(tx, now, actor=caller.name, origin=caller.origin, action="remove_cluster", subject=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """The rows behind the clients of one answer, by identity number."""

    identities: Sequence[Identity]
    certificates: Mapping[int, Sequence[Certificate]]
    tokens: Mapping[int, Token]
    heartbeats: Mapping[int, Heartbeat]
    seen: Mapping[int, LastSeen]
    activities: Mapping[int, str]
    trusted: frozenset[int]
    gone: frozenset[str]  # clusters that were removed


def _gather(tx: Transaction, numbers: Iterable[int] | None, now: datetime) -> _Sources:
    identities = tx.identities.all() if numbers is None else tx.identities.some(numbers)
    certificates: dict[int, list[Certificate]] = defaultdict(list)
    for certificate in tx.certificates.for_fleet(numbers):
        certificates[certificate.identity_number].append(certificate)
    return _Sources(
        identities=identities,
        certificates=certificates,
        tokens={token.identity_number: token for token in tx.tokens.current(numbers)},
        heartbeats={beat.identity_number: beat for beat in tx.heartbeats.all(numbers)},
        seen={seen.identity_number: seen for seen in tx.seen.all(numbers)},
        activities=dict(tx.operations.activities(numbers)),
        trusted=trusted_generations(tx.authorities.all()),
        gone=frozenset(cluster.name for cluster in tx.clusters.all() if cluster.removed_at is not None),
    )


def _chunk(sources: _Sources, identities: Sequence[Identity], now: datetime) -> FleetDelta:
    names: dict[str, int] = {}
    rows = [_row(sources, identity, names, now) for identity in identities]
    columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
    return FleetDelta(agent_time=unix(now), names=tuple(names), clients=ClientColumns(**columns))


def _row(sources: _Sources, identity: Identity, names: dict[str, int], now: datetime) -> tuple[int, ...]:
    """One client's values in the order of `ClientColumns`."""
    number = identity.number
    certificates = sources.certificates.get(number, ())
    certificate = current_certificate(certificates, sources.trusted, now)
    used = last_used(certificates)
    token = sources.tokens.get(number)
    beat = sources.heartbeats.get(number)
    seen = sources.seen.get(number)
    return (
        number,
        names.setdefault(identity.name, len(names)),
        names.setdefault(identity.kind.value, len(names)),
        names.setdefault(identity.cluster, len(names)),
        names.setdefault(identity.host, len(names)),
        names.setdefault(identity.owner, len(names)),
        0 if certificate is None else unix(certificate.validity.not_before),
        0 if certificate is None else unix(certificate.validity.not_after),
        0 if certificate is None else certificate.generation,
        0 if certificate is None else certificate.serial & _LOW_64,
        0 if used is None else used.serial & _LOW_64,
        0 if token is None else unix(token.issued_at),
        0 if token is None else unix(token.expires_at),
        0 if seen is None else unix(seen.at),
        0 if beat is None else unix(beat.heard_at),
        0 if beat is None else int(interval_of(beat).total_seconds()),
        0 if beat is None else int(beat.skew.total_seconds()),
        _flags(sources, identity, certificate, token),
        unix(identity.planned_off_until),
        names.setdefault(sources.activities.get(number, ""), len(names)),
    )


def _flags(sources: _Sources, identity: Identity, certificate: Certificate | None, token: Token | None) -> int:
    flags = 0
    if identity.auto_renew is None:
        flags |= ClientFlag.AUTO_RENEW_UNKNOWN.value
    elif identity.auto_renew:
        flags |= ClientFlag.AUTO_RENEW.value
    if identity.auto_rotate:
        flags |= ClientFlag.AUTO_ROTATE.value
    if identity.revoked_at is not None:
        flags |= ClientFlag.IDENTITY_REVOKED.value
    if certificate is not None:
        if is_revoked(certificate):
            flags |= ClientFlag.CERTIFICATE_REVOKED.value
        if certificate.generation not in sources.trusted:
            flags |= ClientFlag.CERTIFICATE_UNTRUSTED.value
    if token is None:
        unknown = identity.token_standing is TokenStanding.UNKNOWN
        flags |= ClientFlag.TOKEN_UNKNOWN.value if unknown else ClientFlag.TOKEN_EMPTY.value
    if is_orphan(identity, sources.gone):
        flags |= ClientFlag.ORPHAN.value
    return flags


def is_orphan(identity: Identity, gone: frozenset[str]) -> bool:
    """Tell whether nobody owns it: its cluster was removed, or a service names no cluster at all."""
    if identity.cluster:
        return identity.cluster in gone
    return not identity.kind.is_admin_tool


def _frame(tx: Transaction, world: World, now: datetime, current: int, *, has_news: bool) -> FleetDelta:
    """Everything of an answer's last chunk but its clients."""
    rotation = tx.rotations.find_open()
    authorities = tuple(
        AuthorityInfo(
            generation=authority.generation,
            subject=authority.subject,
            validity=authority.validity,
            status=authority.status,
            fingerprint=authority.fingerprint,
        )
        for authority in (tx.authorities.all() if has_news else ())
    )
    clusters = tuple(
        ClusterInfo(
            name=cluster.name,
            is_management=cluster.is_management,
            is_removed=cluster.removed_at is not None,
            planned_off_until=cluster.planned_off_until,
        )
        for cluster in (tx.clusters.all() if has_news else ())
    )
    return FleetDelta(
        change=current,
        agent_time=unix(now),
        last=True,
        deployment=world.deployment,
        deployment_id=world.deployment_id,
        authorities=authorities,
        clusters=clusters,
        bundle_epoch=tx.bundles.current().epoch,
        agent_version=backend.__version__,
        simulated=world.simulated,
        rotation_phase="" if rotation is None else rotation.phase,
    )
