"""Renewal: proving the old key with a request for the new one, in the form of MOC's library (moc/protocol.md 4.3).

The proof is a certificate named "CSR Key" for the new key, signed with the old one; it travels with the old chain, as
raw PEM, in an extension of the request. Both making it (clients) and checking it (the agent) live here. Whether the old
certificate is trusted and not revoked is judged before, by the agent's guard.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from backend.core.errors import AgentError, CertificateExpired, InvalidInput
from backend.pki.keys import PrivateKey, public_key_der, signing_hash
from backend.pki.profiles import RENEW_CERTIFICATES
from backend.pki.requests import SigningRequest, sign_csr
from backend.pki.trust import PARSE_ERRORS, bundle_pem, common_name_of, split_bundle, validity_of

_PROOF_NAME = "CSR Key"


class ProofRefused(AgentError):
    """The request does not prove that its sender holds the old certificate's key."""

    reason: ClassVar[str] = "proof_refused"


def make_renewal_csr(new_key: PrivateKey, old_key: PrivateKey, old_chain_pem: str) -> str:
    """Return a PEM request for `new_key` with subject and alternative names of the old leaf and the proof of its key.

    `old_chain_pem` begins with the old leaf. The same key may be given twice; the proof then carries the alternative
    names too. The proof's dates are the old leaf's: nobody judges them, and so a client's wrong clock does no harm.

    Raises:
        InvalidInput: the chain cannot be read, or `old_key` is not its leaf's.
    """
    old, *rest = split_bundle(old_chain_pem)
    if public_key_der(old_key.public_key()) != _key_of(old):
        raise InvalidInput(
            f"the old key is not that of the certificate of {common_name_of(old.subject)!r}; sign in again"
        )
    names = [found.value for found in old.extensions if isinstance(found.value, x509.SubjectAlternativeName)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _PROOF_NAME)]))
        .issuer_name(old.subject)
        .public_key(new_key.public_key())
        .serial_number(1)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    if public_key_der(new_key.public_key()) == _key_of(old):
        for name in names:
            builder = builder.add_extension(name, critical=False)
    proof = builder.sign(old_key, signing_hash(old_key))
    chain = x509.UnrecognizedExtension(RENEW_CERTIFICATES, bundle_pem([proof, old, *rest]).encode())
    return sign_csr(new_key, old.subject, [*names, chain])


def check_renewal(request: SigningRequest, old_certificate: x509.Certificate, now: datetime) -> None:
    """Check that the sender of `request` holds the key of `old_certificate`, the one it is connected with.

    A chain that trusts `old_certificate` is a precondition. Without a proof, or with that of another certificate, the
    request is refused; a certificate past its end cannot be renewed (moc/protocol.md 4.4).

    Raises:
        InvalidInput: there is no proof, or it is for another certificate.
        CertificateExpired: the old certificate is past its last second; sign in again.
        ProofRefused: the old key did not sign the new one, or the old certificate is not valid yet.
    """
    name = common_name_of(old_certificate.subject)
    if request.renewal is None:
        raise InvalidInput("missing CSR renew certificates: the request holds no proof of the old key")
    proof, old = request.renewal.proof, request.renewal.old
    if old != old_certificate:
        raise InvalidInput(f"the request renews another certificate than the one of {name!r} that came with it")
    validity = validity_of(old_certificate)
    if validity.is_expired(now):
        raise CertificateExpired(f"the certificate of {name!r} has expired at {validity.not_after}; sign in again")
    if validity.is_pending(now):
        raise ProofRefused(f"the certificate of {name!r} is not valid before {validity.not_before}; check the clocks")
    try:
        proof.verify_directly_issued_by(old_certificate)
    except (InvalidSignature, *PARSE_ERRORS):
        raise ProofRefused(f"the old key of {name!r} did not sign the proof in the request; sign in again") from None
    if _key_of(proof) != public_key_der(request.public_key):
        raise ProofRefused(f"the proof in the request of {name!r} is for another key than the request's; sign in again")


def _key_of(certificate: x509.Certificate) -> bytes | None:
    try:
        return public_key_der(certificate.public_key())  # type: ignore[arg-type] # compared only
    except PARSE_ERRORS:
        return None
