"""The canary's three doors over real TLS: who gets in, who is known by it, and that nobody else leaves a trace."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from backend.client.access_file import AccessFile, make_access_file
from backend.client.canary import make_round
from backend.clock import SystemClock
from backend.core.canary import ANOTHER_NAME, SERVER_NAMES, CanaryKind, CanaryTask
from backend.core.model import Authority, AuthorityStatus, Secret
from backend.pki import keys
from backend.pki.contexts import load_pair
from backend.pki.issue import Issuer, make_root
from backend.pki.profiles import ClientTemplate
from backend.pki.trust import bundle_pem, common_name_of, fingerprint, split_bundle, validity_of
from backend.server import canary
from backend.server.canary import SEEN, Canary, CanaryMaterial, Sighting
from backend.server.ports import PortUnavailable

DAY = timedelta(days=1)
NONCE = "a" * 64


def issuer_of(generation: int, name: str = "north") -> Issuer:
    key, now = keys.generate_key(keys.KeyKind.P256), SystemClock().now()  # TLS reads the machine's clock
    root = make_root(generation, name, key, now, 365 * DAY)
    authority = Authority(
        generation=generation, subject=common_name_of(root.subject), validity=validity_of(root),
        fingerprint=fingerprint(root), pem=bundle_pem([root]), key_file="k", status=AuthorityStatus.ISSUING,
        created_at=now,
    )  # fmt: skip
    return Issuer(authority, key)


@dataclass
class Site:
    """Two generations, the canary between them, and what it has told."""

    old: Issuer
    new: Issuer
    nobody: Issuer
    canary: Canary
    port: int = 0
    seen: list[Sighting] = field(default_factory=list)
    recognises: bool = True

    def material(self, *trusted: Issuer) -> CanaryMaterial:
        key, now = keys.generate_key(keys.KeyKind.P256), SystemClock().now()
        signers = {CanaryKind.TRUST: self.new, CanaryKind.NEGATIVE: self.nobody, CanaryKind.NAME: self.new}
        chains = {
            kind: signer.issue_server(
                [ANOTHER_NAME if kind is CanaryKind.NAME else SERVER_NAMES[kind]], now, DAY, key.public_key()
            ).pem
            for kind, signer in signers.items()
        }
        roots = bundle_pem(one.root for one in trusted or (self.old, self.new))
        return CanaryMaterial(chains=chains, key=Secret(keys.private_key_pem(key).decode()), roots=roots)

    def access(self, issuer: Issuer, *trusted: Issuer) -> AccessFile:
        """A client with a leaf of `issuer` that trusts the roots given."""
        key = keys.generate_key(keys.KeyKind.P256)
        template = ClientTemplate(common_name="kva", identity_id="id-1", lifetime=DAY)
        leaf = issuer.issue_client(template, key.public_key(), SystemClock().now())
        return make_access_file(
            trust_pem=bundle_pem(one.root for one in trusted),
            certificate_pem=leaf.pem,
            key_pem=Secret(keys.private_key_pem(key).decode()),
            identity_name="kva",
        )

    async def round(self, access: AccessFile, rehearsal_root: str = "") -> dict[CanaryKind, str]:
        """What our own client finds at each door: "" where it got in."""
        task = CanaryTask(rotation_id="r", port=self.port, nonce=NONCE, rehearsal_root_pem=rehearsal_root)
        report = await asyncio.to_thread(make_round, task, "127.0.0.1", access)
        return {result.kind: "" if result.opened else result.failure for result in report.results}

    def kinds(self) -> list[CanaryKind]:
        return [sighting.kind for sighting in self.seen]


@pytest.fixture(scope="module")
def generations() -> tuple[Issuer, Issuer, Issuer]:
    return issuer_of(1), issuer_of(2), issuer_of(2, "nobody")


@pytest.fixture
async def site(generations: tuple[Issuer, Issuer, Issuer]) -> AsyncIterator[Site]:
    async def recognise(sighting: Sighting) -> bool:
        made.seen.append(sighting)
        return made.recognises

    made = Site(*generations, canary=Canary(recognise))
    made.port = await made.canary.start("127.0.0.1", 0)
    made.canary.set_material(made.material())
    yield made
    await made.canary.stop()


async def hand_in(context: ssl.SSLContext, port: int, name: str | None, line: bytes = NONCE.encode() + b"\n") -> bytes:
    """A visitor of our own making; returns what it hears."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or "")
    try:
        writer.write(line)
        return await asyncio.wait_for(reader.read(16), 5)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def is_turned_away(
    context: ssl.SSLContext, port: int, name: str | None, line: bytes = NONCE.encode() + b"\n"
) -> bool:
    """Whether a visitor hears nothing: refused in the handshake or, as TLS 1.3 has it, after its own part of it."""
    try:
        return await hand_in(context, port, name, line) == b""
    except OSError:
        return True


