from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from backend.core.model import Authority, AuthorityStatus
from backend.pki.issue import Issuer, make_root
from backend.pki.keys import KeyKind, PrivateKey, generate_key
from backend.pki.profiles import ClientTemplate
from backend.pki.trust import bundle_pem, common_name_of, fingerprint, validity_of


@pytest.fixture(scope="session")
def now() -> datetime:
    return datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def make_issuer(now: datetime) -> Callable[..., Issuer]:
    def make(lifetime: timedelta = timedelta(days=365), kind: KeyKind = KeyKind.P256, generation: int = 1) -> Issuer:
        key = generate_key(kind)
        root = make_root(generation, "site-a", key, now, lifetime)
        authority = Authority(
            generation=generation,
            subject=common_name_of(root.subject),
            validity=validity_of(root),
            fingerprint=fingerprint(root),
            pem=bundle_pem([root]),
            key_file=f"ca-{generation}.key",
            status=AuthorityStatus.ISSUING,
            created_at=now,
        )
        return Issuer(authority, key)

    return make


@pytest.fixture(scope="session")
def issuer(make_issuer: Callable[..., Issuer]) -> Issuer:
    return make_issuer()


@pytest.fixture(scope="session")
def client_key() -> PrivateKey:
    return generate_key(KeyKind.P256)


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    key = generate_key(KeyKind.RSA2048)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.fixture(scope="session")
def template() -> ClientTemplate:
    return ClientTemplate(
        common_name="kva", identity_id="0d5f2f3a-58a1-4a52-9f13-3a8f2f6f4c11", lifetime=timedelta(days=90)
    )


@pytest.fixture(scope="session")
def leaf(issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime) -> x509.Certificate:
    return x509.load_der_x509_certificate(issuer.issue_client(template, client_key.public_key(), now).der)


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Requests and a leaf made by a Go program with the calls that MOC's library makes (moc/protocol.md 3.1, 4.3)."""
    return Path(__file__).parent / "vectors"
