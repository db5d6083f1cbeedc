"""The worker that listens to one agent: it applies what comes, notices when nothing comes, and tries again for ever.

It never blocks a key: it runs beside the screen, takes an answer in slices and calls back with what changed. Waiting is
the clock's, so that a test decides when time passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from backend.clock import Clock
from backend.core.errors import AgentError
from tui.gateway import Gateway, Unreachable
from tui.marks import ClientId
from tui.model import FleetModel
from tui.pacing import breathe
from tui.sitefleet import SiteFleet

BACKOFF: Final = (1.0, 2.0, 4.0, 8.0, 10.0)  # seconds between attempts; the last one repeats
SLICE: Final = 1000  # clients taken without a pause


async def watch_fleet(
    gateway: Gateway,
    model: FleetModel,
    site: SiteFleet,
    clock: Clock,
    *,
    changed: Callable[[frozenset[ClientId]], None],
    lost: Callable[[str], None],
) -> None:
    """Keep a site of `model` as its agent says, until cancelled; `lost` gets the sentence of each failed attempt."""
    failures = 0
    while True:
        touched: set[ClientId] = set()
        taken = 0
        try:
            # What comes from the cache is shown and never built upon: the agent tells all of it again.
            async for delta in gateway.watch(0 if site.is_cached else site.columns.change):
                touched |= model.take(site, delta, clock.monotonic())
                taken += len(delta.clients)
                if taken >= SLICE:
                    taken = 0
                    await breathe()
                if delta.last:
                    for _ in model.finish(site, clock.monotonic()):
                        await breathe()
                    failures = 0
                    changed(frozenset(touched))
                    touched = set()
            raise Unreachable("the agent ended the stream")
        except AgentError as error:
            site.abandon()
            site.agent.lost()
            lost(str(error))
        await clock.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])
        failures += 1
