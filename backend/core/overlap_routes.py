"""How each client gets through a CA rotation with overlap, and how it would come back if it did not move in time.

Nobody is cut off by such a rotation as long as they move to the new CA before the old one is distrusted. Owns who can
be told to, who must be waited for, and what is left to those who miss it (moc/protocol.md 8.1 and 10).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from backend.core.blast import OUT_BECAUSE
from backend.core.canonical import canonical_hash
from backend.core.evidence import Evidence, TokenLife
from backend.core.facts import ClientFacts
from backend.core.health import assess
from backend.core.overlap import Route
from backend.core.reasons import at


@dataclass(frozen=True, slots=True, kw_only=True)
class WayThrough:
    """A route and the sentences that explain it: what happens in the rotation, and after it if it did not move."""

    route: Route
    why: str
    after: str


def way_through(facts: ClientFacts, now: datetime, *, reports: bool, is_living: bool, place: str) -> WayThrough:
    """Tell how a client gets through; `reports`: it promises heartbeats, `place`: where its login file can be put."""
    state = assess(facts, now).state
    e = Evidence(facts, now)
    if state in OUT_BECAUSE:
        return WayThrough(route=Route.OUT, why=f"It is out already: {OUT_BECAUSE[state]}.", after=_by_file(place))
    if not reports:
        return WayThrough(
            route=Route.CROSS,
            why=_carried(facts),
            after="It keeps the old root, which works until that ends; before, " + _by_file(place).lower(),
        )
    after = _by_itself(e) or _by_file(place)
    if is_living:
        return WayThrough(
            route=Route.ITSELF, why="Its heartbeats take the new root and the order to renew home.", after=after
        )
    return WayThrough(
        route=Route.SILENT, why="It used to report and does not now; it takes part when it is back.", after=after
    )


def _carried(facts: ClientFacts) -> str:
    held = facts.certificate
    until = "" if held is None else f", at the latest before {at(held.validity.not_after)}"
    return f"It cannot be told; the cross certificate carries it, and it moves when it renews by itself{until}."


def _by_itself(e: Evidence) -> str:
    """Whoever reports walks the signed bundle chain; its token then signs it in."""
    if e.token is not TokenLife.ALIVE:
        return ""
    end = "" if e.token_expires_at is None else f" until {at(e.token_expires_at)}"
    return f"It walks the signed bundle chain and signs in with its token{end}."


def _by_file(place: str) -> str:
    if place:
        return f"It needs a fresh login file, which the agent writes to {place}."
    return "It needs a fresh login file, carried by somebody."


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRoute:
    """One client of the plan."""

    number: int
    name: str
    route: Route


def overlap_plan_hash(
    *,
    kind: str,
    deployment: str,
    from_generation: int,
    to_generation: int,
    from_fingerprint: str,
    settings: Iterable[tuple[str, str]],
    clients: Iterable[PlannedRoute],
) -> str:
    """Return the hex SHA-256 that a confirmation must repeat: CA, settings, and every client with its route.

    Dates and serials are left out, as in `core.rotation.rotation_plan_hash`: somebody renews every minute.
    """
    return canonical_hash(
        {
            "kind": kind,
            "deployment": deployment,
            "from_generation": from_generation,
            "to_generation": to_generation,
            "from_fingerprint": from_fingerprint,
            "settings": sorted([list(pair) for pair in settings]),
            "clients": sorted([one.number, one.name, one.route.value] for one in clients),
        }
    )
