"""What the staged agent answers when it is asked for a rotation with overlap: core's ways through, as a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from backend.core.overlap import OverlapClient, Route, wave_of
from backend.core.overlap_gates import OverlapSettings
from backend.core.overlap_routes import PlannedRoute, WayThrough, overlap_plan_hash, way_through
from backend.core.plan import PlanFacts
from scripts.stage.fleet import AUTHORITIES, DEPLOYMENT, NOW, Seed
from tui.rotating import CheckView, RotationClientView, RotationKind, RotationPlanView

_ORDER = {Route.OUT: 0, Route.SILENT: 1, Route.CROSS: 2, Route.ITSELF: 3}


def ways_through(seeds: Sequence[Seed], facts: Mapping[str, PlanFacts], now: datetime) -> dict[str, WayThrough]:
    """Return every client's way through, by name."""
    return {
        seed.name: way_through(
            facts[seed.name].facts,
            now,
            reports=seed.beats,
            is_living=facts[seed.name].heartbeat_alive,
            place=seed.login_file,
        )
        for seed in seeds
    }


def overlap_plan_view(
    seeds: Sequence[Seed],
    ways: Mapping[str, WayThrough],
    checks: tuple[CheckView, ...],
    *,
    kind: RotationKind,
    settings: OverlapSettings,
    plan_id: str,
    now: datetime,
    lifetime: timedelta,
    wants_approval: bool,
) -> RotationPlanView:
    """Return readiness and how every client gets through."""
    routes = Counter(way.route for way in ways.values())
    waits = routes[Route.CROSS] + routes[Route.SILENT]
    ordered = sorted(seeds, key=lambda seed: (_ORDER[ways[seed.name].route], seed.cluster, seed.name))
    return RotationPlanView(
        id=plan_id,
        hash=overlap_plan_hash(
            kind=kind.value,
            deployment=DEPLOYMENT,
            from_generation=4,
            to_generation=5,
            from_fingerprint=AUTHORITIES[-1].fingerprint,
            settings=[
                ("automatic", "yes" if settings.automatic else "no"),
                ("shadow_seconds", str(int(settings.shadow_for.total_seconds()))),
                ("quiet_seconds", str(int(settings.quiet_for.total_seconds()))),
                ("stop_percent", str(settings.stop_percent)),
            ],
            clients=[
                PlannedRoute(number=number, name=seed.name, route=ways[seed.name].route)
                for number, seed in enumerate(seeds, 1)
            ],
        ),
        made_at=now,
        expires_at=now + lifetime,
        deployment=DEPLOYMENT,
        from_generation=4,
        to_generation=5,
        checks=checks,
        clients=tuple(_client(seed, ways[seed.name]) for seed in ordered),
        duration=f"about 270 s for the {routes[Route.ITSELF]} that report (nine of their slowest heartbeats, 30 s, or "
        f"the lengths of observation asked for); then it waits for {waits} that move in their own time or not at all",
        by_itself=routes[Route.ITSELF],
        by_file=0,
        by_hand=0,
        already_out=routes[Route.OUT],
        kind=kind,
        by_cross=routes[Route.CROSS],
        silent=routes[Route.SILENT],
        settings=settings,
        wants_approval=wants_approval,
    )


def _client(seed: Seed, way: WayThrough) -> RotationClientView:
    return RotationClientView(
        name=seed.name,
        cluster=seed.cluster,
        kind=seed.kind,
        owner=seed.owner,
        route=way.route.value,
        why=way.why,
        state="",
        after=way.after,
    )


def first_clients(seeds: Sequence[Seed], ways: Mapping[str, WayThrough]) -> list[OverlapClient]:
    """What was observed of every client when a rotation began; the waves are laid out in the plan's order."""
    told = [seed.name for seed in seeds if ways[seed.name].route is Route.ITSELF]
    return [
        OverlapClient(
            number=number,
            name=seed.name,
            route=ways[seed.name].route,
            is_living=ways[seed.name].route is Route.ITSELF,
            heard_at=NOW - seed.silent_for,
            generation=0 if ways[seed.name].route is Route.OUT else 4,
            generation_at=NOW - seed.silent_for,
            holds_until=None if seed.left is None else NOW + seed.left,
            wave=wave_of(told.index(seed.name), len(told)) if seed.name in told else 4,
            after=ways[seed.name].after,
        )
        for number, seed in enumerate(seeds, 1)
    ]
