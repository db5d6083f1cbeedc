"""Time left, as text: two units, whole ones, never rounded up.

Formatting only. What a number means for a client is `backend.core.health`'s to say.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from backend.core.lifecycle import Validity

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def countdown(left: timedelta) -> str:
    """Return `left` in two units: "57d 20h", "5h 51m", "18m 22s", "0m 41s"; past the end "-9m 40s AGO".

    Parts of a second count for nothing on either side: 59.9 s are "0m 59s", and so is an end 59.9 s ago.
    """
    if left < timedelta(0):
        return f"-{_two_units(-left // _SECOND)} AGO"
    return _two_units(left // _SECOND)


def long_countdown(left: timedelta) -> str:
    """Return `left` down to the second, for a detail view: "57d 20h 05m 12s", or "expired 3d 04h 00m 09s ago"."""
    if left < timedelta(0):
        return f"expired {_all_units(-left // _SECOND)} ago"
    return _all_units(left // _SECOND)


def remaining_share(validity: Validity, now: datetime) -> float:
    """Return the share of `validity` that is left at `now`: 1.0 until it begins, 0.0 from its end on."""
    return min(1.0, max(0.0, validity.left(now) / validity.lifetime))


def _two_units(seconds: int) -> str:
    if seconds >= _DAY:
        return f"{seconds // _DAY}d {seconds % _DAY // _HOUR:02d}h"
    if seconds >= _HOUR:
        return f"{seconds // _HOUR}h {seconds % _HOUR // _MINUTE:02d}m"
    return f"{seconds // _MINUTE}m {seconds % _MINUTE:02d}s"


def _all_units(seconds: int) -> str:
    days, rest = divmod(seconds, _DAY)
    text = f"{rest // _HOUR:02d}h {rest % _HOUR // _MINUTE:02d}m {rest % _MINUTE:02d}s"
    return f"{days}d {text}" if days else text
