"""CA rotation with overlap (pki.md 5.3, Z0 to Z9, and 5.4, R0 to R5): phases, moves, and what a client has proved.

The only place that says which phase may follow which and on which rung of the evidence ladder a client stands. Pure:
what must hold before a phase is left is `backend.core.overlap_gates`' matter, making a phase true in the world that of
`backend.service.overlap`. No timer moves a phase: time counts only as the length of an observation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.errors import IllegalTransition


class OverlapPhase(Enum):
    """Where a rotation with overlap stands; the values are the wire's and the rows'."""

    PLANNED = "planned"  # Z1: confirmed; nothing was made yet
    STAGED = "staged"  # Z2: the new key, root and both cross certificates exist; nobody trusts them
    TRUSTED = "trusted"  # Z3: both roots are in the bundle, the old CA issues and serves
    ISSUING = "issuing"  # Z4: the new CA issues, in waves; the old one serves
    SERVING = "serving"  # Z5: the agent's own certificate is the new CA's, with the cross certificate behind it
    DRAINING = "draining"  # Z6: waiting until nobody uses a certificate of the old CA
    SHADOW = "shadow"  # Z7: every call is judged a second time as if the old CA were gone
    DISTRUSTED = "distrusted"  # Z8: the bundle holds the new root only; the old key is kept
    RETIRED = "retired"  # Z9: the old key is destroyed
    RE_TRUSTING = "re-trusting"  # R0: after distrust, both roots again
    SERVING_OLD = "serving old"  # R1
    ISSUING_OLD = "issuing old"  # R2
    REISSUING_BACK = "reissuing back"  # R3: back to certificates of the old CA, in waves
    UNTRUSTING_NEW = "untrusting new"  # R4
    ROLLED_BACK = "rolled back"  # R5
    ABORTED = "aborted"  # ended before anything was made

    @property
    def is_open(self) -> bool:
        """Tell whether the rotation still goes on."""
        return self not in {OverlapPhase.RETIRED, OverlapPhase.ROLLED_BACK, OverlapPhase.ABORTED}

    @property
    def is_rollback(self) -> bool:
        """Tell whether it is on its way back."""
        return self in _ROLLBACK

    @property
    def trusts_both(self) -> bool:
        """Tell whether both roots are in the bundle."""
        return self in _BOTH

    @property
    def issues_new(self) -> bool:
        """Tell whether the new CA issues."""
        return self in _NEW_ISSUES

    @property
    def serves_new(self) -> bool:
        """Tell whether the agent's own certificate is the new CA's."""
        return self in _NEW_SERVES


class OverlapEvent(Enum):
    """What moves a rotation with overlap."""

    STAGE = "stage"
    PUBLISH = "publish"
    ISSUE = "issue"
    SERVE = "serve"
    DRAIN = "drain"
    SHADOW = "shadow"
    FIND_STRAGGLER = "find straggler"
    DISTRUST = "distrust"
    RETIRE = "retire"
    ABORT = "abort"
    ROLL_BACK = "roll back"
    GO_BACK = "go back"  # one step of a rollback


_P = OverlapPhase
_ROLLBACK: Final = frozenset({_P.RE_TRUSTING, _P.SERVING_OLD, _P.ISSUING_OLD, _P.REISSUING_BACK, _P.UNTRUSTING_NEW})
_BOTH: Final = frozenset(
    {_P.TRUSTED, _P.ISSUING, _P.SERVING, _P.DRAINING, _P.SHADOW}
    | {_P.RE_TRUSTING, _P.SERVING_OLD, _P.ISSUING_OLD, _P.REISSUING_BACK}
)
_NEW_ISSUES: Final = frozenset(
    {_P.ISSUING, _P.SERVING, _P.DRAINING, _P.SHADOW, _P.DISTRUSTED, _P.RETIRED, _P.RE_TRUSTING, _P.SERVING_OLD}
)
_NEW_SERVES: Final = frozenset({_P.SERVING, _P.DRAINING, _P.SHADOW, _P.DISTRUSTED, _P.RETIRED, _P.RE_TRUSTING})

OVERLAP_TRANSITIONS: Final[Mapping[tuple[OverlapPhase, OverlapEvent], OverlapPhase]] = {
    (_P.PLANNED, OverlapEvent.STAGE): _P.STAGED,
    (_P.PLANNED, OverlapEvent.ABORT): _P.ABORTED,
    (_P.STAGED, OverlapEvent.PUBLISH): _P.TRUSTED,
    (_P.TRUSTED, OverlapEvent.ISSUE): _P.ISSUING,
    (_P.ISSUING, OverlapEvent.SERVE): _P.SERVING,
    (_P.SERVING, OverlapEvent.DRAIN): _P.DRAINING,
    (_P.DRAINING, OverlapEvent.SHADOW): _P.SHADOW,
    (_P.SHADOW, OverlapEvent.FIND_STRAGGLER): _P.DRAINING,
    (_P.SHADOW, OverlapEvent.DISTRUST): _P.DISTRUSTED,
    (_P.DISTRUSTED, OverlapEvent.RETIRE): _P.RETIRED,  # no way back from here: the old key is gone
    (_P.STAGED, OverlapEvent.ROLL_BACK): _P.UNTRUSTING_NEW,
    (_P.TRUSTED, OverlapEvent.ROLL_BACK): _P.UNTRUSTING_NEW,  # it has issued nothing that a client holds
    (_P.ISSUING, OverlapEvent.ROLL_BACK): _P.ISSUING_OLD,  # the old CA serves still
    (_P.SERVING, OverlapEvent.ROLL_BACK): _P.SERVING_OLD,
    (_P.DRAINING, OverlapEvent.ROLL_BACK): _P.SERVING_OLD,
    (_P.SHADOW, OverlapEvent.ROLL_BACK): _P.SERVING_OLD,
    (_P.DISTRUSTED, OverlapEvent.ROLL_BACK): _P.RE_TRUSTING,
    (_P.RE_TRUSTING, OverlapEvent.GO_BACK): _P.SERVING_OLD,
    (_P.SERVING_OLD, OverlapEvent.GO_BACK): _P.ISSUING_OLD,
    (_P.ISSUING_OLD, OverlapEvent.GO_BACK): _P.REISSUING_BACK,
    (_P.REISSUING_BACK, OverlapEvent.GO_BACK): _P.UNTRUSTING_NEW,
    (_P.UNTRUSTING_NEW, OverlapEvent.GO_BACK): _P.ROLLED_BACK,
}

_FORWARD: Final = {
    _P.PLANNED: OverlapEvent.STAGE,
    _P.STAGED: OverlapEvent.PUBLISH,
    _P.TRUSTED: OverlapEvent.ISSUE,
    _P.ISSUING: OverlapEvent.SERVE,
    _P.SERVING: OverlapEvent.DRAIN,
    _P.DRAINING: OverlapEvent.SHADOW,
    _P.SHADOW: OverlapEvent.DISTRUST,
    _P.DISTRUSTED: OverlapEvent.RETIRE,
}


def next_phase(phase: OverlapPhase, event: OverlapEvent) -> OverlapPhase:
    """Return the phase that `event` leads to; raise `IllegalTransition` if the table has no such row."""
    try:
        return OVERLAP_TRANSITIONS[phase, event]
    except KeyError:
        raise IllegalTransition(phase.value, event.value) from None


def forward_event(phase: OverlapPhase) -> OverlapEvent | None:
    """Return what moves the rotation on from a phase, on its way there or back; None once it has ended."""
    return OverlapEvent.GO_BACK if phase.is_rollback else _FORWARD.get(phase)


class Route(Enum):
    """How a client gets through a rotation with overlap; the values are the wire's."""

    ITSELF = "itself"  # its heartbeats take the new root home and the order to renew
    CROSS = "cross"  # it sends none: the cross certificate carries it, and it renews when its own time comes
    SILENT = "silent"  # it used to report and does not
    OUT = "out"  # it had no connection to lose


