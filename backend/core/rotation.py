"""CA rotation, the disruptive one (pki.md 5.6, D0 to D6): phases, moves, gates, and where every client stands.

The only place that says which phase may follow which, and what a client counts as. Pure: making a phase true in the
world is `backend.service.rotation`'s work. The gate is evidence, never elapsed time: no timer moves a phase on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.blast import ReturnRoute, WayBack, way_back
from backend.core.canonical import canonical_hash
from backend.core.errors import IllegalTransition

__all__ = [
    "TRANSITIONS",
    "ClientStanding",
    "Event",
    "Gate",
    "Outages",
    "Phase",
    "PlannedClient",
    "ReturnRoute",
    "RotationClient",
    "RotationFacts",
    "WayBack",
    "advance",
    "count",
    "gates",
    "outages",
    "rotation_plan_hash",
    "standing",
    "uninformed",
    "way_back",
]

PATIENCE: Final = timedelta(minutes=2)  # four default heartbeats: who can come back by itself has by then
_LISTED: Final = 10  # names in one sentence; the screen lists the rest


class Phase(Enum):
    """Where a rotation stands; the values are the wire's."""

    PLANNED = "planned"  # confirmed; nothing was made yet
    STAGED = "staged"  # the new key and root exist, and the bundle with both roots travels
    FENCED = "fenced"  # nothing is issued
    CUTOVER = "cutover"  # committed: the new CA issues, the old one is distrusted
    RE_ENROLLING = "re-enrolling"  # the agent serves the new trust; clients sign in again
    VERIFIED = "verified"  # everybody is back or written off by name
    DONE = "done"
    ABORTED = "aborted"

    @property
    def is_open(self) -> bool:
        """Tell whether the rotation still goes on."""
        return self not in {Phase.DONE, Phase.ABORTED}

    @property
    def is_before_cutover(self) -> bool:
        """Tell whether nobody has lost anything yet (an aborted rotation never cut over)."""
        return self in {Phase.PLANNED, Phase.STAGED, Phase.FENCED, Phase.ABORTED}


class Event(Enum):
    """What moves a rotation."""

    STAGE = "stage"
    FENCE = "fence"
    CUT_OVER = "cut over"
    REOPEN = "reopen"
    VERIFY = "verify"
    COMPLETE = "complete"
    ABORT = "abort"


TRANSITIONS: Final[Mapping[tuple[Phase, Event], Phase]] = {
    (Phase.PLANNED, Event.STAGE): Phase.STAGED,
    (Phase.PLANNED, Event.ABORT): Phase.ABORTED,
    (Phase.STAGED, Event.FENCE): Phase.FENCED,
    (Phase.STAGED, Event.ABORT): Phase.ABORTED,
    (Phase.FENCED, Event.CUT_OVER): Phase.CUTOVER,
    (Phase.FENCED, Event.ABORT): Phase.ABORTED,
    (Phase.CUTOVER, Event.REOPEN): Phase.RE_ENROLLING,  # no ABORT: the old leaves are revoked
    (Phase.RE_ENROLLING, Event.VERIFY): Phase.VERIFIED,
    (Phase.VERIFIED, Event.COMPLETE): Phase.DONE,
}


def advance(phase: Phase, event: Event) -> Phase:
    """Return the phase that `event` leads to; raise `IllegalTransition` if the table has no such row."""
    try:
        return TRANSITIONS[phase, event]
    except KeyError:
        raise IllegalTransition(phase.value, event.value) from None


class ClientStanding(Enum):
    """What a client counts as in a running rotation; the values are the wire's."""

    CONNECTED = "connected"
    INFORMED = "informed"  # it has the new root and will come back by itself
    LOST = "lost"
    RETURNED = "returned"
    STUCK = "stuck"  # it does not come back without a person
    WRITTEN_OFF = "written off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationClient:
    """What was observed of one client. `lost_at` is its last call before the cutover, `returned_at` its first after.

    `written_off` is the reason, "" when it is not.
    """

    number: int
    name: str
    route: ReturnRoute
    informed_at: datetime | None = None
    lost_at: datetime | None = None
    returned_at: datetime | None = None
    written_off: str = ""


def standing(client: RotationClient, phase: Phase, now: datetime, *, patience: timedelta = PATIENCE) -> ClientStanding:
    """Tell what a client counts as; every client counts as exactly one thing in every phase.

    Evidence beats decision: a client that was written off and came back has returned. Whoever needs a person is stuck
    from the cutover on; the others once they have been away for longer than `patience`.
    """
    if phase.is_before_cutover:
        return _standing_before(client)
    if client.returned_at is not None:
        return ClientStanding.RETURNED
    if client.written_off:
        return ClientStanding.WRITTEN_OFF
    if client.route in {ReturnRoute.MANUAL, ReturnRoute.OUT}:
        return ClientStanding.STUCK
    if client.lost_at is not None and now - client.lost_at > patience:
        return ClientStanding.STUCK
    return ClientStanding.LOST


def _standing_before(client: RotationClient) -> ClientStanding:
    if client.written_off:
        return ClientStanding.WRITTEN_OFF
    if client.route is ReturnRoute.OUT:
        return ClientStanding.LOST
    return ClientStanding.CONNECTED if client.informed_at is None else ClientStanding.INFORMED


def count(standings: Iterable[ClientStanding]) -> dict[ClientStanding, int]:
    """Count every standing, those of nobody with 0; the values sum to the number of clients."""
    found = Counter(standings)
    return {one: found[one] for one in ClientStanding}


