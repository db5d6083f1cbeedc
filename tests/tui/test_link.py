"""The link to the terminal: what a second costs, what a stall leaves queued, when it is gone easy on (checks 2-4)."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyte
import pytest

from backend.clock import ManualClock
from tests.tui.terminal import Terminal
from tui import palette
from tui.app import MocdeckApp
from tui.lines import line_text
from tui.link_meter import (
    BYTES_AHEAD,
    GIVE_UP_SECONDS,
    GOOD_PERIODS,
    PERIOD,
    PROBE,
    SLOW_SECONDS,
    LinkMeter,
    rounded_ms,
)
from tui.link_options import LinkOptions
from tui.linked import SLOW_TICKS
from tui.widgets.lines import Lines
from tui.wire_driver import Outlet

MakeApp = Callable[..., MocdeckApp]
SECOND = timedelta(seconds=1)
BUDGET = 800


# On a real terminal


@pytest.fixture
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    size, *rest = request.param
    started = Terminal(
        ["fleet", str(tmp_path), "1000", *rest], {"COLORTERM": "truecolor"}, size=size, answers="mute" not in rest
    )
    yield started
    started.close()


@pytest.mark.parametrize("terminal", [((80, 24),), ((140, 40),)], indirect=True, ids=["80x24", "140x40"])
def test_a_tick_costs_few_bytes_and_a_paused_or_unwatched_screen_none(terminal: Terminal) -> None:
    terminal.wait_for("csi-000003")
    terminal.pump(2.5)
    costs = [len(terminal.pump(1.0)) for _ in range(3)]
    assert 0 < max(costs) <= BUDGET, costs
    terminal.press(b"p")
    terminal.wait_for("PAUSED")
    terminal.pump(0.5)
    assert terminal.pump(2.5) == b""
    terminal.press(b"p\x1b[O")
    terminal.pump(1.2)
    assert terminal.pump(2.5) == b""
    terminal.press(b"\x1b[I")
    assert terminal.pump(1.5)


@pytest.mark.parametrize(
    ("terminal", "modes"),
    [(((80, 24),), {b"1000", b"1006"}), (((80, 24), "mouseless"), set()), (((80, 24), "slow"), set())],
    indirect=["terminal"],
    ids=["mouse", "no mouse", "slow"],
)
def test_the_mouse_is_asked_for_presses_only_and_on_request_not_at_all(terminal: Terminal, modes: set[bytes]) -> None:
    terminal.wait_for("csi-000003")
    terminal.settle(quiet=0.3, seconds=2)
    state = {}
    for mode, letter in re.findall(rb"\x1b\[\?(10\d\d)([hl])", terminal.written):
        state[mode] = letter
    state.pop(b"1049", None)
    state.pop(b"1004", None)
    assert {mode for mode, letter in state.items() if letter == b"h"} == modes
    assert b"1003" not in state


@pytest.mark.parametrize("terminal", [((80, 24),)], indirect=True)
def test_a_link_that_stalls_queues_two_frames_and_then_shows_the_key(terminal: Terminal) -> None:
    """Nobody reads for five seconds: ticks wait, and what was pressed meanwhile comes with the next frame."""
    terminal.wait_for("csi-000003")
    terminal.settle(quiet=0.3, seconds=2)
    terminal.pump(2.2)
    begin = len(terminal.written)
    select_nothing(5.0)
    terminal.press(b"j")
    terminal.pump(0.4)
    late = terminal.written[begin:]
    assert len(late) <= 2 * 400 + 1500, len(late)  # two ticks and the key's frame
    assert terminal.display()[6].startswith(">"), "\n".join(terminal.display())


def select_nothing(seconds: float) -> None:
    """Let time pass for the program while nobody reads from it."""
    import select

    select.select([], [], [], seconds)


@pytest.mark.parametrize("terminal", [((80, 24), "mute"), ((80, 24), "plain")], indirect=True, ids=["mute", "plain"])
def test_a_terminal_that_answers_nothing_and_one_without_the_layer_are_drawn_too(terminal: Terminal) -> None:
    terminal.wait_for("csi-000003")
    first = terminal.wait_for("RW")[0]
    terminal.pump(2.5)
    assert terminal.display()[0] != first
    terminal.press(b"jjj")
    terminal.pump(0.8)
    assert terminal.display()[8].startswith(">")
    terminal.press(b"q")
    assert terminal.end() == 0


# Counted, with a clock that stands still


class Link:
    """What an app writes, and a terminal that answers when the test says so."""

    def __init__(self, app: MocdeckApp, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.clock, self.text = app, clock, ""
        driver = app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", self._write)
        monkeypatch.setattr(MocdeckApp, "is_headless", property(lambda _: False))

    def _write(self, data: str) -> None:
        self.text += data

    def take(self) -> str:
        text, self.text = self.text, ""
        return text

    def answer(self, after: float = 0.0) -> None:
        self.app.wire_answered(self.clock.monotonic() + after)

    async def second(self, pilot: Any, *, answered: float | None = None) -> None:
        self.clock.advance(SECOND)
        self.app.tick()
        await pilot.pause(0.03)
        if answered is not None and PROBE in self.take():
            self.answer(answered)
            await pilot.pause(0.03)


@pytest.fixture
def link_of(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Callable[[MocdeckApp], Link]:
    return lambda app: Link(app, clock, monkeypatch)


LinkOf = Callable[[MocdeckApp], Link]


async def begin(app: MocdeckApp, pilot: Any, link_of: LinkOf) -> Link:
    await app.settled()
    link = link_of(app)
    app.redraw_all()
    app.screen.refresh(layout=True)
    await pilot.pause(0.03)
    assert PROBE in link.take()
    link.answer()
    return link


async def test_ten_seconds_without_an_answer_queue_two_frames(make_app: MakeApp, link_of: LinkOf) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        link = await begin(app, pilot, link_of)
        before = app.frames_sent
        for _ in range(10):
            await link.second(pilot)
        assert app.frames_sent - before == 2
        link.take()
        await pilot.press("j")
        await pilot.pause(0.03)
        assert app.frames_sent - before == 3
        assert link.take()
        link.answer()
        assert link.take() == PROBE  # two frames are still under way: when they arrive has to be asked for
        await link.second(pilot)
        assert app.frames_sent - before == 3
        link.answer()
        await link.second(pilot)
        assert app.frames_sent - before == 4


async def test_a_burst_on_a_link_that_is_full_draws_only_where_it_ends(make_app: MakeApp, link_of: LinkOf) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        link = await begin(app, pilot, link_of)
        app.link.sent(BYTES_AHEAD, 0.0, probe=True)  # more than the link takes is under way
        await link.second(pilot)
        before = app.frames_sent
        for _ in range(20):
            await pilot.press("j")
        await pilot.pause(0.03)
        assert app.frames_sent == before
        link.take()
        link.answer()
        assert app.frames_sent == before + 1
        shown = pyte.Screen(80, 24)
        pyte.Stream(shown).feed(link.take().replace(PROBE, ""))
        assert [line[:1] for line in shown.display].count(">") == 1


async def test_a_slow_link_is_gone_easy_on_and_a_good_one_no_longer(make_app: MakeApp, link_of: LinkOf) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        link = await begin(app, pilot, link_of)
        for _ in range(int(PERIOD) + 2):
            await link.second(pilot, answered=SLOW_SECONDS + 0.05)
        assert app.link.is_slow
        assert app.theme == "ansi-dark"
        assert app.palette is palette.ANSI
        assert "SLOW LINK 300ms" in line_text(app.deck.query_one("#head", Lines).lines[0])
        link.answer()
        link.take()
        before = app.frames_sent
        for _ in range(2 * SLOW_TICKS):
            await link.second(pilot, answered=0.04)
        assert app.frames_sent - before <= 4
        for _ in range(int(PERIOD) * (GOOD_PERIODS + 1)):
            await link.second(pilot, answered=0.04)
        assert not app.link.is_slow
        assert app.theme == "mocdeck-night"
        assert app.palette is palette.DARK
        assert "link 40ms" in line_text(app.deck.query_one("#head", Lines).lines[0])


async def test_a_link_that_is_said_to_be_slow_stays_slow(make_app: MakeApp, link_of: LinkOf) -> None:
    app = make_app(options=LinkOptions(slow=True))
    async with app.run_test(size=(80, 24)) as pilot:
        link = await begin(app, pilot, link_of)
        assert app.theme == "ansi-dark"
        for _ in range(int(PERIOD) * (GOOD_PERIODS + 2)):
            await link.second(pilot, answered=0.01)
        assert app.link.is_slow
        assert "SLOW LINK" in line_text(app.deck.query_one("#head", Lines).lines[0])


def test_a_piece_counts_as_under_way_until_the_terminals_side_has_taken_it() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as file:
        freed = threading.Event()
        outlet = Outlet(file, freed.set)
        outlet.queue()
        thread = threading.Thread(target=outlet.write, args=("x" * 200_000,))  # more than a pipe holds
        thread.start()
        assert outlet.is_behind
        taken = 0
        while taken < 200_000:
            assert not freed.is_set() or taken > 100_000  # the pipe itself holds the rest
            taken += len(os.read(reader, 65_536))
        thread.join(10)
        assert freed.wait(10)
        assert not outlet.is_behind
    os.close(reader)


async def test_a_tick_waits_while_a_frame_is_not_written(make_app: MakeApp, link_of: LinkOf) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        link = await begin(app, pilot, link_of)
        before = app.frames_sent
        app._driver.is_behind = True  # type: ignore[union-attr]
        for _ in range(5):
            await link.second(pilot)
        await pilot.press("j")
        await pilot.pause(0.03)
        assert app.frames_sent == before
        app._driver.is_behind = False  # type: ignore[union-attr]
        app.wire_is_free()
        assert app.frames_sent == before + 1


# The meter itself


def answered_meter() -> LinkMeter:
    meter = LinkMeter()
    meter.sent(100, 0.0, probe=True)
    meter.answered(0.1)
    return meter


def test_nothing_is_held_back_until_the_terminal_has_answered_once() -> None:
    meter = LinkMeter()
    for _ in range(50):
        assert meter.may_tick(0.0)
        meter.sent(1000, 0.0, probe=meter.wants_probe(0.0))
    assert meter.may_tick(1.0)
    assert meter.words() == ""
    meter.answered(1.0)
    assert not meter.may_tick(1.0)


def test_a_tick_waits_behind_two_frames_and_a_key_behind_so_many_bytes() -> None:
    meter = answered_meter()
    meter.sent(10, 1.0, probe=True)
    assert meter.may_tick(1.0)
    meter.sent(BYTES_AHEAD - 11, 1.0, probe=False)
    assert not meter.may_tick(1.0)
    assert meter.may_send(1.0)
    meter.sent(1, 1.0, probe=False)
    assert not meter.may_send(1.0)
    meter.answered(1.2)
    assert (meter.frames_ahead, meter.bytes_ahead) == (2, BYTES_AHEAD - 10)


def test_an_answer_that_never_comes_is_given_up_after_its_time() -> None:
    meter = answered_meter()
    meter.sent(10, 1.0, probe=True)
    meter.sent(10, 1.0, probe=False)
    assert not meter.may_tick(1.0 + GIVE_UP_SECONDS)
    assert meter.may_tick(1.1 + GIVE_UP_SECONDS)
    meter.sent(10, 1.1 + GIVE_UP_SECONDS, probe=meter.wants_probe(1.1 + GIVE_UP_SECONDS))
    assert not meter.may_tick(1.2 + GIVE_UP_SECONDS)


@pytest.mark.parametrize(("delay", "slow"), [(SLOW_SECONDS, False), (SLOW_SECONDS + 0.01, True)])
def test_a_link_is_slow_from_beyond_the_limit(delay: float, slow: bool) -> None:
    meter = answered_meter()
    meter.sent(10, 20.0, probe=True)
    meter.answered(20.0 + delay)
    assert meter.is_slow is slow


def test_one_late_answer_among_many_is_a_stall_and_no_slow_link() -> None:
    meter = answered_meter()
    for second in range(1, 20):
        meter.sent(10, second, probe=True)
        meter.answered(second + (0.05 if second != 7 else 0.9))
    assert not meter.is_slow


def test_frames_that_wait_in_two_periods_running_say_that_the_link_is_too_narrow() -> None:
    meter = answered_meter()
    for period in (20.0, 40.0):
        meter.held(period)
        meter.held(period + 3.5)
        meter.sent(10, period + 4.0, probe=True)
        meter.answered(period + 4.05)
        assert meter.is_slow is (period == 40.0)


@pytest.mark.parametrize(("seconds", "shown"), [(0.0001, 1), (0.0184, 18), (0.038, 40), (0.244, 240), (1.26, 1300)])
def test_a_delay_is_shown_as_coarsely_as_it_is_known(seconds: float, shown: int) -> None:
    assert rounded_ms(seconds) == shown
