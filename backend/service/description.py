"""One client in full: what the detail screen and `mocdeck describe` show. Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from backend.core.delivery import Way
from backend.core.model import AuditEvent, Certificate, ClientKind, ClientType, Heartbeat, Identity, LastSeen, Token
from backend.service.current import current_of, trusted_generations
from backend.service.reach import last_looks, route_now, ways_now
from backend.service.token_line import find_current
from backend.service.token_view import TokenRotation, rotation_of
from backend.service.world import World
from backend.store.port import Transaction

HISTORY: Final = 20  # audit events shown of one client


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDescription:
    """A certificate with its issuer's subject; `current` marks the one the client is taken to hold.

    `shortened`: the CA ends before the lifetime that was asked for.
    """

    certificate: Certificate
    issuer: str
    current: bool
    shortened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDescription:
    """Everything the agent knows of one client; certificates, tokens and history are newest first.

    `delivery_route` is how a fresh login file would reach it: "heartbeat", "kubernetes", "file" or "manual"; `ways` are
    the places where the agent could put one, each with the last look at it.
    """

    name: str
    id: str
    number: int
    kind: ClientKind
    client_type: ClientType
    cluster: str
    host: str
    owner: str
    location: str
    roles: tuple[str, ...]
    login_file_path: str
    token_lifetime: timedelta
    created_at: datetime
    revoked_at: datetime | None
    revoked_by: str
    certificates: tuple[CertificateDescription, ...]
    tokens: tuple[Token, ...]
    last_seen: LastSeen | None
    heartbeat: Heartbeat | None
    history: tuple[AuditEvent, ...]
    delivery_route: str
    token_rotation: TokenRotation
    ways: tuple[Way, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def describe(tx: Transaction, world: World, name: str) -> ClientDescription:
    """Return one client in full.

    Raises:
        NotFound: no identity has that name.
    """
    now = world.clock.now()
    identity = tx.identities.get(name)
    heartbeat = tx.heartbeats.find(identity.number)
    return ClientDescription(
        name=identity.name,
        id=identity.id,
        number=identity.number,
        kind=identity.kind,
        client_type=identity.client_type,
        cluster=identity.cluster,
        host=identity.host,
        owner=identity.owner,
        location=identity.location,
        roles=tuple(sorted({assignment.role_name for assignment in tx.assignments.of(name)})),
        login_file_path=identity.login_file_path,
        token_lifetime=identity.token_lifetime,
        created_at=identity.created_at,
        revoked_at=identity.revoked_at,
        revoked_by=identity.revoked_by,
        certificates=_certificates(tx, identity, now),
        tokens=tuple(tx.tokens.of(identity.number)),
        last_seen=tx.seen.find(identity.number),
        heartbeat=heartbeat,
        history=tuple(tx.audit.newest(HISTORY, subject=name)),
        delivery_route=route_now(ways_now(world.delivery, world.reach, identity, now), heartbeat, now).value,
        ways=last_looks(world.delivery, world.reach, identity),
        token_rotation=rotation_of(tx, world, identity, find_current(tx, identity.number)),
        tags=dict(identity.tags),
    )


def _certificates(tx: Transaction, identity: Identity, now: datetime) -> tuple[CertificateDescription, ...]:
    authorities = tx.authorities.all()
    subjects = {authority.generation: authority.subject for authority in authorities}
    certificates = tx.certificates.of(identity.number)
    current = current_of(tx, identity.number, trusted_generations(authorities), now)
    return tuple(
        CertificateDescription(
            certificate=certificate,
            issuer=subjects.get(certificate.generation, ""),
            current=current is not None and certificate.serial == current.serial,
            shortened=certificate.validity.lifetime < certificate.requested,
        )
        for certificate in certificates
    )
