"""The dashboard's session: one model, one tick, one gate, one way out.

Owns the session (mode, notice, clock) and the workers; what is drawn is the screens' work, what a command means is its
handler's. It never waits for the agent: every call is a worker, and its refusal becomes one calm line.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from textual.app import App
from textual.binding import Binding
from textual.worker import Worker

from backend.clock import Clock
from backend.core.errors import AccessDenied, AgentError
from tui import glyphs, palette, safety
from tui.commands import BY_ID, Command, Needs
from tui.format import span
from tui.gate import Situation, refusal
from tui.gateway import AlertsView, EventView, Gateway, OperationView
from tui.looks import Looks
from tui.memory import Memory
from tui.messages import FleetChanged, LinkChanged, Ticked
from tui.model import FleetModel
from tui.outbox import Outbox
from tui.replaying import ReplayClock
from tui.screens.deck import DeckScreen
from tui.settings import Settings
from tui.theme import DAY, NIGHT
from tui.watcher import watch_fleet

HOLD_SECONDS: Final = 2.0  # the order stands still for so long after the cursor moved
BLURRED_TICKS: Final = 30  # nobody looks: one tick in thirty seconds
NOTICE_SECONDS: Final = 12.0
IDLE_LIMIT: Final = timedelta(minutes=30)  # then a `:write` lapses
ALERT_TICKS: Final = 15  # seconds after which alerts and sinks are asked for when nothing else has changed
BURST_SECONDS: Final = 0.05
BURST_KEYS: Final = 3  # more keys than this within 50 ms were pasted, not typed

T = TypeVar("T")


class DeckApp(App[int]):
    """One agent's fleet on one terminal; `tui.app.MocdeckApp` adds what its commands do."""

    CSS_PATH = "theme.tcss"
    TITLE = "mocdeck"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+c", "hint_quit", "quit hint", show=False, system=True, priority=True),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True),
    ]

    def __init__(
        self,
        gateway: Gateway,
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
    ) -> None:
        # Read before Textual does, which takes NO_COLOR out of the environment.
        coloured = not os.environ.get("NO_COLOR") if colour is None else colour
        rich = os.environ.get("COLORTERM", "") in {"truecolor", "24bit"} if true_colour is None else true_colour
        super().__init__(ansi_color=True if not coloured else None)
        self.gateway = gateway
        self.clock = clock
        self.model = FleetModel(clock.monotonic())
        self.palette = palette.DARK
        self.glyphs = glyphs.choose(ascii_only=ascii_only)
        self.settings = settings or Settings()
        self.keymap = self.settings.keymap
        self.looks = Looks(
            self,
            memory or Memory(None),
            fixed=theme or self.settings.theme,
            fitting=palette.fitting(colour=coloured, true_colour=rich),
            colourless=not coloured,
        )
        self.state_dir = state_dir
        self.site_tag = site_tag
        self.write_mode = write
        self.write_reason = ""
        self.paused_at: datetime | None = None
        self.operations: tuple[OperationView, ...] = ()
        self.audit: tuple[EventView, ...] = ()
        self.outbox = Outbox(self)
        self.alerts: AlertsView | None = None  # None: not read yet, or refused
        self.replay = clock if isinstance(clock, ReplayClock) else None
        self.failure = ""
        self.crash_text = ""
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
        self._feed_wanted = False
        self._feed_running = False
        self._handles_signals = False
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
        if self._handles_signals:
            loop = asyncio.get_running_loop()
            safety.install_signals(lambda code: self._leave_soon(loop, code))
            if sys.__stdin__ is not None:
                safety.watch_terminal(sys.__stdin__.fileno(), lambda code: self._leave_soon(loop, code))
        self.app_resume_signal.subscribe(self, self._resumed)
        self.looks.restore()
        if self.settings.problems:
            from tui.screens.problems import ProblemsDialog

            self.push_screen(ProblemsDialog(self.settings.problems))
        self.run_worker(self._watch(), group="watch", exclusive=True, exit_on_error=False)
        self.set_interval(1.0, self.tick)

    async def on_unmount(self) -> None:
        """Let go of the agent; one that does not answer keeps nobody here."""
        with contextlib.suppress(AgentError, TimeoutError):
            await asyncio.wait_for(self.gateway.close(), 1.0)

    def _leave_soon(self, loop: asyncio.AbstractEventLoop, code: int) -> None:
        loop.call_soon_threadsafe(lambda: self.exit(code, return_code=code))

    async def _watch(self) -> None:
        try:
            await watch_fleet(self.gateway, self.model, self.clock, changed=self._fleet_changed, lost=self._agent_lost)
        except Exception as error:  # the worker's edge: the screen stays, the fault is named
            self._agent_lost(safety.crash_line(error, self.state_dir, self.clock.now()))

    def _fleet_changed(self, touched: frozenset[int]) -> None:
        was_lost = bool(self.failure)
        self.failure = ""
        if touched or was_lost or not self._ticks:
            self._feed_wanted = True
        if self.model.needs_reorder and (not self.model.order or not self._is_held()):
            self.model.reorder(self.clock.monotonic())
        self.refresh_feed()
        self._tell(FleetChanged(touched))
        if was_lost:
            self._tell(LinkChanged(alive=True))

    def _agent_lost(self, sentence: str) -> None:
        first = not self.failure
        self.failure = sentence
        self.outbox.drop("the agent went away")
        if first:
            self.model.judge_all(self.clock.monotonic())
            self.model.reorder(self.clock.monotonic())
        self._tell(LinkChanged(alive=False))

    @property
    def _is_shown(self) -> bool:
        """Tell whether there is a screen to draw on; on the way out there is none."""
        return self._running and bool(self.screen_stack)

    def redraw(self) -> None:
        """Draw the dashboard's topmost screen, if there is one."""
        if self._is_shown:
            self.deck.draw()

    def _tell(self, message: FleetChanged | LinkChanged | Ticked) -> None:
        if self._is_shown:
            self.deck.draw()
            if self.screen is not self.deck:
                self.screen.post_message(message)

    # Time

    @property
    def now(self) -> datetime | None:
        """The agent's time as shown: it stands still while paused; None while the agent was never heard."""
        return self.paused_at or self.model.agent.now(self.clock.monotonic())

    def tick(self) -> None:
        """Show the present second: judge, reorder if something moved, write what changed."""
        self._ticks += 1
        self.outbox.send_due()
        if not self._is_shown or (not self.app_focus and self._ticks % BLURRED_TICKS):
            return
        monotonic = self.clock.monotonic()
        deck = self.deck
        self._lapse(monotonic)
        if not self._ticks % ALERT_TICKS and not self.failure:
            self._feed_wanted = True  # a sink that fails changes no client
            self.refresh_feed()
        if self.paused_at is None:
            self.model.tick(monotonic, deck.visible_numbers)
            if (self.model.needs_reorder or self._filter_ages()) and not self._is_held():
                self.model.reorder(monotonic)
        self._tell(Ticked())

    def _filter_ages(self) -> bool:
        return (self.model.filter is not None or self.model.week is not None) and self._ticks % 10 == 0

    def _is_held(self) -> bool:
        return self.clock.monotonic() < self._hold_until

    def hold_order(self) -> None:
        """Keep the order for two seconds: the cursor has moved."""
        self._hold_until = self.clock.monotonic() + HOLD_SECONDS

    def _lapse(self, monotonic: float) -> None:
        if self.notice_text and monotonic - self._notice_at > NOTICE_SECONDS:
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

    def situation(self) -> Situation:
        """Return what the gate judges by."""
        monotonic = self.clock.monotonic()
        alive = self.model.agent.is_alive(monotonic)
        numbers = self.selected_numbers()
        now = self.now
        return Situation(
            write_mode=self.write_mode,
            away="" if alive else span(self.model.agent.away_for(monotonic)),
            selected=len(numbers),
            has_row=self.deck.current_number is not None,
            is_replay=self.replay is not None,
            verdicts=self.model.verdicts(numbers[0], now) if len(numbers) == 1 and now is not None else {},
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
            self.copy_to_clipboard(selected)
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
        self._feed_wanted = True
        self.tick()

    # What the operator is told

    def notice(self, text: str, role: str = "accent") -> None:
        """Show one line until the next one, or for twelve seconds."""
        self.notice_text = text
        self.notice_role = role
        self._notice_at = self.clock.monotonic()
        self.redraw()

    def toast_result(self, text: str) -> None:
        """Tell how the operator's own action ended."""
        self._feed_wanted = True
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

    def refresh_feed(self) -> None:
        """Fetch operations and events if something changed and no fetch is under way."""
        if not self._feed_wanted or self._feed_running or not self._running:
            return
        self._feed_wanted = False
        self._feed_running = True
        self.run_worker(self._fetch_feed(), group="feed", exit_on_error=False)

    async def _fetch_feed(self) -> None:
        try:
            self.operations = tuple(await self.gateway.operations())
            self.audit = tuple(await self.gateway.events(200))
            self.alerts = await self._fetch_alerts()
        except AgentError:
            self._feed_wanted = True  # the link's own line says that the agent is away; the next answer asks again
        finally:
            self._feed_running = False
        self.redraw()

    async def _fetch_alerts(self) -> AlertsView | None:
        """Read the alerts; None for whoever may not."""
        try:
            return await self.gateway.alerts()
        except AccessDenied:
            return None

    @property
    def running_jobs(self) -> int:
        """How many operations have not ended."""
        return sum(1 for operation in self.operations if operation.ended_at is None)

    @property
    def simulated(self) -> bool:
        """Tell whether this is a demo fleet."""
        return self._simulated or self.model.columns.simulated

    async def settled(self) -> None:
        """Wait until no call to the agent runs and no message is queued."""
        quiet = 0
        while quiet < 3 and self.is_running and not self.crash_text:
            calls = [w for w in self.workers if w.group in {"agent", "feed"} and not w.is_finished]
            if calls:
                await self.workers.wait_for_complete(calls)
            await asyncio.sleep(0)
            nodes = [self, *self.screen.walk_children(with_self=True)]
            quiet = 0 if calls or any(node.message_queue_size for node in nodes) else quiet + 1

    # The way out

    def _handle_exception(self, error: Exception) -> None:
        """Textual's edge for what nobody caught: one line, no locals, the detail in the state directory."""
        self._return_code = 1
        if not self.crash_text:
            self.crash_text = safety.crash_line(error, self.state_dir, self.clock.now())
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """Replace Textual's traceback, which would print local variables, with the same one line."""
        error = sys.exc_info()[1]
        self._handle_exception(error if isinstance(error, Exception) else RuntimeError("the screen failed"))

    def panic(self, *renderables: Any) -> None:
        """End after a fault in a thread of Textual's; what it would print may hold anything, so it is not printed."""
        self._handle_exception(RuntimeError("the terminal could not be read or drawn"))
