"""A program on a terminal that nobody sees: keys go in, a screen of characters and colours comes out.

The terminal is an emulator (pyte); it answers the questions that the dashboard asks of a terminal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
from collections.abc import Mapping, Sequence
from typing import Final

import pyte

from backend.clock import SystemClock

_CHUNK: Final = 65_536


class _Screen(pyte.Screen):  # type: ignore[misc]  # pyte ships no types
    """A screen whose answers go back to the program."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self.answers: list[bytes] = []

    def write_process_input(self, data: str) -> None:
        self.answers.append(data.encode())


class Terminal:
    """One program on a terminal of a fixed size."""

    def __init__(self, command: Sequence[str], *, size: tuple[int, int], environment: Mapping[str, str]) -> None:
        columns, lines = size
        self.screen = _Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._clock = SystemClock()
        self.process, self._end = pty.fork()
        if self.process == 0:
            with contextlib.suppress(OSError):
                os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - the program that is shown
            os._exit(127)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def text(self) -> str:
        """What the screen shows, without colours."""
        return "\n".join(self.screen.display)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._end, keys.encode())

    def pump(self, seconds: float) -> bool:
        """Take what the program writes for so long; return False when it has ended."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            ready, _, _ = select.select([self._end], [], [], left)
            if not ready:
                break
            try:
                data = os.read(self._end, _CHUNK)
            except OSError:  # the program has closed its side
                return False
            if not data:
                return False
            self._stream.feed(data)
            for answer in self.screen.answers:
                os.write(self._end, answer)
            self.screen.answers.clear()
        return True

    def wait(self) -> int:
        """Wait for the program's end and return its exit code."""
        while self.pump(0.5):
            pass
        _, status = os.waitpid(self.process, 0)
        os.close(self._end)
        return os.waitstatus_to_exitcode(status)
