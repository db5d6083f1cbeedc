"""Certificates, sign-in and signing requests on the wire, with MOC's mix of encodings.

Sign-in answers base64 of PEM, renewal answers PEM, and a renewal's old certificate comes as base64 of PEM
(moc/protocol.md 3.1 and 4.7). Only shapes and sizes are judged here; signatures and keys are `backend.pki`'s.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from google.protobuf.wrappers_pb2 import BoolValue

from backend.core.errors import InvalidInput, NotSupported
from backend.core.model import Certificate
from backend.wire.convert.checks import PEM_BYTES, check_name, check_optional_name, check_pem
from backend.wire.convert.instants import SECOND, unix
from backend.wire.convert.statuses import status_message
from backend.wire.moc import authentication_pb2, certificate_pb2, identity_pb2

LOGIN_CERTIFICATE_KEY: Final = ""  # Go clients file the one request under the empty key (moc/protocol.md 3.1)
LONGEST_LEAF: Final = timedelta(days=3650)
_REQUEST: Final = "CERTIFICATE REQUEST"
_CERTIFICATE: Final = "CERTIFICATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """What a sign-in brings besides its token, which travels in the call's metadata."""

    name: str
    csr_pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningOrder:
    """One request to sign. `lifetime` None: the agent's default; `old_certificate_pem` empty: a first certificate."""

    name: str
    csr_pem: str
    old_certificate_pem: str = ""
    lifetime: timedelta | None = None


def login_request(message: authentication_pb2.AuthenticationRequest) -> LoginRequest:
    """The identity and the signing request of a sign-in.

    Raises:
        InvalidInput: the name, the number of requests or the request's form is wrong.
        NotSupported: the client brings a self-signed certificate, as releases before 2023 did (moc/protocol.md 3.3).
    """
    identity = message.Identity
    name = check_name(identity.name, "identity name")
    if set(identity.certificates) != {LOGIN_CERTIFICATE_KEY}:
        raise InvalidInput(
            f"sign-in of {name} brings {len(identity.certificates)} certificates; "
            "send one certificate request under the empty key"
        )
    csr = identity.certificates[LOGIN_CERTIFICATE_KEY]
    if f"-----BEGIN {_REQUEST}-----" not in csr and _is_certificate(csr):
        raise NotSupported(
            f"sign-in of {name} brings a self-signed certificate; this agent signs certificate requests only, "
            "update the client"
        )
    return LoginRequest(name=name, csr_pem=check_pem(csr, "certificate request", label=_REQUEST))


def login_message(name: str, csr_pem: str) -> authentication_pb2.AuthenticationRequest:
    """A sign-in as Go clients send it; `login_request` is the way back."""
    identity = identity_pb2.Identity(name=name, certificates={LOGIN_CERTIFICATE_KEY: csr_pem})
    return authentication_pb2.AuthenticationRequest(Identity=identity)


def login_response(certificate_pem: str) -> authentication_pb2.AuthenticationResponse:
    """The answer to a sign-in: its `Token` is, whatever its name says, base64 of the new certificate's PEM."""
    return authentication_pb2.AuthenticationResponse(Token=encoded(certificate_pem), Result=BoolValue(value=True))


def signing_order(message: certificate_pb2.CertificateSigningRequest) -> SigningOrder:
    """One request to sign a certificate, first or renewed.

    `validity` is read as seconds. `caName` may only be empty: the agent has one issuing CA at a time.

    Raises:
        InvalidInput: the name, the request, the old certificate or the lifetime is wrong.
        NotSupported: it asks for a CA certificate, or for a CA by name.
    """
    if message.isCA.value:
        raise NotSupported("the agent signs no CA certificates; leave isCA out")
    if message.caName:
        raise NotSupported("the agent has one issuing CA; leave caName out")
    if not 0 <= message.validity <= LONGEST_LEAF // SECOND:
        raise InvalidInput(f"validity is {message.validity} s; 0 (default) to {LONGEST_LEAF // SECOND} is allowed")
    old = decoded(message.oldCertificate, "oldCertificate") if message.oldCertificate else ""
    return SigningOrder(
        name=check_optional_name(message.name, "certificate name"),
        csr_pem=check_pem(message.csr, "csr", label=_REQUEST),
        old_certificate_pem=check_pem(old, "oldCertificate", label=_CERTIFICATE) if old else "",
        lifetime=timedelta(seconds=message.validity) if message.validity else None,
    )


def signing_message(order: SigningOrder) -> certificate_pb2.CertificateSigningRequest:
    """An order as clients send it; `signing_order` is the way back."""
    return certificate_pb2.CertificateSigningRequest(
        name=order.name,
        csr=order.csr_pem,
        oldCertificate=encoded(order.old_certificate_pem) if order.old_certificate_pem else "",
        validity=order.lifetime // SECOND if order.lifetime is not None else 0,
    )


def certificate_message(certificate: Certificate, *, name: str) -> certificate_pb2.Certificate:
    """An issued certificate as an answer: PEM text, dates in Unix seconds, `id` the serial in lower-case hex.

    Its version is the instant of issue in nanoseconds: a certificate never changes.
    """
    return certificate_pb2.Certificate(
        name=name,
        id=f"{certificate.serial:x}",
        notBefore=unix(certificate.validity.not_before),
        notAfter=unix(certificate.validity.not_after),
        certificate=certificate.pem,
        type=certificate_pb2.Client,
        status=status_message(str(unix(certificate.issued_at) * 10**9)),
    )


def encoded(pem: str) -> str:
    """Base64 of PEM text, the standard alphabet with padding."""
    return base64.b64encode(pem.encode("ascii")).decode("ascii")


def decoded(text: str, what: str) -> str:
    """The PEM text in `text`, which is base64 of it; PEM itself is taken as it is.

    Raises:
        InvalidInput: it is too large or neither of the two.
    """
    if len(text) > 2 * PEM_BYTES:  # base64 adds a third
        raise InvalidInput(f"{what} has {len(text)} characters; at most {2 * PEM_BYTES} are read")
    if text.lstrip().startswith("-----BEGIN "):
        return text
    try:
        return base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise InvalidInput(f"{what} is neither base64 of PEM text nor PEM text") from None


def _is_certificate(text: str) -> bool:
    try:
        return f"-----BEGIN {_CERTIFICATE}-----" in decoded(text, "certificate")
    except InvalidInput:
        return False
