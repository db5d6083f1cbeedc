from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from backend.core.errors import CertificateExpired, InvalidInput
from backend.pki.issue import Issuer
from backend.pki.keys import KeyKind, PrivateKey, generate_key, key_sha256, kind_of, signing_hash
from backend.pki.profiles import RENEW_CERTIFICATES, ClientTemplate
from backend.pki.renewal import ProofRefused, check_renewal, make_renewal_csr
from backend.pki.requests import RenewalProof, SigningRequest, make_csr, read_csr
from backend.pki.trust import bundle_pem, common_name_of, split_bundle, validity_of

SECOND = timedelta(seconds=1)


def proof_of(request: SigningRequest) -> RenewalProof:
    assert request.renewal is not None
    return request.renewal


@pytest.fixture
def new_key() -> PrivateKey:
    return generate_key(KeyKind.P256)


@pytest.fixture
def renewal(new_key: PrivateKey, client_key: PrivateKey, leaf: x509.Certificate) -> SigningRequest:
    return read_csr(make_renewal_csr(new_key, client_key, bundle_pem([leaf])))


def test_a_renewal_proves_the_old_key(renewal: SigningRequest, leaf: x509.Certificate, now: datetime) -> None:
    check_renewal(renewal, leaf, now)


def test_a_renewal_request_has_the_form_of_the_library(
    renewal: SigningRequest, new_key: PrivateKey, leaf: x509.Certificate
) -> None:
    """moc/protocol.md 4.3, point by point."""
    assert key_sha256(renewal.public_key) == key_sha256(new_key.public_key())
    assert (renewal.common_name, renewal.dns_names) == ("kva", ("kva",))
    proof, old = proof_of(renewal).proof, proof_of(renewal).old
    assert old == leaf
    assert proof.serial_number == 1
    assert proof.subject.rfc4514_string() == "CN=CSR Key"
    assert proof.issuer == leaf.subject
    assert proof.public_key() == new_key.public_key()
    assert proof.not_valid_after_utc == leaf.not_valid_after_utc
    assert list(proof.extensions) == []


def test_the_proof_travels_as_raw_pem_and_not_as_der(
    new_key: PrivateKey, client_key: PrivateKey, leaf: x509.Certificate, issuer: Issuer
) -> None:
    csr = x509.load_pem_x509_csr(make_renewal_csr(new_key, client_key, bundle_pem([leaf, issuer.root])).encode())
    extension = csr.extensions.get_extension_for_oid(RENEW_CERTIFICATES)
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value.startswith(b"-----BEGIN CERTIFICATE-----\n")
    assert split_bundle(extension.value.value)[1:] == [leaf, issuer.root]
    assert not extension.critical


@pytest.mark.parametrize("name", ["renew.csr.pem", "renew-same-key.csr.pem"])
def test_renewal_requests_of_a_go_client_are_accepted(vectors: Path, name: str) -> None:
    """Both variants of moc/protocol.md 4.3, made by Go's own X.509 library."""
    old = split_bundle((vectors / "old.crt.pem").read_text())[0]
    request = read_csr((vectors / name).read_text())
    check_renewal(request, old, datetime(2026, 1, 2, tzinfo=UTC))
    assert kind_of(request.public_key) is KeyKind.RSA2048
    assert proof_of(request).proof.serial_number == 1
    assert common_name_of(proof_of(request).proof.subject) == "CSR Key"
    assert (request.public_key == old.public_key()) is ("same-key" in name)


@pytest.mark.parametrize("old_kind", [KeyKind.RSA2048, KeyKind.ED25519, KeyKind.P384])
@pytest.mark.parametrize("new_kind", [KeyKind.P256, KeyKind.ED25519])
def test_old_and_new_key_may_be_of_different_kinds(
    issuer: Issuer, template: ClientTemplate, now: datetime, old_kind: KeyKind, new_kind: KeyKind
) -> None:
    old_key, new_key = generate_key(old_kind), generate_key(new_kind)
    old = issuer.issue_client(template, old_key.public_key(), now)
    request = read_csr(make_renewal_csr(new_key, old_key, old.pem))
    check_renewal(request, x509.load_der_x509_certificate(old.der), now)


def test_the_same_key_may_be_renewed(client_key: PrivateKey, leaf: x509.Certificate, now: datetime) -> None:
    request = read_csr(make_renewal_csr(client_key, client_key, bundle_pem([leaf])))
    check_renewal(request, leaf, now)
    names = proof_of(request).proof.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names == x509.SubjectAlternativeName([x509.DNSName("kva")])


