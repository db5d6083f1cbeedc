"""The demo's programs as child processes: started early, told when to begin, started again when they break.

A child reads its standard input from a pipe that only the demo holds, so it ends with the demo however the demo ends
(`backend.demo.tether`). Each runs in a session of its own: ctrl-c on the terminal is the demo's to hear.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from backend.clock import Clock
from backend.core.errors import InconsistentState
from backend.demo.belongings import Layout, Ports

log = logging.getLogger("mocdeck.demo")

START_SECONDS: Final = 60.0  # for a machine under load; the usual is below two
RESTART_SECONDS: Final = 3.0  # long enough to see the agent away
_LOOK_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.02
_END_SECONDS: Final = 8.0  # what is in flight may finish; then it is killed
_LISTENING: Final = re.compile(r"^listening on \S+:(\d+) \(data\) and :(\d+) \(sign-in\)$", re.MULTILINE)


class Child:
    """One program, e.g. `mocdeck agent run ...`; `spawn` it, let it `begin`, `end` it."""

    def __init__(self, layout: Layout, name: str) -> None:
        self._layout = layout
        self.name = name
        self.log = layout.logs / f"{name}.log"
        self.output = layout.logs / f"{name}.out"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 before the first start."""
        return 0 if self._process is None else self._process.pid

    def spawn(self, *arguments: str) -> None:
        """Start the process; it loads its modules and waits for `begin`."""
        command = [sys.executable, "-m", "backend.demo.tether", str(self._layout.root), *arguments]
        with self.output.open("wb") as output, self.log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, our own arguments
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                env={**os.environ, **self._layout.environment()},
                start_new_session=True,
            )

    def begin(self) -> None:
        """Let it run its command."""
        assert self._process is not None  # noqa: S101 - spawned before
        assert self._process.stdin is not None  # noqa: S101 - a pipe, as asked for
        with contextlib.suppress(BrokenPipeError):  # it broke already, which `code` tells
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return None if self._process is None else self._process.poll()

    def end(self) -> None:
        """Ask it to end, and kill it if it does not."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()


class Children:
    """Agent and clients of one demo. `keep` starts them again for as long as the demo lives."""

    def __init__(self, layout: Layout, clock: Clock) -> None:
        self._layout = layout
        self._clock = clock
        self._agent = Child(layout, "agent")
        self._clients = Child(layout, "clients")
        self._ending = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="demo-keeper", daemon=True)
        self._ports: Ports | None = None
        self._kept: tuple[Child, ...] = (self._agent, self._clients)

    def spawn(self) -> None:
        """Start both processes, which load their modules while the past is being made."""
        self._spawn_agent()
        self._clients.spawn("client", "run", "--manifest", str(self._layout.manifest))

    def begin_agent(self) -> None:
        """Let the agent open its store: the past is made."""
        self._agent.begin()

    def wait_for_agent(self) -> Ports:
        """Return the ports that the agent picked, once it answers.

        Raises:
            InconsistentState: it ended, or took too long; with the last line of its log.
        """
        deadline = self._clock.monotonic() + START_SECONDS
        while self._ports is None:
            found = _LISTENING.search(_text(self._agent.output))
            if found is not None:
                self._ports = Ports(data=int(found[1]), login=int(found[2]))
            elif self._agent.code is not None or self._clock.monotonic() > deadline:
                why = _text(self._agent.log).strip().rpartition("\n")[2] or "it said nothing"
                raise InconsistentState(f"the demo's agent did not start: {why}")
            else:
                self._ending.wait(_POLL_SECONDS)
        return self._ports

    def lose_agent(self) -> None:
        """Let the agent be away; whoever looks has to bring it up."""
        self._kept = (self._clients,)
        self._agent.end()
        log.info("the agent is away, as the drill wants it")

    def begin_clients(self) -> None:
        """Let the clients run: their files are there."""
        self._clients.begin()
        log.info("agent runs as process %d, the clients as process %d", self._agent.pid, self._clients.pid)

    def keep(self) -> None:
        """From now on start again what breaks."""
        self._keeper.start()

    def end(self) -> None:
        """End both and everything that keeps them."""
        self._ending.set()
        if self._keeper.is_alive():
            self._keeper.join()
        self._clients.end()
        self._agent.end()

    def _spawn_agent(self) -> None:
        ports = self._ports or Ports(data=0, login=0)
        self._agent.spawn(
            "agent",
            "run",
            "--simulated",
            "--directory",
            str(self._layout.agent),
            "--passphrase-file",
            str(self._layout.passphrase),
            "--host",
            "127.0.0.1",
            "--port",
            str(ports.data),
            "--auth-port",
            str(ports.login),
        )

    def _keep(self) -> None:
        while not self._ending.wait(_LOOK_SECONDS):
            for child in self._kept:
                if child.code is not None:
                    self._start_again(child)

    def _start_again(self, child: Child) -> None:
        log.warning("%s ended with code %s; it is started again in %.0f s", child.name, child.code, RESTART_SECONDS)
        if self._ending.wait(RESTART_SECONDS):
            return
        if child is self._agent:
            self._spawn_agent()
        else:
            child.spawn("client", "run", "--manifest", str(self._layout.manifest))
        child.begin()
        log.warning("%s was started again, as process %d", child.name, child.pid)


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""
