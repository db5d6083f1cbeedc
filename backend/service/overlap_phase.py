"""The one way in which a rotation with overlap enters a phase, and the facts that its gates look at.

Row, statuses, bundle, the agent's own certificate and the audit event change in one transaction that ends with the
invariants (pki.md 5.2, I5); a move that breaks one is undone whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from backend.core.errors import InconsistentState
from backend.core.limits import HEARTBEAT
from backend.core.model import AuthorityStatus
from backend.core.overlap import OverlapClient, OverlapEvent, OverlapPhase, next_phase
from backend.core.overlap_gates import OverlapFacts, ProbeFacts, is_over_threshold, open_wave, overlap_gates
from backend.core.rotation import Gate
from backend.service import audit, server_certificate
from backend.service.caller import Caller
from backend.service.clock_trust import is_doubted
from backend.service.overlap_plan import settings_of
from backend.service.overlap_steps import enter_phase
from backend.service.rotation_checks import require_invariants
from backend.service.rotation_steps import find_authority
from backend.service.serving import serving_authority
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import ProbeRow, RotationRow

REFUSED_KEY: Final = "generation.refused_at"  # Unix seconds of the last call refused because of its CA
_TRUSTED: Final = {AuthorityStatus.TRUSTED, AuthorityStatus.ISSUING}


def enter(
    tx: Transaction,
    world: World,
    rotation: RotationRow,
    event: OverlapEvent,
    now: datetime,
    *,
    outcome: str = "",
    caller: Caller | None = None,
    **detail: str,
) -> str:
    """Enter the phase that an event leads to; return its name.

    Raises:
        IllegalTransition: no row of the table leads there.
        InconsistentState: a key is missing, or an invariant would not hold; nothing may be committed.
    """
    before = OverlapPhase(rotation.phase)
    phase = next_phase(before, event)
    after = replace(
        rotation,
        phase=phase.value,
        version=rotation.version + 1,
        phase_at=now,
        outcome=outcome,
        ended_at=now if outcome else None,
        rolled_back_from=before.value if event is OverlapEvent.ROLL_BACK else rotation.rolled_back_from,
    )
    tx.rotations.put(after)
    tx.rotations.intent(rotation.id, f"{after.version} {phase.value}", now)
    enter_phase(tx, world, after, phase, now)
    tx.rotations.finish(rotation.id, f"{after.version} {phase.value}", now)
    audit.record(
        tx,
        now,
        actor="agent" if caller is None else caller.name,
        origin="agent" if caller is None else caller.origin,
        action="ca_rotation",
        subject=world.deployment,
        detail={
            "rotation": rotation.id,
            "before": before.value,
            "after": phase.value,
            "version": str(after.version),
            "epoch": str(tx.bundles.current().epoch),
            "plan_hash": rotation.plan_hash,
            **detail,
        },
    )
    require_invariants(tx, after)
    require_position(tx, after)
    return phase.value


def position_fault(tx: Transaction, rotation: RotationRow) -> str:
    """Compare the phase in the row with what certificates and bundle say; "" when they agree (pki.md 5.7).

    The sentence holds both views, so that a person can decide; nothing is guessed.
    """
    phase = OverlapPhase(rotation.phase)
    statuses = {
        generation: found.status.value if (found := find_authority(tx, generation)) is not None else "missing"
        for generation in (rotation.from_generation, rotation.to_generation)
    }
    bundle = tx.bundles.current().generations
    told = (statuses[rotation.from_generation], statuses[rotation.to_generation], tuple(sorted(bundle)))
    meant = _meant(phase, rotation)
    if told in meant:
        return ""
    wanted = " or ".join(_position(*one) for one in meant)
    return f"the rotation says {phase.value}, which means {wanted}; the rows say {_position(*told)}"


def require_position(tx: Transaction, rotation: RotationRow) -> None:
    """Refuse a phase that the rows do not show.

    Raises:
        InconsistentState: with both views.
    """
    fault = position_fault(tx, rotation)
    if fault:
        raise InconsistentState(f"CA rotation {rotation.id}: {fault}; nothing was changed")


def _position(old: str, new: str, bundle: tuple[int, ...]) -> str:
    return f"old CA {old}, new CA {new}, bundle of {', '.join(f'g{one}' for one in bundle)}"


def _meant(phase: OverlapPhase, rotation: RotationRow) -> list[tuple[str, str, tuple[int, ...]]]:
    old, new = rotation.from_generation, rotation.to_generation
    issuing, trusted, staged = (
        AuthorityStatus.ISSUING.value,
        AuthorityStatus.TRUSTED.value,
        AuthorityStatus.STAGED.value,
    )
    distrusted, destroyed = AuthorityStatus.DISTRUSTED.value, AuthorityStatus.DESTROYED.value
    both, only_old, only_new = tuple(sorted((old, new))), (old,), (new,)
    match phase:
        case OverlapPhase.PLANNED | OverlapPhase.ABORTED:
            return [(issuing, state, only_old) for state in ("missing", staged, destroyed)]
        case OverlapPhase.STAGED:
            return [(issuing, staged, only_old)]
        case OverlapPhase.DISTRUSTED:
            return [(distrusted, issuing, only_new)]
        case OverlapPhase.RETIRED:
            return [(destroyed, issuing, only_new)]
        case OverlapPhase.UNTRUSTING_NEW | OverlapPhase.ROLLED_BACK:
            return [(issuing, destroyed, only_old)]
    return [(trusted, issuing, both) if phase.issues_new else (issuing, trusted, both)]


def facts_of(
    tx: Transaction, world: World, rotation: RotationRow, clients: Sequence[OverlapClient], now: datetime
) -> OverlapFacts:
    """What the gates look at, read from rows."""
    staged = find_authority(tx, rotation.to_generation)
    has_cross = tx.cross.find(rotation.from_generation, rotation.to_generation) is not None
    return OverlapFacts(
        phase=OverlapPhase(rotation.phase),
        from_generation=rotation.from_generation,
        to_generation=rotation.to_generation,
        phase_at=rotation.phase_at,
        clients=clients,
        settings=settings_of(rotation.settings, automatic=rotation.automatic),
        fitness=_fitness(tx, world, rotation, now),
        is_staged=staged is not None and has_cross,
        bundle=tx.bundles.current().generations,
        serving=serving_authority(tx).generation if server_certificate.is_of(tx, serving_authority(tx)) else 0,
        probes=probe_facts(world, rotation, tx.rotations.probes(rotation.id)),
        refused_at=_refused_at(tx),
        slowest=max((one.interval for one in clients if one.is_living and one.counts), default=HEARTBEAT),
        held=rotation.held,
        clock_doubt=is_doubted(tx),
    )


def gates_of(
    tx: Transaction, world: World, rotation: RotationRow, clients: Sequence[OverlapClient], now: datetime
) -> tuple[Gate, ...]:
    """The gates of a rotation's present phase."""
    return overlap_gates(facts_of(tx, world, rotation, clients, now), now)


