"""Instants and spans on the wire: Unix seconds, where 0 (and for optional values nothing else) means "none"."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from backend.core.errors import InvalidInput

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)
LATEST: Final = (
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - EPOCH
) // SECOND  # RFC 5280 4.1.2.5: the last there is


def seconds(at: datetime | None) -> int:
    """Unix seconds of `at`, 0 for None; a fraction of a second is cut off."""
    return 0 if at is None else (at - EPOCH) // SECOND


def instant(number: int, what: str = "instant") -> datetime | None:
    """The instant of `number` Unix seconds, None for 0.

    Raises:
        InvalidInput: it lies outside the years 1 to 9999.
    """
    if number == 0:
        return None
    try:
        return EPOCH + timedelta(seconds=number)
    except OverflowError:
        raise InvalidInput(f"{what} is {number}; Unix seconds up to {LATEST} are understood") from None


def known_instant(number: int, what: str) -> datetime:
    """As `instant`, for a field that must be there.

    Raises:
        InvalidInput: it is 0 or out of range.
    """
    at = instant(number, what)
    if at is None:
        raise InvalidInput(f"{what} is missing")
    return at
