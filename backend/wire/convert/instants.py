"""Instants and spans on the wire: Unix seconds, where 0 means "none"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from backend.core.delta import instant, unix
from backend.core.errors import InvalidInput

__all__ = ["DAY", "SECOND", "instant", "known_instant", "unix"]

SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)


def known_instant(number: int, what: str) -> datetime:
    """The instant of `number` Unix seconds, for a field that must be there.

    Raises:
        InvalidInput: it is 0, negative or beyond the year 9999.
    """
    at = instant(number)
    if at is None:
        raise InvalidInput(f"{what} is missing")
    return at
