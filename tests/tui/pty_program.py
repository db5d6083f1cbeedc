"""The dashboard on a staged agent, started as a program of its own by the tests that need a real terminal.

`pty_program MODE STATE_DIR [CLIENTS] [OPTION...]`: `crash` makes a key raise with secrets in its locals and in its
message; `fleet` shows that many clients of the reference kind; `hostile` shows clients with hostile names.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from backend.clock import SystemClock
from backend.core.fleet import FleetDelta, unix
from tests.tui.staged_agent import DAY, HOSTILE, NOW, SEEDS, Seed, StagedAgent, snapshot
from tui.app import MocdeckApp, run
from tui.link_options import LinkOptions

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJuYW1lIjoiY2FuYXJ5In0.c2lnbmF0dXJlLWNhbmFyeQ"


def crash(_: MocdeckApp) -> None:
    """Fail while a token is at hand."""
    token = TOKEN
    raise RuntimeError(f"could not read {token}")


def fleet(size: int) -> list[Seed]:
    """A fleet of the reference kind: a few clients below an hour, the rest far from any boundary."""
    return [
        Seed(
            name=f"csi-{n:06}", left=timedelta(minutes=5 * n + 3) if n < 8 else timedelta(hours=20 * n), token=80 * DAY
        )
        for n in range(size)
    ]


class BeatingAgent(StagedAgent):
    """One whose time goes on, and that gives a sign of life every two seconds, as a real agent does."""

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        began = time.monotonic()
        if not since:
            yield snapshot(self.seeds)
        while True:
            await asyncio.sleep(2.0)
            at = NOW + timedelta(seconds=time.monotonic() - began)
            yield FleetDelta(change=1, agent_time=unix(at), last=True)


def main(mode: str, state_dir: str, *rest: str) -> int:
    """Run the dashboard; return its exit code."""
    if mode == "crash":
        setattr(MocdeckApp, "cmd_reload", crash)  # noqa: B010 - one handler is made to fail
    seeds = fleet(int(rest[0])) if mode == "fleet" else list(SEEDS)
    if mode == "hostile":
        seeds = [Seed(name=name, left=9 * DAY, token=60 * DAY, cluster=name) for name in HOSTILE]
    options = LinkOptions(slow="slow" in rest, diff="plain" not in rest, accessible="accessible" in rest)
    return run(
        BeatingAgent(seeds), SystemClock(), write=True, state_dir=Path(state_dir), options=options,
        mouse="mouseless" not in rest,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
