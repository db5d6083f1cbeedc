"""A site in one process: an agent, its operator and living clients, all on real sockets and on one hurried clock.

The hurried clock lets heartbeats, retries and patience pass thirty times as fast; certificates live for days, so TLS,
which reads the machine's own clock, sees nothing of it. The clock is the same in every process of a test.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backend.client.access_file import AccessFile, read_access_file
from backend.client.contexts import Context
from backend.client.login_file import LoginFile, write_login_file
from backend.client.operator import Operator
from backend.client.runner import Runner
from backend.client.settings import RunnerSettings
from backend.clock import Clock, SystemClock
from backend.core.model import Secret
from backend.server.app import Agent, Listening
from backend.service.bootstrap import init_agent
from backend.store.sqlite import open_store
from backend.wire.moc import common_pb2, identity_pb2

PASSPHRASE = Secret("correct horse battery staple")
DEPLOYMENT = "north"
SPEED = 30.0
HEADSTART = timedelta(hours=1)  # behind the machine's clock, so that hurrying does not lead into TLS's future


class HurriedClock:
    """Time that runs `speed` times as fast from one common beginning; all processes agree on it."""

    def __init__(self, began: float, at: int, speed: float = SPEED) -> None:
        self.began, self.at, self.speed = began, at, speed

    @classmethod
    def begin(cls, speed: float = SPEED) -> HurriedClock:
        return cls(time.monotonic(), int((SystemClock().now() - HEADSTART).timestamp()), speed)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at + int((time.monotonic() - self.began) * self.speed), UTC)

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)


def birth(directory: Path, clock: Clock) -> None:
    init_agent(
        directory,
        passphrase=PASSPHRASE,
        fqdns=["127.0.0.1"],
        deployment=DEPLOYMENT,
        clock=clock,
        open_store=open_store,
    )


@contextlib.contextmanager
def store_of(directory: Path) -> Iterator[sqlite3.Connection]:
    """Look into an agent's store from outside, without a lock on it."""
    connection = sqlite3.connect(f"file:{directory / 'store.db'}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def issuing_generations(directory: Path) -> list[int]:
    with store_of(directory) as store:
        found = store.execute("select generation from authorities where status = 'issuing'").fetchall()
    return [generation for (generation,) in found]


def phase_of(directory: Path) -> str:
    """The phase of the last rotation, or "" when there was none."""
    with store_of(directory) as store:
        found = store.execute("select phase from rotations order by started_at desc limit 1").fetchone()
    return "" if found is None else str(found[0])


class Lab:
    """One site below a directory."""

    def __init__(self, parent: Path, clock: HurriedClock) -> None:
        self.clock = clock
        self.parent = parent
        self.directory = parent / "agent"
        self.listening = Listening(host="127.0.0.1", port=0, auth_port=0)
        self.agent: Agent | None = None
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, clock: Clock | None = None) -> None:
        """Start the agent, on the ports of last time."""
        self.agent = Agent(self.directory, PASSPHRASE, clock=clock or self.clock)
        at = self.listening
        self.listening = await self.agent.start(host=at.host, port=at.port, auth_port=at.auth_port)

    async def stop(self) -> None:
        if self.agent is not None:
            await self.agent.stop()
        self.agent = None

    def context(self) -> Context:
        return Context(
            name="lab",
            address="127.0.0.1",
            cloudconfig=self.parent / "operator" / "cloudconfig",
            port=self.listening.port,
            auth_port=self.listening.auth_port,
            login_file=self.directory / "admin" / "login.yaml",
        )

    async def operator(self) -> Operator:
        return await Operator.connect(self.context(), clock=self.clock)

    def login_path(self, name: str) -> Path:
        return self.parent / name / "login.yaml"

    def settings(self, name: str) -> RunnerSettings:
        return RunnerSettings(
            access_file=self.parent / name / "cloudconfig",
            login_file=self.login_path(name),
            address="127.0.0.1",
            port=self.listening.port,
            auth_port=self.listening.auth_port,
        )

    async def enroll(self, operator: Operator, name: str, **fields: Any) -> identity_pb2.Identity:
        """Make an identity and bring its login file to the client by hand."""
        entry = identity_pb2.Identity(name=name, clientType=common_pb2.CONTROLPLANE, **fields)
        made = await operator.put_identity(entry)
        self.login_path(name).parent.mkdir(exist_ok=True)
        bundle = (await operator.authorities()).bundle_pem
        write_login_file(self.login_path(name), LoginFile(name=name, token=Secret(made.token), trust_pem=bundle))
        return made

    def run(self, name: str) -> None:
        """Let the client live from now on."""
        runner = Runner(self.settings(name), self.clock)
        self.tasks[name] = asyncio.create_task(runner.run(), name=name)

    def access(self, name: str) -> AccessFile:
        return read_access_file(self.settings(name).access_file)

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        await self.stop()
