"""Whether the CA can be rotated with overlap now, and how every client would get through (US-14). Changes nothing."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from backend.core.errors import InvalidInput
from backend.core.model import ClientKind, Identity
from backend.core.overlap import Route
from backend.core.overlap_gates import OverlapSettings
from backend.core.overlap_routes import PlannedRoute, WayThrough, overlap_plan_hash, way_through
from backend.core.rotation import listed
from backend.pki.profiles import path_length_of
from backend.pki.trust import split_bundle
from backend.service.caller import Caller
from backend.service.contact import interval_of, is_living
from backend.service.fleet import columns_of
from backend.service.overlap_trust import behind
from backend.service.rotation_checks import FAIL, OK, WARN, ReadinessCheck, check_readiness
from backend.service.serving import OVERLAP
from backend.service.ways_back import place_text
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import StoredPlan

REHEARSAL: Final = "rehearsal"
_ORDER: Final = {Route.OUT: 0, Route.SILENT: 1, Route.CROSS: 2, Route.ITSELF: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedThrough:
    """One client of the plan with its way through."""

    number: int
    name: str
    cluster: str
    kind: ClientKind
    owner: str
    way: WayThrough


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapPlan:
    """Readiness and every client's way; those who need somebody come first. `kind` is "overlap" or "rehearsal"."""

    kind: str
    hash: str
    deployment: str
    from_generation: int
    to_generation: int
    settings: OverlapSettings
    checks: tuple[ReadinessCheck, ...]
    clients: tuple[PlannedThrough, ...]
    duration: str
    made_at: datetime
    expires_at: datetime
    id: str = ""

    def by(self, route: Route) -> int:
        """How many clients go that way."""
        return sum(client.way.route is route for client in self.clients)


def plan_overlap(
    tx: Transaction, world: World, caller: Caller, settings: OverlapSettings, *, kind: str = OVERLAP
) -> OverlapPlan:
    """Say whether and how the CA could be rotated with overlap now, and keep the answer for its confirmation."""
    now = world.clock.now()
    made = replace(draft_overlap(tx, world, caller, settings, now, kind=kind), id=str(uuid.uuid4()))
    tx.plans.add(
        StoredPlan(
            id=made.id,
            kind=kind,
            hash=made.hash,
            made_at=made.made_at,
            expires_at=made.expires_at,
            actor=caller.name,
            body=json.dumps(_document(made), sort_keys=True),
        )
    )
    tx.plans.trim(caller.name, world.policy.open_plans)
    return made


def draft_overlap(
    tx: Transaction, world: World, caller: Caller, settings: OverlapSettings, now: datetime, *, kind: str
) -> OverlapPlan:
    """Make the plan from the facts of now, without keeping it."""
    issuing = tx.authorities.issuing()
    to_generation = max(authority.generation for authority in tx.authorities.all()) + 1
    identities = tx.identities.all()
    ways = ways_through(tx, world, identities, now)
    clients = [_planned(identity, ways[identity.number]) for identity in identities if identity.number in ways]
    clients.sort(key=lambda client: (_ORDER[client.way.route], client.cluster, client.name))
    return OverlapPlan(
        kind=kind,
        hash=overlap_plan_hash(
            kind=kind,
            deployment=world.deployment,
            from_generation=issuing.generation,
            to_generation=to_generation,
            from_fingerprint=issuing.fingerprint,
            settings=settings_row(settings).items(),
            clients=[PlannedRoute(number=one.number, name=one.name, route=one.way.route) for one in clients],
        ),
        deployment=world.deployment,
        from_generation=issuing.generation,
        to_generation=to_generation,
        settings=settings,
        checks=(
            *check_readiness(tx, world, caller, now),
            _silent(clients),
            _behind(tx, caller, clients, issuing.generation),
            _path_length(tx),
        ),
        clients=tuple(clients),
        duration=_duration(tx, clients, settings, now),
        made_at=now,
        expires_at=now + world.policy.plan_lifetime,
    )


def ways_through(
    tx: Transaction, world: World, identities: Iterable[Identity], now: datetime
) -> Mapping[int, WayThrough]:
    """Return how each of these identities would get through, by number; revoked ones take no part."""
    chosen = [identity for identity in identities if identity.revoked_at is None]
    numbers = [identity.number for identity in chosen]
    columns = columns_of(tx, world, numbers)
    heartbeats = {beat.identity_number: beat for beat in tx.heartbeats.all(numbers)}
    found = {}
    for identity in chosen:
        index = columns.index_of(identity.number)
        if index is None:
            continue
        beat = heartbeats.get(identity.number)
        found[identity.number] = way_through(
            columns.facts(index, now=now, agent_alive=True, agent_now=now),
            now,
            reports=beat is not None and beat.interval > timedelta(0),
            is_living=is_living(beat, now),
            place=place_text(world, identity, now),
        )
    return found


