"""A CA rotation as it is shown: phase, every client with where it stands, counts that add up, gates, outages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.core.blast import ReturnRoute
from backend.core.model import Authority, Bundle, ClientKind, Heartbeat, Identity
from backend.core.rotation import (
    ClientStanding,
    Gate,
    Phase,
    RotationClient,
    RotationFacts,
    count,
    gates,
    outages,
    standing,
)
from backend.service.clock_trust import is_doubted
from backend.service.contact import patience
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationClientRow, RotationRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStandingView:
    """One client of a rotation; `since` is when its present standing began, as far as was observed."""

    row: RotationClientRow
    cluster: str
    kind: ClientKind
    owner: str
    standing: ClientStanding
    since: datetime
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationView:
    """A rotation in full. The counts sum to `total`, the number of clients, in every phase."""

    row: RotationRow
    deployment: str
    agent_time: datetime
    clients: tuple[ClientStandingView, ...]
    counts: Mapping[ClientStanding, int]
    gates: tuple[Gate, ...]
    outage_p50: timedelta | None
    outage_longest: timedelta | None

    @property
    def total(self) -> int:
        """How many clients it has."""
        return len(self.clients)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoritiesView:
    """All CA generations, and the present trust bundle."""

    authorities: tuple[Authority, ...]
    bundle: Bundle


def authorities(tx: Transaction) -> AuthoritiesView:
    """Return the CA generations, oldest first, and the bundle that clients should trust now."""
    return AuthoritiesView(authorities=tuple(tx.authorities.all()), bundle=tx.bundles.current())


def view(tx: Transaction, world: World, rotation: RotationRow) -> RotationView:
    """Return a rotation as its rows have it; observing is the tick's."""
    now = world.clock.now()
    rows = tx.rotations.clients(rotation.id)
    identities = {identity.number: identity for identity in tx.identities.all()}
    heartbeats = {beat.identity_number: beat for beat in tx.heartbeats.all()}
    stands = standings(rotation, rows, heartbeats, now)
    measured = outages(values_of(rows))
    shown = [
        _client(row, stand, rotation, identities.get(row.identity_number), heartbeats)
        for row, stand in zip(rows, stands, strict=True)
    ]
    return RotationView(
        row=rotation,
        deployment=world.deployment,
        agent_time=now,
        clients=tuple(shown),
        counts=count(stands),
        gates=gates(facts_of(tx, rotation, rows), now),
        outage_p50=None if measured is None else measured.p50,
        outage_longest=None if measured is None else measured.longest,
    )


def standings(
    rotation: RotationRow, rows: Sequence[RotationClientRow], heartbeats: Mapping[int, Heartbeat], now: datetime
) -> list[ClientStanding]:
    """Tell where each client stands; the patience is that of its own heartbeats, and ends with the rotation."""
    at = now if rotation.ended_at is None else rotation.ended_at
    phase = Phase(rotation.phase)
    return [standing(value, phase, at, patience=patience(heartbeats.get(value.number))) for value in values_of(rows)]


def values_of(rows: Sequence[RotationClientRow]) -> list[RotationClient]:
    """The rows as `core.rotation` reads them."""
    return [
        RotationClient(
            number=row.identity_number,
            name=row.name,
            route=ReturnRoute(row.route),
            informed_at=row.informed_at,
            lost_at=row.lost_at,
            returned_at=row.returned_at,
            written_off=row.written_off,
        )
        for row in rows
    ]


def facts_of(tx: Transaction, rotation: RotationRow, rows: Sequence[RotationClientRow]) -> RotationFacts:
    """What the gates look at. The core serves one call at a time, so nothing is in flight beside a tick."""
    generations = {authority.generation for authority in tx.authorities.all()}
    return RotationFacts(
        phase=Phase(rotation.phase),
        clients=values_of(rows),
        is_staged=rotation.to_generation in generations,
        is_published=rotation.to_generation in tx.bundles.current().generations,
        proceed=rotation.proceed,
        is_serving=not Phase(rotation.phase).is_before_cutover,  # the cutover's own transaction made the certificate
        is_compromise=rotation.cause == "compromise",
        clock_doubt=is_doubted(tx),
    )


def _client(
    row: RotationClientRow,
    stand: ClientStanding,
    rotation: RotationRow,
    identity: Identity | None,
    heartbeats: Mapping[int, Heartbeat],
) -> ClientStandingView:
    beat = heartbeats.get(row.identity_number)
    since = {
        ClientStanding.CONNECTED: rotation.started_at,
        ClientStanding.INFORMED: row.informed_at,
        ClientStanding.LOST: row.lost_at,
        ClientStanding.RETURNED: row.returned_at,
        ClientStanding.STUCK: row.lost_at,
        ClientStanding.WRITTEN_OFF: rotation.phase_at,
    }[stand]
    return ClientStandingView(
        row=row,
        cluster="" if identity is None else identity.cluster,
        kind=ClientKind.OTHER if identity is None else identity.kind,
        owner="" if identity is None else identity.owner,
        standing=stand,
        since=since or rotation.started_at,
        last_error="" if beat is None else beat.last_error,
    )
