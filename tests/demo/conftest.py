"""A seeded past to look into, and a whole demo as a user starts it: `mocdeck demo --headless` in its own process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backend.client.contexts import find_places, read_contexts
from backend.client.operator import Operator
from backend.clock import ManualClock, SystemClock
from backend.core.model import Secret
from backend.demo.cast import CAST
from backend.demo.crowd import crowd
from backend.demo.past import Seeded, seed
from backend.demo.stories import Story
from backend.service.bootstrap import STORE_FILE, open_world
from backend.service.world import World
from backend.store.port import Store
from backend.store.sqlite import open_store

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CROWD = 70
PASSPHRASE = Secret("a passphrase of the tests")


@dataclass(frozen=True)
class Past:
    """A seeded site as its agent would open it at the demo's start."""

    seeded: Seeded
    world: World
    store: Store
    stories: dict[str, Story]


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    root = tmp_path_factory.mktemp("past")
    directory = root / "agent"
    stories = (*CAST, *crowd(CROWD))
    seeded = seed(
        directory, PASSPHRASE, stories, start=START, login_path=lambda name: str(root / "clients" / name / "login.yaml")
    )
    world = open_world(directory, passphrase=PASSPHRASE, clock=ManualClock(START), simulated=True)
    store = open_store(directory / STORE_FILE)
    try:
        yield Past(seeded=seeded, world=world, store=store, stories={story.name: story for story in stories})
    finally:
        store.close()


@dataclass
class Demo:
    """A headless demo that is ready. `said` is what it printed."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """Its MOCDECK_HOME, as printed."""
        return Path(re.search(r"MOCDECK_HOME=(\S+)", "".join(self.said))[1])  # type: ignore[index]

    @property
    def root(self) -> Path:
        """Its temporary directory."""
        return self.home.parent

    @property
    def log(self) -> str:
        """Its own log."""
        return (self.root / "log" / "demo.log").read_text()

    @property
    def children(self) -> dict[str, int]:
        """Process ids of agent and clients, the latest."""
        first = re.search(r"agent runs as process (\d+), the clients as process (\d+)", self.log)
        assert first is not None
        pids = {"agent": int(first[1]), "clients": int(first[2])}
        for name, pid in re.findall(r"(\w+) was started again, as process (\d+)", self.log):
            pids[name] = int(pid)
        return pids

    def mocdeck(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line against it."""
        return subprocess.run(
            [sys.executable, "-m", "backend.cli", *arguments],
            env={**os.environ, "MOCDECK_HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def fleet(self) -> dict[str, dict[str, Any]]:
        """Every client as `mocdeck status` tells it, by name."""
        told = self.mocdeck("status", "--output", "json")
        assert told.stdout, told.stderr
        return {client["name"]: client for client in json.loads(told.stdout)["clients"]}

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[Operator]:
        """The operator's API on its context."""
        places = find_places({"MOCDECK_HOME": str(self.home)})
        async with await Operator.connect(read_contexts(places.config_file).get()) as operator:
            yield operator

    async def until(self, holds: Any, *, seconds: float = 30.0) -> Any:
        """Wait for something to become true of real processes, and return it."""
        clock = SystemClock()
        deadline = clock.monotonic() + seconds
        while not (found := holds()):
            assert clock.monotonic() < deadline, f"not within {seconds} s; the demo says:\n{self.log}"
            await clock.sleep(0.2)
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


Launching = tuple[Callable[..., subprocess.Popen[str]], Callable[..., AbstractContextManager[Demo]]]


def launch(*options: str) -> subprocess.Popen[str]:
    """Start a headless demo and do not wait for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "demo", "--headless", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@contextmanager
def started(process: subprocess.Popen[str] | None = None) -> Iterator[Demo]:
    process = process or launch()
    demo = Demo(process)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            demo.said.append(line)
            if "ctrl-c" in line:
                break
        assert process.poll() is None, "".join(demo.said)
        yield demo
    finally:
        if process.poll() is None:
            demo.end()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def launching() -> Launching:
    """How to start a demo with options, and how to wait for one that was started."""
    return launch, started


@pytest.fixture
def demo() -> Iterator[Demo]:
    """A demo of this test alone."""
    with started() as running:
        yield running


@pytest.fixture(scope="module")
def shared_demo() -> Iterator[Demo]:
    """A demo for the tests of one file that leave it as it is."""
    with started() as running:
        yield running
