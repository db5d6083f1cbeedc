"""The disruptive CA rotation, whole, through the operator's calls, with living clients on real TLS (pki.md 5.6)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from lab import DEPLOYMENT, HurriedClock, Lab, birth, issuing_generations, phase_of, store_of

from backend.client.errors import Unreachable
from backend.client.operator import Operator
from backend.core.errors import AgentError, ConfirmationRefused
from backend.pki.trust import split_bundle
from backend.wire.mocdeck.v1 import authority_pb2

LIVING = [f"kms-{number}" for number in range(1, 7)]
BY_FILE = "node-agent-1"  # its token is dead, but the agent can write its login file
SILENT = "csi-gone"  # has a certificate and a token, and its program is switched off
ALL = {"admin", *LIVING, BY_FILE, SILENT}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    clock = HurriedClock.begin()
    made = Lab(tmp_path, clock)
    birth(made.directory, clock)
    await made.start()
    yield made
    await made.close()


async def until(holds: Any, *, what: str, seconds: float = 30.0) -> None:
    """Wait for a fact, looking often."""
    try:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110 - the fact lies in another program
                await asyncio.sleep(0.02)  # between two looks; the fact decides, not the time
    except TimeoutError:
        pytest.fail(f"{what}: not within {seconds} s")


async def populate(lab: Lab, operator: Operator, *, is_silent: bool) -> None:
    for name in (*LIVING, SILENT):
        await lab.enroll(operator, name)
        lab.run(name)
    await lab.enroll(operator, BY_FILE, tokenExpiryInSeconds=90, loginFilePath=str(lab.login_path(BY_FILE)))
    lab.run(BY_FILE)

    async def all_report() -> bool:
        heard = [(await operator.describe(name)).heartbeat.heard_at for name in ALL - {"admin"}]
        return all(heard)

    await until(all_report, what="every client sends heartbeats")
    if is_silent:
        lab.tasks.pop(SILENT).cancel()

    async def is_planned() -> bool:
        routes = {client.name: client.route for client in (await operator.plan_rotation()).clients}
        return routes[BY_FILE] == "file" and routes[SILENT] == ("manual" if is_silent else "itself")

    await until(is_planned, what="the token has died and the silent one is known to be silent")


async def start(operator: Operator) -> authority_pb2.Rotation:
    plan = await operator.plan_rotation()
    routes = {client.name: client.route for client in plan.clients}
    assert set(routes) == ALL
    assert {routes[name] for name in LIVING} == {"itself"}
    assert plan.by_itself + plan.by_file + plan.by_hand + plan.already_out == len(ALL)
    return await operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="drill", origin="cli")


def check_counts(seen: authority_pb2.Rotation) -> None:
    counted = seen.connected + seen.informed + seen.lost + seen.returned + seen.stuck + seen.written_off
    assert counted == seen.total == len(seen.clients), seen
    assert seen.total == len(ALL)


async def follow(lab: Lab, operator: Operator, seen: list[authority_pb2.Rotation]) -> None:
    """Poll until the rotation is done, writing off by name whoever is stuck once all others are back."""

    async def is_done() -> bool:
        with contextlib.suppress(Unreachable):  # between two lives of the agent, or at the cutover itself
            rotation = await operator.rotation()
            check_counts(rotation)
            seen.append(rotation)
            away = {client.name for client in rotation.clients if client.state in {"lost", "stuck"}}
            if rotation.phase == "re-enrolling" and away == {SILENT} and rotation.stuck == 1:
                with contextlib.suppress(AgentError):  # it may have moved since this look
                    await operator.move_rotation(
                        rotation.id, rotation.version, authority_pb2.FINISH, written_off=[SILENT], reason="switched off"
                    )
            return rotation.phase == "done"
        return False

    await until(is_done, what="the rotation is done", seconds=60)


async def check_the_end(lab: Lab, operator: Operator) -> None:
    """What must hold after it: one CA, everybody on it, nobody on the old one, the chain intact."""
    assert issuing_generations(lab.directory) == [2]
    authorities = await operator.authorities()
    assert [(row.generation, row.status) for row in authorities.authorities] == [(1, "distrusted"), (2, "issuing")]
    assert len(split_bundle(authorities.bundle_pem)) == 1

    async def all_are_back() -> bool:
        for name in (*LIVING, BY_FILE):
            current = next(one for one in (await operator.describe(name)).certificates if one.current)
            held = lab.access(name)
            if current.generation != 2 or not current.last_used_at or held.serial_hex != current.serial:
                return False
            if held.trust_pem != authorities.bundle_pem:
                return False
        return True

    await until(all_are_back, what="every living client uses the new generation and trusts it alone")
    with store_of(lab.directory) as store:
        old = store.execute("select count(*) from certificates where generation = 1 and revoked_at = 0").fetchone()
    assert old == (0,)
    verdict = await operator.verify_audit()
    assert verdict.intact, verdict.why


@pytest.mark.timeout(120)
async def test_every_living_client_returns_by_itself_and_the_counts_add_up_at_every_look(lab: Lab) -> None:
    async with await lab.operator() as operator:
        await populate(lab, operator, is_silent=True)
        before = operator.credential.serial
        await start(operator)
        seen: list[authority_pb2.Rotation] = []
        await follow(lab, operator, seen)
        last = seen[-1]
        states = {client.name: client.state for client in last.clients}
        assert states == {**dict.fromkeys(ALL, "returned"), SILENT: "written off"}
        assert last.outage_max_seconds >= last.outage_p50_seconds
        routes = {client.name: client.route for client in last.clients}
        assert routes[BY_FILE] == "file"
        await check_the_end(lab, operator)
        assert operator.credential.serial != before  # the operator's own session followed


class StoppingClock:
    """The lab's clock for an agent that is to stand still right after the tick that brings a phase not met before."""

    def __init__(self, lab: Lab, met: set[str]) -> None:
        self._lab, self._met = lab, met
        self.now, self.monotonic = lab.clock.now, lab.clock.monotonic
        self.stands = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        phase = phase_of(self._lab.directory)
        if phase and phase not in self._met:
            self._met.add(phase)
            self.stands.set()
            await asyncio.Event().wait()  # for good: the test stops this agent now
        await self._lab.clock.sleep(seconds)


