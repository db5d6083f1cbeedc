"""A rehearsal of the CA rotation: every living client meets the canary of a throwaway CA, and nothing else changes.

The throwaway key signs the canary's certificate and is forgotten at once; nothing is issued from it, nothing serves it
and no client stores its root (pki.md 4.11). What comes out is who would have blocked the rotation, and how long each
took to be seen.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from backend.core.overlap import OverlapClient, Route
from backend.core.rotation import Gate, listed
from backend.service import audit
from backend.service.caller import Caller
from backend.service.contact import interval_of
from backend.service.overlap_clients import observe
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationRow

REHEARSING: Final = "rehearsing"
REHEARSED: Final = "rehearsed"
ABORTED: Final = "aborted"
_BEATS: Final = 6  # heartbeats of the slowest client: one brings the task, one may be missed, and again with a report


def tick_rehearsal(tx: Transaction, world: World, rotation: RotationRow) -> str:
    """End the rehearsal once everybody who reports was at the canary, or had time enough for it."""
    now = world.clock.now()
    seen = observe(tx, world, rotation, now)
    missing = waiting(seen.clients)
    slowest = max((interval_of(beat) for beat in seen.heartbeats.values()), default=world.policy.heartbeat)
    if missing and now - rotation.started_at <= _BEATS * slowest:
        return ""
    return end_rehearsal(tx, world, rotation, now, REHEARSED, missing=listed([one.name for one in missing]))


def end_rehearsal(
    tx: Transaction,
    world: World,
    rotation: RotationRow,
    now: datetime,
    outcome: str,
    caller: Caller | None = None,
    **detail: str,
) -> str:
    """Write the end of a rehearsal; its rows stay, to be looked at."""
    after = replace(rotation, phase=outcome, version=rotation.version + 1, phase_at=now, outcome=outcome, ended_at=now)
    tx.rotations.put(after)
    tx.changes.touch_all()
    audit.record(
        tx,
        now,
        actor="agent" if caller is None else caller.name,
        origin="agent" if caller is None else caller.origin,
        action="rehearse_ca_rotation",
        subject=world.deployment,
        detail={"rotation": rotation.id, "before": rotation.phase, "after": outcome, **detail},
    )
    return outcome


def waiting(clients: tuple[OverlapClient, ...]) -> list[OverlapClient]:
    """Those who report and were not recognised at the canary, or accepted what nobody should."""
    return [one for one in clients if one.route is Route.ITSELF and (one.proved_at is None or one.careless)]


def rehearsal_gates(rotation: RotationRow, clients: tuple[OverlapClient, ...]) -> tuple[Gate, ...]:
    """What a rehearsal waits for; none once it has ended."""
    if rotation.ended_at is not None:
        return ()
    left = [one.name for one in waiting(clients)]
    why = f"waiting for {listed(left)}" if left else "all were"
    return (Gate(test="every client that reports was at the canary", met=not left, why=why),)
