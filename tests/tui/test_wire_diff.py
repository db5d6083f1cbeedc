"""Changed cells only, and never a wrong one: what was sent is replayed in a terminal emulator (checks 11 and 15)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual import _compositor
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip

from backend.clock import ManualClock
from tests.tui.staged_agent import HOSTILE, SEEDS, Seed, StagedAgent
from tui import palette
from tui.app import MocdeckApp
from tui.sgr import PLAIN, Sgr, parse, step
from tui.widgets.lines import Lines
from tui.wire_diff import Picture, missing

MakeApp = Callable[..., MocdeckApp]
KEYS = (
    *("j", "k", "down", "up", "pagedown", "pageup", "g", "G", "space", "V", "U", "slash", "a", "s", "d", "enter"),
    *("escape", "escape", "t", "left", "right", "1", "3", "5", "6", "7", "8", "question_mark", "p", "full_stop", "R"),
    *("c", "s", "i", "k", "m", "y", "tab", "colon", "backspace"),
)
SEED = 20


class Emulator:
    """A terminal that is written to by a running app, beside one that gets the same screen drawn whole."""

    def __init__(self, app: MocdeckApp, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.bytes = 0
        driver = app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", self._write)
        monkeypatch.setattr(MocdeckApp, "is_headless", property(lambda _: False))
        self.clear()

    def _write(self, data: str) -> None:
        self.bytes += len(data.encode())
        self._stream.feed(data.replace("\x1b[6n", ""))

    def clear(self, size: tuple[int, int] | None = None) -> None:
        """As after a resize or a visit to the shell: nothing of ours is on the terminal."""
        self.screen = pyte.Screen(*(size or self.app.size))
        self._stream = pyte.Stream(self.screen)
        self._stream.feed("rubbish " * 40)

    def wrong_cells(self) -> list[tuple[int, int, Any, Any]]:
        """Where the terminal differs from the screen drawn whole."""
        width, height = self.app.size
        whole = pyte.Screen(width, height)
        stack = self.app._background_screens
        update = self.app.screen._compositor.render_update(full=True, screen_stack=stack)
        assert update is not None
        pyte.Stream(whole).feed(update.render_segments(self.app.console))
        pairs = [(x, y, self.screen.buffer[y][x], whole.buffer[y][x]) for y in range(height) for x in range(width)]
        return [pair for pair in pairs if pair[2] != pair[3]]


async def drawn(pilot: Any) -> None:
    await pilot.pause()
    await pilot.app.settled()
    await pilot.pause(0.02)  # Textual draws sixty times a second


async def test_four_hundred_random_keys_leave_no_wrong_cell(
    make_app: MakeApp, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Menus, dialogs, prompts, wide names, ticks, themes, resizing, the shell and back, and a redraw in between."""
    seeds = [*SEEDS, *(Seed(name=n, left=timedelta(days=9), token=timedelta(days=9), cluster=n) for n in HOSTILE)]
    app = make_app(gateway=StagedAgent(seeds), ascii_only=False)
    chance = random.Random(SEED)  # noqa: S311 - the keys of a test
    async with app.run_test(size=(100, 30)) as pilot:
        await drawn(pilot)
        terminal = Emulator(app, monkeypatch)
        app.wire_was_lost()
        app.screen.refresh(layout=True)
        await drawn(pilot)
        assert terminal.wrong_cells() == []
        for number in range(400):
            key = chance.choice(KEYS)
            await pilot.press(key)
            if number % 7 == 0:
                clock.advance(timedelta(seconds=1))
                app.tick()
            if number % 50 == 20:
                app.looks.use_theme(chance.choice(sorted(palette.THEMES)))
            if number % 50 == 40:
                size = (chance.choice((80, 100, 140)), chance.choice((24, 30, 40)))
                terminal.clear(size)
                await pilot.resize_terminal(*size)
            if number % 100 == 60:
                terminal.clear()
                app.redraw_all()
            if number % 100 == 80:
                terminal.clear()
                app.wire_was_lost()
                app.app_resume_signal.publish(app)
            if number % 10 == 0:
                await drawn(pilot)
                assert terminal.wrong_cells() == [], (number, key, type(app.screen).__name__)
        await drawn(pilot)
        assert terminal.wrong_cells() == []


