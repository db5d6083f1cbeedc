"""`mocdeck rotate-ca`: a dry run unless everything is given, and the deployment's name has to be typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Mocdeck = Callable[..., Result]


def plan(operator: Mocdeck) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(operator("rotate-ca", "plan", "--disruptive", "-o", "json").stdout)
    return values


def overlap_plan(operator: Mocdeck, *words: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(operator("rotate-ca", "plan", *words, "-o", "json").stdout)
    return values


def test_the_plan_names_every_client_with_its_way_back(operator: Mocdeck) -> None:
    made = plan(operator)
    assert made["schema"] == "mocdeck.rotation-plan/1"
    assert {one["name"] for one in made["clients"]} == {"admin", "locked-kms", "due-csi", "fresh-caph", "new-kva"}
    assert all(one["route"] and one["why"] for one in made["clients"])
    assert made["duration"]
    text = operator("rotate-ca", "plan")
    assert text.exit_code == 0, text.stderr
    assert "Nothing was changed" in text.stderr


def test_nothing_starts_without_a_plan(operator: Mocdeck) -> None:
    assert operator("rotate-ca", "start").exit_code == 64
    assert json.loads(operator("rotate-ca", "status", "-o", "json").stdout) is None


@pytest.mark.parametrize("confirm", ["", "Bonn", "bonn ", "y"])
def test_only_the_exact_name_starts_it(operator: Mocdeck, confirm: str) -> None:
    made = plan(operator)
    words = ["rotate-ca", "start", "--plan", made["id"], "--hash", made["hash"], "--reason", "test"]
    assert operator(*words, "--confirm", confirm).exit_code == 6
    assert json.loads(operator("rotate-ca", "status", "-o", "json").stdout) is None


def test_hash_and_reason_are_wanted(operator: Mocdeck) -> None:
    made = plan(operator)
    assert operator("rotate-ca", "start", "--plan", made["id"], "--confirm", "bonn", "--reason", "x").exit_code == 64
    assert operator("rotate-ca", "start", "--plan", made["id"], "--confirm", "bonn", "--hash", "ab").exit_code == 64


def test_another_hash_is_refused_by_the_agent_and_audited(operator: Mocdeck) -> None:
    made = plan(operator)
    words = ["rotate-ca", "start", "--plan", made["id"], "--hash", "0" * 64, "--reason", "test", "--confirm", "bonn"]
    result = operator(*words)
    assert result.exit_code == 6
    newest = json.loads(operator("audit", "-o", "json", "--limit", "1").stdout)["events"][0]
    assert newest["outcome"] == "refused"


def test_it_starts_and_can_be_given_up_before_the_cutover(operator: Mocdeck) -> None:
    made = plan(operator)
    words = [
        "rotate-ca",
        "start",
        "--plan",
        made["id"],
        "--hash",
        made["hash"],
        "--reason",
        "test",
        "--confirm",
        "bonn",
    ]
    started = operator(*words, "--no-wait", "-o", "json")
    assert started.exit_code == 0, started.stderr
    values = json.loads(started.stdout)
    counts = values["counts"]
    assert counts["total"] == sum(value for key, value in counts.items() if key != "total")
    refused = operator("renew", "due-csi", "--yes")
    assert refused.exit_code != 0, "nothing else is changed while it is open"
    assert operator("rotate-ca", "abort", "--confirm", "oslo").exit_code == 6
    aborted = operator("rotate-ca", "abort", "--confirm", "bonn", "--reason", "test")
    assert aborted.exit_code == 0, aborted.stderr
    ended = operator("rotate-ca", "status", "--follow", "--timeout", "20s", "-o", "json")
    assert ended.exit_code == 5
    assert json.loads(ended.stdout)["outcome"] == "aborted"


def test_the_issuing_ca_cannot_be_destroyed(operator: Mocdeck) -> None:
    assert operator("rotate-ca", "destroy", "1").exit_code == 6
    assert operator("rotate-ca", "destroy", "1", "--confirm", "bonn").exit_code == 5


def test_without_a_word_the_plan_is_one_with_overlap_and_says_how_each_client_gets_through(operator: Mocdeck) -> None:
    made = overlap_plan(operator, "--auto", "--shadow-for", "2d", "--stop-percent", "0")
    assert made["kind"] == "overlap"
    settings = {"automatic": True, "shadow_seconds": 172800, "quiet_seconds": 0, "stop_percent": 0}
    assert made["settings"] == settings
    assert sum(made["counts"].values()) == len(made["clients"])
    assert all(one["route"] and one["why"] and one["after"] for one in made["clients"])
    assert operator("rotate-ca", "plan", "--disruptive", "--auto").exit_code == 64


def test_one_with_overlap_starts_is_held_and_rolled_back_from_scripts(operator: Mocdeck) -> None:
    made = overlap_plan(operator, "--auto")
    words = ["--plan", made["id"], "--hash", made["hash"], "--reason", "test", "--confirm", "bonn"]
    started = operator("rotate-ca", "start", *words, "--no-wait", "-o", "json")
    assert started.exit_code == 0, started.stderr
    counts = json.loads(started.stdout)["counts"]
    assert counts["total"] == sum(value for key, value in counts.items() if key != "total")
    assert operator("rotate-ca", "abort", "--confirm", "bonn", "--reason", "x").exit_code != 0, (
        "that is the other kind's"
    )
    assert operator("rotate-ca", "hold", "--confirm", "bonn").exit_code != 0, "a hold says why"
    held = operator("rotate-ca", "hold", "--confirm", "bonn", "--reason", "lunch")
    assert held.exit_code == 0, held.stderr
    watched = operator("rotate-ca", "status", "--follow", "-o", "json")
    assert watched.exit_code == 7, "it waits for a person"
    assert "lunch" in json.loads(watched.stdout)["held"]
    assert operator("rotate-ca", "rollback", "--confirm", "oslo", "--reason", "test").exit_code == 6
    assert operator("rotate-ca", "rollback", "--confirm", "bonn", "--reason", "test").exit_code == 0
    ended = operator("rotate-ca", "status", "--follow", "--timeout", "20s", "-o", "json")
    assert ended.exit_code == 5
    assert json.loads(ended.stdout)["outcome"] in {"rolled_back", "aborted"}


def test_nobody_approves_their_own_plan(operator: Mocdeck) -> None:
    made = overlap_plan(operator)
    words = ["--plan", made["id"], "--hash", made["hash"], "--confirm", "bonn"]
    assert operator("rotate-ca", "approve", *words).exit_code == 6
