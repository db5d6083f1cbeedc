"""The home screen's panes, its quick ways, and what it says about one client: nothing of it asks for a change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from backend.core.facts import Severity
from scripts.stage.drive import Stage, stage
from tui.columns import layout
from tui.recent import RecentChanges
from tui.screens.fleet import FleetScreen
from tui.screens.items import EventsDialog, TextDialog
from tui.screens.jumping import JumpScreen
from tui.screens.plan_dialog import PlanDialog
from tui.widgets.lines import Lines


def home(made: Stage) -> FleetScreen:
    screen = made.app.deck
    assert isinstance(screen, FleetScreen), screen
    return screen


def pane(made: Stage, name: str) -> str:
    widget = home(made).query_one(f"#{name}", Lines)
    return widget.text if widget.display else ""


def row(made: Stage, name: str) -> str:
    return next(line for line in home(made).table.text.splitlines() if name in line)


@pytest.mark.parametrize(
    ("size", "tree", "drawer", "events"),
    [
        ((79, 24), False, False, False),
        ((119, 40), False, False, False),
        ((120, 29), False, False, False),
        ((120, 30), False, True, False),
        ((140, 35), False, True, False),
        ((140, 36), False, True, True),
        ((159, 40), False, True, True),
        ((160, 40), True, True, True),
    ],
)
async def test_panes_come_with_room(size: tuple[int, int], tree: bool, drawer: bool, events: bool) -> None:
    async with stage(size) as made:
        assert bool(pane(made, "tree")) is tree
        assert bool(pane(made, "drawer")) is drawer
        assert bool(pane(made, "pane")) is events


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (59, ["certificate", "state", "client"]),
        (60, ["certificate", "token", "state", "client"]),
        (80, ["certificate", "token", "state", "next", "cluster", "client"]),
    ],
)
def test_narrow_windows_keep_what_matters(width: int, titles: list[str]) -> None:
    assert [column.id for column, _ in layout(width)] == titles


@pytest.mark.parametrize("size", [(79, 24), (80, 19)])
async def test_below_80x20_there_is_only_the_list(size: tuple[int, int]) -> None:
    async with stage(size) as made:
        assert "week " not in made.text


async def test_tab_brings_the_clusters_and_enter_shows_one() -> None:
    async with stage((120, 30)) as made:
        await made.press("tab", "j", "j")
        assert "bonn-wl3" in pane(made, "tree")
        assert home(made).table.cursor == made.app.model.order[0]  # the list's cursor stays
        await made.press("enter")
        assert made.app.model.filter_text == 'cluster:"bonn-wl3"'
        assert not home(made).in_tree
        await made.press("left_square_bracket")
        assert made.app.model.filter_text == ""
        await made.press("tab", "escape")
        assert not home(made).in_tree
    async with stage((119, 30)) as made:
        await made.press("tab")
        assert "needs 120 columns" in made.text


async def test_wide_shows_what_is_hidden_and_the_drawer_comes_back() -> None:
    async with stage((140, 36)) as made:
        await made.press("w")
        assert not pane(made, "drawer")
        assert "LAST SEEN" in home(made).table.text
        await made.press("w")
        await made.settle()
        assert pane(made, "drawer")
        assert "LAST SEEN" not in home(made).table.text


async def test_a_letter_leads_to_its_row_and_any_other_key_changes_nothing() -> None:
    async with stage() as made:
        await made.press("f")
        assert isinstance(made.app.screen, JumpScreen)
        assert home(made).table.text.splitlines()[4].startswith("d ")
        await made.press("d")
        assert made.app.selected_numbers() == (made.app.model.order[3],)
        await made.press("f", "R")
        assert not isinstance(made.app.screen, PlanDialog | JumpScreen)
        assert made.app.selected_numbers() == (made.app.model.order[3],)
        assert home(made).table.labels == {}


async def test_a_changed_value_keeps_an_asterisk_for_ten_seconds() -> None:
    async with stage() as made:
        assert "h *" not in row(made, "nodeagent-08")
        made.agent.alter("nodeagent-08", token=timedelta(days=90))
        await made.seconds(1)
        marked = row(made, "nodeagent-08")
        assert "*" in marked[2:]
        await made.seconds(8)
        assert "*" in row(made, "nodeagent-08")[2:]
        await made.seconds(2)
        assert "*" not in row(made, "nodeagent-08")[2:]


async def test_what_left_the_screen_comes_back_without_a_mark() -> None:
    async with stage() as made:
        before = made.app.model.find_named("nodeagent-08")
        made.agent.alter("nodeagent-08", token=timedelta(days=90))
        await made.seconds(1)
        after = made.app.model.find_named("nodeagent-08")
        assert before is not None
        assert after is not None
        for stays, marks in ((True, {"token"}), (False, set())):
            changes = RecentChanges()
            assert changes.see(before, 0.0) == frozenset()
            changes.keep([before.row.number] if stays else [])
            assert changes.see(after, 1.0) == marks
            assert changes.see(after, 10.9) == marks
            assert changes.see(after, 11.0) == frozenset()


async def test_yaml_and_events_of_one_client() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("y")
        assert isinstance(made.app.screen, TextDialog)
        assert "name: nodeagent-07" in made.text
        await made.press("escape", "l")
        assert isinstance(made.app.screen, EventsDialog)
        assert "Events of nodeagent-07" in made.text
        await made.press("escape")
        assert made.agent.asked == []


async def test_copy_takes_the_marked_names_and_nothing_secret() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07", "kva-01")
        await made.press("c")
        assert set(made.app.clipboard.splitlines()) == {"nodeagent-07", "kva-01"}
        assert "2 names: copied by the terminal" in made.text


async def test_one_client_becomes_a_file(tmp_path: Path) -> None:
    async with stage(state_dir=tmp_path) as made:
        await made.choose("nodeagent-07")
        await made.press("E", "j")
        found = list((tmp_path / "exports").iterdir())
        assert [path.suffix for path in found] == [".json"]
        assert "nodeagent-07" in found[0].read_text()


async def test_the_command_line_lists_what_matches_with_its_key_and_runs_the_chosen_one() -> None:
    async with stage() as made:
        await made.press("colon", *"view")
        palette = made.app.deck.query_one("#palette", Lines)
        assert palette.display
        assert palette.text.splitlines()[0].split()[:3] == [">", "view-fleet", "1"]
        await made.press("down", "enter")
        assert made.app.deck.scope == "timeline"
        await made.press("ctrl+p", *"zzz")
        assert "no such command" in made.text
        assert not made.app.deck.query_one("#palette", Lines).display
        await made.press("escape")


async def test_a_refused_command_says_why_in_the_list_of_matches() -> None:
    async with stage(write=False) as made:
        await made.press("colon", *"renew")
        assert "read-only" in made.app.deck.query_one("#palette", Lines).text


async def test_from_the_first_frame_to_the_worst_renewable_client_renewed_in_at_most_four_keys() -> None:
    async with stage() as made:
        keys = 0
        for key in ("f", "e", "R", "y"):  # the worst four are beyond renewing: their rows say so
            await made.press(key)
            keys += 1
        assert made.app.outbox.holding.holds("nodeagent-07")
        await made.seconds(10)
        assert made.agent.asked == ["start plan-1"]
        assert keys <= 4


async def test_when_the_worst_can_be_renewed_two_keys_are_enough() -> None:
    from scripts.stage.fleet import SEEDS

    healthy = [seed for seed in SEEDS if seed.name.startswith(("nodeagent", "kva", "wl3-csi-1"))]
    async with stage(seeds=healthy) as made:
        await made.press("R", "y")
        await made.seconds(10)
        assert made.agent.asked == ["start plan-1"]


async def test_a_storm_of_sizes_keeps_cursor_marks_and_filter() -> None:
    async with stage() as made:
        await made.press("slash", *"bonn", "enter", "j", "space", "j", "j")
        before = (made.app.selected_numbers(), set(made.app.model.marks), made.app.model.filter_text)
        cursor = home(made).table.cursor
        for width in (60, 80, 200, 119, 120, 160, 159, 60):
            for height in (20, 60, 24, 36):
                await made.pilot.resize_terminal(width, height)
                made.app.tick()
        await made.settle()
        assert (made.app.selected_numbers(), set(made.app.model.marks), made.app.model.filter_text) == before
        assert home(made).table.cursor == cursor
        assert "bonn" in made.text


@pytest.mark.parametrize("theme", ["mono", "ansi", "dark", "light"])
@pytest.mark.parametrize("ascii_only", [True, False])
async def test_every_severity_is_told_apart_in_plain_text(theme: str, ascii_only: bool) -> None:
    async with stage((80, 60), theme=theme, ascii_only=ascii_only) as made:
        glyphs = made.app.glyphs
        column = home(made).table.text.splitlines()[0].index("STATE")
        signs = {line[column] for line in home(made).table.text.splitlines()[1:44]}
        assert {glyphs.severity(severity) for severity in Severity} <= signs
        assert len({glyphs.severity(severity) for severity in Severity}) == len(Severity)


async def test_rows_can_be_clicked_and_a_click_starts_nothing() -> None:
    async with stage((120, 30)) as made:
        await made.pilot.click("#table", offset=(20, 4))
        await made.settle()
        assert made.app.selected_numbers() == (made.app.model.order[3],)
        await made.press("tab")
        await made.pilot.click("#tree", offset=(5, 3))
        await made.settle()
        assert ">   bonn-wl3" in pane(made, "tree")
        await made.press("escape", "2")
        await made.pilot.click("#body", offset=(10, 3))
        await made.settle()
        assert "of bonn-mgmt" in made.text
        await made.pilot.click("#body", offset=(10, 12))
        await made.settle()
        assert len(made.app.selected_numbers()) == 1
        await made.press("3")
        await made.pilot.click("#body", offset=(10, 2))
        await made.settle()
        assert ">" in made.app.deck.query_one("#body", Lines).text.splitlines()[2][:1]
        assert made.agent.asked == []


@pytest.mark.parametrize(
    "keys",
    [
        *(("R",), ("a",), ("C",), ("y",), ("f",), ("P",), ("question_mark",)),
        *(("2", "tab"), ("3",), ("colon", "v"), ("slash", "k"), ("tab",)),
    ],
    ids=" ".join,
)
async def test_whatever_is_open_survives_every_size(keys: tuple[str, ...]) -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press(*keys)
        screen, cursor = made.app.screen, home_cursor(made)
        for width, height in ((60, 20), (200, 60), (30, 8), (160, 40)):
            await made.pilot.resize_terminal(width, height)
            made.app.tick()
            await made.app.settled()
            rows = [strip.text for strip in made.app.screen._compositor.render_strips()]
            assert len(rows) == height
        assert made.app.screen is screen
        assert home_cursor(made) == cursor
        assert made.app.crash_text == ""
        assert made.agent.asked == []


def home_cursor(made: Stage) -> int | None:
    first = made.app.screen_stack[0]
    assert isinstance(first, FleetScreen)
    return first.table.cursor


async def test_a_menu_that_is_longer_than_the_screen_follows_its_cursor() -> None:
    async with stage((60, 20)) as made:
        await made.press("a")
        assert "lines more" in made.text
        assert "> R " in made.text
        await made.press(*["down"] * 12)
        assert "> P " in made.text
        assert "lines more" not in made.text
