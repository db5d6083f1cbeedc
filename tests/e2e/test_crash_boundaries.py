"""kill -9 of a real agent at every boundary between steps of an operation on 40 clients (issue 3, "Shown by").

Each life of the agent ends at the next boundary that is new to it, first before its commit and, met again, after it
(`mortal.py`): undone and done anew, then done with its answer lost. The clients are real, in a process of
their own, over TLS. MOCDECK_CRASH_CLIENTS sets how many; two in the normal run, 40 in `make chaos`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from fleet import Fleet, fleet
from lab import HurriedClock, Lab, birth, store_of
from mortal import AFTER, BEFORE

from backend.clock import SystemClock
from backend.core.errors import AgentError
from backend.core.plan import ActionKind
from backend.core.update import UpdateScope
from backend.wire.convert.statuses import tags_message

CLIENTS = int(os.environ.get("MOCDECK_CRASH_CLIENTS", "2"))
SPEED = 12.0
HEARTBEAT = 12  # of the hurried clock: a real second
DISTANT = timedelta(hours=12)  # behind the machine's clock, which TLS reads
KINDS = ("NodeAgent", "KVA", "CSI", "CAPH", "CloudProvider")
# The steps that each client takes: ordered, told of its token, token stored, certificate issued, in use. How it comes
# to the certificate is its own choice: with the new token it signs in, or it takes the order to renew.
STEPS = ("target-ordered", "take_token-put", "take_token-told", "take_token-done", "certificate", "target-done")


@pytest.fixture
async def lab(tmp_path: Any) -> Lab:
    clock = HurriedClock(time.monotonic(), int((SystemClock().now() - DISTANT).timestamp()), SPEED)
    made = Lab(tmp_path, clock)
    birth(made.directory, clock)
    return made


@pytest.fixture
async def programs(lab: Lab) -> AsyncIterator[Fleet]:
    async with fleet(lab) as made:
        yield made


def given(lab: Lab) -> tuple[Counter[int], Counter[int]]:
    """How many certificates and tokens each identity was ever given."""
    with store_of(lab.directory) as store:
        # What a client gets by itself after its turn, while its calls are cut off again and again, is its own doing.
        own = (
            "select c.identity_number from certificates c left join targets t on t.identity_number = c.identity_number"
        )
        certificates = Counter(
            number for (number,) in store.execute(f"{own} where t.ended_at is null or c.issued_at <= t.ended_at")
        )
        tokens = Counter(number for (number,) in store.execute("select identity_number from tokens"))
    return certificates, tokens


def targets_of(lab: Lab) -> dict[int, tuple[str, str]]:
    """State and new serial of each target, as they lie on the disk."""
    with store_of(lab.directory) as store:
        rows = store.execute("select identity_number, state, coalesce(new_serial, '') from targets").fetchall()
    return {number: (state, str(serial)) for number, state, serial in rows}


def state_of(lab: Lab) -> str:
    """The operation's state; "" before it has begun."""
    with store_of(lab.directory) as store:
        found = store.execute("select state from operations").fetchone()
    return "" if found is None else str(found[0])


async def populate(lab: Lab, programs: Fleet) -> set[str]:
    """Enrol everybody, let all of them live, and return once each is heard."""
    async with await lab.operator() as operator:
        await operator.put_cluster("mgmt", management=True)
        names = {f"client-{number:02}": KINDS[number % len(KINDS)] for number in range(CLIENTS)}
        for name, kind in names.items():
            tags = tags_message({"mocdeck.kind": kind, "mocdeck.cluster": "mgmt"})
            await lab.enroll(operator, name, tags=tags)
    await programs.start_clients(list(names), heartbeat=HEARTBEAT)
    async with asyncio.timeout(60):
        heard = 0
        while heard < CLIENTS:
            await asyncio.sleep(0.1)
            with store_of(lab.directory) as store:
                heard = store.execute("select count(*) from heartbeats where interval = ?", (HEARTBEAT,)).fetchone()[0]
    return set(names)


async def begin(lab: Lab) -> None:
    """Order the update until it has begun; the agent may die over it, and then only the store knows."""
    while not targets_of(lab):
        with contextlib.suppress(AgentError):
            async with await lab.operator() as operator:
                # One at a time: clients back off while the agent is away, and each has only two minutes' patience.
                plan = await operator.plan(ActionKind.UPDATE, (), force=True, reason="OPS-40", update=UpdateScope())
                if all(target.route == "heartbeat" for target in plan.targets if target.runs):  # everybody is heard
                    await operator.start(plan.id, plan.hash, origin="cli")
        await asyncio.sleep(0.2)