class Level(Enum):
    """Rungs of the evidence ladder (pki.md 4.1), what is proved and never what is claimed; then those off it."""

    SILENT = "E0"
    HEARD = "E1"  # a heartbeat or a call of late
    ACKNOWLEDGED = "E2"  # it says that it stored the bundle with the new root
    PROVED = "E3"  # it recognised the trust canary, whose certificate only the new root vouches for
    MOVED = "E4"  # it made a call with a certificate of the new generation
    READY = "E5"  # E3 and E4, and judged as if the old CA were gone without failing
    OUT = "out"
    WRITTEN_OFF = "written off"


RUNGS: Final = (Level.SILENT, Level.HEARD, Level.ACKNOWLEDGED, Level.PROVED, Level.MOVED, Level.READY)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapClient:
    """What was observed of one client of a rotation with overlap.

    `generation` is that of the certificate it last called with, at `generation_at`; `unused_generation` that of a newer
    one that no call was made with yet (0: none), which it may begin to use at any moment, until `unused_until`.
    `careless` says what it accepted that nobody should ("" when nothing), `waived` and `written_off` are reasons, ""
    when it is not. `would_fail_at` is its last call that would have failed without the old CA. `after` says how it
    would come back once it is distrusted.
    """

    number: int
    name: str
    route: Route
    is_living: bool = False
    heard_at: datetime | None = None
    interval: timedelta = timedelta(0)  # between its heartbeats; zero: it promises none
    informed_at: datetime | None = None
    proved_at: datetime | None = None
    careless: str = ""
    generation: int = 0
    generation_at: datetime | None = None
    holds_until: datetime | None = None  # end of the certificate it last called with
    unused_generation: int = 0
    unused_until: datetime | None = None
    ordered_at: datetime | None = None
    wave: int = 0
    last_error: str = ""
    waived: str = ""
    written_off: str = ""
    would_fail_at: datetime | None = None
    is_behind: bool = False  # it trusts an older root than the present one: the next CA cannot reach it
    after: str = ""

    @property
    def counts(self) -> bool:
        """Tell whether gates wait for it."""
        return not self.waived and not self.written_off and self.route is not Route.OUT

    def uses(self, generation: int, now: datetime) -> bool:
        """Tell whether it calls, or may begin to call, with a living certificate of that generation."""
        held = (self.generation, self.holds_until), (self.unused_generation, self.unused_until)
        return any(one == generation and until is not None and now <= until for one, until in held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A rung with what produced it and when."""

    level: Level
    at: datetime | None
    source: str


def evidence(client: OverlapClient, *, to_generation: int, shadow_since: datetime | None) -> Evidence:
    """Return the highest rung that is proved of a client.

    A client that accepted what nobody should accept never counts as E3 (R76). `shadow_since` is when the second
    judging of calls began, None before and on the way back.
    """
    if client.written_off:
        return Evidence(level=Level.WRITTEN_OFF, at=None, source=client.written_off)
    if client.route is Route.OUT:
        return Evidence(level=Level.OUT, at=None, source="it was out before the rotation")
    proved = client.proved_at is not None and not client.careless
    moved = client.generation == to_generation
    if proved and moved and _passed_shadow(client, shadow_since):
        return Evidence(level=Level.READY, at=client.generation_at, source="call judged without the old CA")
    if moved:
        return Evidence(level=Level.MOVED, at=client.generation_at, source="call with a certificate of the new CA")
    if proved:
        return Evidence(level=Level.PROVED, at=client.proved_at, source="trust canary")
    if client.informed_at is not None and client.is_living:
        return Evidence(level=Level.ACKNOWLEDGED, at=client.informed_at, source="heartbeat named the epoch")
    if client.is_living:
        return Evidence(level=Level.HEARD, at=client.heard_at, source="heartbeat")
    if client.route is Route.CROSS and client.heard_at is not None:
        return Evidence(level=Level.HEARD, at=client.heard_at, source="call")
    return Evidence(level=Level.SILENT, at=client.heard_at, source="nothing of late")


def _passed_shadow(client: OverlapClient, since: datetime | None) -> bool:
    if since is None or client.generation_at is None or client.generation_at <= since:
        return False  # instants are whole seconds: a call of that very second may have come before
    return client.would_fail_at is None or client.would_fail_at < since


def count_levels(levels: Iterable[Level]) -> dict[Level, int]:
    """Count every level, those of nobody with 0; the values sum to the number of clients."""
    found = Counter(levels)
    return {one: found[one] for one in Level}


WAVES: Final = (1, 10, 50, 100)  # per cent of the clients that can be told to renew, cumulative (pki.md 4.16)


def wave_of(place: int, total: int) -> int:
    """Return the wave (1 to 4) of the client at `place` (from 0) of `total` in the order of the plan.

    Each wave has at least one client while there are any left: the first is never empty.
    """
    edge = 0
    for wave, percent in enumerate(WAVES, start=1):
        edge = max(edge + 1, total * percent // 100)
        if place < edge:
            return wave
    return len(WAVES)
