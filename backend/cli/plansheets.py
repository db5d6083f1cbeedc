"""`--export FILE`: the plan that was shown, as a file for whoever approves it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from backend.cli.console import say
from backend.cli.params import check_out
from backend.cli.words import action_word, day, moment, plan_values

if TYPE_CHECKING:
    from backend.cli.root import Root
    from backend.core.planexport import PlanSheet
    from backend.wire.mocdeck.v1.authority_pb2 import RotationPlan
    from backend.wire.mocdeck.v1.operation_pb2 import Plan

_FORMS: Final = {".md": "markdown", ".json": "json", ".csv": "csv"}
EXPORT: Final = click.option(
    "--export",
    "export_path",
    type=click.Path(path_type=Path),
    help="Also write the plan to this file, for approval: .md, .json or .csv.",
)


def check_export(path: Path | None) -> None:
    """Refuse a file that cannot be written, or whose form is not known, before the agent is asked.

    Raises:
        click.BadParameter: it says which.
    """
    if path is None:
        return
    if path.suffix.lower() not in _FORMS:
        raise click.BadParameter(f"{path} must end in .md, .json or .csv.", param_hint="--export")
    check_out(path)


def export_sheet(root: Root, sheet: PlanSheet, path: Path) -> None:
    """Write a plan's sheet, readable by its owner only, and say where it is.

    Raises:
        OSError, UnsafeFile: it could not be written.
    """
    from backend.cli.session import run_with_operator
    from backend.cli.sighting import read_head
    from backend.core.planexport import PLAN_FORMS
    from backend.pki.files import write_atomic

    head = run_with_operator(root, read_head)
    write_atomic(path, f"{PLAN_FORMS[_FORMS[path.suffix.lower()]](sheet, head)}\n".encode())
    say(f"The plan is in {path}, for approval")


def operation_sheet(plan: Plan) -> PlanSheet:
    """The sheet of an operation's plan."""
    from backend.core.planexport import Part, PlanSheet

    names = ("CLIENT", "CLUSTER", "KIND", "ROUTE", "STEPS", "CERTIFICATE NOW", "CERTIFICATE THEN", "TOKEN NOW")
    runs = [
        [
            *(one.name, one.cluster, one.kind, one.route, ", ".join(one.steps)),
            *(moment(one.certificate_now), moment(one.certificate_then), moment(one.token_now), moment(one.token_then)),
            *(one.downtime, one.why),
        ]
        for one in plan.targets
        if one.runs
    ]
    rest = [[one.name, one.cluster, one.kind, one.why] for one in plan.targets if not one.runs]
    return PlanSheet(
        kind="plan",
        title=f"Plan: {action_word(plan.action)} {plan.runs} client{'' if plan.runs == 1 else 's'}",
        facts=[
            ("Plan", plan.id),
            ("Hash", plan.hash),
            ("Good until", moment(plan.expires_at)),
            ("Goes on with operation", plan.resumes),
            ("Forced, because", plan.reason if plan.force else ""),
            ("Pace", f"{plan.parallel or 1} at a time, stopping at {plan.max_failures or 1} failed"),
        ],
        warnings=list(plan.warnings),
        parts=[
            Part(title="What is done, in this order", names=(*names, "TOKEN THEN", "DOWNTIME", "WHY"), rows=runs),
            Part(title="Left alone", names=("CLIENT", "CLUSTER", "KIND", "WHY"), rows=rest),
        ],
        values=plan_values(plan),
    )


def rotation_sheet(plan: RotationPlan) -> PlanSheet:
    """The sheet of a CA rotation's plan."""
    from backend.cli.rotationforms import plan_values as rotation_values
    from backend.core.planexport import Part, PlanSheet

    kind = plan.kind or "disruptive"
    clients = [
        [one.name, one.cluster, one.kind, one.owner, one.route, one.why, getattr(one, "after", "")]
        for one in plan.clients
    ]
    checks = [[one.result, one.test, one.category, one.details, one.recommendation] for one in plan.checks]
    return PlanSheet(
        kind="rotation-plan",
        title=f"Plan: CA rotation ({kind}), generation {plan.from_generation} to {plan.to_generation}",
        facts=[
            ("Plan", plan.id),
            ("Hash", plan.hash),
            ("Good until", day(plan.expires_at)),
            ("Deployment, to be typed", plan.deployment),
            ("Duration", plan.duration),
        ],
        warnings=[f"{one.result}: {one.test}: {one.details}" for one in plan.checks if one.result != "ok"],
        parts=[
            Part(
                title="Clients",
                names=("CLIENT", "CLUSTER", "KIND", "OWNER", "WAY", "WHY", "IF IT DOES NOT MOVE"),
                rows=clients,
            ),
            Part(title="Readiness", names=("RESULT", "TEST", "CATEGORY", "DETAILS", "RECOMMENDATION"), rows=checks),
        ],
        values=rotation_values(plan),
    )
