"""How each client would come back from a CA rotation: `core.blast` asked with the facts that the screen shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from backend.core.blast import WayBack, after_compromise, way_back
from backend.core.delivery import first_ready
from backend.core.model import Identity
from backend.service.contact import is_living
from backend.service.fleet import columns_of
from backend.service.reach import ways_now
from backend.service.world import World
from backend.store.port import Transaction


def ways_back(
    tx: Transaction, world: World, identities: Iterable[Identity], now: datetime, *, is_compromise: bool = False
) -> Mapping[int, WayBack]:
    """Return the way back of each of these identities, by number."""
    chosen = list(identities)
    numbers = [identity.number for identity in chosen]
    columns = columns_of(tx, world, numbers)
    heartbeats = {beat.identity_number: beat for beat in tx.heartbeats.all(numbers)}
    found = {}
    for identity in chosen:
        index = columns.index_of(identity.number)
        if index is None:
            continue
        place = place_text(world, identity, now)
        way = way_back(
            columns.facts(index, now=now, agent_alive=True, agent_now=now),
            now,
            heartbeat_alive=is_living(heartbeats.get(identity.number), now),
            place=place,
        )
        found[identity.number] = after_compromise(way, place) if is_compromise else way
    return found


def place_text(world: World, identity: Identity, now: datetime) -> str:
    """Where the agent could put this client's login file now, in words; "" where somebody must carry it."""
    way = first_ready(ways_now(world.delivery, world.reach, identity, now))
    return "" if way is None else str(way.place)
