"""The worker that listens to the agent: it applies what comes, notices when nothing comes, and tries again for ever.

It never blocks a key: it runs beside the screen and only calls back with what changed. Waiting is the clock's, so that
a test decides when time passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from backend.clock import Clock
from backend.core.errors import AgentError
from backend.core.fleet import FleetDelta
from tui.gateway import Gateway, Unreachable
from tui.model import FleetModel

BACKOFF: Final = (1.0, 2.0, 4.0, 8.0, 10.0)  # seconds between attempts; the last one repeats


async def watch_fleet(
    gateway: Gateway,
    model: FleetModel,
    clock: Clock,
    *,
    changed: Callable[[frozenset[int]], None],
    lost: Callable[[str], None],
) -> None:
    """Keep `model` as the agent says, until cancelled; `lost` gets the sentence of each failed attempt."""
    failures = 0
    while True:
        pending: list[FleetDelta] = []
        try:
            async for delta in gateway.watch(model.columns.change):
                pending.append(delta)
                if delta.last:
                    touched = model.apply(pending, clock.monotonic())
                    pending = []
                    failures = 0
                    changed(touched)
            raise Unreachable("the agent ended the stream")
        except AgentError as error:
            model.agent.lost()
            lost(str(error))
        await clock.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])
        failures += 1