def changed_since(before: Mapping[str, Any], after: OverlapPlan) -> list[str]:
    """Name what differs between a stored plan and the same plan made now."""
    now = {client.number: client for client in after.clients}
    then = {client["number"]: client for client in before["clients"]}
    found = [f"{then[number]['name']} is gone" for number in then if number not in now]
    found += [f"{client.name} is new" for number, client in now.items() if number not in then]
    found += [
        f"{client.name} would go another way ({then[number]['route']}, now {client.way.route.value})"
        for number, client in now.items()
        if number in then and then[number]["route"] != client.way.route.value
    ]
    if before["from_generation"] != after.from_generation or before["to_generation"] != after.to_generation:
        found.append("the CA has changed")
    return found


def settings_row(settings: OverlapSettings) -> dict[str, str]:
    """The settings as a plan and a rotation's row keep them."""
    return {
        "automatic": "yes" if settings.automatic else "no",
        "shadow_seconds": str(int(settings.shadow_for.total_seconds())),
        "quiet_seconds": str(int(settings.quiet_for.total_seconds())),
        "stop_percent": str(settings.stop_percent),
    }


def settings_of(row: Mapping[str, str], *, automatic: bool | None = None) -> OverlapSettings:
    """The settings in a row; `automatic` is the rotation's present mode, if it is not the plan's any more.

    Raises:
        InvalidInput: a length or a share is out of range.
    """
    try:
        return OverlapSettings(
            automatic=row.get("automatic") == "yes" if automatic is None else automatic,
            shadow_for=timedelta(seconds=int(row.get("shadow_seconds", "0"))),
            quiet_for=timedelta(seconds=int(row.get("quiet_seconds", "0"))),
            stop_percent=int(row.get("stop_percent", "5")),
        )
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"the settings of the rotation cannot be used: {error}") from error


def _planned(identity: Identity, way: WayThrough) -> PlannedThrough:
    return PlannedThrough(
        number=identity.number,
        name=identity.name,
        cluster=identity.cluster,
        kind=identity.kind,
        owner=identity.owner,
        way=way,
    )


def _silent(clients: Iterable[PlannedThrough]) -> ReadinessCheck:
    silent = [one.name for one in clients if one.way.route is Route.SILENT]
    return ReadinessCheck(
        test="every client that used to report does",
        category="clients",
        result=WARN if silent else OK,
        details=f"{len(silent)} are silent" if silent else "all do",
        recommendation="it waits for them before it distrusts the old CA, unless you waive or write them off"
        if silent
        else "",
    )


def _behind(tx: Transaction, caller: Caller, clients: Iterable[PlannedThrough], generation: int) -> ReadinessCheck:
    """Name those whom no cross certificate would reach; the caller's own session takes roots home while it watches."""
    others = (one for one in clients if one.number != caller.identity.number)
    by_file = {one.number: one.name for one in others if one.way.route is Route.CROSS}
    late = sorted(by_file[number] for number in behind(tx, by_file, generation))
    return ReadinessCheck(
        test="every client without heartbeats trusts the present root",
        category="clients",
        result=WARN if late else OK,
        details=f"{len(late)} hold an older one from their login files: {listed(late)}" if late else "all do",
        recommendation="repair them first: no cross certificate carries them to the next CA" if late else "",
    )


def _path_length(tx: Transaction) -> ReadinessCheck:
    """A root with path length 0 forbids cross certificates (pki.md 1); ours have 1 since their first version."""
    length = path_length_of(split_bundle(tx.authorities.issuing().pem)[0])
    fits = length is None or length >= 1
    return ReadinessCheck(
        test="the present root allows a cross certificate",
        category="agent",
        result=OK if fits else FAIL,
        details="no limit" if length is None else f"path length {length}",
        recommendation="" if fits else "use the disruptive rotation: mocdeck rotate-ca plan --disruptive",
    )


def _duration(tx: Transaction, clients: Iterable[PlannedThrough], settings: OverlapSettings, now: datetime) -> str:
    """An estimate from what the clients say of themselves; unknown where the rotation waits for their own renewal."""
    counts = Counter(client.way.route for client in clients)
    intervals = [interval_of(beat) for beat in tx.heartbeats.all() if is_living(beat, now)]
    waits = counts[Route.CROSS] + counts[Route.SILENT]
    rest = f"; then it waits for {waits} that move in their own time or not at all" if waits else ""
    if not counts[Route.ITSELF] or not intervals:
        return f"unknown: no client reports{rest}"
    slowest = max(intervals)
    observed = max(settings.shadow_for, slowest) + 2 * max(settings.quiet_for, slowest)
    # Root, canary, and one order in each of four waves: each is one heartbeat of the slowest client.
    seconds = int((6 * slowest + observed).total_seconds())
    return (
        f"about {seconds} s for the {counts[Route.ITSELF]} that report (nine of their slowest heartbeats, "
        f"{int(slowest.total_seconds())} s, or the lengths of observation asked for){rest}"
    )


def _document(made: OverlapPlan) -> dict[str, Any]:
    return {
        "kind": made.kind,
        "deployment": made.deployment,
        "from_generation": made.from_generation,
        "to_generation": made.to_generation,
        "duration": made.duration,
        "settings": settings_row(made.settings),
        "checks": [[check.test, check.result, check.details] for check in made.checks],
        "clients": [
            {
                "number": client.number,
                "name": client.name,
                "route": client.way.route.value,
                "why": client.way.why,
                "after": client.way.after,
            }
            for client in made.clients
        ],
    }
