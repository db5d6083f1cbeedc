"""From the agent's messages to the screen's frozen values: every text inert, every instant aware or None.

Pure. The one place in `tui` that knows the fields of mocdeck.v1; a screen never sees a protobuf message.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from backend.core.delta import EPOCH, instant
from backend.core.errors import AgentError
from backend.core.inert import inert
from backend.core.plan import ActionKind
from tui.gateway import (
    AlertLine,
    AlertsView,
    CertificateView,
    ClientDetail,
    EventView,
    HeartbeatView,
    OperationTargetView,
    OperationView,
    PlanTargetView,
    PlanView,
    SilenceView,
    SinkView,
    TokenRotationView,
    TokenView,
)

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1 import alert_pb2, fleet_pb2, operation_pb2

SENTENCE: Final = 500  # characters of a reason, an error or a recommendation
_ACTIONS: Final = {  # operation.proto
    1: ActionKind.RENEW,
    2: ActionKind.ROTATE_TOKEN,
    3: ActionKind.REPAIR,
    4: ActionKind.UPDATE,
}


class AnswerBroken(AgentError):
    """The agent's answer contradicts itself; it is of another version, or broken."""

    reason = "answer_broken"


def moment(seconds: int) -> datetime:
    """Return an instant that must be there; the epoch stands for one that was not sent."""
    return instant(seconds) or EPOCH


def _texts(values: Iterable[str], limit: int = SENTENCE) -> tuple[str, ...]:
    return tuple(inert(value, limit) for value in values)


def _action(number: int) -> ActionKind:
    try:
        return _ACTIONS[number]
    except KeyError:
        raise AnswerBroken(f"the agent speaks of an action that this program does not know ({number})") from None


def detail_view(d: fleet_pb2.Description) -> ClientDetail:
    """Return one client in full; its roles, tags and history as they came."""
    return ClientDetail(
        name=inert(d.name),
        id=inert(d.id),
        number=d.number,
        kind=inert(d.kind),
        client_type=inert(d.client_type),
        cluster=inert(d.cluster),
        host=inert(d.host),
        owner=inert(d.owner),
        location=inert(d.location),
        roles=_texts(d.roles),
        login_file_path=inert(d.login_file_path, SENTENCE),
        token_lifetime=timedelta(seconds=d.token_lifetime_seconds),
        created_at=moment(d.created_at),
        revoked_at=instant(d.revoked_at),
        revoked_by=inert(d.revoked_by),
        certificates=tuple(_certificate(c) for c in d.certificates),
        tokens=tuple(_token(t) for t in d.tokens),
        last_seen_at=instant(d.last_seen_at),
        last_seen_from=inert(d.last_seen_from),
        last_seen_serial=inert(d.last_seen_serial),
        heartbeat=_heartbeat(d.heartbeat) if d.HasField("heartbeat") else None,
        history=tuple(event_view(record) for record in d.history),
        delivery_route=inert(d.delivery_route),
        places=tuple(_place(place) for place in d.places),
        tags=tuple(sorted((inert(name), inert(value)) for name, value in d.tags.items())),
        rotation=_token_rotation(d.token_rotation) if d.token_rotation.by else None,
    )


def _token_rotation(r: fleet_pb2.TokenRotation) -> TokenRotationView:
    return TokenRotationView(
        by=inert(r.by),
        rule=inert(r.rule),
        due_at=instant(r.due_at),
        overlap=timedelta(seconds=r.overlap_seconds),
        fault=inert(r.fault, SENTENCE),
        fault_since=instant(r.fault_since),
    )


def _certificate(c: fleet_pb2.CertificateRecord) -> CertificateView:
    return CertificateView(
        serial=inert(c.serial),
        generation=c.generation,
        issuer=inert(c.issuer),
        not_before=moment(c.not_before),
        not_after=moment(c.not_after),
        fingerprint=inert(c.fingerprint),
        issued_at=moment(c.issued_at),
        renew_from=instant(c.renew_from),
        renew_until=instant(c.renew_until),
        first_used_at=instant(c.first_used_at),
        last_used_at=instant(c.last_used_at),
        revoked_at=instant(c.revoked_at),
        revoke_reason=inert(c.revoke_reason),
        renew_count=c.renew_count,
        current=c.current,
        shortened=c.shortened,
        pem="\n".join(inert(line) for line in c.pem.splitlines()),
    )


def _token(t: fleet_pb2.TokenRecord) -> TokenView:
    return TokenView(
        id=inert(t.id),
        issued_at=moment(t.issued_at),
        expires_at=moment(t.expires_at),
        state=inert(t.state),
        dies_at=instant(t.dies_at),
        first_used_at=instant(t.first_used_at),
        delivered_at=instant(t.delivered_at),
    )


def _heartbeat(h: fleet_pb2.HeartbeatRecord) -> HeartbeatView:
    return HeartbeatView(
        heard_at=moment(h.heard_at),
        interval=timedelta(seconds=h.interval),
        address=inert(h.address),
        serial=inert(h.serial),
        epoch=h.epoch,
        skew=timedelta(seconds=h.skew),
        loop_alive=h.loop_alive,
        last_error=inert(h.last_error, SENTENCE),
        version=inert(h.version),
    )


