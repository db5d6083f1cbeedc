"""Signing requests: what a client asks for, read with suspicion, and made.

Reading proves that the sender holds the key, that the key is allowed and that the common name is printable. Names and
addresses in a request are shown to callers and never certified: they come from the identity (pki.md 7.2). Whether a
renewal's proof holds is `backend.pki.renewal`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from backend.core.errors import InvalidInput
from backend.core.limits import CSR_BYTES
from backend.pki.keys import PrivateKey, PublicKey, check_allowed, signing_hash
from backend.pki.pem import join_pem, split_pem
from backend.pki.profiles import RENEW_CERTIFICATES, check_name
from backend.pki.trust import PARSE_ERRORS, read_certificate

LABEL: Final = "CERTIFICATE REQUEST"
_MAX_PROOF_CERTIFICATES: Final = 8  # the proof, the old leaf, and a chain longer than any of ours
_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512, type(None))  # None: Ed25519


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalProof:
    """What a renewal request brings to prove the old key: not yet checked."""

    proof: x509.Certificate  # "CSR Key": the new key, signed with the old one
    old: x509.Certificate
    rest: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest:
    """A request whose self-signature holds and whose key is allowed. Everything else in it is only a wish."""

    public_key: PublicKey
    common_name: str
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    renewal: RenewalProof | None = None


def read_csr(pem_text: str) -> SigningRequest:
    """Read one PEM signing request of at most 16 kB.

    Raises:
        InvalidInput: it is too long, malformed or followed by anything, its key is not allowed, its signature is not by
            that key, its common name is missing, repeated or unprintable, or it holds a broken proof of renewal.
    """
    blocks = split_pem(pem_text, LABEL, CSR_BYTES)
    if len(blocks) != 1:
        raise InvalidInput(f"expected one signing request, found {len(blocks)}")
    try:
        return _read(x509.load_der_x509_csr(blocks[0]))
    except PARSE_ERRORS as error:
        raise InvalidInput("the signing request cannot be read; make a new one") from error


def make_csr(key: PrivateKey, common_name: str, dns: Sequence[str] = (), ips: Sequence[str] = ()) -> str:
    """Return a PEM request for `key` with the common name alone as its subject (moc/protocol.md 3.1).

    Raises:
        InvalidInput: the name cannot be certified.
        ValueError: an address in `ips` is none.
    """
    check_name(common_name)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    names = [*map(x509.DNSName, dns), *(x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips)]
    wanted: list[x509.ExtensionType] = [x509.SubjectAlternativeName(names)] if names else []
    return sign_csr(key, subject, wanted)


def sign_csr(key: PrivateKey, subject: x509.Name, wanted: Iterable[x509.ExtensionType]) -> str:
    """Return a PEM request for `key` with these (non-critical) extensions."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in wanted:
        builder = builder.add_extension(extension, critical=False)
    return join_pem(builder.sign(key, signing_hash(key)).public_bytes(Encoding.DER), LABEL)


def _read(request: x509.CertificateSigningRequest) -> SigningRequest:
    public_key = check_allowed(request.public_key())  # before the signature: a huge key must not cost a verification
    if not isinstance(request.signature_hash_algorithm, _HASHES):
        raise InvalidInput("the signing request is signed with a weak hash; use SHA-256")
    if not request.is_signature_valid:
        raise InvalidInput("the signing request is not signed by the key in it; make a new one")
    extensions = {extension.oid: extension.value for extension in request.extensions}
    names = extensions.get(x509.SubjectAlternativeName.oid)
    dns: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    if isinstance(names, x509.SubjectAlternativeName):
        dns = tuple(names.get_values_for_type(x509.DNSName))
        ips = tuple(map(str, names.get_values_for_type(x509.IPAddress)))
    proof = extensions.get(RENEW_CERTIFICATES)
    return SigningRequest(
        public_key=public_key,
        common_name=_common_name(request.subject),
        dns_names=dns,
        ip_addresses=ips,
        renewal=_read_proof(proof.value) if isinstance(proof, x509.UnrecognizedExtension) else None,
    )


def _common_name(subject: x509.Name) -> str:
    found = [attribute.value for attribute in subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    if len(found) != 1 or not isinstance(found[0], str):
        raise InvalidInput(f"the signing request has {len(found)} common names; it must have one, the identity's name")
    check_name(found[0])
    return found[0]


def _read_proof(pem: bytes) -> RenewalProof:
    blocks = split_pem(pem, "CERTIFICATE", CSR_BYTES)
    if not 2 <= len(blocks) <= _MAX_PROOF_CERTIFICATES:
        raise InvalidInput(f"missing CSR renew certificates: expected the proof and the old chain, found {len(blocks)}")
    proof, old, *rest = map(read_certificate, blocks)
    return RenewalProof(proof=proof, old=old, rest=tuple(rest))
