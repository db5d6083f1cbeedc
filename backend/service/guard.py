"""Who is at the other end: a TLS leaf in, a `Caller` out, or a refusal.

TLS has only opened the door: an open connection outlives its certificate (architecture.md, decision 3). So every call
is judged here by the leaf's row, never by its names: issued by this agent, generation trusted, not revoked, within its
dates, identity enabled. What rows say is remembered in `World.peers`; the time is looked at on each call.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final

from cryptography import x509

from backend.core.errors import CertificateExpired, CertificateUntrusted, Revoked
from backend.core.model import AuthorityStatus, LastSeen, RevokeReason
from backend.pki.trust import PARSE_ERRORS
from backend.service.caller import Caller
from backend.service.peers import Peer
from backend.service.rights import grants_of
from backend.service.shadow import note_would_fail, would_fail
from backend.service.world import World
from backend.store.port import Transaction

EXPIRED_TEXT: Final = "Certificate has expired: Expired"  # Go clients look for the word and sign in again (6.4)
TRUSTED: Final = frozenset({AuthorityStatus.ISSUING, AuthorityStatus.TRUSTED})


def authenticate(tx: Transaction, world: World, leaf_der: bytes, address: str) -> Caller:
    """Return who calls with this leaf.

    Raises:
        CertificateUntrusted: not issued by this agent, of a generation that is no longer trusted, or not valid yet.
        CertificateExpired: past its end; sign in again.
        Revoked: the certificate or its identity was revoked.
    """
    fingerprint = fingerprint_of(leaf_der)
    peer = world.peers.find(fingerprint)
    if peer is None:
        peer = _read_peer(tx, leaf_der, fingerprint, world.clock.now())
        world.peers.remember(fingerprint, peer)
    _check(peer, world.clock.now())
    return Caller(identity=peer.identity, certificate=peer.certificate, grants=peer.grants, address=address, peer=peer)


def forget(world: World, leaf_der: bytes) -> None:
    """Read this leaf's rows again on its next call: a call of it was undone, and the note of its use with it."""
    world.peers.forget(fingerprint_of(leaf_der))


def fingerprint_of(leaf_der: bytes) -> str:
    """Hex SHA-256 of a leaf, under which its row and the cache know it."""
    return hashlib.sha256(leaf_der).hexdigest()


def mark_used(tx: Transaction, caller: Caller, now: datetime) -> None:
    """Note that the caller's certificate is in use, and when and from where its identity was last seen.

    Calls within one second from one address are noted once.
    """
    peer, host = caller.peer, caller.address
    if peer is not None and peer.marked_at == now and peer.marked_from == host:
        return
    tx.certificates.mark_used(caller.certificate.serial, now)
    seen = LastSeen(identity_number=caller.identity.number, at=now, address=host, serial=caller.certificate.serial)
    tx.seen.put(seen)
    if peer is not None and peer.would_fail:
        note_would_fail(tx, caller.identity.number, host, now)
    if peer is not None:
        peer.marked_at, peer.marked_from = now, host


def _read_peer(tx: Transaction, leaf_der: bytes, fingerprint: str, now: datetime) -> Peer:
    unknown = CertificateUntrusted("the certificate was not issued by this agent; sign in again")
    try:
        serial = x509.load_der_x509_certificate(leaf_der).serial_number
    except PARSE_ERRORS:
        raise unknown from None
    certificate = tx.certificates.find(serial)
    if certificate is None or certificate.fingerprint != fingerprint:
        raise unknown
    identity = tx.identities.find_by_number(certificate.identity_number)
    if identity is None:
        raise Revoked(f"the identity of certificate {serial:x} was deleted, its certificate is revoked")
    return Peer(
        identity=identity,
        certificate=certificate,
        authority=tx.authorities.get(certificate.generation),
        grants=grants_of(tx, identity),
        would_fail=would_fail(tx, certificate, now),
    )


def _check(peer: Peer, now: datetime) -> None:
    certificate, identity = peer.certificate, peer.identity
    if identity.revoked_at is not None:
        raise Revoked(f"identity {identity.name!r} was revoked at {identity.revoked_at}")
    if certificate.revoked_at is not None and certificate.revoke_reason is not RevokeReason.ROTATION:
        raise Revoked(f"certificate {certificate.serial:x} of {identity.name!r} was revoked")
    # Before the dates: a lapsed certificate of a distrusted generation must not be answered with "renew".
    if certificate.revoked_at is not None or peer.authority.status not in TRUSTED:
        raise CertificateUntrusted(
            f"CA generation {certificate.generation} is no longer trusted; sign in again with a login file of now"
        )
    if certificate.validity.is_expired(now):
        raise CertificateExpired(EXPIRED_TEXT)
    if certificate.validity.is_pending(now):
        raise CertificateUntrusted(
            f"the certificate of {identity.name!r} is not valid before {certificate.validity.not_before}; "
            "check the clocks"
        )
