"""mocdeck.v1 OperationAgent: plans, operations, and login files for delivery by hand."""

from __future__ import annotations

from typing import Any, Final

from backend.core.plan import ActionKind, Decision
from backend.server.calls import Looks
from backend.server.servicer import Context, Served, Table, Unfinished
from backend.service import operations
from backend.service.operations import OperationView, TargetView
from backend.service.planning import PlanView, plan, plan_resumption, question_of, unlooked
from backend.service.resuming import question_again
from backend.wire.convert.actions import NUMBERS, action_kind, update_scope
from backend.wire.convert.checks import check_name, check_text
from backend.wire.convert.instants import unix
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import operation_pb2

_MOST: Final = 500


def _plan(context: Context, request: operation_pb2.PlanRequest) -> operation_pb2.Plan | Unfinished:
    if request.resumes:
        return _plan_rest(context, request)
    asked: dict[str, Any] = {
        "action": action_kind(request.action),
        "names": [check_name(name, "client name") for name in request.names],
        "force": request.force,
        "reason": check_text(request.reason, "reason"),
        "overlap_seconds": request.overlap_seconds,
        "parallel": request.parallel or 1,
        "max_failures": request.max_failures or 1,
        "update": update_scope(request.update) if request.HasField("update") else None,
    }
    names = () if context.call.progress else unlooked(context.tx, context.world, question_of(**asked))
    if names:  # not in here: looking may take seconds, and this is where everybody's calls are answered
        return Unfinished(Looks(names=names))
    return _plan_message(plan(context.tx, context.world, context.caller, **asked))


def _plan_rest(context: Context, request: operation_pb2.PlanRequest) -> operation_pb2.Plan | Unfinished:
    pace = {"parallel": request.parallel, "max_failures": request.max_failures}
    question = question_again(context.tx, request.resumes, **pace)
    names = () if context.call.progress else unlooked(context.tx, context.world, question)
    if names:
        return Unfinished(Looks(names=names))
    return _plan_message(plan_resumption(context.tx, context.world, context.caller, request.resumes, **pace))


def _start(context: Context, request: operation_pb2.StartRequest) -> operation_pb2.Operation | Unfinished:
    names = (
        ()
        if context.call.progress
        else operations.unlooked_of(context.tx, context.world, request.plan_id, request.hash)
    )
    if names:
        return Unfinished(Looks(names=names))
    return _operation_message(
        operations.start(
            context.tx,
            context.world,
            context.caller,
            plan_id=request.plan_id,
            hash=request.hash,
            origin=check_text(request.origin, "origin"),
        )
    )


def _get(context: Context, request: operation_pb2.OperationRequest) -> operation_pb2.Operation:
    return _operation_message(operations.get(context.tx, request.id))


def _list(context: Context, request: operation_pb2.OperationListRequest) -> operation_pb2.OperationList:
    recent = operations.recent(context.tx, min(request.limit, _MOST))
    return operation_pb2.OperationList(operations=[_operation_message(view) for view in recent])


def _stop(context: Context, request: operation_pb2.OperationRequest) -> operation_pb2.Operation:
    return _operation_message(operations.stop(context.tx, context.world, context.caller, request.id))


def _take_login_file(context: Context, request: operation_pb2.TakeLoginFileRequest) -> operation_pb2.LoginFile:
    file = operations.take_login_file(
        context.tx, context.world, context.caller, operation_id=request.operation_id, name=request.name
    )
    return operation_pb2.LoginFile(
        name=file.name, yaml=file.yaml.reveal(), token_expires_at=unix(file.token_expires_at)
    )


def _plan_message(made: PlanView) -> operation_pb2.Plan:
    draft = made.draft
    return operation_pb2.Plan(
        id=made.id,
        action=NUMBERS[draft.action],
        hash=made.hash,
        made_at=unix(made.made_at),
        expires_at=unix(made.expires_at),
        targets=[_decision_message(decision) for decision in draft.decisions],
        warnings=draft.warnings,
        runs=draft.runs,
        parallel=draft.parallel,
        force=draft.force,
        reason=draft.reason,
        max_failures=draft.max_failures,
        resumes=made.resumes,
    )


def _decision_message(decision: Decision) -> operation_pb2.PlanTarget:
    return operation_pb2.PlanTarget(
        name=decision.name,
        number=decision.number,
        cluster=decision.cluster,
        kind=decision.kind.value,
        runs=decision.runs,
        why=decision.why,
        route=decision.route.value,
        steps=decision.steps,
        certificate_now=unix(decision.certificate_now),
        certificate_then=unix(decision.certificate_then),
        token_now=unix(decision.token_now),
        token_then=unix(decision.token_then),
        downtime=decision.downtime,
        route_why=decision.route_why,
    )


def _operation_message(view: OperationView) -> operation_pb2.Operation:
    row = view.row
    return operation_pb2.Operation(
        id=row.id,
        plan_id=row.plan_id,
        action=NUMBERS[ActionKind(row.action)],
        state=row.state,
        actor=row.actor,
        started_at=unix(row.started_at),
        ended_at=unix(row.ended_at),
        targets=[_target_message(target) for target in view.targets],
        total=view.total,
        done=view.done,
        failed=view.failed,
        running=view.running,
        waiting=view.waiting,
        skipped=view.skipped,
        reason=row.reason,
    )


def _target_message(target: TargetView) -> operation_pb2.OperationTarget:
    row = target.row
    return operation_pb2.OperationTarget(
        name=row.name,
        state=row.state,
        step=row.step,
        result=row.result,
        old_serial="" if row.old_serial is None else f"{row.old_serial:x}",
        new_serial="" if row.new_serial is None else f"{row.new_serial:x}",
        started_at=unix(row.started_at),
        ended_at=unix(row.ended_at),
        route=row.route,
        certificate_then=unix(target.certificate_then),
        token_then=unix(target.token_then),
    )


TABLE: Final[Table] = {
    get_method("OperationAgent", "Plan").path: Served(_plan),
    get_method("OperationAgent", "Start").path: Served(_start),
    get_method("OperationAgent", "Get").path: Served(_get),
    get_method("OperationAgent", "List").path: Served(_list),
    get_method("OperationAgent", "Stop").path: Served(_stop),
    get_method("OperationAgent", "TakeLoginFile").path: Served(_take_login_file),
}
