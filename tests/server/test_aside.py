"""Work on a thread that nobody waits for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from backend.core.errors import InconsistentState
from backend.server.aside import aside

ROOT = Path(__file__).parents[2]
HANGING = """
import asyncio, threading
from backend.server.aside import aside


async def main():
    hung = threading.Event()
    task = asyncio.create_task(aside(lambda: (hung.set(), threading.Event().wait()), name="share"))
    while not hung.is_set():
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


asyncio.run(main())
print("ended")
"""


async def test_what_the_work_returns_or_raises_comes_back() -> None:
    assert await aside(lambda: threading.current_thread().name, name="share") == "share"

    def fail() -> None:
        raise InconsistentState("no room")

    with pytest.raises(InconsistentState, match="no room"):
        await aside(fail, name="share")


async def test_what_comes_of_it_after_nobody_waits_any_more_is_dropped() -> None:
    begun, gate, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(10)
        ended.set()

    task = asyncio.create_task(aside(work, name="share"))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    assert await asyncio.to_thread(ended.wait, 10)


def test_a_program_ends_while_such_a_thread_hangs() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGING], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout == "ended\n"
    assert not ended.stderr