@pytest.mark.timeout(180)
async def test_an_agent_that_is_stopped_and_started_in_each_phase_ends_in_the_same_state(lab: Lab) -> None:
    async with await lab.operator() as operator:
        await populate(lab, operator, is_silent=False)
        await start(operator)
        met: set[str] = set()
        seen: list[authority_pb2.Rotation] = []
        following = asyncio.create_task(follow(lab, operator, seen))
        while not following.done():
            await lab.stop()
            clock = StoppingClock(lab, met)
            await lab.start(clock)
            stands = asyncio.create_task(clock.stands.wait())
            await asyncio.wait({stands, following}, return_when=asyncio.FIRST_COMPLETED)
            stands.cancel()
        await following
        assert met >= {"staged", "fenced", "cutover", "re-enrolling", "verified"}
        states = {client.name: client.state for client in seen[-1].clients}
        assert states == dict.fromkeys(ALL, "returned")
        await check_the_end(lab, operator)


async def test_a_mistyped_deployment_starts_nothing(lab: Lab) -> None:
    async with await lab.operator() as operator:
        plan = await operator.plan_rotation()
        with pytest.raises(ConfirmationRefused):
            await operator.start_rotation(plan.id, plan.hash, deployment="North", reason="drill", origin="cli")
        assert phase_of(lab.directory) == ""


@pytest.mark.timeout(120)
async def test_an_agent_that_was_away_takes_nobody_for_silent_before_it_has_listened(lab: Lab) -> None:
    """While it was stopped nobody could report, so the silence says nothing about the clients."""
    async with await lab.operator() as operator:
        await populate(lab, operator, is_silent=False)
        await start(operator)
        clock = StoppingClock(lab, {"planned"})
        await lab.stop()
        await lab.start(clock)
        await clock.stands.wait()
        assert phase_of(lab.directory) == "staged"
        await lab.stop()
        await lab.clock.sleep(150)  # five heartbeats of everybody
        await lab.start()
        seen: list[authority_pb2.Rotation] = []
        await follow(lab, operator, seen)
        routes = {client.name: client.route for client in seen[-1].clients}
        assert {routes[name] for name in (*LIVING, SILENT)} == {"itself"}
        await check_the_end(lab, operator)
