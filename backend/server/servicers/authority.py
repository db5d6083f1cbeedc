"""mocdeck.v1 AuthorityAgent: CA generations and their rotation, of every kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from backend.core.blast import ReturnRoute
from backend.core.delta import AuthorityInfo
from backend.core.errors import InvalidInput
from backend.core.model import Authority
from backend.core.rotation import ClientStanding, Gate
from backend.server.calls import Looks
from backend.server.servicer import Context, Served, Table, Unfinished
from backend.server.servicers.overlap import overlap_message, overlap_plan_message
from backend.service import approval, rotations
from backend.service.overlap_plan import REHEARSAL, OverlapPlan, plan_overlap, settings_of
from backend.service.overlap_view import OverlapView
from backend.service.rotation_checks import ReadinessCheck
from backend.service.rotation_moves import Move
from backend.service.rotation_plan import COMPROMISE, ROTATION, PlannedReturn, RotationPlanView, plan_rotation
from backend.service.rotation_view import AuthoritiesView, ClientStandingView, RotationView, authorities
from backend.service.serving import OVERLAP
from backend.wire.convert.checks import check_name, check_text
from backend.wire.convert.fleet import authority_row
from backend.wire.convert.instants import unix
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import authority_pb2, fleet_pb2


def _list(context: Context, request: authority_pb2.AuthorityListRequest) -> authority_pb2.AuthorityList:
    return _authorities_message(authorities(context.tx))


def _plan(context: Context, request: authority_pb2.PlanRotationRequest) -> authority_pb2.RotationPlan | Unfinished:
    if not context.call.progress and context.world.delivery.clusters:
        return Unfinished(Looks(names=None))  # whoever comes back through a Secret must be reachable there
    made = _made_plan(context, request)
    if isinstance(made, OverlapPlan):
        message = overlap_plan_message(made, [_check_message(check) for check in made.checks])
        message.wants_approval = context.world.policy.second_approver
        return message
    return _plan_message(made)


def _made_plan(context: Context, request: authority_pb2.PlanRotationRequest) -> OverlapPlan | RotationPlanView:
    if request.kind in {OVERLAP, REHEARSAL}:
        given = {
            "automatic": "yes" if request.automatic else "no",
            "shadow_seconds": str(request.shadow_seconds),
            "quiet_seconds": str(request.quiet_seconds),
        }
        if request.HasField("stop_percent"):
            given["stop_percent"] = str(request.stop_percent)
        return plan_overlap(context.tx, context.world, context.caller, settings_of(given), kind=request.kind)
    if request.kind in {"", "disruptive", COMPROMISE}:
        kind = COMPROMISE if request.kind == COMPROMISE else ROTATION
        return plan_rotation(context.tx, context.world, context.caller, kind=kind)
    raise InvalidInput(f"the kind is overlap, disruptive, compromise or rehearsal, not {request.kind[:20]!r}")


def _approve(context: Context, request: authority_pb2.ApproveRotationRequest) -> authority_pb2.ApproveRotationReply:
    name = approval.approve(
        context.tx,
        context.world,
        context.caller,
        plan_id=request.plan_id,
        hash=request.hash,
        deployment=request.deployment,
    )
    return authority_pb2.ApproveRotationReply(approver=name)


def _start(context: Context, request: authority_pb2.StartRotationRequest) -> authority_pb2.Rotation | Unfinished:
    if not context.call.progress and context.world.delivery.clusters:
        return Unfinished(Looks(names=None))
    return _any_message(
        rotations.start(
            context.tx,
            context.world,
            context.caller,
            plan_id=request.plan_id,
            hash=request.hash,
            deployment=request.deployment,
            reason=check_text(request.reason, "reason"),
            origin=check_text(request.origin, "origin"),
        )
    )


def _get(context: Context, request: authority_pb2.RotationRequest) -> authority_pb2.Rotation:
    tx, world = context.tx, context.world
    found = tx.rotations.get(request.id) if request.id else tx.rotations.find_open() or tx.rotations.find_last()
    key = None if found is None else (found.id, found.version)
    answer: authority_pb2.Rotation = world.shown.get(
        key, world.clock.monotonic, lambda: _any_message(rotations.get(tx, world, "" if found is None else found.id))
    )
    return answer


def _move(context: Context, request: authority_pb2.MoveRotationRequest) -> authority_pb2.Rotation:
    try:
        move = Move(request.move)
    except ValueError:
        known = ", ".join(f"{one.name} ({one.value})" for one in Move)
        raise InvalidInput(f"move {request.move} is none of {known}") from None
    return _any_message(
        rotations.move(
            context.tx,
            context.world,
            context.caller,
            rotation_id=request.id,
            version=request.version,
            move=move,
            written_off=[check_name(name, "client name") for name in request.written_off],
            reason=check_text(request.reason, "reason"),
        )
    )


def _destroy(context: Context, request: authority_pb2.DestroyAuthorityRequest) -> authority_pb2.AuthorityList:
    left = rotations.destroy(
        context.tx, context.world, context.caller, generation=request.generation, deployment=request.deployment
    )
    return _authorities_message(left)


def _authorities_message(view: AuthoritiesView) -> authority_pb2.AuthorityList:
    return authority_pb2.AuthorityList(
        authorities=[_authority_row(authority) for authority in view.authorities],
        bundle_epoch=view.bundle.epoch,
        bundle_pem=view.bundle.pem,
    )


def _authority_row(authority: Authority) -> fleet_pb2.AuthorityRow:
    return authority_row(
        AuthorityInfo(
            generation=authority.generation,
            subject=authority.subject,
            validity=authority.validity,
            status=authority.status,
            fingerprint=authority.fingerprint,
        )
    )


def _plan_message(view: RotationPlanView) -> authority_pb2.RotationPlan:
    return authority_pb2.RotationPlan(
        id=view.id,
        hash=view.hash,
        made_at=unix(view.made_at),
        expires_at=unix(view.expires_at),
        deployment=view.deployment,
        from_generation=view.from_generation,
        to_generation=view.to_generation,
        checks=[_check_message(check) for check in view.checks],
        clients=[_planned_message(client) for client in view.clients],
        duration=view.duration,
        by_itself=view.by(ReturnRoute.ITSELF),
        by_file=view.by(ReturnRoute.FILE),
        by_hand=view.by(ReturnRoute.MANUAL),
        already_out=view.by(ReturnRoute.OUT),
        kind="compromise" if view.kind == COMPROMISE else "disruptive",
    )


def _check_message(check: ReadinessCheck) -> authority_pb2.ReadinessCheck:
    return authority_pb2.ReadinessCheck(
        test=check.test,
        category=check.category,
        result=check.result,
        details=check.details,
        recommendation=check.recommendation,
    )


def _planned_message(client: PlannedReturn) -> authority_pb2.RotationClient:
    return authority_pb2.RotationClient(
        name=client.name,
        cluster=client.cluster,
        kind=client.kind.value,
        route=client.route.value,
        why=client.why,
        owner=client.owner,
    )


def _any_message(view: RotationView | OverlapView) -> authority_pb2.Rotation:
    return overlap_message(view) if isinstance(view, OverlapView) else _rotation_message(view)


def _rotation_message(view: RotationView) -> authority_pb2.Rotation:
    row, counts = view.row, view.counts
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
        clients=[_standing_message(client) for client in view.clients],
        total=view.total,
        connected=counts[ClientStanding.CONNECTED],
        informed=counts[ClientStanding.INFORMED],
        lost=counts[ClientStanding.LOST],
        returned=counts[ClientStanding.RETURNED],
        stuck=counts[ClientStanding.STUCK],
        written_off=counts[ClientStanding.WRITTEN_OFF],
        gates=[_gate_message(gate) for gate in view.gates],
        actor=row.actor,
        reason=row.reason,
        deployment=view.deployment,
        agent_time=unix(view.agent_time),
        outage_p50_seconds=_seconds(view.outage_p50),
        outage_max_seconds=_seconds(view.outage_longest),
        kind=row.kind,
        cause=row.cause,
    )


def _standing_message(client: ClientStandingView) -> authority_pb2.RotationClient:
    return authority_pb2.RotationClient(
        name=client.row.name,
        cluster=client.cluster,
        kind=client.kind.value,
        route=client.row.route,
        why=client.row.why,
        state=client.standing.value,
        since=unix(client.since),
        lost_at=unix(client.row.lost_at),
        returned_at=unix(client.row.returned_at),
        last_error=client.last_error,
        owner=client.owner,
    )


def _gate_message(gate: Gate) -> authority_pb2.Gate:
    return authority_pb2.Gate(test=gate.test, met=gate.met, why=gate.why)


def _seconds(span: timedelta | None) -> int:
    return 0 if span is None else int(span.total_seconds())


TABLE: Final[Table] = {
    get_method("AuthorityAgent", "List").path: Served(_list),
    get_method("AuthorityAgent", "PlanRotation").path: Served(_plan),
    get_method("AuthorityAgent", "ApproveRotation").path: Served(_approve),
    get_method("AuthorityAgent", "StartRotation").path: Served(_start),
    get_method("AuthorityAgent", "GetRotation").path: Served(_get),
    get_method("AuthorityAgent", "MoveRotation").path: Served(_move),
    get_method("AuthorityAgent", "DestroyAuthority").path: Served(_destroy),
}
