"""The dashboard on the staged agent, driven by hand: keys and seconds come when they are told to.

Nothing here waits for real time; the clock of app and agent is one `ManualClock`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot

from backend.clock import Clock, ManualClock
from scripts.stage.agent import StagedAgent
from scripts.stage.fleet import NOW, SEEDS, Seed
from tui.app import MocdeckApp
from tui.holding import HOLD_SECONDS
from tui.lines import line_text
from tui.recording import record
from tui.widgets.fleet_table import FleetTable
from tui.widgets.lines import Lines

KEYS = {"\t": "tab", "-": "minus", " ": "space", ".": "full_stop", "\n": "enter", "/": "slash"}
CHARACTERS = {name: character for character, name in KEYS.items() if character.isprintable()}
ROUNDS = 8  # of an empty queue, until nothing more is expected: a screen is mounted by tasks, not by messages alone


@dataclass(kw_only=True)
class Stage:
    """App, agent and clock, and how to move them."""

    app: MocdeckApp
    agent: StagedAgent
    others: Sequence[StagedAgent] = ()
    clock: ManualClock
    pilot: Pilot[int]

    async def settle(self) -> None:
        """Let everything that was caused come to an end."""
        for _ in range(ROUNDS):
            await self.app.settled()
            await asyncio.sleep(0)

    async def seconds(self, number: int = 1, *, heard: bool = True) -> None:
        """Let seconds pass, one tick each; `heard`: the agent gives its sign of life."""
        for _ in range(number):
            self.clock.advance(timedelta(seconds=1))
            for agent in (self.agent, *self.others):
                if heard and agent.reachable:
                    agent.beat()
            await self.settle()
            self.app.tick()
            await self.settle()

    async def press(self, *keys: str, gap: float = 0.5) -> None:
        """Press keys as a person does, with `gap` seconds before each; 0: a burst."""
        for key in keys:
            self.clock.advance(timedelta(seconds=gap))
            character = CHARACTERS.get(key, key if len(key) == 1 else None)
            event = events.Key(KEYS.get(key, key), character)
            event.time = self.clock.monotonic()  # the guard against pasted keys goes by it
            self.app.post_message(event)
            await self.settle()

    async def confirm(self) -> None:
        """Press `y` and let the ten seconds pass in which it could be undone."""
        await self.press("y")
        await self.seconds(int(HOLD_SECONDS))

    async def type(self, text: str, gap: float = 0.1) -> None:
        """Type a text, key by key."""
        await self.press(*text, gap=gap)

    async def choose(self, *names: str) -> None:
        """Mark clients, or put the cursor on the one that is named."""
        clients = [self.app.model.find_named(name) for name in names]
        numbers = [client.id for client in clients if client is not None]
        if len(numbers) != len(names):
            raise LookupError(f"not all of {names} are on the screen")
        if len(numbers) > 1:
            self.app.model.marks = set(numbers)
        else:
            self.app.screen.query_one("#table", FleetTable).select(numbers[0])
        await self.settle()
        self.app.tick()
        await self.settle()

    @property
    def text(self) -> str:
        """What the topmost screen shows, as text."""
        shown: list[str] = []
        for widget in self.app.screen.query(Lines):
            shown.extend(line_text(line) for line in widget.lines)
        return "\n".join(shown)


@asynccontextmanager
async def stage(
    size: tuple[int, int] = (80, 24),
    *,
    seeds: Sequence[Seed] = SEEDS,
    write: bool = True,
    ascii_only: bool = True,
    site_tag: str = "",
    state_dir: Path = Path("login-files"),
    record_to: Path | None = None,
    others: Callable[[Clock], Sequence[StagedAgent]] = lambda clock: (),
    **options: Any,
) -> AsyncIterator[Stage]:
    """Run the dashboard on a staged fleet at `NOW`, with its first frame complete; `others` makes more sites."""
    clock = ManualClock(NOW)
    agent = StagedAgent(clock, seeds, state_dir=state_dir)
    agents = [agent, *others(clock)]
    app = MocdeckApp(
        agents if record_to is None else record(agents, record_to, clock, simulated=True, site_tag=site_tag),
        clock,
        write=write,
        ascii_only=ascii_only,
        state_dir=state_dir,
        site_tag=site_tag,
        **{"colour": True, "true_colour": True, **options},
    )
    async with app.run_test(size=size) as pilot:
        made = Stage(app=app, agent=agent, others=agents[1:], clock=clock, pilot=pilot)
        await made.settle()
        app.tick()
        await made.settle()
        yield made
        await made.settle()
