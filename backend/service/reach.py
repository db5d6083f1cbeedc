"""What was last found at the places where login files go: a memory of this process, and never more than that.

The server looks (nothing here waits for a disk or a network) and notes; plans and descriptions read. What is older than
`LOOKED_FOR` is still shown, with its time, and no plan counts on it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from typing import Final

from backend.core.delivery import LOOKED_FOR, Place, ReachState, Route, Way, first_ready
from backend.core.model import Heartbeat, Identity
from backend.service.contact import is_living
from backend.service.delivery_file import DeliverySettings

CAPACITY: Final = 20_000  # as many as a fleet has clients with a place; the oldest look leaves first


class ReachBook:
    """The last look at each client's places."""

    def __init__(self) -> None:
        self._ways: OrderedDict[tuple[str, Place], Way] = OrderedDict()

    def note(self, identity_name: str, way: Way) -> None:
        """Keep what was found; `looked_at` of the way says when."""
        self._ways[identity_name, way.place] = way
        self._ways.move_to_end((identity_name, way.place))
        if len(self._ways) > CAPACITY:
            self._ways.popitem(last=False)

    def find(self, identity_name: str, place: Place) -> Way:
        """Return the last look, however old; one that says so where there was none."""
        return self._ways.get((identity_name, place)) or Way(place=place)

    def is_fresh(self, identity_name: str, place: Place, now: datetime) -> bool:
        """Tell whether the last look may still be counted on."""
        looked_at = self.find(identity_name, place).looked_at
        return looked_at is not None and abs(now - looked_at) <= LOOKED_FOR


def last_looks(settings: DeliverySettings, book: ReachBook, identity: Identity) -> tuple[Way, ...]:
    """Return a client's places, each with the last look at it, in order of preference."""
    return tuple(book.find(identity.name, place) for place in settings.places_of(identity))


def ways_now(settings: DeliverySettings, book: ReachBook, identity: Identity, now: datetime) -> tuple[Way, ...]:
    """Return a client's places as a plan may count on them: a look that is too old is none."""
    found = []
    for way in last_looks(settings, book, identity):
        is_old = way.looked_at is not None and not book.is_fresh(identity.name, way.place, now)
        found.append(replace(way, state=ReachState.UNKNOWN, sentence="not looked at lately") if is_old else way)
    return tuple(found)


def route_now(ways: tuple[Way, ...], heartbeat: Heartbeat | None, now: datetime) -> Route:
    """By which route a fresh login file would go: heartbeat, then Secret, then file, then by hand."""
    if is_living(heartbeat, now):
        return Route.HEARTBEAT
    way = first_ready(ways)
    return Route.MANUAL if way is None else way.place.route
