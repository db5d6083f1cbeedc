"""Issuing: profile, key and dates in; a signed and checked certificate out.

The only place that signs as an authority. Every product is read back and compared with what was meant, field by field
and with its signature, before anybody gets it. Rows, tokens and permissions are `backend.service`; clients never load
this module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from backend.core.errors import AgentError, InconsistentState, InvalidInput
from backend.core.lifecycle import Validity
from backend.core.limits import BACKDATE
from backend.core.model import Authority
from backend.pki.epochs import Statement
from backend.pki.keys import (
    PrivateKey,
    PublicKey,
    check_allowed,
    public_key_der,
    sign_data,
    signing_hash,
    verify_signature,
)
from backend.pki.pem import join_pem
from backend.pki.profiles import (
    ClientProfile,
    ClientTemplate,
    CrossProfile,
    Profile,
    RootProfile,
    ServerProfile,
    check_lifetime,
)
from backend.pki.trust import common_name_of, split_bundle, validity_of

_LONGEST_ROOT: Final = timedelta(days=36_525)  # a date beyond year 9999 could not be written


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLeaf:
    """A certificate and what a row keeps of it. `shortened`: the CA's end came before the end asked for."""

    serial: int
    validity: Validity
    requested: timedelta
    shortened: bool
    fingerprint: str  # hex SHA-256 of the DER certificate
    key_sha256: str  # hex SHA-256 of the SubjectPublicKeyInfo
    pem: str
    der: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signatory:
    name: x509.Name
    key_id: bytes
    key: PrivateKey
    public_key: PublicKey


class Issuer:
    """One CA generation with its key.

    Raises:
        InconsistentState: the key does not belong to the generation's certificate.
    """

    def __init__(self, authority: Authority, key: PrivateKey) -> None:
        self.authority = authority
        self.root = split_bundle(authority.pem)[0]
        public_key = key.public_key()
        self._key_der = public_key_der(public_key)
        if public_key_der(self.root.public_key()) != self._key_der:  # type: ignore[arg-type] # any kind differs
            raise InconsistentState(
                f"the key in {authority.key_file} is not that of CA generation {authority.generation}; "
                "restore it from a backup"
            )
        key_id = self.root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        self._signatory = _Signatory(name=self.root.subject, key_id=key_id, key=key, public_key=public_key)

    def issue_client(self, template: ClientTemplate, public_key: PublicKey, now: datetime) -> IssuedLeaf:
        """Certify an identity's key; the end is cut to the CA's own and `shortened` says so.

        The key must have passed `backend.pki.keys.check_allowed`, as those of `read_csr` have.

        Raises:
            InvalidInput: the key is this CA's own.
            InconsistentState: the CA is not valid at `now`.
        """
        return self._issue(ClientProfile(template=template), public_key, now, template.lifetime)

    def issue_server(
        self, names: Sequence[str], now: datetime, lifetime: timedelta, public_key: PublicKey
    ) -> IssuedLeaf:
        """Certify the agent's own key for the names and addresses that clients dial.

        Raises:
            InvalidInput: a name is neither a DNS name nor an IP address, the lifetime is five minutes or less, or the
                key is this CA's own.
            InconsistentState: the CA is not valid at `now`.
        """
        check_lifetime(lifetime)
        return self._issue(ServerProfile(names=tuple(names)), public_key, now, lifetime)

    def cross_sign(self, root: x509.Certificate) -> x509.Certificate:
        """Vouch for another generation's CA: whoever trusts this root then accepts that generation's leaves too.

        Name, key and key identifier are the other root's. It is valid from the later beginning to the earlier end of
        both roots, so that it never outlives either (pki.md 7.1).

        Raises:
            InvalidInput: it is this generation's own root, or its key is of a kind that no CA of ours has.
            InconsistentState: there is no moment at which both roots are valid.
        """
        public_key = check_allowed(root.public_key())
        key_der = public_key_der(public_key)
        if key_der == self._key_der:
            raise InvalidInput(f"CA generation {self.authority.generation} cannot vouch for its own key; name another")
        theirs, ours = validity_of(root), validity_of(self.root)
        begins = max(theirs.not_before, ours.not_before)
        ends = min(theirs.not_after, ours.not_after)
        if ends <= begins:
            raise InconsistentState(
                f"the CAs {common_name_of(root.subject)!r} and {common_name_of(self.root.subject)!r} are never valid at"
                " the same time, so neither can vouch for the other; rotate before the present one ends"
            )
        validity = Validity(not_before=begins, not_after=ends)
        return _sign(CrossProfile(root=root), public_key, key_der, validity, self._signatory)

    def sign_statement(self, statement: Statement) -> bytes:
        """Sign what is said of a bundle epoch; whose turn it is to sign is for the caller (`backend.pki.epochs`)."""
        data = statement.text.encode()
        signature = sign_data(self._signatory.key, data)
        _check_signature(self._signatory.public_key, signature, data)
        return signature

    def _issue(self, profile: Profile, public_key: PublicKey, now: datetime, requested: timedelta) -> IssuedLeaf:
        key_der = public_key_der(public_key)
        if key_der == self._key_der:
            raise InvalidInput("the key in the request is the CA's own; make a new key")
        validity, shortened = self._dates(now, requested)
        certificate = _sign(profile, public_key, key_der, validity, self._signatory)
        der = certificate.public_bytes(Encoding.DER)
        return IssuedLeaf(
            serial=certificate.serial_number,
            validity=validity,
            requested=requested,
            shortened=shortened,
            fingerprint=hashlib.sha256(der).hexdigest(),
            key_sha256=hashlib.sha256(key_der).hexdigest(),
            pem=join_pem(der, "CERTIFICATE"),
            der=der,
        )

    def _dates(self, now: datetime, requested: timedelta) -> tuple[Validity, bool]:
        ends = self.authority.validity
        if ends.is_pending(now) or ends.left(now) <= timedelta(0):
            raise InconsistentState(
                f"CA generation {self.authority.generation} is valid from {ends.not_before} to {ends.not_after} and "
                f"cannot issue at {now}; rotate the CA, or set the agent's clock right"
            )
        not_before = now - BACKDATE
        shortened = requested > ends.not_after - not_before  # a subtraction: a huge request cannot overflow
        not_after = ends.not_after if shortened else not_before + requested
        return Validity(not_before=not_before, not_after=not_after), shortened


