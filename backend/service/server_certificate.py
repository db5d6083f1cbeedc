"""The agent's own TLS certificate: issued by the generation that serves, renewed by the agent itself.

One key in the vault, made once; the certificate over it is public and lies in the store. A new one is made in its last
third, when the names changed and in the transaction that changes the serving generation, so that what is committed can
be served. Behind it stands the cross certificate that carries clients without the newest root (pki.md, invariant I10).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from cryptography import x509

from backend.core.errors import InconsistentState, InvalidInput
from backend.core.lifecycle import share
from backend.core.model import Authority, Secret
from backend.pki.keys import private_key_pem, public_key_der
from backend.pki.trust import split_bundle, validity_of
from backend.service import audit
from backend.service.fence import is_fenced
from backend.service.serving import cross_behind, serving_authority
from backend.service.world import World
from backend.store.port import Transaction

CERTIFICATE_KEY: Final = "server.certificate"
NAMES_KEY: Final = "server.names"  # as configured: a name may be written differently in the certificate
RENEW_FROM: Final = Fraction(1, 3)  # of the lifetime left: 20 of 60 days of retries


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCredential:
    """What the listeners serve: the leaf and its private key in PEM. A new serial means: swap."""

    chain_pem: str
    key_pem: Secret
    serial: int
    not_after: datetime


def ensure(tx: Transaction, world: World) -> ServerCredential:
    """Return the certificate to serve now, and issue a new one first if it is time; cheap when it is not.

    While issuing is fenced, or the CA can no longer issue, the one at hand is served on as long as it lives.

    Raises:
        InconsistentState: there is none that can be served, and none can be issued.
    """
    now = world.clock.now()
    authority = serving_authority(tx)
    key = world.signer.server_key()
    key_pem = Secret(private_key_pem(key).decode("ascii"))
    held = _held(tx)
    if held is not None and public_key_der(held.public_key()) != public_key_der(key.public_key()):  # type: ignore[arg-type] # any kind differs
        held = None
    if held is None or _is_due(tx, held, authority, world, now):
        held = (
            _issue(tx, world, authority, now) if _may_issue(tx, authority, now) else _last_resort(held, authority, now)
        )
    return ServerCredential(
        chain_pem=(tx.meta.find(CERTIFICATE_KEY) or "") + cross_behind(tx, authority, now),
        key_pem=key_pem,
        serial=held.serial_number,
        not_after=validity_of(held).not_after,
    )


def is_of(tx: Transaction, authority: Authority) -> bool:
    """Tell whether the certificate that is served now is of that generation."""
    held = _held(tx)
    return held is not None and held.issuer == split_bundle(authority.pem)[0].subject


def _held(tx: Transaction) -> x509.Certificate | None:
    text = tx.meta.find(CERTIFICATE_KEY)
    if not text:
        return None
    try:
        return split_bundle(text)[0]
    except InvalidInput:
        return None  # a damaged row is replaced by a new certificate


def _is_due(tx: Transaction, held: x509.Certificate, authority: Authority, world: World, now: datetime) -> bool:
    validity = validity_of(held)
    if validity.is_pending(now):
        return True
    if held.issuer != split_bundle(authority.pem)[0].subject or tx.meta.find(NAMES_KEY) != ",".join(world.fqdns):
        return True
    if validity.not_after >= authority.validity.not_after:
        return False  # cut to the CA's end: another one would end no later, and one would be made at every look
    return validity.left(now) <= share(validity.lifetime, RENEW_FROM)


def _may_issue(tx: Transaction, authority: Authority, now: datetime) -> bool:
    ends = authority.validity
    return not is_fenced(tx) and not ends.is_pending(now) and ends.left(now) > timedelta(0)


def _last_resort(held: x509.Certificate | None, authority: Authority, now: datetime) -> x509.Certificate:
    if held is None or validity_of(held).is_expired(now):
        raise InconsistentState(
            f"the agent has no valid certificate to serve, and CA generation {authority.generation} "
            f"({authority.validity.not_before} to {authority.validity.not_after}) cannot issue one now; "
            "check this computer's clock; if the CA has ended, the deployment needs a new one"
        )
    return held


def _issue(tx: Transaction, world: World, authority: Authority, now: datetime) -> x509.Certificate:
    issuer = world.signer.of(authority)
    leaf = issuer.issue_server(world.fqdns, now, world.policy.server_lifetime, world.signer.server_key().public_key())
    tx.meta.put(CERTIFICATE_KEY, leaf.pem)
    tx.meta.put(NAMES_KEY, ",".join(world.fqdns))
    audit.record(
        tx,
        now,
        actor="agent",
        origin="agent",
        action="issue_server_certificate",
        subject=world.fqdns[0],
        detail={
            "serial": f"{leaf.serial:x}",
            "not_after": leaf.validity.not_after.isoformat(),
            "generation": str(issuer.authority.generation),
            "shortened": "yes" if leaf.shortened else "no",
        },
    )
    return split_bundle(leaf.pem)[0]
