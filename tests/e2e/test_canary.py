"""Real clients at a real agent's canary: a rehearsal, a rotation that moves on proofs, and one that does not verify."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lab import DEPLOYMENT, HurriedClock, Lab, birth

from backend.client.operator import Operator
from backend.core.canary import SERVER_NAMES, CanaryKind
from backend.pki.contexts import load_pair
from backend.server.canary import SEEN
from backend.service.canary import nonce_for
from backend.wire.mocdeck.v1 import authority_pb2

CLIENTS = ["kms-1", "kms-2", "csi-1"]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    clock = HurriedClock.begin()
    made = Lab(tmp_path, clock)
    birth(made.directory, clock)
    await made.start()
    yield made
    await made.close()


async def populate(lab: Lab, operator: Operator) -> None:
    for name in CLIENTS:
        await lab.enroll(operator, name)
        lab.run(name)

    async with asyncio.timeout(30):
        for name in CLIENTS:
            while not (await operator.describe(name)).heartbeat.heard_at:  # noqa: ASYNC110 - a fact in another program
                await asyncio.sleep(0.05)


async def begin(operator: Operator, kind: str) -> authority_pb2.Rotation:
    plan = await operator.plan_rotation(kind, automatic=kind == "overlap")
    return await operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="drill", origin="cli")


async def until(operator: Operator, *phases: str) -> authority_pb2.Rotation:
    async with asyncio.timeout(60):
        while True:
            seen = await operator.rotation()
            if seen.phase in phases:
                return seen
            await asyncio.sleep(0.1)


def levels(rotation: authority_pb2.Rotation) -> dict[str, str]:
    return {client.name: client.level for client in rotation.clients if client.name in CLIENTS}


@pytest.mark.timeout(120)
async def test_a_rehearsal_meets_every_living_client_and_no_client_stores_its_root(lab: Lab) -> None:
    async with await lab.operator() as operator:
        await populate(lab, operator)
        before = {name: lab.access(name).trust_pem for name in CLIENTS}
        await begin(operator, "rehearsal")
        ended = await until(operator, "rehearsed")
        assert set(levels(ended).values()) == {"E3"}, levels(ended)
        assert {name: lab.access(name).trust_pem for name in CLIENTS} == before
        authorities = await operator.authorities()
        assert [row.generation for row in authorities.authorities] == [1]
        assert authorities.bundle_epoch == 1


@pytest.mark.timeout(120)
async def test_a_rotation_moves_on_when_every_living_client_was_recognised(lab: Lab) -> None:
    async with await lab.operator() as operator:
        await populate(lab, operator)
        await begin(operator, "overlap")
        moved = await until(operator, "issuing", "serving", "draining")
        assert all(level >= "E3" for level in levels(moved).values()), levels(moved)
        assert all(len(lab.access(name).trust_pem.split("BEGIN")) == 3 for name in CLIENTS)


@pytest.mark.timeout(120)
async def test_a_program_that_does_not_verify_is_found_by_name_and_holds_the_rotation(lab: Lab) -> None:
    async with await lab.operator() as operator:
        await populate(lab, operator)
        careless = CLIENTS[0]
        lab.tasks.pop(careless).cancel()
        rotation = await begin(operator, "overlap")
        await until(operator, "trusted")
        assert lab.agent is not None
        world = lab.agent._world
        with lab.agent._store.transaction() as tx:
            number = tx.identities.get(careless).number
        await lab.agent._keeper.look()
        access = lab.access(careless)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        load_pair(context, access.certificate_pem, access.key_pem)
        for kind in (CanaryKind.NEGATIVE, CanaryKind.TRUST):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", lab.listening.canary_port, ssl=context, server_hostname=SERVER_NAMES[kind]
            )
            writer.write(f"{nonce_for(world, rotation.id, number)}\n".encode())
            assert await reader.readline() == SEEN
            writer.transport.abort()
        await asyncio.sleep(0)
        seen = await operator.rotation()
        mine = next(client for client in seen.clients if client.name == careless)
        assert mine.level < "E3"