def visitor(access: AccessFile | None = None, *, verifies: bool = True, compares: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = compares and verifies
    context.verify_mode = ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE
    if access is not None:
        context.load_verify_locations(cadata=access.trust_pem)
        load_pair(context, access.certificate_pem, access.key_pem)
    return context


async def test_a_client_that_trusts_the_new_root_gets_in_at_one_door_and_is_known_by_its_leaf(site: Site) -> None:
    access = site.access(site.old, site.old, site.new)
    found = await site.round(access)
    assert found[CanaryKind.TRUST] == ""
    assert "unable to get local issuer certificate" in found[CanaryKind.NEGATIVE]
    assert "Hostname mismatch" in found[CanaryKind.NAME]
    assert site.kinds() == [CanaryKind.TRUST]
    seen = site.seen[0]
    assert seen.leaf_der == ssl.PEM_cert_to_DER_cert(access.certificate_pem)
    assert (seen.nonce, seen.address) == (NONCE, "127.0.0.1")
    assert access.certificate_pem not in repr(seen)


async def test_a_client_that_holds_only_the_old_root_never_gets_in(site: Site) -> None:
    """pki.md 4.2: whatever epoch it claims. No cross certificate stands behind the canary's."""
    found = await site.round(site.access(site.old, site.old))
    for why in found.values():
        assert why in {"unable to get local issuer certificate", "self-signed certificate in certificate chain"}
    assert site.seen == []


async def test_a_client_of_the_new_generation_gets_in_too(site: Site) -> None:
    assert (await site.round(site.access(site.new, site.new)))[CanaryKind.TRUST] == ""
    assert site.kinds() == [CanaryKind.TRUST]


async def test_a_client_that_does_not_verify_is_named_by_its_own_certificate(site: Site) -> None:
    access = site.access(site.old, site.old, site.new)
    careless = visitor(access, verifies=False)
    assert await hand_in(careless, site.port, SERVER_NAMES[CanaryKind.NEGATIVE]) == SEEN
    assert site.kinds() == [CanaryKind.NEGATIVE]
    assert site.seen[0].leaf_der == ssl.PEM_cert_to_DER_cert(access.certificate_pem)


async def test_a_client_that_does_not_compare_names_is_named_too(site: Site) -> None:
    careless = visitor(site.access(site.old, site.new), compares=False)
    assert await hand_in(careless, site.port, SERVER_NAMES[CanaryKind.NAME]) == SEEN
    with pytest.raises(ssl.SSLCertVerificationError):
        await hand_in(careless, site.port, SERVER_NAMES[CanaryKind.NEGATIVE])
    assert site.kinds() == [CanaryKind.NAME]


async def test_a_root_of_a_rehearsal_is_believed_at_the_doors_and_nowhere_else(site: Site) -> None:
    access = site.access(site.old, site.old)
    before = access.trust_pem
    found = await site.round(access, rehearsal_root=bundle_pem([site.new.root]))
    assert found[CanaryKind.TRUST] == ""
    assert "Hostname mismatch" in found[CanaryKind.NAME]
    assert access.trust_pem == before


@pytest.mark.parametrize("who", ["nobody's leaf", "no leaf"])
async def test_who_shows_no_certificate_of_the_bundle_is_turned_away(site: Site, who: str) -> None:
    access = site.access(site.nobody, site.new) if who == "nobody's leaf" else None
    context = visitor(access)
    context.load_verify_locations(cadata=bundle_pem([site.new.root]))
    assert await is_turned_away(context, site.port, SERVER_NAMES[CanaryKind.TRUST])
    assert site.seen == []


async def test_a_generation_that_left_the_bundle_is_turned_away(site: Site) -> None:
    site.canary.set_material(site.material(site.new))
    assert (await site.round(site.access(site.old, site.new)))[CanaryKind.TRUST] != ""
    assert site.seen == []
    assert (await site.round(site.access(site.new, site.new)))[CanaryKind.TRUST] == ""


@pytest.mark.parametrize("name", [None, "ca.example.test", "trust-canary.mocdeck.invalid.example"])
async def test_another_name_opens_no_door(site: Site, name: str | None) -> None:
    context = visitor(site.access(site.old, site.new), verifies=False)
    assert await is_turned_away(context, site.port, name)
    assert site.seen == []


async def test_without_a_rotation_every_handshake_is_refused(site: Site) -> None:
    access = site.access(site.old, site.new)
    site.canary.set_material(None)
    assert "" not in (await site.round(access)).values()
    for kind in CanaryKind:
        assert await is_turned_away(visitor(access, verifies=False), site.port, SERVER_NAMES[kind])
    assert site.seen == []
    site.canary.set_material(site.material())
    assert (await site.round(access))[CanaryKind.TRUST] == ""


async def test_tls_1_2_is_refused(site: Site) -> None:
    context = visitor(site.access(site.old, site.new))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert await is_turned_away(context, site.port, SERVER_NAMES[CanaryKind.TRUST])
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    assert await hand_in(context, site.port, SERVER_NAMES[CanaryKind.TRUST]) == SEEN


async def test_no_visit_can_be_resumed(site: Site) -> None:
    """A resumed session would show no certificate again, so it would prove nothing of today (pki.md 7.6)."""
    context = visitor(site.access(site.old, site.new))
    for _ in range(2):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", site.port, ssl=context, server_hostname=SERVER_NAMES[CanaryKind.TRUST]
        )
        writer.write(NONCE.encode() + b"\n")
        assert await reader.readline() == SEEN
        tls = writer.get_extra_info("ssl_object")
        assert not tls.session_reused
        assert tls.session is None or not tls.session.has_ticket
        writer.transport.abort()
        await asyncio.sleep(0)


