import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from backend.core.errors import AgentError, InconsistentState, InvalidInput
from backend.pki import issue
from backend.pki.issue import IssuedLeaf, Issuer, make_root
from backend.pki.keys import KeyKind, PrivateKey, generate_key
from backend.pki.profiles import ClientTemplate
from backend.pki.requests import make_csr, read_csr
from backend.pki.trust import validity_of

BACKDATE = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


def issue_client(issuer: Issuer, key: PrivateKey, template: ClientTemplate, now: datetime) -> IssuedLeaf:
    return issuer.issue_client(template, key.public_key(), now)


def extension_oids(certificate: x509.Certificate) -> list[tuple[str, bool]]:
    return [(extension.oid.dotted_string, extension.critical) for extension in certificate.extensions]


def test_a_client_leaf_follows_the_profile(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    """pki.md 7.1, field by field."""
    issued = issue_client(issuer, client_key, template, now)
    leaf = x509.load_pem_x509_certificate(issued.pem.encode())
    spki = client_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert leaf.version is x509.Version.v3
    assert leaf.subject.rfc4514_string() == "CN=kva"
    assert leaf.issuer == issuer.root.subject
    assert leaf.not_valid_before_utc == now - BACKDATE
    assert leaf.not_valid_after_utc == now - BACKDATE + timedelta(days=90)
    get = leaf.extensions.get_extension_for_class
    assert get(x509.BasicConstraints).value == x509.BasicConstraints(ca=False, path_length=None)
    assert get(x509.KeyUsage).value.digital_signature
    assert not get(x509.KeyUsage).value.key_cert_sign
    assert list(get(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert get(x509.SubjectAlternativeName).value == x509.SubjectAlternativeName([x509.DNSName("kva")])
    assert get(x509.SubjectKeyIdentifier).value.digest == hashlib.sha256(spki).digest()
    root_id = issuer.root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert get(x509.AuthorityKeyIdentifier).value == x509.AuthorityKeyIdentifier(root_id, None, None)
    assert extension_oids(leaf) == [
        ("2.5.29.19", True),
        ("2.5.29.15", True),
        ("2.5.29.37", False),
        ("2.5.29.17", False),
        ("1.3.6.1.5.5.7.10.2", False),
        ("2.5.29.14", False),
        ("2.5.29.35", False),
    ]


def test_what_a_row_keeps_is_what_the_certificate_says(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    issued = issue_client(issuer, client_key, template, now)
    leaf = x509.load_der_x509_certificate(issued.der)
    spki = client_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert issued.pem == leaf.public_bytes(Encoding.PEM).decode()
    assert (issued.serial, issued.validity) == (leaf.serial_number, validity_of(leaf))
    assert issued.fingerprint == hashlib.sha256(issued.der).hexdigest()
    assert issued.key_sha256 == hashlib.sha256(spki).hexdigest()
    assert (issued.requested, issued.shortened) == (template.lifetime, False)


def test_serials_are_positive_different_and_fit_twenty_octets(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    serials = [issue_client(issuer, client_key, template, now).serial for _ in range(200)]
    assert len(set(serials)) == 200
    assert all(0 < serial < 2**159 for serial in serials)
    assert max(serial.bit_length() for serial in serials) > 150


def test_wishes_in_a_request_change_nothing(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    """R66: of the request only the key is taken."""
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "kva"),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "system:masters"),
        ]
    )
    wishes = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("*.lab"),
                    x509.IPAddress(ip_address("10.0.0.1")),
                    x509.UniformResourceIdentifier("spiffe://site/admin"),
                    x509.RFC822Name("admin@lab"),
                ]
            ),
            critical=True,
        )
    )
    greedy = wishes.sign(client_key, hashes.SHA256())
    modest = make_csr(client_key, "kva")
    leaves = [
        x509.load_der_x509_certificate(issuer.issue_client(template, read_csr(pem).public_key, now).der)
        for pem in (greedy.public_bytes(Encoding.PEM).decode(), modest)
    ]
    assert leaves[0].subject == leaves[1].subject
    assert [e.value for e in leaves[0].extensions] == [e.value for e in leaves[1].extensions]


