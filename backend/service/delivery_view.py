"""Where login files could go and which are owed: what `mocdeck delivery` shows. Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.delivery import Route, Way
from backend.core.model import Identity
from backend.service.reach import last_looks, route_now, ways_now
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWays:
    """One client, the route that a login file would take to it now, and its places with the last look at each."""

    identity: Identity
    route: Route
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOverview:
    """Clients by name; owed deliveries, oldest first, with the name of their client."""

    clients: tuple[ClientWays, ...]
    owed: tuple[tuple[str, Delivery], ...]


def overview(tx: Transaction, world: World, names: Sequence[str] = ()) -> DeliveryOverview:
    """Return the clients named, or all that have a place; and what is owed to them.

    Raises:
        NotFound: a client that is named is not there.
    """
    now = world.clock.now()
    chosen = [tx.identities.get(name) for name in dict.fromkeys(names)] if names else tx.identities.all()
    beats = {beat.identity_number: beat for beat in tx.heartbeats.all([identity.number for identity in chosen])}
    clients = []
    for identity in chosen:
        ways = last_looks(world.delivery, world.reach, identity)
        if (ways and identity.revoked_at is None) or names:
            usable = ways_now(world.delivery, world.reach, identity, now)
            route = route_now(usable, beats.get(identity.number), now)
            clients.append(ClientWays(identity=identity, route=route, ways=ways))
    by_number = {identity.number: identity.name for identity in chosen}
    owed = [
        (by_number[delivery.identity_number], delivery)
        for delivery in tx.orders.open_deliveries()
        if delivery.identity_number in by_number
    ]
    return DeliveryOverview(clients=tuple(clients), owed=tuple(owed))
