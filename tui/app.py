"""The dashboard's application: what each command of the registry does, and running it on a terminal.

The session underneath (`tui.session`) owns the model, the tick, the gate and the calls to the agent. A screen's own
commands are the screen's; those here work on every screen.
"""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from backend.clock import Clock
from tui import glyphs, palette, safety
from tui.commands import BY_ID
from tui.gateway import Gateway
from tui.holding import unsent
from tui.link_options import LinkOptions
from tui.memory import FILE_NAME, Memory
from tui.replaying import ReplayClock
from tui.screens.deck import DeckScreen
from tui.session import DeckApp
from tui.settings import Settings
from tui.snapshots import Snapshots
from tui.visits import Visits

SEEK_SECONDS: Final = 60.0  # of a recording, for one key


class MocdeckApp(DeckApp):
    """The session with its commands; handlers are named after the registry's ids."""

    @cached_property
    def visits(self) -> Visits:
        """Where the operator has been."""
        return Visits(self)

    def cmd_renew(self) -> None:
        """Plan a renewal of the selected clients."""
        self._start("renew")

    def cmd_rotate_token(self) -> None:
        """Plan a token rotation of the selected clients."""
        self._start("rotate_token")

    def cmd_repair(self) -> None:
        """Plan a repair of the selected clients."""
        self._start("repair")

    def _start(self, command_id: str) -> None:
        from tui.screens.actions import start_action

        action = BY_ID[command_id].action
        if action is not None:
            self.enter_site(self.selected_sites()[0].fleet.place)  # the gate lets only one site's clients through
            start_action(self, action, self.selected_names())

    def cmd_update_certificates(self) -> None:
        """Plan the update of node agents and management cluster."""
        from backend.core.update import UpdateScope
        from tui.screens.actions import start_update

        start_update(self, UpdateScope())

    def cmd_rotate_ca(self) -> None:
        """Open the CA rotation's plan."""
        self.cmd_view_rotation()

    def cmd_view_rotation(self) -> None:
        """Show the open rotation, or plan one."""
        from tui.screens.rotation import open_rotation

        open_rotation(self)

    def cmd_view_fleet(self) -> None:
        """Go home."""
        if len(self.screen_stack) > 1:
            self.visits.leave()
        self.go_home()

    def go_home(self) -> None:
        """Close every screen above the first."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def _show(self, screen: DeckScreen) -> None:
        if self.deck.scope == screen.scope:
            return
        self.visits.leave()
        self.go_home()
        self.push_screen(screen)

    def cmd_view_timeline(self) -> None:
        """Show when what ends."""
        from tui.screens.timeline import TimelineScreen

        self._show(TimelineScreen())

    def cmd_view_clusters(self) -> None:
        """Show clusters and CA generations."""
        from tui.screens.clusters import ClustersScreen

        self._show(ClustersScreen())

    def cmd_view_jobs(self) -> None:
        """Show operations."""
        from tui.screens.jobs import JobsScreen

        self._show(JobsScreen())

    def cmd_view_events(self) -> None:
        """Show the audit events."""
        from tui.screens.events import EventsScreen

        self._show(EventsScreen())

    def cmd_view_forecast(self) -> None:
        """Show what is coming."""
        from tui.screens.forecast import ForecastScreen

        self._show(ForecastScreen())

    def cmd_view_alerts(self) -> None:
        """Show what is not well and who was told."""
        from tui.screens.alerts import AlertsScreen

        self._show(AlertsScreen())

    def cmd_diagnose(self) -> None:
        """Explain a pasted message."""
        from tui.screens.diagnosing import DiagnosisScreen

        self._show(DiagnosisScreen())

    def cmd_next_site(self) -> None:
        """Show another site on a screen of one site."""
        name = self.next_site()
        self.notice(f"site {name}" if name else "there is only one site here", "title" if name else "warning")

    def cmd_export(self) -> None:
        """Write what this screen shows to a file."""
        from tui.screens.exporting import export_menu

        export_menu(self)

    def cmd_report(self) -> None:
        """Write view, screen and audit into one directory."""
        from tui.screens.reporting import write_report

        write_report(self)

    def cmd_handover(self) -> None:
        """Write the note of the shift, and show it."""
        from tui.screens.note import hand_over

        hand_over(self)

    def cmd_copy(self) -> None:
        """Copy names."""
        from tui.screens.items import copy_names

        copy_names(self)

    def cmd_yaml(self) -> None:
        """Show one client as YAML."""
        from tui.screens.items import show_yaml

        show_yaml(self)

    def cmd_events_of(self) -> None:
        """Show the events of one client."""
        from tui.screens.items import show_events

        show_events(self)

    def cmd_export_item(self) -> None:
        """Write one client to a file."""
        from tui.screens.exporting import export_client

        number = self.deck.current_number
        if number is not None:
            export_client(self, number)

    def cmd_theme(self, name: str) -> None:
        """Draw with another theme, and remember it."""
        from tui.screens.menu import theme_menu

        if not name.strip():
            theme_menu(self)
        elif name.strip().lower() in palette.THEMES:
            self.choose_theme(name.strip().lower())
        else:
            self.notice(f"theme: there is no {name.strip()[:20]!r}; known are {', '.join(palette.THEMES)}", "error")

    def choose_theme(self, name: str) -> None:
        """Use a theme and remember it for this site."""
        self.looks.use_theme(name)
        self.looks.remember(chosen_theme=name)
        self.redraw()

    def cmd_keep_filter(self) -> None:
        """Start with this filter next time."""
        text = self.looks.keep_filter()
        self.notice(f"this site starts with `{text}` from now on" if text else "this site starts without a filter")

    def cmd_history_back(self) -> None:
        """Go where the operator was before."""
        self.visits.back()

    def cmd_history_on(self) -> None:
        """Go where the operator was after this."""
        self.visits.on()

    def cmd_help(self) -> None:
        """Show the keys of this screen."""
        from tui.screens.help import HelpScreen

        if self.deck.scope != "help":
            self.push_screen(HelpScreen(self.deck.scope))

    def cmd_reload(self) -> None:
        """Ask again and sort anew; countdowns go on if they were paused."""
        self.paused_at = None
        for site in self.sites:
            site.feed_wanted = True
        self.refresh_feed()
        self.model.judge_all(self.clock.monotonic())
        self.model.reorder(self.clock.monotonic())
        if self.options.accessible:
            self.deck.draw()
            self.speak()

    def cmd_pause(self) -> None:
        """Stop or continue the countdowns."""
        if self.replay is not None:
            self.replay.pause(on=not self.replay.paused)
            self.moved_in_time()
            return
        self.paused_at = None if self.paused_at is not None else self.clock.monotonic()

    def cmd_replay_back(self) -> None:
        """A minute back in the recording."""
        self._seek(-SEEK_SECONDS)

    def cmd_replay_on(self) -> None:
        """A minute on in the recording."""
        self._seek(SEEK_SECONDS)

    def cmd_replay_start(self) -> None:
        """To the beginning of the recording."""
        self._seek(-math.inf)

    def cmd_replay_end(self) -> None:
        """To the end of the recording."""
        self._seek(math.inf)

    def _seek(self, seconds: float) -> None:
        if self.replay is not None:
            self.replay.seek(self.replay.monotonic() + seconds)
            self.moved_in_time()

    def cmd_replay_slower(self) -> None:
        """Half as fast."""
        self._change_speed(-1)

    def cmd_replay_faster(self) -> None:
        """Twice as fast."""
        self._change_speed(1)

    def _change_speed(self, steps: int) -> None:
        if self.replay is not None:
            self.replay.change_speed(steps)

    def cmd_suspend(self) -> None:
        """Give the terminal back to the shell."""
        self.action_suspend_process()

    def cmd_redraw(self) -> None:
        """Write every cell again."""
        self.redraw_all()

    def cmd_readonly(self) -> None:
        """Refuse every change again."""
        self.set_write_mode(on=False)
        self.notice("read-only again")

    def cmd_back(self) -> None:
        """Go back one screen."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def cmd_quit(self) -> None:
        """Leave this screen; on the first one, the program."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.outbox.holding and not self.asked_to_quit():
            self.notice("q again leaves; what waits to be sent is then not sent", "warning")
        else:
            self.exit(0)

    def cmd_undo(self) -> None:
        """Take back what was confirmed last and has not left."""
        self.outbox.take_back()


def run(
    gateway: Gateway | Sequence[Gateway],
    clock: Clock,
    *,
    write: bool,
    state_dir: Path,
    ascii_only: bool | None = None,
    simulated: bool = False,
    site_tag: str = "",
    mouse: bool = True,
    theme: str = "",
    settings: Settings | None = None,
    options: LinkOptions | None = None,
) -> int:
    """Run the dashboard on this terminal until it is left; return the process's exit code.

    64: the terminal cannot draw it. 143, 129: ended by SIGTERM or by the terminal's end.
    """
    is_terminal = all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stdout__))
    problem = safety.refuse_terminal(os.environ, is_terminal=is_terminal)
    if problem is not None:
        sys.stderr.write(f"mocdeck: {problem}\n")
        return 64
    app = MocdeckApp(
        gateway,
        clock,
        write=write,
        ascii_only=not glyphs.is_utf8(os.environ) if ascii_only is None else ascii_only,
        state_dir=state_dir,
        simulated=simulated,
        site_tag=site_tag,
        theme=theme,
        settings=settings,
        memory=Memory(state_dir / FILE_NAME),
        options=options,
        snapshots=Snapshots(None if isinstance(clock, ReplayClock) else state_dir),
    )
    app._handles_signals = True
    try:
        app.run(mouse=mouse and app.options.mouse and not app.options.accessible and app.settings.mouse)
    except Exception:  # the program's last edge: giving a dead terminal back fails in many ways, none of them news
        if not _is_left_alone():
            raise
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, signal.SIG_DFL)
    code = app.return_code or 0
    held = app.outbox.holding.drop()
    if code == safety.SIGHUP_CODE or _is_left_alone():
        code = code if code == safety.SIGTERM_CODE else safety.SIGHUP_CODE
        safety.drop_terminal()  # with nobody to tell, the interpreter's last flush would fail
    else:
        sentences = [app.crash_text, unsent(held, "the dashboard was left within its ten seconds") if held else ""]
        sys.stderr.write("".join(f"{sentence}\n" for sentence in sentences if sentence))
    return code


def _is_left_alone() -> bool:
    return sys.__stdin__ is not None and safety.terminal_is_gone(sys.__stdin__.fileno())
