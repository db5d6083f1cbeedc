"""Identities, roles, clusters, contexts and the audit trail from the command line, against a real agent."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

Mocdeck = Callable[..., Result]


def names(result: Result, key: str = "name") -> set[str]:
    return {one[key] for one in json.loads(result.stdout)}


def test_an_identity_is_made_shown_and_deleted(operator: Mocdeck, tmp_path: Path) -> None:
    login = tmp_path / "new.yaml"
    made = operator(
        *("identity", "create", "made-one", "--kind", "kms", "--cluster", "wl-1", "--role", "Reader", "--out", login),
        *("--token-lifetime", "30d", "--confirm", "made-one"),
    )
    assert made.exit_code == 0, made.stderr
    assert login.stat().st_mode & 0o777 == 0o600
    text = yaml.safe_load(login.read_text())
    assert text["name"] == "made-one"
    assert text["cloudfqdn"] == "127.0.0.1"
    assert text["token"] not in made.output
    shown = json.loads(operator("identity", "show", "made-one", "-o", "json").stdout)
    assert (shown["kind"], shown["cluster"], shown["token_lifetime_seconds"]) == ("KMS", "wl-1", 30 * 86400)
    assert operator("identity", "create", "made-one", "--yes").exit_code == 5, "it is there already"
    assert operator("identity", "delete", "made-one", "--yes").exit_code == 0
    assert "made-one" not in names(operator("identity", "list", "-o", "json"))


@pytest.mark.parametrize(
    "words",
    [
        ["identity", "create", "never-made"],
        ["identity", "revoke", "fresh-caph"],
        ["identity", "delete", "fresh-caph"],
        ["identity", "login-file", "fresh-caph", "--out", "OUT"],
        ["cluster", "put", "never-made"],
        ["cluster", "remove", "wl-1"],
        ["role", "create", "never-made", "--action", "any:read"],
        ["role", "assign", "Owner", "fresh-caph"],
    ],
)
def test_nothing_is_changed_without_a_confirmation_or_by_a_dry_run(
    operator: Mocdeck, tmp_path: Path, words: list[str]
) -> None:
    words = [str(tmp_path / "out.yaml") if word == "OUT" else word for word in words]
    before = json.loads(operator("audit", "-o", "json", "--limit", "1").stdout)["events"][0]["index"]
    unasked = operator(*words)
    assert unasked.exit_code == 6
    assert "--yes" in unasked.stderr
    assert operator(*words, "--confirm", "something else").exit_code == 6
    assert operator(*words, "--dry-run").exit_code == 0
    after = json.loads(operator("audit", "-o", "json", "--limit", "1").stdout)["events"][0]["index"]
    assert after == before, "the audit trail shows no write"
    assert not (tmp_path / "out.yaml").exists()


def test_a_login_file_holds_a_fresh_token(operator: Mocdeck, tmp_path: Path) -> None:
    login = tmp_path / "fresh.yaml"
    result = operator("identity", "login-file", "new-kva", "--out", login, "--yes")
    assert result.exit_code == 0, result.stderr
    token = yaml.safe_load(login.read_text())["token"]
    assert token.count(".") == 2
    assert token not in result.output


def test_a_revoked_identity_shows_it(operator: Mocdeck) -> None:
    assert operator("identity", "create", "gone-soon", "--yes").exit_code == 0
    assert operator("identity", "revoke", "gone-soon", "--yes").exit_code == 0
    found = json.loads(operator("status", "--client", "gone-soon", "-o", "json").stdout)["clients"][0]
    assert found["state"] == "REVOKED"


def test_a_role_is_made_given_taken_and_deleted(operator: Mocdeck) -> None:
    made = operator("role", "create", "watcher", "--action", "any:read", "--not-action", "role:read", "--yes")
    assert made.exit_code == 0, made.stderr
    shown = json.loads(operator("role", "show", "watcher", "-o", "json").stdout)
    assert (shown["actions"], shown["not_actions"]) == (["any:read"], ["role:read"])
    assert operator("role", "create", "watcher", "--action", "any:read", "--yes").exit_code == 5
    assert operator("role", "assign", "watcher", "fresh-caph", "--yes").exit_code == 0
    holders = {one["name"]: one["holders"] for one in json.loads(operator("role", "list", "-o", "json").stdout)}
    assert holders["watcher"] == ["fresh-caph"]
    assert operator("role", "unassign", "watcher", "fresh-caph", "--yes").exit_code == 0
    assert operator("role", "delete", "watcher", "--yes").exit_code == 0
    assert operator("role", "show", "watcher").exit_code == 66


def test_a_provider_s_own_verb_is_an_action_too(operator: Mocdeck) -> None:
    made = operator("role", "create", "rotator", "--action", "identity:identity-rotate", "--yes")
    assert made.exit_code == 0, made.stderr
    shown = json.loads(operator("role", "show", "rotator", "-o", "json").stdout)
    assert shown["actions"] == ["identity:identity-rotate"]


def test_a_cluster_is_put_and_removed(operator: Mocdeck) -> None:
    put = operator("cluster", "put", "wl-2", "--planned-off-until", "2999-01-02", "--yes")
    assert put.exit_code == 0, put.stderr
    found = {one["name"]: one for one in json.loads(operator("cluster", "list", "-o", "json").stdout)}
    assert found["wl-2"]["planned_off_until"] == "2999-01-02T00:00:00Z"
    assert operator("cluster", "remove", "wl-2", "--yes").exit_code == 0
    found = {one["name"]: one for one in json.loads(operator("cluster", "list", "-o", "json").stdout)}
    assert found["wl-2"]["removed"]
    assert operator("cluster", "remove", "wl-9", "--yes").exit_code == 66


def test_contexts_are_listed_chosen_and_forgotten(operator: Mocdeck, agent: Any) -> None:
    login = agent.directory / "admin" / "login.yaml"
    assert operator("login", "--login-file", login, "--context", "second", *agent.way).exit_code == 0
    assert names(operator("context", "list", "-o", "json")) == {"bonn", "second"}
    assert json.loads(operator("context", "show", "-o", "json").stdout)["name"] == "second"
    assert operator("context", "use", "bonn").exit_code == 0
    assert json.loads(operator("context", "show", "-o", "json").stdout)["name"] == "bonn"
    assert operator("--context", "second", "status", "--client", "admin").exit_code == 0
    assert operator("context", "tag", "bonn", "PROD").exit_code == 0
    assert json.loads(operator("context", "show", "bonn", "-o", "json").stdout)["tag"] == "PROD"
    assert "PROD" in operator("context", "list").stdout
    assert operator("context", "tag", "bonn", "two words").exit_code == 64
    assert operator("context", "tag", "bonn").exit_code == 0
    assert json.loads(operator("context", "show", "bonn", "-o", "json").stdout)["tag"] == ""
    assert operator("context", "remove", "bonn").exit_code == 0
    assert names(operator("context", "list", "-o", "json")) == {"second"}
    assert operator("context", "use", "bonn").exit_code == 78


def test_the_audit_trail_is_read_and_verified(operator: Mocdeck) -> None:
    events = json.loads(operator("audit", "-o", "json", "--limit", "3").stdout)["events"]
    assert len(events) == 3
    assert events[0]["index"] > events[1]["index"] > events[2]["index"]
    rows = list(csv.DictReader(io.StringIO(operator("audit", "-o", "csv", "--limit", "3").stdout)))
    assert rows[0]["digest"] == events[0]["digest"]
    verdict = operator("audit", "--verify", "-o", "json")
    assert verdict.exit_code == 0
    assert json.loads(verdict.stdout)["intact"] is True


def test_a_login_file_that_could_not_be_written_makes_no_identity(operator: Mocdeck, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "login.yaml"
    result = operator("identity", "create", "never-made", "--out", missing, "--yes")
    assert result.exit_code == 64
    assert f"there is no directory {missing.parent}" in result.stderr
    assert "never-made" not in names(operator("identity", "list", "-o", "json"))
    assert operator("identity", "login-file", "fresh-caph", "--out", tmp_path, "--yes").exit_code == 64


def test_login_files_cannot_be_asked_for_without_waiting_for_them(operator: Mocdeck, tmp_path: Path) -> None:
    result = operator("repair", "locked-kms", "--no-wait", "--out", tmp_path / "f.yaml", "--yes")
    assert result.exit_code == 64
    assert "operations login-file" in result.stderr
