"""D0: whether the CA can be rotated now, and what that would do to every client, by name (US-14). Changes nothing."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from backend.core.blast import ReturnRoute
from backend.core.model import ClientKind, Identity
from backend.core.rotation import PlannedClient, rotation_plan_hash
from backend.service.caller import Caller
from backend.service.contact import interval_of, is_living
from backend.service.rotation_checks import ReadinessCheck, check_readiness
from backend.service.ways_back import ways_back
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import StoredPlan

ROTATION: Final = "rotation"
COMPROMISE: Final = "compromise"
_ORDER = {ReturnRoute.OUT: 0, ReturnRoute.MANUAL: 1, ReturnRoute.FILE: 2, ReturnRoute.ITSELF: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedReturn:
    """One client of the plan with its way back."""

    number: int
    name: str
    cluster: str
    kind: ClientKind
    owner: str
    route: ReturnRoute
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPlanView:
    """Readiness and blast radius; those who cannot return come first. `duration` is an estimate with its basis.

    `id`, `made_at` and `expires_at` are those of the stored plan.
    """

    hash: str
    deployment: str
    from_generation: int
    to_generation: int
    checks: tuple[ReadinessCheck, ...]
    clients: tuple[PlannedReturn, ...]
    duration: str
    made_at: datetime
    expires_at: datetime
    kind: str = ROTATION
    id: str = ""

    def by(self, route: ReturnRoute) -> int:
        """How many clients return by that route."""
        return sum(client.route is route for client in self.clients)


def plan_rotation(tx: Transaction, world: World, caller: Caller, *, kind: str = ROTATION) -> RotationPlanView:
    """Say whether and how the CA could be rotated by this caller now, and keep the answer for its confirmation.

    `kind` is "rotation", or "compromise" when the CA's key is in other hands.
    """
    now = world.clock.now()
    made = replace(draft_rotation(tx, world, caller, now, kind=kind), id=str(uuid.uuid4()))
    stored = StoredPlan(
        id=made.id,
        kind=kind,
        hash=made.hash,
        made_at=made.made_at,
        expires_at=made.expires_at,
        actor=caller.name,
        body=json.dumps(_document(made), sort_keys=True),
    )
    tx.plans.add(stored)
    tx.plans.trim(caller.name, world.policy.open_plans)
    return made


def draft_rotation(
    tx: Transaction, world: World, caller: Caller, now: datetime, *, kind: str = ROTATION
) -> RotationPlanView:
    """Make the plan from the facts of now, without keeping it."""
    issuing = tx.authorities.issuing()
    to_generation = max(authority.generation for authority in tx.authorities.all()) + 1
    identities = tx.identities.all()
    ways = ways_back(tx, world, identities, now, is_compromise=kind == COMPROMISE)
    clients = [_returning(identity, ways[identity.number].route, ways[identity.number].why) for identity in identities]
    clients.sort(key=lambda client: (_ORDER[client.route], client.cluster, client.name))
    planned = [PlannedClient(number=one.number, name=one.name, way=ways[one.number]) for one in clients]
    return RotationPlanView(
        hash=rotation_plan_hash(
            deployment=world.deployment,
            is_compromise=kind == COMPROMISE,
            from_generation=issuing.generation,
            to_generation=to_generation,
            from_fingerprint=issuing.fingerprint,
            clients=planned,
        ),
        deployment=world.deployment,
        from_generation=issuing.generation,
        to_generation=to_generation,
        checks=check_readiness(tx, world, caller, now),
        clients=tuple(clients),
        duration=_duration(tx, clients, now),
        made_at=now,
        expires_at=now + world.policy.plan_lifetime,
        kind=kind,
    )


def what_changed(before: Mapping[str, Any], after: RotationPlanView) -> list[str]:
    """Name what differs between a stored plan and the same plan made now."""
    now = {client.number: client for client in after.clients}
    then = {client["number"]: client for client in before["clients"]}
    found = [f"{then[number]['name']} is gone" for number in then if number not in now]
    found += [f"{client.name} is new" for number, client in now.items() if number not in then]
    found += [
        f"{client.name} would come back by another way ({then[number]['route']}, now {client.route.value})"
        for number, client in now.items()
        if number in then and then[number]["route"] != client.route.value
    ]
    if before["from_generation"] != after.from_generation or before["to_generation"] != after.to_generation:
        found.append("the CA has changed")
    return found


def _returning(identity: Identity, route: ReturnRoute, why: str) -> PlannedReturn:
    return PlannedReturn(
        number=identity.number,
        name=identity.name,
        cluster=identity.cluster,
        kind=identity.kind,
        owner=identity.owner,
        route=route,
        why=why,
    )


def _duration(tx: Transaction, clients: Sequence[PlannedReturn], now: datetime) -> str:
    """An estimate from what the clients say of themselves; unknown where a person is needed, and never zero."""
    counts = Counter(client.route for client in clients)
    intervals = [interval_of(beat) for beat in tx.heartbeats.all() if is_living(beat, now)]
    if not counts[ReturnRoute.ITSELF] or not intervals:
        return "unknown: no client that reports would come back by itself"
    slowest = max(intervals)
    # One heartbeat takes the new root home; after the cutover the next one fails and the sign-in follows at once.
    seconds = int((2 * slowest + timedelta(seconds=5)).total_seconds())
    basis = f"about {seconds} s for the {counts[ReturnRoute.ITSELF]} that come back by themselves"
    basis += f" (two of their slowest heartbeats, {int(slowest.total_seconds())} s)"
    rest = counts[ReturnRoute.FILE] + counts[ReturnRoute.MANUAL]
    return f"{basis}; unknown for the {rest} that need a login file" if rest else basis


def _document(made: RotationPlanView) -> dict[str, Any]:
    return {
        "deployment": made.deployment,
        "from_generation": made.from_generation,
        "to_generation": made.to_generation,
        "duration": made.duration,
        "checks": [[check.test, check.result, check.details] for check in made.checks],
        "clients": [
            {"number": client.number, "name": client.name, "route": client.route.value, "why": client.why}
            for client in made.clients
        ],
    }
