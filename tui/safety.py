"""What happens when something goes wrong: the terminal comes back, secrets stay out of sight, the process ends.

Owns crash reports, signals and the refusal of terminals that cannot draw. A crash report holds no local variables and
is redacted before it is written, in a file that only its owner reads (tui.md 3.6).
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from backend.core.inert import inert

SIGTERM_CODE: Final = 143  # 128 + 15, as a shell would report it
SIGHUP_CODE: Final = 129
HARD_EXIT_SECONDS: Final = 2.0
LINE_LIMIT: Final = 1000  # characters of a line in a crash report

# Leaves the alternate screen and ends mouse tracking, focus reports, bracketed paste, kitty keys and in-band resizing.
RESET: Final = (
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l\x1b[?2004l"
    b"\x1b[?2048l\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
)

_SECRETS: Final = (
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(r"eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,2}"),  # a JWT, whole or cut
    re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}"),  # keys, digests and tokens in base64 or hex
    re.compile(r"(?i)((?:pass(?:word|phrase)?|token|secret|key)\s*[=:]\s*)[^\s,;)]+"),
)


def redact(text: str) -> str:
    """Return `text` without anything that looks like a key, a token or a passphrase; names of source files stay."""
    for pattern in _SECRETS[:2]:
        text = pattern.sub("[redacted]", text)
    return "\n".join(line if line.startswith('  File "') else _redact_words(line) for line in text.split("\n"))


def _redact_words(line: str) -> str:
    return _SECRETS[3].sub(r"\1[redacted]", _SECRETS[2].sub("[redacted]", line))


def describe(error: BaseException) -> str:
    """Return where an error came from, frame by frame, without local variables, redacted and harmless to print."""
    text = redact("".join(traceback.format_exception(error)))
    return "\n".join(inert(line, LINE_LIMIT) for line in text.split("\n"))


def write_report(error: BaseException, state_dir: Path, now: datetime) -> Path:
    """Write a crash report, readable by its owner only, and return its path.

    Raises:
        OSError: the state directory cannot be written.
    """
    folder = state_dir / "crashes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"crash-{now:%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(f"mocdeck stopped at {now:%Y-%m-%d %H:%M:%SZ}\n\n{describe(error)}")
    return path


def crash_line(error: BaseException, state_dir: Path, now: datetime) -> str:
    """Write the report and return the one line that the operator sees."""
    try:
        path = write_report(error, state_dir, now)
    except OSError as problem:
        return f"mocdeck stopped: {type(error).__name__}; no report, {state_dir} cannot be written ({problem.strerror})"
    return f"mocdeck stopped: {type(error).__name__}; details without secrets in {path}"


def refuse_terminal(environment: Mapping[str, str], *, is_terminal: bool) -> str | None:
    """Return why the dashboard cannot be drawn here, or None."""
    hint = "`mocdeck --plain` prints the same list as text"
    if not is_terminal:
        return f"the dashboard needs a terminal for input and output; {hint}"
    term = environment.get("TERM", "")
    if term in {"", "dumb", "unknown"}:
        return f"TERM is {term or 'not set'}: this terminal cannot place text; {hint}"
    return None


def terminal_is_gone(descriptor: int, *, wait: bool = False) -> bool:
    """Tell whether the terminal behind `descriptor` has hung up; `wait`: answer once it has, or cannot be known."""
    try:
        poll = select.poll()
        poll.register(descriptor, 0)  # a hang-up is always reported, input is not asked for
        events = poll.poll(None if wait else 0)
    except (OSError, ValueError, AttributeError):
        return False  # no poll on this platform or descriptor: nothing is known to be wrong
    return any(mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, mask in events)


def watch_terminal(descriptor: int, leave: Callable[[int], None]) -> threading.Thread:
    """Leave when the terminal hangs up, from a thread of its own.

    A dead terminal stops the writer, whose full queue then blocks the event loop; only another thread still sees it.
    """

    def watch() -> None:
        if terminal_is_gone(descriptor, wait=True):
            arm_watchdog(SIGHUP_CODE)
            leave(SIGHUP_CODE)

    thread = threading.Thread(target=watch, name="mocdeck-terminal", daemon=True)
    thread.start()
    return thread


def drop_terminal() -> None:
    """Point the standard streams at nothing, so that the interpreter's last flush cannot fail on a dead terminal."""
    with contextlib.suppress(OSError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(nothing, descriptor)
        os.close(nothing)


def hard_exit(code: int) -> None:
    """Reset the terminal as well as a closing terminal allows, and end the process at once."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
        os.set_blocking(descriptor, False)  # a stalled link must not keep us
        os.write(descriptor, RESET)
    os._exit(code)


def arm_watchdog(code: int, seconds: float = HARD_EXIT_SECONDS) -> threading.Timer:
    """End the process after `seconds` if the orderly way out has not done so by then."""
    timer = threading.Timer(seconds, hard_exit, (code,))
    timer.daemon = True
    timer.start()
    return timer


def install_signals(leave: Callable[[int], None]) -> None:
    """Make SIGTERM and SIGHUP leave in order: `leave(code)` runs in the main thread, a watchdog behind it.

    SIGHUP is handled even where it was ignored at start (nohup), since nothing remains to be drawn on.
    """

    def handle(number: int, _frame: object) -> None:
        code = SIGTERM_CODE if number == signal.SIGTERM else SIGHUP_CODE
        arm_watchdog(code)
        leave(code)

    signal.signal(signal.SIGTERM, handle)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, handle)
