"""Real TLS on both ports: versions, names, keepalive, hot swaps, limits, and what a port in use looks like."""

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import pytest

from backend.clock import SystemClock
from backend.core.limits import MESSAGE_BYTES
from backend.core.model import Authority, AuthorityStatus
from backend.pki import keys, trust
from backend.pki.issue import Issuer, make_root
from backend.pki.profiles import ClientTemplate
from backend.server import ports
from backend.server.calls import Call, Reply
from backend.server.credentials import LiveCredentials, TlsMaterial
from backend.server.edge import Edge
from backend.wire.methods import LOGIN_METHODS, METHODS, get_method
from backend.wire.moc import version_pb2

VERSION = get_method("VersionAgent", "Get")


def bytewise(channel: grpc.aio.Channel, path: str) -> Any:
    return channel.unary_unary(path)


async def shaken(context: ssl.SSLContext, port: int, name: str = "127.0.0.1") -> tuple[str | None, str | None]:
    def look() -> tuple[str | None, str | None]:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname=name) as wrapped,
        ):
            return wrapped.version(), wrapped.selected_alpn_protocol()

    return await asyncio.to_thread(look)


async def test_tls_1_3_is_preferred_and_1_2_accepted(served: Any) -> None:
    context = served.tls()
    assert await shaken(context, served.listening.auth_port) == ("TLSv1.3", "h2")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert await shaken(context, served.listening.auth_port) == ("TLSv1.2", "h2")


async def test_tls_1_1_is_refused(served: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=served.roots.decode())
    context.set_ciphers("ALL:@SECLEVEL=0")  # our side would refuse too, at a higher level
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # our point exactly
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await shaken(context, served.listening.auth_port)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_the_certificate_names_exactly_what_clients_dial(served: Any, name: str) -> None:
    """protocol.md 0, fact 13: Go clients ignore the common name."""
    await shaken(served.tls(), served.listening.auth_port, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        await shaken(served.tls(), served.listening.auth_port, "elsewhere.example")


async def test_the_data_port_asks_for_a_certificate_and_the_login_port_does_not(served: Any) -> None:
    credentials = grpc.ssl_channel_credentials(served.roots)
    target = f"127.0.0.1:{served.listening.port}"
    async with grpc.aio.secure_channel(target, credentials) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await bytewise(channel, VERSION.path)(b"", timeout=5)
    target = f"127.0.0.1:{served.listening.auth_port}"
    async with grpc.aio.secure_channel(target, credentials) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await bytewise(channel, get_method("AuthenticationAgent", "Login").path)(b"", timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED  # it came through to the token


async def test_each_port_serves_its_own_services_only(served: Any) -> None:
    async with served.channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await bytewise(channel, get_method("AuthenticationAgent", "Login").path)(b"", timeout=5)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    target = f"127.0.0.1:{served.listening.auth_port}"
    async with grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(served.roots)) as channel:
        for path in METHODS:
            if path in LOGIN_METHODS:
                continue
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await bytewise(channel, path)(b"", timeout=5)
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_an_oversized_message_is_refused_and_the_agent_lives_on(served: Any) -> None:
    async with served.channel() as channel:
        call = bytewise(channel, VERSION.path)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"\x0a" + b"x" * MESSAGE_BYTES, timeout=5)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        answer = version_pb2.VersionResponse.FromString(await call(b"", timeout=5))
    assert answer.version


def test_clients_may_ping_every_minute_without_a_call() -> None:
    """protocol.md 0, fact 10, and 1.4: all three options, with slack below the SDK's 60 s."""
    options = dict(ports.OPTIONS)
    assert options["grpc.keepalive_permit_without_calls"] == 1
    for interval in (
        "grpc.http2.min_ping_interval_without_data_ms",
        "grpc.http2.min_recv_ping_interval_without_data_ms",
    ):
        assert options[interval] <= 45_000


async def test_a_port_in_use_is_told_with_its_number_and_what_to_do(served: Any) -> None:
    live = LiveCredentials(material(Site()))
    with pytest.raises(ports.PortUnavailable) as refused:
        ports.bind(Edge(echo, unary=[VERSION.path]), live.login_port(), "127.0.0.1", served.listening.port)
    text = str(refused.value)
    assert f"127.0.0.1:{served.listening.port}" in text
    assert "--port" in text
    assert "0 picks a free one" in text


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
async def test_an_address_that_is_not_ours_is_told_as_such(host: str) -> None:
    live = LiveCredentials(material(Site()))
    with pytest.raises(ports.PortUnavailable, match=f"{host}:0 cannot be bound"):
        ports.bind(Edge(echo, unary=[VERSION.path]), live.login_port(), host, 0)


