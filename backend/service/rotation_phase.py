"""The one way in which a CA rotation enters a phase: a row, its audit event, and the invariants afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from backend.core.rotation import ClientStanding, Event, Phase, advance
from backend.service import audit
from backend.service.caller import Caller
from backend.service.rotation_checks import require_invariants
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationRow


def enter(
    tx: Transaction,
    world: World,
    rotation: RotationRow,
    event: Event,
    now: datetime,
    *,
    outcome: str = "",
    caller: Caller | None = None,
    **detail: str,
) -> str:
    """Write the phase that an event leads to, with its audit event, and check the invariants."""
    phase = advance(Phase(rotation.phase), event)
    after = replace(
        rotation,
        phase=phase.value,
        version=rotation.version + 1,
        phase_at=now,
        proceed=False,
        outcome=outcome,
        ended_at=now if outcome else None,
    )
    tx.rotations.put(after)
    audit.record(
        tx,
        now,
        actor="agent" if caller is None else caller.name,
        origin="agent" if caller is None else caller.origin,
        action="ca_rotation",
        subject=world.deployment,
        detail={
            "rotation": rotation.id,
            "before": rotation.phase,
            "after": phase.value,
            "version": str(after.version),
            "plan_hash": rotation.plan_hash,
            **detail,
        },
    )
    require_invariants(tx, after)
    return phase.value


def is_away(standing: ClientStanding) -> bool:
    """Tell whether a client keeps the rotation from being verified."""
    return standing not in {ClientStanding.RETURNED, ClientStanding.WRITTEN_OFF}
