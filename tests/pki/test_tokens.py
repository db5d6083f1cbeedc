import base64
import hmac
import json
from datetime import datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import TokenRejected
from backend.core.model import Secret
from backend.pki.keys import KeyKind, generate_key
from backend.pki.tokens import Claims, digest, mint, read, same

LIFETIME = timedelta(days=90)
GOOD = {"name": "kva", "jti": "id-1", "iat": 1, "exp": 2, "iss": "wssdagentsvc"}


def test_a_token_carries_what_moc_clients_read(rsa_key: rsa.RSAPrivateKey, now: datetime) -> None:
    token = mint(rsa_key, "kva", now, LIFETIME, "id-1").reveal()
    header, claims, _ = (token + "==").split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "RS256", "typ": "JWT"}
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {
        "name": "kva",
        "jti": "id-1",
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "iss": "wssdagentsvc",
    }


def test_a_token_is_read_however_old_it_is(rsa_key: rsa.RSAPrivateKey, now: datetime) -> None:
    """Whether it is alive is judged from its row, so that all refusals can be the same."""
    for issued_at in (now - timedelta(days=9000), now, now + timedelta(days=9000)):
        token = mint(rsa_key, "kva", issued_at, LIFETIME, "id-1")
        claims = Claims(name="kva", id="id-1", issued_at=issued_at, expires_at=issued_at + LIFETIME)
        assert read(token.reveal(), rsa_key.public_key()) == claims


def test_a_token_does_not_show_itself(rsa_key: rsa.RSAPrivateKey, now: datetime) -> None:
    token = mint(rsa_key, "kva", now, LIFETIME, "id-1")
    assert repr(token) == str(token) == f"{token}" == "Secret(...)"


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": 1},
        {"name": None},
        {"jti": ""},
        {"jti": 7},
        {"iat": "1"},
        {"iat": 1.5},
        {"iat": True},
        {"exp": True},
        {"exp": 1},
        {"exp": 0},
        {"exp": 10**30},
        {"exp": "soon"},
        {"iat": -(10**30)},
        {"iss": "Test"},
        {"iss": ["wssdagentsvc"]},
        {"iss": None},
    ],
)
def test_strange_claims_are_rejected_though_we_signed_them(
    rsa_key: rsa.RSAPrivateKey, change: dict[str, object]
) -> None:
    claims = {**GOOD, **change}
    token = jwt.api_jws.encode(json.dumps(claims).encode(), rsa_key, algorithm="RS256")
    with pytest.raises(TokenRejected):
        read(token, rsa_key.public_key())


@pytest.mark.parametrize("claim", sorted(GOOD))
def test_a_missing_claim_is_rejected(rsa_key: rsa.RSAPrivateKey, claim: str) -> None:
    claims = {key: value for key, value in GOOD.items() if key != claim}
    with pytest.raises(TokenRejected):
        read(jwt.encode(claims, rsa_key, algorithm="RS256"), rsa_key.public_key())


def test_other_keys_and_algorithms_are_rejected(rsa_key: rsa.RSAPrivateKey, now: datetime) -> None:
    other = generate_key(KeyKind.RSA2048)
    assert isinstance(other, rsa.RSAPrivateKey)
    pem = rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, GOOD)]
    by_public_key = hmac.digest(pem, b".".join(parts), "sha256")
    forged = [
        mint(other, "kva", now, LIFETIME, "id-1").reveal(),
        jwt.encode(GOOD, "", algorithm="none"),
        b".".join([*parts, base64.urlsafe_b64encode(by_public_key).rstrip(b"=")]).decode(),  # as a shared secret
        jwt.encode(GOOD, rsa_key, algorithm="PS256"),
        jwt.encode(GOOD, rsa_key, algorithm="RS512"),
        jwt.encode(GOOD, rsa_key, algorithm="RS256", headers={"crit": ["x"], "x": 1}),
    ]
    for token in forged:
        with pytest.raises(TokenRejected):
            read(token, rsa_key.public_key())


def test_every_refusal_has_the_same_text(rsa_key: rsa.RSAPrivateKey, now: datetime) -> None:
    token = mint(rsa_key, "kva", now, LIFETIME, "id-1").reveal()
    texts = set()
    for wrong in ("", "a.b.c", token[:-1], token[1:], token + "A" * 5000, token + ".", token.replace(".", ""), "é" * 9):
        with pytest.raises(TokenRejected) as caught:
            read(wrong, rsa_key.public_key())
        texts.add(str(caught.value))
    assert texts == {"Valid Token Required."}


@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=300)
def test_no_text_makes_another_error(rsa_key: rsa.RSAPrivateKey, data: st.DataObject) -> None:
    part = st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
    header = st.just(base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode()) | part
    token = data.draw(st.text(max_size=200) | st.tuples(header, part, part).map(".".join))
    with pytest.raises(TokenRejected):
        read(token, rsa_key.public_key())


@given(payload=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_no_signed_payload_makes_another_error(rsa_key: rsa.RSAPrivateKey, payload: object) -> None:
    for claims in (payload, {**GOOD, "exp": payload}, {**GOOD, "name": payload, "iat": payload}):
        token = jwt.api_jws.encode(json.dumps(claims).encode(), rsa_key, algorithm="RS256")
        try:
            assert read(token, rsa_key.public_key()).name
        except TokenRejected:
            continue


def test_digests_depend_on_token_and_pepper() -> None:
    token = Secret("a.b.c")
    assert digest(token, b"pepper") == digest(Secret("a.b.c"), b"pepper")
    assert len({digest(token, b"pepper"), digest(token, b"salt"), digest(Secret("a.b.d"), b"pepper")}) == 3
    assert len(digest(token, b"pepper")) == 64
    assert same("ab", "ab")
    assert not same("ab", "abc")
    assert not same("ab", "é")
