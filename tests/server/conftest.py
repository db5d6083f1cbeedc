"""Two agents: one whose calls go straight into the dispatcher under a clock that stands still, one on real sockets."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import yaml
from google.protobuf.message import Message

from backend.clock import Clock, ManualClock, SystemClock
from backend.core.model import Secret
from backend.pki import keys, requests
from backend.pki.vault import KeyVault
from backend.server.app import Agent, Listening
from backend.server.calls import Call, Peer
from backend.server.dispatch import Dispatcher
from backend.service.bootstrap import KEYS_DIRECTORY, STORE_FILE, init_agent, open_world
from backend.service.clock_watch import ClockWatch
from backend.service.mirror import FleetMirror
from backend.service.pace import TICK_RESTS, Held, Pace
from backend.service.peers import PeerCache
from backend.service.rates import Rates
from backend.service.signer import Signer
from backend.service.world import World
from backend.store.port import Store
from backend.store.sqlite import open_store
from backend.wire.convert import decoded, login_message
from backend.wire.methods import METHODS, get_method
from backend.wire.moc import common_pb2, identity_pb2, role_pb2, roleassignment_pb2

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
PASSPHRASE = Secret("correct horse battery staple")
ADDRESS = "192.0.2.7"


def birth(directory: Path, clock: Clock) -> None:
    init_agent(
        directory,
        passphrase=PASSPHRASE,
        fqdns=["127.0.0.1", "localhost"],
        deployment="north",
        clock=clock,
        open_store=open_store,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An agent without sockets: messages in, messages out, each call in a transaction of its own."""

    world: World
    store: Store
    clock: ManualClock
    dispatcher: Dispatcher
    directory: Path

    def call(self, service: str, name: str, request: Message, peer: bytes | None = None, **metadata: str) -> Any:
        method = get_method(service, name)
        asked = Call(method.path, request.SerializeToString(), Peer(peer, ADDRESS), metadata)
        with self.store.transaction() as tx, tx.savepoint():
            reply = self.dispatcher.answer(tx, asked)
            while reply.progress is not None:
                reply = self.dispatcher.answer(tx, replace(asked, is_continued=True, progress=reply.progress))
        answers = [METHODS[method.path].response.FromString(body) for body in reply.bodies]
        return answers if method.streams_answers else answers[0]

    def sign_in(self, name: str, token: str, key: keys.PrivateKey | None = None) -> bytes:
        csr = requests.make_csr(key or keys.generate_key(keys.KeyKind.P256), name)
        answer = self.call("AuthenticationAgent", "Login", login_message(name, csr), authorization=token)
        return decoded(answer.Token, "certificate").encode()

    def admin(self) -> bytes:
        return self.sign_in("admin", yaml.safe_load((self.directory / "admin" / "login.yaml").read_text())["token"])

    def identity(self, admin: bytes, name: str, **fields: Any) -> Any:
        entry = identity_pb2.Identity(name=name, clientType=common_pb2.CONTROLPLANE, **fields)
        request = identity_pb2.IdentityRequest(Identitys=[entry], OperationType=common_pb2.POST)
        return self.call("IdentityAgent", "Invoke", request, admin).Identitys[0]

    def member(self, admin: bytes, name: str, role: str = "") -> bytes:
        """A new identity's leaf, with a role everywhere or with none."""
        token = self.identity(admin, name).token
        if role:
            entry = roleassignment_pb2.RoleAssignment(roleName=role, identityName=name)
            request = roleassignment_pb2.RoleAssignmentRequest(roleAssignments=[entry], OperationType=common_pb2.POST)
            self.call("RoleAssignmentAgent", "Invoke", request, admin)
        return self.sign_in(name, token)

    def roles(self, admin: bytes) -> list[str]:
        return [role.name for role in self.call("RoleAgent", "Invoke", role_pb2.RoleRequest(), admin).Roles]


@pytest.fixture(scope="session")
def born(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World, KeyVault]:
    directory = tmp_path_factory.mktemp("born") / "agent"
    birth(directory, ManualClock(START))
    world = open_world(directory, passphrase=PASSPHRASE, clock=ManualClock(START))
    return directory, world, KeyVault.open(directory / KEYS_DIRECTORY, PASSPHRASE)


@pytest.fixture
def site(born: tuple[Path, World, KeyVault], tmp_path: Path) -> Iterator[Site]:
    source, world, vault = born
    directory = tmp_path / "agent"
    shutil.copytree(source, directory)
    clock = ManualClock(START)
    opened = KeyVault(directory / KEYS_DIRECTORY, vault._aead)  # deriving its key anew takes a tenth of a second
    world = replace(
        world,
        clock=clock,
        signer=Signer(opened),
        agent_directory=directory,
        peers=PeerCache(),
        mirror=FleetMirror(),
        rates=Rates(),
        watch=ClockWatch(),
        pace=Pace(TICK_RESTS),
        shown=Held(),
    )
    store = open_store(directory / STORE_FILE)
    yield Site(world=world, store=store, clock=clock, dispatcher=Dispatcher(world), directory=directory)
    store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    tmp_path.chmod(0o700)
    opened = open_store(tmp_path / "store.db")
    yield opened
    opened.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A started agent, its administrator's key and leaf, and the roots to know it by."""

    agent: Agent
    directory: Path
    listening: Listening
    key: bytes
    leaf: bytes
    roots: bytes

    def channel(self) -> grpc.aio.Channel:
        credentials = grpc.ssl_channel_credentials(self.roots, self.key, self.leaf)
        return grpc.aio.secure_channel(f"127.0.0.1:{self.listening.port}", credentials)

    def tls(self) -> ssl.SSLContext:
        """A client's context for the login port, as Python's ssl makes it; floor and ceiling are the test's."""
        context = ssl.create_default_context(cadata=self.roots.decode())
        context.set_alpn_protocols(["h2"])
        return context


def unary(channel: grpc.aio.Channel, service: str, name: str) -> Any:
    method = get_method(service, name)
    return channel.unary_unary(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ready") / "agent"
    birth(directory, SystemClock())
    return directory


@pytest.fixture
async def served(ready: Path, tmp_path: Path) -> AsyncIterator[Served]:
    directory = tmp_path / "agent"
    shutil.copytree(ready, directory)
    agent = Agent(directory, PASSPHRASE)
    listening = await agent.start(host="127.0.0.1", port=0, auth_port=0)
    login = yaml.safe_load((directory / "admin" / "login.yaml").read_text())
    roots = decoded(login["certificate"], "roots").encode()
    key = keys.generate_key(keys.KeyKind.P256)
    target = f"127.0.0.1:{listening.auth_port}"
    async with grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(roots)) as channel:
        request = login_message("admin", requests.make_csr(key, "admin"))
        answer = await unary(channel, "AuthenticationAgent", "Login")(
            request, metadata=(("authorization", login["token"]),)
        )
    leaf = decoded(answer.Token, "leaf").encode()
    yield Served(
        agent=agent,
        directory=directory,
        listening=listening,
        key=keys.private_key_pem(key),
        leaf=leaf,
        roots=roots,
    )
    await agent.stop()