async def test_a_redraw_writes_every_cell_again(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        terminal = Emulator(app, monkeypatch)
        app.wire_was_lost()
        app.screen.refresh(layout=True)
        await drawn(pilot)
        terminal.clear()
        await pilot.press("ctrl+l")
        await drawn(pilot)
        assert terminal.wrong_cells() == []


TEXT = st.text(alphabet=st.sampled_from("ab 日本e\u0301\x1b\x9b\u202e…✖"), max_size=12)
STYLES = st.sampled_from([None, Style.parse("bold red"), Style.parse("on #102030"), Style.parse("reverse")])
PAINT = st.tuples(st.integers(0, 3), st.integers(0, 18), st.lists(st.tuples(TEXT, STYLES), max_size=3))


@given(st.lists(st.lists(PAINT, max_size=3), max_size=6))
@settings(max_examples=150, deadline=None)
def test_whatever_is_painted_in_whatever_pieces_the_terminal_shows_it(frames: list[list[Any]]) -> None:
    picture, whole = Picture(), Picture()
    picture.resize(20, 4)
    whole.resize(20, 4)
    blank = _compositor.LayoutUpdate([[Strip([Segment(" " * 20)])] for _ in range(4)], Region(0, 0, 20, 4))
    terminal, fresh = pyte.Screen(20, 4), pyte.Screen(20, 4)
    for screen in (terminal, fresh):
        screen.reset_mode(7, private=True)  # no wrapping, as the driver sets it
    stream = pyte.Stream(terminal)
    for paint in (picture, whole):
        assert paint.paint(blank, ColorSystem.TRUECOLOR)
    stream.feed(picture.changes())
    for frame in frames:
        for y, x, texts in frame:
            strip = Strip([Segment(text, style) for text, style in texts])
            strip = strip.crop(0, 20 - x)
            update = _compositor.LayoutUpdate([[strip]], Region(x, y, strip.cell_length, 1))
            picture.paint(update, ColorSystem.TRUECOLOR)
            whole.paint(update, ColorSystem.TRUECOLOR)
        sent = picture.changes()
        assert "\x1b" not in re.sub(r"\x1b\[[0-9;]*[HGm]", "", sent)
        assert not {"\x9b", "\u202e"} & set(sent)
        stream.feed(sent)
    assert picture.changes() == ""
    assert picture.is_settled
    pyte.Stream(fresh).feed(whole.changes())
    assert [terminal.buffer[y][x] for y in range(4) for x in range(20)] == [
        fresh.buffer[y][x] for y in range(4) for x in range(20)
    ]


def line(text: str, style: Style | None = None) -> _compositor.LayoutUpdate:
    strip = Strip([Segment(text, style)])
    return _compositor.LayoutUpdate([[strip]], Region(0, 0, strip.cell_length, 1))


def picture_of(text: str) -> Picture:
    picture = Picture()
    picture.resize(20, 1)
    picture.paint(line(text.ljust(20)), ColorSystem.TRUECOLOR)
    picture.changes()
    return picture


def test_one_changed_cell_is_a_move_and_a_character() -> None:
    picture = picture_of("18m 22s")
    picture.paint(line("18m 21s"), ColorSystem.TRUECOLOR)
    assert picture.changes() == "\x1b[1;6H1"


def test_two_changes_in_a_line_are_one_when_the_gap_costs_no_more_than_a_move() -> None:
    picture = picture_of("a....b.....c")
    picture.paint(line("A....B.....C"), ColorSystem.TRUECOLOR)
    assert picture.changes() == "\x1b[1HA....B\x1b[12GC"


def test_a_control_that_came_into_a_segment_does_not_leave_it() -> None:
    picture = picture_of("")
    picture.paint(line("a\x1b]0;x\x07b"), ColorSystem.TRUECOLOR)
    assert picture.changes() == "\x1b[1Ha]0;xb"


@pytest.mark.parametrize(
    ("old", "new", "sequence"),
    [
        (PLAIN, PLAIN, ""),
        (Sgr(("1",), "31"), PLAIN, "\x1b[m"),
        (PLAIN, Sgr(("1",), "31"), "\x1b[1;31m"),
        (Sgr((), "31", "44"), Sgr((), "32", "44"), "\x1b[32m"),
        (Sgr((), "31", "44"), Sgr((), "31"), "\x1b[49m"),
        (Sgr(("1",), "31"), Sgr((), "31"), "\x1b[0;31m"),
    ],
)
def test_the_way_between_two_styles_is_the_shortest(old: Sgr, new: Sgr, sequence: str) -> None:
    assert step(old, new) == sequence


def test_a_rendered_style_is_read_back_with_its_colours() -> None:
    rendered = Style.parse("bold underline #102030 on color(7)").render("x")
    assert parse(rendered) == Sgr(("1", "4"), "38;2;16;32;48", "47")
    assert parse("\x1b[38;5;200;48;5;17;7mx\x1b[0m") == Sgr(("7",), "38;5;200", "48;5;17")
    assert parse("x") == PLAIN
    assert parse("\x1b[91;102mx\x1b[0m") == Sgr((), "91", "102")


def test_textual_has_every_private_name_that_is_used() -> None:
    assert missing() == []


def test_without_one_of_those_names_the_plain_path_draws(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        def __init__(self, chops: object, spans: object) -> None: ...

    monkeypatch.setattr(_compositor, "ChopsUpdate", Other)
    assert missing((App, _compositor, Strip)) == ["ChopsUpdate.__init__"]
    assert make_app()._picture is None


async def test_a_row_that_the_cursor_has_left_keeps_none_of_its_ground(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        block = app.deck.query_one("#status", Lines)
        block.set_lines([(("short", "text+cursor"),)])
        await drawn(pilot)
        with pytest.MonkeyPatch.context() as patch:
            asked: list[Region] = []
            patch.setattr(block, "refresh", lambda *regions, **_: asked.extend(regions))
            block.set_lines([(("short", "text"),)])
        assert [region.right for region in asked] == [block.size.width]
