"""What a large fleet costs, in counts: what is judged, formatted and moved, never how long it took (tui.md 6)."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from backend.clock import ManualClock
from backend.core.delta import FleetDelta, unix
from backend.core.facts import Severity, State
from backend.core.filter import parse
from tests.core.test_fleet import client, delta
from tests.tui.first_frame import LargeAgent
from tests.tui.large_fleet import large_fleet
from tests.tui.staged_agent import DAY, NOW, Seed
from tests.tui.staged_agent import snapshot as small_snapshot
from tui import listing, model, sorting
from tui.app import MocdeckApp
from tui.marks import MarkedSet
from tui.model import FleetModel
from tui.roll import SLICE
from tui.screens.fleet import FleetScreen
from tui.sorting import ORDERS
from tui.widgets.fleet_table import FleetTable

MakeApp = Callable[..., MocdeckApp]
T = unix(NOW)


def model_of(deltas: Iterator[FleetDelta] | list[FleetDelta]) -> FleetModel:
    made = FleetModel(0.0)
    made.apply(list(deltas), 0.0)
    made.reorder(0.0)
    finish(made)
    return made


def finish(made: FleetModel, monotonic: float = 0.0) -> int:
    """Do all work that waits; return in how many slices."""
    slices = 0
    while made.has_work:
        made.step(monotonic)
        slices += 1
    return slices


def recounted(made: FleetModel) -> tuple[Counter[Severity], Counter[State], list[int]]:
    """The totals counted anew, client by client."""
    severities: Counter[Severity] = Counter()
    states: Counter[State] = Counter()
    for row in range(len(made.columns)):
        found = made.find(made.columns.column("number")[row])
        assert found is not None
        severities[found.judged.severity] += 1
        states[found.judged.state] += 1
    weeks = [0] * (model.WEEKS + 1)
    assert made.current.last is not None
    now = made.current.last.now
    for row in range(len(made.columns)):
        found = made.find(made.columns.column("number")[row])
        assert found is not None
        week = model.week_of(found.judged.effective_not_after, now)
        if week is not None and week < model.WEEKS:
            weeks[week + 1] += 1
    return severities, states, weeks


def assert_counts(made: FleetModel) -> None:
    severities, states, weeks = recounted(made)
    assert {s: made.severity_count(s) for s in Severity} == {s: severities[s] for s in Severity}
    assert {s: made.state_count(s) for s in State} == {s: states[s] for s in State}
    assert made.weeks(NOW) == weeks


def test_counts_that_follow_the_verdicts_are_those_of_a_recount_whatever_comes() -> None:
    """Random changes, removals, silence and the passing of time, with every total compared after each."""
    random_one = random.Random(7)  # noqa: S311 - the same every time
    made = model_of([delta(*(_any_client(random_one, n) for n in range(1, 80)), full=True, last=True, change=1)])
    monotonic = 0.0
    for turn in range(40):
        monotonic += random_one.choice([1, 5, 3600, 86_400])
        numbers = random_one.sample(range(1, 100), 6)
        changed = [_any_client(random_one, n) for n in numbers[:4]]
        made.apply(
            [delta(*changed, removed=tuple(numbers[4:]), change=turn + 2, agent_time=T + int(monotonic))], monotonic
        )
        made.tick(monotonic)
        if turn % 7 == 3:
            made.agent.lost()
            made.tick(monotonic)
        finish(made, monotonic)
        made.reorder(monotonic)
        assert_counts(made)
        assert sorted(made.order) == sorted(made.columns.column("number"))


def _any_client(random_one: random.Random, number: int) -> dict[str, Any]:
    end = T + random_one.choice([-5, 60, 3600, 30 * 86_400, 80 * 86_400]) + random_one.randrange(100)
    token = T + random_one.choice([-5, 3600, 40 * 86_400])
    return client(
        number,
        certificate_not_before=end - 90 * 86_400,
        certificate_not_after=end,
        token_issued_at=token - 90 * 86_400,
        token_expires_at=token,
        heartbeat_interval=random_one.choice([0, 30]),
        flags=random_one.choice([0, 5, 256]),
        generation=9,
    )


def test_a_second_judges_only_the_clients_whose_verdict_can_change_in_it() -> None:
    made = model_of(large_fleet(3000))
    judged = made.current.roll.judged
    for second in range(1, 60):
        made.agent.heard(NOW + timedelta(seconds=second), float(second))
        made.tick(float(second))
    due = sum(0 < at - T < 60 for at in made.current.roll.changes_at)
    assert due == 0  # they were judged when their second came
    assert made.current.roll.judged - judged < 60


def test_a_certificate_that_ends_is_counted_as_ended_in_the_second_after_its_last() -> None:
    made = model_of([small_snapshot([Seed(name="a", left=10 * timedelta(seconds=1), token=60 * DAY)])])
    made.tick(10.0)
    assert made.state_count(State.REPAIRABLE) == 0
    made.tick(11.0)
    assert made.state_count(State.REPAIRABLE) == 1
    assert made.weeks(NOW)[0] == 1


def test_an_agent_that_sets_its_clock_back_has_every_client_judged_anew() -> None:
    made = model_of([small_snapshot([Seed(name="a", left=10 * timedelta(seconds=1), token=60 * DAY)])])
    made.agent.heard(NOW + DAY, 1.0)
    made.tick(1.0)
    assert made.state_count(State.REPAIRABLE) == 1
    made.agent.heard(NOW, 2.0)
    made.tick(2.0)
    assert made.state_count(State.REPAIRABLE) == 0
    assert made.weeks(NOW)[0] == 0


def test_however_many_are_due_at_once_a_tick_judges_one_slice_and_the_rest_follows() -> None:
    seeds = [Seed(name=f"c{n}", left=10 * timedelta(seconds=1), token=60 * DAY) for n in range(2 * SLICE + 10)]
    made = model_of([small_snapshot(seeds)])
    judged = made.current.roll.judged
    made.tick(11.0)
    assert made.current.roll.judged - judged == SLICE
    assert made.has_work
    finish(made, 11.0)
    assert made.state_count(State.REPAIRABLE) == len(seeds)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.id)
def test_a_list_sorted_in_pieces_or_moved_client_by_client_is_the_list_sorted_at_once(
    order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deltas = list(large_fleet(1500))
    whole = model_of(deltas)
    whole.choose_sort(order, 0.0)
    monkeypatch.setattr(sorting, "INLINE", 100)
    monkeypatch.setattr(listing, "INLINE", 100)
    monkeypatch.setattr(model, "INLINE", 100)
    monkeypatch.setattr(listing, "SMALL", 100)
    monkeypatch.setattr(sorting, "_PIECE", 64)
    pieces = model_of(deltas)
    pieces.choose_sort(order, 0.0)
    assert finish(pieces) > 5
    assert list(pieces.order) == list(whole.order)

    random_one = random.Random(3)  # noqa: S311 - the same every time
    for turn in range(6):
        changed = [_any_client(random_one, n) for n in random_one.sample(range(1, 1500), 5)]
        if turn < 5:  # at last some get another name and another cluster, too
            changed = [{**c, "name": f"client-{c['number'] - 1:07}", "cluster": "wl07"} for c in changed]
        for one in (whole, pieces):
            one.apply([delta(*changed, change=turn + 2)], 0.0)
        monkeypatch.setattr(listing, "SMALL", 10_000)
        whole.reorder(0.0)
        finish(whole)
        monkeypatch.setattr(listing, "SMALL", 100)
        pieces.reorder(0.0)
        has_new_texts = turn == 5 or (turn == 0 and order.typecode == "q")  # an owner could be a cluster
        assert pieces.has_work is has_new_texts  # so few are moved one by one
        finish(pieces)
        assert list(pieces.order) == list(whole.order)
        assert [pieces.place_of(c) for c in pieces.order[::97]] == list(range(0, 1500, 97))


def test_clients_with_one_end_for_all_are_sorted_by_name_in_pieces_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "INLINE", 50)
    monkeypatch.setattr(sorting, "_PIECE", 20)
    rows = list(range(400))
    random.Random(1).shuffle(rows)  # noqa: S311 - the same every time
    steps = sorting.sort_rows(rows, lambda _: 1.0, lambda row: (f"{row % 40:03}", row))
    slices = 0
    while True:
        try:
            next(steps)
            slices += 1
        except StopIteration as end:
            made = end.value
            break
    assert list(made) == sorted(rows, key=lambda row: (f"{row % 40:03}", row))
    assert slices > 10


def test_a_filter_that_is_typed_letter_by_letter_finds_what_it_finds_at_once() -> None:
    made, other = model_of(large_fleet(3000)), model_of(large_fleet(3000))
    for end in range(1, 11):
        text = "client-000"[:end] + ("1" if end == 10 else "")
        made.choose_filter(text, parse(text), 0.0)
        other.choose_filter("", None, 0.0)
        other.choose_filter(text, parse(text), 0.0)
        assert list(made.order) == list(other.order)
    assert 0 < len(made.order) < 3000


def test_a_filter_holds_for_the_list_while_clients_change_and_go() -> None:
    made = model_of(large_fleet(200))
    made.choose_filter("cluster:wl07", parse("cluster:wl07"), 0.0)
    assert len(made.order) == 4
    gone, moved = made.order[0], made.order[1]
    made.apply([delta(client(moved, cluster="elsewhere", generation=4), removed=(gone,), change=2)], 1.0)
    made.reorder(1.0)
    assert gone not in made.order
    assert moved not in made.order
    assert len(made.order) == 2


def test_marks_say_that_they_changed_and_lose_only_who_is_gone() -> None:
    marks = MarkedSet()
    for change in (
        lambda: marks.__ior__({1, 2}),
        lambda: marks.__ixor__({2}),
        lambda: marks.__isub__({1}),
        marks.clear,
    ):
        before = marks.version
        change()
        assert marks.version > before
    made = model_of(large_fleet(20))
    made.marks |= {3, 4}
    made.apply([delta(removed=(3,), change=2)], 1.0)
    assert made.marks == {4}
    made.apply(list(large_fleet(10)), 2.0)  # a whole snapshot without 11 to 20
    assert made.marks == {4}


def table(app: MocdeckApp) -> FleetTable:
    screen = app.deck
    assert isinstance(screen, FleetScreen)
    return screen.table


async def test_rows_exist_as_text_only_on_the_screen_at_any_size_and_at_any_place(
    make_app: MakeApp, clock: ManualClock
) -> None:
    app = make_app(gateway=LargeAgent(12_000))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        assert app.model.total == 12_000
        page = table(app).page
        for key in ("j", "G", "k", "pageup", "g"):
            before = table(app).rows_formatted
            await pilot.press(key)
            await app.settled()
            assert 0 < table(app).rows_formatted - before <= 4 * page, key  # a few draws of one page
        before = table(app).rows_formatted
        clock.advance(timedelta(seconds=1))
        app.tick()
        assert table(app).rows_formatted - before <= page


async def test_a_large_snapshot_is_taken_in_slices_between_which_keys_are_handled(make_app: MakeApp) -> None:
    app = make_app(gateway=LargeAgent(40_000))
    site = app.model.sites[0]
    read: list[int] = []
    judged: list[int] = []

    async def look() -> None:
        while not site.complete:
            read.append(site.reading)
            judged.append(len(site.coming.rulings) if site.coming is not None else 0)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    async with app.run_test(size=(80, 24)):
        await looking
        await app.settled()
        assert app.model.total == len(app.model.order) == 40_000
    assert max(after - before for before, after in pairwise(read)) <= 2000  # one chunk
    assert max(after - before for before, after in pairwise(judged)) <= SLICE


def test_twenty_thousand_clients_are_drawn_within_two_and_a_half_times_the_work_of_none() -> None:
    """CPU seconds of whole processes: whatever else runs on this machine, it is their ratio that counts."""
    command = [sys.executable, "-m", "tests.tui.first_frame"]
    ran = [subprocess.run([*command, size], check=True, capture_output=True, text=True) for size in ("0", "20000")]
    none, many = (float(one.stdout) for one in ran)
    assert many <= 2.5 * none
