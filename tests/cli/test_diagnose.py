"""`mocdeck diagnose`: offline, ranked, with exit codes for scripts, and without repeating what was pasted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from backend.cli.root import cli
from tests.cli.test_start import fresh, loaded

Mocdeck = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]


def test_an_argument_gets_its_diagnosis_and_what_not_to_do(mocdeck: Mocdeck) -> None:
    result = mocdeck("diagnose", "x509: certificate", "signed by unknown authority")
    assert result.exit_code == 0
    assert "One message fits." in result.stdout
    assert "do       Compare the CA's fingerprint" in result.stdout
    assert "do not   Do not renew" in result.stdout


def test_a_file_and_standard_input_are_read_too(mocdeck: Mocdeck, tmp_path: Path) -> None:
    log = tmp_path / "kube.log"
    log.write_bytes(b"\xff\xfe noise\nValid Token\n Required\n")
    assert "rotate-token" in mocdeck("diagnose", "--file", log).stdout
    result = CliRunner().invoke(cli, ["diagnose"], input="E1122 OutOfCapacity\n")
    assert "No node agent is signed in" in result.stdout
    assert "OutOfCapacity" in CliRunner().invoke(cli, ["diagnose", "--file", "-"], input="OutOfCapacity").stdout


def test_json_has_a_schema_and_ranks(mocdeck: Mocdeck) -> None:
    result = mocdeck("diagnose", "-o", "json", "rpc error: deadline exceeded; Valid Token Required")
    document = json.loads(result.stdout)
    assert document["schema"] == "mocdeck.diagnosis/1"
    assert [one["rank"] for one in document["diagnoses"]] == [1, 2]
    assert {one["id"] for one in document["diagnoses"]} == {"agent_unreachable", "token_not_valid"}
    assert all(one["action"] and one["diagnosis"] for one in document["diagnoses"])


def test_nothing_that_fits_is_said_and_has_its_exit_code(mocdeck: Mocdeck) -> None:
    for form in ("text", "json"):
        result = mocdeck("diagnose", "-o", form, "the printer is on fire")
        assert result.exit_code == 66
        assert "No known message fits" in result.output
    assert json.loads(result.stdout)["diagnoses"] == []


def test_no_text_at_all_is_a_mistake(mocdeck: Mocdeck, tmp_path: Path) -> None:
    assert mocdeck("diagnose", "  ").exit_code == 64
    assert mocdeck("diagnose", "x", "--file", __file__).exit_code == 64
    assert mocdeck("diagnose", "--file", tmp_path / "missing").exit_code == 64


def test_a_token_in_the_pasted_text_is_not_printed(mocdeck: Mocdeck) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJrbXMifQ.c2VjcmV0"
    for form in ("text", "json"):
        assert token not in mocdeck("diagnose", "-o", form, f"login {token}: Valid Token Required").output


def test_it_needs_no_agent_no_context_and_loads_neither_network_nor_screen() -> None:
    result = fresh("diagnose", "Valid Token Required")
    assert result.returncode == 0, result.stderr
    assert not loaded(result) & {"grpc", "cryptography", "textual", "rich", "sqlalchemy", "yaml", "backend.client"}


def test_a_pipe_works_as_a_shell_uses_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backend.cli", "diagnose"],
        cwd=ROOT,
        input="unknown flag: --x",
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert "different versions" in done.stdout
