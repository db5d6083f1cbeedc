"""The fleet as columns, for readers that keep it; and the clusters it is made of.

Reads pages, never one client at a time and never a whole fleet: what a page costs does not depend on how many clients
there are. Judges nothing: states and severities are `backend.core.health`'s, made by whoever reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import backend
from backend.core.delta import AuthorityInfo, ClientColumns, ClusterInfo, FleetDelta, unix
from backend.core.errors import InvalidInput, NotFound
from backend.core.fleet import FleetColumns
from backend.core.model import Cluster
from backend.service import audit
from backend.service.caller import Caller
from backend.service.description import ClientDescription, describe
from backend.service.fleet_columns import columns_of_rows, sources_of
from backend.service.mirror import FleetMirror
from backend.service.world import World
from backend.store.port import Transaction

__all__ = [
    "ClientDescription",
    "Position",
    "columns_of",
    "describe",
    "put_cluster",
    "read",
    "read_page",
    "remove_cluster",
]

CHUNK: Final = 1000  # clients a page: some 10 ms of the core from rows, and 30 kB on the wire
REMOVALS: Final = 20_000
_ALL: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a reader has come; only `read_page` makes the next one.

    First come all clients: by number, as they are when their page is read, or from the agent's mirror, as they were
    when it was last whole. Then comes whatever changed since, until nothing is left. So pages may be read at any pace
    while clients sign in, and what a reader holds at the end is the fleet at one counter.
    """

    change: int  # all changes before this one have been told ...
    number: int = _ALL  # ... and of this one, those of clients up to this number
    removal: int  # all removals up to this change have been told
    listed: int | None = None  # clients up to this number have been told; None: no list is under way
    copied: int | None = None  # clients from this place of the mirror on have been told; None: none is being copied
    is_begun: bool = True
    frame: tuple[tuple[AuthorityInfo, ...], tuple[ClusterInfo, ...]] | None = None  # as last told

    @classmethod
    def after(cls, since: int) -> Position:
        """That of a reader that holds everything up to this counter; 0: of one that holds nothing."""
        return cls(change=since, removal=since, is_begun=since > 0)


