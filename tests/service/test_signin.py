"""Signing in: tokens, signing requests and what is issued (R60, R64, R65, R66)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.core.errors import AccessDenied, Fenced, InvalidInput, TokenRejected
from backend.core.model import Secret, Token, TokenState
from backend.pki.keys import KeyKind, generate_key, load_private_key
from backend.pki.profiles import ACCESS_IDENTITY
from backend.pki.requests import make_csr, sign_csr
from backend.pki.trust import split_bundle, verify_chain
from backend.service import identities
from backend.service.fence import clear_fence, set_fence
from backend.service.signin import sign_in
from backend.service.token_line import find_current

if TYPE_CHECKING:
    from tests.service.conftest import Site

SECOND = timedelta(seconds=1)
FROM = "192.0.2.7:50123"


def attempt(site: Site, token: Secret, name: str = "kva", csr: str = "") -> None:
    """Sign in with a key of its own, in a transaction of its own."""
    csr = csr or make_csr(generate_key(KeyKind.P256), name)
    with site.transaction() as tx:
        sign_in(tx, site.world, token=token, name=name, csr_pem=csr, address=FROM)


def rejection(site: Site, token: Secret, name: str = "kva", csr: str = "") -> str:
    """The text of the rejection."""
    with pytest.raises(TokenRejected) as caught:
        attempt(site, token, name, csr)
    return str(caught.value)


def tokens_of(site: Site, number: int) -> list[Token]:
    with site.transaction() as tx:
        return list(tx.tokens.of(number))


def test_a_token_buys_a_certificate_of_its_identity_for_exactly_ninety_days(site: Site) -> None:
    identity, token = site.identity("kva")
    certificate = site.certificate("kva", token)
    leaf = split_bundle(certificate.pem)[0]
    assert certificate.validity.lifetime == certificate.requested == timedelta(days=90)
    assert certificate.validity.not_before == site.clock.now() - timedelta(minutes=5)
    assert certificate.validity.not_before < certificate.renew_from < certificate.renew_until
    carried = leaf.extensions.get_extension_for_oid(ACCESS_IDENTITY).value
    assert isinstance(carried, x509.UnrecognizedExtension)
    assert carried.value.decode() == identity.id
    with site.transaction() as tx:
        verify_chain(leaf, split_bundle(tx.bundles.current().pem), site.clock.now())
        assert tx.certificates.find(certificate.serial) == certificate
        assert tx.audit.newest(1)[0].action == "sign_in"


def test_a_token_signs_in_again_and_again_until_its_last_second(site: Site) -> None:
    _, token = site.identity("kva", token_lifetime=timedelta(days=60))
    first = site.certificate("kva", token)
    site.clock.advance(timedelta(days=60) - SECOND)
    assert site.certificate("kva", token).serial != first.serial
    site.clock.advance(SECOND)
    rejection(site, token)
    site.clock.advance(SECOND)
    rejection(site, token)


def test_every_rejection_reads_the_same(site: Site) -> None:
    """R60: a caller cannot learn which tokens, names or identities exist."""
    _, token = site.identity("kva")
    _, other = site.identity("csi")
    revoked, revoked_token = site.identity("gone")
    with site.transaction() as tx:
        identities.revoke(tx, site.world, site.admin, revoked.name)
    foreign_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = token.reveal()
    claims = jwt.decode(text, options={"verify_signature": False})
    forged = jwt.encode(claims, foreign_key, algorithm="RS256")
    unsigned = jwt.encode(claims, "", algorithm="none")
    unknown = site.world.tokens.mint(site.admin.identity, site.clock.now())[1]
    texts = {
        rejection(site, Secret("")),
        rejection(site, Secret("not a token")),
        rejection(site, Secret(text[:-10])),
        rejection(site, Secret(text + "A")),
        rejection(site, Secret(forged)),
        rejection(site, Secret(unsigned)),
        rejection(site, unknown, "admin"),
        rejection(site, other),
        rejection(site, token, "csi"),
        rejection(site, token, "nobody"),
        rejection(site, revoked_token, "gone"),
        rejection(site, token, csr=make_csr(generate_key(KeyKind.P256), "csi")),
        rejection(site, Secret(text[:-10]), csr="garbage"),
    }
    assert texts == {"Valid Token Required."}


def test_a_bad_request_is_named_only_to_the_holder_of_a_good_token(site: Site) -> None:
    _, token = site.identity("kva")
    with pytest.raises(InvalidInput):
        attempt(site, token, csr="garbage")


@pytest.mark.parametrize("curve_or_bits", [1024, 1536, 2048])
def test_weak_keys_are_refused_and_leave_nothing_behind(site: Site, curve_or_bits: int) -> None:
    """R65: the smallest RSA key that is certified has 2048 bits."""
    identity, token = site.identity("kva")
    key = rsa.generate_private_key(public_exponent=65537, key_size=curve_or_bits)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kva")])
    csr = sign_csr(key, subject, [])
    if curve_or_bits >= 2048:
        attempt(site, token, csr=csr)
        return
    with pytest.raises(InvalidInput):
        attempt(site, token, csr=csr)
    with site.transaction() as tx:
        assert not tx.certificates.of(identity.number)
        current = find_current(tx, identity.number)
    assert current is not None
    assert current.first_used_at is None


def test_the_same_key_within_ten_minutes_gets_the_same_certificate(site: Site) -> None:
    """A client whose answer was lost repeats its request."""
    _, token = site.identity("kva")
    key = generate_key(KeyKind.P256)
    first = site.certificate("kva", token, key)
    site.clock.advance(timedelta(minutes=10))
    assert site.certificate("kva", token, key).serial == first.serial
    site.clock.advance(SECOND)
    assert site.certificate("kva", token, key).serial != first.serial


def test_the_key_of_another_identity_is_refused_without_naming_it(site: Site) -> None:
    _, token = site.identity("kva")
    _, other = site.identity("csi")
    key = generate_key(KeyKind.P256)
    site.certificate("csi", other, key)
    with pytest.raises(AccessDenied, match="in use by another identity") as caught:
        site.certificate("kva", token, key)
    assert "csi" not in str(caught.value)


def test_the_key_of_a_ca_is_refused(site: Site) -> None:
    """R65: whoever holds it could not be told from the CA."""
    _, token = site.identity("kva")
    key = load_private_key(site.world.signer._vault.read("ca-g1.key"))
    with pytest.raises(AccessDenied, match="CA"):
        site.certificate("kva", token, key)


def test_a_request_decides_nothing_but_the_key(site: Site) -> None:
    """R66: subject, names, constraints and uses come from the identity's template."""
    _, token = site.identity("kva")
    wishes: list[x509.ExtensionType] = [
        x509.SubjectAlternativeName([x509.DNSName("*.example.test"), x509.DNSName("csi")]),
        x509.BasicConstraints(ca=True, path_length=None),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),
    ]
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "owners"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "kva"),
        ]
    )
    key = generate_key(KeyKind.P256)
    with site.transaction() as tx:
        csr = sign_csr(key, subject, wishes)
        wished = sign_in(tx, site.world, token=token, name="kva", csr_pem=csr, address=FROM)
    plain = site.certificate("kva", token)
    hopes, template = split_bundle(wished.pem)[0], split_bundle(plain.pem)[0]
    assert hopes.subject == template.subject
    own = {x509.SubjectKeyIdentifier.oid}
    assert [e for e in hopes.extensions if e.oid not in own] == [e for e in template.extensions if e.oid not in own]


