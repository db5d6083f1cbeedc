"""`update certificates --force` on 300 real clients, three of them in trouble: 297 proved in use, three named.

One is frozen while the operation runs, one has a full disk, one a clock that is a day ahead. The operator works with
the command line, as a person would: looks at the plan, then carries it out with `--max-failures`, so that neither of
the two that fail stops the others. MOCDECK_FLEET sets the number of clients.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fleet import Disk, Fleet, fleet, freeze
from lab import HurriedClock, Lab, birth, store_of

from backend.client.access_file import read_access_file
from backend.client.operator import Operator
from backend.clock import SystemClock
from backend.core.update import MANAGEMENT_KINDS
from backend.wire.convert.statuses import tags_message

ROOT = Path(__file__).resolve().parents[2]
TOTAL = int(os.environ.get("MOCDECK_FLEET", "300"))
BYSTANDERS = 3  # clients of a workload cluster, no part of the plan
SPEED = 12.0
HEARTBEAT = 24  # of the hurried clock: two real seconds, which is 150 heartbeats a second beside the work
DISTANT = timedelta(hours=12)  # behind the machine's clock, which TLS reads: no run is that long
FROZEN, FULL, AHEAD = "kva-frozen", "csi-full", "caph-ahead"
KMS = 4  # one at a time: more of them would make this a test of patience
PARTLY, REFUSED = 4, 5


def names_and_kinds() -> dict[str, str]:
    """The fleet: every expected kind; most of it node agents, as at a site, and the three that will be in trouble."""
    kinds = {FROZEN: "KVA", FULL: "CSI", AHEAD: "CAPH"}
    kinds |= {f"kms-{number}": "KMS" for number in range(KMS)}
    others = [kind.value for kind in MANAGEMENT_KINDS if kind.value not in {"KMS", "NodeAgent"}]
    for number in range(TOTAL - len(kinds)):
        kind = "NodeAgent" if number % 2 == 0 else others[number // 2 % len(others)]
        kinds[f"{kind.lower()}-{number:03}"] = kind
    assert len(kinds) == TOTAL
    return kinds


@dataclass
class Holding:
    """What the agent's store says that one identity was ever given."""

    serials: list[str]
    tokens: list[str]


def holdings(lab: Lab) -> dict[str, Holding]:
    found: dict[str, Holding] = defaultdict(lambda: Holding([], []))
    with store_of(lab.directory) as store:
        for table, column, what in (("certificates", "serial", "serials"), ("tokens", "id", "tokens")):
            rows = store.execute(
                f"select i.name, t.{column} from {table} t join identities i on i.number = t.identity_number"  # noqa: S608 - the table's own names
            )
            for name, value in rows:
                getattr(found[name], what).append(value)
    return found


async def until(holds: Callable[[], Awaitable[bool]], *, what: str, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110 - the fact lies in another program
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"{what}: not within {seconds} s")


@dataclass
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


@dataclass
class Desk:
    """An operator's own computer: the command line and where it keeps its files."""

    home: Path

    async def mocdeck(self, *words: str) -> Said:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "backend.cli",
            *words,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "MOCDECK_HOME": str(self.home / "mocdeck")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Said(int(process.returncode or 0), out.decode(), err.decode())

    async def login(self, lab: Lab) -> None:
        at = lab.listening
        way = ("--address", "127.0.0.1", "--port", str(at.port), "--auth-port", str(at.auth_port))
        said = await self.mocdeck("login", "--login-file", str(lab.directory / "admin" / "login.yaml"), *way)
        assert said.code == 0, said.err

    async def update(self, *more: str) -> Said:
        forced = ("--force", "--reason", "OPS-300", "--parallel", "4", "--timeout", "20m", "--yes", "-o", "json")
        return await self.mocdeck("update", "certificates", *forced, *more)


@pytest.fixture
async def lab(tmp_path: Path) -> Lab:
    clock = HurriedClock(time.monotonic(), int((SystemClock().now() - DISTANT).timestamp()), SPEED)
    made = Lab(tmp_path, clock)
    birth(made.directory, clock)
    return made


