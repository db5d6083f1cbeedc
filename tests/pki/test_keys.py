from math import gcd

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from backend.core.errors import InvalidInput
from backend.pki.keys import (
    KeyKind,
    check_allowed,
    generate_key,
    key_sha256,
    kind_of,
    load_private_key,
    private_key_pem,
    signing_hash,
    verify_signature,
)
from backend.pki.modulus import find_weakness

P1024 = 2**1023 + 1155  # odd; the judge of a modulus does not ask whether its factors are prime


@pytest.mark.parametrize("kind", KeyKind)
def test_every_kind_is_made_stored_read_back_and_allowed(kind: KeyKind) -> None:
    key = generate_key(kind)
    again = load_private_key(private_key_pem(key))
    assert kind_of(check_allowed(again.public_key())) is kind
    assert key_sha256(again.public_key()) == key_sha256(key.public_key())
    assert len(key_sha256(key.public_key())) == 64


def test_private_keys_have_the_pem_types_that_go_reads(rsa_key: rsa.RSAPrivateKey) -> None:
    assert private_key_pem(rsa_key).startswith(b"-----BEGIN RSA PRIVATE KEY-----\n")
    assert private_key_pem(generate_key(KeyKind.P256)).startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert private_key_pem(generate_key(KeyKind.ED25519)).startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_elliptic_keys_in_sec1_form_are_read_too() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert pem.startswith(b"-----BEGIN EC PRIVATE KEY-----")
    assert key_sha256(load_private_key(pem).public_key()) == key_sha256(key.public_key())


@pytest.mark.parametrize("kind", [KeyKind.P256, KeyKind.P384, KeyKind.ED25519, KeyKind.RSA2048])
def test_a_signature_is_verified_and_a_changed_one_is_not(kind: KeyKind) -> None:
    key = generate_key(kind)
    hash_ = signing_hash(key)
    if isinstance(key, rsa.RSAPrivateKey):
        assert hash_ is not None
        signature = key.sign(b"data", padding.PKCS1v15(), hash_)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        assert hash_ is not None
        signature = key.sign(b"data", ec.ECDSA(hash_))
    else:
        signature = key.sign(b"data")
    verify_signature(key.public_key(), signature, b"data")
    with pytest.raises(InvalidSignature):
        verify_signature(key.public_key(), signature, b"date")


@pytest.mark.parametrize(
    "curve",
    [ec.SECP192R1(), ec.SECP224R1(), ec.SECP256K1(), ec.SECP521R1(), ec.BrainpoolP256R1(), ec.BrainpoolP384R1()],
    ids=lambda curve: curve.name,
)
def test_other_curves_are_refused_by_name(curve: ec.EllipticCurve) -> None:
    with pytest.raises(InvalidInput, match=f"{curve.name} is not allowed; use P-256"):
        check_allowed(ec.generate_private_key(curve).public_key())


def test_other_families_are_refused() -> None:
    for key in (ed448.Ed448PrivateKey.generate(), x25519.X25519PrivateKey.generate(), dsa.generate_private_key(2048)):
        with pytest.raises(InvalidInput, match="not allowed"):
            check_allowed(key.public_key())
    pem = ed448.Ed448PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(InvalidInput, match="not allowed"):
        load_private_key(pem)


@pytest.mark.parametrize("bits", [1024, 1536, 2047, 2049, 8192])
def test_rsa_sizes_other_than_three_are_refused(bits: int) -> None:
    with pytest.raises(InvalidInput, match=f"{bits} bits"):
        check_allowed(rsa.RSAPublicNumbers(65537, 2 ** (bits - 1) + 1).public_key())


@pytest.mark.parametrize("exponent", [3, 17, 65539])
def test_rsa_exponents_other_than_65537_are_refused(rsa_key: rsa.RSAPrivateKey, exponent: int) -> None:
    modulus = rsa_key.public_key().public_numbers().n
    with pytest.raises(InvalidInput, match=f"exponent {exponent} "):
        check_allowed(rsa.RSAPublicNumbers(exponent, modulus).public_key())


def test_a_modulus_with_a_small_factor_is_weak() -> None:
    assert find_weakness(751 * P1024) == "its modulus has a small factor"


@pytest.mark.parametrize("distance", [0, 2, 10**6, 2**510])
def test_close_primes_are_weak(distance: int, rsa_key: rsa.RSAPrivateKey) -> None:
    prime = rsa_key.private_numbers().p
    assert find_weakness(prime * (prime + distance)) in {
        "its two primes are close to each other",
        "its modulus has a small factor",  # the second number is not prime
    }


def test_close_primes_of_a_real_looking_key_are_named(rsa_key: rsa.RSAPrivateKey) -> None:
    prime = rsa_key.private_numbers().p
    other = next(n for n in range(prime + 2, prime + 10_000, 2) if gcd(n, 15_015) == 1 and pow(2, n - 1, n) == 1)
    with pytest.raises(InvalidInput, match="close to each other; make a new key"):
        check_allowed(rsa.RSAPublicNumbers(65537, prime * other).public_key())


def test_the_structure_of_the_faulty_generator_is_weak() -> None:
    primorial = 1
    for prime in (n for n in range(2, 168) if all(n % d for d in range(2, n))):
        primorial *= prime
    power = pow(65537, 123_456_789, primorial)
    candidates = (power + factor * primorial for factor in range(2**1830, 2**1830 + 400))
    found = {find_weakness(modulus) for modulus in candidates}
    assert any(weakness is not None and "CVE-2017-15361" in weakness for weakness in found)


def test_ordinary_keys_are_not_weak(rsa_key: rsa.RSAPrivateKey) -> None:
    assert find_weakness(rsa_key.public_key().public_numbers().n) is None


def test_what_is_no_private_key_is_refused_without_quoting_it(rsa_key: rsa.RSAPrivateKey) -> None:
    pem = private_key_pem(rsa_key)
    sealed = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    for wrong in (b"", b"hunter2", pem[:-100], pem.replace(b"A", b"B"), sealed):
        with pytest.raises(InvalidInput, match="not an unencrypted PEM private key") as caught:
            load_private_key(wrong)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None
