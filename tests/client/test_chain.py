"""Asking a stranger for the signed chain: what he hears, what he may say, what is believed of it (pki.md 4.6)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from backend.client.chain import REFUSED_REST, TrustChain, fetch_chain
from backend.client.errors import AgentUntrusted, Unreachable
from backend.client.login_file import read_login_file, write_login_file
from backend.client.material import Material
from backend.client.record import read_record, record_path
from backend.client.runner import Runner
from backend.client.settings import RunnerSettings
from backend.client.statuses import Line
from backend.clock import ManualClock
from backend.core.errors import AgentError, NotSupported
from backend.core.model import Authority, AuthorityStatus
from backend.pki import keys, trust
from backend.pki.epochs import ChainBroken, ChainCut, Link, WrongSigner, state
from backend.pki.issue import Issuer, make_root
from backend.wire.mocdeck.v1 import client_pb2, trust_pb2

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
PATH = "/mocdeck.v1.TrustAgent/GetBundleChain"


def issuer_of(generation: int, clock: ManualClock, deployment: str = "site-a") -> Issuer:
    key, now = keys.generate_key(keys.KeyKind.P256), clock.now()
    root = make_root(generation, deployment, key, now, timedelta(days=365))
    authority = Authority(
        generation=generation, subject=trust.common_name_of(root.subject), validity=trust.validity_of(root),
        fingerprint=trust.fingerprint(root), pem=trust.bundle_pem([root]), key_file="k",
        status=AuthorityStatus.ISSUING, created_at=now,
    )  # fmt: skip
    return Issuer(authority, key)


def chain_of(clock: ManualClock, *epochs: tuple[list[Issuer], Issuer], cut: int = 0) -> list[Link]:
    """A chain of (roots, issuer); `cut` is the epoch without the signature before it."""
    links: list[Link] = []
    last, before = None, None
    for number, (roots, issuer) in enumerate(epochs, 1):
        pem = trust.bundle_pem(one.root for one in roots)
        said = state(
            deployment_id="d", epoch=number, created_at=clock.now(), bundle_pem=pem,
            issuer=issuer.authority.fingerprint, previous=last, chain_cut=number == cut,
        )  # fmt: skip
        first = before.sign_statement(said) if before is not None and number != cut else b""
        signed = issuer.sign_statement(said)
        links.append(Link(statement=said.text, signature=signed, previous_signature=first, bundle_pem=pem))
        last, before = said, issuer
    return links


class Stranger(grpc.GenericRpcHandler):
    """Whoever answers at the agent's ports, under a certificate of his own; he keeps all that he is told."""

    def __init__(self, clock: ManualClock, names: tuple[str, ...] = ("stranger.example",)) -> None:
        self.issuer, self.key = issuer_of(9, clock, "stranger"), keys.generate_key(keys.KeyKind.P256)
        self.leaf = self.issuer.issue_server(names, clock.now(), timedelta(days=9), self.key.public_key())
        self.heard: list[tuple[str, dict[str, Any], bytes, Any]] = []
        self.links: list[Link] | None = []

    async def start(self) -> None:
        pair = [(keys.private_key_pem(self.key), self.leaf.pem.encode())]
        self.server = grpc.aio.server()
        self.server.add_generic_rpc_handlers((self,))
        self.port = self.server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))
        await self.server.start()

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        async def answer(body: bytes, context: Any) -> bytes:
            metadata = dict(call.invocation_metadata)  # type: ignore[arg-type]
            self.heard.append((call.method, metadata, body, context.auth_context().get("x509_pem_cert")))
            if self.links is None:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
            links = [
                trust_pb2.BundleLink(
                    statement=link.statement, signature=link.signature, bundle_pem=link.bundle_pem,
                    previous_signature=link.previous_signature,
                )
                for link in self.links or ()
            ]  # fmt: skip
            return trust_pb2.BundleChain(links=links).SerializeToString()

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
async def stranger(clock: ManualClock) -> AsyncIterator[Stranger]:
    made = Stranger(clock)
    await made.start()
    yield made
    await made.server.stop(None)


def line_to(port: int, trust_pem: str) -> Line:
    return Line(host="127.0.0.1", port=port, server_name="127.0.0.1", trust_pem=trust_pem)


async def settle(runner: Runner, passes: int = 8) -> None:
    for _ in range(passes):
        await runner.step()


def astray(settings: RunnerSettings, stranger: Stranger) -> RunnerSettings:
    """The same client, whose connections end at the stranger."""
    return replace(settings, port=stranger.port, auth_port=stranger.port)


