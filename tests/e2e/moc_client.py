"""A client written from moc/protocol.md alone: raw gRPC, the published messages, the encodings Go clients use.

It shares no code with `backend.client`, so that the two cannot be wrong together.
"""

from __future__ import annotations

import base64
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import grpc
import grpc.aio
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from backend.wire.moc import authentication_pb2, certificate_pb2, common_pb2, identity_pb2

RENEW_OID = x509.ObjectIdentifier("1.3.6.1.4.1.311.104.1.1")
LOGIN = "/moc.cloudagent.security.AuthenticationAgent/Login"
IDENTITY = "/moc.cloudagent.security.IdentityAgent/"


@dataclass
class MocClient:
    """One identity's files and keys, as the Go SDK holds them."""

    host: str
    port: int
    auth_port: int
    name: str
    token: str
    roots: bytes
    key: rsa.RSAPrivateKey | None = None
    chain: bytes = b""
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    @classmethod
    def from_login_yaml(cls, text: str, *, host: str, port: int, auth_port: int) -> MocClient:
        """3.4: the keys are lower case, the certificate base64 of PEM text."""
        login = yaml.safe_load(text)
        return cls(host, port, auth_port, login["name"], login["token"], base64.b64decode(login["certificate"]))

    def csr(self, key: rsa.RSAPrivateKey) -> str:
        """3.1, steps 4 and 5: RSA 2048, CN only, SANs of this host."""
        names = [x509.DNSName("localhost"), x509.DNSName(socket.gethostname()), x509.IPAddress(ip_address("127.0.0.1"))]
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key, hashes.SHA256())
        )
        return request.public_bytes(Encoding.PEM).decode()

    async def login(self) -> None:
        """3.1, steps 6 and 7: the bare JWT in the metadata; the answer's Token is base64 of a PEM certificate."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        identity = identity_pb2.Identity(name=self.name, certificates={"": self.csr(key)})
        credentials = grpc.ssl_channel_credentials(self.roots)
        async with grpc.aio.secure_channel(f"{self.host}:{self.auth_port}", credentials) as channel:
            call = channel.unary_unary(
                LOGIN,
                request_serializer=authentication_pb2.AuthenticationRequest.SerializeToString,
                response_deserializer=authentication_pb2.AuthenticationResponse.FromString,
            )
            request = authentication_pb2.AuthenticationRequest(Identity=identity)
            answer = await call(request, metadata=(("authorization", self.token),), timeout=10)
        self.key, self.chain = key, base64.b64decode(answer.Token)

    @property
    def leaf(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.chain)

    def data_channel(self) -> grpc.aio.Channel:
        """1.1, 1.4: mutual TLS on the data port with the SDK's keepalive."""
        assert self.key is not None
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        credentials = grpc.ssl_channel_credentials(self.roots, key, self.chain)
        options = (
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.keepalive_permit_without_calls", 1),
        )
        channel = grpc.aio.secure_channel(f"{self.host}:{self.port}", credentials, options=options)
        self.channels.append(channel)
        return channel

    async def invoke(self, verb: str, request, response_class, channel=None, path=IDENTITY, metadata=()):  # type: ignore[no-untyped-def]
        """One call on the data port, on a fresh connection unless one is given."""
        own = channel is None
        channel = channel or self.data_channel()
        try:
            call = channel.unary_unary(
                path + verb,
                request_serializer=type(request).SerializeToString,
                response_deserializer=response_class.FromString,
            )
            return await call(request, timeout=10, metadata=metadata)
        finally:
            if own:
                await channel.close()

    def renew_csr(self, new_key: rsa.RSAPrivateKey) -> str:
        """4.3: the CSR Key certificate signed by the old key, and raw PEM bytes in the extension."""
        assert self.key is not None
        old, now = self.leaf, datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - a foreign client reads its own clock
        proof = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CSR Key")]))
            .issuer_name(old.subject)
            .public_key(new_key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(seconds=1))
            .not_valid_after(old.not_valid_after_utc)
            .sign(self.key, hashes.SHA256())
        )
        chain = proof.public_bytes(Encoding.PEM) + self.chain
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(old.subject)
            .add_extension(x509.UnrecognizedExtension(RENEW_OID, chain), critical=False)
            .sign(new_key, hashes.SHA256())
        )
        return request.public_bytes(Encoding.PEM).decode()

    async def renew(self) -> None:
        """4.7: OperateCertificates 402 with the old certificate as base64(PEM); the answer is PEM text."""
        new_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        order = certificate_pb2.CertificateSigningRequest(
            name=self.name, csr=self.renew_csr(new_key), oldCertificate=base64.b64encode(self.chain).decode()
        )
        request = identity_pb2.IdentityCertificateRequest(
            IdentityName=self.name, OperationType=common_pb2.IdentityCertificate_Renew, CSR=[order]
        )
        answer = await self.invoke(
            "OperateCertificates", request, identity_pb2.IdentityCertificateResponse, metadata=(("authorization", ""),)
        )
        self.chain = answer.Certificates[0].certificate.encode()
        self.key = new_key

    async def close(self) -> None:
        for channel in self.channels:
            await channel.close()
