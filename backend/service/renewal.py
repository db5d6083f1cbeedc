"""Renewing and creating certificates of an identity, for a caller that already has one (moc/protocol.md 4.7, 5.2).

A renewal follows the certificate it renews: same identity, same lifetime as was once asked for, one more in its count.
It needs a proof of the old key: the renew extension of the request, or the TLS connection itself when it runs on a
certificate of that same identity. Who may act for whom is the permission table's; what a caller may get out of it is
judged here and in `backend.service.rights`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.core.errors import (
    AccessDenied,
    CertificateExpired,
    CertificateUntrusted,
    InconsistentState,
    InvalidInput,
    Revoked,
)
from backend.core.model import Certificate, Identity, RevokeReason
from backend.pki.renewal import check_renewal
from backend.pki.requests import SigningRequest, read_csr
from backend.pki.trust import fingerprint, split_bundle
from backend.service import audit
from backend.service.caller import Caller
from backend.service.fence import refuse_when_fenced
from backend.service.guard import EXPIRED_TEXT, TRUSTED
from backend.service.issuing import find_x509, issue_certificate
from backend.service.rights import refuse_wider
from backend.service.world import World
from backend.store.port import Transaction


def renew(
    tx: Transaction, world: World, caller: Caller, *, identity_name: str, csr_pem: str, old_certificate_pem: str = ""
) -> Certificate:
    """Issue the certificate that follows an older one of `identity_name`.

    `old_certificate_pem` may be empty: then the request's own proof says which certificate is renewed, or else the
    caller's. A chain may follow the leaf in it. Someone else's renewal needs the proof of the old key.

    Raises:
        Fenced: issuing is stopped for a CA rotation.
        NotFound: there is no such identity.
        Revoked: the identity or the old certificate was revoked.
        CertificateExpired: the old certificate is past its end; sign in again.
        CertificateUntrusted: the old certificate is not one of this agent's, or its generation is no longer trusted.
        AccessDenied: the old certificate is another identity's, nothing proves its key, or the new key is another's.
        ProofRefused: the proof in the request is not by the old key.
        InvalidInput: the request or the old certificate cannot be read, or they do not belong together.
    """
    refuse_when_fenced(tx, world)
    now = world.clock.now()
    identity = tx.identities.get(identity_name)
    if identity.revoked_at is not None:
        raise Revoked(f"identity {identity.name!r} was revoked at {identity.revoked_at}; it needs a new identity")
    request = read_csr(csr_pem)
    old = _old_certificate(tx, caller, request, old_certificate_pem)
    _check_old(tx, old, identity, now)
    if request.renewal is not None:
        check_renewal(request, find_x509(old), now)
    elif caller.certificate.identity_number != identity.number:
        raise AccessDenied(
            f"renewing {identity.name!r} for it needs the proof of its old key; {caller.name!r} sent none"
        )
    certificate = issue_certificate(tx, world, identity, request, lifetime=old.requested, renewed=old)
    _audit(tx, now, caller, "renew", identity, certificate, {"old_serial": f"{old.serial:x}"})
    return certificate


def create_certificate(
    tx: Transaction,
    world: World,
    caller: Caller,
    *,
    identity_name: str,
    csr_pem: str,
    lifetime: timedelta | None = None,
    action: str = "create_certificate",
) -> Certificate:
    """Issue a first certificate of an identity without its token.

    Whoever holds it acts as that identity, so the caller must be the identity itself or hold all of its rights.

    Raises:
        Fenced: issuing is stopped for a CA rotation.
        NotFound: there is no such identity.
        InconsistentState: the identity is revoked.
        AccessDenied: the identity has rights that the caller has not, or the key is another identity's or a CA's.
        InvalidInput: the request cannot be read, or `lifetime` is longer than the policy's.
    """
    refuse_when_fenced(tx, world)
    now = world.clock.now()
    identity = tx.identities.get(identity_name)
    if identity.revoked_at is not None:
        raise InconsistentState(f"identity {identity.name!r} is revoked and gets no certificate; make a new identity")
    refuse_wider(tx, caller, identity)
    longest = world.policy.client_lifetime
    if lifetime is not None and lifetime > longest:
        raise InvalidInput(f"a lifetime of {lifetime} is longer than the {longest} allowed; ask for less, or for none")
    request = read_csr(csr_pem)
    certificate = issue_certificate(tx, world, identity, request, lifetime=lifetime or longest)
    _audit(tx, now, caller, action, identity, certificate, {})
    return certificate


def _old_certificate(tx: Transaction, caller: Caller, request: SigningRequest, pem: str) -> Certificate:
    """The row of the certificate to renew; a certificate that has none was not issued by this agent."""
    if pem:
        leaf = split_bundle(pem)[0]
    elif request.renewal is not None:
        leaf = request.renewal.old
    else:
        return caller.certificate
    row = tx.certificates.find(leaf.serial_number)
    if row is None or row.fingerprint != fingerprint(leaf):
        raise CertificateUntrusted("the old certificate was not issued by this agent; sign in again")
    return row


def _check_old(tx: Transaction, old: Certificate, identity: Identity, now: datetime) -> None:
    if old.identity_number != identity.number:
        raise AccessDenied(f"the old certificate is not one of {identity.name!r}; send the one that is to be renewed")
    if old.revoked_at is not None and old.revoke_reason is not RevokeReason.ROTATION:
        raise Revoked(f"certificate {old.serial:x} of {identity.name!r} was revoked; sign in again")
    if old.revoked_at is not None or tx.authorities.get(old.generation).status not in TRUSTED:
        raise CertificateUntrusted(
            f"CA generation {old.generation} of {identity.name!r}'s old certificate is no longer trusted; sign in again"
        )
    if old.validity.is_expired(now):
        raise CertificateExpired(EXPIRED_TEXT)
    if old.validity.is_pending(now):
        raise CertificateUntrusted(f"the old certificate of {identity.name!r} is not valid yet; check the clocks")


def _audit(
    tx: Transaction,
    now: datetime,
    caller: Caller,
    action: str,
    identity: Identity,
    certificate: Certificate,
    detail: dict[str, str],
) -> None:
    detail |= {"serial": f"{certificate.serial:x}", "not_after": certificate.validity.not_after.isoformat()}
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action=action,
        subject=identity.name,
        detail=detail | {"address": caller.address},
    )
