"""`mocdeck demo --headless` as a user runs it: real processes, real TLS, real files, and nothing left afterwards."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

from backend.client.access_file import read_access_file
from backend.clock import SystemClock
from backend.core.rotation import Phase
from backend.demo.cast import CAST, DEPLOYMENT
from backend.wire.mocdeck.v1 import authority_pb2

if TYPE_CHECKING:
    from tests.demo.conftest import Demo, Launching

LIVING = {story.name for story in CAST if story.living is not None}
LOCKED_OUT = {"ledger-certmgr"}  # it runs, and only its login file can bring it back


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def heard(demo: Demo) -> set[str]:
    """The clients whose heartbeats have come and are not late."""
    fleet = demo.fleet()
    return {name for name, one in fleet.items() if one["heartbeat_at"] and "STALE" not in one["overlays"]}


async def test_status_lists_every_client_and_a_due_one_renews_when_it_is_told_to(shared_demo: Demo) -> None:
    assert set(shared_demo.fleet()) == {story.name for story in CAST} | {"admin"}
    await shared_demo.until(lambda: heard(shared_demo) >= LIVING - LOCKED_OUT)
    cloudconfig = shared_demo.root / "clients" / "ledger-csi" / "cloudconfig"
    before = read_access_file(cloudconfig)
    done = shared_demo.mocdeck("renew", "ledger-csi", "--yes", "--timeout", "25s")
    assert done.returncode == 0, done.stderr
    after = read_access_file(cloudconfig)
    assert after.serial != before.serial
    assert after.validity.not_after > before.validity.not_after
    assert f"{after.serial:x} is in use" in done.stdout + done.stderr
    assert shared_demo.fleet()["ledger-csi"]["state"] == "OK"


async def test_a_locked_out_client_is_repaired_by_the_file_that_the_agent_writes(shared_demo: Demo) -> None:
    done = shared_demo.mocdeck("repair", "ledger-certmgr", "--yes", "--timeout", "28s")
    assert done.returncode == 0, done.stderr
    assert shared_demo.fleet()["ledger-certmgr"]["state"] == "OK"


async def test_a_latent_client_takes_its_fresh_token_over_its_heartbeat(shared_demo: Demo) -> None:
    assert shared_demo.fleet()["shop-csi"]["state"] == "LATENT"
    done = shared_demo.mocdeck("rotate-token", "shop-csi", "--yes", "--timeout", "25s")
    assert done.returncode == 0, done.stderr
    assert shared_demo.fleet()["shop-csi"]["state"] == "OK"


async def test_an_agent_that_is_killed_is_started_again_on_its_ports(shared_demo: Demo) -> None:
    os.kill(shared_demo.children["agent"], signal.SIGKILL)
    await shared_demo.until(lambda: "agent was started again" in shared_demo.log)
    assert "agent ended with code -9" in shared_demo.log
    await shared_demo.until(lambda: shared_demo.mocdeck("status", "--output", "json").stdout)
    await shared_demo.until(lambda: heard(shared_demo))  # each tries again after its own, growing pause


async def test_sigterm_ends_everything_and_leaves_nothing(demo: Demo) -> None:
    root, children = demo.root, demo.children
    assert root.stat().st_mode & 0o777 == 0o700
    assert demo.end() == 0
    assert not root.exists()
    assert not any(is_alive(pid) for pid in children.values())


async def test_nothing_is_left_when_the_demo_itself_is_killed(demo: Demo) -> None:
    root, children = demo.root, demo.children
    demo.end(signal.SIGKILL)
    await demo.until(lambda: not root.exists() and not any(is_alive(pid) for pid in children.values()))


async def test_every_living_client_comes_back_from_a_ca_rotation_and_the_counts_add_up_all_the_time(demo: Demo) -> None:
    async with demo.operator() as operator:
        (waiting,) = [one for one in await operator.operations() if one.state == "running"]
        await operator.stop(waiting.id)  # a CA rotation begins alone
        await demo.until(lambda: heard(demo) >= LIVING - LOCKED_OUT)
        plan = await operator.plan_rotation()
        assert not [check.details for check in plan.checks if check.result == "fail"]
        await operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="a drill", origin="cli")
    polls: list[authority_pb2.Rotation] = []
    clock = SystemClock()
    deadline = clock.monotonic() + 60
    while not (polls and returned(polls[-1]) >= LIVING):
        # A session says at once that it has the new roots, and later only every half a minute: so each is a new one.
        async with demo.operator() as operator:
            for _ in range(8):
                polls.append(await operator.rotation())
                await clock.sleep(0.25)
        assert clock.monotonic() < deadline, (polls[-1].phase, sorted(LIVING - returned(polls[-1])))
    for seen in polls:
        counts = (seen.connected, seen.informed, seen.lost, seen.returned, seen.stuck, seen.written_off)
        assert sum(counts) == seen.total == len(CAST) + 1
    assert Phase(polls[-1].phase) is Phase.RE_ENROLLING  # the silent ones are a person's to write off
    assert max(seen.lost for seen in polls) >= len(LIVING - LOCKED_OUT)


def returned(rotation: authority_pb2.Rotation) -> set[str]:
    """The clients that have called with a certificate of the new CA."""
    return {client.name for client in rotation.clients if client.returned_at}


def test_further_sites_have_their_own_agents_and_contexts_and_go_with_the_first(launching: Launching) -> None:
    launch, started = launching
    with started(launch("--sites", "2")) as running:
        told = json.loads(running.mocdeck("--json", "--all-contexts").stdout)
        text = json.dumps(told)
        assert '"harbor"' in text
        assert '"fjord"' in text
        assert '"fjord-wl"' in text
        root = running.root
    assert not root.exists()