@pytest.fixture
async def programs(lab: Lab) -> AsyncIterator[Fleet]:
    async with fleet(lab) as made:
        yield made


@pytest.fixture
def disk(lab: Lab, programs: Fleet) -> Any:
    made = Disk(lab.parent / FULL)
    yield made
    made.close()


@dataclass
class Pids:
    """The processes of those to whom something happens."""

    frozen: int
    full: int


async def populate(lab: Lab, operator: Operator, programs: Fleet, kinds: dict[str, str]) -> Pids:
    """Enrol everybody, let all of them live, and return when each has used its certificate and is heard."""
    await operator.put_cluster("mgmt", management=True)
    await operator.put_cluster("edge-1", management=False)
    others = [f"edge-{number}" for number in range(BYSTANDERS)]
    for name in (*kinds, *others):
        cluster = "mgmt" if name in kinds else "edge-1"
        tags = tags_message({"mocdeck.kind": kinds.get(name, "CSI"), "mocdeck.cluster": cluster})
        await lab.enroll(operator, name, tags=tags)
    healthy = [name for name in kinds if name not in {FROZEN, FULL, AHEAD}] + others
    for half in (healthy[::2], healthy[1::2]):
        await programs.start_clients(half, heartbeat=HEARTBEAT)
    pids = Pids(
        frozen=await programs.start_clients([FROZEN], heartbeat=HEARTBEAT),
        full=await programs.start_clients([FULL], heartbeat=HEARTBEAT),
    )
    await programs.start_clients([AHEAD], heartbeat=HEARTBEAT, clock_off=timedelta(days=1))

    async def all_are_heard() -> bool:
        with store_of(lab.directory) as store:
            heard = store.execute("select count(*) from heartbeats where interval = ?", (HEARTBEAT,)).fetchone()[0]
        return int(heard) == TOTAL + BYSTANDERS

    await until(all_are_heard, what="everybody is heard", seconds=120)
    return pids


async def all_are_fresh(lab: Lab) -> bool:
    """Tell whether nobody's heartbeat is late."""
    with store_of(lab.directory) as store:
        oldest = int(store.execute("select min(heard_at) from heartbeats where interval > 0").fetchone()[0])
    return lab.clock.now().timestamp() - oldest <= 1.5 * HEARTBEAT


async def freeze_when_started(lab: Lab, pid: int) -> None:
    """Freeze the client once the operation has started; it is a KVA, so its turn comes after all node agents."""

    def is_started() -> bool:
        with store_of(lab.directory) as store:
            return bool(store.execute("select count(*) from operations").fetchone()[0])

    async def look() -> bool:
        return await asyncio.to_thread(is_started)

    await until(look, what="the operation has started", seconds=120)
    freeze(pid)


async def forced_update(lab: Lab, desk: Desk, pids: Pids) -> tuple[dict[str, Any], float]:
    """Look at the plan, then carry it out past as many failures as can be borne; one client freezes meanwhile."""
    preview = await desk.update("--max-failures", "3", "--dry-run")
    plan = json.loads(preview.out)
    assert (preview.code, plan["runs"], plan["max_failures"]) == (0, TOTAL - 1, 3), preview.err
    began = time.monotonic()
    freezing = asyncio.create_task(freeze_when_started(lab, pids.frozen))
    said = await desk.update("--max-failures", "3")
    while said.code == REFUSED and "since the plan was made" in said.err:  # a client was late; look at a new plan
        await until(lambda: all_are_fresh(lab), what="everybody is heard again", seconds=60)
        said = await desk.update("--max-failures", "3")
    assert said.code == PARTLY, said.err[-2000:]
    await freezing
    operation: dict[str, Any] = json.loads(said.out)
    return operation, time.monotonic() - began


