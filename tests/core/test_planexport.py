"""A plan for approval: whole, harmless, and with its hash."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from backend.core.export import Head
from backend.core.planexport import PLAN_FORMS, Part, PlanSheet

HEAD = Head(
    observed_at=datetime(2026, 11, 27, 12, tzinfo=UTC), agent="a:1", deployment="bonn", tool_version="1", simulated=True
)
TEXTS = st.text(max_size=40)


def sheet(name: str, why: str = "due") -> PlanSheet:
    return PlanSheet(
        kind="plan",
        title="Plan: renew 1 clients",
        facts=[("Hash", "ab" * 32), ("Forced, because", "")],
        warnings=["the CA ends first"],
        parts=[
            Part(title="What is done", names=("CLIENT", "WHY"), rows=[[name, why]]),
            Part(title="Left alone", names=("CLIENT", "WHY"), rows=[]),
        ],
        values={"schema": "mocdeck.plan/1", "hash": "ab" * 32, "targets": [{"name": name}]},
    )


def test_markdown_has_facts_warnings_tables_and_lines_to_sign() -> None:
    text = PLAN_FORMS["markdown"](sheet("kms-1"), HEAD)
    assert text.startswith("# Plan: renew 1 clients **SIMULATED**")
    for line in ("- Hash: " + "ab" * 32, "- the CA ends first", "| kms-1 | due |", "none", "## Approval"):
        assert line in text.splitlines()
    assert "Forced" not in text, "a fact that is not there is not named"


def test_json_has_the_plan_and_when_it_was_seen() -> None:
    found = json.loads(PLAN_FORMS["json"](sheet("kms-1"), HEAD))
    assert (found["schema"], found["observed_at"], found["simulated"]) == (
        "mocdeck.plan/1",
        "2026-11-27T12:00:00Z",
        True,
    )


@given(name=TEXTS, why=TEXTS)
def test_no_name_ends_a_cell_begins_a_formula_or_moves_a_cursor(name: str, why: str) -> None:
    text = PLAN_FORMS["markdown"](sheet(name, why), HEAD)
    row = text.split("|---|---|\n")[1].splitlines()[0]
    assert row.replace("\\|", "").count("|") == 3
    assert all(character.isprintable() for line in text.split("\n") for character in line)
    rows = list(csv.reader(io.StringIO(PLAN_FORMS["csv"](sheet(name, why), HEAD))))
    assert len(rows) == 2
    assert not rows[1][0].lstrip(" ").startswith(("=", "+", "-", "@"))
    json.loads(PLAN_FORMS["json"](sheet(name, why), HEAD))
