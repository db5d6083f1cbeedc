"""The CA rotation with overlap on real TLS: ours and raw MOC clients call all the time, and no call ever fails."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from callers import Tally, call_by_file, live_as_moc, open_channel
from lab import DEPLOYMENT, HurriedClock, Lab, birth, issuing_generations
from moc_client import MocClient

from backend.client.access_file import read_access_file
from backend.client.errors import Unreachable
from backend.client.operator import Operator
from backend.core.errors import AgentError
from backend.wire.methods import get_method
from backend.wire.moc import credentialmonitor_pb2
from backend.wire.mocdeck.v1 import authority_pb2

OURS = [f"kms-{number}" for number in range(1, 5)]
RAW = ["caph-1", "caph-2"]


class Site:
    """A lab with everybody calling."""

    def __init__(self, lab: Lab, operator: Operator) -> None:
        self.lab = lab
        self.operator = operator
        self.tallies: dict[str, Tally] = {}
        self.seen: list[authority_pb2.Rotation] = []

    async def populate(self) -> None:
        at = self.lab.listening
        address = f"{at.host}:{at.port}"
        rng = random.Random(7)  # noqa: S311 - spreads renewals, no secret
        for name in OURS:
            await self.lab.enroll(self.operator, name)
            self.lab.run(name)
        for name in RAW:
            await self.lab.enroll(self.operator, name)
            text = self.lab.login_path(name).read_text()
            client = MocClient.from_login_yaml(text, host=at.host, port=at.port, auth_port=at.auth_port)
            self._spawn(name, live_as_moc(client, self._tally(name), every=0.2, renews=2.0, rng=rng))
        for name in OURS:
            path = self.lab.settings(name).access_file
            while not path.exists():  # noqa: ASYNC110 - another program writes it
                await asyncio.sleep(0.05)
            self._spawn(f"{name}-calls", call_by_file(path, address, self._tally(name), every=0.2))

    def _tally(self, name: str) -> Tally:
        self.tallies[name] = Tally(name)
        return self.tallies[name]

    def _spawn(self, name: str, work: object) -> None:
        self.lab.tasks[name] = asyncio.create_task(work, name=name)  # type: ignore[arg-type]

    async def start(self, *, automatic: bool = True) -> None:
        async def is_planned() -> bool:
            plan = await self.operator.plan_rotation("overlap", automatic=automatic)
            routes = {client.name: client.route for client in plan.clients}
            if {routes.get(name) for name in OURS} != {"itself"} or {routes.get(name) for name in RAW} != {"cross"}:
                return False
            await self.operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="drill", origin="cli")
            return True

        await self.until(is_planned, "everybody is known")

    async def look(self) -> authority_pb2.Rotation:
        found = await self.operator.rotation()
        counts = {one.level: one.count for one in found.levels}
        assert sum(counts.values()) == found.total == len(found.clients)
        self.seen.append(found)
        return found

    async def until_phase(self, phase: str, seconds: float = 90) -> authority_pb2.Rotation:
        async def is_there() -> bool:
            with contextlib.suppress(Unreachable):
                return (await self.look()).phase == phase
            return False

        await self.until(is_there, phase, seconds)
        return self.seen[-1]

    async def until(self, holds: object, what: str, seconds: float = 60) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not await holds():  # type: ignore[operator] # noqa: ASYNC110 - the fact lies in another program
                    await asyncio.sleep(0.1)
        except TimeoutError:
            last = self.seen[-1] if self.seen else None
            gates = [] if last is None else [(gate.test, gate.why) for gate in last.gates if not gate.met]
            pytest.fail(f"not {what} within {seconds} s: {None if last is None else last.phase} {gates}")

    async def move(self, move: authority_pb2.RotationMove) -> None:
        for _ in range(20):
            found = await self.operator.rotation()
            with contextlib.suppress(AgentError):
                await self.operator.move_rotation(found.id, found.version, move, reason="drill")
                return
            await asyncio.sleep(0.1)
        pytest.fail("the move was refused twenty times")

    async def published(self) -> int:
        """What the MOC protocol's own monitor says of the agent's trust: Single or Overlap."""
        at = self.lab.listening
        access = read_access_file(self.lab.context().cloudconfig)
        channel = open_channel(access, f"{at.host}:{at.port}")
        call = channel.unary_unary(
            get_method("CredentialMonitorAgent", "Get").path,
            request_serializer=credentialmonitor_pb2.CredentialMonitorRequest.SerializeToString,
            response_deserializer=credentialmonitor_pb2.CredentialMonitorResponse.FromString,
        )
        answer = await call(credentialmonitor_pb2.CredentialMonitorRequest(), timeout=20)
        await channel.close()
        return int(answer.CredentialMonitor.status)

    def check_calls(self, least: int = 10) -> None:
        assert {name: tally.failed for name, tally in self.tallies.items() if tally.failed} == {}
        assert all(tally.made >= least for tally in self.tallies.values())
        for name, task in self.lab.tasks.items():
            assert not task.done(), f"{name}: {task.exception() if not task.cancelled() else 'cancelled'}"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    clock = HurriedClock.begin()
    lab = Lab(tmp_path, clock)
    birth(lab.directory, clock)
    await lab.start()
    async with await lab.operator() as operator:
        made = Site(lab, operator)
        await made.populate()
        yield made
    await lab.close()


@pytest.mark.timeout(240)
async def test_nobody_misses_a_call_through_a_whole_rotation(site: Site) -> None:
    await site.start()
    await site.until_phase("issuing")
    assert await site.published() == credentialmonitor_pb2.Overlap
    await site.until_phase("distrusted")
    last = site.seen[-1]
    levels = {client.name: client.level for client in last.clients}
    assert {levels[name] for name in OURS} <= {"E4", "E5"}
    assert {levels[name] for name in RAW} == {"E4"}, "a client that can prove nothing is counted by its calls"
    site.check_calls()
    assert await site.published() == credentialmonitor_pb2.Single

    async def is_destroyed() -> bool:
        with contextlib.suppress(AgentError):
            await site.operator.destroy_authority(1, DEPLOYMENT)
            return True
        return False

    await site.until(is_destroyed, "the old key is destroyed")
    await asyncio.sleep(1)  # everybody goes on calling without the old CA
    assert (await site.look()).outcome == "completed"
    assert issuing_generations(site.lab.directory) == [2]
    probes = site.seen[-1].probes
    assert sum(one.made for one in probes) >= 28
    assert [one.cell for one in probes if one.deviations] == []
    site.check_calls()
    verdict = await site.operator.verify_audit()
    assert verdict.intact, verdict.why


@pytest.mark.timeout(240)
@pytest.mark.parametrize("phase", ["trusted", "issuing", "draining", "distrusted"])
async def test_nobody_misses_a_call_on_the_way_back(site: Site, phase: str) -> None:
    await site.start()
    await site.until_phase(phase)
    await site.move(authority_pb2.ROLL_BACK)
    await site.until_phase("rolled back")
    await asyncio.sleep(0.5)
    assert issuing_generations(site.lab.directory) == [1]
    site.check_calls(least=3)
