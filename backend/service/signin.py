"""Signing in: a token and a signing request in, a certificate out.

Whatever is wrong with a token, or with whose it is, the answer is the same `TokenRejected` with the same text, so that
nobody learns which tokens or identities exist. Only whoever has proved the token hears what is wrong with the request.
"""

from __future__ import annotations

from datetime import datetime

from backend.core.errors import TokenRejected
from backend.core.model import Certificate, Identity, Secret, Token
from backend.pki.requests import read_csr
from backend.service import audit
from backend.service.fence import refuse_when_fenced
from backend.service.issuing import issue_certificate
from backend.service.token_line import mark_token_used
from backend.service.world import World
from backend.store.port import Transaction


def sign_in(tx: Transaction, world: World, *, token: Secret, name: str, csr_pem: str, address: str) -> Certificate:
    """Trade a token for a certificate; the row, the token's use and the audit event commit together or not at all.

    The token's name, the request's `name` and the signing request's common name must be one and the same identity's. A
    token may be used any number of times until it ends ("sign back in"). The first use of a fresh token ends the one
    before it; until then a client that knows only the older one, such as a CAPH process that keeps its first token
    (moc/protocol.md 8.1), signs in with that during the rotation's overlap.

    Raises:
        Fenced: issuing is stopped for a CA rotation.
        TokenRejected: the token does not sign in this name.
        InvalidInput: the token is good and the signing request is not.
        AccessDenied: the key in the request is another identity's or a CA's.
    """
    refuse_when_fenced(tx, world)
    now = world.clock.now()
    record, identity = _accept(tx, world, token, name, now)
    request = read_csr(csr_pem)
    if request.common_name != identity.name:
        raise TokenRejected
    certificate = issue_certificate(tx, world, identity, request, lifetime=world.policy.client_lifetime)
    mark_token_used(tx, record, now)
    audit.record(
        tx,
        now,
        actor=identity.name,
        origin="rpc",
        action="sign_in",
        subject=identity.name,
        detail={
            "serial": f"{certificate.serial:x}",
            "not_after": certificate.validity.not_after.isoformat(),
            "token": record.id,
            "address": address,
        },
    )
    return certificate


def _accept(tx: Transaction, world: World, token: Secret, name: str, now: datetime) -> tuple[Token, Identity]:
    """Return the token's record and its identity, or refuse; every refusal does the same work in the same order."""
    claims = world.tokens.read(token)
    record = tx.tokens.find(claims.id)
    is_known = world.tokens.recognises(token, record)
    identity = None if record is None else tx.identities.find_by_number(record.identity_number)
    if record is None or identity is None or not is_known or not record.is_alive(now):
        raise TokenRejected
    if identity.revoked_at is not None or not claims.name == identity.name == name:
        raise TokenRejected
    return record, identity
