"""A running agent: one a directory, watches that follow the fleet, and an end that lets calls finish."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from backend.clock import SystemClock
from backend.core.errors import InconsistentState, NotFound
from backend.core.model import Secret
from backend.pki import keys, requests
from backend.pki.vault import WrongPassphrase
from backend.server.app import Agent
from backend.server.ports import PortUnavailable
from backend.service.audit import SLICE, record
from backend.store.records import Delivery
from backend.wire.convert import decoded, fleet_delta, fleet_request, login_message
from backend.wire.methods import get_method
from backend.wire.moc import common_pb2, identity_pb2, roleassignment_pb2, version_pb2
from backend.wire.mocdeck.v1 import audit_pb2, operation_pb2

ROOT = Path(__file__).parents[2]
PASSPHRASE = Secret("correct horse battery staple")


def watch(channel: grpc.aio.Channel, since: int = 0) -> Any:
    method = get_method("FleetAgent", "Watch")
    call = channel.unary_stream(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )
    return call(fleet_request(since), timeout=30)


async def complete(stream: Any) -> list[Any]:
    """The chunks up to the one that completes a snapshot or delta."""
    chunks: list[Any] = []
    while not chunks or not chunks[-1].last:
        chunk = await stream.read()
        assert chunk is not grpc.aio.EOF
        chunks.append(chunk)
    return chunks


def unary(channel: grpc.aio.Channel, service: str, name: str) -> Any:
    method = get_method(service, name)
    return channel.unary_unary(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )


async def create(channel: grpc.aio.Channel, name: str) -> str:
    """A new identity; returns its token."""
    entry = identity_pb2.Identity(name=name, clientType=common_pb2.CONTROLPLANE)
    request = identity_pb2.IdentityRequest(Identitys=[entry], OperationType=common_pb2.POST)
    answer = await unary(channel, "IdentityAgent", "Invoke")(request, timeout=10)
    token: str = answer.Identitys[0].token
    return token


async def signed_in(served: Any, name: str, token: str) -> grpc.aio.Channel:
    key = keys.generate_key(keys.KeyKind.P256)
    target = f"127.0.0.1:{served.listening.auth_port}"
    async with grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(served.roots)) as channel:
        answer = await unary(channel, "AuthenticationAgent", "Login")(
            login_message(name, requests.make_csr(key, name)), metadata=(("authorization", token),), timeout=10
        )
    leaf = decoded(answer.Token, "leaf").encode()
    credentials = grpc.ssl_channel_credentials(served.roots, keys.private_key_pem(key), leaf)
    options = (("grpc.use_local_subchannel_pool", 1),)
    return grpc.aio.secure_channel(f"127.0.0.1:{served.listening.port}", credentials, options=options)


def names(chunks: list[Any]) -> list[str]:
    return [delta.names[index] for delta in map(fleet_delta, chunks) for index in delta.clients.name]


async def follow(stream: Any) -> None:
    """Read on until it ends by raising."""
    while True:
        await complete(stream)


async def test_a_watch_gives_everything_then_what_changed_and_ends_when_the_agent_stops(served: Any) -> None:
    async with served.channel() as channel:
        stream = watch(channel)
        first = await complete(stream)
        assert first[0].full
        assert set(names(first)) == {"admin"}
        await create(channel, "kms-1")
        seen: list[str] = []
        while "kms-1" not in seen:
            delta = await complete(stream)
            assert not delta[0].full
            assert delta[-1].change > first[-1].change
            seen += names(delta)
        await served.agent.stop()
        while (chunk := await stream.read()) is not grpc.aio.EOF:
            assert chunk.change
        assert await stream.code() is grpc.StatusCode.OK


async def test_a_watcher_that_was_away_is_told_only_what_it_missed(served: Any) -> None:
    async with served.channel() as channel:
        stream = watch(channel)
        first = await complete(stream)
        stream.cancel()
        await create(channel, "kms-1")
        again = await complete(watch(channel, since=first[-1].change))
        assert not again[0].full
        assert "kms-1" in names(again)


async def test_a_watch_ends_when_the_watcher_is_revoked(served: Any) -> None:
    async with served.channel() as admin:
        token = await create(admin, "auditor-1")
        grant = roleassignment_pb2.RoleAssignment(roleName="Reader", identityName="auditor-1")
        await unary(admin, "RoleAssignmentAgent", "Invoke")(
            roleassignment_pb2.RoleAssignmentRequest(roleAssignments=[grant], OperationType=common_pb2.POST)
        )
        async with await signed_in(served, "auditor-1", token) as channel:
            stream = watch(channel)
            await complete(stream)
            entry = identity_pb2.Identity(name="auditor-1")
            await unary(admin, "IdentityAgent", "Operate")(
                identity_pb2.IdentityOperationRequest(Identities=[entry], OperationType=common_pb2.Identity_Revoke)
            )
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await follow(stream)
    assert refused.value.code() is grpc.StatusCode.UNKNOWN
    assert "revoked" in (refused.value.details() or "")


async def test_verifying_the_audit_chain_takes_turns_with_the_other_calls(served: Any) -> None:
    """A chain of many thousand links takes seconds, and nobody could sign in meanwhile."""
    turns: list[str] = []

    def fill(tx: Any) -> None:
        for number in range(3 * SLICE):
            record(tx, SystemClock().now(), actor="a", origin="test", action="fill", subject=str(number))

    core = served.agent._core
    await core.submit(fill)
    answer = served.agent._dispatcher.answer

    def noted(tx: Any, call: Any) -> Any:
        turns.append(call.path.rpartition("/")[2])
        return answer(tx, call)

    served.agent._dispatcher.answer = noted
    async with served.channel() as channel:
        verdict = await unary(channel, "AuditAgent", "Verify")(audit_pb2.AuditVerifyRequest(), timeout=20)
    assert verdict.intact
    assert verdict.count > 3 * SLICE
    assert turns.count("Verify") == 4


async def test_stopping_lets_a_call_finish_that_is_on_its_way(served: Any) -> None:
    gate, busy = threading.Event(), threading.Event()

    def hold(_: Any) -> None:
        busy.set()
        gate.wait(10)

    async with served.channel() as channel:
        method = get_method("VersionAgent", "Get")
        call = channel.unary_unary(method.path)
        await call(b"", timeout=10)  # the connection is open
        held = asyncio.create_task(served.agent._core.submit(hold))
        await asyncio.to_thread(busy.wait, 10)
        waiting = asyncio.ensure_future(call(b"", timeout=10))
        while served.agent._core._queue.empty():  # noqa: ASYNC110 - the edge tells nobody when a call has come in
            await asyncio.sleep(0)
        stopping = asyncio.create_task(served.agent.stop())
        await asyncio.sleep(0)
        gate.set()
        assert version_pb2.VersionResponse.FromString(await waiting).version
        await asyncio.gather(held, stopping)


async def test_one_directory_has_one_agent(served: Any) -> None:
    with pytest.raises(InconsistentState, match="another agent runs on") as refused:
        await Agent(served.directory, PASSPHRASE).start(host="127.0.0.1", port=0, auth_port=0)
    assert str(served.directory) in str(refused.value)


async def test_a_start_that_fails_lets_go_of_everything(served: Any) -> None:
    await served.agent.stop()
    with pytest.raises(WrongPassphrase):
        await Agent(served.directory, Secret("wrong")).start(host="127.0.0.1", port=0, auth_port=0)
    again = Agent(served.directory, PASSPHRASE)
    await again.start(host="127.0.0.1", port=0, auth_port=0)
    await again.stop()


async def test_an_agent_comes_back_on_the_ports_it_had(served: Any) -> None:
    await served.agent.stop()
    had = served.listening
    again = Agent(served.directory, PASSPHRASE)
    listening = await again.start(host="127.0.0.1", port=had.port, auth_port=had.auth_port, canary_port=had.canary_port)
    await again.stop()
    assert listening == had


async def test_a_login_port_that_is_taken_frees_the_data_port_and_the_directory(served: Any) -> None:
    await served.agent.stop()
    had = served.listening
    with socket.create_server(("127.0.0.1", 0)) as other:
        agent = Agent(served.directory, PASSPHRASE)
        with pytest.raises(PortUnavailable):
            await agent.start(host="127.0.0.1", port=had.port, auth_port=other.getsockname()[1])
    del agent
    again = Agent(served.directory, PASSPHRASE)
    listening = await again.start(host="127.0.0.1", port=had.port, auth_port=had.auth_port, canary_port=had.canary_port)
    await again.stop()
    assert listening == had


async def test_a_directory_without_an_agent_stays_as_empty_as_an_agent_wants_it_at_its_birth(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="mocdeck agent init"):
        await Agent(tmp_path, PASSPHRASE).start(host="127.0.0.1", port=0, auth_port=0)
    assert not os.listdir(tmp_path)


async def test_a_login_file_on_a_share_that_hangs_does_not_stop_the_agent(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path on a dead network share blocks whoever touches it, for as long as the share is away."""
    hung, ended = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        hung.set()
        ended.wait(20)

    monkeypatch.setattr("backend.server.delivering.write_login_file", hang)
    try:
        async with served.channel() as channel:
            await create(channel, "kva-1")
            await create(channel, "kva-2")
            await served.agent._core.submit(lambda tx: owe(tx, "kva-1", tmp_path / "login.yaml"))
            assert await asyncio.to_thread(hung.wait, 10)
            planned = await unary(channel, "OperationAgent", "Plan")(
                operation_pb2.PlanRequest(
                    action=operation_pb2.ROTATE_TOKEN, names=["kva-2"], force=True, reason="drill"
                )
            )
            start = operation_pb2.StartRequest(plan_id=planned.id, hash=planned.hash)
            operation = await unary(channel, "OperationAgent", "Start")(start)
            async with asyncio.timeout(10):
                while operation.waiting:  # until a tick has begun it
                    await asyncio.sleep(0.05)
                    operation = await unary(channel, "OperationAgent", "Get")(
                        operation_pb2.OperationRequest(id=operation.id)
                    )
    finally:
        ended.set()


def owe(tx: Any, name: str, path: Path) -> None:
    delivery = Delivery(
        id="owed",
        identity_number=tx.identities.get(name).number,
        place=str(path),
        token_id="",
        created_at=SystemClock().now(),
    )
    tx.orders.put_delivery(delivery)


def test_sigterm_ends_the_program_in_order(ready: Path, tmp_path: Path) -> None:
    directory = tmp_path / "agent"
    shutil.copytree(ready, directory)
    environment = {**os.environ, "MOCDECK_PASSPHRASE": PASSPHRASE.reveal()}
    arguments = [
        "agent",
        "run",
        "--directory",
        str(directory),
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--auth-port",
        "0",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "backend.cli", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert "listening on 127.0.0.1:" in program.stdout.readline()
        program.send_signal(signal.SIGTERM)
        _, errors = program.communicate(timeout=20)
    assert program.returncode == 0
    assert "Traceback" not in errors
    assert not (directory / "store.db-wal").exists()  # closed properly: folded into the store
