"""`mocdeck update certificates | cluster-certificates` against a real agent and real clients."""

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

from backend.cli.exits import Exit
from backend.cli.follow import exit_of_operation, exit_of_plan
from backend.wire.mocdeck.v1.operation_pb2 import Operation, OperationTarget, Plan, PlanTarget

Mocdeck = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]
CLIENT_RUN = [sys.executable, "-m", "backend.cli", "client", "run", "--interval", "1s"]
CLOUD = ("update", "cluster-certificates", "wl-1", "--fix-cloud-credentials")
FORCED = ("--force", "--reason", "OPS-7", "--yes", "-o", "json")


@pytest.fixture
def management(operator: Mocdeck, agent: Any, tmp_path: Path) -> Iterator[list[str]]:
    """A management cluster with a node agent and a KVA that run."""
    assert operator("cluster", "put", "mgmt", "--management", "--yes").exit_code == 0
    running = []
    for name, kind in (("zz-host-1", "nodeagent"), ("aa-kva", "kva")):
        login = tmp_path / f"{name}.yaml"
        made = operator("identity", "create", name, "--kind", kind, "--cluster", "mgmt", "--out", login, "--yes")
        assert made.exit_code == 0, made.stderr
        process = subprocess.Popen(
            [*CLIENT_RUN, "--login-file", login, "--config", tmp_path / name / "cloudconfig", *agent.way],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        while "signed in" not in process.stderr.readline():
            assert process.poll() is None, "the client ended before it signed in"
        running.append(process)
    yield ["zz-host-1", "aa-kva"]
    for process in running:
        process.terminate()
        assert process.stderr is not None
        process.stderr.close()
        assert process.wait(timeout=20) == 0


def test_the_management_cluster_is_updated_node_agents_first_and_proved(
    operator: Mocdeck, management: list[str]
) -> None:
    left_alone = operator("update", "certificates", "--yes")
    assert left_alone.exit_code == 0, left_alone.stderr
    assert "not due: nothing changed" in left_alone.stderr
    assert "Nothing was changed" in left_alone.stderr
    assert "expected, never seen: no CAPH of management" in left_alone.stderr
    result = operator("update", "certificates", *FORCED)
    assert result.exit_code == 0, result.stderr
    operation = json.loads(result.stdout)
    assert (operation["action"], operation["state"], operation["counts"]["done"]) == ("update", "done", 2)
    assert [target["name"] for target in operation["targets"]] == management
    first, second = operation["targets"]
    assert first["ended_at"] <= second["started_at"]
    for target in operation["targets"]:
        assert target["new_serial"] != target["old_serial"]
        assert "the client stored the new token" in target["result"]
        assert "is in use" in target["result"]
    again = operator("update", "certificates", "--dry-run", "-o", "json")
    assert again.exit_code == 0
    plan = json.loads(again.stdout)
    assert plan["runs"] == 0, "what was just updated is not due"
    assert [target["name"] for target in plan["targets"] if not target["seen"]] == [
        f"{kind} of management" for kind in ("KMS", "CloudOperator", "CSI", "CertManager", "CAPH", "CloudProvider")
    ]


def test_a_clusters_plan_names_for_each_client_what_it_gets_and_what_is_left_alone(operator: Mocdeck) -> None:
    result = operator(*CLOUD, "--dry-run", "-o", "json")
    assert result.exit_code == 0, result.stderr
    plan = json.loads(result.stdout)
    targets = {target["name"]: target for target in plan["targets"]}
    assert targets["locked-kms"]["steps"] == ["rotate", "hand over", "sign in"]
    assert targets["locked-kms"]["certificate_then"] > targets["locked-kms"]["certificate_now"]
    assert targets["locked-kms"]["token_then"]
    assert "fresh-caph" not in targets, "no part of this cmdlet's work"
    assert not targets["CertManager in wl-1"]["seen"]
    assert any("kubelets" in warning for warning in plan["warnings"])
    shown = operator(*CLOUD, "--patch-load-balancer", "--dry-run").stdout
    assert "LBAgent in wl-1" in shown
    assert "never seen" in shown
    assert "stopping at the first failure" in shown
    assert "stopping at 3 failures" in operator(*CLOUD, "--max-failures", "3", "--dry-run").stdout


def test_without_a_terminal_and_a_confirmation_nothing_is_changed(operator: Mocdeck) -> None:
    before = operator("operations", "list", "-o", "json").stdout
    assert operator(*CLOUD).exit_code == 6
    assert operator(*CLOUD, "--confirm", "0" * 64).exit_code == 6
    assert operator("operations", "list", "-o", "json").stdout == before


def test_kubelet_credentials_are_understood_and_refused_with_the_reason(mocdeck: Mocdeck) -> None:
    result = mocdeck("update", "cluster-certificates", "wl-1", "--fix-kubelet-credentials")
    assert result.exit_code == 5
    assert "this agent has no hand on them" in result.stderr
    assert "Nothing was changed" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cluster-certificates", "--fix-cloud-credentials"), "NAME"),
        (("cluster-certificates", "", "--fix-cloud-credentials"), "empty name"),
        (("cluster-certificates", " ", "--fix-cloud-credentials"), "empty name"),
        (("cluster-certificates", "wl-1"), "--fix-cloud-credentials"),
        (("cluster-certificates", "wl-1", "--patch-load-balancer"), "--fix-cloud-credentials"),
        (("cluster-certificates", "wl-1", "--fix-cloud-credentials", "--fix-kubelet-credentials"), "two runs"),
        (("certificates", "--force"), "--reason"),
        (("certificates", "--parallel", "5"), "1<=x<=4"),
        (("certificates", "--max-failures", "0"), "1<=x<=100"),
    ],
)
def test_bad_usage_is_told_before_the_agent_is_asked(words: tuple[str, ...], said: str, mocdeck: Mocdeck) -> None:
    result = mocdeck("update", *words)
    assert result.exit_code == 64
    assert said in result.stderr


