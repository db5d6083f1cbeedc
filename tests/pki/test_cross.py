"""Cross certificates: their profile, their dates, and the truth table of pki.md 5.5 through real TLS 1.3 handshakes."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from backend.clock import SystemClock
from backend.core.errors import InconsistentState, InvalidInput
from backend.core.model import Authority, AuthorityStatus
from backend.pki.issue import Issuer, make_root
from backend.pki.keys import KeyKind, PrivateKey, generate_key, private_key_pem
from backend.pki.profiles import ClientTemplate
from backend.pki.trust import bundle_pem, common_name_of, fingerprint, split_bundle, validity_of

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NAME = "agent.lab"
Side = Literal["server", "client"]

# pki.md 5.5: what is presented, against what the other side trusts. False: the handshake must fail.
TRUTH = {
    "old": {"old": True, "both": True, "new": False},
    "old + cross": {"old": True, "both": True, "new": True},
    "new": {"old": False, "both": True, "new": True},
    "new + cross": {"old": True, "both": True, "new": True},
}
CELLS = [(presented, trusted, holds) for presented, row in TRUTH.items() for trusted, holds in row.items()]


def issuer_of(generation: int, now: datetime, lifetime: timedelta = 365 * DAY) -> Issuer:
    key = generate_key(KeyKind.P256)
    root = make_root(generation, "site-a", key, now, lifetime)
    authority = Authority(
        generation=generation, subject=common_name_of(root.subject), validity=validity_of(root),
        fingerprint=fingerprint(root), pem=bundle_pem([root]), key_file="k", status=AuthorityStatus.ISSUING,
        created_at=now,
    )  # fmt: skip
    return Issuer(authority, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Two generations that vouch for each other, and leaves of each for both ends of a connection."""

    now: datetime
    roots: dict[str, list[x509.Certificate]]
    chains: dict[tuple[Side, str], list[x509.Certificate]]
    key: PrivateKey

    def context(self, side: Side, presented: str, trusted: str, directory: Path) -> ssl.SSLContext:
        protocol = ssl.PROTOCOL_TLS_SERVER if side == "server" else ssl.PROTOCOL_TLS_CLIENT
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=bundle_pem(self.roots[trusted]))
        chain, key = directory / f"{side}.pem", directory / "key.pem"
        chain.write_text(bundle_pem(self.chains[side, presented]))
        key.write_bytes(private_key_pem(self.key))
        context.load_cert_chain(chain, key)
        return context


@pytest.fixture(scope="module")
def site() -> Site:
    now = SystemClock().now()  # TLS reads the machine's clock
    old, new = issuer_of(1, now), issuer_of(2, now)
    key = generate_key(KeyKind.P256)
    template = ClientTemplate(common_name="kva", identity_id="id-1", lifetime=90 * DAY)
    chains: dict[tuple[Side, str], list[x509.Certificate]] = {}
    for name, ours, other in (("old", old, new), ("new", new, old)):
        cross = other.cross_sign(ours.root)
        server = split_bundle(ours.issue_server([NAME], now, 60 * DAY, key.public_key()).pem)
        client = split_bundle(ours.issue_client(template, key.public_key(), now).pem)
        chains["server", name], chains["server", f"{name} + cross"] = server, [*server, cross]
        chains["client", name], chains["client", f"{name} + cross"] = client, [*client, cross]
    roots = {"old": [old.root], "both": [old.root, new.root], "new": [new.root]}
    return Site(now=now, roots=roots, chains=chains, key=key)


