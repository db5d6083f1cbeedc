"""How a client can be reached: whether its heartbeat lives, and what the ways of a fresh login file are called."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from backend.core.limits import HEARTBEAT, STALE_INTERVALS
from backend.core.model import Heartbeat

BY_HEARTBEAT: Final = "heartbeat"
BY_FILE: Final = "file"
BY_SECRET: Final = "kubernetes"  # noqa: S105 - a route
BY_HAND: Final = "manual"

_PATIENCE: Final = timedelta(seconds=120)  # no answer for this long, and for three heartbeats, is no answer
_PATIENCE_INTERVALS: Final = 3
_ABSENCE_INTERVALS: Final = 5  # a client that found nobody waits up to four heartbeats before it tries again


def is_living(heartbeat: Heartbeat | None, now: datetime) -> bool:
    """Tell whether a client reports: its last heartbeat is at most two of its intervals old."""
    return heartbeat is not None and now - heartbeat.heard_at <= STALE_INTERVALS * interval_of(heartbeat)


def is_unheard_yet(heartbeat: Heartbeat | None, listening_since: datetime | None, now: datetime) -> bool:
    """Tell whether a client's silence says nothing so far.

    The agent was away when the client should have reported, and has not listened for long enough since it is back.
    """
    if heartbeat is None or listening_since is None or heartbeat.heard_at >= listening_since:
        return False
    return now - listening_since <= _ABSENCE_INTERVALS * interval_of(heartbeat)


def interval_of(heartbeat: Heartbeat) -> timedelta:
    """What the client said is the time between its heartbeats; the default when it said nothing."""
    return heartbeat.interval if heartbeat.interval > timedelta(0) else HEARTBEAT


def patience(heartbeat: Heartbeat | None) -> timedelta:
    """How long an order waits for an answer: three of the client's heartbeats, and two minutes at least."""
    if heartbeat is None:
        return _PATIENCE
    return max(_PATIENCE, _PATIENCE_INTERVALS * interval_of(heartbeat))