def check_operation(operation: dict[str, Any], kinds: dict[str, str], full_says: str) -> None:
    """297 proved, three named with what is wrong with each; node agents first, KMS one at a time."""
    counts = operation["counts"]
    assert (counts["done"], counts["failed"], counts["skipped"], counts["total"]) == (TOTAL - 3, 2, 1, TOTAL)
    targets = {target["name"]: target for target in operation["targets"]}
    not_done = {name: target["result"] for name, target in targets.items() if target["state"] != "done"}
    assert set(not_done) == {FROZEN, FULL, AHEAD}
    assert not_done[FROZEN].startswith("no answer: ")
    assert "the fresh token could not be stored" in not_done[FULL]
    assert full_says in not_done[FULL]
    assert "its clock is off by more than five minutes" in not_done[AHEAD]
    for target in targets.values():
        if target["state"] == "done":
            assert "the client stored the new token" in target["result"]
            assert "is in use" in target["result"]
            assert target["new_serial"] != target["old_serial"]
    first = [target for name, target in targets.items() if kinds[name] == "NodeAgent"]
    rest = [target for name, target in targets.items() if kinds[name] != "NodeAgent" and target["started_at"]]
    assert max(target["ended_at"] for target in first) <= min(target["started_at"] for target in rest)
    kms = sorted((target["started_at"], target["ended_at"]) for name, target in targets.items() if "kms-" in name)
    assert all(before[1] <= after[0] for before, after in pairwise(kms))


def check_holdings(lab: Lab, operation: dict[str, Any], before: dict[str, Holding]) -> Counter[str]:
    """Exactly one new certificate and one new token for each that is done; nothing for whom it was not about."""
    after = holdings(lab)
    assert set(after) == set(before)
    states = {target["name"]: target["state"] for target in operation["targets"]}
    seen: Counter[str] = Counter()
    for name, had in before.items():
        has = after[name]
        new = (len(has.serials) - len(had.serials), len(has.tokens) - len(had.tokens))
        seen[f"{states.get(name, 'no part of it')}: {new[0]} certificates, {new[1]} tokens"] += 1
        if name in {FROZEN, FULL}:
            assert new[0] == 0, f"{name} got a certificate without having stored its token"
        else:
            assert new == ((1, 1) if states.get(name) == "done" else (0, 0)), name
        if states.get(name) == "done":
            held = read_access_file(lab.settings(name).access_file)
            assert held.serial_hex.lstrip("0") in {serial.lower().lstrip("0") for serial in has.serials}
            assert held.serial_hex == next(t["new_serial"] for t in operation["targets"] if t["name"] == name)
    return seen


@pytest.mark.live
@pytest.mark.timeout(1200)
async def test_297_of_300_are_proved_in_use_three_are_named_and_nothing_else_is_disturbed(
    lab: Lab, programs: Fleet, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = names_and_kinds()
    desk = Desk(lab.parent / "desk")
    desk.home.mkdir()
    began = time.monotonic()
    await programs.start_agent()
    async with await lab.operator() as operator:
        pids = await populate(lab, operator, programs, kinds)
        full_says = disk.fill(pids.full)
        await desk.login(lab)
        await until(lambda: all_are_fresh(lab), what="nobody is late", seconds=120)
        before = holdings(lab)
        ready = time.monotonic()

        operation, took = await forced_update(lab, desk, pids)

        check_operation(operation, kinds, full_says)
        seen = check_holdings(lab, operation, before)
        for name in (FROZEN, FULL, AHEAD):
            assert not (await operator.describe(name)).heartbeat.last_error.startswith("the client's loop broke")
        verdict = await operator.verify_audit()
        assert verdict.intact, verdict.why
    with capsys.disabled():
        print(  # noqa: T201 - what a run of this test did is part of its worth
            f"\n{TOTAL} clients, {BYSTANDERS} bystanders: ready after {ready - began:.0f} s, updated in {took:.0f} s; "
            f"{dict(seen)}; full disk: {full_says}"
        )
        for target in operation["targets"]:
            if target["state"] != "done":
                print(f"{target['name']}: {target['state']}: {target['result']}")  # noqa: T201
