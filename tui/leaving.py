"""The application's ways out: a signal, a terminal that is gone, a fault that nobody caught; each ends in order.

Owns the signals while the dashboard runs and Textual's edges for faults: one line for the operator, the detail without
secrets in the state directory, never a traceback with local variables (tui.md 3.6).
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from textual.app import App
from textual.driver import Driver

from backend.clock import Clock
from tui import safety


class LeavingApp(App[int]):
    """An application that can be ended at any moment; `clock` is this computer's, whatever time the screen shows."""

    def __init__(
        self, clock: Clock, state_dir: Path, *, driver_class: type[Driver] | None, ansi_color: bool | None
    ) -> None:
        super().__init__(driver_class=driver_class, ansi_color=ansi_color)
        self.real_clock = clock
        self.state_dir = state_dir
        self.crash_text = ""
        self._handles_signals = False

    def watch_for_the_end(self) -> None:
        """Leave in order on SIGTERM, SIGHUP and when the terminal hangs up, if this program is the one to do so."""
        if not self._handles_signals:
            return
        loop = asyncio.get_running_loop()
        safety.install_signals(lambda code: self._leave_soon(loop, code))
        if sys.__stdin__ is not None:
            safety.watch_terminal(sys.__stdin__.fileno(), lambda code: self._leave_soon(loop, code))

    def _leave_soon(self, loop: asyncio.AbstractEventLoop, code: int) -> None:
        loop.call_soon_threadsafe(lambda: self.exit(code, return_code=code))

    def _handle_exception(self, error: Exception) -> None:
        """Textual's edge for what nobody caught: one line, no locals, the detail in the state directory."""
        self._return_code = 1
        if not self.crash_text:
            self.crash_text = safety.crash_line(error, self.state_dir, self.real_clock.now())
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
