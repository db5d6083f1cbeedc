"""A small agent for these tests: real TLS on two ports, real certificates, MOC's messages on the wire."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from google.protobuf import any_pb2
from google.rpc import status_pb2

from backend.client.login_file import LoginFile, write_login_file
from backend.client.runner import Runner
from backend.client.settings import RunnerSettings
from backend.clock import ManualClock, SystemClock
from backend.core.errors import AgentError, TokenRejected
from backend.core.model import Authority, AuthorityStatus, Secret
from backend.pki import keys, renewal, requests, tokens, trust
from backend.pki.issue import Issuer, make_root
from backend.pki.profiles import ClientTemplate
from backend.wire import methods
from backend.wire.convert import decoded, login_response
from backend.wire.moc import certificate_pb2, common_pb2, identity_pb2
from backend.wire.mocdeck.v1 import client_pb2, fleet_pb2, operation_pb2

LIFETIME = timedelta(days=90)
SIGNING_KEY = keys.generate_key(keys.KeyKind.RSA2048)
Context = grpc.aio.ServicerContext[Any, Any]


class SmallAgent(grpc.GenericRpcHandler):
    """Answers Login, renewal, Beat and two reads. What it heard and what it should answer are plain attributes."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.lifetime = LIFETIME
        self.beats: list[client_pb2.BeatRequest] = []
        self.logins = self.renewals = 0
        self.authorizations: list[str | None] = []
        self.key_digests: list[str] = []
        self.lost_answers = 0
        self.refusal: AgentError | None = None
        self.reply = client_pb2.BeatReply()
        self.generation = 0
        self.rotate()
        self.token = self.mint()

    def mint(self, lifetime: timedelta = LIFETIME) -> Secret:
        assert isinstance(SIGNING_KEY, rsa.RSAPrivateKey)
        self.generation_of_token = getattr(self, "generation_of_token", 0) + 1
        self.token = tokens.mint(SIGNING_KEY, "kms-1", self.clock.now(), lifetime, f"token-{self.generation_of_token}")
        return self.token

    def rotate(self) -> None:
        """A new CA from one call to the next: old leaves are refused, the server shows a leaf of the new one."""
        self.generation += 1
        key, now = keys.generate_key(keys.KeyKind.P256), self.clock.now()
        root = make_root(self.generation, "site-a", key, now, timedelta(days=365))
        self.bundle = trust.bundle_pem([root])
        authority = Authority(
            generation=self.generation, subject=trust.common_name_of(root.subject), validity=trust.validity_of(root),
            fingerprint=trust.fingerprint(root), pem=self.bundle, key_file="k", status=AuthorityStatus.ISSUING,
            created_at=now,
        )  # fmt: skip
        self.issuer = Issuer(authority, key)
        own = keys.generate_key(keys.KeyKind.P256)
        leaf = self.issuer.issue_server(["localhost", "127.0.0.1"], now, timedelta(days=60), own.public_key())
        pair = [(keys.private_key_pem(own), leaf.pem.encode())]
        self.data_tls = grpc.ssl_server_certificate_configuration(pair, self.bundle.encode())
        self.login_tls = grpc.ssl_server_certificate_configuration(pair)

    async def start(self, port: int = 0, auth_port: int = 0) -> None:
        self.servers = []
        ports = []
        for number, tls, wants in ((port, lambda: self.data_tls, True), (auth_port, lambda: self.login_tls, False)):
            server = grpc.aio.server()
            server.add_generic_rpc_handlers((self,))
            credentials = grpc.dynamic_ssl_server_credentials(tls(), tls, wants)  # type: ignore[no-untyped-call]
            ports.append(server.add_secure_port(f"127.0.0.1:{number}", credentials))
            await server.start()
            self.servers.append(server)
        self.port, self.auth_port = ports

    async def stop(self) -> None:
        for server in self.servers:
            await server.stop(None)

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        method = methods.METHODS.get(call.method)
        handler = getattr(self, f"_{method.name.lower()}", None) if method is not None else None
        if method is None or handler is None:
            return None
        self.authorizations.append(dict(call.invocation_metadata).get("authorization"))  # type: ignore[arg-type]
        kind = grpc.unary_stream_rpc_method_handler if method.streams_answers else grpc.unary_unary_rpc_method_handler
        return kind(handler, method.request.FromString, lambda message: message.SerializeToString())

    async def refuse(self, context: Context, error: AgentError) -> None:
        detail = any_pb2.Any()
        detail.Pack(common_pb2.Error(Message=str(error), Code=error.moc_code, Parameters=error.reason))
        status = status_pb2.Status(code=2, message=str(error), details=[detail])
        await context.abort(
            grpc.StatusCode.UNKNOWN, str(error), (("grpc-status-details-bin", status.SerializeToString()),)
        )

    async def _answer(self, context: Context, csr: str, request: Any) -> str:
        if self.refusal is not None:
            await self.refuse(context, self.refusal)
        self.key_digests.append(keys.key_sha256(request.public_key))
        template = ClientTemplate(common_name="kms-1", identity_id="id-1", lifetime=self.lifetime)
        leaf = self.issuer.issue_client(template, request.public_key, self.clock.now())
        if self.lost_answers:
            self.lost_answers -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "lost")
        return leaf.pem

    async def _login(self, message: Any, context: Context) -> Any:
        if self.authorizations[-1] != self.token.reveal():
            await self.refuse(context, TokenRejected())
        csr = message.Identity.certificates[""]
        answer = login_response(await self._answer(context, csr, requests.read_csr(csr)))
        self.logins += 1
        return answer

    async def _operatecertificates(self, message: Any, context: Context) -> Any:
        order = message.CSR[0]
        request = requests.read_csr(order.csr)
        old = trust.split_bundle(decoded(order.oldCertificate, "old"))[0]
        renewal.check_renewal(request, old, self.clock.now())
        pem = await self._answer(context, order.csr, request)
        self.renewals += 1
        return identity_pb2.IdentityCertificateResponse(Certificates=[certificate_pb2.Certificate(certificate=pem)])

    async def _beat(self, message: Any, context: Context) -> Any:
        if self.refusal is not None:
            await self.refuse(context, self.refusal)
        self.beats.append(message)
        self.reply.agent_time = int(self.clock.now().timestamp())
        return self.reply

    async def _get(self, message: Any, context: Context) -> Any:
        if self.refusal is not None:
            await self.refuse(context, self.refusal)
        return operation_pb2.Operation(id=message.id, state="running")

    async def _watch(self, message: Any, context: Context) -> AsyncIterator[Any]:
        yield fleet_pb2.FleetChunk(agent_time=int(self.clock.now().timestamp()), full=True, last=True, change=7, form=2)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().now())  # TLS reads the machine's clock, so the story begins now


@pytest.fixture
async def agent(clock: ManualClock) -> AsyncIterator[SmallAgent]:
    small = SmallAgent(clock)
    await small.start()
    yield small
    await small.stop()


@pytest.fixture
def settings(agent: SmallAgent, tmp_path: Path) -> RunnerSettings:
    path = tmp_path / "login.yaml"
    login = LoginFile(name="kms-1", token=agent.token, trust_pem=agent.bundle, cloud_fqdn="127.0.0.1")
    write_login_file(path, login)
    return RunnerSettings(
        access_file=tmp_path / "kms" / "cloudconfig", login_file=path, port=agent.port, auth_port=agent.auth_port
    )


@pytest.fixture
async def runner(settings: RunnerSettings, clock: ManualClock) -> AsyncIterator[Runner]:
    client = Runner(settings, clock, rng=random.Random(1))  # noqa: S311 - jitter
    yield client
    await client.credential.close()
