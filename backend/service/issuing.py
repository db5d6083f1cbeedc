"""Issuing a client certificate: keys that were seen before, the identity's template, the row with its renewal slot.

Sign-in, renewal, creation and signing all end here. Who may have a certificate was decided before; of a request only
the public key counts (pki.md 7.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography import x509

from backend.core.errors import AccessDenied, LimitReached
from backend.core.model import Certificate, Identity
from backend.core.renewal import renewal_slot
from backend.pki.issue import IssuedLeaf
from backend.pki.keys import key_sha256
from backend.pki.profiles import ClientTemplate
from backend.pki.requests import SigningRequest
from backend.pki.trust import read_leaf, split_bundle
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import OrderKind

_ISSUING: Final = frozenset({OrderKind.RENEW, OrderKind.SIGN_IN})  # what an operator has ordered is not held up


def issue_certificate(
    tx: Transaction,
    world: World,
    identity: Identity,
    request: SigningRequest,
    *,
    lifetime: timedelta,
    renewed: Certificate | None = None,
) -> Certificate:
    """Certify the request's key for an identity and keep the row; the caller audits.

    The same key again within the policy's window returns the certificate that was issued then, so that a client whose
    answer was lost gets the same one (pki.md 5.9). `renewed` is the certificate that the new one follows.

    Raises:
        AccessDenied: the key is that of another identity or of a CA: a refusal that an auditor wants to see.
        LimitReached: the identity has had too many certificates of late.
    """
    now = world.clock.now()
    digest = key_sha256(request.public_key)
    issuer = world.signer.issuing(tx)
    before = tx.certificates.find_by_key(digest)
    _refuse_foreign_key(tx, digest, before, identity)
    again = _issued_already(before, renewed, issuer.authority.generation, now, world.policy.same_key_window)
    if again is not None:
        return again
    _refuse_flood(tx, world, identity, now)
    leaf = issuer.issue_client(_template(identity, lifetime, renewed), request.public_key, now)
    certificate = _row(
        leaf, identity, issuer.authority.generation, now, 0 if renewed is None else renewed.renew_count + 1
    )
    tx.certificates.add(certificate)
    return certificate


def find_x509(certificate: Certificate) -> x509.Certificate:
    """The certificate of a row, read."""
    return _leaf(certificate.pem)


@lru_cache(maxsize=8)  # a renewal asks for the old one more than once
def _leaf(pem: str) -> x509.Certificate:
    return read_leaf(pem)


def _template(identity: Identity, lifetime: timedelta, renewed: Certificate | None) -> ClientTemplate:
    if renewed is None:
        return ClientTemplate(common_name=identity.name, identity_id=identity.id, lifetime=lifetime)
    return ClientTemplate.renewing(
        find_x509(renewed), common_name=identity.name, identity_id=identity.id, lifetime=lifetime
    )


def _row(leaf: IssuedLeaf, identity: Identity, generation: int, now: datetime, renew_count: int) -> Certificate:
    slot = renewal_slot(leaf.validity, leaf.serial)
    return Certificate(
        serial=leaf.serial,
        identity_number=identity.number,
        generation=generation,
        validity=leaf.validity,
        requested=leaf.requested,
        renew_from=slot.renew_from,
        renew_until=slot.renew_until,
        key_sha256=leaf.key_sha256,
        fingerprint=leaf.fingerprint,
        pem=leaf.pem,
        issued_at=now,
        renew_count=renew_count,
    )


def _refuse_foreign_key(tx: Transaction, digest: str, before: Sequence[Certificate], identity: Identity) -> None:
    if any(certificate.identity_number != identity.number for certificate in before):
        # The other identity is not named: whoever sends a stranger's key must not learn whose it is.
        raise AccessDenied(f"the key in the request of {identity.name!r} is in use by another identity; make a new key")
    for authority in tx.authorities.all():
        if _root_key(authority.pem) == digest:
            raise AccessDenied("the key in the request is that of a CA; make a new key")


def _refuse_flood(tx: Transaction, world: World, identity: Identity, now: datetime) -> None:
    """Each certificate is a row for good; a client in a loop must not fill the disk with its own."""
    wait = world.rates.wait_for_issue(identity.number, now)
    if wait and not any(order.kind in _ISSUING for order in tx.orders.open_of(identity.number)):
        raise LimitReached(f"identity {identity.name!r} was given too many certificates in a short time", wait)


@lru_cache(maxsize=16)  # a handful of roots in a deployment's lifetime, asked for at every issue
def _root_key(pem: str) -> str:
    return key_sha256(split_bundle(pem)[0].public_key())  # type: ignore[arg-type] # roots are ours


def _issued_already(
    before: Sequence[Certificate], renewed: Certificate | None, generation: int, now: datetime, window: timedelta
) -> Certificate | None:
    """The certificate that an earlier sending of this very request got, newest first; None when there is none.

    A renewal may keep its key (moc/protocol.md 4.3): only what was issued after the renewed certificate, further down
    its line, can be the answer that was lost.
    """
    for certificate in before:
        is_later = renewed is None or certificate.renew_count > renewed.renew_count
        is_recent = timedelta(0) <= now - certificate.issued_at <= window
        is_good = certificate.revoked_at is None and not certificate.validity.is_expired(now)
        if is_later and is_recent and is_good and certificate.generation == generation:
            return certificate
    return None
