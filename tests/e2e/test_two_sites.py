"""The dashboard on two real agents: one list, and one of them stopped and started again under it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.client.contexts import Context
from backend.client.operator import Operator
from backend.clock import SystemClock
from backend.core.facts import Overlay
from backend.core.model import Secret
from backend.server.app import Agent, Listening
from backend.service.bootstrap import init_agent
from backend.store.sqlite import open_store
from tui.app import MocdeckApp
from tui.lines import line_text
from tui.remote import RemoteGateway
from tui.snapshots import Snapshots
from tui.widgets.lines import Lines

PASSPHRASE = Secret("correct horse battery staple")
SECONDS = 40.0


class RealSite:
    """One agent below a directory, on the ports of its first start."""

    def __init__(self, parent: Path, name: str) -> None:
        self.name, self.directory, self.parent = name, parent / name, parent
        self.listening = Listening(host="127.0.0.1", port=0, auth_port=0)
        self.agent: Agent | None = None
        init_agent(
            self.directory,
            passphrase=PASSPHRASE,
            fqdns=["127.0.0.1"],
            deployment=name,
            clock=SystemClock(),
            open_store=open_store,
        )

    async def start(self) -> None:
        self.agent = Agent(self.directory, PASSPHRASE)
        at = self.listening
        self.listening = await self.agent.start(host=at.host, port=at.port, auth_port=at.auth_port)

    async def stop(self) -> None:
        if self.agent is not None:
            await self.agent.stop()
        self.agent = None

    def gateway(self) -> RemoteGateway:
        context = Context(
            name=f"to-{self.name}",
            address="127.0.0.1",
            cloudconfig=self.parent / f"{self.name}-operator" / "cloudconfig",
            port=self.listening.port,
            auth_port=self.listening.auth_port,
            login_file=self.directory / "admin" / "login.yaml",
        )
        return RemoteGateway(lambda: Operator.connect(context), context, self.parent / "state")


async def until(holds: Callable[[], bool], what: str) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + SECONDS
    while not holds():
        assert clock.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        await asyncio.sleep(0.05)


def head(app: MocdeckApp) -> str:
    return "\n".join(line_text(line) for line in app.deck.query_one("#head", Lines).lines)


def stale_sites(app: MocdeckApp) -> set[str]:
    found = [app.model.find(client) for client in app.model.order]
    return {client.site for client in found if client is not None and Overlay.STALE in client.judged.overlays}


@pytest.mark.timeout(180)
async def test_a_real_agent_that_stops_takes_only_its_own_rows_and_comes_back_by_itself(tmp_path: Path) -> None:
    north, south = RealSite(tmp_path, "north"), RealSite(tmp_path, "south")
    await north.start()
    await south.start()
    kept = Snapshots(tmp_path / "state")

    def dashboard() -> MocdeckApp:
        gateways = [north.gateway(), south.gateway()]
        return MocdeckApp(
            gateways, SystemClock(), write=False, ascii_only=True, state_dir=tmp_path / "state", snapshots=kept
        )

    try:
        app = dashboard()
        async with app.run_test(size=(140, 40)):
            await until(lambda: app.model.complete and app.model.total == 2, "both administrators in one list")
            await until(lambda: "north 1" in head(app) and "south 1" in head(app), "both sites in the header")
            assert stale_sites(app) == set()
            await south.stop()
            await until(lambda: "south AWAY" in head(app), "south is away")
            assert stale_sites(app) == {"south"}
            await south.start()
            await until(lambda: not stale_sites(app) and "AWAY" not in head(app), "south is back")
        await south.stop()
        again = dashboard()
        async with again.run_test(size=(140, 40)):
            assert again.model.total == 2  # from what was kept, before any agent answered
            await until(lambda: stale_sites(again) == {"south"}, "north has answered, south has not")
            assert "CACHED" in head(again)
    finally:
        await north.stop()
        await south.stop()
