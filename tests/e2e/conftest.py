"""A real agent on real sockets: born once a session, copied for each test, served in the test's own event loop."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.clock import SystemClock
from backend.core.model import Secret
from backend.server.app import Agent, Listening
from backend.service.bootstrap import init_agent
from backend.store.sqlite import open_store

sys.path.insert(0, str(Path(__file__).parent))  # moc_client.py, the foreign client that the tests share

PASSPHRASE = Secret("correct horse battery staple")


@dataclass(frozen=True, slots=True)
class RunningAgent:
    """A started agent and where its files lie."""

    directory: Path
    listening: Listening

    @property
    def admin_login(self) -> str:
        return (self.directory / "admin" / "login.yaml").read_text()


@pytest.fixture(scope="session")
def born(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("born") / "agent"
    init_agent(
        directory,
        passphrase=PASSPHRASE,
        fqdns=["127.0.0.1", "localhost"],
        deployment="testsite",
        clock=SystemClock(),
        open_store=open_store,
    )
    return directory


@pytest.fixture
async def agent(born: Path, tmp_path: Path) -> AsyncIterator[RunningAgent]:
    directory = tmp_path / "agent"
    shutil.copytree(born, directory)
    agent = Agent(directory, PASSPHRASE)
    listening = await agent.start(host="127.0.0.1", port=0, auth_port=0)
    yield RunningAgent(directory, listening)
    await agent.stop()
