"""The hand-over note and the exports, against a real agent with a history."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from click.testing import Result

Mocdeck = Callable[..., "Result"]
SECRETS = re.compile(r"-----BEGIN|eyJ[A-Za-z0-9_-]{10,}|PRIVATE KEY|[A-Za-z0-9+/_-]{80,}")
VIEWS = [
    ("status",),
    ("audit", "--limit", "500"),
    ("operations", "list"),
    ("alerts", "list"),
    ("cluster", "list"),
    ("forecast", "stranded"),
    ("forecast", "safe-off"),
]


def test_a_note_names_who_did_what_and_what_falls_due(operator: Mocdeck) -> None:
    assert operator("cluster", "put", "wl-2", "--yes").exit_code == 0
    result = operator("handover", "--since", "1h", "--next", "30d", "-o", "json")
    assert result.exit_code == 0, result.stderr
    note = json.loads(result.stdout)
    assert note["schema"] == "mocdeck.handover/1"
    assert ("admin", "put_cluster", "wl-2", "done") in {
        (one["by"], one["action"], one["subject"], one["result"]) for one in note["deeds"]
    }
    assert "locked-kms" in {one["client"] for one in note["due"]}
    assert not [one for one in note["deeds"] if one["action"] == "init_agent"], "that was 200 days ago"
    assert operator("cluster", "remove", "wl-2", "--yes").exit_code == 0


def test_a_note_back_to_the_agent_s_birth_is_written_too(operator: Mocdeck) -> None:
    result = operator("handover", "--since", "2020-01-01", "-o", "json")
    assert result.exit_code == 0, result.stderr
    assert "init_agent" in {one["action"] for one in json.loads(result.stdout)["deeds"]}


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_an_empty_section_says_so(operator: Mocdeck, form: str) -> None:
    shown = operator("handover", "-o", form).stdout
    assert "Running operations: none" in shown
    assert "Hand-over of bonn" in shown
    assert not SECRETS.search(shown)


@pytest.mark.parametrize("words", [("--since", "soon"), ("--since", "2999-01-01"), ("--next", "0s"), ("--next", "-1h")])
def test_a_shift_that_cannot_be_is_refused(operator: Mocdeck, words: tuple[str, ...]) -> None:
    assert operator("handover", *words).exit_code == 64


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_every_view_has_csv_and_markdown_with_their_head_and_as_many_rows(
    operator: Mocdeck, view: tuple[str, ...]
) -> None:
    texts = {form: operator(*view, "-o", form).stdout for form in ("csv", "markdown", "json")}
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    body = [line for line in texts["markdown"].splitlines() if line.startswith("| ")]
    assert len(rows) == max(0, len(body) - 1)
    assert "observed 20" in texts["markdown"]
    assert all(row["observed_at"].endswith("Z") and row["tool_version"] for row in rows)
    json.loads(texts["json"])
    for text in texts.values():
        found = SECRETS.search(text)
        assert found is None, found


def test_a_site_s_ends_as_a_calendar(operator: Mocdeck) -> None:
    text = operator("status", "-o", "ics").stdout_bytes.decode()
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
    assert "SUMMARY:wl-1: " in text
    assert not SECRETS.search(text.replace("\r\n ", ""))
    assert "BEGIN:VEVENT" not in operator("status", "-o", "ics", "--filter", "cluster:nowhere").stdout