@pytest.mark.parametrize(("beyond", "shortened"), [(-SECOND, False), (timedelta(0), False), (SECOND, True)])
def test_a_leaf_never_outlives_its_ca(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime, beyond: timedelta, shortened: bool
) -> None:
    ends = issuer.authority.validity.not_after
    lifetime = ends - (now - BACKDATE) + beyond
    issued = issue_client(issuer, client_key, replace(template, lifetime=lifetime), now)
    assert issued.shortened is shortened
    assert issued.requested == lifetime
    assert issued.validity.not_after == min(ends, now - BACKDATE + lifetime)


def test_a_lifetime_without_end_is_cut_too(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    forever = replace(template, lifetime=timedelta(days=999_999_999))
    issued = issue_client(issuer, client_key, forever, now)
    assert (issued.shortened, issued.validity.not_after) == (True, issuer.authority.validity.not_after)


def test_a_ca_issues_only_within_its_own_dates(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate
) -> None:
    ends = issuer.authority.validity
    issue_client(issuer, client_key, template, ends.not_before)
    issue_client(issuer, client_key, template, ends.not_after - SECOND)
    for instant in (ends.not_before - SECOND, ends.not_after, ends.not_after + SECOND):
        with pytest.raises(InconsistentState, match="rotate the CA"):
            issue_client(issuer, client_key, template, instant)


def test_the_ca_does_not_certify_its_own_key(issuer: Issuer, template: ClientTemplate, now: datetime) -> None:
    key = issuer.root.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    with pytest.raises(InvalidInput, match="CA's own"):
        issuer.issue_client(template, key, now)


def test_a_key_of_another_generation_is_noticed(issuer: Issuer) -> None:
    with pytest.raises(InconsistentState, match=r"ca-1\.key is not that of CA generation 1"):
        Issuer(issuer.authority, generate_key(KeyKind.P256))


@pytest.mark.parametrize("kind", [KeyKind.P256, KeyKind.P384, KeyKind.ED25519, KeyKind.RSA2048])
def test_any_allowed_key_can_be_a_ca(
    make_issuer: Callable[..., Issuer],
    client_key: PrivateKey,
    template: ClientTemplate,
    now: datetime,
    kind: KeyKind,
) -> None:
    issuer = make_issuer(kind=kind)
    issued = issue_client(issuer, client_key, template, now)
    x509.load_der_x509_certificate(issued.der).verify_directly_issued_by(issuer.root)


def test_a_root_follows_the_profile(issuer: Issuer, now: datetime) -> None:
    root = issuer.root
    assert root.subject.rfc4514_string() == "CN=site-a CA g1 20260301T120000Z"
    assert root.issuer == root.subject
    assert (root.not_valid_before_utc, validity_of(root).lifetime) == (now - BACKDATE, timedelta(days=365))
    get = root.extensions.get_extension_for_class
    assert get(x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=1)
    assert get(x509.KeyUsage).value.key_cert_sign
    assert get(x509.KeyUsage).value.crl_sign
    assert not get(x509.KeyUsage).value.digital_signature
    assert get(x509.AuthorityKeyIdentifier).value.key_identifier == get(x509.SubjectKeyIdentifier).value.digest
    assert extension_oids(root) == [
        ("2.5.29.19", True),
        ("2.5.29.15", True),
        ("2.5.29.14", False),
        ("2.5.29.35", False),
    ]


def test_generations_and_instants_make_different_roots(now: datetime) -> None:
    key, year = generate_key(KeyKind.P256), timedelta(days=365)
    roots = [
        make_root(1, "site-a", key, now, year),
        make_root(2, "site-a", key, now, year),
        make_root(1, "site-a", key, now + SECOND, year),
    ]
    assert len({root.subject for root in roots}) == 3


def test_a_server_leaf_names_what_clients_dial(issuer: Issuer, client_key: PrivateKey, now: datetime) -> None:
    issued = issuer.issue_server(
        ["agent.lab", "localhost", "10.0.0.1", "fd00::1"], now, timedelta(days=60), client_key.public_key()
    )
    leaf = x509.load_der_x509_certificate(issued.der)
    get = leaf.extensions.get_extension_for_class
    names = get(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["agent.lab", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("10.0.0.1"), ip_address("fd00::1")]
    assert list(get(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert leaf.subject.rfc4514_string() == "CN=agent.lab"
    assert validity_of(leaf).lifetime == timedelta(days=60)


def test_a_strict_web_verifier_accepts_both_leaves(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    policy = PolicyBuilder().store(Store([issuer.root])).time(now)
    client = x509.load_der_x509_certificate(issue_client(issuer, client_key, template, now).der)
    assert policy.build_client_verifier().verify(client, []).chain == [client, issuer.root]
    names = ["agent.lab"]
    issued = issuer.issue_server(names, now, timedelta(days=60), client_key.public_key())
    server = x509.load_der_x509_certificate(issued.der)
    assert policy.build_server_verifier(x509.DNSName("agent.lab")).verify(server, []) == [server, issuer.root]
    with pytest.raises(x509.verification.VerificationError):
        policy.build_client_verifier().verify(server, [])
    with pytest.raises(x509.verification.VerificationError):
        policy.build_server_verifier(x509.DNSName("kva")).verify(client, [])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl program to ask")
@pytest.mark.parametrize(("purpose", "accepted"), [("sslclient", True), ("sslserver", False)])
def test_openssl_accepts_a_client_for_its_purpose_only(
    issuer: Issuer,
    client_key: PrivateKey,
    template: ClientTemplate,
    now: datetime,
    tmp_path: Path,
    purpose: str,
    accepted: bool,
) -> None:
    (tmp_path / "root.pem").write_text(issuer.authority.pem)
    (tmp_path / "leaf.pem").write_text(issue_client(issuer, client_key, template, now).pem)
    when = str(int(now.timestamp()))
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-attime",
        when,
        "-purpose",
        purpose,
        "-CAfile",
        "root.pem",
        "leaf.pem",
    ]
    assert (subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0) is accepted


def test_a_product_that_is_not_what_was_meant_does_not_leave(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    leaf = x509.load_der_x509_certificate(issue_client(issuer, client_key, template, now).der)
    spki = client_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = [(extension.value, extension.critical) for extension in leaf.extensions]
    meant = (leaf.serial_number, leaf.subject, leaf.issuer, validity_of(leaf), spki, found)
    root_key = issuer.root.public_key()
    assert isinstance(root_key, ec.EllipticCurvePublicKey)
    issue._check_product(leaf, meant, root_key)
    for position, other in enumerate((1, leaf.issuer, leaf.subject, validity_of(issuer.root), b"", found[:-1])):
        with pytest.raises(AgentError, match="other than it was meant"):
            issue._check_product(leaf, (*meant[:position], other, *meant[position + 1 :]), root_key)
    with pytest.raises(AgentError, match="signature came out wrong"):
        issue._check_product(leaf, meant, generate_key(KeyKind.P256).public_key())


@pytest.mark.parametrize(
    "lifetime", [timedelta(0), BACKDATE, timedelta(days=-1), timedelta(days=36_526), timedelta.max]
)
def test_lifetimes_of_a_ca_that_cannot_be_meant(now: datetime, lifetime: timedelta) -> None:
    with pytest.raises(InvalidInput, match="lifetime"):
        make_root(1, "site-a", generate_key(KeyKind.P256), now, lifetime)


def test_a_server_leaf_must_outlast_its_backdating(issuer: Issuer, client_key: PrivateKey, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="does not outlast"):
        issuer.issue_server(["agent.lab"], now, BACKDATE, client_key.public_key())
