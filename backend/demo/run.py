"""`mocdeck demo`: makes a site in a temporary directory, runs it, shows it, and removes it, whatever happens.

Owns the order of things and the end of them. The dashboard runs in this process, agent and clients in their own; what
any of them has to say goes to log files, as the screen belongs to the dashboard.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from backend.clock import SystemClock
from backend.core.model import Secret
from backend.demo.belongings import Layout, Ports, write_clients, write_context
from backend.demo.cast import CAST, DEPLOYMENT
from backend.demo.children import Children
from backend.demo.crowd import crowd
from backend.demo.past import LOOPBACK, seed
from backend.pki.files import write_atomic

log = logging.getLogger("mocdeck.demo")

PREFIX: Final = "mocdeck-demo-"
NO_TERMINAL: Final = 64
_WORTH_A_WORD: Final = 500  # clients from which on the making of the past takes more than a moment
_SIGNALS: Final = (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))


def main(*, headless: bool, clients: int, write: bool) -> int:
    """Run the demo until it is left or told to end; return the process's exit code.

    `clients` silent ones are added for scale. `write` False opens the dashboard read-only.

    Raises:
        AgentError: the site could not be made or started.
        OSError: the temporary directory cannot be written.
    """
    if not headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("mocdeck: the dashboard needs a terminal; use `mocdeck demo --headless` without one\n")
        return NO_TERMINAL
    with _told_to_end():
        try:
            with _directory() as layout, _log_to(layout), _running(layout, clients, headless=headless) as ports:
                return _stay(layout, ports) if headless else _show(layout, write=write)
        except KeyboardInterrupt:
            return 0


@contextlib.contextmanager
def _directory() -> Iterator[Layout]:
    """The demo's own directory, 0700; removed at the end, when nothing runs in it any more."""
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        layout = Layout(root=root)
        layout.make()
        yield layout
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _running(layout: Layout, clients: int, *, headless: bool) -> Iterator[Ports]:
    """The whole site, running. Processes load while the past is made, and the screen while the agent starts."""
    clock = SystemClock()
    children = Children(layout, clock)
    try:
        passphrase = Secret(secrets.token_urlsafe(32))
        write_atomic(layout.passphrase, passphrase.reveal().encode())
        children.spawn()
        if clients >= _WORTH_A_WORD:
            sys.stderr.write(f"mocdeck: making the past of {clients:,} more clients; this takes a while\n")
        stories = (*CAST, *crowd(clients))
        seeded = seed(
            layout.agent,
            passphrase,
            stories,
            start=clock.now(),
            login_path=lambda name: str(layout.login_file(name)),
        )
        children.begin_agent()
        if not headless:
            importlib.import_module("tui.__main__")
        ports = children.wait_for_agent()
        write_clients(layout, stories, seeded, ports)
        write_context(layout, seeded, ports)
        children.begin_clients()
        children.keep()
        yield ports
    finally:
        _be_deaf()
        children.end()


def _show(layout: Layout, *, write: bool) -> int:
    from tui.__main__ import run_dashboard

    return run_dashboard(write=write, simulated=True, environment=layout.environment())


def _stay(layout: Layout, ports: Ports) -> int:
    """Say how to reach the site, and wait until somebody ends it."""
    sys.stdout.write(
        f"SIMULATED site {DEPLOYMENT}: a demo, removed when it ends\n"
        f"agent: {LOOPBACK}:{ports.data} (data) and :{ports.login} (sign-in)\n"
        f"logs: {layout.logs}\n"
        f"look at it from another terminal:\n"
        f"  export MOCDECK_HOME={layout.home}\n"
        f"  mocdeck status\n"
        "end it with ctrl-c\n"
    )
    sys.stdout.flush()
    threading.Event().wait()
    return 0


@contextlib.contextmanager
def _log_to(layout: Layout) -> Iterator[None]:
    """Send every log record of this process to a file, so that none is written over the screen."""
    handler = logging.FileHandler(layout.logs / "demo.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root, level = logging.getLogger(), log.level
    root.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.setLevel(level)
        root.removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def _told_to_end() -> Iterator[None]:
    """SIGTERM and a lost terminal end the demo as ctrl-c does; afterwards they mean what they meant before."""
    numbers = (*_SIGNALS, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _be_deaf() -> None:
    """From here on everything is being removed, which takes seconds and must not be cut short."""
    for number in (*_SIGNALS, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