def probe_facts(world: World, rotation: RotationRow, probes: Sequence[ProbeRow]) -> ProbeFacts:
    """The matrix as its cells lie; a round before the phase began says nothing of it."""
    fresh = [probe for probe in probes if probe.last_at >= rotation.phase_at]
    off = [
        f"{probe.cell}: {probe.observed}, not {probe.expected}" for probe in fresh if probe.observed != probe.expected
    ]
    return ProbeFacts(
        rounds=1 if fresh else 0,
        total=sum(probe.made for probe in probes),
        deviations=sum(probe.deviations for probe in probes),
        last_at=max((probe.last_at for probe in fresh), default=None),
        deviation="; ".join(off),
        interval=world.policy.probe_interval,
    )


def failing_wave(facts: OverlapFacts, now: datetime) -> int:
    """The open wave, when more of it failed than the stop rule allows; else 0."""
    wave = open_wave(facts)
    return wave if wave and is_over_threshold(facts, wave, now) else 0


def _fitness(tx: Transaction, world: World, rotation: RotationRow, now: datetime) -> tuple[tuple[str, str], ...]:
    staged = find_authority(tx, rotation.to_generation)
    if staged is None or rotation.phase != OverlapPhase.STAGED.value:
        return ()
    others = [one for one in tx.authorities.all() if one.generation != staged.generation]
    is_new = all(one.subject != staged.subject and one.fingerprint != staged.fingerprint for one in others)
    lasts = staged.validity.left(now) >= world.policy.client_lifetime
    return (
        ("its subject and key were never used before", "" if is_new else "another generation has the same"),
        ("it outlives the certificates it will issue", "" if lasts else f"it ends at {staged.validity.not_after}"),
        (
            "it is valid already, for clocks that are behind",
            "" if staged.validity.not_before < now else f"it begins at {staged.validity.not_before}",
        ),
    )


def _refused_at(tx: Transaction) -> datetime | None:
    noted = tx.meta.find(REFUSED_KEY)
    return datetime.fromtimestamp(int(noted), UTC) if noted and noted.isdecimal() else None
