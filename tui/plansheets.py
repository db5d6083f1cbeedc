"""The plan that is on the screen, as the sheet that is exported for whoever approves it. Pure.

The documents are those of the command line: `mocdeck.plan/1` and `mocdeck.rotation-plan/1`.
"""

from __future__ import annotations

from typing import Any

from backend.core.export import stamp
from backend.core.planexport import Part, PlanSheet
from tui.format import count
from tui.gateway import PlanTargetView, PlanView
from tui.rotating import RotationClientView, RotationKind, RotationPlanView


def operation_sheet(plan: PlanView) -> PlanSheet:
    """Return the sheet of an operation's plan."""
    names = ("CLIENT", "CLUSTER", "KIND", "ROUTE", "STEPS", "CERTIFICATE NOW", "CERTIFICATE THEN", "TOKEN NOW")
    runs = [_run(one) for one in plan.targets if one.runs]
    rest = [[one.name, one.cluster, one.kind, one.why] for one in plan.targets if not one.runs]
    return PlanSheet(
        kind="plan",
        title=f"Plan: {plan.action.value} {count(plan.runs, 'client')}",
        facts=[
            ("Plan", plan.id),
            ("Hash", plan.hash),
            ("Good until", stamp(plan.expires_at)),
            ("Goes on with operation", plan.resumes),
            ("Forced, because", plan.reason if plan.force else ""),
            ("Pace", f"{plan.parallel or 1} at a time, stopping at {plan.max_failures} failed"),
        ],
        warnings=plan.warnings,
        parts=[
            Part(title="What is done, in this order", names=(*names, "TOKEN THEN", "DOWNTIME", "WHY"), rows=runs),
            Part(title="Left alone", names=("CLIENT", "CLUSTER", "KIND", "WHY"), rows=rest),
        ],
        values={
            "schema": "mocdeck.plan/1",
            "id": plan.id,
            "action": plan.action.value,
            "hash": plan.hash,
            "made_at": stamp(plan.made_at),
            "expires_at": stamp(plan.expires_at),
            "runs": plan.runs,
            "parallel": plan.parallel,
            "max_failures": plan.max_failures,
            "resumes": plan.resumes or None,
            "force": plan.force,
            "reason": plan.reason,
            "warnings": list(plan.warnings),
            "targets": [_target(one) for one in plan.targets],
        },
    )


def _run(one: PlanTargetView) -> list[str]:
    dates = (one.certificate_now, one.certificate_then, one.token_now, one.token_then)
    return [
        *(one.name, one.cluster, one.kind, one.route, ", ".join(one.steps)),
        *(stamp(date) for date in dates),
        *(one.downtime, one.why),
    ]


def _target(one: PlanTargetView) -> dict[str, Any]:
    return {
        "name": one.name,
        "cluster": one.cluster,
        "kind": one.kind,
        "seen": bool(one.number),
        "runs": one.runs,
        "why": one.why,
        "route": one.route,
        "route_why": one.route_why,
        "steps": list(one.steps),
        "certificate_now": stamp(one.certificate_now) or None,
        "certificate_then": stamp(one.certificate_then) or None,
        "token_now": stamp(one.token_now) or None,
        "token_then": stamp(one.token_then) or None,
        "downtime": one.downtime,
    }


def rotation_sheet(plan: RotationPlanView) -> PlanSheet:
    """Return the sheet of a CA rotation's plan."""
    clients = [[one.name, one.cluster, one.kind, one.owner, one.route, one.why, one.after] for one in plan.clients]
    checks = [[one.result, one.test, one.category, one.details, one.recommendation] for one in plan.checks]
    columns = ("CLIENT", "CLUSTER", "KIND", "OWNER", "WAY", "WHY", "IF IT DOES NOT MOVE")
    return PlanSheet(
        kind="rotation-plan",
        title=f"Plan: CA rotation ({plan.kind.value}), generation {plan.from_generation} to {plan.to_generation}",
        facts=[
            ("Plan", plan.id),
            ("Hash", plan.hash),
            ("Good until", stamp(plan.expires_at)),
            ("Deployment, to be typed", plan.deployment),
            ("Duration", plan.duration),
        ],
        warnings=[f"{one.result}: {one.test}: {one.details}" for one in plan.checks if one.result != "ok"],
        parts=[
            Part(title="Clients", names=columns, rows=clients),
            Part(title="Readiness", names=("RESULT", "TEST", "CATEGORY", "DETAILS", "RECOMMENDATION"), rows=checks),
        ],
        values={
            "schema": "mocdeck.rotation-plan/1",
            "id": plan.id,
            "hash": plan.hash,
            "made_at": stamp(plan.made_at),
            "expires_at": stamp(plan.expires_at),
            "deployment": plan.deployment,
            "from_generation": plan.from_generation,
            "to_generation": plan.to_generation,
            "duration": plan.duration,
            "checks": [
                {
                    "test": one.test,
                    "category": one.category,
                    "result": one.result,
                    "details": one.details,
                    "recommendation": one.recommendation,
                }
                for one in plan.checks
            ],
            "counts": _counts(plan),
            "clients": [_client(one) for one in plan.clients],
            "kind": plan.kind.value,
        },
    )


def _counts(plan: RotationPlanView) -> dict[str, int]:
    if plan.kind in {RotationKind.DISRUPTIVE, RotationKind.COMPROMISE}:
        ways = {"by_file": plan.by_file, "by_hand": plan.by_hand}
    else:
        ways = {"by_cross": plan.by_cross, "silent": plan.silent}
    return {"by_itself": plan.by_itself, **ways, "already_out": plan.already_out}


def _client(one: RotationClientView) -> dict[str, str]:
    return {
        "name": one.name,
        "cluster": one.cluster,
        "kind": one.kind,
        "owner": one.owner,
        "route": one.route,
        "why": one.why,
        "after": one.after,
    }
