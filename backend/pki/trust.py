"""Trust: bundles of root certificates, and whether a certificate chains to one of them at an instant.

Leaves are issued directly under a root, so a chain is one signature. Refuses roots that are no certificate authorities.
Revocation and which generations are trusted is for the caller, who chooses the roots.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from backend.core.errors import CertificateExpired, CertificateUntrusted, InvalidInput
from backend.core.lifecycle import Validity
from backend.pki.pem import join_pem, split_pem

_MAX_BUNDLE_BYTES: Final = 256 * 1024  # some hundred roots; a deployment trusts two or three
_LABEL: Final = "CERTIFICATE"

# What reading a hostile certificate or request may raise besides ValueError.
PARSE_ERRORS: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def bundle_pem(certificates: Iterable[x509.Certificate]) -> str:
    """Return the certificates as concatenated PEM blocks, in the given order."""
    return "".join(join_pem(certificate.public_bytes(Encoding.DER), _LABEL) for certificate in certificates)


def split_bundle(pem: str | bytes) -> list[x509.Certificate]:
    """Return the certificates of concatenated PEM blocks, in order; at least one.

    Raises:
        InvalidInput: too long, not strictly PEM, or a block that is no certificate.
    """
    certificates = [read_certificate(der) for der in split_pem(pem, _LABEL, _MAX_BUNDLE_BYTES)]
    for certificate in certificates:
        try:
            validity_of(certificate)
        except ValueError as error:
            raise InvalidInput(f"a certificate in the bundle has impossible dates: {error}") from error
    return certificates


def read_leaf(pem: str) -> x509.Certificate:
    """Return the first certificate of a chain of ours; the others are not read.

    Raises:
        InvalidInput: as of `split_bundle`.
    """
    return read_certificate(split_pem(pem, _LABEL, _MAX_BUNDLE_BYTES)[0])


def read_certificate(der: bytes) -> x509.Certificate:
    """Read one DER certificate, with its names and extensions, so that later reading of them cannot fail.

    Raises:
        InvalidInput: it is none, or anything follows it.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = (certificate.subject, certificate.issuer, certificate.extensions)
    except PARSE_ERRORS as error:
        raise InvalidInput("a certificate cannot be read; send it again as it was issued") from error
    return certificate


def validity_of(certificate: x509.Certificate) -> Validity:
    """Return the certificate's dates.

    Raises:
        ValueError: it ends before it begins; no certificate of ours or of a bundle does.
    """
    return Validity(
        not_before=certificate.not_valid_before_utc.astimezone(UTC),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
    )


def common_name_of(name: x509.Name) -> str:
    """Return the first common name in a subject or issuer, or "" without one."""
    return next((str(found.value) for found in name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)), "")


def fingerprint(certificate: x509.Certificate) -> str:
    """Hex SHA-256 of the DER certificate."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def verify_chain(leaf: x509.Certificate, roots: Sequence[x509.Certificate], now: datetime) -> None:
    """Check that one of `roots` signed `leaf` and that both are valid at `now`; both ends of validity are inclusive.

    The signature is judged before the dates, so that only a certificate of ours is ever called expired.

    Raises:
        CertificateUntrusted: none of the roots signed it, its root is outside its own dates, or it is not valid yet.
        CertificateExpired: it is one of ours and past its end.
    """
    name = common_name_of(leaf.subject)
    issuers = [root for root in roots if _is_signed_by(leaf, root)]
    if not issuers:
        raise CertificateUntrusted(f"the certificate of {name!r} was not issued by a CA that is trusted; sign in again")
    validity = validity_of(leaf)
    if validity.is_expired(now):
        raise CertificateExpired(f"the certificate of {name!r} expired at {validity.not_after}; sign in again")
    if validity.is_pending(now):
        raise CertificateUntrusted(
            f"the certificate of {name!r} is not valid before {validity.not_before}; check both computers' clocks"
        )
    alive = (root for root in issuers if not (ends := validity_of(root)).is_expired(now) and not ends.is_pending(now))
    if next(alive, None) is None:
        ends = validity_of(issuers[0])
        raise CertificateUntrusted(
            f"the CA {common_name_of(issuers[0].subject)!r} is valid from {ends.not_before} to {ends.not_after} only, "
            "so its certificates do not count now; rotate the CA"
        )


def _is_signed_by(leaf: x509.Certificate, root: x509.Certificate) -> bool:
    if leaf.issuer != root.subject or not is_authority(root):
        return False
    try:
        leaf.verify_directly_issued_by(root)
    except (InvalidSignature, *PARSE_ERRORS):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether it may sign certificates, by its basic constraints and its key usage."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, *PARSE_ERRORS):
        return False
    return constraints.ca and usage.key_cert_sign
