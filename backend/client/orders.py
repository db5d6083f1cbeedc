"""Orders of the agent: obeyed once each, and never faster than a person could mean them (pki.md, R34).

Owns which order is open and when the next may be taken up. Carrying one out is `backend.client.runner`'s work.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from backend.client.heartbeat import Order

MOST: Final = 6  # orders taken up ...
WITHIN_SECONDS: Final = 600.0  # ... in this time, monotonic


class OrderBook:
    """The open order, and a count of those before it."""

    def __init__(self, done: str) -> None:
        self._done = done
        self._taken_at: deque[float] = deque(maxlen=MOST)
        self.open: Order | None = None
        self.complaint = ""

    def hear(self, order: Order | None, monotonic: float) -> bool:
        """Tell whether an order of a heartbeat's answer is taken up; `complaint` says when one had to be put off."""
        self.complaint = ""
        if order is None:
            self.open = None  # the agent has withdrawn it, or counts it as done
            return False
        if order.token is not None:  # each answer brings another one, and only the last is the current token
            self.open = order
            return True
        if order.id == self._done or (self.open is not None and self.open.id == order.id):
            return False
        if len(self._taken_at) == MOST and monotonic - self._taken_at[0] < WITHIN_SECONDS:
            minutes = int(WITHIN_SECONDS // 60)
            self.complaint = f"the agent gave more than {MOST} orders in {minutes} minutes; this one has to wait"
            return False
        self._taken_at.append(monotonic)
        self.open = order
        return True

    def finish(self) -> str:
        """The open order is carried out; return its id for the next heartbeat."""
        if self.open is not None:
            self._done = self.open.id
            self.open = None
        return self._done
