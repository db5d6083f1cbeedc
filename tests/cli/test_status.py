"""`mocdeck status` against a real agent: what it shows, and with which code it ends."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
import yaml
from click.testing import Result

Mocdeck = Callable[..., Result]


def clients(result: Result) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in json.loads(result.stdout)["clients"]}


def test_every_client_is_listed_worst_first_with_its_state(operator: Mocdeck) -> None:
    document = json.loads(operator("status", "--output", "json").stdout)
    states = {one["name"]: one["state"] for one in document["clients"]}
    assert states["locked-kms"] == "LOCKED OUT"
    assert states["new-kva"] == "NEVER SIGNED IN"
    assert states["admin"] == "OK"
    assert document["clients"][0]["name"] == "locked-kms"
    ranks = ["expired", "critical", "unknown", "warning", "info", "ok"]
    severities = [ranks.index(one["severity"]) for one in document["clients"]]
    assert severities == sorted(severities)


def test_the_json_document_names_its_schema_and_sums_up(operator: Mocdeck) -> None:
    document = json.loads(operator("status", "-o", "json").stdout)
    assert document["schema"] == "mocdeck.status/1"
    assert document["deployment"] == "bonn"
    assert document["simulated"] is False
    counts = document["counts"]
    assert counts["total"] == counts["shown"] == len(document["clients"]) == 5
    assert sum(counts[word] for word in ("expired", "critical", "unknown", "warning", "info", "ok")) == 5
    assert [one["generation"] for one in document["authorities"]] == [1]
    assert [one["name"] for one in document["clusters"]] == ["wl-1"]


def test_a_row_that_is_not_well_says_why(operator: Mocdeck) -> None:
    found = clients(operator("status", "-o", "json"))
    assert all(one["reasons"] for one in found.values() if one["state"] != "OK")


def test_the_exit_code_is_that_of_the_worst_client_shown(operator: Mocdeck) -> None:
    assert operator("status").exit_code == 2
    assert operator("status", "--client", "new-kva").exit_code == 1
    assert operator("status", "--client", "admin").exit_code == 0
    assert operator("status", "--client", "admin", "--client", "new-*").exit_code == 1


def test_an_end_within_the_given_time_is_critical(operator: Mocdeck) -> None:
    assert operator("status", "--client", "admin", "--fail-within", "80d").exit_code == 0
    assert operator("status", "--client", "admin", "--fail-within", "91d").exit_code == 2


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--state", "locked-out"], {"locked-kms"}),
        (["--severity", "ok"], {"admin", "fresh-caph"}),
        (["--cluster", "wl-1", "--state", "ok"], {"fresh-caph"}),
        (["--filter", "state:never"], {"new-kva"}),
        (["--filter", "kms"], {"locked-kms"}),
        (["--client", "no-such-client"], set()),
    ],
)
def test_selections_are_joined_by_and(operator: Mocdeck, words: list[str], names: set[str]) -> None:
    result = operator("status", "-o", "json", *words)
    assert set(clients(result)) == names
    assert json.loads(result.stdout)["counts"]["total"] == 5


def test_an_empty_selection_names_the_filters(operator: Mocdeck) -> None:
    result = operator("status", "--filter", "nothing-like-it")
    assert result.exit_code == 0
    assert "No client fits: nothing-like-it" in result.stdout
    assert "0 of 5" in result.stdout


def test_a_filter_that_cannot_be_understood_is_bad_usage(operator: Mocdeck) -> None:
    result = operator("status", "--filter", "colour:red")
    assert result.exit_code == 64
    assert "colour" in result.stderr
    assert not result.stdout


def test_the_table_is_aligned_plain_and_without_colour_in_a_pipe(operator: Mocdeck) -> None:
    result = operator("status")
    assert "\x1b" not in result.stdout
    lines = result.stdout.splitlines()
    header = next(line for line in lines if line.startswith("SEVERITY"))
    rows = lines[lines.index(header) + 1 :]
    assert len(rows) == 5
    column = header.index("CLIENT")
    assert {row[column:] for row in rows} == {"admin", "locked-kms", "due-csi", "fresh-caph", "new-kva"}
    assert all(row[column - 1] == " " for row in rows)


def test_the_other_forms_have_the_same_clients(operator: Mocdeck) -> None:
    rows = list(csv.DictReader(io.StringIO(operator("status", "-o", "csv").stdout)))
    assert {row["client"] for row in rows} == {"admin", "locked-kms", "due-csi", "fresh-caph", "new-kva"}
    assert {row["deployment"] for row in rows} == {"bonn"}
    assert len(yaml.safe_load(operator("status", "-o", "yaml").stdout)["clients"]) == 5
    assert operator("status", "-o", "markdown").stdout.count("\n| ") == 6


def test_no_form_shows_a_token_or_a_key(operator: Mocdeck) -> None:
    for form in ("table", "json", "yaml", "csv", "markdown"):
        shown = operator("status", "-o", form).stdout
        assert "eyJ" not in shown
        assert "PRIVATE KEY" not in shown


def test_one_client_in_full(operator: Mocdeck) -> None:
    result = operator("describe", "locked-kms")
    assert result.exit_code == 0
    assert "LOCKED OUT" in result.stdout
    assert "expired" in result.stdout
    assert json.loads(operator("describe", "admin", "-o", "json").stdout)["schema"] == "mocdeck.client/1"
    assert "PRIVATE KEY" not in result.stdout


def test_an_unknown_client_is_not_found(operator: Mocdeck) -> None:
    result = operator("describe", "nobody")
    assert result.exit_code == 66
    assert "nobody" in result.stderr
