import base64
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import InvalidInput
from backend.core.limits import CSR_BYTES
from backend.pki.keys import KeyKind, PrivateKey, generate_key, key_sha256, kind_of, public_key_der
from backend.pki.pem import join_pem, split_pem
from backend.pki.profiles import RENEW_CERTIFICATES
from backend.pki.requests import LABEL, make_csr, read_csr


def named(*names: str) -> x509.Name:
    """A subject with these common names, also those that pyca would not make."""
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name, _validate=False) for name in names])


def request(
    key: CertificateIssuerPrivateKeyTypes,
    subject: x509.Name | None = None,
    hash_: hashes.HashAlgorithm | None = None,
    extension: x509.ExtensionType | None = None,
) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(named("kva") if subject is None else subject)
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hash_ or hashes.SHA256()).public_bytes(Encoding.PEM).decode()  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KeyKind)
def test_what_was_made_is_read(kind: KeyKind) -> None:
    key = generate_key(kind)
    read = read_csr(make_csr(key, "kva", ["localhost", "host-7"], ["127.0.0.1", "fd00::1"]))
    assert key_sha256(read.public_key) == key_sha256(key.public_key())
    assert (read.common_name, read.renewal) == ("kva", None)
    assert (read.dns_names, read.ip_addresses) == (("localhost", "host-7"), ("127.0.0.1", "fd00::1"))


def test_a_request_without_alternative_names_is_fine(client_key: PrivateKey) -> None:
    read = read_csr(make_csr(client_key, "kva"))
    assert (read.dns_names, read.ip_addresses) == ((), ())


def test_a_sign_in_request_of_a_go_client_is_read(vectors: Path) -> None:
    """moc/protocol.md 3.1, step 5: RSA 2048, the common name alone, names and addresses that nobody certifies."""
    read = read_csr((vectors / "login.csr.pem").read_text())
    assert kind_of(read.public_key) is KeyKind.RSA2048
    assert read.common_name == "kva"
    assert read.dns_names == ("localhost", "host-7")
    assert read.ip_addresses == ("127.0.0.1", "10.1.2.3")
    assert read.renewal is None


def test_line_ends_and_surrounding_space_do_not_matter(client_key: PrivateKey) -> None:
    pem = make_csr(client_key, "kva")
    assert read_csr("\n " + pem.replace("\n", "\r\n") + "\n\n").common_name == "kva"


def test_text_that_is_not_one_pem_request_is_refused(client_key: PrivateKey) -> None:
    pem = make_csr(client_key, "kva")
    der = split_pem(pem, LABEL, CSR_BYTES)[0]
    wrong = {
        "": "found nothing",
        "kva": "expected PEM",
        pem + pem: "found 2",
        pem + "x": "nothing between",
        "x" + pem: "nothing between",
        pem.replace("REQUEST", "THING"): "type CERTIFICATE REQUEST",
        base64.b64encode(pem.encode()).decode(): "expected PEM",
        join_pem(der + b"\0", LABEL): "cannot be read",
        join_pem(der[:-1], LABEL): "cannot be read",
        join_pem(b"", LABEL): "cannot be read",
        pem.replace("\n", "é\n"): "ASCII",
        pem.replace("\n", "\udcff\n"): "ASCII",
        pem[:60] + "=" + pem[61:]: "base64|cannot be read",
    }
    for text, reason in wrong.items():
        with pytest.raises(InvalidInput, match=reason):
            read_csr(text)


def test_the_size_limit_is_inclusive_and_comes_first(client_key: PrivateKey) -> None:
    pem = make_csr(client_key, "kva")
    assert read_csr(pem.ljust(CSR_BYTES)).common_name == "kva"
    for size in (CSR_BYTES + 1, 2**20):
        with pytest.raises(InvalidInput, match=f"{size} bytes of PEM are more than the {CSR_BYTES}"):
            read_csr(pem.ljust(size))


@pytest.mark.parametrize("bits", [1024, 1536])
def test_short_rsa_keys_are_refused(bits: int) -> None:
    weak = rsa.generate_private_key(65537, bits)
    with pytest.raises(InvalidInput, match=f"{bits} bits is not allowed"):
        read_csr(request(weak))


def test_small_exponents_are_refused() -> None:
    with pytest.raises(InvalidInput, match="exponent 3"):
        read_csr(request(rsa.generate_private_key(3, 2048)))


@pytest.mark.parametrize(
    "curve", [ec.SECP192R1(), ec.SECP224R1(), ec.SECP256K1(), ec.BrainpoolP256R1()], ids=lambda curve: curve.name
)
def test_other_curves_are_refused(curve: ec.EllipticCurve) -> None:
    with pytest.raises(InvalidInput, match=f"{curve.name} is not allowed"):
        read_csr(request(ec.generate_private_key(curve)))


