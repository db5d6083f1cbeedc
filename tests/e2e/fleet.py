"""A fleet in processes of its own: an agent, hundreds of clients in two of them, and clients that misfortune will meet.

Everything is forked from one program (`chaos_programs.py`), talks over real TLS sockets and shares one hurried clock,
unless a client is given a clock that is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from lab import HurriedClock, Lab

from backend.server.app import Listening

HERE = Path(__file__).parent


class Fleet:
    """The fork server and the lives below it."""

    def __init__(self, lab: Lab, process: asyncio.subprocess.Process) -> None:
        self._lab = lab
        self._process = process
        self._deaths: list[dict[str, Any]] = []

    async def _event(self, seconds: float = 30) -> dict[str, Any]:
        assert self._process.stdout is not None
        event: dict[str, Any] = json.loads(await asyncio.wait_for(self._process.stdout.readline(), seconds))
        return event

    async def _start(self, clock: HurriedClock, **order: Any) -> int:
        at = self._lab.listening
        words = {**order, "clock": [clock.began, clock.at, clock.speed], "port": at.port, "auth_port": at.auth_port}
        assert self._process.stdin is not None
        self._process.stdin.write((json.dumps(words) + "\n").encode())
        await self._process.stdin.drain()
        return int((await self._event())["pid"])

    async def start_agent(self, *, met: Mapping[str, Iterable[str]] | None = None) -> int:
        """Start the agent and wait until it serves; with `met` it dies at its next new boundary (`mortal.py`)."""
        more = {} if met is None else {"met": {moment: sorted(words) for moment, words in met.items()}}
        pid = await self._start(self._lab.clock, do="agent", directory=str(self._lab.directory), **more)
        event = await self._event()
        if "ports" not in event:  # it died before it served
            self._deaths.append(event)
            return pid
        ports = event["ports"]
        self._lab.listening = Listening(host="127.0.0.1", port=ports[0], auth_port=ports[1])
        return pid

    async def death(self, pid: int, *, seconds: float) -> tuple[str, list[str]] | None:
        """Wait until the agent has died; return when, and what it had written last. None: it lives."""
        try:
            event = self._deaths.pop() if self._deaths else await self._event(seconds)
        except TimeoutError:
            return None
        assert (event["pid"], "died" in event) == (pid, True), event
        assert await self._order(do="kill", pid=pid) == {"pid": pid, "was_killed": True}
        return event["died"], event["at"]

    async def kill(self, pid: int) -> None:
        """End a program at once."""
        await self._order(do="kill", pid=pid)

    async def _order(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write((json.dumps(order) + "\n").encode())
        await self._process.stdin.drain()
        return await self._event()

    async def start_clients(self, names: Sequence[str], *, heartbeat: int, clock_off: timedelta = timedelta(0)) -> int:
        """Let clients live in a process of their own; return its pid."""
        clock = self._lab.clock
        theirs = HurriedClock(clock.began, clock.at + int(clock_off.total_seconds()), clock.speed)
        directory = str(self._lab.parent)
        return await self._start(theirs, do="clients", directory=directory, names=list(names), heartbeat=heartbeat)

    async def start_callers(
        self, names: Sequence[str], raw: Sequence[str], tally: Path, *, every: float, renews: float
    ) -> int:
        """Call all the time for these clients, and as raw MOC clients, in a process of its own; return its pid."""
        directory = str(self._lab.parent)
        return await self._start(
            self._lab.clock,
            do="callers",
            directory=directory,
            names=list(names),
            raw=list(raw),
            tally=str(tally),
            every=every,
            renews=renews,
        )

    async def close(self) -> None:
        """End all of it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


@contextlib.asynccontextmanager
async def fleet(lab: Lab) -> AsyncIterator[Fleet]:
    """Start the fork server; its end is the end of everything below it."""
    root = HERE.parents[1]
    with (lab.parent / "programs.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "chaos_programs.py"),
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    made = Fleet(lab, process)
    try:
        yield made
    finally:
        await made.close()


def freeze(pid: int) -> None:
    """Stop a process as a hung node would: its connections stay open and nothing answers."""
    os.kill(pid, signal.SIGSTOP)


class Disk:
    """A small file system of a client's own, where this user may mount one; a limit on file sizes elsewhere.

    On the first a write fails with ENOSPC, under the second with EFBIG.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(directory)]
        self.is_mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0

    def fill(self, pid: int) -> str:
        """Leave no room to the process that writes here; return what its writes will say."""
        if not self.is_mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return os.strerror(errno.EFBIG)
        with contextlib.suppress(OSError), (self.directory / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        return os.strerror(errno.ENOSPC)

    def close(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.directory)], check=True)
