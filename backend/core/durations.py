"""Durations as people type them: "14d", "36h", "1d12h". The command line and the dashboard read them alike."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART: Final = re.compile(r"([0-9]{1,9})([wdhms])")
_WHOLE: Final = re.compile(r"([0-9]{1,9}[wdhms])+")


def parse_duration(text: str) -> timedelta:
    """Return the duration of "14d", "36h", "1d12h" or "90s".

    Raises:
        ValueError: it is none of these.
    """
    compact = text.strip().lower().replace(" ", "")
    if not _WHOLE.fullmatch(compact):
        raise ValueError(f"{text!r} is no duration; write it as 14d, 36h, 1d12h or 90s")
    try:
        return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(compact)))
    except OverflowError:
        raise ValueError(f"{text!r} is longer than can be counted") from None