def uninformed(clients: Iterable[RotationClient]) -> tuple[str, ...]:
    """Name the clients that are to come back by themselves and have not taken the new root home."""
    return tuple(
        client.name
        for client in clients
        if client.route is ReturnRoute.ITSELF and client.informed_at is None and not client.written_off
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationFacts:
    """What the gates look at. `clock_doubt` says why the agent's clock is not believed; "" when it is."""

    phase: Phase
    clients: Sequence[RotationClient]
    is_staged: bool = False  # the new key and root are on the disk and passed their self-test
    is_published: bool = False  # the bundle with both roots is the present epoch
    proceed: bool = False  # the operator waits for no further client
    in_flight: int = 0  # certificates being issued
    is_serving: bool = False  # listeners have the new trust, and old connections are closed
    is_compromise: bool = False  # the old key is in other hands: nothing it vouches for may bring the new root
    clock_doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One thing that must hold before the phase is left. `is_passable`: the operator may decide not to wait for it."""

    test: str
    met: bool
    why: str
    is_passable: bool = False


def gates(facts: RotationFacts, now: datetime) -> tuple[Gate, ...]:
    """Return what must hold before the present phase is left; none once the rotation has ended."""
    if not facts.phase.is_open:
        return ()
    found = _GATES[facts.phase](facts, now)
    if facts.clock_doubt:
        found = (Gate(test="the agent's clock is believed", met=False, why=facts.clock_doubt, is_passable=True), *found)
    return found


def _planned(facts: RotationFacts, _: datetime) -> tuple[Gate, ...]:
    why = "they are stored and were tried out" if facts.is_staged else "they are being made"
    return (Gate(test="the new CA's key and root are ready", met=facts.is_staged, why=why),)


def _staged(facts: RotationFacts, _: datetime) -> tuple[Gate, ...]:
    if facts.is_compromise:
        why = "the old key is in other hands: whoever has it could send a root of its own"
        return (Gate(test="the new root travels by login files only", met=True, why=why),)
    published = "heartbeats carry it" if facts.is_published else "it is not published yet"
    waiting = uninformed(facts.clients)
    informed = "everybody who can has it" if not waiting else f"{listed(waiting)} will need another way back"
    if waiting and not facts.proceed:
        informed = f"waiting for {listed(waiting)}"
    return (
        Gate(test="the bundle with both roots is published", met=facts.is_published, why=published),
        Gate(
            test="every client that reports has the new root",
            met=not waiting or facts.proceed,
            why=informed,
            is_passable=True,
        ),
    )


def _fenced(facts: RotationFacts, _: datetime) -> tuple[Gate, ...]:
    why = f"{facts.in_flight} still in flight" if facts.in_flight else "nothing is in flight"
    return (Gate(test="no certificate is being issued", met=not facts.in_flight, why=why),)


def _cut_over(facts: RotationFacts, _: datetime) -> tuple[Gate, ...]:
    why = "old connections are closed" if facts.is_serving else "the listeners are being switched"
    return (Gate(test="the agent serves and trusts the new CA", met=facts.is_serving, why=why),)


def _re_enrolling(facts: RotationFacts, now: datetime) -> tuple[Gate, ...]:
    stands = [(client.name, standing(client, facts.phase, now)) for client in facts.clients]
    away = {
        one: [name for name, found in stands if found is one] for one in (ClientStanding.STUCK, ClientStanding.LOST)
    }
    parts = [f"{one.value}: {listed(names)}" for one, names in away.items() if names]
    why = "; ".join(parts) or "nobody is away"
    return (Gate(test="every client is back or written off by name", met=not parts, why=why),)


def _verified(facts: RotationFacts, now: datetime) -> tuple[Gate, ...]:
    counted = count(standing(client, facts.phase, now) for client in facts.clients)
    back, off = counted[ClientStanding.RETURNED], counted[ClientStanding.WRITTEN_OFF]
    total = len(facts.clients)
    why = f"{back} returned and {off} written off of {total}"
    return (Gate(test="the counts equal the plan", met=back + off == total, why=why),)


_GATES: Final = {
    Phase.PLANNED: _planned,
    Phase.STAGED: _staged,
    Phase.FENCED: _fenced,
    Phase.CUTOVER: _cut_over,
    Phase.RE_ENROLLING: _re_enrolling,
    Phase.VERIFIED: _verified,
}


def listed(names: Sequence[str]) -> str:
    """Up to ten names in order, and how many more there are."""
    shown = ", ".join(sorted(names)[:_LISTED])
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Outages:
    """How long the clients that came back were away: the median (lower of the middle two) and the longest."""

    p50: timedelta
    longest: timedelta


def outages(clients: Iterable[RotationClient]) -> Outages | None:
    """Measure the outages, each from the last good call to the first; None while nobody is back."""
    gaps = sorted(
        client.returned_at - client.lost_at
        for client in clients
        if client.returned_at is not None and client.lost_at is not None
    )
    return Outages(p50=gaps[(len(gaps) - 1) // 2], longest=gaps[-1]) if gaps else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedClient:
    """One client of a rotation plan."""

    number: int
    name: str
    way: WayBack


def rotation_plan_hash(
    *,
    deployment: str,
    from_generation: int,
    to_generation: int,
    from_fingerprint: str,
    clients: Iterable[PlannedClient],
    is_compromise: bool = False,
) -> str:
    """Return the hex SHA-256 that a confirmation of the rotation must repeat.

    It covers the CA and every client with its way back, so that enrolling, removing or stranding one asks for a new
    look. Serials and dates are left out on purpose: in a large fleet somebody renews every minute, it changes nothing
    for the rotation, and a plan that can never be confirmed protects nobody.
    """
    return canonical_hash(
        {
            "deployment": deployment,
            "is_compromise": is_compromise,
            "from_generation": from_generation,
            "to_generation": to_generation,
            "from_fingerprint": from_fingerprint,
            "clients": sorted([client.number, client.name, client.way.route.value] for client in clients),
        }
    )
