"""From the agent's messages about a CA rotation to the screen's frozen values, as `tui.received` does for the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backend.core.delta import instant
from backend.core.inert import inert
from backend.core.overlap_gates import OverlapSettings
from tui.received import SENTENCE, AnswerBroken, moment
from tui.rotating import (
    CheckView,
    GateView,
    ProbeView,
    RotationClientView,
    RotationKind,
    RotationPlanView,
    RotationView,
    WaveView,
)

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1 import authority_pb2


def _kind(word: str) -> RotationKind:
    """An agent from before there were several kinds says none."""
    try:
        return RotationKind(word or RotationKind.DISRUPTIVE.value)
    except ValueError:
        raise AnswerBroken(f"the agent speaks of a CA rotation of an unknown kind, {inert(word)}") from None


def _settings(p: authority_pb2.RotationPlan) -> OverlapSettings:
    try:
        return OverlapSettings(
            automatic=p.automatic,
            shadow_for=timedelta(seconds=p.shadow_seconds),
            quiet_for=timedelta(seconds=p.quiet_seconds),
            stop_percent=p.stop_percent,
        )
    except ValueError as error:
        raise AnswerBroken(f"the settings of the agent's plan make no sense: {error}") from error


def rotation_plan_view(p: authority_pb2.RotationPlan) -> RotationPlanView:
    """Return readiness and blast radius."""
    return RotationPlanView(
        id=inert(p.id),
        hash=inert(p.hash),
        made_at=moment(p.made_at),
        expires_at=moment(p.expires_at),
        deployment=inert(p.deployment),
        from_generation=p.from_generation,
        to_generation=p.to_generation,
        checks=tuple(
            CheckView(
                test=inert(check.test),
                category=inert(check.category),
                result=inert(check.result),
                details=inert(check.details, SENTENCE),
                recommendation=inert(check.recommendation, SENTENCE),
            )
            for check in p.checks
        ),
        clients=tuple(_rotation_client(client) for client in p.clients),
        duration=inert(p.duration, SENTENCE),
        by_itself=p.by_itself,
        by_file=p.by_file,
        by_hand=p.by_hand,
        already_out=p.already_out,
        kind=_kind(p.kind),
        by_cross=p.by_cross,
        silent=p.silent,
        settings=_settings(p),
        wants_approval=p.wants_approval,
    )


def _rotation_client(c: authority_pb2.RotationClient) -> RotationClientView:
    return RotationClientView(
        name=inert(c.name),
        cluster=inert(c.cluster),
        kind=inert(c.kind),
        owner=inert(c.owner),
        route=inert(c.route),
        why=inert(c.why, SENTENCE),
        state=inert(c.state),
        since=instant(c.since),
        lost_at=instant(c.lost_at),
        returned_at=instant(c.returned_at),
        last_error=inert(c.last_error, SENTENCE),
        after=inert(c.after, SENTENCE),
        level=inert(c.level),
        level_at=instant(c.level_at),
        level_source=inert(c.level_source, SENTENCE),
        wave=c.wave,
        awaited=c.awaited,
        waived=inert(c.waived, SENTENCE),
        written_off=inert(c.written_off, SENTENCE),
        careless=inert(c.careless, SENTENCE),
        generation=c.generation,
        would_fail_at=instant(c.would_fail_at),
        would_fail_from=inert(c.would_fail_from),
    )


def rotation_view(r: authority_pb2.Rotation) -> RotationView:
    """Return a rotation; outages are None while nobody has returned, since none can last less than a second."""
    return RotationView(
        id=inert(r.id),
        phase=inert(r.phase),
        version=r.version,
        from_generation=r.from_generation,
        to_generation=r.to_generation,
        started_at=moment(r.started_at),
        phase_at=moment(r.phase_at),
        ended_at=instant(r.ended_at),
        outcome=inert(r.outcome),
        clients=tuple(_rotation_client(client) for client in r.clients),
        total=r.total,
        connected=r.connected,
        informed=r.informed,
        lost=r.lost,
        returned=r.returned,
        stuck=r.stuck,
        written_off=r.written_off,
        gates=tuple(GateView(test=inert(g.test), met=g.met, why=inert(g.why, SENTENCE)) for g in r.gates),
        actor=inert(r.actor),
        reason=inert(r.reason, SENTENCE),
        deployment=inert(r.deployment),
        agent_time=moment(r.agent_time),
        outage_p50=_outage(r, r.outage_p50_seconds),
        outage_max=_outage(r, r.outage_max_seconds),
        kind=_kind(r.kind),
        cause=inert(r.cause),
        automatic=r.automatic,
        held=inert(r.held, SENTENCE),
        levels=tuple((inert(one.level), one.count) for one in r.levels),
        probes=tuple(_probe(one) for one in r.probes),
        waves=tuple(WaveView(number=w.number, total=w.total, moved=w.moved, failed=w.failed) for w in r.waves),
        would_fail=tuple(inert(name) for name in r.would_fail),
        epoch=r.epoch,
        next_step=inert(r.next_step, SENTENCE),
        way_back=inert(r.way_back, SENTENCE),
        rolled_back_from=inert(r.rolled_back_from),
    )


def _outage(r: authority_pb2.Rotation, seconds: int) -> timedelta | None:
    measured = r.outage_max_seconds or r.outage_p50_seconds or r.returned
    return timedelta(seconds=seconds) if measured else None


def _probe(p: authority_pb2.ProbeCell) -> ProbeView:
    return ProbeView(
        cell=inert(p.cell),
        expected=inert(p.expected),
        observed=inert(p.observed, SENTENCE),
        made=p.made,
        deviations=p.deviations,
        last_at=instant(p.last_at),
    )