async def test_who_is_not_recognised_hears_that(site: Site) -> None:
    site.recognises = False
    found = await site.round(site.access(site.old, site.new))
    assert found[CanaryKind.TRUST] == "the agent did not recognise this client there"


@pytest.mark.parametrize("line", [b"\n", b"", b"x" * 5000, b"\xff\xfe\n"])
async def test_a_line_that_is_no_nonce_is_not_told(site: Site, line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "SECONDS", 0.5)
    context = visitor(site.access(site.old, site.new))
    assert await is_turned_away(context, site.port, SERVER_NAMES[CanaryKind.TRUST], line)
    assert site.seen == []


async def test_silent_visitors_are_sent_away_in_time_and_hold_nobody_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R45: half-open connections, more of them than there is room for."""
    monkeypatch.setattr(canary, "SECONDS", 0.3)
    opened = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(canary.VISITORS + 5)]
    assert (await site.round(site.access(site.old, site.new)))[CanaryKind.TRUST] == ""
    assert await asyncio.wait_for(opened[0][0].read(), 5) == b""
    for _, writer in opened:
        writer.transport.abort()
    await asyncio.sleep(0)


async def test_a_port_that_is_taken_is_said_with_the_option_to_change_it(site: Site) -> None:
    other = Canary(site.canary._recognise)
    with pytest.raises(PortUnavailable, match="--canary-port"):
        await other.start("127.0.0.1", site.port)
    await other.stop()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Asyncio logs refused handshakes by itself; they are what these tests are about."""
    logger = logging.getLogger("asyncio")
    logger.disabled = True
    yield
    logger.disabled = False


def test_the_doors_show_what_each_is_for(generations: tuple[Issuer, Issuer, Issuer]) -> None:
    material = Site(*generations, canary=Canary(lambda _: asyncio.sleep(0, True))).material()
    issuers = {kind: common_name_of(split_bundle(pem)[0].issuer) for kind, pem in material.chains.items()}
    assert issuers[CanaryKind.TRUST] == issuers[CanaryKind.NAME] != issuers[CanaryKind.NEGATIVE]
