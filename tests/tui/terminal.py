"""A program on a pty of its own: what it wrote, what an emulator makes of it, and a link that answers or stalls."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte

ROOT = Path(__file__).parents[2]
PLAIN = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"}
ASKS = b"\x1b[6n"
NOT_FOR_PYTE = re.compile(r"\x1b\[\?\d+\$p|\x1b\[[<>]\d*u|\x1b\[6n")


class Terminal:
    """`tests.tui.pty_program` on a terminal; with `answers` it tells where the cursor is, as terminals do."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        size: tuple[int, int] = (80, 24),
        answers: bool = False,
        ignore_hangup: bool = False,
        module: str = "tests.tui.pty_program",
    ) -> None:
        self.master, slave = pty.openpty()
        self.size = size
        self.answers = answers
        self.written = b""
        self._answered = 0
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

        def prepare() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, preexec_fn=prepare,
            env=PLAIN | dict(environment),
        )  # fmt: skip
        os.close(slave)

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self.master, keys)

    def resize(self, width: int, height: int) -> None:
        """Make the window another size; the program is told."""
        self.size = (width, height)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds: float) -> bytes:
        """Read what comes within so many seconds, at most one piece; empty when nothing did or the program is gone."""
        if not select.select([self.master], [], [], max(0.0, seconds))[0]:
            return b""
        try:
            piece = os.read(self.master, 65536)
        except OSError:
            return b""
        self.written += piece
        self._answer()
        return piece

    def _answer(self) -> None:
        """Say where the cursor is, as often as it was asked for."""
        if self.answers:
            asked = self.written.count(ASKS)
            if asked > self._answered:
                self.press(b"\x1b[1;1R" * (asked - self._answered))
                self._answered = asked

    def pump(self, seconds: float) -> bytes:
        """Read for so many seconds; return what came."""
        before = len(self.written)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)
        return self.written[before:]

    def read_until(self, wanted: bytes, seconds: float = 30.0) -> None:
        """Read until `wanted` was written; fails when it does not come."""
        end = time.monotonic() + seconds
        while wanted not in self.written:
            left = end - time.monotonic()
            assert left > 0, self.written[-500:]
            if not self.read(min(left, 1.0)) and self.process.poll() is not None:
                assert wanted in self.written, self.written[-500:]

    def wait_for(self, wanted: str, seconds: float = 30.0) -> list[str]:
        """Read until the screen shows `wanted`; return the screen's lines."""
        end = time.monotonic() + seconds
        while True:
            lines = self.display()
            if any(wanted in line for line in lines):
                return lines
            assert time.monotonic() < end, "\n".join(lines)
            self.read(0.5)

    def settle(self, quiet: float = 0.4, seconds: float = 10.0) -> None:
        """Read until nothing has come for `quiet` seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.read(quiet):
            pass

    def screen(self) -> pyte.Screen:
        """What a terminal of this size shows after everything that was written."""
        screen = pyte.Screen(*self.size)
        text = self.written.decode("utf-8", "replace")
        start = text.rfind("\x1b[?1049h")  # the alternate screen begins empty
        pyte.Stream(screen).feed(NOT_FOR_PYTE.sub("", text[max(0, start) :]))
        return screen

    def display(self) -> list[str]:
        """The lines of the screen."""
        return list(self.screen().display)

    def end(self, seconds: float = 10.0) -> int:
        """Wait for the program's end while reading what it writes; return its exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        code = self.process.wait(max(0.1, end - time.monotonic()))
        while self.read(0):
            pass
        return code

    def close(self) -> None:
        """Let go of the terminal and of the program."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