def read_page(
    tx: Transaction, world: World, at: Position, limit: int = CHUNK, *, mirror: FleetMirror | None = None
) -> tuple[FleetDelta, Position]:
    """Return what follows a position, at most `limit` clients, and the position after it.

    With a `mirror` a full answer is copied from it where it can be, which is a tenth of the work.

    The first page of a full answer has `full` set; the page that completes an answer has `last` set, and the counter
    to ask with next time. A counter from the future (a restored store) is answered in full, and so is one from before
    a change that touched every client; also in the middle of an answer, which then begins anew.
    """
    now = world.clock.now()
    current = tx.changes.current()
    is_full = not at.is_begun or not tx.changes.knows(at.change)
    if is_full:
        at = _beginning(tx, current, mirror)
    if at == replace(at, change=current, number=_ALL, listed=None, copied=None):
        return _frame(tx, world, now, at), at
    if at.copied is not None and mirror is not None:
        found = _copy_on(mirror, at, at.copied, current, limit)
    elif at.listed is not None:
        found = _list_on(tx, world, at, at.listed, current, limit)
    else:
        found = _news(tx, world, at, current, limit)
    delta, after = FleetDelta(agent_time=unix(now)), found.after
    if found.is_last:
        delta, after = _closing(tx, world, now, after)
    names, clients, removed = found.names, found.clients, found.removed
    return replace(delta, full=is_full, names=names, clients=clients, removed=removed), after


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a page is made of, and where it ends."""

    names: Sequence[str]
    clients: ClientColumns
    removed: Sequence[int] = ()
    after: Position
    is_last: bool


def _beginning(tx: Transaction, current: int, mirror: FleetMirror | None) -> Position:
    change, count = (0, 0) if mirror is None else mirror.look()
    if change and tx.changes.knows(change):
        return Position(change=change, removal=change, copied=count)
    return Position(change=current, removal=current, listed=0)


def _copy_on(mirror: FleetMirror, at: Position, below: int, current: int, limit: int) -> _Found:
    names, clients, start = mirror.copy(below, limit)
    after = replace(at, copied=start or None)
    return _Found(names=names, clients=clients, after=after, is_last=not start and at.change == current)


def _list_on(tx: Transaction, world: World, at: Position, listed: int, current: int, limit: int) -> _Found:
    found = tx.fleet.page(listed, limit + 1)  # one more tells whether there is another page
    rows = found[:limit]
    after = replace(at, listed=rows[-1][0] if len(found) > limit else None)
    names, clients = columns_of_rows(sources_of(tx, rows, world.token_policy, world.clock.now()), rows)
    return _Found(names=names, clients=clients, after=after, is_last=after.listed is None and at.change == current)


def _news(tx: Transaction, world: World, at: Position, current: int, limit: int) -> _Found:
    marks, gone = tx.changes.marks(at.change, at.number, limit + 1), tx.changes.removals(at.removal, REMOVALS + 1)
    is_last = len(marks) <= limit and len(gone) <= REMOVALS
    marks, gone = marks[:limit], gone[:REMOVALS]
    if is_last:
        after = replace(at, change=current, number=_ALL, removal=current)
    else:
        change, number = marks[-1] if marks else (at.change, at.number)
        after = replace(at, change=change, number=number, removal=gone[-1][0] if gone else at.removal)
    rows = tx.fleet.rows([number for _, number in marks])
    names, clients = columns_of_rows(sources_of(tx, rows, world.token_policy, world.clock.now()), rows)
    removed = [number for _, number in gone]
    return _Found(names=names, clients=clients, removed=removed, after=after, is_last=is_last)


def read(tx: Transaction, world: World, since: int, limit: int = CHUNK) -> Sequence[FleetDelta]:
    """Return every page after the counter `since` (0: everything) as of this transaction; never empty."""
    at, pages = Position.after(since), list[FleetDelta]()
    while not pages or not pages[-1].last:
        page, at = read_page(tx, world, at, limit)
        pages.append(page)
    return pages


def columns_of(tx: Transaction, world: World, numbers: Iterable[int] | None = None) -> FleetColumns:
    """Return these clients (or all) as a reader would hold them, so that agent and screen judge the same facts."""
    columns = FleetColumns()
    now = world.clock.now()
    rows = tx.fleet.rows(None if numbers is None else list(numbers))
    names, clients = columns_of_rows(sources_of(tx, rows, world.token_policy, now), rows)
    closing, _ = _closing(tx, world, now, Position.after(0))
    columns.apply(replace(closing, full=True, names=names, clients=clients))
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


def _closing(tx: Transaction, world: World, now: datetime, at: Position) -> tuple[FleetDelta, Position]:
    """The last page of an answer that has news, but for its clients; authorities and clusters where they are new."""
    authorities = tuple(
        AuthorityInfo(
            generation=authority.generation,
            subject=authority.subject,
            validity=authority.validity,
            status=authority.status,
            fingerprint=authority.fingerprint,
        )
        for authority in tx.authorities.all()
    )
    clusters = tuple(
        ClusterInfo(
            name=cluster.name,
            is_management=cluster.is_management,
            is_removed=cluster.removed_at is not None,
            planned_off_until=cluster.planned_off_until,
        )
        for cluster in tx.clusters.all()
    )
    frame = _frame(tx, world, now, at)
    known = at.frame or ((), ())
    if authorities != known[0]:
        frame = replace(frame, authorities=authorities)
    if clusters != known[1]:
        frame = replace(frame, clusters=clusters)
    return frame, replace(at, frame=(authorities, clusters))


def _frame(tx: Transaction, world: World, now: datetime, at: Position) -> FleetDelta:
    """The last page of an answer without news."""
    rotation = tx.rotations.find_open()
    return FleetDelta(
        change=at.change,
        agent_time=unix(now),
        last=True,
        deployment=world.deployment,
        deployment_id=world.deployment_id,
        bundle_epoch=tx.bundles.current().epoch,
        agent_version=backend.__version__,
        simulated=world.simulated,
        rotation_phase="" if rotation is None else rotation.phase,
        rotation_held=rotation is not None and bool(rotation.held),
    )
