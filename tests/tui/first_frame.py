"""A program: shows a fleet of so many clients without a terminal and prints the CPU seconds until its rows are drawn.

They count from the start of the interpreter, less those that making the fleet took. Run: `python first_frame.py SIZE`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from backend.clock import ManualClock
from backend.core.fleet import FleetDelta
from tests.tui.large_fleet import large_fleet
from tests.tui.staged_agent import NOW, StagedAgent
from tui.app import MocdeckApp


class LargeAgent(StagedAgent):
    """A staged agent of that many clients, sent in chunks; `spent` is what making them took."""

    def __init__(self, size: int) -> None:
        super().__init__([])
        self.size, self.spent = size, 0.0

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        chunks = large_fleet(self.size)
        while not since:
            began = time.process_time()
            chunk = next(chunks, None)
            self.spent += time.process_time() - began
            if chunk is None:
                break
            yield chunk
        while True:
            item = await self.queue.get()
            if isinstance(item, Exception):
                raise item
            yield item


async def wait_for_rows(app: MocdeckApp, size: int) -> None:
    """Wait until the list has all its rows and they are drawn."""
    while not (app.model.complete and len(app.model.order) == size):  # noqa: ASYNC110 - each turn is what is looked at
        await asyncio.sleep(0)
    await app.settled()


async def first_frame(size: int) -> float:
    """Return the CPU seconds of this process until the rows of that many clients are drawn."""
    agent = LargeAgent(size)
    app = MocdeckApp(agent, ManualClock(NOW), write=False, ascii_only=True, state_dir=Path("/nonexistent"))
    async with app.run_test(size=(140, 40)):
        await wait_for_rows(app, size)
        return time.process_time() - agent.spent


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(first_frame(int(sys.argv[1]))):.3f}\n")
