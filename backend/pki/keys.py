"""Key pairs: made, stored as PEM, named by a digest, and judged by an allow-list.

Owns which keys may appear in this deployment: P-256, P-384, Ed25519 and RSA of 2048, 3072 or 4096 bits with exponent
65537 and no known weakness of its modulus. Everything else is refused by name. Holds no key and writes no file.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from backend.core.errors import InvalidInput
from backend.pki.modulus import find_weakness

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

EXPONENT: Final = 65537


class KeyKind(Enum):
    """The key pairs that may be made and accepted (pki.md 7.1)."""

    P256 = "P-256"
    P384 = "P-384"
    ED25519 = "Ed25519"
    RSA2048 = "RSA-2048"
    RSA3072 = "RSA-3072"
    RSA4096 = "RSA-4096"


_CURVES: Final = {"secp256r1": KeyKind.P256, "secp384r1": KeyKind.P384}
_RSA: Final = {2048: KeyKind.RSA2048, 3072: KeyKind.RSA3072, 4096: KeyKind.RSA4096}
_ALLOWED: Final = "use " + ", ".join(kind.value for kind in KeyKind)


def generate_key(kind: KeyKind) -> PrivateKey:
    """Make a key pair. RSA takes 0.1 s and more; the others well under a millisecond."""
    match kind:
        case KeyKind.P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyKind.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            bits = next(bits for bits, named in _RSA.items() if named is kind)
            return rsa.generate_private_key(public_exponent=EXPONENT, key_size=bits)


def load_private_key(pem: bytes, *, is_sealed: bool = False) -> PrivateKey:
    """Read an unencrypted PEM private key (PKCS#1, SEC 1 or PKCS#8) of an allowed kind.

    `is_sealed`: it came out of the vault, whose seal says that it is what we once wrote there; then an RSA key is not
    tested for consistency again, which takes a tenth of a second at every start.

    Raises:
        InvalidInput: it is none, it is encrypted, or its kind is not allowed. The text never quotes the input.
    """
    try:
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=is_sealed)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput("this is not an unencrypted PEM private key; check the file it came from") from None
    if not isinstance(key, PrivateKey):
        raise InvalidInput(f"a private key of type {type(key).__name__} is not allowed; {_ALLOWED}")
    check_allowed(key.public_key())
    return key


def private_key_pem(key: PrivateKey) -> bytes:
    """Encode a private key as Go's tls.X509KeyPair reads it: RSA as PKCS#1 (moc/protocol.md 4.2), others as PKCS#8."""
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    form = PrivateFormat.TraditionalOpenSSL if is_rsa else PrivateFormat.PKCS8
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def public_key_der(key: PublicKey) -> bytes:
    """DER SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_sha256(public_key: PublicKey) -> str:
    """Hex SHA-256 of the DER SubjectPublicKeyInfo: how rows and duplicate checks name a key."""
    return hashlib.sha256(public_key_der(public_key)).hexdigest()


def check_allowed(public_key: object) -> PublicKey:
    """Return the key if it may be certified.

    Raises:
        InvalidInput: its kind, size, exponent or modulus is not allowed; the text names the kinds that are.
    """
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return public_key
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        if public_key.curve.name not in _CURVES:
            raise InvalidInput(f"a key on the curve {public_key.curve.name} is not allowed; {_ALLOWED}")
        return public_key
    if isinstance(public_key, rsa.RSAPublicKey):
        _check_rsa(public_key)
        return public_key
    raise InvalidInput(f"a public key of type {type(public_key).__name__} is not allowed; {_ALLOWED}")


def kind_of(public_key: PublicKey) -> KeyKind:
    """Return the kind of a key that `check_allowed` let pass; a renewed key is of the same kind as the old one."""
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return KeyKind.ED25519
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return _CURVES[public_key.curve.name]
    return _RSA[public_key.key_size]


def signing_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    """The hash to sign with: none for Ed25519, which brings its own; SHA-384 for P-384; SHA-256 otherwise."""
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else _hash_for(key)


def sign_data(key: PrivateKey, data: bytes) -> bytes:
    """Sign what is no certificate in the way that certificates are signed; `verify_signature` checks it."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(_hash_for(key)))
    return key.sign(data, padding.PKCS1v15(), _hash_for(key))


def verify_signature(public_key: PublicKey, signature: bytes, data: bytes) -> None:
    """Check a signature made with `signing_hash` (RSA with PKCS#1 v1.5 padding, as certificates are).

    Raises:
        InvalidSignature: of `cryptography`; the key did not sign the data.
    """
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        public_key.verify(signature, data)
    elif isinstance(public_key, ec.EllipticCurvePublicKey):
        public_key.verify(signature, data, ec.ECDSA(_hash_for(public_key)))
    else:
        public_key.verify(signature, data, padding.PKCS1v15(), _hash_for(public_key))


def _hash_for(key: PrivateKey | PublicKey) -> hashes.SHA256 | hashes.SHA384:
    is_p384 = isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) and key.curve.name == "secp384r1"
    return hashes.SHA384() if is_p384 else hashes.SHA256()


def _check_rsa(key: rsa.RSAPublicKey) -> None:
    if key.key_size not in _RSA:
        raise InvalidInput(f"an RSA key of {key.key_size} bits is not allowed; {_ALLOWED}")
    numbers = key.public_numbers()
    if numbers.e != EXPONENT:
        raise InvalidInput(f"an RSA key with exponent {numbers.e} is not allowed; make one with {EXPONENT}")
    weakness = find_weakness(numbers.n)
    if weakness is not None:
        raise InvalidInput(f"this RSA key is weak: {weakness}; make a new key with another program")
