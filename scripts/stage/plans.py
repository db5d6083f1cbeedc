"""What the staged agent answers when it is asked what would happen: core's decisions as the screen's values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from backend.core.blast import ReturnRoute, WayBack
from backend.core.plan import Decision, PlanDraft
from backend.core.rotation import PlannedClient, rotation_plan_hash
from scripts.stage.fleet import AUTHORITIES, DEPLOYMENT, Seed
from tui.gateway import OperationTargetView, OperationView, PlanTargetView, PlanView
from tui.rotating import CheckView, RotationClientView, RotationPlanView


def plan_view(draft: PlanDraft, plan_id: str, now: datetime, lifetime: timedelta) -> PlanView:
    """Return a stored plan."""
    return PlanView(
        id=plan_id,
        action=draft.action,
        hash=draft.hash,
        made_at=now,
        expires_at=now + lifetime,
        targets=tuple(_target(decision) for decision in draft.decisions),
        warnings=draft.warnings,
        runs=draft.runs,
        parallel=draft.parallel,
        force=draft.force,
        reason=draft.reason,
    )


def _target(d: Decision) -> PlanTargetView:
    return PlanTargetView(
        name=d.name,
        number=d.number,
        cluster=d.cluster,
        kind=d.kind.value,
        runs=d.runs,
        why=d.why,
        route=d.route.value,
        steps=d.steps,
        certificate_now=d.certificate_now,
        certificate_then=d.certificate_then,
        token_now=d.token_now,
        token_then=d.token_then,
        downtime=d.downtime,
    )


def waiting_operation(plan: PlanView, operation_id: str, now: datetime) -> OperationView:
    """Return an operation that has just been started; its counts are still to be made."""
    return OperationView(
        id=operation_id,
        action=plan.action,
        state="running",
        actor="ops-anna",
        started_at=now,
        ended_at=None,
        targets=tuple(_waiting(target) for target in plan.targets if target.number),
        total=0,
        done=0,
        failed=0,
        running=0,
        waiting=0,
        skipped=0,
        reason=plan.reason,
    )


def _waiting(target: PlanTargetView) -> OperationTargetView:
    return OperationTargetView(
        name=target.name,
        state="waiting" if target.runs else "skipped",
        step="",
        result="" if target.runs else target.why,
        old_serial=f"5f2a91c077de{target.number:04x}" if target.certificate_now else "",
        new_serial="",
        started_at=None,
        ended_at=None,
        route=target.route,
    )


def rotation_plan_view(
    seeds: Sequence[Seed],
    ways: Mapping[str, WayBack],
    checks: tuple[CheckView, ...],
    plan_id: str,
    now: datetime,
    lifetime: timedelta,
) -> RotationPlanView:
    """Return readiness and blast radius."""
    routes = Counter(way.route for way in ways.values())
    rest = routes[ReturnRoute.FILE] + routes[ReturnRoute.MANUAL]
    planned = [PlannedClient(number=n, name=seed.name, way=ways[seed.name]) for n, seed in enumerate(seeds, 1)]
    return RotationPlanView(
        id=plan_id,
        hash=rotation_plan_hash(
            deployment=DEPLOYMENT,
            from_generation=4,
            to_generation=5,
            from_fingerprint=AUTHORITIES[-1].fingerprint,
            clients=planned,
        ),
        made_at=now,
        expires_at=now + lifetime,
        deployment=DEPLOYMENT,
        from_generation=4,
        to_generation=5,
        checks=checks,
        clients=tuple(_returning(seed, ways[seed.name]) for seed in seeds),
        duration=f"about 65 s for the {routes[ReturnRoute.ITSELF]} that come back by themselves (two of their "
        f"slowest heartbeats, 30 s); unknown for the {rest} that need a login file",
        by_itself=routes[ReturnRoute.ITSELF],
        by_file=routes[ReturnRoute.FILE],
        by_hand=routes[ReturnRoute.MANUAL],
        already_out=routes[ReturnRoute.OUT],
    )


def _returning(seed: Seed, way: WayBack) -> RotationClientView:
    return RotationClientView(
        name=seed.name,
        cluster=seed.cluster,
        kind=seed.kind,
        owner=seed.owner,
        route=way.route.value,
        why=way.why,
        state="",
    )
