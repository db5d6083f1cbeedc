"""A rotation with overlap, or a rehearsal, as it is shown: what every client has proved, gates, probes and waves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.core.model import ClientKind
from backend.core.overlap import (
    WAVES,
    Evidence,
    Level,
    OverlapClient,
    OverlapEvent,
    OverlapPhase,
    Route,
    count_levels,
    evidence,
    forward_event,
)
from backend.core.overlap_gates import OverlapFacts, open_wave, overlap_gates, waiting_for, wave_failures
from backend.core.rotation import Gate
from backend.service.overlap_clients import values_of
from backend.service.overlap_phase import facts_of
from backend.service.rehearsal import rehearsal_gates, waiting
from backend.service.serving import OVERLAP
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import OverlapClientRow, ProbeRow, RotationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapClientView:
    """One client; `is_waited_for`: the present phase does not end before it has done its part."""

    row: OverlapClientRow
    cluster: str
    kind: ClientKind
    owner: str
    evidence: Evidence
    is_waited_for: bool
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveView:
    """One wave: how many it has, how many of them have moved and how many failed."""

    number: int
    total: int
    moved: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapView:
    """A rotation with overlap in full. The counts sum to the number of clients in every phase."""

    row: RotationRow
    deployment: str
    agent_time: datetime
    clients: tuple[OverlapClientView, ...]
    counts: Mapping[Level, int]
    gates: tuple[Gate, ...]
    probes: tuple[ProbeRow, ...]
    waves: tuple[WaveView, ...]
    would_fail: tuple[str, ...]
    epoch: int
    next_step: str
    way_back: str

    @property
    def total(self) -> int:
        """How many clients it has."""
        return len(self.clients)


def overlap_view(tx: Transaction, world: World, rotation: RotationRow) -> OverlapView:
    """Return a rotation as its rows have it; observing is the tick's."""
    now = world.clock.now()
    rows = tx.rotations.overlap_clients(rotation.id)
    clients = values_of(tx, rotation, rows, now)
    is_rotation = rotation.kind == OVERLAP
    facts = facts_of(tx, world, rotation, clients, now) if is_rotation else None
    gates = rehearsal_gates(rotation, clients) if facts is None else overlap_gates(facts, now)
    awaited = {one.number for one in (waiting(clients) if facts is None else waiting_for(facts, now))}
    shadow = _shadow_since(tx, rotation) if facts is not None and facts.phase in _JUDGED else None
    proofs = [evidence(one, to_generation=rotation.to_generation, shadow_since=shadow) for one in clients]
    identities = {identity.number: identity for identity in tx.identities.all()}
    shown = []
    for row, client, proof in zip(rows, clients, proofs, strict=True):
        identity = identities.get(row.identity_number)
        shown.append(
            OverlapClientView(
                row=row,
                cluster="" if identity is None else identity.cluster,
                kind=ClientKind.OTHER if identity is None else identity.kind,
                owner="" if identity is None else identity.owner,
                evidence=proof,
                is_waited_for=rotation.ended_at is None and row.identity_number in awaited,
                last_error=client.last_error,
            )
        )
    return OverlapView(
        row=rotation,
        deployment=world.deployment,
        agent_time=now,
        clients=tuple(shown),
        counts=count_levels(proof.level for proof in proofs),
        gates=gates,
        probes=tuple(tx.rotations.probes(rotation.id)),
        waves=() if facts is None else _waves(facts, now),
        would_fail=_would_fail(clients, shadow),
        epoch=tx.bundles.current().epoch,
        next_step=_next_step(rotation, gates),
        way_back=_way_back(rotation),
    )


_JUDGED: Final = {OverlapPhase.SHADOW, OverlapPhase.DISTRUSTED, OverlapPhase.RETIRED}


def _shadow_since(tx: Transaction, rotation: RotationRow) -> datetime | None:
    """When the second judging of calls began the last time."""
    begun = [at for step, at, _ in tx.rotations.steps(rotation.id) if step.endswith(f" {OverlapPhase.SHADOW.value}")]
    return max(begun, default=None)


def _would_fail(clients: Sequence[OverlapClient], since: datetime | None) -> tuple[str, ...]:
    return tuple(
        one.name
        for one in clients
        if since is not None and one.would_fail_at is not None and one.would_fail_at >= since
    )


def _waves(facts: OverlapFacts, now: datetime) -> tuple[WaveView, ...]:
    target = facts.from_generation if facts.phase.is_rollback else facts.to_generation
    found = []
    for number in range(1, len(WAVES) + 1):
        members = [one for one in facts.clients if one.wave == number and one.counts and _is_told(one, target)]
        moved = sum(one.generation == target for one in members)
        failed = len(wave_failures(facts, number, now)) if number == open_wave(facts) else 0
        found.append(WaveView(number=number, total=len(members), moved=moved, failed=failed))
    return tuple(found)


def _is_told(one: OverlapClient, target: int) -> bool:
    """Tell whether a wave is about it: who cannot be told moves in its own time, and counts once it has."""
    return one.route is Route.ITSELF or one.generation == target


def _next_step(rotation: RotationRow, gates: Sequence[Gate]) -> str:
    """What an operator does now, or what happens without one."""
    if rotation.ended_at is not None:
        return "nothing: it has ended"
    if rotation.held:
        return "look at why it is held, mend it, then advance"
    unmet = [gate for gate in gates if not gate.met]
    if unmet:
        return f"wait until {unmet[0].test}"
    if rotation.kind != OVERLAP:
        return "wait: it ends by itself"
    event = forward_event(OverlapPhase(rotation.phase))
    if event is OverlapEvent.RETIRE:
        return f"destroy the key of CA g{rotation.from_generation}, or roll back while it is there"
    if rotation.automatic or OverlapPhase(rotation.phase).is_rollback or rotation.phase == OverlapPhase.PLANNED.value:
        return "wait: the next phase begins at the next tick"
    return "advance: every gate of this phase is met"


def _way_back(rotation: RotationRow) -> str:
    """Whether it can be rolled back now, and what that leaves."""
    if rotation.ended_at is not None:
        return "none: it has ended"
    if rotation.kind != OVERLAP:
        return "end it at any time: nothing was changed"
    phase = OverlapPhase(rotation.phase)
    if phase.is_rollback:
        return "it is on its way back"
    old, new = f"g{rotation.from_generation}", f"g{rotation.to_generation}"
    return {
        OverlapPhase.PLANNED: "abort: nothing was made yet",
        OverlapPhase.STAGED: f"roll back: the key of {new} is destroyed, no client notices",
        OverlapPhase.TRUSTED: f"roll back: {new} leaves the bundle, no client renews",
        OverlapPhase.ISSUING: f"roll back: {old} issues again, those on {new} renew once more",
        OverlapPhase.DISTRUSTED: f"roll back while the key of {old} is there: it is trusted again, then all renew",
    }.get(phase, f"roll back: {old} serves and issues again, those on {new} renew once more")
