"""The safety net on a real terminal: signals, a crash, a terminal that closes, one that cannot draw (check 8)."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.tui.staged_agent import HOSTILE
from tests.tui.terminal import Terminal
from tui.safety import LINE_LIMIT, crash_line, redact, refuse_terminal, terminal_is_gone, write_report

NOW = datetime(2026, 11, 22, 16, 52, 14, tzinfo=UTC)
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJuYW1lIjoiY2FuYXJ5In0.c2lnbmF0dXJlLWNhbmFyeQ"
RESET = b"\x1b[?1049l"
MOUSE_ON = b"\x1b[?1000h"
MOUSE_OFF = b"\x1b[?1000l"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def terminal(request: pytest.FixtureRequest, state_dir: Path) -> Iterator[Terminal]:
    options = getattr(request, "param", {})
    started = Terminal(
        [options.get("mode", "run"), str(state_dir)],
        options.get("environment", {}),
        ignore_hangup=options.get("ignore_hangup", False),
    )
    yield started
    started.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(terminal: Terminal, number: signal.Signals) -> None:
    terminal.read_until(b"csi-012")
    terminal.process.send_signal(number)
    assert terminal.end(3.0) == 128 + number
    assert RESET in terminal.written
    assert terminal.written.rindex(MOUSE_OFF) > terminal.written.rindex(MOUSE_ON)


@pytest.mark.parametrize("terminal", [{"mode": "crash"}], indirect=True)
def test_a_crash_says_one_line_and_shows_no_secret(terminal: Terminal, state_dir: Path) -> None:
    terminal.read_until(b"csi-012")
    os.write(terminal.master, b".")
    assert terminal.end(5.0) == 1
    after = terminal.written[terminal.written.rindex(RESET) :].decode()
    assert JWT.split(".")[0] not in terminal.written.decode()
    assert "Traceback" not in after
    assert "mocdeck stopped: RuntimeError" in after
    (report,) = (state_dir / "crashes").iterdir()
    assert str(report) in re.sub(r"\s", "", after)
    text = report.read_text()
    assert "eyJ" not in text
    assert "pty_program.py" in text
    assert report.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("terminal", [{"ignore_hangup": True}, {}], indirect=True, ids=["nohup", "plain"])
def test_a_terminal_that_closes_ends_the_program_within_three_seconds(terminal: Terminal) -> None:
    terminal.read_until(b"csi-012")
    os.close(terminal.master)
    terminal.master = -1
    assert terminal.process.wait(4.5) == 129  # at most one tick to notice, and two seconds to leave


@pytest.mark.parametrize("terminal", [{"environment": {"NO_COLOR": "1"}}], indirect=True)
def test_no_color_means_no_colour_sequence_at_all(terminal: Terminal) -> None:
    terminal.read_until(b"csi-012")
    terminal.read_until(b"q\x1b[0m quit" if b"q\x1b[0m quit" in terminal.written else b"quit")
    os.write(terminal.master, b"q")
    assert terminal.end() == 0
    sequences = re.findall(rb"\x1b\[([0-9;]*)m", terminal.written)
    parameters = {parameter for sequence in sequences for parameter in sequence.split(b";")}
    assert parameters <= {b"", b"0", b"1", b"3", b"4", b"7"}, parameters


@pytest.mark.parametrize("terminal", [{"environment": {"LC_ALL": "C"}}], indirect=True)
def test_a_locale_without_utf8_gets_ascii_only(terminal: Terminal) -> None:
    terminal.read_until(b"csi-012")
    os.write(terminal.master, b"q")
    assert terminal.end() == 0
    assert all(byte < 128 for byte in terminal.written)


@pytest.mark.parametrize("terminal", [{"environment": {"TERM": "dumb"}}], indirect=True)
def test_a_dumb_terminal_is_refused_with_the_way_out(terminal: Terminal) -> None:
    assert terminal.end(10.0) == 64
    assert b"mocdeck --plain" in terminal.written
    assert b"\x1b" not in terminal.written


def test_without_a_terminal_the_dashboard_is_refused() -> None:
    assert "mocdeck --plain" in (refuse_terminal({"TERM": "xterm"}, is_terminal=False) or "")
    assert refuse_terminal({"TERM": "xterm"}, is_terminal=True) is None


def test_a_report_keeps_the_places_and_loses_the_secrets(tmp_path: Path) -> None:
    key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"
    try:
        raise ValueError(f"token={JWT} passphrase: hunter22 {key} {'ab12' * 16}")  # noqa: TRY301
    except ValueError as error:
        text = write_report(error, tmp_path, NOW).read_text()
    for secret in (JWT, "hunter22", "MHcCAQEE", "ab12" * 16):
        assert secret not in text
    assert "test_safety.py" in text


def test_a_state_directory_that_cannot_be_written_is_said_in_the_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written" in crash_line(ValueError("x"), tmp_path / "file", NOW)


def test_redaction_leaves_ordinary_sentences_alone() -> None:
    assert (
        redact("the agent at agent.example:55000 did not answer") == "the agent at agent.example:55000 did not answer"
    )


def test_a_pipe_whose_other_end_is_closed_counts_as_gone() -> None:
    reader, writer = os.pipe()
    assert not terminal_is_gone(reader)
    os.close(writer)
    assert terminal_is_gone(reader)
    os.close(reader)


def test_a_terminal_that_closes_while_its_output_is_stalled_ends_the_program(terminal: Terminal) -> None:
    """Nobody reads: the writer's queue fills and blocks the event loop, which then cannot see the hang-up itself."""
    terminal.read_until(b"csi-012")
    for _ in range(40):
        os.write(terminal.master, b"jjjjjkkkkk??\x1b")
    os.close(terminal.master)
    terminal.master = -1
    assert terminal.process.wait(6) == 129


def test_ctrl_z_gives_the_terminal_back_and_fg_draws_everything_anew(terminal: Terminal) -> None:
    terminal.wait_for("csi-012")
    terminal.settle(quiet=0.3, seconds=2)
    before = terminal.display()
    terminal.press(b"\x1a")
    terminal.read_until(RESET)
    assert terminal.written.rindex(MOUSE_OFF) > terminal.written.rindex(MOUSE_ON)
    wait_until(lambda: state_of(terminal.process.pid) == "T")
    terminal.settle(quiet=0.1, seconds=2)
    assert terminal.written.rindex(b"\x1b[?25h") > terminal.written.rindex(b"\x1b[?25l")
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait_for("csi-012")
    terminal.settle(quiet=0.3, seconds=2)
    after = terminal.display()
    assert terminal.written.rindex(b"\x1b[?1049h") > terminal.written.rindex(RESET)
    assert [line[27:] for line in after[4:12]] == [line[27:] for line in before[4:12]]  # all but what ticks
    terminal.press(b"q")
    assert terminal.end() == 0


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        select.select([], [], [], 0.05)


def test_a_report_about_a_hostile_name_is_harmless_to_print(tmp_path: Path) -> None:
    try:
        raise ValueError(f"no client {' and '.join(HOSTILE)}")  # noqa: TRY301
    except ValueError as error:
        path = write_report(error, tmp_path, NOW)
        line = crash_line(error, tmp_path, NOW)
    text = path.read_text()
    assert all(character == "\n" or character.isprintable() for character in text)
    assert "[red]bold[/red]" in text
    assert max(len(each) for each in text.splitlines()) <= LINE_LIMIT
    assert line.isprintable()
