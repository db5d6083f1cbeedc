"""What use cases get besides a transaction: the clock, the keys, the deployment's names and the policy.

A `World` is made once for a running agent (`backend.service.bootstrap.open_world`) and never changes; whatever can
change lives in rows. The exceptions are `reach`, what was last found at delivery places, `peers`, a cache that may be
emptied at any time, `rates`, which counts how often what happens, `watch`, which compares the two clocks of this
process, `mirror`, a copy of the fleet for readers that begin, and `pace` and `shown`, which keep looks at the whole
fleet of a CA rotation from taking all of the core's time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from backend.clock import Clock
from backend.core import limits
from backend.core.token_policy import TokenPolicy
from backend.service.alert_file import Sink
from backend.service.clock_watch import ClockWatch
from backend.service.delivery_file import DeliverySettings
from backend.service.mint import TokenMint
from backend.service.mirror import FleetMirror
from backend.service.pace import TICK_RESTS, Held, Pace
from backend.service.peers import PeerCache
from backend.service.rates import RateLimits, Rates
from backend.service.reach import ReachBook
from backend.service.signer import Signer

ADMIN_DIRECTORY: Final = "admin"  # in the agent's directory: where administrators' login files may lie


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an administrator may set; the durations' defaults are those of `backend.core.limits`.

    `token_overlap` is how long a rotated-away token still signs in at most; `fence_retry` is what a client is told to
    wait while issuing is fenced. `open_plans` is how many plans that were not started a caller may have: the oldest go.
    `probe_interval` is how often the trust matrix is probed in a rotation with overlap; `second_approver` asks for
    another person before one begins.
    """

    client_lifetime: timedelta = limits.CLIENT_LIFETIME
    token_lifetime: timedelta = limits.CLIENT_LIFETIME
    authority_lifetime: timedelta = limits.AUTHORITY_LIFETIME
    server_lifetime: timedelta = limits.SERVER_LIFETIME
    token_overlap: timedelta = limits.TOKEN_OVERLAP
    same_key_window: timedelta = limits.SAME_KEY_WINDOW
    plan_lifetime: timedelta = limits.PLAN_LIFETIME
    heartbeat: timedelta = limits.HEARTBEAT
    fence_retry: timedelta = timedelta(seconds=5)
    probe_interval: timedelta = limits.PROBE_INTERVAL
    second_approver: bool = False
    rates: RateLimits = field(default_factory=RateLimits)
    open_plans: int = 50

    def __post_init__(self) -> None:
        for name in ("client_lifetime", "token_lifetime", "authority_lifetime", "server_lifetime", "plan_lifetime"):
            if getattr(self, name) <= timedelta(0):
                raise ValueError(f"{name} must be longer than nothing")
        if self.token_overlap < timedelta(0) or self.same_key_window < timedelta(0):
            raise ValueError("an overlap or a window cannot be negative")
        if self.open_plans < 1:
            raise ValueError("without an open plan nothing can be confirmed")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running agent's surroundings. `port` is the data port, `auth_port` the login port (moc/protocol.md 1.1)."""

    clock: Clock
    signer: Signer
    tokens: TokenMint
    deployment: str
    deployment_id: str
    fqdns: tuple[str, ...]
    port: int
    auth_port: int
    agent_directory: Path
    canary_port: int = 0  # 0: no listener, as when use cases run without an agent
    policy: Policy = field(default_factory=Policy)
    simulated: bool = False
    sinks: tuple[Sink, ...] = ()  # who is told of alerts
    delivery: DeliverySettings = field(default_factory=DeliverySettings)  # through which clusters login files may go
    token_policy: TokenPolicy = field(default_factory=TokenPolicy)  # whose tokens are rotated besides the flag's
    reach: ReachBook = field(default_factory=ReachBook, compare=False, repr=False)
    peers: PeerCache = field(default_factory=PeerCache, compare=False, repr=False)
    rates: Rates = field(default_factory=Rates, compare=False, repr=False)
    pace: Pace = field(default_factory=lambda: Pace(TICK_RESTS), compare=False, repr=False)
    shown: Held[Any] = field(default_factory=Held, compare=False, repr=False)
    watch: ClockWatch = field(default_factory=ClockWatch, compare=False, repr=False)
    mirror: FleetMirror = field(default_factory=FleetMirror, compare=False, repr=False)
