"""`mocdeck renew | rotate-token | repair | operations` against a real agent and real clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from backend.cli.root import Root
from backend.cli.session import sole_change

Mocdeck = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
CLIENT_RUN = [sys.executable, "-m", "backend.cli", "client", "run", "--interval", "1s"]


@pytest.fixture
def living(operator: Mocdeck, agent: Any, tmp_path: Path) -> Iterator[str]:
    """A client that runs and sends a heartbeat every second."""
    name = f"living-{tmp_path.name}".lower()[:60].rstrip("-_")
    login = tmp_path / "living.yaml"
    made = operator("identity", "create", name, "--kind", "csi", "--cluster", "wl-1", "--out", login, "--yes")
    assert made.exit_code == 0, made.stderr
    config = tmp_path / "living" / "cloudconfig"
    process = subprocess.Popen(
        [*CLIENT_RUN, "--login-file", login, "--config", config, *agent.way],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "signed in" not in process.stderr.readline():
        assert process.poll() is None, "the client ended before it signed in"
    yield name
    process.terminate()
    process.stderr.close()
    assert process.wait(timeout=20) == 0, "SIGTERM ends a client gracefully"


def test_a_dry_run_shows_the_plan_and_changes_nothing(operator: Mocdeck) -> None:
    result = operator("repair", "locked-kms", "--dry-run", "-o", "json")
    assert result.exit_code == 0, result.stderr
    plan = json.loads(result.stdout)
    assert plan["schema"] == "mocdeck.plan/1"
    assert plan["runs"] == 1
    assert plan["targets"][0]["route"] == "manual"
    assert json.loads(operator("operations", "list", "-o", "json").stdout) == []


def test_without_a_terminal_and_a_confirmation_nothing_is_changed(operator: Mocdeck) -> None:
    result = operator("repair", "locked-kms")
    assert result.exit_code == 6
    assert "LOCKED" not in result.stdout
    assert "--confirm" in result.stderr
    assert json.loads(operator("operations", "list", "-o", "json").stdout) == []


def test_another_hash_than_the_shown_one_confirms_nothing(operator: Mocdeck) -> None:
    assert operator("repair", "locked-kms", "--confirm", "0" * 64).exit_code == 6
    plan = json.loads(operator("repair", "locked-kms", "--dry-run", "-o", "json").stdout)
    assert operator("repair", "locked-kms", "--confirm", plan["hash"][:15]).exit_code == 6, "too short to be a hash"
    assert json.loads(operator("operations", "list", "-o", "json").stdout) == []


def test_nothing_due_is_no_failure_and_a_refusal_is_one(operator: Mocdeck) -> None:
    not_due = operator("renew", "admin", "--yes")
    assert not_due.exit_code == 0
    assert "not due" in not_due.stderr
    refused = operator("renew", "locked-kms", "--yes")
    assert refused.exit_code == 5
    assert "repair" in refused.stderr


def test_bad_usage_is_told_before_the_agent_is_asked(mocdeck: Mocdeck) -> None:
    assert mocdeck("renew").exit_code == 64
    assert mocdeck("renew", "a", "--filter", "b").exit_code == 64
    forced = mocdeck("renew", "a", "--force")
    assert forced.exit_code == 64
    assert "--reason" in forced.stderr
    assert mocdeck("renew", "a", "--parallel", "5").exit_code == 64


def test_a_filter_that_fits_nobody_is_nothing_to_do(operator: Mocdeck) -> None:
    result = operator("renew", "--filter", "no-such-client", "--yes")
    assert result.exit_code == 0
    assert "nothing to do" in result.stderr


def test_a_renewal_is_done_when_the_new_serial_is_in_use(operator: Mocdeck, living: str) -> None:
    plan = json.loads(operator("renew", living, "--force", "--reason", "test", "--dry-run", "-o", "json").stdout)
    result = operator(
        *("renew", living, "--force", "--reason", "test", "--confirm", plan["hash"][:16], "-o", "json"),
    )
    assert result.exit_code == 0, result.stderr
    operation = json.loads(result.stdout)
    assert operation["state"] == "done"
    target = operation["targets"][0]
    assert target["new_serial"] != target["old_serial"]
    current = json.loads(operator("describe", living, "-o", "json").stdout)["certificates"]
    assert current[0]["serial"] == target["new_serial"]
    assert current[0]["last_used_at"]
    shown = operator("operations", "show", operation["id"], "--follow")
    assert shown.exit_code == 0
    assert target["new_serial"][:16] in shown.stdout


def test_a_refused_client_beside_a_done_one_is_partly_done(operator: Mocdeck, living: str) -> None:
    result = operator("rotate-token", living, "locked-kms", "--force", "--reason", "test", "--yes")
    assert result.exit_code == 4, result.stderr
    assert "1 done" in result.stdout


def test_a_client_out_of_reach_is_repaired_by_a_file_that_a_person_carries(
    operator: Mocdeck, agent: Any, tmp_path: Path
) -> None:
    login = tmp_path / "carried.yaml"
    waiting = operator("repair", "locked-kms", "--yes", "--out", login, "--timeout", "1s", "-o", "json")
    assert waiting.exit_code == 7, waiting.stderr
    assert login.stat().st_mode & 0o777 == 0o600
    assert str(login) in waiting.stderr
    assert "token" not in waiting.stdout.replace("rotate token", "")
    operation = json.loads(waiting.stdout)["id"]
    config = tmp_path / "kms" / "cloudconfig"
    came_back = operator("client", "login", "--login-file", login, "--config", config, *agent.way)
    assert came_back.exit_code == 0, came_back.stderr
    beat = subprocess.Popen(
        [*CLIENT_RUN, "--config", config, *agent.way],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        ended = operator("operations", "show", operation, "--follow", "--timeout", "20s")
    finally:
        beat.terminate()
        beat.wait(timeout=20)
    assert ended.exit_code == 0, ended.stderr
    assert "1 done" in ended.stdout


def test_the_second_of_two_overlapping_runs_ends_at_once(
    operator: Mocdeck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCDECK_HOME", str(tmp_path / "home"))
    with sole_change(Root()):
        result = operator("renew", "due-csi", "--yes")
        assert result.exit_code == 75
        assert f"process {os.getpid()}" in result.stderr
        assert operator("renew", "due-csi", "--dry-run").exit_code in {0, 5}, "looking is always possible"
    assert operator("renew", "due-csi", "--yes").exit_code != 75


def test_an_unknown_operation_is_not_found(operator: Mocdeck) -> None:
    assert operator("operations", "show", "no-such-id").exit_code == 66
