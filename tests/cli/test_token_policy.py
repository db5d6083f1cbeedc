"""`mocdeck token-policy` against a real agent that was started with rules."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from backend.cli.exits import Exit
from backend.cli.root import cli

Mocdeck = Callable[..., Result]
RULES = """
rotate:
  - {name: plug-ins, kinds: [KMS], overlap: 12h}
  - {name: left, kinds: [KVA], rotate: false}
"""


@pytest.fixture(scope="module")
def ruled(
    born: Path, start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mocdeck, Path]]:
    """An agent with a policy, and its administrator's command line."""
    directory = tmp_path_factory.mktemp("ruled") / "agent"
    shutil.copytree(born, directory)
    (directory / "tokens.yaml").write_text(RULES)
    (directory / "tokens.yaml").chmod(0o600)
    running, end = start(directory)
    home = tmp_path_factory.mktemp("home")

    def run(*words: object) -> Result:
        result = CliRunner(env={"MOCDECK_HOME": str(home), "HOME": str(home)}).invoke(cli, [str(one) for one in words])
        assert "Traceback" not in result.stderr
        return result

    made = run("login", "--login-file", directory / "admin" / "login.yaml", "--context", "bonn", *running.way)
    assert made.exit_code == 0, made.stderr
    yield run, home
    assert end(running) == 0


def test_the_rules_in_force_are_shown_with_how_many_each_is_for(ruled: tuple[Mocdeck, Path]) -> None:
    run, _ = ruled
    found = json.loads(run("token-policy", "show", "-o", "json").stdout)
    assert [(rule["name"], rule["rotates"], rule["clients"]) for rule in found["rules"]] == [
        ("plug-ins", True, 1),
        ("left", False, 1),
    ]
    text = run("token-policy", "show").stdout
    assert "rotates, overlap 12h" in text
    assert "leaves to a person" in text


def test_a_rotation_that_cannot_work_is_told_with_its_reason_and_exit_code_1(ruled: tuple[Mocdeck, Path]) -> None:
    """locked-kms has been due for months, sends no heartbeats and has no place for a login file."""
    run, _ = ruled
    for _ in range(50):  # the agent's first round may not be over yet
        shown = run("token-policy", "show")
        if shown.exit_code == Exit.WARNING:
            break
    assert shown.exit_code == Exit.WARNING
    assert "there is no way to it" in shown.stdout
    described = run("describe", "locked-kms").stdout
    assert "by the agent, by policy, rule plug-ins" in described
    assert "there is no way to it" in described
    values = json.loads(run("describe", "locked-kms", "-o", "json").stdout)["token_rotation"]
    assert (values["by"], values["overlap_seconds"]) == ("policy", 43200)
    assert "by nobody, a person does" in run("describe", "due-csi").stdout


def test_a_dry_run_says_who_when_and_by_which_way(ruled: tuple[Mocdeck, Path]) -> None:
    run, _ = ruled
    planned = run("token-policy", "plan", "-o", "json")
    assert planned.exit_code == Exit.WARNING, "locked-kms is due and cannot be reached"
    found = {one["name"]: one for one in json.loads(planned.stdout)["clients"]}
    assert (found["locked-kms"]["rotated_by"], found["locked-kms"]["rule"]) == ("policy", "plug-ins")
    assert (found["new-kva"]["rotated_by"], found["new-kva"]["rule"]) == ("nobody", "left")
    assert (found["admin"]["rotated_by"], found["admin"]["way"]) == ("flag", "login file")
    one = run("token-policy", "plan", "fresh-caph")
    assert one.exit_code == 0
    assert "waits; then a person rotates it" in one.stdout
    assert run("token-policy", "plan", "nobody-there").exit_code == Exit.USAGE
    for form in ("csv", "markdown"):
        assert "locked-kms" in run("token-policy", "plan", "-o", form).stdout


def test_a_file_is_tried_before_it_is_put_in_place(ruled: tuple[Mocdeck, Path], tmp_path: Path) -> None:
    run, _ = ruled
    path = tmp_path / "try.yaml"
    path.write_text("rotate:\n  - {name: all, all: true}\n")
    tried = run("token-policy", "plan", "--file", path)
    assert "policy (now nobody)" in tried.stdout
    assert "1 rule. With it 3 of 5 clients would be rotated by somebody else than now" in tried.stderr
    path.write_text("rotate:\n  - {name: all}\n")
    refused = run("token-policy", "plan", "--file", path)
    assert refused.exit_code == Exit.USAGE
    assert f"{path}: rotate[0] must have either" in refused.stderr
    assert run("token-policy", "plan", "--file", tmp_path / "none.yaml").exit_code == Exit.NOT_FOUND
    again = json.loads(run("token-policy", "show", "-o", "json").stdout)
    assert len(again["rules"]) == 2, "nothing was changed"


def test_a_changed_policy_is_in_the_audit_trail(ruled: tuple[Mocdeck, Path]) -> None:
    run, _ = ruled
    assert "set_token_policy" in run("audit", "--limit", "200").stdout
