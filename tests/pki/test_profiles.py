from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from backend.core.errors import InvalidInput
from backend.pki.issue import Issuer
from backend.pki.keys import PrivateKey
from backend.pki.profiles import (
    ACCESS_IDENTITY,
    ORIGINAL_CERTIFICATE,
    RENEW_COUNT,
    ClientProfile,
    ClientTemplate,
    RootProfile,
    ServerProfile,
    check_name,
    is_dns_name,
    renew_count_of,
)
from backend.pki.trust import common_name_of

ID = "0d5f2f3a-58a1-4a52-9f13-3a8f2f6f4c11"
DAYS_90 = timedelta(days=90)


def raw(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes:
    value = certificate.extensions.get_extension_for_oid(oid).value
    assert isinstance(value, x509.UnrecognizedExtension)
    return value.value


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("kva", True),
        ("node-7.site-a.lab", True),
        ("K8S-1", True),
        ("a" * 63, True),
        ("1a", True),
        ("a" * 64, False),
        ("", False),
        ("a..b", False),
        ("a.", False),
        ("-a", False),
        ("a-", False),
        ("a_b", False),
        ("*.lab", False),
        ("a b", False),
        ("a\n", False),
        ("10.0.0.1", False),
        ("bücher", False),
        ("а", False),  # noqa: RUF001 - a Cyrillic letter that looks like a Latin one
        (".".join(["a" * 63] * 4), False),
        (".".join(["a" * 61] * 4), True),
    ],
)
def test_which_names_are_dns_names(name: str, verdict: bool) -> None:
    assert is_dns_name(name) is verdict


@pytest.mark.parametrize(
    "name", ["", "x" * 65, "kva\0", "kva\x1b[2J", "a\nb", "a\x7f", "a\u202eb", "a\u200bb", "\ud800", "ü" * 33]
)
def test_names_that_cannot_be_certified(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name(name)
    assert str(caught.value).isprintable()
    with pytest.raises(InvalidInput):
        ClientTemplate(common_name=name, identity_id=ID, lifetime=DAYS_90)


@pytest.mark.parametrize("name", ["x" * 64, "ü" * 32, "bücher [red]x[/red]", "證書"])
def test_names_of_64_bytes_and_of_any_script_can_be_certified(
    issuer: Issuer, client_key: PrivateKey, now: datetime, name: str
) -> None:
    template = ClientTemplate(common_name=name, identity_id=ID, lifetime=DAYS_90)
    issued = issuer.issue_client(template, client_key.public_key(), now)
    assert common_name_of(x509.load_der_x509_certificate(issued.der).subject) == name


def test_a_certificate_must_outlast_its_own_backdating() -> None:
    with pytest.raises(InvalidInput, match="does not outlast"):
        ClientTemplate(common_name="kva", identity_id=ID, lifetime=timedelta(minutes=5))
    ClientTemplate(common_name="kva", identity_id=ID, lifetime=timedelta(minutes=5, seconds=1))


@pytest.mark.parametrize(("name", "has_name"), [("kva", True), ("Cloud Operator", False), ("10.0.0.1", False)])
def test_a_client_has_one_dns_name_or_none(name: str, has_name: bool) -> None:
    template = ClientTemplate(common_name=name, identity_id=ID, lifetime=DAYS_90)
    found = [value for value, _ in ClientProfile(template=template).extensions]
    names = [value for value in found if isinstance(value, x509.SubjectAlternativeName)]
    assert names == ([x509.SubjectAlternativeName([x509.DNSName(name)])] if has_name else [])


def test_the_access_identity_is_always_there_even_when_empty() -> None:
    for identity_id in ("", ID):
        profile = ClientProfile(template=ClientTemplate(common_name="kva", identity_id=identity_id, lifetime=DAYS_90))
        assert (x509.UnrecognizedExtension(ACCESS_IDENTITY, identity_id.encode()), False) in profile.extensions


def test_a_root_name_is_cut_between_characters() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    name = common_name_of(RootProfile(deployment="ü" * 200, generation=1, created_at=at).subject)
    assert name == "ü" * 20 + " CA g1 20260301T000000Z"


def test_a_root_name_holds_generation_and_instant_and_always_fits() -> None:
    profile = RootProfile(deployment="d" * 200, generation=12, created_at=datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC))
    name = common_name_of(profile.subject)
    assert name.endswith("d CA g12 20260301T120001Z")
    assert len(name) == 64


def test_a_line_of_renewals_keeps_its_first_certificate_and_counts(
    issuer: Issuer, client_key: PrivateKey, template: ClientTemplate, now: datetime
) -> None:
    """moc/protocol.md 4.1 and 4.4."""
    public_key = client_key.public_key()
    first = x509.load_der_x509_certificate(issuer.issue_client(template, public_key, now).der)
    assert (renew_count_of(first), raw(first, ACCESS_IDENTITY).decode()) == (0, template.identity_id)
    with pytest.raises(x509.ExtensionNotFound):
        raw(first, ORIGINAL_CERTIFICATE)
    last = first
    for count in range(1, 4):
        following = ClientTemplate.renewing(
            last, common_name="kva", identity_id=template.identity_id, lifetime=template.lifetime
        )
        last = x509.load_der_x509_certificate(issuer.issue_client(following, public_key, now).der)
        assert raw(last, ORIGINAL_CERTIFICATE) == first.public_bytes(Encoding.DER)
        assert raw(last, RENEW_COUNT) == bytes((2, 1, count))  # a DER INTEGER
        assert (renew_count_of(last), raw(last, ACCESS_IDENTITY).decode()) == (count, template.identity_id)


@pytest.mark.parametrize("count", [1, 127, 128, 255, 256, 65_535, 70_000])
def test_renewal_counts_survive_their_encoding(
    issuer: Issuer, client_key: PrivateKey, now: datetime, count: int
) -> None:
    template = ClientTemplate(common_name="kva", identity_id=ID, lifetime=DAYS_90, original=b"0", renew_count=count)
    issued = issuer.issue_client(template, client_key.public_key(), now)
    assert renew_count_of(x509.load_der_x509_certificate(issued.der)) == count


@pytest.mark.parametrize("names", [(), ("",), ("agent.lab", "*.lab"), ("http://agent",), ("1.2.3.4.5",)])
def test_servers_are_named_by_dns_names_and_addresses_only(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        ServerProfile(names=names)
