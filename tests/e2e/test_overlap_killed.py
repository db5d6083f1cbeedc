"""kill -9 of a real agent at every step of both rotations of the CA, and of the way back (R01).

The agent dies right after each commit that began or ended a step or told clients something, and starts again. It goes
on where it was, nobody is lost, and the end is that of a rotation in which nothing happened.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from fleet import Fleet, fleet
from lab import DEPLOYMENT, HurriedClock, Lab, birth, issuing_generations, store_of

from backend.client.operator import Operator
from backend.core.errors import AgentError
from backend.wire.mocdeck.v1 import authority_pb2

SPEED = 12.0  # a start of the agent must stay short beside the three heartbeats that a failing client has
NAMES = [f"kms-{number}" for number in range(1, 5)]
Position = tuple[str, int, int, int]


def position(directory: Path) -> Position:
    """Phase, steps begun, steps done, and orders given: each commit of the machine changes one of them."""
    with store_of(directory) as store:
        phase = store.execute("select phase from rotations order by position desc limit 1").fetchone()
        begun, done = store.execute("select count(*), count(done_at) from rotation_steps").fetchone()
        (orders,) = store.execute("select count(*) from orders").fetchone()
    return ("" if phase is None else phase[0], begun, done, orders)


class Doomed:
    """A site whose agent dies whenever its rotation has moved."""

    def __init__(self, lab: Lab, programs: Fleet, pid: int) -> None:
        self.lab = lab
        self.programs = programs
        self.pid = pid
        self.died_at: list[Position] = []

    async def until(self, operator: Operator, phase: str, seconds: float = 60) -> None:
        """Kill the agent after every move until the rotation is in a phase."""
        last = position(self.lab.directory)
        try:
            async with asyncio.timeout(seconds):
                while last[0] != phase:
                    await asyncio.sleep(0.005)
                    now = position(self.lab.directory)
                    if now == last:
                        continue
                    last = now
                    self.died_at.append(now)
                    await self.programs.kill(self.pid)
                    self.pid = await self.programs.start_agent()
        except TimeoutError:
            found = await operator.rotation()
            gates = [(gate.test, gate.why) for gate in found.gates if not gate.met]
            pytest.fail(f"{found.phase} and not {phase} after {self.died_at}; held: {found.held}; {gates}")

    async def advance_to(self, operator: Operator, phase: str, seconds: float = 90) -> None:
        """Tell a rotation in manual mode to go on, as often as it takes, until it is in a phase."""
        async with asyncio.timeout(seconds):
            while position(self.lab.directory)[0] != phase:
                with contextlib.suppress(AgentError):
                    found = await operator.rotation()
                    if found.phase != phase:
                        await operator.move_rotation(found.id, found.version, authority_pb2.ADVANCE, reason="drill")
                await asyncio.sleep(0.1)

    async def ask(self, operator: Operator, move: authority_pb2.RotationMove) -> None:
        for _ in range(50):
            with contextlib.suppress(AgentError):
                found = await operator.rotation()
                await operator.move_rotation(found.id, found.version, move, reason="drill")
                return
            await asyncio.sleep(0.1)
        pytest.fail("the agent takes no orders")


async def begin(operator: Operator, kind: str, *, automatic: bool) -> None:
    async with asyncio.timeout(60):
        while True:
            plan = await operator.plan_rotation(kind, automatic=automatic)
            if {client.route for client in plan.clients if client.name in NAMES} == {"itself"}:
                break
            await asyncio.sleep(0.1)
    await operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="drill", origin="cli")


async def check_the_end(lab: Lab, operator: Operator, generation: int) -> None:
    assert issuing_generations(lab.directory) == [generation]
    async with asyncio.timeout(60):
        for name in NAMES:
            while True:  # everybody lives on a certificate of the one CA
                with contextlib.suppress(AgentError):
                    current = next(one for one in (await operator.describe(name)).certificates if one.current)
                    if current.generation == generation and current.last_used_at:
                        break
                await asyncio.sleep(0.1)
    authorities = await operator.authorities()
    trusted = [one.generation for one in authorities.authorities if one.status in {"issuing", "trusted"}]
    assert trusted == [generation]
    verdict = await operator.verify_audit()
    assert verdict.intact, verdict.why


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("kind", "back_from"), [("overlap", ""), ("overlap", "draining"), ("overlap", "distrusted"), ("disruptive", "")]
)
async def test_an_agent_that_dies_after_every_step_ends_where_one_that_lives_does(
    tmp_path: Path, kind: str, back_from: str
) -> None:
    clock = HurriedClock.begin(SPEED)
    lab = Lab(tmp_path, clock)
    birth(lab.directory, clock)
    async with fleet(lab) as programs:
        doomed = Doomed(lab, programs, await programs.start_agent())
        async with await lab.operator() as operator:
            for name in NAMES:
                await lab.enroll(operator, name)
            await programs.start_clients(NAMES, heartbeat=30)
            await begin(operator, kind, automatic=kind == "overlap" and not back_from)
            watching = asyncio.create_task(_watch(operator))
            if back_from:
                await doomed.advance_to(operator, back_from)
                await doomed.ask(operator, authority_pb2.ROLL_BACK)
                await doomed.until(operator, "rolled back")
                met = {phase for phase, *_ in doomed.died_at}
                assert met >= {"issuing old", "reissuing back", "untrusting new"}
            elif kind == "disruptive":
                await doomed.until(operator, "done")
                met = {phase for phase, *_ in doomed.died_at}
                assert met >= {"planned", "staged", "fenced", "cutover", "re-enrolling", "verified"}
            else:
                await doomed.until(operator, "distrusted")
                met = {phase for phase, *_ in doomed.died_at}
                assert met >= {"planned", "staged", "trusted", "issuing", "serving", "draining", "shadow", "distrusted"}
            watching.cancel()
            await check_the_end(lab, operator, 1 if back_from else 2)
            last = await operator.rotation()
            assert last.held == ""
            assert [probe.cell for probe in last.probes if probe.deviations] == []


async def _watch(operator: Operator) -> None:
    """The operator's own session takes part while it looks: it learns the new root, and renews when it is told."""
    while True:
        with contextlib.suppress(AgentError):
            await operator.rotation()
        await asyncio.sleep(0.2)
