"""Certificates as data: what a root, a cross certificate and the leaves contain (pki.md 7.1, moc/protocol.md 4.1).

Owns subjects and extensions, and how long names may be. Nothing of a signing request is in them but the public key, so
that a client cannot ask for a name, a use or a lifetime. Signing is `backend.pki.issue`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from backend.core.errors import InvalidInput
from backend.core.limits import BACKDATE, NAME_LENGTH

RENEW_CERTIFICATES: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.104.1.1")
ORIGINAL_CERTIFICATE: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.104.1.2")
RENEW_COUNT: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.104.1.3")
ACCESS_IDENTITY: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.10.2")

Extensions: TypeAlias = tuple[tuple[x509.ExtensionType, bool], ...]  # each with whether it is critical

_DNS_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_NOT_AUTHORITY: Final = (x509.BasicConstraints(ca=False, path_length=None), True)
_AUTHORITY: Final = (x509.BasicConstraints(ca=True, path_length=1), True)  # 1: room for a cross certificate
_CROSSED: Final = (x509.BasicConstraints(ca=True, path_length=0), True)  # leaves only below it


def _usage(*, sign: bool, certify: bool) -> tuple[x509.KeyUsage, bool]:
    usage = x509.KeyUsage(
        digital_signature=sign,
        key_cert_sign=certify,
        crl_sign=certify,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return usage, True


_SIGNS: Final = _usage(sign=True, certify=False)
_CERTIFIES: Final = _usage(sign=False, certify=True)
_CLIENT_AUTH: Final = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
_SERVER_AUTH: Final = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)


class Profile(Protocol):
    """What a kind of certificate says besides its key, dates, serial and issuer."""

    @property
    def subject(self) -> x509.Name:
        """Whom it names."""
        ...

    @property
    def extensions(self) -> Extensions:
        """All extensions but the key identifiers, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RootProfile:
    """A CA generation's root; its subject holds the generation and the instant and is never used again."""

    deployment: str
    generation: int
    created_at: datetime

    @property
    def subject(self) -> x509.Name:
        """`<deployment> CA g<N> <time>`; a long deployment name is cut to leave room for the rest."""
        ending = f" CA g{self.generation} {self.created_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        room = NAME_LENGTH - len(ending)
        name = self.deployment.encode(errors="replace")[:room].decode(errors="ignore") + ending
        check_name(name)
        return _common_name(name)

    @property
    def extensions(self) -> Extensions:
        """CA with path length 1, signing certificates and revocation lists."""
        return (_AUTHORITY, _CERTIFIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossProfile:
    """One generation's CA as another generation vouches for it: the same name and key, with path length 0."""

    root: x509.Certificate

    @property
    def subject(self) -> x509.Name:
        """The root's own: a leaf's issuer must fit either of the two certificates."""
        return self.root.subject

    @property
    def extensions(self) -> Extensions:
        """CA with path length 0, signing certificates and revocation lists."""
        return (_CROSSED, _CERTIFIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTemplate:
    """What an identity's certificate says; comes from the identity's row, never from a request.

    `lifetime` is what is asked for, notBefore to notAfter. `original` is the DER of the first certificate of the
    renewal line and `renew_count` its length, empty and 0 in the first certificate itself.

    Raises:
        InvalidInput: the name cannot be a common name, or the certificate would be past its end at birth.
    """

    common_name: str
    identity_id: str
    lifetime: timedelta
    original: bytes = b""
    renew_count: int = 0

    def __post_init__(self) -> None:
        check_name(self.common_name)
        check_lifetime(self.lifetime)

    @classmethod
    def renewing(
        cls, old: x509.Certificate, *, common_name: str, identity_id: str, lifetime: timedelta
    ) -> ClientTemplate:
        """Return the template of the certificate that follows `old`: the same first certificate, one renewal more.

        `lifetime` is what was once asked for `old`, which may be longer than `old` lasts (moc/protocol.md 4.4).
        """
        original = _raw_extension(old, ORIGINAL_CERTIFICATE) or old.public_bytes(Encoding.DER)
        return cls(
            common_name=common_name,
            identity_id=identity_id,
            lifetime=lifetime,
            original=original,
            renew_count=renew_count_of(old) + 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProfile:
    """A client leaf: clientAuth only, and MOC's extensions."""

    template: ClientTemplate

    @property
    def subject(self) -> x509.Name:
        """The identity's name as the only attribute."""
        return _common_name(self.template.common_name)

    @property
    def extensions(self) -> Extensions:
        """A DNS name if the identity's name can be one; always the access identity; the renewal line if any."""
        template = self.template
        found: list[tuple[x509.ExtensionType, bool]] = [_NOT_AUTHORITY, _SIGNS, _CLIENT_AUTH]
        if is_dns_name(template.common_name):
            found.append((x509.SubjectAlternativeName([x509.DNSName(template.common_name)]), False))
        found.append((x509.UnrecognizedExtension(ACCESS_IDENTITY, template.identity_id.encode()), False))
        if template.original:
            found.append((x509.UnrecognizedExtension(ORIGINAL_CERTIFICATE, template.original), False))
            found.append((x509.UnrecognizedExtension(RENEW_COUNT, _der_integer(template.renew_count)), False))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfile:
    """The agent's own leaf: serverAuth only, for the very host strings that clients dial (moc/protocol.md 1.2).

    Raises:
        InvalidInput: there is no name, or one is neither a DNS name nor an IP address.
    """

    names: Sequence[str]

    def __post_init__(self) -> None:
        if not self.names:
            raise InvalidInput("a server certificate needs the name or address that clients dial")
        for name in self.names:
            if _find_address(name) is None and not is_dns_name(name):
                raise InvalidInput(f"{name!r} is neither a DNS name nor an IP address")

    @property
    def subject(self) -> x509.Name:
        """The first name, cut if it is longer than a common name may be; clients look at the alternative names."""
        return _common_name(self.names[0][:NAME_LENGTH])

    @property
    def extensions(self) -> Extensions:
        """All names, each as what it is."""
        names = [
            x509.DNSName(name) if (address := _find_address(name)) is None else x509.IPAddress(address)
            for name in self.names
        ]
        return (_NOT_AUTHORITY, _SIGNS, _SERVER_AUTH, (x509.SubjectAlternativeName(names), False))


def check_name(name: str) -> None:
    """Refuse what may not be a common name: empty, over 64 bytes, or with control or invisible characters.

    RFC 5280 counts characters; libraries count the bytes of UTF-8, and a name must pass in all of them.

    Raises:
        InvalidInput: with the name escaped.
    """
    length = len(name.encode(errors="replace"))
    if not 1 <= length <= NAME_LENGTH:
        raise InvalidInput(f"a name of {length} bytes cannot be certified; use 1 to {NAME_LENGTH}")
    if any(unicodedata.category(character).startswith("C") for character in name):  # Cc, Cf, Cs, Co, Cn
        raise InvalidInput(f"the name {name!a} holds control or invisible characters")


def check_lifetime(lifetime: timedelta) -> None:
    """Refuse a lifetime that would be over at birth, since it begins five minutes back.

    Raises:
        InvalidInput: it is five minutes or less.
    """
    if lifetime <= BACKDATE:
        raise InvalidInput(
            f"a lifetime of {lifetime} does not outlast the {BACKDATE} by which certificates are dated back; "
            "ask for a longer one"
        )


def is_dns_name(name: str) -> bool:
    """Tell whether `name` is a sequence of DNS labels (RFC 1123, 2.1); what looks like an IPv4 address is not."""
    labels = name.split(".")
    return len(name) <= 253 and all(map(_DNS_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def renew_count_of(certificate: x509.Certificate) -> int:
    """Return how often the certificate's line was renewed; 0 for a first certificate."""
    der = _raw_extension(certificate, RENEW_COUNT)
    return int.from_bytes(der[2:], signed=True)


def _raw_extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes:
    for extension in certificate.extensions:
        if extension.oid == oid and isinstance(extension.value, x509.UnrecognizedExtension):
            return extension.value.value
    return b""


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _find_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _der_integer(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, signed=True)
    return bytes((0x02, len(content))) + content


def path_length_of(certificate: x509.Certificate) -> int | None:
    """Return how many CAs may follow below this one (RFC 5280, section 4.2.1.9); None: no limit is set."""
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
