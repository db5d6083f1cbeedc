"""The terminal's driver: it knows what was not written yet, hears the answers that time the link, and asks for little.

Owns what is asked of the terminal beyond Textual's: presses and the wheel of the mouse, never its every move, which
would be traffic upstream for nothing. It runs in Textual's input and output threads and only calls back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

if TYPE_CHECKING:
    from tui.linked import LinkedApp

MOUSE_ON = "\x1b[?1000h\x1b[?1006h"
MOUSE_OFF = "\x1b[?1000l\x1b[?1006l"


class Outlet:
    """The file under Textual's output thread; it counts what is on its way into the terminal."""

    def __init__(self, file: IO[str], flushed: Callable[[], None]) -> None:
        self._file = file
        self._flushed = flushed
        self._lock = threading.Lock()
        self._queued = 0

    def queue(self) -> None:
        """Count a piece that will be written."""
        with self._lock:
            self._queued += 1

    @property
    def is_behind(self) -> bool:
        """Tell whether a piece has not been taken by the terminal's side yet."""
        return self._queued > 0

    def write(self, text: str) -> int:
        """Write a piece; it waits for as long as the terminal's side does not take it."""
        written = self._file.write(text)
        self._file.flush()
        with self._lock:
            self._queued -= 1
            behind = self._queued > 0
        if not behind:
            self._flushed()
        return written

    def flush(self) -> None:
        """Write what the file itself holds back."""
        self._file.flush()

    def fileno(self) -> int:
        """Return the descriptor behind it."""
        return self._file.fileno()


class WireDriver(LinuxDriver):
    """Textual's driver for terminals, with an outlet that is watched."""

    _app: LinkedApp

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._outlet = Outlet(self._file, self._flushed)
        self._file: Any = self._outlet  # Textual's output thread writes to it
        self.bytes_written = 0

    @property
    def is_behind(self) -> bool:
        """Tell whether something was written that the terminal's side has not taken."""
        return self._outlet.is_behind

    def write(self, data: str) -> None:
        """Give a piece to the output thread."""
        self._outlet.queue()
        self.bytes_written += len(data.encode("utf-8", "replace"))
        super().write(data)

    def _flushed(self) -> None:
        self._call(self._app.wire_is_free)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def start_application_mode(self) -> None:
        """Take the terminal, at start and when the program comes back from the shell: its picture is unknown then."""
        self._app.wire_was_lost()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual leaves its result open

    def process_message(self, message: Message) -> None:
        """Take the answer to the link's question out of what is typed."""
        if isinstance(message, events.CursorPosition):
            self._call(self._app.wire_answered, self._app.real_clock.monotonic())
            return
        super().process_message(message)

    @property
    def has_mouse(self) -> bool:
        """Tell whether the terminal was asked for the mouse."""
        return self._mouse

    def set_mouse(self, *, on: bool) -> None:
        """Ask for the mouse, or no longer."""
        self._mouse = on
        self.write(MOUSE_ON if on else MOUSE_OFF)

    def _enable_mouse_support(self) -> None:
        if self._mouse:
            self.write(MOUSE_ON)

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write(MOUSE_OFF)