def test_a_cluster_that_is_not_there_is_not_found(operator: Mocdeck) -> None:
    result = operator("update", "cluster-certificates", "wl-9", "--fix-cloud-credentials", "--dry-run")
    assert result.exit_code == 66
    assert "mocdeck cluster list" in result.stderr


def test_the_commands_are_found_by_the_names_of_the_cmdlets(mocdeck: Mocdeck) -> None:
    top = " ".join(mocdeck("--help").stdout.split())
    for cmdlet in ("Update-AksHciCertificates", "Update-AksHciClusterCertificates", "Invoke-AksHciRotateCACertificate"):
        assert cmdlet in top
    for words, cmdlet in (
        (("update", "certificates"), "Update-AksHciCertificates"),
        (("update", "cluster-certificates"), "Update-AksHciClusterCertificates"),
        (("rotate-ca",), "Invoke-AksHciRotateCACertificate"),
    ):
        assert cmdlet in mocdeck(*words, "--help").stdout


def test_stored_but_not_in_use_has_its_own_exit_code() -> None:
    unused = OperationTarget(state="failed", result="stored but not in use: restart the client")
    silent = OperationTarget(state="failed", result="no answer")
    done = OperationTarget(state="done")
    for targets, code in (
        ([unused], Exit.UNVERIFIED),
        ([done, unused], Exit.UNVERIFIED),
        ([done, silent], Exit.PARTLY),
        ([done, silent, unused], Exit.PARTLY),
    ):
        operation = Operation(state="failed", done=sum(target is done for target in targets), targets=targets)
        assert exit_of_operation(operation) is code


@pytest.mark.parametrize(
    ("targets", "code"),
    [
        ([PlanTarget(number=1, why="not due: nothing changed")], Exit.OK),
        ([PlanTarget(number=1, why="left alone: load balancer agents"), PlanTarget(why="expected")], Exit.OK),
        ([PlanTarget(number=1, why="refused: it is revoked")], Exit.REFUSED),
        ([PlanTarget(why="expected, never seen")], Exit.REFUSED),
    ],
)
def test_an_update_that_touches_nobody_fails_only_when_somebody_is_refused(
    targets: list[PlanTarget], code: Exit
) -> None:
    assert exit_of_plan(Plan(action="UPDATE", targets=targets)) is code
