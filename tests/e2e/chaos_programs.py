"""A fork server for programs that are to be killed: everything is imported once, each life is one fork away.

Reads one JSON order a line from standard input and writes one JSON event a line to standard output: `agent` and
`clients` answer with a pid (an agent adds its ports once it serves), `kill` answers when the process is gone. It is the
parent of all it kills, so a pid can never be somebody else's. Its end is the end of all of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from lab import PASSPHRASE, HurriedClock
from mortal import MortalStore

from backend.client.runner import Runner
from backend.client.settings import RunnerSettings
from backend.core.limits import HEARTBEAT
from backend.server import app
from backend.server.app import Agent
from backend.server.logs import configure


def tell(**event: Any) -> None:
    os.write(1, (json.dumps(event) + "\n").encode())  # one write: lines of several processes do not mix


async def run_agent(order: dict[str, Any], clock: HurriedClock) -> None:
    if "met" in order:  # in this life only: the fork server itself opens no store
        app.open_store = lambda path: MortalStore(path, order["met"], tell)  # type: ignore[assignment, return-value]
    agent = Agent(Path(order["directory"]), PASSPHRASE, clock=clock)
    at = await agent.start(host="127.0.0.1", port=order["port"], auth_port=order["auth_port"])
    tell(pid=os.getpid(), ports=[at.port, at.auth_port])
    await asyncio.Event().wait()


async def run_clients(order: dict[str, Any], clock: HurriedClock) -> None:
    runners = []
    heartbeat = timedelta(seconds=order["heartbeat"]) if "heartbeat" in order else HEARTBEAT
    for name in order["names"]:
        home = Path(order["directory"]) / name
        settings = RunnerSettings(
            access_file=home / "cloudconfig",
            login_file=home / "login.yaml",
            address="127.0.0.1",
            port=order["port"],
            auth_port=order["auth_port"],
            heartbeat=heartbeat,
        )
        runners.append(Runner(settings, clock))
    await asyncio.gather(*(runner.run() for runner in runners))


def start(program: Coroutine[Any, Any, None]) -> int:
    pid = os.fork()
    if pid:
        program.close()
        return pid
    os.close(0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = 1
    try:
        asyncio.run(program)
    finally:
        os._exit(code)  # whoever ends by itself has failed: these programs run until they are killed


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    tell(pid=pid, was_killed=os.WIFSIGNALED(status))


def serve() -> None:
    configure("text")
    living: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "kill":
            living.discard(order["pid"])
            end(order["pid"])
            continue
        clock = HurriedClock(*order["clock"])
        program = run_agent if order["do"] == "agent" else run_clients
        pid = start(program(order, clock))
        living.add(pid)
        tell(pid=pid, started=order["do"])
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    serve()
