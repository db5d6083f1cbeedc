"""The news that the fleet's change counter has moved, for whoever watches it."""

from __future__ import annotations

import asyncio


class Changed:
    """Wakes watchers when the counter passes what they have seen; lives on one event loop."""

    def __init__(self) -> None:
        self._counter = 0
        self._waiters: set[asyncio.Future[None]] = set()
        self.is_closed = False

    def publish(self, counter: int) -> None:
        """Take the counter of the last commit and wake everybody; each looks for itself."""
        self._counter = counter
        self._wake()

    def close(self) -> None:
        """Let every watch end: the agent is stopping."""
        self.is_closed = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_beyond(self, counter: int, *, timeout_seconds: float) -> None:
        """Return when the counter is past `counter`, when the time is over, or when the agent stops."""
        if self.is_closed or self._counter > counter:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, timeout_seconds)
        except TimeoutError:
            return
        finally:
            self._waiters.discard(waiter)
