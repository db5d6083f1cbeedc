"""The dashboard's session: one model, one tick, one gate, one way out.

Owns the session (mode, notice, clock) and the workers; what is drawn is the screens' work, what a command means is its
handler's. It never waits for the agent: every call is a worker, and its refusal becomes one calm line.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from textual.app import App
from textual.binding import Binding
from textual.worker import Worker

from backend.clock import Clock
from backend.core.errors import AgentError
from tui import glyphs, palette, safety
from tui.accessible import changed, chosen_line, sentence
from tui.clipboard import copy
from tui.commands import BY_ID, Command, Needs
from tui.format import span
from tui.gate import Situation, refusal
from tui.gateway import Gateway
from tui.link_options import LinkOptions
from tui.looks import Looks
from tui.marks import site_of
from tui.memory import Memory
from tui.messages import FleetChanged, LinkChanged, Ticked
from tui.outbox import Outbox
from tui.replaying import ReplayClock
from tui.screens.deck import DeckScreen
from tui.settings import Settings
from tui.sites import Site, SitesApp
from tui.snapshots import Snapshots
from tui.theme import DAY, NIGHT

HOLD_SECONDS: Final = 2.0  # the order stands still for so long after the cursor moved
NOTICE_SECONDS: Final = 12.0
IDLE_LIMIT: Final = timedelta(minutes=30)  # then a `:write` lapses
FILTER_TICKS: Final = 10  # seconds after which a filter looks again at what time has changed
ALERT_TICKS: Final = 15  # seconds after which alerts and sinks are asked for when nothing else has changed
BURST_SECONDS: Final = 0.05
BURST_KEYS: Final = 3  # more keys than this within 50 ms were pasted, not typed

T = TypeVar("T")


class DeckApp(SitesApp):
    """The fleet of one or more agents on one terminal; `tui.app.MocdeckApp` adds what its commands do."""

    CSS_PATH = "theme.tcss"
    TITLE = "mocdeck"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+c", "hint_quit", "quit hint", show=False, system=True, priority=True),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True),
    ]

    def __init__(
        self,
        gateway: Gateway | Sequence[Gateway],
        clock: Clock,
        *,
        write: bool,
        ascii_only: bool,
        state_dir: Path,
        simulated: bool = False,
        site_tag: str = "",
        colour: bool | None = None,
        true_colour: bool | None = None,
        theme: str = "",
        settings: Settings | None = None,
        memory: Memory | None = None,
        options: LinkOptions | None = None,
        snapshots: Snapshots | None = None,
    ) -> None:
        # Read before Textual does, which takes NO_COLOR out of the environment.
        coloured = not os.environ.get("NO_COLOR") if colour is None else colour
        rich = os.environ.get("COLORTERM", "") in {"truecolor", "24bit"} if true_colour is None else true_colour
        gateways = gateway if isinstance(gateway, Sequence) else (gateway,)
        super().__init__(
            gateways,
            clock,
            state_dir,
            options or LinkOptions(),
            snapshots=snapshots or Snapshots(None),
            ansi_color=True if not coloured else None,
        )
        self.palette = palette.DARK
        self.glyphs = glyphs.choose(ascii_only=ascii_only, accessible=self.options.accessible)
        self.settings = settings or Settings()
        self.keymap = self.settings.keymap
        self.looks = Looks(
            self,
            memory or Memory(None),
            fixed=theme or self.settings.theme,
            fitting=palette.fitting(colour=coloured, true_colour=rich),
            colourless=not coloured,
        )
        self._tag = site_tag
        self.write_mode = write
        self.write_reason = ""
        self.paused_at: float | None = None  # monotonic
        self.outbox = Outbox(self)
        self.replay = clock if isinstance(clock, ReplayClock) else None
        self.notice_text = ""
        self.notice_role = "dim"
        self._simulated = simulated
        self._notice_at = 0.0
        self._hold_until = 0.0
        self._ticks = 0
        self.last_key_at = clock.monotonic()  # when a key last came
        self._write_lapses = False
        self._quit_asked_at = -10.0
        self._key_times: deque[float] = deque(maxlen=BURST_KEYS + 1)
        self._filters = [f for f in self._filters if coloured or type(f).__name__ not in {"NoColor", "Monochrome"}]
        self.register_theme(NIGHT)
        self.register_theme(DAY)
        self.looks.use_theme(self.looks.theme)
        self.set_keymap(self.keymap.bindings)
        self.animation_level = "none"

    # Life

    def get_default_screen(self) -> DeckScreen:
        """Return the home screen."""
        from tui.screens.fleet import FleetScreen

        return FleetScreen()

    def on_mount(self) -> None:
        """Start listening and ticking."""
        self.watch_for_the_end()
        self.app_resume_signal.subscribe(self, self._resumed)
        self.looks.restore()
        if self.settings.problems:
            from tui.screens.problems import ProblemsDialog

            self.push_screen(ProblemsDialog(self.settings.problems))
        self._restore()
        self._listen()
        self.follow_link()
        self.set_interval(1.0, self.tick)

    async def on_unmount(self) -> None:
        """Let go of the agents."""
        await self._let_go()

    def _link_is_down(self, site: Site) -> None:
        self.outbox.drop("the agent went away", site.fleet.place)

    @property
    def _is_shown(self) -> bool:
        """Tell whether there is a screen to draw on; on the way out there is none."""
        return self._running and bool(self.screen_stack)

    def redraw(self) -> None:
        """Draw the dashboard's topmost screen, if there is one and somebody looks."""
        if self._is_shown and self.app_focus:
            self.deck.draw()

    def on_app_focus(self) -> None:
        """Catch up with what happened while nobody looked."""
        self.tick()

    def _tell(self, message: FleetChanged | LinkChanged | Ticked) -> None:
        if self.looked_at is not None and isinstance(message, FleetChanged):
            if message.touched:
                self.notice(changed(len(message.touched)))
            return
        if self._is_shown and (self.app_focus or isinstance(message, Ticked)):
            if self.options.accessible and self.looked_at is None and self.model.complete:
                self.looked_at = self.clock.monotonic()
            self.deck.draw()
            if self.screen is not self.deck:
                self.screen.post_message(message)

    def speak(self) -> None:
        """Show the present second where nothing moves by itself, and say the row that is chosen."""
        self.looked_at = self.clock.monotonic()
        self.model.tick(self.looked_at)
        number = self.deck.current_number
        client = None if number is None else self.model.find(number)
        now = None if client is None else self.model.now_of(client.id, self.looked_at)
        self.notice(chosen_line(self.screen) if client is None or now is None else sentence(client, now))

    # Time

    @property
    def shown_at(self) -> float:
        """The monotonic instant that is shown: it stands still while paused, and where nothing moves by itself."""
        still = self.paused_at if self.paused_at is not None else self.looked_at
        return self.clock.monotonic() if still is None else still

    @property
    def now(self) -> datetime | None:
        """The current site's agent's time as shown, or another's while that was never heard; None before any."""
        moment = self.shown_at
        times = (fleet.agent.now(moment) for fleet in (self.model.current, *self.model.sites))
        return next((time for time in times if time is not None), None)

    def tick(self) -> None:
        """Show the present second: judge, reorder if something moved, write what changed."""
        self._ticks += 1
        self.outbox.send_due()
        if not self._is_shown:
            return
        monotonic = self.clock.monotonic()
        self._lapse(monotonic)
        if not self.is_tick_due(self._ticks):
            return
        if not self._ticks % ALERT_TICKS:
            for site in self.sites:
                site.feed_wanted |= not site.failure  # a sink that fails changes no client
            self.refresh_feed()
        if self.paused_at is None:
            self.model.tick(monotonic)
            if not self._is_held():
                if self.model.needs_reorder:
                    self.model.reorder(monotonic)
                elif self._ticks % FILTER_TICKS == 0 and self.model.filter_ages():
                    self.model.age_filter(monotonic)
        self._tell(Ticked())

    def _is_held(self) -> bool:
        return self.looked_at is not None or self.clock.monotonic() < self._hold_until

    def hold_order(self) -> None:
        """Keep the order for two seconds: the cursor has moved."""
        self._hold_until = self.clock.monotonic() + HOLD_SECONDS

    def _lapse(self, monotonic: float) -> None:
        if self.notice_text and not self.options.accessible and monotonic - self._notice_at > NOTICE_SECONDS:
            self.notice_text = ""
        if self._write_lapses and monotonic - self.last_key_at > IDLE_LIMIT.total_seconds():
            self.set_write_mode(on=False)
            self.notice("write mode has lapsed after 30 minutes without a key", "warning")

    def _resumed(self, _app: App[Any]) -> None:
        self.refresh(layout=True)
        self.tick()

    # Commands

    @property
    def deck(self) -> DeckScreen:
        """The topmost screen of the dashboard's own kind, below any dialog."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, DeckScreen))

    def selected_numbers(self) -> tuple[int, ...]:
        """The marked clients, else the one that the screen is about."""
        if self.model.marked:
            return self.model.marked
        number = self.deck.current_number
        return () if number is None else (number,)

    def selected_names(self) -> list[str]:
        """The names of the selected clients, in the list's order."""
        found = (self.model.find(number) for number in self.selected_numbers())
        return [client.row.name for client in found if client is not None]

    def tag_of(self, site: Site) -> str:
        """Return the word that stands beside a site, such as PROD; "" for none."""
        return site.gateway.connection.tag or self._tag

    @property
    def site_tag(self) -> str:
        """The current site's."""
        return self.tag_of(self.current_site)

    @property
    def tags(self) -> str:
        """What the header says of tags: the site's, or with several sites which of them are tagged."""
        if len(self.sites) == 1:
            return self.site_tag
        tagged = [f"{site.name} {tag}" for site in self.sites if (tag := self.tag_of(site))]
        return ", ".join(tagged[:2]) + (f", {len(tagged) - 2} more" if len(tagged) > 2 else "")

    def selected_sites(self) -> list[Site]:
        """The sites of the selected clients; the current one when nothing is selected."""
        places = self.model.marks.sites()
        number = self.deck.current_number
        if not places and number is not None:
            places = {site_of(number)}
        return [self.sites[place] for place in sorted(places or {self.model.current.place})]

    def situation(self) -> Situation:
        """Return what the gate judges by."""
        monotonic = self.clock.monotonic()
        sites = self.selected_sites()
        agent = sites[0].fleet.agent
        number = self.deck.current_number
        one = next(iter(self.model.marks), number) if len(self.model.marks) <= 1 else None
        now = None if one is None else self.model.now_of(one, self.shown_at)
        return Situation(
            write_mode=self.write_mode,
            away="" if agent.is_alive(monotonic) else span(agent.away_for(monotonic)),
            site=sites[0].name if len(self.sites) > 1 else "",
            selected=len(self.model.marks) or (number is not None),
            selected_sites=tuple(site.name for site in sites),
            has_row=number is not None,
            verdicts={} if one is None or now is None else self.model.verdicts(one, now),
            is_replay=self.replay is not None,
        )

    def refusal(self, command: Command) -> str | None:
        """Return why a command may not run now, or None."""
        return refusal(command, self.situation()) or self.deck.refusal(command)

    def action_run_command(self, command_id: str) -> None:
        """Run a command by its id; the gate first."""
        self.run_command(BY_ID[command_id])

    def run_command(self, command: Command, argument: str = "") -> None:
        """Run a command if the gate lets it; say why if not. `argument` is for those that take one."""
        if command.mutates and self._is_burst():
            self.notice(f"{command.label}: ignored, keys came faster than anyone types; press it again", "warning")
            return
        reason = self.refusal(command)
        if reason is not None:
            self.notice(reason, "warning")
            return
        if command.needs is not Needs.NOTHING or command.mutates:
            self.notice_text = ""
        handler = getattr(self.deck, f"cmd_{command.id}", None) or getattr(self, f"cmd_{command.id}", None)
        if handler is not None:
            handler(*([argument] if command.argument else []))
        self.deck.draw()

    def note_key(self, at: float) -> None:
        """Remember when a key came, to tell typing from pasting and a present operator from an absent one."""
        self._key_times.append(at)
        self.last_key_at = self.clock.monotonic()

    def _is_burst(self) -> bool:
        times = self._key_times
        return len(times) > BURST_KEYS and times[-1] - times[0] < BURST_SECONDS

    def action_hint_quit(self) -> None:
        """Copy what is selected with ctrl+c; otherwise say how to leave, and leave when it is pressed twice."""
        selected = self.screen.get_selected_text()
        if selected:
            self.notice(copy(self, selected))
        elif self.asked_to_quit(1.0):
            self.exit(0)
        else:
            self.notice("q quits")

    def asked_to_quit(self, within: float = 3.0) -> bool:
        """Tell whether leaving was asked for so many seconds ago or less; this asks for it as well."""
        before, self._quit_asked_at = self._quit_asked_at, self.clock.monotonic()
        return 0 < self._quit_asked_at - before <= within

    def set_write_mode(self, *, on: bool, reason: str = "") -> None:
        """Switch changes on or off for this session; one that was switched on here lapses when nobody types."""
        self.write_mode = on
        self.write_reason = reason if on else ""
        self._write_lapses = on
        self.last_key_at = self.clock.monotonic()
        self.deck.draw()

    def moved_in_time(self) -> None:
        """Catch up after a jump in a recording: nothing that waits for a second may wait for one that is past."""
        self._hold_until = 0.0
        self._notice_at = self.clock.monotonic()
        for screen in self.screen_stack:
            if isinstance(screen, DeckScreen):
                screen.forget_changes()
        for site in self.sites:
            site.feed_wanted = True
        self.tick()

    # What the operator is told

    def notice(self, text: str, role: str = "accent") -> None:
        """Show one line until the next one, or for twelve seconds."""
        self.notice_text = text
        self.notice_role = role
        self._notice_at = self.clock.monotonic()
        self.redraw()

    def tell_link(self, sentence: str) -> None:
        self.notice(sentence)

    @property
    def look(self) -> str:
        return self.looks.theme

    def use_look(self, name: str) -> None:
        self.looks.use_theme(name)

    def toast_result(self, text: str) -> None:
        """Tell how the operator's own action ended."""
        for site in self.sites:
            site.feed_wanted = True
        self.refresh_feed()
        self.notice(text, "title")

    # Calls to the agent

    def run_agent_call(self, call: Coroutine[Any, Any, T], *, what: str, then: Callable[[T], None]) -> Worker[None]:
        """Run a call beside the screen; a refusal becomes one line that begins with `what`."""

        async def work() -> None:
            try:
                result = await call
            except AgentError as error:
                self.notice(f"{what}: {error}", "error")
                return
            except Exception as error:  # the worker's edge: a fault must not end the screen
                self.notice(f"{what}: {safety.crash_line(error, self.state_dir, self.clock.now())}", "error")
                return
            then(result)

        return self.run_worker(work(), group="agent", exit_on_error=False, name=what)

    @property
    def simulated(self) -> bool:
        """Tell whether this is a demo fleet."""
        return self._simulated or any(site.columns.simulated for site in self.model.sites)

    async def settled(self) -> None:
        """Wait until no call to the agent runs and no message is queued."""
        quiet = 0
        while quiet < 3 and self.is_running and not self.crash_text:
            calls = [w for w in self.workers if w.group in {"agent", "feed", "work"} and not w.is_finished]
            if calls:
                await self.workers.wait_for_complete(calls)
            await asyncio.sleep(0)
            nodes = [self, *self.screen.walk_children(with_self=True)]
            is_reading = any(site.is_reading for site in self.model.sites)
            quiet = 0 if calls or is_reading or any(node.message_queue_size for node in nodes) else quiet + 1
