"""Delivery places on the wire."""

from __future__ import annotations

from backend.core.delivery import Way
from backend.wire.convert.instants import unix
from backend.wire.mocdeck.v1 import fleet_pb2


def delivery_place(way: Way) -> fleet_pb2.DeliveryPlace:
    """Return a place with the last look at it."""
    return fleet_pb2.DeliveryPlace(
        route=way.place.route.value,
        place=way.place.where,
        cluster=way.place.cluster,
        state=way.state.value,
        sentence=way.sentence,
        looked_at=unix(way.looked_at),
    )
