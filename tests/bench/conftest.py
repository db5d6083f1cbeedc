"""What benchmarks share: an agent's directory, programs beside this one, and the table that is printed at the end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.clock import SystemClock
from backend.core.model import Secret
from backend.service.bootstrap import init_agent
from backend.store.sqlite import open_store

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]  # floors.py, and the programs that end-to-end tests share
ROOT = HERE.parents[1]
PASSPHRASE = "correct horse battery staple"
Row = Callable[..., None]
_ROWS: list[tuple[str, str, str]] = []


@pytest.fixture
def row() -> Row:
    """Add a line to the table: what, how much, and beside what it is to be read."""

    def add(what: str, figure: str, beside: str = "") -> None:
        _ROWS.append((what, figure, beside))

    return add


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _ROWS:
        return
    widths = [max(len(line[column]) for line in _ROWS) for column in range(2)]
    terminalreporter.section("figures of this run, on this machine; ratios travel, figures do not")
    for what, figure, beside in _ROWS:
        terminalreporter.write_line(f"{what:<{widths[0]}}  {figure:>{widths[1]}}  {beside}".rstrip())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "agent"
    init_agent(
        made,
        passphrase=Secret(PASSPHRASE),
        fqdns=["127.0.0.1"],
        deployment="bench",
        clock=SystemClock(),
        open_store=open_store,
    )
    return made


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "MOCDECK_PASSPHRASE": PASSPHRASE, "GRPC_VERBOSITY": "NONE"}


@contextlib.contextmanager
def beside(name: str, order: dict[str, Any]) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A program that runs on beside the test; yields it with the first thing it said."""
    command = [sys.executable, str(HERE / "bench_programs.py"), name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(json.dumps(order) + "\n")  # not an argument: it holds tokens and keys
        program.stdin.flush()
        try:
            yield program, json.loads(program.stdout.readline())
        finally:
            program.terminate()
            program.wait(20)


def ran(name: str, order: dict[str, Any]) -> dict[str, Any]:
    """Run a program to its end; returns the last thing it said."""
    command = [sys.executable, str(HERE / "bench_programs.py"), name]
    done = subprocess.run(
        command,
        env=environment(),
        input=json.dumps(order) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def programs() -> tuple[Any, Any, Any]:
    return beside, ran, environment
