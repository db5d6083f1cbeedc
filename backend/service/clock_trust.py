"""Whether the agent's own clock may be believed (pki.md, invariant I8).

A wall clock that jumps by more than a minute against the monotonic one stops everything that the agent does by itself:
no move of a CA rotation, no time-out, no token rotated early. It goes on when the clock jumps back, when the clients'
clocks agree with it, or when a person says so. The mark is a row, so that a restart does not wipe it out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from backend.core.model import Outcome
from backend.service import audit
from backend.service.clock_watch import JUMP, ClockWatch
from backend.service.world import World
from backend.store.port import Transaction

FROZEN_KEY: Final = "clock.frozen"  # "<Unix seconds of the look that found it> <why>"; empty: believed


def doubt(tx: Transaction, world: World) -> str:
    """Look at the clock; return why it is not believed, or "" when it is. Call on each tick."""
    watch, now = world.watch, world.clock.now()
    held = tx.meta.find(FROZEN_KEY) or ""
    jump = watch.jumped(world.clock)
    if held:
        if watch.wall is not None and abs(jump) <= JUMP:
            return _thaw(tx, world, "the clock came back")
        if _is_proven(tx, _frozen_at(held), now):
            return _thaw(tx, world, "the clients' clocks agree with it")
        return held.partition(" ")[2]
    why = _suspicion(tx, watch, jump, now)
    if not why:
        watch.believe(world.clock)
        return ""
    tx.meta.put(FROZEN_KEY, f"{int(now.timestamp())} {why}")
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="distrust_clock",
        subject=world.deployment,
        outcome=Outcome.FAILED,
        detail={"why": why},
    )
    return why


def is_doubted(tx: Transaction) -> str:
    """Return why the clock is not believed, without looking at it; "" when it is."""
    return (tx.meta.find(FROZEN_KEY) or "").partition(" ")[2]


def vouch(tx: Transaction, world: World, why: str) -> None:
    """Believe the clock as it is now, because a person said so or the agent was started anew."""
    if tx.meta.find(FROZEN_KEY):
        _thaw(tx, world, why)
    world.watch.believe(world.clock)


def _suspicion(tx: Transaction, watch: ClockWatch, jump: timedelta, now: datetime) -> str:
    if abs(jump) > JUMP:
        ahead = "ahead" if jump > timedelta(0) else "back"
        return f"the agent's clock jumped {ahead} by {abs(jump)}; check it against another computer's"
    head = tx.audit.head() if watch.wall is None else None  # the first look of this process
    if head is not None and head.at - now > JUMP:
        return f"the agent's clock says {now}, before its last recorded event of {head.at}; set it right"
    return ""


def _is_proven(tx: Transaction, since: datetime, now: datetime) -> bool:
    """Tell whether more than half of the clients heard since then have a clock within a minute of ours."""
    heard = [beat for beat in tx.heartbeats.all() if since <= beat.heard_at <= now]
    agreeing = sum(abs(beat.skew) <= JUMP for beat in heard)
    return bool(heard) and agreeing * 2 > len(heard)


def _frozen_at(held: str) -> datetime:
    return datetime.fromtimestamp(int(held.partition(" ")[0]), UTC)


def _thaw(tx: Transaction, world: World, why: str) -> str:
    now = world.clock.now()
    tx.meta.put(FROZEN_KEY, "")
    world.watch.believe(world.clock)
    audit.record(
        tx, now, actor="agent", origin="agent", action="trust_clock", subject=world.deployment, detail={"why": why}
    )
    return ""