async def test_a_stranger_hears_one_epoch_number_and_nothing_else(
    runner: Runner, settings: RunnerSettings, clock: ManualClock, stranger: Stranger
) -> None:
    await runner.step()
    lost = Runner(astray(settings, stranger), clock)
    clock.advance(MINUTE)
    await settle(lost)
    assert [path for path, *_ in stranger.heard] == [PATH]  # no sign-in, no heartbeat, no renewal
    _, metadata, body, certificate = stranger.heard[0]
    assert set(metadata) <= {"user-agent", "grpc-accept-encoding", "accept-encoding"}
    assert trust_pb2.BundleChainRequest.FromString(body) == trust_pb2.BundleChainRequest(since_epoch=0)
    assert certificate is None
    await lost.credential.close()


async def test_a_stranger_who_asks_for_our_certificate_is_not_shown_it(
    runner: Runner, agent: Any, settings: RunnerSettings, clock: ManualClock, tmp_path: Path
) -> None:
    await runner.step()
    access = runner.credential.material.access
    assert access is not None
    other = Stranger(clock)
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text(other.leaf.pem)
    key.write_bytes(keys.private_key_pem(other.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.load_verify_locations(cadata=agent.bundle)
    context.verify_mode = ssl.CERT_OPTIONAL  # asked for, and good if it came
    context.set_alpn_protocols(["h2"])
    shown: list[bytes | None] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown.append(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.transport.abort()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Unreachable):
        await fetch_chain(line_to(port, access.trust_pem), 0)
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0)  # aborted transports close their sockets on the next turn of the loop
    assert shown
    assert set(shown) == {None}


async def test_the_chain_is_believed_whoever_brings_it(
    settings: RunnerSettings, clock: ManualClock, stranger: Stranger
) -> None:
    old, new = issuer_of(1, clock), issuer_of(2, clock)
    stranger.links = chain_of(clock, ([old], old), ([old, new], old), ([new], new))
    assert settings.login_file is not None
    material = Material(settings)
    material.refresh(clock.now())
    assert material.login is not None
    material.login = material.login.with_trust(trust.bundle_pem([old.root]))
    follower = TrustChain(material, clock)
    await follower.follow(line_to(stranger.port, material.trust_pem()))
    assert material.trust_pem() == stranger.links[2].bundle_pem
    assert not follower.is_refused


@pytest.mark.parametrize("name", ["stranger.example", "192.0.2.1"])
async def test_a_certificate_for_any_name_is_pinned(clock: ManualClock, name: str) -> None:
    """Neither is the name that was dialled: it is the chain that proves, not the one who tells it."""
    odd = Stranger(clock, (name,))
    await odd.start()
    try:
        assert await fetch_chain(line_to(odd.port, ""), 3) == ()
        assert trust_pb2.BundleChainRequest.FromString(odd.heard[0][2]).since_epoch == 3
    finally:
        await odd.server.stop(None)


async def test_nobody_there_is_unreachable(clock: ManualClock, stranger: Stranger) -> None:
    await stranger.server.stop(None)
    with pytest.raises(Unreachable, match="cannot reach"):
        await fetch_chain(line_to(stranger.port, ""), 0)


async def test_a_refused_chain_is_asked_for_again_after_a_rest_and_not_before(
    runner: Runner, settings: RunnerSettings, clock: ManualClock, stranger: Stranger
) -> None:
    await runner.step()
    lost = Runner(astray(settings, stranger), clock)
    clock.advance(MINUTE)
    await settle(lost)
    chain = lost.credential.chain
    assert (len(stranger.heard), chain.is_refused, chain.is_cut) == (1, True, False)
    clock.advance(REFUSED_REST - SECOND)
    assert chain.is_refused
    clock.advance(SECOND)
    assert not chain.is_refused
    await settle(lost, 3)
    assert len(stranger.heard) == 2
    await lost.credential.close()


async def test_a_cut_is_remembered_over_a_start_and_other_roots_are_another_matter(
    settings: RunnerSettings, clock: ManualClock, stranger: Stranger
) -> None:
    old, new = issuer_of(1, clock), issuer_of(2, clock)
    stranger.links = chain_of(clock, ([old], old), ([new], new), cut=2)
    for _ in range(2):
        material = Material(settings)
        material.refresh(clock.now())
        assert material.login is not None
        material.login = material.login.with_trust(trust.bundle_pem([old.root]))
        follower = TrustChain(material, clock)
        if not follower.is_cut:
            with pytest.raises(ChainCut):
                await follower.follow(line_to(stranger.port, material.trust_pem()))
    assert len(stranger.heard) == 1
    clock.advance(REFUSED_REST + SECOND)
    assert follower.is_cut
    material.login = material.login.with_trust(trust.bundle_pem([new.root]))
    assert not follower.is_cut


@pytest.mark.parametrize(
    ("told", "error"),
    [("nothing", ChainBroken), ("evil", WrongSigner), ("newest", AgentUntrusted), ("older agent", NotSupported)],
)
async def test_what_leads_nowhere_changes_no_file(
    runner: Runner,
    settings: RunnerSettings,
    clock: ManualClock,
    stranger: Stranger,
    agent: Any,
    told: str,
    error: type[AgentError],
) -> None:
    await runner.step()
    before = settings.access_file.read_bytes()
    known, evil = agent.issuer, issuer_of(5, clock)
    if told == "newest":
        stranger.links = chain_of(clock, ([known], known))
    elif told == "evil":  # the step to its own root, signed by itself instead of the CA that is trusted
        first, second = chain_of(clock, ([known], known), ([evil], evil))
        stranger.links = [first, replace(second, previous_signature=second.signature)]
    elif told == "older agent":
        stranger.links = None
    chain = runner.credential.chain
    with pytest.raises(error):
        await chain.follow(line_to(stranger.port, runner.credential.material.trust_pem()))
    assert settings.access_file.read_bytes() == before
    assert chain.is_refused


def messages(links: list[Link]) -> list[trust_pb2.BundleLink]:
    return [
        trust_pb2.BundleLink(
            statement=link.statement, signature=link.signature, previous_signature=link.previous_signature,
            bundle_pem=link.bundle_pem,
        )
        for link in links
    ]  # fmt: skip


async def beat_with(runner: Runner, agent: Any, clock: ManualClock, epoch: int, pem: str, links: list[Link]) -> str:
    """One heartbeat that brings a bundle; returns why it was not stored, "" when it was."""
    agent.reply = client_pb2.BeatReply(epoch=epoch, bundle_pem=pem, chain=messages(links))
    clock.advance(MINUTE)
    await runner.step()
    material = runner.credential.material
    if material.access is not None and material.access.trust_pem == pem and material.epoch == epoch:
        return ""
    return read_record(record_path(runner._settings.access_file)).status.last_error


async def test_a_heartbeats_bundle_is_the_agents_word_until_a_chain_has_led_there_once(
    runner: Runner, agent: Any, clock: ManualClock
) -> None:
    known, other = agent.issuer, issuer_of(2, clock)
    links = chain_of(clock, *[([known, other], known)] * 5)
    bundle = links[0].bundle_pem
    await runner.step()
    # From a login file's roots, and from an epoch older than the first signature, there is nothing to walk from.
    assert await beat_with(runner, agent, clock, 1, bundle, []) == ""
    assert await beat_with(runner, agent, clock, 2, bundle, []) == ""
    assert await beat_with(runner, agent, clock, 4, bundle, links[2:4]) == ""
    assert not runner.credential.material.memory.chained
    # The first walk, and from here on nothing comes without one.
    assert await beat_with(runner, agent, clock, 5, bundle, links[3:]) == ""
    assert runner.credential.material.memory.chained
    assert "came without its signatures" in await beat_with(runner, agent, clock, 6, bundle, [])
    assert runner.credential.material.epoch == 5


@pytest.mark.parametrize("fault", ["another bundle", "another epoch", "a later beginning", "a gap"])
async def test_a_bundle_that_its_chain_does_not_prove_is_not_stored(
    runner: Runner, agent: Any, clock: ManualClock, fault: str
) -> None:
    known, other = agent.issuer, issuer_of(2, clock)
    links = chain_of(clock, *[([known], known)] * 3, ([known, other], known))
    await runner.step()
    assert await beat_with(runner, agent, clock, 1, links[0].bundle_pem, []) == ""
    assert await beat_with(runner, agent, clock, 2, links[1].bundle_pem, links[:2]) == ""
    told = {
        "another bundle": (4, trust.bundle_pem([known.root, issuer_of(3, clock).root]), links[1:]),
        "another epoch": (5, links[3].bundle_pem, links[1:]),
        "a later beginning": (4, links[3].bundle_pem, links[2:]),
        "a gap": (4, links[3].bundle_pem, [links[1], links[3]]),
    }[fault]
    assert "are not stored" in await beat_with(runner, agent, clock, *told)
    assert runner.credential.material.epoch == 2
    assert await beat_with(runner, agent, clock, 4, links[3].bundle_pem, links[1:]) == ""


async def test_a_login_file_that_somebody_brings_begins_anew(
    runner: Runner, agent: Any, clock: ManualClock, settings: RunnerSettings
) -> None:
    """Its roots are a person's word: no epoch is known of them, and the next bundle is the agent's."""
    known = agent.issuer
    links = chain_of(clock, *[([known], known)] * 2)
    await runner.step()
    await beat_with(runner, agent, clock, 1, links[0].bundle_pem, [])
    await beat_with(runner, agent, clock, 2, links[1].bundle_pem, links)
    assert settings.login_file is not None
    brought = trust.bundle_pem([known.root, issuer_of(7, clock).root])
    write_login_file(settings.login_file, read_login_file(settings.login_file).with_trust(brought))
    agent.reply = client_pb2.BeatReply()
    await settle(runner, 3)
    assert (runner.credential.material.epoch, runner.credential.material.trust_pem()) == (0, brought)
    assert await beat_with(runner, agent, clock, 9, links[0].bundle_pem, []) == ""
