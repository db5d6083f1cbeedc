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
        self._said = ""

    def tell(self, status: Status, *, refused: bool) -> None:
        """Compare a status with the one before and say what changed; `refused`: the agent refuses its certificate."""
        before, state = self._state, "certificate refused" if refused else status.state
        self._state = state
        if not before:
            facts = {"identity": status.identity or "unknown", "agent": status.agent or "unknown"}
            log.info("client started", extra={**facts, "state": state, "next_step": status.next_step})
        elif state == before:
            return
        if state == WORKING:
            self._said = ""
            if before:
                log.info("agent is back" if before == AWAY else WORKING, extra={"next_step": status.next_step})
        elif before or state != "signing in":
            log.warning(state, extra={"why": status.last_error or status.next_step})

    def tell_failure(self, sentence: str, again_in_seconds: int) -> None:
        """Say why a try failed, unless the one before failed for the same reason."""
        if sentence != self._said:
            log.warning("try failed", extra={"why": sentence, "again_in_seconds": again_in_seconds})
        self._said = sentence
