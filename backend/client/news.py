"""What a running client's log says without being asked for more: its start, and every change, one line each.

A trouble that lasts is one line, however often it is tried again; the status beside the cloudconfig has the present.
"""

from __future__ import annotations

import logging

from backend.client.record import Status

log = logging.getLogger(__name__)

WORKING = "working"
AWAY = "agent away"


class News:
    """The log of one client's changes."""

    def __init__(self) -> None:
        self._state = ""
        self._identity = "unknown"
        self._said = ""

    def tell(self, status: Status, *, refused: bool) -> None:
        """Compare a status with the one before and say what changed; `refused`: the agent refuses its certificate."""
        before, state = self._state, "certificate refused" if refused else status.state
        self._state, self._identity = state, status.identity or "unknown"
        if not before:
            facts = {"identity": self._identity, "agent": status.agent or "unknown", "state": state}
            log.info("client started", extra={**facts, "next_step": _next_step(status)})
        elif state == before:
            return
        if state == WORKING:
            self._said = ""
            if before:
                event = "agent is back" if before == AWAY else WORKING
                log.info(event, extra={"identity": self._identity, "next_step": _next_step(status)})
        elif before or state != "signing in":
            log.warning(state, extra={"identity": self._identity, "why": status.last_error or status.next_step})

    def tell_failure(self, sentence: str, again_in_seconds: int) -> None:
        """Say why a try failed, unless the one before failed for the same reason."""
        if sentence != self._said:
            facts = {"identity": self._identity, "why": sentence, "again_in_seconds": again_in_seconds}
            log.warning("try failed", extra=facts)
        self._said = sentence


def _next_step(status: Status) -> str:
    when = "" if status.next_at is None else f", at {status.next_at:%Y-%m-%d %H:%M:%SZ}"
    return f"{status.next_step}{when}"
