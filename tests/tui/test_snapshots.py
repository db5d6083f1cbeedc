"""The last word of an agent, kept for the next start: shown as stale with its age, never believed, never secret."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.clock import ManualClock
from backend.core.facts import Overlay
from backend.core.fleet import FleetColumns, FleetDelta
from tests.tui.large_fleet import large_fleet
from tests.tui.staged_agent import HOSTILE, NOW, SEEDS, Seed, StagedAgent, snapshot
from tui.agent_clock import AgentClock
from tui.app import MocdeckApp
from tui.commands import BY_ID
from tui.lines import line_text
from tui.snapshots import BROKEN, FOLDER, MAX_CLIENTS, Snapshot, Snapshots, copy, decode, encode
from tui.widgets.lines import Lines

MakeApp = Callable[..., MocdeckApp]
AGE = timedelta(hours=3, minutes=5)


def columns_of(*deltas: FleetDelta) -> FleetColumns:
    columns = FleetColumns()
    for delta in deltas:
        columns.apply(delta)
    return columns


def bytes_of(columns: FleetColumns) -> bytes:
    taken = copy(columns, NOW, NOW)
    assert taken is not None
    return encode(taken)


def values(columns: FleetColumns) -> list[Any]:
    return [columns.row(row) for row in range(len(columns))]


def test_what_is_kept_comes_back_as_the_agent_said_it() -> None:
    for columns in (columns_of(snapshot(SEEDS)), columns_of(*large_fleet(5000)), columns_of(snapshot([]))):
        kept = decode(bytes_of(columns))
        back = columns_of(*kept.deltas())
        assert [r.name for r in values(back)] == [r.name for r in values(columns)]
        for one, other in zip(values(back), values(columns), strict=True):
            assert one.certificate_not_after == other.certificate_not_after
            assert (one.kind, one.cluster, one.owner, one.flags) == (
                other.kind,
                other.cluster,
                other.owner,
                other.flags,
            )
        assert back.authorities == columns.authorities
        assert back.clusters == columns.clusters
        assert back.deployment == columns.deployment


def test_hostile_names_are_as_inert_as_when_they_came() -> None:
    seeds = [Seed(name=name, left=None, token=None, cluster=name) for name in HOSTILE]
    columns = columns_of(snapshot(seeds))
    back = values(columns_of(*decode(bytes_of(columns)).deltas()))
    assert back == [replace(row, used_serial_low=0) for row in values(columns)]


GOOD = bytes_of(columns_of(snapshot(SEEDS)))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_garbage_cuts_and_changed_bytes_count_as_none(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    cut = data.draw(st.integers(0, len(GOOD)))
    broken = data.draw(
        st.sampled_from([GOOD[:cut], GOOD[:cut] + b"\x00" + GOOD[cut + 1 :], GOOD[cut:], b"", b"[]", GOOD + b"x"])
    )
    if broken == GOOD:
        return
    with pytest.raises(BROKEN):
        decode(broken)


def test_a_file_is_its_owners_alone_and_one_that_cannot_be_written_bothers_nobody(tmp_path: Path) -> None:
    kept = Snapshots(tmp_path)
    kept.write("bonn", "a:1", GOOD)
    (path,) = (tmp_path / FOLDER).iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    assert isinstance(kept.read("bonn", "a:1"), Snapshot)
    assert kept.read("bonn", "another:1") is None
    path.write_bytes(b"garbage")
    assert kept.read("bonn", "a:1") is None
    (tmp_path / "file").write_text("x")
    Snapshots(tmp_path / "file").write("bonn", "a:1", GOOD)
    assert Snapshots(None).read("bonn", "a:1") is None


def test_a_fleet_that_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = columns_of(snapshot(SEEDS))
    monkeypatch.setattr("tui.snapshots.MAX_CLIENTS", len(SEEDS) - 1)
    assert copy(columns, NOW, NOW) is None
    assert MAX_CLIENTS >= 100_000


def test_a_clock_that_was_set_back_makes_no_snapshot_younger_than_it_is() -> None:
    kept = decode(GOOD)
    assert kept.age(NOW + AGE) == AGE
    assert kept.age(NOW - AGE) == timedelta(0)


def test_the_agents_first_word_replaces_the_reckoning() -> None:
    clock = AgentClock(100.0)
    clock.assume(NOW, AGE, 100.0)
    assert clock.now(101.0) == NOW + AGE + timedelta(seconds=1)
    assert not clock.is_alive(101.0)
    assert clock.away_for(101.0) == AGE + timedelta(seconds=1)
    clock.heard(NOW, 102.0)  # three hours earlier than reckoned: this computer's clock was wrong
    assert clock.now(102.0) == NOW
    clock.assume(NOW + AGE, AGE, 103.0)
    assert clock.now(102.0) == NOW


class Silent(StagedAgent):
    """An agent that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def watch(self, since: int) -> Any:
        self.watches.append(since)
        await self.may_answer.wait()
        async for delta in super().watch(since):
            yield delta


async def test_the_first_frame_has_the_kept_rows_stale_with_their_age_until_the_agent_answers(
    make_app: MakeApp, clock: ManualClock, tmp_path: Path
) -> None:
    kept = Snapshots(tmp_path)
    kept.write("bonn", "agent.example:55000", GOOD)
    clock.advance(AGE)
    agent = Silent()
    app = make_app(gateway=agent, snapshots=kept)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        head = line_text(app.deck.query_one("#head", Lines).lines[0])
        assert "CACHED 3h 05m old" in head
        assert app.model.total == len(SEEDS)
        found = [app.model.find(client) for client in app.model.order]
        assert all(client is not None and Overlay.STALE in client.judged.overlays for client in found)
        assert "3h 05m" in (app.refusal(BY_ID["renew"]) or "")
        marked = app.model.order[3]
        app.model.marks |= {marked}
        agent.may_answer.set()
        for _ in range(50):
            await asyncio.sleep(0)
        await app.settled()
        assert agent.watches[0] == 0  # nothing is built upon what was kept
        assert "CACHED" not in line_text(app.deck.query_one("#head", Lines).lines[0])
        assert app.model.marks == {marked}


async def kept_now(app: MocdeckApp) -> None:
    writing = [worker for worker in app.workers if worker.group == "keep"]
    if writing:
        await app.workers.wait_for_complete(writing)


async def test_what_an_agent_says_is_kept_once_and_then_rarely(
    make_app: MakeApp, clock: ManualClock, tmp_path: Path, agent: StagedAgent
) -> None:
    kept = Snapshots(tmp_path)
    app = make_app(snapshots=kept)
    async with app.run_test(size=(80, 24)):
        await app.settled()
        await kept_now(app)
        (path,) = (tmp_path / FOLDER).iterdir()
        first = path.read_bytes()
        assert b"5f2a91c0" not in first
        for seconds, is_new in ((300, False), (301, True)):
            clock.advance(timedelta(seconds=seconds))
            agent.tell(FleetDelta(change=2, agent_time=int(clock.now().timestamp()), last=True))
            for _ in range(30):
                await asyncio.sleep(0)
            await kept_now(app)
            assert (path.read_bytes() != first) is is_new
