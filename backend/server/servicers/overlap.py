"""A rotation with overlap, its plan and a rehearsal as messages of mocdeck.v1 AuthorityAgent."""

from __future__ import annotations

from collections.abc import Sequence

from backend.core.overlap import Route
from backend.service.overlap_plan import OverlapPlan, PlannedThrough
from backend.service.overlap_view import OverlapClientView, OverlapView
from backend.wire.convert.instants import unix
from backend.wire.mocdeck.v1 import authority_pb2


def overlap_plan_message(
    view: OverlapPlan, checks: Sequence[authority_pb2.ReadinessCheck]
) -> authority_pb2.RotationPlan:
    """Return the plan; `checks` are its readiness table, converted."""
    return authority_pb2.RotationPlan(
        id=view.id,
        hash=view.hash,
        made_at=unix(view.made_at),
        expires_at=unix(view.expires_at),
        deployment=view.deployment,
        from_generation=view.from_generation,
        to_generation=view.to_generation,
        checks=checks,
        clients=[_planned(client) for client in view.clients],
        duration=view.duration,
        by_itself=view.by(Route.ITSELF),
        already_out=view.by(Route.OUT),
        kind=view.kind,
        by_cross=view.by(Route.CROSS),
        silent=view.by(Route.SILENT),
        automatic=view.settings.automatic,
        shadow_seconds=int(view.settings.shadow_for.total_seconds()),
        quiet_seconds=int(view.settings.quiet_for.total_seconds()),
        stop_percent=view.settings.stop_percent,
    )


def overlap_message(view: OverlapView) -> authority_pb2.Rotation:
    """Return the rotation; its level counts sum to `total`."""
    row = view.row
    return authority_pb2.Rotation(
        id=row.id,
        phase=row.phase,
        version=row.version,
        from_generation=row.from_generation,
        to_generation=row.to_generation,
        started_at=unix(row.started_at),
        phase_at=unix(row.phase_at),
        ended_at=unix(row.ended_at),
        outcome=row.outcome,
        clients=[_client(client) for client in view.clients],
        total=view.total,
        gates=[authority_pb2.Gate(test=gate.test, met=gate.met, why=gate.why) for gate in view.gates],
        actor=row.actor,
        reason=row.reason,
        deployment=view.deployment,
        agent_time=unix(view.agent_time),
        kind=row.kind,
        cause=row.cause,
        automatic=row.automatic,
        held=row.held,
        levels=[authority_pb2.LevelCount(level=level.value, count=count) for level, count in view.counts.items()],
        probes=[
            authority_pb2.ProbeCell(
                cell=probe.cell,
                expected=probe.expected,
                observed=probe.observed,
                made=probe.made,
                deviations=probe.deviations,
                last_at=unix(probe.last_at),
            )
            for probe in view.probes
        ],
        waves=[
            authority_pb2.Wave(number=wave.number, total=wave.total, moved=wave.moved, failed=wave.failed)
            for wave in view.waves
        ],
        would_fail=view.would_fail,
        epoch=view.epoch,
        next_step=view.next_step,
        way_back=view.way_back,
        rolled_back_from=row.rolled_back_from,
    )


def _planned(client: PlannedThrough) -> authority_pb2.RotationClient:
    return authority_pb2.RotationClient(
        name=client.name,
        cluster=client.cluster,
        kind=client.kind.value,
        route=client.way.route.value,
        why=client.way.why,
        after=client.way.after,
        owner=client.owner,
    )


def _client(client: OverlapClientView) -> authority_pb2.RotationClient:
    row, proof = client.row, client.evidence
    return authority_pb2.RotationClient(
        name=row.name,
        cluster=client.cluster,
        kind=client.kind.value,
        owner=client.owner,
        route=row.route,
        after=row.after,
        level=proof.level.value,
        level_at=unix(proof.at),
        level_source=proof.source,
        wave=row.wave,
        awaited=client.is_waited_for,
        waived=row.waived,
        written_off=row.written_off,
        careless=row.careless,
        generation=row.generation,
        would_fail_at=unix(row.would_fail_at),
        would_fail_from=row.would_fail_from,
        last_error=client.last_error,
    )