def make_root(
    generation: int, deployment: str, key: PrivateKey, now: datetime, lifetime: timedelta
) -> x509.Certificate:
    """Return the self-signed root of a new CA generation, valid for `lifetime` from five minutes before `now`.

    Raises:
        InvalidInput: the lifetime is five minutes or less, or more than a century.
    """
    check_lifetime(lifetime)
    if lifetime > _LONGEST_ROOT:
        raise InvalidInput(f"a CA lifetime of {lifetime.days} days is not meant; ask for {_LONGEST_ROOT.days} or fewer")
    profile = RootProfile(deployment=deployment, generation=generation, created_at=now)
    public_key = key.public_key()
    key_der = public_key_der(public_key)
    not_before = now - BACKDATE
    validity = Validity(not_before=not_before, not_after=not_before + lifetime)
    signatory = _Signatory(name=profile.subject, key_id=_key_id(key_der), key=key, public_key=public_key)
    return _sign(profile, public_key, key_der, validity, signatory)


def _sign(
    profile: Profile, public_key: PublicKey, key_der: bytes, validity: Validity, signatory: _Signatory
) -> x509.Certificate:
    serial = x509.random_serial_number()  # 159 bits, so 20 octets with the sign bit clear (RFC 5280, 4.1.2.2)
    subject = profile.subject
    extensions = (
        *profile.extensions,
        (x509.SubjectKeyIdentifier(_key_id(key_der)), False),
        (x509.AuthorityKeyIdentifier(signatory.key_id, None, None), False),
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signatory.name)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    certificate = builder.sign(signatory.key, signing_hash(signatory.key))
    meant = (serial, subject, signatory.name, validity, key_der, list(extensions))
    _check_product(certificate, meant, signatory.public_key)
    return certificate


def _check_product(certificate: x509.Certificate, meant: tuple[object, ...], issuer_key: PublicKey) -> None:
    """Read the product back; a mismatch is a fault of the library or the memory, and must not leave this process."""
    product = (
        certificate.serial_number,
        certificate.subject,
        certificate.issuer,
        validity_of(certificate),
        public_key_der(certificate.public_key()),  # type: ignore[arg-type] # compared with what was put in
        [(extension.value, extension.critical) for extension in certificate.extensions],
    )
    if product != meant:
        raise AgentError("a certificate came out other than it was meant; nothing was issued, try again")
    # With the key at hand: pyca's own check would decode the root's key again each time.
    _check_signature(issuer_key, certificate.signature, certificate.tbs_certificate_bytes)


def _check_signature(key: PublicKey, signature: bytes, data: bytes) -> None:
    try:
        verify_signature(key, signature, data)
    except InvalidSignature:
        raise AgentError("a CA's signature came out wrong; nothing was issued, try again") from None


def _key_id(key_der: bytes) -> bytes:
    # SHA-256 of the whole SubjectPublicKeyInfo: RFC 7093, section 2, method 4, and what MOC writes on renewal.
    return hashlib.sha256(key_der).digest()
