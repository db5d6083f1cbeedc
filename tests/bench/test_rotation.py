"""How long a CA rotation takes: with overlap from start to distrust, and the outage of the disruptive one per client.

A real agent and MOCDECK_BENCH_CLIENTS (1,000) real clients in processes of their own, with a heartbeat of ten seconds,
on the real clock. Beside them the issuing floor of the same run: what OpenSSL's signing and our own issuing cost alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fleet import Fleet, fleet
from floors import Paper, rate
from lab import DEPLOYMENT, HurriedClock, Lab, birth

from backend.client.operator import Operator
from backend.clock import SystemClock
from backend.core.errors import AgentError
from backend.wire.mocdeck.v1 import authority_pb2

CLIENTS = int(os.environ.get("MOCDECK_BENCH_CLIENTS", "1000"))
HEARTBEAT = 10
LIMIT = 1200.0
Row = Callable[..., None]


async def populate(lab: Lab, operator: Operator, programs: Fleet) -> None:
    names = [f"client-{number:04}" for number in range(CLIENTS)]
    for name in names:
        await lab.enroll(operator, name)
    for half in (names[::2], names[1::2]):
        await programs.start_clients(half, heartbeat=HEARTBEAT)
    async with asyncio.timeout(LIMIT):
        while True:
            plan = await operator.plan_rotation("overlap")
            if plan.by_itself == CLIENTS:
                return
            await asyncio.sleep(2)


async def run(operator: Operator, kind: str, end: str) -> tuple[dict[str, float], authority_pb2.Rotation]:
    plan = await operator.plan_rotation(kind, automatic=kind == "overlap")
    await operator.start_rotation(plan.id, plan.hash, deployment=DEPLOYMENT, reason="bench", origin="cli")
    began, phases = time.perf_counter(), {}
    while time.perf_counter() - began < LIMIT:
        with contextlib.suppress(AgentError):
            found = await operator.rotation()
            phases.setdefault(found.phase, time.perf_counter() - began)
            if found.phase == end:
                return phases, found
        await asyncio.sleep(0.5)
    pytest.fail(f"{kind}: not {end} within {LIMIT} s: {phases}")


@pytest.mark.bench
@pytest.mark.timeout(3600)
async def test_the_length_of_a_rotation_and_the_outage_of_a_disruptive_one(tmp_path: Path, row: Row) -> None:
    floor = rate(Paper().sign)
    row("issuing floor, one core", f"{floor:,.0f}/s", f"{CLIENTS:,} certificates cost {CLIENTS / floor:.1f} s of it")
    lab = Lab(tmp_path, HurriedClock(time.monotonic(), int(SystemClock().now().timestamp()), 1.0))
    birth(lab.directory, lab.clock)
    async with fleet(lab) as programs:
        await programs.start_agent()
        async with await lab.operator() as operator:
            await populate(lab, operator, programs)
            phases, last = await run(operator, "overlap", "distrusted")
            took, probes = phases["distrusted"], sum(one.made for one in last.probes)
            steps = ", ".join(f"{phase} {at:.0f}" for phase, at in phases.items())
            row(
                f"rotation with overlap, {CLIENTS:,} clients",
                f"{took:.0f} s",
                f"{took / HEARTBEAT:.1f} heartbeats: {steps}",
            )
            row("  probes as the truth table says", f"{probes:,}", "0 clients without the agent")
            await asyncio.sleep(2 * HEARTBEAT)
            await operator.destroy_authority(1, DEPLOYMENT)
            phases, last = await run(operator, "disruptive", "done")
            gaps = sorted(one.returned_at - one.lost_at for one in last.clients if one.returned_at and one.lost_at)
            row(
                f"disruptive rotation, {len(gaps):,} clients back",
                f"{phases['done']:.0f} s",
                f"heartbeat {HEARTBEAT} s",
            )
            figures = f"{gaps[len(gaps) // 2]} / {gaps[len(gaps) * 99 // 100]} / {gaps[-1]} s"
            row("  outage p50 / p99 / max", figures, "from the last good call to the first")
