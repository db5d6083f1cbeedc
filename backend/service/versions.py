"""Versions of resources: who wrote last is found out by comparing, not by time.

A version is Unix time in nanoseconds as decimal text (moc/protocol.md 2.1), made to grow even within one second, since
the agent's clock counts whole seconds.
"""

from __future__ import annotations

from datetime import datetime

from backend.core.errors import OldVersion


def next_version(now: datetime, present: str = "") -> str:
    """Return the version of what is written now over a resource whose version is `present` ("" for a new one)."""
    fresh = int(now.timestamp()) * 10**9
    return str(max(fresh, int(present) + 1) if present.isdecimal() else fresh)


def check_version(sent: str, present: str, what: str) -> None:
    """Refuse a change that is based on another version than the present one; no version sent: the last one wins.

    Raises:
        OldVersion: somebody changed, made or deleted the resource in between.
    """
    if sent and sent != present:
        raise OldVersion(f"{what} was changed by somebody else since it was read; read it again and repeat the change")
