# ruff: noqa: T201 - standard output is how these programs answer
"""The other processes of a benchmark: an agent on its own, an echo server as the floor, and the load upon either.

Run as a program; the last line on standard output is JSON. The load keeps its connections, as clients do.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from backend.pki import keys, renewal, requests
from backend.server import ports
from backend.server.calls import Call, Reply
from backend.server.credentials import LiveCredentials, TlsMaterial
from backend.server.edge import Edge
from backend.wire.convert import SigningOrder, decoded, login_message, signing_message
from backend.wire.methods import get_method
from backend.wire.moc import common_pb2, identity_pb2

CONNECTIONS = 64
OWN = (("grpc.use_local_subchannel_pool", 1),)
ECHO = get_method("VersionAgent", "Get").path
LOGIN = get_method("AuthenticationAgent", "Login")
RENEW = get_method("IdentityAgent", "OperateCertificates")


def unary(channel: grpc.aio.Channel, method: Any) -> Any:
    return channel.unary_unary(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )


async def measured(rounds: list[Callable[[], Awaitable[None]]], calls: int) -> dict[str, float]:
    """Let every connection make its share of calls, one after the other; return the rate and the delays."""
    delays: list[float] = []

    async def connection(call: Callable[[], Awaitable[None]]) -> None:
        for _ in range(calls // len(rounds)):
            began = time.perf_counter()
            await call()
            delays.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(connection(call) for call in rounds))
    took = time.perf_counter() - began
    delays.sort()
    return {
        "per_second": len(delays) / took,
        "p50_ms": 1000 * delays[len(delays) // 2],
        "p99_ms": 1000 * delays[int(len(delays) * 0.99)],
    }


async def echo_server(order: dict[str, Any]) -> None:
    async def answer(call: Call) -> Reply:
        return Reply((call.body,))

    material = TlsMaterial(order["chain"].encode(), order["key"].encode(), order["roots"].encode())
    server, port = ports.bind(Edge(answer, unary=[ECHO]), LiveCredentials(material).data_port(), "127.0.0.1", 0)
    await server.start()
    print(json.dumps({"port": port}), flush=True)
    await asyncio.Event().wait()


async def echo_load(order: dict[str, Any]) -> dict[str, float]:
    """The floor of a call: mutual TLS, gRPC, a body as large as a renewal's, and no work."""
    credentials = grpc.ssl_channel_credentials(
        order["roots"].encode(), order["client_key"].encode(), order["client_chain"].encode()
    )
    target = f"127.0.0.1:{order['port']}"
    channels = [grpc.aio.secure_channel(target, credentials, options=OWN) for _ in range(CONNECTIONS)]
    body = b"x" * 2500

    def caller(channel: grpc.aio.Channel) -> Callable[[], Awaitable[None]]:
        call: Any = channel.unary_unary(ECHO)

        async def once() -> None:
            await call(body)

        return once

    rounds = [caller(channel) for channel in channels]
    await asyncio.gather(*(once() for once in rounds))  # connections are open before the clock starts
    return await measured(rounds, order["calls"])


class Client:
    """One identity on one kept connection."""

    def __init__(self, order: dict[str, Any], name: str, token: str) -> None:
        self._order, self._name, self._token = order, name, token
        credentials = grpc.ssl_channel_credentials(order["roots"].encode())
        self._login = grpc.aio.secure_channel(f"127.0.0.1:{order['auth_port']}", credentials, options=OWN)
        self._prepared: list[tuple[keys.PrivateKey, str]] = []
        self.key: keys.PrivateKey | None = None
        self.chain = ""

    def prepare(self, count: int) -> None:
        """Make keys and requests beforehand: the client's work is not what is measured."""
        made = [keys.generate_key(keys.KeyKind.P256) for _ in range(count)]
        self._prepared = [(key, requests.make_csr(key, self._name)) for key in made]

    async def sign_in(self) -> None:
        key, csr = self._prepared.pop()
        call = unary(self._login, LOGIN)
        answer = await call(login_message(self._name, csr), metadata=(("authorization", self._token),))
        self.key, self.chain = key, decoded(answer.Token, "certificate")

    def open_data(self) -> None:
        assert self.key is not None
        credentials = grpc.ssl_channel_credentials(
            self._order["roots"].encode(), keys.private_key_pem(self.key), self.chain.encode()
        )
        self._data = grpc.aio.secure_channel(f"127.0.0.1:{self._order['port']}", credentials, options=OWN)

    async def renew(self) -> None:
        """A renewal with proof of the old key; the request must be made now, since it holds the present certificate."""
        assert self.key is not None
        key, _ = self._prepared.pop()
        csr = renewal.make_renewal_csr(key, self.key, self.chain)
        order = signing_message(SigningOrder(name=self._name, csr_pem=csr, old_certificate_pem=self.chain))
        request = identity_pb2.IdentityCertificateRequest(
            IdentityName=self._name, CSR=[order], OperationType=common_pb2.IdentityCertificate_Renew
        )
        answer = await unary(self._data, RENEW)(request, metadata=(("authorization", ""),))
        self.key, self.chain = key, answer.Certificates[0].certificate


async def agent_load(order: dict[str, Any]) -> dict[str, Any]:
    clients = [Client(order, name, token) for name, token in order["tokens"].items()]
    share = order["calls"] // len(clients)
    for client in clients:
        client.prepare(2 * share + 2)
    await asyncio.gather(*(client.sign_in() for client in clients))
    sign_ins = await measured([client.sign_in for client in clients], order["calls"])
    for client in clients:
        client.open_data()
    await asyncio.gather(*(client.renew() for client in clients))
    return {"sign_ins": sign_ins, "renewals": await measured([client.renew for client in clients], order["calls"])}


async def agent(order: dict[str, Any]) -> None:
    """The agent as `mocdeck agent run` has it; with "profile" it writes one when it is ended."""
    import signal

    from backend.core.model import Secret
    from backend.server.app import Agent
    from backend.service.rates import UNLIMITED
    from backend.service.world import Policy

    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    policy = Policy(rates=UNLIMITED)  # what is measured is what the agent can do, not what it allows one address
    running = Agent(Path(order["directory"]), Secret(order["passphrase"]), policy=policy)
    at = await running.start(host="127.0.0.1", port=0, auth_port=0)
    print(json.dumps({"port": at.port, "auth_port": at.auth_port, "pid": os.getpid()}), flush=True)
    gc.freeze()
    await ended.wait()
    await running.stop()


def main() -> None:
    order = json.loads(sys.stdin.readline())
    program = {"agent": agent, "echo-server": echo_server, "echo-load": echo_load, "agent-load": agent_load}[
        sys.argv[1]
    ]
    found = asyncio.run(program(order))
    if found is not None:
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
