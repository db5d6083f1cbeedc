"""The agent's clock as this screen knows it: its last word plus local monotonic time, never the local wall clock.

A laptop whose clock is wrong must not lie about a countdown (architecture.md, decision 11). It also says how long the
agent has been silent, by the same monotonic clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

SILENCE = timedelta(seconds=20)  # the agent gives a sign of life every few seconds; four missing ones are silence
_JUMP: Final = 5.0  # seconds by which the agent's clock must disagree before it counts as set anew


class AgentClock:
    """Reckons the agent's time from what it said last; unset until it has said something, silent since its birth."""

    def __init__(self, monotonic: float) -> None:
        self._offset: float | None = None  # agent's Unix time less our monotonic time
        self._heard_at = monotonic
        self._lost = True
        self._is_assumed = False  # the time is from a snapshot that was kept

    def assume(self, agent_time: datetime, age: timedelta, monotonic: float) -> None:
        """Reckon from what the agent said `age` ago, to an earlier session; it counts as away until it is heard."""
        if self._offset is not None:
            return
        self._offset = agent_time.timestamp() + age.total_seconds() - monotonic
        self._heard_at = monotonic - age.total_seconds()
        self._is_assumed = True

    def heard(self, agent_time: datetime, monotonic: float) -> None:
        """Take the agent's word for the time.

        A message that was long under way makes the agent's clock look late, so the latest estimate stands, which is
        never too generous; only a disagreement of more than five seconds says that the clock was set.
        """
        offset = agent_time.timestamp() - monotonic
        is_first = self._offset is None or self._is_assumed
        if is_first or self._offset is None or offset > self._offset or self._offset - offset > _JUMP:
            self._offset = offset
            self._is_assumed = False
        self._heard_at = monotonic
        self._lost = False

    def lost(self) -> None:
        """Note that the agent does not answer; it has been away since it was last heard."""
        self._lost = True

    def now(self, monotonic: float) -> datetime | None:
        """Return the agent's time, whole seconds; None while it was never heard."""
        if self._offset is None:
            return None
        return datetime.fromtimestamp(int(self._offset + monotonic + 1e-6), UTC)

    def age(self, monotonic: float) -> timedelta:
        """Return how old the newest word is."""
        return timedelta(seconds=max(0.0, monotonic - self._heard_at))

    def is_alive(self, monotonic: float) -> bool:
        """Tell whether the agent answers: it was heard, not lost since, and not silent for too long."""
        return self._offset is not None and not self._lost and self.age(monotonic) <= SILENCE

    def away_for(self, monotonic: float) -> timedelta:
        """Return for how long nothing has been heard; zero while the agent answers."""
        return timedelta(0) if self.is_alive(monotonic) else self.age(monotonic)