def test_a_certificate_is_renewable_up_to_its_last_second(renewal: SigningRequest, leaf: x509.Certificate) -> None:
    validity = validity_of(leaf)
    check_renewal(renewal, leaf, validity.not_before)
    check_renewal(renewal, leaf, validity.not_after)
    with pytest.raises(CertificateExpired, match="expired"):  # the word makes Go clients sign in again
        check_renewal(renewal, leaf, validity.not_after + SECOND)
    with pytest.raises(ProofRefused, match="check the clocks"):
        check_renewal(renewal, leaf, validity.not_before - SECOND)


def test_a_request_without_proof_does_not_renew(client_key: PrivateKey, leaf: x509.Certificate, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="missing CSR renew certificates"):
        check_renewal(read_csr(make_csr(client_key, "kva")), leaf, now)


def test_nobody_renews_with_anothers_leaf(
    renewal: SigningRequest, issuer: Issuer, template: ClientTemplate, now: datetime
) -> None:
    """R68: the proof is for one certificate, and the connection was made with another."""
    other = issuer.issue_client(template, generate_key(KeyKind.P256).public_key(), now)
    with pytest.raises(InvalidInput, match="another certificate"):
        check_renewal(renewal, x509.load_der_x509_certificate(other.der), now)


def test_a_stolen_proof_does_not_fit_another_key(
    renewal: SigningRequest, leaf: x509.Certificate, client_key: PrivateKey, now: datetime
) -> None:
    thief = generate_key(KeyKind.P256)
    stolen = SigningRequest(
        public_key=thief.public_key(), common_name="kva", dns_names=(), ip_addresses=(), renewal=renewal.renewal
    )
    with pytest.raises(ProofRefused, match="for another key"):
        check_renewal(stolen, leaf, now)


@pytest.mark.parametrize("issuer_name", ["kva", "someone"])
def test_a_proof_not_signed_by_the_old_key_is_refused(leaf: x509.Certificate, now: datetime, issuer_name: str) -> None:
    """R68: without the old key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer_name)])
    proof = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + SECOND)
        .sign(key, hashes.SHA256())
    )
    value = proof.public_bytes(Encoding.PEM) + leaf.public_bytes(Encoding.PEM)
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(leaf.subject)
        .add_extension(x509.UnrecognizedExtension(RENEW_CERTIFICATES, value), critical=False)
        .sign(key, signing_hash(key))
    )
    with pytest.raises(ProofRefused, match="did not sign"):
        check_renewal(read_csr(csr.public_bytes(Encoding.PEM).decode()), leaf, now)


def test_the_old_key_must_be_that_of_the_chain(
    new_key: PrivateKey, leaf: x509.Certificate, make_issuer: Callable[..., Issuer]
) -> None:
    with pytest.raises(InvalidInput, match="the old key is not that of the certificate of 'kva'"):
        make_renewal_csr(new_key, new_key, bundle_pem([leaf]))
    with pytest.raises(InvalidInput):
        make_renewal_csr(new_key, new_key, "")


def test_a_long_line_of_renewals_stays_small(issuer: Issuer, template: ClientTemplate, now: datetime) -> None:
    """The first certificate is carried, not the whole line, so requests keep under 16 kB with the largest key."""
    key = generate_key(KeyKind.RSA4096)
    last = issuer.issue_client(template, key.public_key(), now)
    for _ in range(3):
        old = x509.load_der_x509_certificate(last.der)
        request = read_csr(make_renewal_csr(key, key, last.pem + issuer.authority.pem))
        check_renewal(request, old, now)
        following = ClientTemplate.renewing(
            old, common_name="kva", identity_id=template.identity_id, lifetime=last.requested
        )
        last = issuer.issue_client(following, request.public_key, now)
        assert last.validity.lifetime == template.lifetime


def test_a_renewal_returns_to_the_lifetime_once_asked_for(
    make_issuer: Callable[..., Issuer], client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    """A certificate cut short by its CA gets its full life back under the next generation."""
    ending, following = make_issuer(lifetime=timedelta(days=10)), make_issuer(generation=2)
    short = ending.issue_client(template, client_key.public_key(), now)
    assert (short.shortened, short.validity.lifetime) == (True, timedelta(days=10))
    renewed = following.issue_client(
        ClientTemplate.renewing(
            x509.load_der_x509_certificate(short.der),
            common_name="kva",
            identity_id=template.identity_id,
            lifetime=short.requested,
        ),
        client_key.public_key(),
        now,
    )
    assert (renewed.shortened, renewed.validity.lifetime) == (False, timedelta(days=90))
