"""On a real terminal: questions, ctrl-c, colour, and the dashboard that opens without a command."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from click.testing import Result

Mocdeck = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """One command line on a terminal of its own."""

    def __init__(self, home: Path, *words: str, **environment: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home.parent),
            "MOCDECK_HOME": str(home),
            "TERM": "xterm-256color",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "backend.cli", *words],
            cwd=ROOT,
            env={**env, **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def until(self, wanted: str) -> None:
        """Read until the text is there."""
        end = monotonic() + 30
        while wanted not in self.text:
            assert monotonic() < end, self.text
            if not self._read():
                break
        assert wanted in self.text, self.text

    def type(self, text: str) -> None:
        os.write(self._master, f"{text}\n".encode())

    def press(self, key: str) -> None:
        os.write(self._master, key.encode())

    def interrupt(self) -> None:
        """What a terminal does on ctrl-c."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self) -> int:
        """Read to the end; return the exit code."""
        end = monotonic() + 30
        while self._read():
            assert monotonic() < end, self.text
        os.close(self._master)
        return self.process.wait(timeout=30)

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.text += self._decoder.decode(data)
        return bool(data)


Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Open terminals on this test's home; whatever still runs at the end is ended."""
    opened: list[Terminal] = []

    def start(*words: str, **environment: str) -> Terminal:
        opened.append(Terminal(tmp_path / "home", *words, **environment))
        return opened[-1]

    yield start
    for one in opened:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(timeout=20)


def operations(operator: Mocdeck) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(operator("operations", "list", "-o", "json").stdout)
    return found


@pytest.mark.parametrize("answer", ["", "n", "yes please"])
def test_any_other_answer_than_the_one_asked_for_changes_nothing(
    operator: Mocdeck, terminal: Open, answer: str
) -> None:
    before = len(operations(operator))
    shown = terminal("repair", "locked-kms")
    shown.until("Type y to go on:")
    shown.type(answer)
    assert shown.ended() == 6
    assert len(operations(operator)) == before


def test_several_clients_ask_for_their_number(operator: Mocdeck, terminal: Open) -> None:
    before = len(operations(operator))
    shown = terminal(
        "rotate-token", "due-csi", "fresh-caph", "--force", "--reason", "test", "--no-wait", "--parallel", "2"
    )
    shown.until("Type the number of clients to rotate token to go on:")
    shown.type("y")
    assert shown.ended() == 6
    assert len(operations(operator)) == before


def test_ctrl_c_at_the_question_changes_nothing(operator: Mocdeck, terminal: Open) -> None:
    before = len(operations(operator))
    shown = terminal("repair", "locked-kms")
    shown.until("Type y to go on:")
    shown.interrupt()
    assert shown.ended() == 130
    assert len(operations(operator)) == before


def test_ctrl_c_while_watching_leaves_the_operation_running(operator: Mocdeck, terminal: Open, tmp_path: Path) -> None:
    shown = terminal("repair", "locked-kms", "--out", str(tmp_path / "login.yaml"))
    shown.until("Type y to go on:")
    shown.type("y")
    shown.until("Login file of locked-kms")
    shown.interrupt()
    assert shown.ended() == 130
    assert "The operation goes on at the agent" in shown.text
    newest = operations(operator)[0]
    assert newest["id"] in shown.text
    assert newest["state"] == "running"
    assert operator("operations", "stop", newest["id"], "--yes").exit_code == 0


def test_a_terminal_gets_colour_unless_it_asks_not_to(operator: Mocdeck, terminal: Open) -> None:
    plain = terminal("status", NO_COLOR="1")
    assert plain.ended() == 2
    assert "\x1b" not in plain.text
    coloured = terminal("status")
    assert coloured.ended() == 2
    assert "\x1b[31m" in coloured.text or "\x1b[7m" in coloured.text


def test_without_a_command_the_dashboard_opens(operator: Mocdeck, terminal: Open) -> None:
    shown = terminal()
    shown.until("\x1b[?1049h")  # the alternate screen
    shown.until("locked-kms")
    shown.press("q")
    assert shown.ended() == 0
    assert "\x1b[?1049l" in shown.text, "the terminal is restored"


def test_without_a_context_the_screen_is_left_alone(terminal: Open) -> None:
    shown = terminal()
    assert shown.ended() == 78
    assert "mocdeck login" in shown.text
    assert "\x1b[?1049h" not in shown.text
