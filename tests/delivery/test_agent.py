"""A started agent brings a login file into a cluster, and one cluster that hangs holds up no other."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import yaml

from backend.clock import SystemClock
from backend.core.model import Secret
from backend.pki import keys, requests
from backend.server.app import Agent
from backend.service.bootstrap import init_agent
from backend.store.sqlite import open_store
from backend.wire.convert import decoded, login_message
from backend.wire.methods import get_method
from backend.wire.moc import common_pb2, identity_pb2
from backend.wire.mocdeck.v1 import delivery_pb2, fleet_pb2, operation_pb2

PASSPHRASE = Secret("correct horse battery staple")
Call = Callable[..., Any]


def unary(channel: grpc.aio.Channel, service: str, name: str) -> Any:
    method = get_method(service, name)
    return channel.unary_unary(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("fresh") / "agent"
    init_agent(directory, passphrase=PASSPHRASE, fqdns=["127.0.0.1"], clock=SystemClock(), open_store=open_store)
    return directory


@pytest.fixture
async def call(
    fresh: Path, api: Any, serve: Callable[..., Any], kubeconfig: Callable[..., Path], tmp_path: Path
) -> AsyncIterator[Call]:
    """Calls of the administrator to an agent with two clusters: wl1 answers, wl2 takes connections and says nothing."""
    directory = tmp_path / "agent"
    shutil.copytree(fresh, directory)
    stuck = serve()
    stuck.hold.clear()
    clusters = []
    for name, port in (("wl1", api.port), ("wl2", stuck.port)):
        path = kubeconfig(port).rename(tmp_path / f"{name}.kubeconfig")
        clusters.append({"name": name, "kubeconfig": str(path)})
    file = directory / "delivery.yaml"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump({"clusters": clusters}))
    agent = Agent(directory, PASSPHRASE)
    listening = await agent.start(host="127.0.0.1", port=0, auth_port=0)
    login = yaml.safe_load((directory / "admin" / "login.yaml").read_text())
    roots, key = decoded(login["certificate"], "roots").encode(), keys.generate_key(keys.KeyKind.P256)
    where = f"127.0.0.1:{listening.auth_port}"
    async with grpc.aio.secure_channel(where, grpc.ssl_channel_credentials(roots)) as channel:
        request = login_message("admin", requests.make_csr(key, "admin"))
        metadata = (("authorization", login["token"]),)
        answer = await unary(channel, "AuthenticationAgent", "Login")(request, metadata=metadata)
    leaf = decoded(answer.Token, "leaf").encode()
    credentials = grpc.ssl_channel_credentials(roots, keys.private_key_pem(key), leaf)
    async with grpc.aio.secure_channel(f"127.0.0.1:{listening.port}", credentials) as channel:
        yield lambda service, name, request: unary(channel, service, name)(request)
    stuck.hold.set()
    await agent.stop()


async def create(call: Call, name: str, cluster: str) -> None:
    tags = {"mocdeck.kind": "CAPH", "mocdeck.cluster": cluster}
    entry = identity_pb2.Identity(name=name, clientType=common_pb2.CONTROLPLANE)
    entry.tags.tags.extend(common_pb2.Tag(key=key, value=value) for key, value in tags.items())
    request = identity_pb2.IdentityRequest(Identitys=[entry], OperationType=common_pb2.POST)
    await call("IdentityAgent", "Invoke", request)


async def test_a_started_agent_brings_a_login_file_into_a_cluster_while_another_hangs(api: Any, call: Call) -> None:
    await create(call, "caph-1", "wl1")
    await create(call, "caph-2", "wl2")
    wish = operation_pb2.PlanRequest(
        action=operation_pb2.ROTATE_TOKEN, names=["caph-1", "caph-2"], force=True, reason="drill"
    )
    plan = await call("OperationAgent", "Plan", wish)
    targets = {target.name: target for target in plan.targets}
    assert (targets["caph-1"].route, targets["caph-2"].route) == ("kubernetes", "manual")
    assert "can be written" in targets["caph-1"].route_why
    assert "does not answer in time" in targets["caph-2"].route_why
    wish.names[:] = ["caph-1"]
    plan = await call("OperationAgent", "Plan", wish)
    await call("OperationAgent", "Start", operation_pb2.StartRequest(plan_id=plan.id, hash=plan.hash))
    assert await asyncio.to_thread(api.kept.wait, 20)
    assert yaml.safe_load(api.value("default", "caphlogintoken", "value"))["name"] == "caph-1"
    described = await call("FleetAgent", "Describe", fleet_pb2.DescribeRequest(name="caph-1"))
    assert [(place.route, place.state) for place in described.places] == [("kubernetes", "ready")]
    probed = await call("DeliveryAgent", "Probe", delivery_pb2.DeliveryListRequest(names=["caph-1"]))
    assert probed.clients[0].places[0].looked_at
