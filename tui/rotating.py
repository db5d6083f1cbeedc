"""What the screen knows of a CA rotation: its plan, where it stands, and what may be told to it.

Values of the port (`tui.gateway`), frozen, their texts already inert; three kinds in one shape, as on the wire. The
levels of one with overlap are `backend.core.overlap`'s words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.overlap_gates import OverlapSettings

DEFAULT_SETTINGS: Final = OverlapSettings()


class RotationKind(Enum):
    """Which rotation; the values are the wire's."""

    OVERLAP = "overlap"
    DISRUPTIVE = "disruptive"
    COMPROMISE = "compromise"  # disruptive, at once, because the CA's key is in other hands
    REHEARSAL = "rehearsal"

    @property
    def cuts(self) -> bool:
        """Tell whether every client loses the agent at once."""
        return self in {RotationKind.DISRUPTIVE, RotationKind.COMPROMISE}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """One line of a readiness table (US-14.1)."""

    test: str
    category: str
    result: str  # ok, warn, fail
    details: str
    recommendation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationClientView:
    """One client in a CA rotation's plan or progress; from `after` on: of one with overlap only."""

    name: str
    cluster: str
    kind: str
    owner: str
    route: str  # itself, file, manual, out; with overlap: itself, cross, silent, out
    why: str
    state: str  # connected, informed, lost, returned, stuck, written off; "" in a plan
    since: datetime | None = None
    lost_at: datetime | None = None
    returned_at: datetime | None = None
    last_error: str = ""
    after: str = ""  # how it comes back if it has not moved when the old CA goes
    level: str = ""  # E0 to E5, out, written off
    level_at: datetime | None = None
    level_source: str = ""  # what produced it
    wave: int = 0
    awaited: bool = False  # the present phase waits for it
    waived: str = ""  # the reason; so is the next
    written_off: str = ""
    careless: str = ""  # what it accepted that nobody should
    generation: int = 0  # of the certificate of its last call
    would_fail_at: datetime | None = None
    would_fail_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPlanView:
    """Readiness and what becomes of every client; `by_cross` and `silent` are of a plan with overlap."""

    id: str
    hash: str
    made_at: datetime
    expires_at: datetime
    deployment: str
    from_generation: int
    to_generation: int
    checks: tuple[CheckView, ...]
    clients: tuple[RotationClientView, ...]
    duration: str
    by_itself: int
    by_file: int
    by_hand: int
    already_out: int
    kind: RotationKind = RotationKind.DISRUPTIVE
    by_cross: int = 0
    silent: int = 0
    settings: OverlapSettings = field(default_factory=OverlapSettings)
    wants_approval: bool = False  # somebody else has to approve the plan first


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """One condition for leaving a phase."""

    test: str
    met: bool
    why: str


class RotationMove(Enum):
    """What an operator may tell an open rotation: the first three to a disruptive one, the rest to one with overlap."""

    PROCEED = "proceed"
    ABORT = "abort"
    FINISH = "finish"
    ADVANCE = "advance"
    AUTOMATIC = "automatic"
    HOLD = "hold"
    ROLL_BACK = "roll back"
    WAIVE = "waive"
    WRITE_OFF = "write off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeView:
    """One cell of the trust matrix, as it was probed through real sockets."""

    cell: str
    expected: str
    observed: str
    made: int
    deviations: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveView:
    """One wave of renewals."""

    number: int
    total: int
    moved: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationView:
    """A CA rotation as the agent observes it.

    The six counts sum to `total` in a disruptive one, those of `levels` in one with overlap and in a rehearsal.
    """

    id: str
    phase: str
    version: int
    from_generation: int
    to_generation: int
    started_at: datetime
    phase_at: datetime
    ended_at: datetime | None
    outcome: str
    clients: tuple[RotationClientView, ...]
    total: int
    connected: int
    informed: int
    lost: int
    returned: int
    stuck: int
    written_off: int
    gates: tuple[GateView, ...]
    actor: str
    reason: str
    deployment: str
    agent_time: datetime
    outage_p50: timedelta | None
    outage_max: timedelta | None
    kind: RotationKind = RotationKind.DISRUPTIVE
    cause: str = ""
    automatic: bool = False
    held: str = ""  # who or what holds it, and why
    levels: tuple[tuple[str, int], ...] = ()
    probes: tuple[ProbeView, ...] = ()
    waves: tuple[WaveView, ...] = ()
    would_fail: tuple[str, ...] = ()
    epoch: int = 0
    next_step: str = ""
    way_back: str = ""
    rolled_back_from: str = ""
