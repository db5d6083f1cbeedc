"""`mocdeck operations resume` against a real agent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from backend.cli.exits import Exit
from backend.cli.follow import exit_of_plan
from backend.wire.mocdeck.v1.operation_pb2 import Plan, PlanTarget

Mocdeck = Callable[..., Result]


def stopped(operator: Mocdeck) -> str:
    """A repair by hand that was stopped before anybody took the login file."""
    made = operator("repair", "locked-kms", "--yes", "--no-wait", "-o", "json")
    assert made.exit_code == 0, made.stderr
    operation = str(json.loads(made.stdout)["id"])
    assert operator("operations", "stop", operation, "--yes").exit_code == 0
    return operation


def test_a_stopped_operation_is_looked_at_confirmed_by_hash_and_goes_on_under_its_id(operator: Mocdeck) -> None:
    operation = stopped(operator)
    shown = operator("operations", "resume", operation, "--dry-run", "-o", "json")
    assert shown.exit_code == 0, shown.stderr
    plan = json.loads(shown.stdout)
    assert (plan["resumes"], plan["runs"]) == (operation, 1)
    unsure = operator("operations", "resume", operation)
    assert unsure.exit_code == Exit.NOT_CONFIRMED
    assert f"of operation {operation}" in unsure.stderr
    wrong = operator("operations", "resume", operation, "--confirm", "0" * 16)
    assert wrong.exit_code == Exit.NOT_CONFIRMED
    again = operator("operations", "resume", operation, "--confirm", plan["hash"][:16], "--no-wait", "-o", "json")
    assert again.exit_code == 0, again.stderr
    assert (json.loads(again.stdout)["id"], json.loads(again.stdout)["state"]) == (operation, "running")
    refused = operator("operations", "resume", operation, "--yes")
    assert refused.exit_code == Exit.REFUSED
    assert "still runs" in refused.stderr
    told = operator("audit", "--limit", "50", "-o", "json")
    assert "resume_operation" in told.stdout
    assert operator("operations", "stop", operation, "--yes").exit_code == 0


def test_an_operation_that_is_not_there_is_named(operator: Mocdeck) -> None:
    missing = operator("operations", "resume", "none", "--yes")
    assert missing.exit_code != 0
    assert "there is no operation none" in missing.stderr


def test_nothing_left_is_fine_and_somebody_left_out_is_a_refusal() -> None:
    settled = PlanTarget(name="a", number=1, why="left alone: done before: serial 1 is in use")
    refused = PlanTarget(name="b", number=2, why="refused: its identity was deleted")
    assert exit_of_plan(Plan(resumes="x", targets=[settled])) is Exit.OK
    assert exit_of_plan(Plan(resumes="x", targets=[settled, refused])) is Exit.REFUSED


@pytest.mark.parametrize("suffix", ["md", "json", "csv"])
def test_a_plan_is_exported_for_approval_and_readable_by_its_owner_only(
    operator: Mocdeck, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"plan.{suffix}"
    shown = operator("repair", "locked-kms", "--dry-run", "--export", path, "-o", "json")
    assert shown.exit_code == 0, shown.stderr
    plan = json.loads(shown.stdout)
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "locked-kms" in text
    if suffix == "json":
        assert {key: json.loads(text)[key] for key in ("schema", "hash", "targets")} == {
            key: plan[key] for key in ("schema", "hash", "targets")
        }
    elif suffix == "md":
        assert plan["hash"] in text
        assert "- Approved by: ____" in text
    assert f"The plan is in {path}" in shown.stderr


def test_a_rotations_plan_is_exported_with_its_readiness_and_every_client(operator: Mocdeck, tmp_path: Path) -> None:
    path = tmp_path / "rotation.md"
    operator("rotate-ca", "plan", "--disruptive", "--export", path)
    text = path.read_text()
    for word in (
        "Deployment, to be typed: bonn",
        "## Readiness",
        "## Clients",
        "| locked-kms |",
        "- Approved by: ____",
    ):
        assert word in text
    assert "Nothing has been changed" in text


def test_an_export_that_cannot_be_written_is_refused_before_the_agent_is_asked(
    operator: Mocdeck, tmp_path: Path
) -> None:
    unknown = operator("rotate-ca", "plan", "--export", tmp_path / "plan.pdf")
    assert (unknown.exit_code, ".md, .json or .csv" in unknown.stderr) == (Exit.USAGE, True)
    missing = operator("repair", "locked-kms", "--dry-run", "--export", tmp_path / "none" / "plan.md")
    assert (missing.exit_code, "there is no directory" in missing.stderr) == (Exit.USAGE, True)
