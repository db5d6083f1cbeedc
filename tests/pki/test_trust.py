import contextlib
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import CertificateExpired, CertificateUntrusted, InvalidInput
from backend.pki.issue import Issuer
from backend.pki.keys import PrivateKey
from backend.pki.pem import join_pem
from backend.pki.profiles import ClientTemplate
from backend.pki.trust import bundle_pem, fingerprint, read_certificate, split_bundle, validity_of, verify_chain

SECOND = timedelta(seconds=1)


def test_a_bundle_keeps_its_certificates_in_order(issuer: Issuer, make_issuer: Callable[..., Issuer]) -> None:
    roots = [issuer.root, make_issuer(generation=2).root]
    pem = bundle_pem(roots)
    assert split_bundle(pem) == split_bundle(pem.encode()) == split_bundle(pem.replace("\n", "\r\n")) == roots
    assert ssl.create_default_context(cadata=pem).get_ca_certs()
    assert fingerprint(roots[0]) == roots[0].fingerprint(hashes.SHA256()).hex()


def test_bundles_that_are_not_strictly_pem_are_refused(issuer: Issuer) -> None:
    pem = bundle_pem([issuer.root])
    body = pem.splitlines()[1]
    wrong = {
        "": "found nothing",
        "garbage": "nothing between",
        pem + "x": "nothing between",
        "x" + pem: "nothing between",
        pem.replace("CERTIFICATE", "X509 CRL"): "type CERTIFICATE",
        pem.replace("END CERTIFICATE", "END THING"): "nothing between",
        pem.replace(body, body[:-1]): "base64|cannot be read",
        pem.replace(body, "é" + body): "ASCII",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n": "cannot be read",
        pem * 500: "more than the 262144 allowed",
    }
    for text, reason in wrong.items():
        with pytest.raises(InvalidInput, match=reason):
            split_bundle(text)


def test_bytes_after_a_certificate_are_refused(issuer: Issuer) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_certificate(issuer.root.public_bytes(Encoding.DER) + b"\0")


@given(st.binary(max_size=300) | st.text(max_size=300))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_bundle_makes_another_error(data: str | bytes) -> None:
    with pytest.raises(InvalidInput):
        split_bundle(data)


@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=200)
@pytest.mark.filterwarnings("ignore")
def test_no_damaged_certificate_makes_another_error(issuer: Issuer, now: datetime, data: st.DataObject) -> None:
    der = bytearray(issuer.root.public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidInput):
        certificate = read_certificate(bytes(der))
        with contextlib.suppress(CertificateUntrusted, CertificateExpired):
            verify_chain(certificate, [issuer.root], now)
    with contextlib.suppress(InvalidInput):
        split_bundle(join_pem(bytes(der), "CERTIFICATE"))


def test_both_ends_of_validity_are_inclusive(issuer: Issuer, leaf: x509.Certificate) -> None:
    validity, roots = validity_of(leaf), [issuer.root]
    verify_chain(leaf, roots, validity.not_before)
    verify_chain(leaf, roots, validity.not_after)
    with pytest.raises(CertificateUntrusted, match="not valid before"):
        verify_chain(leaf, roots, validity.not_before - SECOND)
    with pytest.raises(CertificateExpired, match="expired at"):
        verify_chain(leaf, roots, validity.not_after + SECOND)


def test_a_leaf_counts_under_any_root_of_the_bundle(
    issuer: Issuer, make_issuer: Callable[..., Issuer], leaf: x509.Certificate, now: datetime
) -> None:
    other = make_issuer(generation=2)
    verify_chain(leaf, [other.root, issuer.root], now)
    for roots in ([other.root], []):
        with pytest.raises(CertificateUntrusted, match="not issued by a CA that is trusted"):
            verify_chain(leaf, roots, now)


def test_a_stranger_is_untrusted_even_when_expired(
    make_issuer: Callable[..., Issuer], leaf: x509.Certificate, now: datetime
) -> None:
    with pytest.raises(CertificateUntrusted):
        verify_chain(leaf, [make_issuer(generation=2).root], now + timedelta(days=1000))


def test_a_root_with_the_right_name_and_a_wrong_key_is_no_issuer(
    issuer: Issuer, make_issuer: Callable[..., Issuer], leaf: x509.Certificate, now: datetime
) -> None:
    impostor = make_issuer()
    assert impostor.root.subject == issuer.root.subject
    with pytest.raises(CertificateUntrusted):
        verify_chain(leaf, [impostor.root], now)


def test_a_client_certificate_cannot_act_as_a_ca(
    issuer: Issuer, client_key: PrivateKey, leaf: x509.Certificate, now: datetime
) -> None:
    """R67: neither as a trusted root nor as what signed another leaf."""
    forged = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(leaf.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(2)
        .not_valid_before(leaf.not_valid_before_utc)
        .not_valid_after(leaf.not_valid_after_utc)
        .sign(client_key, hashes.SHA256())
    )
    for roots in ([leaf], [issuer.root], [issuer.root, leaf]):
        with pytest.raises(CertificateUntrusted):
            verify_chain(forged, roots, now)


def test_a_leaf_does_not_count_when_its_ca_has_ended(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    """Such a leaf is never issued here, so it is made by hand."""
    ends = issuer.authority.validity.not_after
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kva")]))
        .issuer_name(issuer.root.subject)
        .public_key(client_key.public_key())
        .serial_number(2)
        .not_valid_before(now)
        .not_valid_after(ends + timedelta(days=1))
        .sign(issuer._signatory.key, hashes.SHA256())
    )
    verify_chain(leaf, [issuer.root], ends)
    with pytest.raises(CertificateUntrusted, match="rotate the CA") as caught:
        verify_chain(leaf, [issuer.root], ends + SECOND)
    assert "expired" not in str(caught.value)  # Go clients would sign in again for nothing (moc/protocol.md 6.4)
