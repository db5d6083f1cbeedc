"""Small words that several commands print: instants, plans and operations as text and as plain values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from backend.cli.console import table

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1.operation_pb2 import Operation, OperationTarget, Plan, PlanTarget

PLAN_SCHEMA: Final = "mocdeck.plan/1"
OPERATION_SCHEMA: Final = "mocdeck.operation/1"
SHOWN_HASH: Final = 16  # hex digits of a plan's hash that are shown and have to be repeated: 64 bits
_ACTIONS: Final = {1: "renew", 2: "rotate token", 3: "repair", 4: "update"}
_ROUTES: Final = {
    "heartbeat": "heartbeat",
    "kubernetes": "Secret",
    "file": "login file",
    "manual": "by hand",
    "itself": "by itself",
}


def moment(seconds: int) -> str:
    """Unix seconds of the wire as ISO 8601 in UTC; "" for 0."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else ""


def day(seconds: int) -> str:
    """Unix seconds to the minute, for tables; "-" for 0."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%MZ}" if seconds else "-"


def span_words(seconds: int) -> str:
    """A duration as it is typed: "12h", "1d12h"."""
    parts, left = "", seconds
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        parts += f"{count}{unit}" if count else ""
    return parts or "0s"


def action_word(action: int) -> str:
    """What an action of the wire is called."""
    return _ACTIONS.get(action, f"action {action}")


def plan_text(plan: Plan) -> str:
    """A plan as an operator reads it before confirming: who, what now and then, by which way, and what is skipped."""
    rows = [
        [
            target.name,
            target.cluster or "-",
            _way(target),
            _change(target.certificate_now, target.certificate_then),
            _change(target.token_now, target.token_then),
            _what(plan, target) + target.why + (f"; downtime {target.downtime}" if target.downtime else ""),
        ]
        for target in plan.targets
    ]
    pace = "one at a time" if plan.parallel <= 1 else f"{plan.parallel} at a time"
    limit = "the first failure" if plan.max_failures <= 1 else f"{plan.max_failures} failures"
    seen = sum(target.number > 0 for target in plan.targets)
    resumed = f" of operation {plan.resumes}" if plan.resumes else ""
    lines = [
        f"Plan {plan.id}: {action_word(plan.action)} {plan.runs} of {seen} clients{resumed}, {pace}, "
        f"stopping at {limit}",
        "",
        table(["CLIENT", "CLUSTER", "ROUTE", "CERTIFICATE", "TOKEN", "WHY"], rows),
        "",
        *(f"{target.name} goes {_way(target)}: {target.route_why}" for target in plan.targets if target.route_why),
        *(f"Warning: {warning}" for warning in plan.warnings),
        f"Hash {plan.hash[:SHOWN_HASH]}, good until {day(plan.expires_at)}",
    ]
    return "\n".join(lines)


def _way(target: PlanTarget) -> str:
    if target.runs:
        return _ROUTES.get(target.route, target.route)
    return "not touched" if target.number else "never seen"


def _what(plan: Plan, target: PlanTarget) -> str:
    """What is done to one client of an update, where it differs from client to client."""
    if action_word(plan.action) != "update" or not target.runs:
        return ""
    return f"{', '.join(target.steps)}: "


def plan_values(plan: Plan) -> dict[str, Any]:
    """A plan as plain values."""
    return {
        "schema": PLAN_SCHEMA,
        "id": plan.id,
        "action": action_word(plan.action),
        "hash": plan.hash,
        "made_at": moment(plan.made_at),
        "expires_at": moment(plan.expires_at),
        "runs": plan.runs,
        "parallel": plan.parallel,
        "max_failures": plan.max_failures or 1,
        "resumes": plan.resumes or None,
        "force": plan.force,
        "reason": plan.reason,
        "warnings": list(plan.warnings),
        "targets": [_plan_target(target) for target in plan.targets],
    }


def operation_text(operation: Operation) -> str:
    """An operation with its clients; the counts sum to the total."""
    rows = [
        [
            target.name,
            target.state,
            target.result or target.step,
            target.old_serial[:16] or "-",
            target.new_serial[:16] or "-",
        ]
        for target in operation.targets
    ]
    ended = f", ended {day(operation.ended_at)}" if operation.ended_at else ""
    return "\n".join(
        [
            f"Operation {operation.id}: {action_word(operation.action)}, {operation.state}, by {operation.actor}, "
            f"started {day(operation.started_at)}{ended}",
            operation_counts(operation),
            "",
            table(["CLIENT", "STATE", "RESULT", "OLD SERIAL", "NEW SERIAL"], rows),
        ]
    )


def operation_counts(operation: Operation) -> str:
    """The counts of an operation in one line."""
    return (
        f"{operation.done} done, {operation.failed} failed, {operation.running} running, {operation.waiting} waiting, "
        f"{operation.skipped} skipped, {operation.total} in all"
    )


def operation_values(operation: Operation) -> dict[str, Any]:
    """An operation as plain values."""
    return {
        "schema": OPERATION_SCHEMA,
        "id": operation.id,
        "plan_id": operation.plan_id,
        "action": action_word(operation.action),
        "state": operation.state,
        "actor": operation.actor,
        "reason": operation.reason,
        "started_at": moment(operation.started_at),
        "ended_at": moment(operation.ended_at) or None,
        "counts": {
            "total": operation.total,
            "done": operation.done,
            "failed": operation.failed,
            "running": operation.running,
            "waiting": operation.waiting,
            "skipped": operation.skipped,
        },
        "targets": [_operation_target(target) for target in operation.targets],
    }


def _change(now: int, then: int) -> str:
    if not then:
        return f"stays {day(now)}" if now else "-"
    return f"{day(now)} -> {day(then)}"


def _plan_target(target: PlanTarget) -> dict[str, Any]:
    return {
        "name": target.name,
        "cluster": target.cluster,
        "kind": target.kind,
        "seen": bool(target.number),
        "runs": target.runs,
        "why": target.why,
        "route": target.route,
        "route_why": target.route_why,
        "steps": list(target.steps),
        "certificate_now": moment(target.certificate_now) or None,
        "certificate_then": moment(target.certificate_then) or None,
        "token_now": moment(target.token_now) or None,
        "token_then": moment(target.token_then) or None,
        "downtime": target.downtime,
    }


def _operation_target(target: OperationTarget) -> dict[str, Any]:
    return {
        "name": target.name,
        "state": target.state,
        "step": target.step,
        "result": target.result,
        "route": target.route,
        "old_serial": target.old_serial,
        "new_serial": target.new_serial,
        "started_at": moment(target.started_at) or None,
        "ended_at": moment(target.ended_at) or None,
    }