def test_weak_hashes_are_refused(client_key: PrivateKey) -> None:
    with pytest.raises(InvalidInput, match="weak hash"):
        read_csr(request(client_key, hash_=hashes.SHA224()))


def test_a_request_must_be_signed_by_the_key_in_it(client_key: PrivateKey) -> None:
    """R64: another's public key with one's own signature, and a changed subject."""
    other = generate_key(KeyKind.P256)
    der = split_pem(make_csr(client_key, "kva"), LABEL, CSR_BYTES)[0]
    mine, theirs = (public_key_der(key.public_key()) for key in (client_key, other))
    for forged in (der.replace(mine, theirs), der.replace(b"kva", b"kvb")):
        assert forged != der
        with pytest.raises(InvalidInput, match="not signed by the key in it"):
            read_csr(join_pem(forged, LABEL))


@pytest.mark.filterwarnings("ignore:Attribute's length")
@pytest.mark.parametrize("name", ["kva\0", "kva\0.evil", "\x1b[2Jkva", "a\nb", "k\u202eva", "k\u200bva", "x" * 65])
def test_names_with_control_characters_or_too_long_are_refused(client_key: PrivateKey, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_csr(request(client_key, named(name)))
    assert str(caught.value).isprintable()


@pytest.mark.filterwarnings("ignore:Attribute's length")
@pytest.mark.parametrize("names", [(), ("kva", "admin"), ("",)])
def test_there_must_be_exactly_one_common_name(client_key: PrivateKey, names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        read_csr(request(client_key, named(*names)))


def test_a_request_to_be_a_ca_is_read_as_an_ordinary_one(client_key: PrivateKey) -> None:
    """It is not honoured: nothing of it is in what `read_csr` returns."""
    read = read_csr(request(client_key, extension=x509.BasicConstraints(ca=True, path_length=None)))
    assert (read.common_name, read.renewal) == ("kva", None)


def test_thousands_of_names_do_not_fit(client_key: PrivateKey) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName(f"host-{number}.lab") for number in range(20_000)])
    with pytest.raises(InvalidInput, match="are more than"):
        read_csr(request(client_key, extension=names))


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"", "found nothing"), (b"\x04\x02ab", "expected PEM"), (b"-----BEGIN", "expected PEM"), (b"\xff", "ASCII")],
)
def test_a_broken_proof_of_renewal_is_refused(client_key: PrivateKey, value: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read_csr(request(client_key, extension=x509.UnrecognizedExtension(RENEW_CERTIFICATES, value)))


@pytest.mark.parametrize("count", [1, 9])
def test_a_proof_has_two_to_eight_certificates(client_key: PrivateKey, leaf: x509.Certificate, count: int) -> None:
    value = leaf.public_bytes(Encoding.PEM) * count
    with pytest.raises(InvalidInput, match=f"missing CSR renew certificates.*found {count}"):
        read_csr(request(client_key, extension=x509.UnrecognizedExtension(RENEW_CERTIFICATES, value)))


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: join_pem(raw, LABEL)))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_no_text_makes_another_error(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_csr(text)


@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=400)
@pytest.mark.filterwarnings("ignore")
def test_no_damaged_request_makes_another_error(vectors: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["login.csr.pem", "renew.csr.pem"]))
    der = bytearray(split_pem((vectors / name).read_text(), LABEL, CSR_BYTES)[0])
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, min(len(der) - 1, 700)))] = data.draw(st.integers(0, 255))
    try:
        read = read_csr(join_pem(bytes(der), LABEL))
    except InvalidInput:
        return
    assert read.common_name == "kva"


@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=200)
@pytest.mark.filterwarnings("ignore")
def test_no_signed_request_makes_another_error(
    client_key: PrivateKey, leaf: x509.Certificate, data: st.DataObject
) -> None:
    """The sender signs what it likes, so damage behind a good signature is the interesting one."""
    oid = data.draw(st.sampled_from([RENEW_CERTIFICATES, x509.SubjectAlternativeName.oid, x509.BasicConstraints.oid]))
    der = bytearray(leaf.public_bytes(Encoding.DER))
    der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    proof = (join_pem(bytes(der), "CERTIFICATE") * 2).encode()
    san = base64.b16decode(b"3011820461626364870401020304A0030101FF")
    value = data.draw(st.binary(max_size=60) | st.just(proof) | st.just(san))
    try:
        read_csr(request(client_key, extension=x509.UnrecognizedExtension(oid, value)))
    except InvalidInput:
        return


def test_names_that_cannot_be_certified_are_not_asked_for(client_key: PrivateKey) -> None:
    with pytest.raises(InvalidInput):
        make_csr(client_key, "kva\0")
