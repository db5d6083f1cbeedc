"""When to try again: full-jitter exponential, so that a fleet does not return in step (pki.md 5.8).

Owns the arithmetic and the count of failures; who waits, and for what, is the caller's matter. It never gives up.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

FIRST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(hours=1)
_DOUBLINGS: Final = 16  # more than three weeks from 30 s: above every cap, and far from timedelta's own end


def retry_cap(lifetime: timedelta | None) -> timedelta:
    """Return the longest wait for a credential of this lifetime: min(1 h, 1 % of life), and an hour without one."""
    return LONGEST if lifetime is None else min(LONGEST, lifetime / 100)


class Backoff:
    """Counts failures and answers each with a wait, uniform between zero and a limit that doubles up to a cap."""

    def __init__(self, rng: random.Random, *, first: timedelta = FIRST, cap: timedelta = LONGEST) -> None:
        self._rng = rng
        self._first = first
        self._cap = cap
        self._failures = 0

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._failures

    def limit(self) -> timedelta:
        """The longest that the next wait can be."""
        factor: int = 1 << min(self._failures, _DOUBLINGS)
        return min(self._cap, self._first * factor)

    def fail(self, *, cap: timedelta | None = None, at_least: timedelta = timedelta(0)) -> timedelta:
        """Count a failure and return how long to wait.

        `at_least` is the agent's own hint (Retry-After): the wait is that and the jittered part on top, since everybody
        was given the same hint.
        """
        if cap is not None:
            self._cap = cap
        wait = self.limit() * self._rng.random()
        self._failures += 1
        return at_least + wait

    def succeed(self) -> None:
        """Start over: the next failure waits the first time again."""
        self._failures = 0