def test_no_one_signs_in_while_issuing_is_fenced_and_everyone_after(site: Site) -> None:
    _, token = site.identity("kva")
    with site.transaction() as tx:
        set_fence(tx, "ca rotation")
    with pytest.raises(Fenced) as caught:
        attempt(site, token)
    assert caught.value.retry_after == site.world.policy.fence_retry
    with site.transaction() as tx:
        clear_fence(tx)
    attempt(site, token)


def test_a_lifetime_past_the_end_of_the_ca_is_shortened_to_it(site: Site) -> None:
    _, token = site.identity("kva", token_lifetime=timedelta(days=365))
    site.clock.advance(timedelta(days=300))
    certificate = site.certificate("kva", token)
    with site.transaction() as tx:
        assert certificate.validity.not_after == tx.authorities.issuing().validity.not_after
    assert certificate.requested == timedelta(days=90)


def test_the_first_use_of_a_fresh_token_ends_the_one_before(site: Site) -> None:
    """US-10: no window in which neither works, and the old one does not outlive the first use of the new one."""
    identity, old = site.identity("kva")
    site.certificate("kva", old)
    with site.transaction() as tx:
        _, new = identities.rotate(tx, site.world, site.admin, "kva")
    site.certificate("kva", old)  # a process that keeps its first token (moc/protocol.md 8.1)
    site.certificate("kva", new)
    rejection(site, old)
    states = [token.state for token in tokens_of(site, identity.number)]
    assert states == [TokenState.CURRENT, TokenState.ENDED]


@settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=200), st.binary(max_size=80).map(lambda raw: raw.hex() + "." + raw.hex() + ".x")))
def test_whatever_comes_as_a_token_is_rejected_in_one_way(site: Site, text: str) -> None:
    assert rejection(site, Secret(text), csr="-") == "Valid Token Required."
