"""What names a client on the whole screen, and the set of those that the operator marked.

Pure. A client's id is its site's place among the sites and its identity number in one integer, so that cursor, marks
and filter need no second look-up and two sites may use the same numbers. Of the only site the id is the number.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final, Self, TypeAlias

ClientId: TypeAlias = int
_NUMBER_BITS: Final = 48
_NUMBER: Final = (1 << _NUMBER_BITS) - 1


def client_id(site: int, number: int) -> ClientId:
    """Return the id of an identity number of the site with that place."""
    return site << _NUMBER_BITS | number


def site_of(client: ClientId) -> int:
    """Return the place of a client's site among the sites."""
    return client >> _NUMBER_BITS


def number_of(client: ClientId) -> int:
    """Return a client's identity number at its site."""
    return client & _NUMBER


class MarkedSet(set[ClientId]):
    """The marked clients. Marks survive filter, order, reconnection and size; only a client that is gone loses its own.

    `version` grows with every change.
    """

    def __init__(self) -> None:
        super().__init__()
        self.version = 0

    def __ior__(self, other: Set[ClientId]) -> Self:  # type: ignore[override,misc]
        self.version += 1
        return super().__ior__(other)

    def __ixor__(self, other: Set[ClientId]) -> Self:  # type: ignore[override,misc]
        self.version += 1
        return super().__ixor__(other)

    def __isub__(self, other: Set[ClientId]) -> Self:  # type: ignore[override,misc]
        self.version += 1
        return super().__isub__(other)

    def clear(self) -> None:
        """Take every mark away."""
        self.version += 1
        super().clear()

    def sites(self) -> set[int]:
        """Return the places of the sites that have a marked client."""
        return {client >> _NUMBER_BITS for client in self}
