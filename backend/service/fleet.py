"""The fleet as columns, for readers that keep it; and the clusters it is made of.

Reads whole sets, never one client at a time: ten thousand rows are a handful of statements. Judges nothing: states and
severities are `backend.core.health`'s, made by whoever reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Final

import backend
from backend.core.delta import AuthorityInfo, ClientColumns, ClientFlag, ClusterInfo, FleetDelta, unix
from backend.core.errors import InvalidInput, NotFound
from backend.core.fleet import FleetColumns
from backend.core.model import ClientKind, Cluster, RevokeReason, TokenStanding
from backend.service import audit
from backend.service.caller import Caller
from backend.service.current import counts, trusted_generations
from backend.service.description import ClientDescription, describe
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import FleetRow

__all__ = ["ClientDescription", "columns_of", "describe", "put_cluster", "read", "remove_cluster"]

CHUNK: Final = 2000  # clients a chunk: some 200 kB on the wire, well below the message limit
_ADMIN_TOOLS: Final = frozenset(kind.value for kind in ClientKind if kind.is_admin_tool)
# Plain numbers: combining flags costs a microsecond each, ten thousand times over.
_AUTO_RENEW: Final = ClientFlag.AUTO_RENEW.value
_AUTO_RENEW_UNKNOWN: Final = ClientFlag.AUTO_RENEW_UNKNOWN.value
_AUTO_ROTATE: Final = ClientFlag.AUTO_ROTATE.value
_IDENTITY_REVOKED: Final = ClientFlag.IDENTITY_REVOKED.value
_CERTIFICATE_REVOKED: Final = ClientFlag.CERTIFICATE_REVOKED.value
_CERTIFICATE_UNTRUSTED: Final = ClientFlag.CERTIFICATE_UNTRUSTED.value
_TOKEN_EMPTY: Final = ClientFlag.TOKEN_EMPTY.value
_TOKEN_UNKNOWN: Final = ClientFlag.TOKEN_UNKNOWN.value
_ORPHAN: Final = ClientFlag.ORPHAN.value
_FILE_ROUTE: Final = ClientFlag.FILE_ROUTE.value
_LOOP_BROKEN: Final = ClientFlag.LOOP_BROKEN.value
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
    rows = sources.rows
    parts = [rows[start : start + limit] for start in range(0, len(rows), limit)] or [[]]
    deltas = [_chunk(sources, part) for part in parts]
    last = _frame(tx, world, now, current, has_news=True)
    deltas[-1] = replace(last, names=deltas[-1].names, clients=deltas[-1].clients)
    deltas[0] = replace(deltas[0], full=is_full, removed=tuple(removed) if not is_full else ())
    return deltas


def columns_of(tx: Transaction, world: World, numbers: Iterable[int] | None = None) -> FleetColumns:
    """Return these clients (or all) as a reader would hold them, so that agent and screen judge the same facts."""
    now = world.clock.now()
    chosen = None if numbers is None else list(numbers)
    sources = _gather(tx, chosen, now)
    chunk = _chunk(sources, sources.rows)
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
        NotFound: there is no such cluster.
    """
    now = world.clock.now()
    cluster = tx.clusters.find(name)
    if cluster is None:
        raise NotFound(f"there is no cluster {name!r}; check the name")
    if cluster.removed_at is not None:
        return
    tx.clusters.put(replace(cluster, removed_at=now))
    audit.record(tx, now, actor=caller.name, origin=caller.origin, action="remove_cluster", subject=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """What the clients of one answer are made of; `now` in Unix seconds, `gone` are the clusters that were removed."""

    rows: Sequence[FleetRow]
    activities: Mapping[int, str]
    trusted: frozenset[int]
    gone: frozenset[str]
    now: int


def _gather(tx: Transaction, numbers: Iterable[int] | None, now: datetime) -> _Sources:
    return _Sources(
        rows=list(tx.fleet.rows(numbers)),
        activities=dict(tx.operations.activities(numbers)),
        trusted=trusted_generations(tx.authorities.all()),
        gone=frozenset(cluster.name for cluster in tx.clusters.all() if cluster.removed_at is not None),
        now=unix(now),
    )


def _chunk(sources: _Sources, part: Sequence[FleetRow]) -> FleetDelta:
    names: dict[str, int] = {}
    rows = [_row(sources, row, names) for row in part]
    columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
    return FleetDelta(agent_time=sources.now, names=tuple(names), clients=ClientColumns(**columns))


def _row(sources: _Sources, row: FleetRow, names: dict[str, int]) -> tuple[int, ...]:
    """One client's values in the order of `ClientColumns`."""
    if _uses_good(sources, row):
        serial, generation, is_revoked = row.used_serial, row.used_generation, False
        not_before, not_after = row.used_not_before, row.used_not_after
    else:  # the newest: see `backend.service.current`, which decides the same for one client
        serial, generation = row.newest_serial, row.newest_generation
        not_before, not_after = row.newest_not_before, row.newest_not_after
        is_revoked = row.newest_revoked_at is not None and row.newest_revoke_reason != RevokeReason.ROTATION.value
    return (
        row.number,
        names.setdefault(row.name, len(names)),
        names.setdefault(row.kind, len(names)),
        names.setdefault(row.cluster, len(names)),
        names.setdefault(row.host, len(names)),
        names.setdefault(row.owner, len(names)),
        not_before or 0,
        not_after or 0,
        generation or 0,
        int(serial[-16:], 16) if serial else 0,  # 16 hex digits are the low 64 bits
        int(row.used_serial[-16:], 16) if row.used_serial else 0,
        row.token_issued_at or 0,
        row.token_expires_at or 0,
        row.seen_at or 0,
        row.heartbeat_heard_at or 0,
        row.heartbeat_interval or 0,  # 0: none are promised, so none are missed; the agent itself is the witness
        row.heartbeat_skew or 0,
        _flags(sources, row, generation, is_revoked=is_revoked),
        row.planned_off_until or 0,
        names.setdefault(sources.activities.get(row.number, ""), len(names)),
        row.newest_renew_until or 0,  # of the newest: a renewal has arrived once it is issued, used or not
    )


def _uses_good(sources: _Sources, row: FleetRow) -> bool:
    if row.used_not_before is None or row.used_not_after is None:
        return False
    is_trusted, is_revoked = row.used_generation in sources.trusted, row.used_revoked_at is not None
    return counts(row.used_not_before, row.used_not_after, sources.now, is_trusted, is_revoked)


def _flags(sources: _Sources, row: FleetRow, generation: int | None, *, is_revoked: bool) -> int:
    flags = 0
    if row.auto_renew is None:
        flags |= _AUTO_RENEW_UNKNOWN
    elif row.auto_renew:
        flags |= _AUTO_RENEW
        if row.heartbeat_interval and not row.heartbeat_loop_alive:
            flags |= _LOOP_BROKEN
    if row.auto_rotate:
        flags |= _AUTO_ROTATE
    if row.revoked_at is not None:
        flags |= _IDENTITY_REVOKED
    if is_revoked:
        flags |= _CERTIFICATE_REVOKED
    if generation is not None and generation not in sources.trusted:
        flags |= _CERTIFICATE_UNTRUSTED
    if row.token_expires_at is None:
        flags |= _TOKEN_UNKNOWN if row.token_standing == TokenStanding.UNKNOWN.value else _TOKEN_EMPTY
    if _is_orphan(row, sources.gone):
        flags |= _ORPHAN
    if row.login_file_path:
        flags |= _FILE_ROUTE
    return flags


def _is_orphan(row: FleetRow, gone: frozenset[str]) -> bool:
    """Tell whether nobody owns it: its cluster was removed, or a service names no cluster at all."""
    if row.cluster:
        return row.cluster in gone
    return row.kind not in _ADMIN_TOOLS


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
