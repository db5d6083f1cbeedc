"""A fork server for programs that are to be killed: everything is imported once, each life is one fork away.

Reads one JSON order a line from standard input and writes one JSON event a line to standard output: `agent`, `clients`
and `callers` answer with a pid (an agent adds its ports once it serves), `kill` answers when the process is gone. It is
the parent of all it kills, so a pid can never be somebody else's. Its end is the end of all of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from callers import Tally, call_by_file, live_as_moc
from lab import PASSPHRASE, HurriedClock
from moc_client import MocClient
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


async def run_callers(order: dict[str, Any], clock: HurriedClock) -> None:
    """Call for ever with what the clients' files hold, and as raw MOC clients; the tallies go to a file each second."""
    tallies = {name: Tally(name) for name in [*order["names"], *order["raw"]]}
    directory, address = Path(order["directory"]), f"127.0.0.1:{order['port']}"
    rng = random.Random(os.getpid())  # noqa: S311 - spreads renewals, no secret
    works = [
        call_by_file(directory / name / "cloudconfig", address, tallies[name], every=order["every"])
        for name in order["names"]
    ]
    for name in order["raw"]:
        text = (directory / name / "login.yaml").read_text()
        client = MocClient.from_login_yaml(text, host="127.0.0.1", port=order["port"], auth_port=order["auth_port"])
        every, renews = order["every"], order["renews"]
        works.append(live_as_moc(client, tallies[name], every=every, renews=renews, rng=rng))
    works.append(_report(Path(order["tally"]), tallies))
    await asyncio.gather(*works)


async def _report(path: Path, tallies: dict[str, Tally]) -> None:
    while True:
        found = {name: [one.made, one.failed] for name, one in tallies.items()}
        scratch = path.with_suffix(".new")
        scratch.write_text(json.dumps(found))
        scratch.replace(path)
        await asyncio.sleep(1)


PROGRAMS = {"agent": run_agent, "clients": run_clients, "callers": run_callers}


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
        pid = start(PROGRAMS[order["do"]](order, clock))
        living.add(pid)
        tell(pid=pid, started=order["do"])
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    serve()