class Site:
    """One CA with a server leaf and a client leaf, for a bare edge: no agent re-checks what TLS lets in."""

    def __init__(self, generation: int = 1, names: tuple[str, ...] = ("127.0.0.1",)) -> None:
        now = SystemClock().now()
        key = keys.generate_key(keys.KeyKind.P256)
        root = make_root(generation, "site", key, now, timedelta(days=365))
        self.roots = trust.bundle_pem([root]).encode()
        authority = Authority(
            generation=generation, subject=trust.common_name_of(root.subject), validity=trust.validity_of(root),
            fingerprint=trust.fingerprint(root), pem=self.roots.decode(), key_file="k",
            status=AuthorityStatus.ISSUING, created_at=now,
        )  # fmt: skip
        self.issuer = Issuer(authority, key)
        own = keys.generate_key(keys.KeyKind.P256)
        self.server_key = keys.private_key_pem(own)
        self.server_leaf = self.issuer.issue_server(list(names), now, timedelta(days=60), own.public_key()).pem.encode()
        client = keys.generate_key(keys.KeyKind.P256)
        self.client_key = keys.private_key_pem(client)
        template = ClientTemplate(common_name="kms-1", identity_id="3b8b2c1e-0000-4000-8000-000000000001",
                                  lifetime=timedelta(days=90))  # fmt: skip
        self.client_leaf = self.issuer.issue_client(template, client.public_key(), now).pem.encode()


def material(site: Site, roots: bytes | None = None) -> TlsMaterial:
    return TlsMaterial(site.server_leaf, site.server_key, roots or site.roots)


async def echo(call: Call) -> Reply:
    return Reply((call.peer.leaf_pem or b"nobody",))


async def ask(port: int, roots: bytes, client: Site) -> bytes:
    credentials = grpc.ssl_channel_credentials(roots, client.client_key, client.client_leaf)
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options) as channel:
        answer: bytes = await bytewise(channel, VERSION.path)(b"", timeout=5)
    return answer


async def test_a_swap_changes_certificate_and_trust_of_new_connections_and_keeps_the_open_ones() -> None:
    old, new = Site(1), Site(2)
    live = LiveCredentials(material(old))
    server, port = ports.bind(Edge(echo, unary=[VERSION.path]), live.data_port(), "127.0.0.1", 0)
    await server.start()
    try:
        assert await ask(port, old.roots, old) == old.client_leaf
        credentials = grpc.ssl_channel_credentials(old.roots, old.client_key, old.client_leaf)
        async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials) as kept:
            call = bytewise(kept, VERSION.path)
            await call(b"", timeout=5)
            assert live.swap(material(new))
            assert await call(b"", timeout=5) == old.client_leaf  # the guard judges it, on every call
        assert await ask(port, new.roots, new) == new.client_leaf
        with pytest.raises(grpc.aio.AioRpcError):  # old roots: the server's certificate does not verify
            await ask(port, old.roots, old)
        with pytest.raises(grpc.aio.AioRpcError):  # an old leaf: the server does not trust it any more
            await ask(port, new.roots, old)
    finally:
        await server.stop(None)


async def test_a_crowd_that_connects_at_once_is_served_whole_also_during_swaps() -> None:
    site = Site()
    live = LiveCredentials(material(site))
    server, port = ports.bind(Edge(echo, unary=[VERSION.path]), live.data_port(), "127.0.0.1", 0)
    await server.start()
    try:
        for roots in (site.roots, site.roots + Site(2).roots, site.roots):
            live.swap(material(site, roots))
            answers = await asyncio.gather(*(ask(port, site.roots, site) for _ in range(40)))
            assert answers == [site.client_leaf] * 40
    finally:
        await server.stop(None)


async def test_swapping_in_the_same_material_is_no_swap() -> None:
    site = Site()
    live = LiveCredentials(material(site))
    assert not live.swap(material(site))
    assert live.swap(material(site, site.roots + Site(2).roots))


def test_the_agents_material_never_shows_its_key() -> None:
    made = material(Site())
    assert "PRIVATE" in made.key.decode()
    assert "PRIVATE" not in repr(made)
