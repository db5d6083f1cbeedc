"""Asleep through two CA rotations: the way back along the signed chain, over real TLS, and no way after a cut (R36)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from lab import DEPLOYMENT, HurriedClock, Lab, birth

from backend.client.login_file import read_login_file, write_login_file
from backend.client.operator import Operator
from backend.client.record import read_record, record_path
from backend.client.runner import Runner
from backend.core.errors import AgentError, InconsistentState
from backend.core.model import AuthorityStatus
from backend.pki.trust import split_bundle
from backend.service.epochs import publish_epoch
from backend.store.port import Transaction
from backend.wire.mocdeck.v1 import authority_pb2

NAME = "kms-1"
SHORT = timedelta(seconds=10)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    clock = HurriedClock.begin()
    made = Lab(tmp_path, clock)
    birth(made.directory, clock)
    await made.start()
    async with await made.operator() as operator:
        await made.enroll(operator, NAME)
    yield made
    await made.close()


async def rotate(lab: Lab, *, old: int, chain_cut: bool = False) -> None:
    """A whole rotation by hand, with nobody awake: both roots, then the new one alone; the old one is distrusted."""
    agent, new = lab.agent, old + 1
    assert agent is not None
    world = agent._world

    def move(tx: Transaction) -> None:
        now = world.clock.now()
        tx.authorities.add(world.signer.stage(new, "north", now, world.policy.authority_lifetime))
        publish_epoch(tx, world, (old, new), now)
        tx.authorities.set_status(old, AuthorityStatus.DISTRUSTED)
        tx.authorities.set_status(new, AuthorityStatus.ISSUING)
        publish_epoch(tx, world, (new,), now, chain_cut=chain_cut)
        world.peers.clear()

    await agent._core.submit(move, alone=True)
    await agent._tick()  # serves the new certificate from here on


async def awake(runner: Runner, passes: int = 12) -> None:
    for _ in range(passes):
        await runner.step()


def bundle_now(lab: Lab) -> str:
    assert lab.agent is not None
    with lab.agent._store.transaction() as tx:
        return tx.bundles.current().pem


def status_of(lab: Lab) -> tuple[str, str, str]:
    status = read_record(record_path(lab.settings(NAME).access_file)).status
    return status.state, status.next_step, status.last_error


async def test_a_client_asleep_through_two_rotations_returns_unaided(lab: Lab) -> None:
    runner = Runner(lab.settings(NAME), lab.clock)
    await awake(runner, 3)
    before = lab.access(NAME)
    assert runner.credential.material.epoch == 1
    await runner.credential.close()
    await rotate(lab, old=1)
    await rotate(lab, old=2)
    returned = Runner(lab.settings(NAME), lab.clock)
    await awake(returned)
    held = lab.access(NAME)
    assert held.trust_pem == bundle_now(lab)
    assert split_bundle(held.trust_pem)[0].subject == split_bundle(held.certificate_pem)[0].issuer
    assert held.serial != before.serial
    assert status_of(lab)[0] == "working"
    assert returned.credential.material.epoch == 5
    assert read_login_file(lab.login_path(NAME)).trust_pem == held.trust_pem
    await returned.credential.close()


async def test_a_login_file_of_two_rotations_ago_still_brings_its_client_in(lab: Lab) -> None:
    old = read_login_file(lab.login_path(NAME)).trust_pem
    await rotate(lab, old=1)
    await rotate(lab, old=2)
    runner = Runner(lab.settings(NAME), lab.clock)
    await awake(runner)
    assert lab.access(NAME).trust_pem == bundle_now(lab) != old
    assert runner.credential.material.epoch == 5
    await runner.credential.close()


async def test_an_operators_session_finds_its_way_back_within_one_call(lab: Lab) -> None:
    async with await lab.operator() as operator:
        await operator.authorities()
    await rotate(lab, old=1)
    await rotate(lab, old=2)
    async with await lab.operator() as operator:
        found = await operator.authorities()
    assert [row.status for row in found.authorities] == ["distrusted", "distrusted", "issuing"]


async def test_after_a_cut_a_sleeper_keeps_its_roots_shows_no_token_and_says_why(lab: Lab) -> None:
    runner = Runner(lab.settings(NAME), lab.clock)
    await awake(runner, 3)
    before = lab.access(NAME)
    await runner.credential.close()
    await rotate(lab, old=1, chain_cut=True)
    sleeper = Runner(lab.settings(NAME), lab.clock)
    await awake(sleeper)
    assert lab.access(NAME) == before
    state, next_step, last_error = status_of(lab)
    assert state == "waiting for a login file"
    assert "was cut" in next_step
    assert last_error
    await sleeper.credential.close()
    # Another start does not ask again; a login file that somebody brings ends it.
    again = Runner(lab.settings(NAME), lab.clock)
    await awake(again, 4)
    assert lab.access(NAME) == before
    login = read_login_file(lab.login_path(NAME))
    write_login_file(lab.login_path(NAME), login.with_trust(bundle_now(lab)))
    await awake(again)
    assert lab.access(NAME).trust_pem == bundle_now(lab)
    assert status_of(lab)[0] == "working"
    await again.credential.close()


async def test_a_bundle_by_heartbeat_that_the_chain_does_not_lead_to_is_not_stored(lab: Lab) -> None:
    agent = lab.agent
    assert agent is not None
    world = agent._world
    runner = Runner(lab.settings(NAME), lab.clock)
    await awake(runner, 3)

    def cut(tx: Transaction) -> None:
        now = world.clock.now()
        tx.authorities.add(world.signer.stage(2, "north", now, world.policy.authority_lifetime))
        publish_epoch(tx, world, (1, 2), now)

    def swap(tx: Transaction) -> None:
        tx.authorities.set_status(1, AuthorityStatus.TRUSTED)
        tx.authorities.set_status(2, AuthorityStatus.ISSUING)
        publish_epoch(tx, world, (2, 1), world.clock.now(), chain_cut=True)

    await agent._core.submit(cut, alone=True)
    await agent._core.submit(swap, alone=True)
    first = lab.access(NAME).trust_pem
    runner._beat_at = 0.0
    await awake(runner, 2)
    assert lab.access(NAME).trust_pem == first
    assert "was cut" in status_of(lab)[2]
    await runner.credential.close()


async def rotate_with_overlap(lab: Lab, operator: Operator, *, waived: str) -> None:
    """A whole rotation as an operator runs it, up to the destroyed key; the one asleep is waived by name."""
    plan = await operator.plan_rotation("overlap", automatic=True, shadow_for=SHORT, quiet_for=SHORT)
    begun = await operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="yearly", origin="cli")
    while True:
        seen = await operator.rotation()
        waiting = [gate.why for gate in seen.gates if not gate.met and waived in gate.why]
        asleep = next(client for client in seen.clients if client.name == waived)
        if seen.phase == "trusted" and waiting and not asleep.waived:
            with suppress(AgentError):  # it may have moved since this look
                reason = {"written_off": [waived], "reason": "switched off"}
                await operator.move_rotation(seen.id, seen.version, authority_pb2.WAIVE, **reason)
        if seen.phase == "distrusted":
            with suppress(InconsistentState):  # its gates want to have seen a quiet time
                await operator.destroy_authority(begun.from_generation, DEPLOYMENT)
        if seen.phase == "retired":
            return
        await asyncio.sleep(0.1)


@pytest.mark.timeout(120)
async def test_a_client_asleep_through_two_rotations_with_overlap_returns_unaided(lab: Lab) -> None:
    """The old keys are destroyed by then; only what they signed while they were there leads the sleeper on."""
    async with await lab.operator() as operator:
        await lab.enroll(operator, "kms-2")
        async with asyncio.timeout(90):
            for name in (NAME, "kms-2"):
                lab.run(name)
                while not (await operator.describe(name)).heartbeat.heard_at:  # noqa: ASYNC110 - elsewhere
                    await asyncio.sleep(0.05)
            lab.tasks.pop(NAME).cancel()
            before = lab.access(NAME)
            for _ in range(2):
                await rotate_with_overlap(lab, operator, waived=NAME)
            statuses = [row.status for row in (await operator.authorities()).authorities]
        assert statuses == ["destroyed", "destroyed", "issuing"]
    sleeper = Runner(lab.settings(NAME), lab.clock)
    await awake(sleeper)
    held = lab.access(NAME)
    assert held.serial != before.serial
    assert held.trust_pem == bundle_now(lab) != before.trust_pem
    assert status_of(lab)[0] == "working"
    await sleeper.credential.close()


@pytest.mark.timeout(120)
async def test_after_a_compromise_nothing_that_the_old_ca_vouches_for_moves_a_living_client(lab: Lab) -> None:
    """It was in touch until the moment of the cutover; only a login file that comes by another way brings it over."""
    async with await lab.operator() as operator:
        lab.run(NAME)
        async with asyncio.timeout(60):
            while not (await operator.describe(NAME)).heartbeat.heard_at:  # noqa: ASYNC110 - elsewhere
                await asyncio.sleep(0.05)
            before = lab.access(NAME)
            plan = await operator.plan_rotation("compromise")
            await operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="stolen", origin="cli")
            while "was cut" not in status_of(lab)[1]:  # noqa: ASYNC110 - elsewhere
                await asyncio.sleep(0.05)
            assert lab.access(NAME) == before
            login = read_login_file(lab.login_path(NAME))
            write_login_file(lab.login_path(NAME), login.with_trust(bundle_now(lab)))
            while status_of(lab)[0] != "working":  # noqa: ASYNC110 - elsewhere
                await asyncio.sleep(0.05)
    assert lab.access(NAME).trust_pem == bundle_now(lab) != before.trust_pem
