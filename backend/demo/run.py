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
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from backend.clock import SystemClock
from backend.core.model import Secret
from backend.demo.belongings import Layout, Ports, write_clients, write_context
from backend.demo.cast import CAST, DEPLOYMENT, NEIGHBOURS, neighbour
from backend.demo.children import Children
from backend.demo.crowd import crowd
from backend.demo.drills import Drill
from backend.demo.past import LOOPBACK, seed
from backend.demo.stories import HEARTBEAT, Story
from backend.pki.files import write_atomic

log = logging.getLogger("mocdeck.demo")

PREFIX: Final = "mocdeck-demo-"
NO_TERMINAL: Final = 64
DRILL_HEARTBEAT: Final = timedelta(seconds=1)  # a drill is watched, and should not be waited for
_WORTH_A_WORD: Final = 500  # clients from which on the making of the past takes more than a moment
_SIGNALS: Final = (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))


def main(
    *,
    headless: bool,
    clients: int,
    write: bool,
    drill: Drill | None = None,
    sites: int = 1,
    record_to: Path | None = None,
    screen: Mapping[str, bool] | None = None,
) -> int:
    """Run the demo until it is left or told to end; return the process's exit code.

    `clients` silent ones are added for scale, to the first of `sites`. `write` False opens the dashboard read-only.
    With a `drill` the site is that one's, and its recipe is shown. `record_to` names a new file for the session,
    `screen` the dashboard's own options.

    Raises:
        AgentError: the site could not be made or started.
        OSError: the temporary directory cannot be written.
    """
    if not headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("mocdeck: the dashboard needs a terminal; use `mocdeck demo --headless` without one\n")
        return NO_TERMINAL
    with _told_to_end():
        try:
            stories = (*(CAST if drill is None else drill.stories), *crowd(clients))
            with (
                _directory() as layout,
                _log_to(layout),
                _running(layout, stories, drill, headless=headless) as ports,
                _neighbours(layout, sites - 1),
            ):
                recipe = "" if drill is None else _recipe(drill, layout, ports)
                return (
                    _stay(layout, ports, recipe)
                    if headless
                    else _show(layout, recipe, write=write, record_to=record_to, screen=screen)
                )
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
def _neighbours(first: Layout, count: int) -> Iterator[None]:
    """Further sites, small ones, each with its own agent and clients and a context beside the first one's."""
    with contextlib.ExitStack() as stack:
        for name in NEIGHBOURS[:count]:
            layout = Layout(root=first.root / "sites" / name, name=name, first=first)
            layout.make()
            stack.enter_context(_running(layout, neighbour(name), None, headless=True))
        yield


@contextlib.contextmanager
def _running(layout: Layout, stories: tuple[Story, ...], drill: Drill | None, *, headless: bool) -> Iterator[Ports]:
    """The whole site, running. Processes load while the past is made, and the screen while the agent starts."""
    clock = SystemClock()
    children = Children(layout, clock)
    try:
        passphrase = Secret(secrets.token_urlsafe(32))
        write_atomic(layout.passphrase, passphrase.reveal().encode())
        children.spawn()
        if len(stories) >= _WORTH_A_WORD:
            sys.stderr.write(f"mocdeck: making the past of {len(stories):,} clients; this takes a while\n")
        seeded = seed(
            layout.agent,
            passphrase,
            stories,
            start=clock.now(),
            login_path=lambda name: str(layout.login_file(name)),
            deployment=layout.name,
        )
        children.begin_agent()
        if not headless:
            importlib.import_module("tui.__main__")
        ports = children.wait_for_agent()
        heartbeat = HEARTBEAT if drill is None else DRILL_HEARTBEAT
        write_clients(layout, stories, seeded, ports, heartbeat=heartbeat)
        write_context(layout, seeded, ports)
        if drill is not None and drill.agent_is_away:
            children.lose_agent()
        children.begin_clients()
        children.keep()
        yield ports
    finally:
        _be_deaf()
        children.end()


def _recipe(drill: Drill, layout: Layout, ports: Ports) -> str:
    """What the drill is about, and the command lines that end it."""
    places = {
        "clients": str(layout.root / "clients"),
        "agent": str(layout.agent),
        "passphrase": str(layout.passphrase),
        "data": str(ports.data),
        "login": str(ports.login),
    }
    lines = [f"DRILL {drill.id}: {drill.title}", drill.symptom, "recipe, for another terminal:"]
    lines += [f"  export MOCDECK_HOME={layout.home}", *(f"  {line}" for line in drill.lines(places))]
    if any(step.line.endswith("&") for step in drill.recipe):
        lines.append("end what the recipe left running before you end the demo, or it writes to a site that is gone")
    return "\n".join(lines) + "\n"


def _show(
    layout: Layout, recipe: str, *, write: bool, record_to: Path | None, screen: Mapping[str, bool] | None
) -> int:
    from tui.__main__ import run_dashboard
    from tui.link_options import LinkOptions

    if recipe:  # the dashboard takes the whole screen
        sys.stdout.write(f"{recipe}enter opens the dashboard; what it can do by a key is in its NEXT STEP\n")
        sys.stdout.flush()
        sys.stdin.readline()
    return run_dashboard(
        write=write,
        simulated=True,
        environment=layout.environment(),
        record_to=record_to,
        options=LinkOptions(**(screen or {})),
    )


def _stay(layout: Layout, ports: Ports, recipe: str) -> int:
    """Say how to reach the site, and wait until somebody ends it."""
    sys.stdout.write(
        f"SIMULATED site {DEPLOYMENT}: a demo, removed when it ends\n"
        f"agent: {LOOPBACK}:{ports.data} (data) and :{ports.login} (sign-in)\n"
        f"logs: {layout.logs}\n"
        f"look at it from another terminal:\n"
        f"  export MOCDECK_HOME={layout.home}\n"
        f"  mocdeck status\n"
        f"{recipe}"
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