async def resume(lab: Lab) -> None:
    """Let the operation go on: on a busy machine a client may back off for longer than the agent waits for it."""
    while state_of(lab) == "failed":
        with contextlib.suppress(AgentError):
            async with await lab.operator() as operator:
                [operation] = await operator.operations()
                plan = await operator.plan_resumption(operation.id)
                if all(target.route == "heartbeat" for target in plan.targets if target.runs):
                    await operator.start(plan.id, plan.hash, origin="cli")
        await asyncio.sleep(0.2)


class Lives:
    """What was seen over all lives: boundaries by the moment of death, and what had ended by then."""

    def __init__(self) -> None:
        self.count = 0
        self.met: dict[str, set[str]] = {BEFORE: set(), AFTER: set()}
        self.done: dict[int, tuple[str, str]] = {}
        self.failed: set[int] = set()  # at some time: these were tried again

    def note(self, moment: str, written: list[str]) -> None:
        self.count += 1
        self.met[moment].update(written)

    def check(self, lab: Lab) -> None:
        """What was done stays as it is, whatever the next life does."""
        now = targets_of(lab)
        for number, end in self.done.items():
            assert now[number] == end, f"client {number} was {end} and is {now[number]}"
        self.done |= {number: found for number, found in now.items() if found[0] == "done"}
        self.failed |= {number for number, found in now.items() if found[0] == "failed"}

    def steps(self, moment: str) -> Counter[str]:
        """How many clients' boundaries of each kind were met at a moment."""
        return Counter(words.split()[0] for words in self.met[moment])


async def live_and_die(lab: Lab, programs: Fleet) -> Lives:
    """Let the agent die at every boundary until the operation has ended."""
    lives = Lives()
    while state_of(lab) != "done":
        lives.check(lab)
        pid = await programs.start_agent(met=lives.met)
        ordering = asyncio.create_task(resume(lab) if state_of(lab) == "failed" else begin(lab))
        death = None
        while death is None and (state_of(lab) != "done" and (state_of(lab) != "failed" or not ordering.done())):
            death = await programs.death(pid, seconds=1)
        ordering.cancel()
        await asyncio.gather(ordering, return_exceptions=True)
        if death is None:
            await programs.kill(pid)
            continue
        lives.note(*death)
        lives.check(lab)
    return lives


@pytest.mark.chaos
@pytest.mark.timeout(120 + 60 * CLIENTS)
async def test_killed_at_every_boundary_it_resumes_touches_nobody_twice_and_adds_up(
    lab: Lab, programs: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    first = await programs.start_agent()
    names = await populate(lab, programs)
    before = given(lab)
    await programs.kill(first)
    began = time.monotonic()

    lives = await live_and_die(lab, programs)

    await programs.start_agent()
    async with await lab.operator() as operator:
        [operation] = await operator.operations()
        counts = (operation.done, operation.failed, operation.running, operation.waiting, operation.skipped)
        ends = {target.name: target.result for target in operation.targets if target.state != "done"}
        assert (operation.state, counts, operation.total) == ("done", (CLIENTS, 0, 0, 0, 0), CLIENTS), (ends,)
        assert {target.name for target in operation.targets} == names
        assert all("is in use" in target.result for target in operation.targets)
        verdict = await operator.verify_audit()
        assert verdict.intact, verdict.why
    certificates, tokens = given(lab)
    for number in targets_of(lab):
        new = certificates[number] - before[0][number]
        assert new == 1 or (new == 2 and number in lives.failed), f"client {number} was given {new} certificates"
        made = tokens[number] - before[1][number]
        lost = f"take_token-told {number}" in lives.met[AFTER]
        again = number in lives.failed
        assert 1 <= made <= 1 + lost + again, f"client {number} was given {made} tokens: one, and one where it was lost"
    for moment in (BEFORE, AFTER):
        steps = lives.steps(moment)
        each = {step: steps[step] for step in STEPS}
        assert each == dict.fromkeys(STEPS, CLIENTS), (moment, each)
        assert steps["operation-add"] == 1
    with capsys.disabled():
        print(  # noqa: T201 - what a run of this test did is part of its worth
            f"\n{CLIENTS} clients, {lives.count} lives in {time.monotonic() - began:.0f} s, "
            f"{len(lives.failed)} tried again; "
            f"boundaries, each met before and after its commit: {dict(sorted(lives.steps(AFTER).items()))}"
        )
