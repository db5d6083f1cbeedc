"""500 real clients, ours and raw MOC ones, call all the time through a whole rotation and a whole way back.

`make live`. MOCDECK_ROTATION_FLEET sets the number of clients; one in five is raw. Zero calls may fail, every probe is
as the truth table says, and the counts add up at each look.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from fleet import Fleet, fleet
from lab import DEPLOYMENT, HurriedClock, Lab, birth, issuing_generations

from backend.client.login_file import LoginFile, write_login_file
from backend.client.operator import Operator
from backend.clock import SystemClock
from backend.core.errors import AgentError
from backend.core.model import Secret
from backend.wire.mocdeck.v1 import authority_pb2

TOTAL = int(os.environ.get("MOCDECK_ROTATION_FLEET", "500"))
RAW = TOTAL // 5
SPEED = 12.0
HEARTBEAT = 120  # of the hurried clock: ten real seconds
DISTANT = timedelta(hours=12)  # behind the machine's clock, which TLS reads


class Watched:
    """A rotation that is looked at until it is where it should be."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.phases: dict[str, float] = {}

    async def until(self, phase: str, seconds: float) -> authority_pb2.Rotation:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            with contextlib.suppress(AgentError):
                found = await self.operator.rotation()
                counts = {one.level: one.count for one in found.levels}
                assert sum(counts.values()) == found.total == len(found.clients)
                self.phases.setdefault(found.phase, time.monotonic())
                assert not found.held, found.held
                if found.phase == phase:
                    return found
            await asyncio.sleep(0.5)
        found = await self.operator.rotation()
        gates = [f"{gate.test}: {gate.why}" for gate in found.gates if not gate.met]
        pytest.fail(f"{found.phase}, not {phase}, after {seconds} s: {gates}")


async def populate(lab: Lab, operator: Operator, programs: Fleet, tally: Path) -> int:
    ours = [f"ours-{number:03}" for number in range(TOTAL - RAW)]
    raw = [f"raw-{number:03}" for number in range(RAW)]
    for name in [*ours, *raw]:
        await lab.enroll(operator, name)
    for half in (ours[::2], ours[1::2]):
        await programs.start_clients(half, heartbeat=HEARTBEAT)
    async with asyncio.timeout(300):
        while not all(lab.settings(name).access_file.exists() for name in ours):  # noqa: ASYNC110 - other programs
            await asyncio.sleep(0.5)
    return await programs.start_callers(ours, raw, tally, every=8.0, renews=90.0)


async def give_new_files(lab: Lab, operator: Operator, programs: Fleet, callers: int, tally: Path) -> None:
    """What the plan asks for before the next rotation: those that keep an older root get fresh login files."""
    await programs.kill(callers)
    raw = [f"raw-{number:03}" for number in range(RAW)]
    bundle = (await operator.authorities()).bundle_pem
    for name in raw:
        made = await operator.rotate_identity(name)
        write_login_file(lab.login_path(name), LoginFile(name=name, token=Secret(made.token), trust_pem=bundle))
    ours = [f"ours-{number:03}" for number in range(TOTAL - RAW)]
    await programs.start_callers(ours, raw, tally, every=8.0, renews=90.0)
    await asyncio.sleep(20)  # each has signed in anew and called


async def begin(operator: Operator, routes: dict[str, int]) -> None:
    async with asyncio.timeout(300):
        while True:
            plan = await operator.plan_rotation("overlap", automatic=True)
            if (plan.by_itself, plan.by_cross) == (routes["itself"], routes["cross"]):
                break
            await asyncio.sleep(1)
    await operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="drill", origin="cli")


def check_calls(tally: Path) -> int:
    found = json.loads(tally.read_text())
    assert {name: failed for name, (_, failed) in found.items() if failed} == {}
    assert len(found) == TOTAL
    return sum(made for made, _ in found.values())


@pytest.mark.live
@pytest.mark.timeout(2400)
async def test_no_call_fails_in_a_whole_rotation_and_a_whole_way_back(tmp_path: Path) -> None:
    at = int((SystemClock().now() - DISTANT).timestamp())
    lab = Lab(tmp_path, HurriedClock(time.monotonic(), at, SPEED))
    birth(lab.directory, lab.clock)
    tally = tmp_path / "tally.json"
    async with fleet(lab) as programs:
        await programs.start_agent()
        async with await lab.operator() as operator:
            callers = await populate(lab, operator, programs, tally)
            routes = {"itself": TOTAL - RAW, "cross": RAW + 1}  # the administrator sends no heartbeats
            await begin(operator, routes)
            watched = Watched(operator)
            last = await watched.until("distrusted", 900)
            _tell("whole rotation", watched, last, check_calls(tally))
            await asyncio.sleep(15)
            await operator.destroy_authority(1, DEPLOYMENT)
            assert issuing_generations(lab.directory) == [2]
            await asyncio.sleep(15)  # everybody goes on without the old CA
            check_calls(tally)
            await give_new_files(lab, operator, programs, callers, tally)
            await begin(operator, routes)
            back = Watched(operator)
            await back.until("distrusted", 900)
            found = await operator.rotation()
            await operator.move_rotation(found.id, found.version, authority_pb2.ROLL_BACK, reason="drill")
            last = await back.until("rolled back", 900)
            _tell("whole way back", back, last, check_calls(tally))
            assert issuing_generations(lab.directory) == [2]
            verdict = await operator.verify_audit()
            assert verdict.intact, verdict.why


def _tell(what: str, watched: Watched, last: authority_pb2.Rotation, calls: int) -> None:
    began = min(watched.phases.values())
    steps = ", ".join(f"{phase} {at - began:.0f} s" for phase, at in watched.phases.items())
    probes = sum(one.made for one in last.probes)
    off = sum(one.deviations for one in last.probes)
    print(  # noqa: T201 - the figures are what a live run is for
        f"\n{what} of {last.total} clients: {steps}; {calls} calls, 0 failed; {probes} probes, {off} otherwise"
    )
    assert off == 0