def event_view(record: fleet_pb2.AuditRecord) -> EventView:
    """Return one audit event, its details sorted by name."""
    return EventView(
        index=record.index,
        at=moment(record.at),
        actor=inert(record.actor),
        origin=inert(record.origin),
        action=inert(record.action),
        subject=inert(record.subject),
        outcome=inert(record.outcome),
        detail=tuple(sorted((inert(name), inert(value, SENTENCE)) for name, value in record.detail.items())),
        digest=inert(record.digest),
    )


def _place(place: fleet_pb2.DeliveryPlace) -> str:
    """A place where the login file can be put, and the last look at it, in one sentence."""
    where = f"Secret {place.place} in {place.cluster}" if place.route == "kubernetes" else place.place
    at = instant(place.looked_at)
    seen = "" if at is None else f", looked at {at:%Y-%m-%d %H:%M:%SZ}"
    return inert(f"{where}: {place.state}, {place.sentence}{seen}", SENTENCE)


def plan_view(p: operation_pb2.Plan) -> PlanView:
    """Return a stored plan."""
    return PlanView(
        id=inert(p.id),
        action=_action(p.action),
        hash=inert(p.hash),
        made_at=moment(p.made_at),
        expires_at=moment(p.expires_at),
        targets=tuple(_plan_target(target) for target in p.targets),
        warnings=_texts(p.warnings),
        runs=p.runs,
        parallel=p.parallel,
        force=p.force,
        reason=inert(p.reason, SENTENCE),
        max_failures=p.max_failures or 1,
        resumes=inert(p.resumes),
    )


def _plan_target(t: operation_pb2.PlanTarget) -> PlanTargetView:
    return PlanTargetView(
        name=inert(t.name),
        number=t.number,
        cluster=inert(t.cluster),
        kind=inert(t.kind),
        runs=t.runs,
        why=inert(t.why, SENTENCE),
        route=inert(t.route),
        steps=_texts(t.steps),
        certificate_now=instant(t.certificate_now),
        certificate_then=instant(t.certificate_then),
        token_now=instant(t.token_now),
        token_then=instant(t.token_then),
        downtime=inert(t.downtime, SENTENCE),
        route_why=inert(t.route_why, SENTENCE),
    )


def operation_view(o: operation_pb2.Operation) -> OperationView:
    """Return an operation with its targets in the plan's order."""
    return OperationView(
        id=inert(o.id),
        action=_action(o.action),
        state=inert(o.state),
        actor=inert(o.actor),
        started_at=moment(o.started_at),
        ended_at=instant(o.ended_at),
        targets=tuple(_operation_target(target) for target in o.targets),
        total=o.total,
        done=o.done,
        failed=o.failed,
        running=o.running,
        waiting=o.waiting,
        skipped=o.skipped,
        reason=inert(o.reason, SENTENCE),
    )


def _operation_target(t: operation_pb2.OperationTarget) -> OperationTargetView:
    return OperationTargetView(
        name=inert(t.name),
        state=inert(t.state),
        step=inert(t.step, SENTENCE),
        result=inert(t.result, SENTENCE),
        old_serial=inert(t.old_serial),
        new_serial=inert(t.new_serial),
        started_at=instant(t.started_at),
        ended_at=instant(t.ended_at),
        route=inert(t.route),
    )


def alerts_view(found: alert_pb2.AlertList) -> AlertsView:
    """Return alerts, silences and sinks in the agent's order."""
    return AlertsView(
        alerts=tuple(
            AlertLine(
                entity=inert(one.entity),
                name=inert(one.name),
                cluster=inert(one.cluster),
                severity=inert(one.severity),
                state=inert(one.state),
                summary=inert(one.summary, SENTENCE),
                next_step=inert(one.next_step, SENTENCE),
                raised_at=moment(one.raised_at),
                since_at=moment(one.since_at),
                told=inert(one.told),
                told_at=instant(one.told_at),
                held=inert(one.held, SENTENCE),
            )
            for one in found.alerts
        ),
        silences=tuple(silence_view(one) for one in found.silences),
        sinks=tuple(
            SinkView(
                name=inert(one.name),
                owed=one.owed,
                failing_since=instant(one.failing_since_at),
                last_error=inert(one.last_error, SENTENCE),
                sent_at=instant(one.sent_at),
            )
            for one in found.sinks
        ),
    )


def silence_view(one: alert_pb2.AlertSilence) -> SilenceView:
    """Return one acknowledgement or silence."""
    return SilenceView(
        subject=inert(one.subject),
        name=inert(one.name),
        is_acknowledgement=one.acknowledgement,
        until=instant(one.until),
        ceiling=inert(one.ceiling),
        actor=inert(one.actor),
        reason=inert(one.reason, SENTENCE),
    )