def shakes_hands(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> bool:
    """Run one handshake in memory; False when either end does not accept the other's certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    client = client_side.wrap_bio(to_client, to_server, server_hostname=NAME)
    open_ends = [client, server]
    while open_ends:
        for end in list(open_ends):
            try:
                end.do_handshake()
                open_ends.remove(end)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


@pytest.mark.parametrize(("presented", "trusted", "holds"), CELLS)
def test_a_server_certificate_is_accepted_exactly_where_the_truth_table_says(
    site: Site, tmp_path: Path, presented: str, trusted: str, holds: bool
) -> None:
    server = site.context("server", presented, "both", tmp_path)
    assert shakes_hands(server, site.context("client", "old", trusted, tmp_path)) is holds


@pytest.mark.parametrize(("presented", "trusted", "holds"), CELLS)
def test_a_client_certificate_is_accepted_exactly_where_the_truth_table_says(
    site: Site, tmp_path: Path, presented: str, trusted: str, holds: bool
) -> None:
    server = site.context("server", "old", trusted, tmp_path)
    assert shakes_hands(server, site.context("client", presented, "both", tmp_path)) is holds


@pytest.mark.parametrize(("presented", "trusted", "holds"), CELLS)
def test_the_second_verifier_agrees_with_the_truth_table(site: Site, presented: str, trusted: str, holds: bool) -> None:
    policy = PolicyBuilder().store(Store(site.roots[trusted])).time(site.now)
    sides: tuple[Side, ...] = ("server", "client")
    for side in sides:
        leaf, *between = site.chains[side, presented]
        try:
            if side == "server":
                policy.build_server_verifier(x509.DNSName(NAME)).verify(leaf, between)
            else:
                policy.build_client_verifier().verify(leaf, between)
            accepted = True
        except VerificationError:
            accepted = False
        assert accepted is holds, side


def test_a_cross_certificate_follows_the_profile(make_issuer: Callable[..., Issuer]) -> None:
    """pki.md 7.1: the other root's name, key and key identifier, our own name as its issuer, path length 0."""
    ours, theirs = make_issuer(generation=1), make_issuer(generation=2)
    cross = ours.cross_sign(theirs.root)
    get = cross.extensions.get_extension_for_class
    assert (cross.subject, cross.issuer) == (theirs.root.subject, ours.root.subject)
    assert cross.public_key() == theirs.root.public_key()
    assert get(x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=0)
    assert get(x509.BasicConstraints).critical
    usage = get(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
    for kind, of in ((x509.SubjectKeyIdentifier, theirs), (x509.AuthorityKeyIdentifier, ours)):
        key_id = of.root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        found = get(kind).value
        held = found.digest if isinstance(found, x509.SubjectKeyIdentifier) else found.key_identifier  # type: ignore[attr-defined]
        assert held == key_id
    assert cross.serial_number not in {theirs.root.serial_number, ours.root.serial_number}
    assert 0 < cross.serial_number < 2**159
    cross.verify_directly_issued_by(ours.root)


def test_a_cross_certificate_outlives_neither_root(make_issuer: Callable[..., Issuer], now: datetime) -> None:
    long, short = issuer_of(1, now, 365 * DAY), issuer_of(2, now + 300 * DAY, 30 * DAY)
    for cross in (long.cross_sign(short.root), short.cross_sign(long.root)):
        validity = validity_of(cross)
        assert validity.not_before == validity_of(short.root).not_before
        assert validity.not_after == validity_of(short.root).not_after
    ending = issuer_of(3, now, 310 * DAY)
    assert validity_of(ending.cross_sign(short.root)).not_after == validity_of(ending.root).not_after


def test_roots_must_live_together_for_a_second_at_least(now: datetime) -> None:
    first = issuer_of(1, now, 10 * DAY)
    end = validity_of(first.root).not_after
    backdate = now - validity_of(first.root).not_before
    together = issuer_of(2, end - SECOND + backdate)
    assert validity_of(first.cross_sign(together.root)).lifetime == SECOND
    for begins in (end, end + SECOND):
        apart = issuer_of(3, begins + backdate)
        with pytest.raises(InconsistentState, match="never valid at the same time"):
            first.cross_sign(apart.root)


def test_a_generation_does_not_vouch_for_itself(issuer: Issuer) -> None:
    with pytest.raises(InvalidInput, match="its own key"):
        issuer.cross_sign(issuer.root)
