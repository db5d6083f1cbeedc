"""The Timeline counts what the list shows, adds up, and plans exactly what is selected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from backend.core.facts import NextAction
from scripts.stage.drive import Stage, stage
from tests.tui.staged_agent import NOW
from tui import timeline
from tui.app import MocdeckApp
from tui.commands import BY_ID
from tui.screens import counting as counting_screen
from tui.screens.detail import DetailScreen
from tui.screens.menu import Menu
from tui.screens.plan_dialog import PlanDialog
from tui.screens.timeline import TimelineScreen
from tui.steps import STEPS, steps_of
from tui.timeline import COLUMNS, LATE, LATER, Grouping, Scale, What, column_of, count_ends, range_words

MakeApp = Callable[..., MocdeckApp]


def view(made: Stage) -> TimelineScreen:
    screen = made.app.screen
    assert isinstance(screen, TimelineScreen), screen
    return screen


@pytest.mark.parametrize("scale", list(Scale))
def test_a_period_ends_with_its_last_second(scale: Scale) -> None:
    second = timedelta(seconds=1)
    assert column_of(NOW - second, NOW, scale) == LATE
    assert column_of(NOW, NOW, scale) == 1
    assert column_of(NOW + scale.length - second, NOW, scale) == 1
    assert column_of(NOW + scale.length, NOW, scale) == 2
    assert column_of(NOW + 13 * scale.length - second, NOW, scale) == 13
    assert column_of(NOW + 13 * scale.length, NOW, scale) == LATER


async def test_every_row_adds_up_and_all_rows_together_are_all(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        for what in What:
            for grouping in Grouping:
                grid = count_ends(app.model, NOW, what, Scale.WEEKS, grouping)
                assert sum(grid.total) + grid.without == app.model.total
                for column in range(COLUMNS):
                    assert sum(row[column] for row in grid.groups.values()) == grid.total[column]
                assert len(grid.selected("", LATE, LATER)) == sum(grid.total)


def test_every_next_step_has_its_group() -> None:
    for action in NextAction:
        assert len([step for step in STEPS if action in step.names]) == 1, action
    everybody = list(enumerate(NextAction))
    assert sorted(number for _, numbers in steps_of(everybody) for number in numbers) == list(range(len(NextAction)))


def test_what_is_selected_is_said_in_words() -> None:
    assert range_words(LATE, LATE, Scale.WEEKS) == "late"
    assert range_words(LATE, 1, Scale.WEEKS) == "late to week 0"
    assert range_words(3, 3, Scale.DAYS) == "day 2"
    assert range_words(3, 5, Scale.HOURS) == "hours 2 to 4"
    assert range_words(13, LATER, Scale.WEEKS) == "week 12 to later"


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (60, 20)])
async def test_the_selection_is_listed_and_says_what_it_needs(size: tuple[int, int]) -> None:
    async with stage(size) as made:
        await made.press("2")
        assert "late to week 0: 9 clients" in made.text
        assert "wl3-csi-3" in made.text
        for part in ("renew", "rotate token", "repair"):
            assert part in made.text
        assert all(len(line) <= size[0] for line in made.text.splitlines())


async def test_the_selection_moves_widens_and_narrows_and_never_leaves_the_grid() -> None:
    async with stage() as made:
        await made.press("2", "greater_than_sign")
        assert (view(made).low, view(made).high) == (1, 2)
        await made.press("plus", "plus", "minus")
        assert (view(made).low, view(made).high) == (1, 3)
        await made.press("less_than_sign", "less_than_sign")
        assert (view(made).low, view(made).high) == (0, 2)
        await made.press(*["plus"] * 20)
        assert (view(made).low, view(made).high) == (LATE, LATER)
        assert len(view(made).selection) == sum(view(made)._grid.total)
        await made.press(*["minus"] * 20)
        assert (view(made).low, view(made).high) == (LATE, LATE)


async def test_a_row_narrows_the_selection_and_tab_leads_to_its_clients() -> None:
    async with stage() as made:
        await made.press("2", "j", "j")
        assert view(made).group == "bonn-wl3"
        assert "late to week 0: 2 clients of bonn-wl3" in made.text
        assert made.app.selected_names() == []
        await made.press("tab", "j")
        assert made.app.selected_names() == ["wl3-kms-3"]
        await made.press("enter")
        assert isinstance(made.app.screen, DetailScreen)
        await made.press("q", "escape", "escape")
        assert not isinstance(made.app.screen, TimelineScreen)


async def test_the_plan_of_a_group_goes_the_ordinary_way() -> None:
    async with stage() as made:
        await made.press("2", "P")
        assert isinstance(made.app.screen, Menu)
        assert "renew 4" in made.text
        assert "an operation is at work" in made.text
        await made.press("R")
        plan = made.app.screen
        assert isinstance(plan, PlanDialog)
        assert plan.plan.runs == 4
        assert made.agent.asked == []
        await made.type("4")
        await made.confirm()
        assert made.agent.asked == ["start plan-1"]


async def test_marks_narrow_the_plan_here_and_on_the_runway() -> None:
    async with stage() as made:
        await made.press("2", "tab", "space", "space", "P")
        assert "plan for 2 clients" in made.text
        await made.press("escape", "U", "1")
        await made.choose("nodeagent-07", "kva-01")
        await made.press("P")
        assert "renew 2" in made.text


async def test_the_timeline_looks_at_what_the_filter_shows() -> None:
    async with stage() as made:
        await made.press("2")
        await made.app.settled()
        for key in ("slash", *"csi", "enter"):
            await made.pilot.press(key)
        await made.settle()
        assert made.app.model.filter_text == "csi"
        assert sum(view(made)._grid.total) == len(made.app.model.order) < made.app.model.total
        assert "filter: csi" in made.text
        await made.press("escape")
        assert made.app.model.filter_text == ""


async def test_kind_scale_and_rows_turn_and_the_heading_says_so() -> None:
    async with stage() as made:
        await made.press("2", "i", "z", "b")
        assert "tokens [i]   by days [z]   per kind [b]" in made.text
        await made.press("i", "b", "b")
        assert "CA [i]   by days [z]   per site [b]" in made.text
        assert "bonn" in view(made)._grid.groups


async def test_read_only_refuses_the_plan() -> None:
    async with stage(write=False) as made:
        await made.press("2", "P")
        assert isinstance(made.app.screen, TimelineScreen)
        assert "read-only" in made.text
        assert made.app.refusal(BY_ID["plan_steps"]) is not None


async def test_a_large_fleet_is_counted_in_slices_with_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting_screen, "LARGE", 10)
    monkeypatch.setattr(timeline, "SLICE", 7)
    async with stage() as made:
        await made.press("2")
        for _ in range(50):
            await made.settle()
            if not view(made)._is_counting:
                break
        at_once = count_ends(made.app.model, NOW, What.CERTIFICATE, Scale.WEEKS, Grouping.CLUSTER)
        assert view(made)._grid.total == at_once.total
        assert view(made)._grid.groups == at_once.groups
        assert list(view(made)._grid.clients) == list(at_once.clients)
        assert "late to week 0: 9 clients" in made.text
        await made.press("i")
        await made.seconds(2)
        assert "tokens [i]" in made.text
        assert view(made)._grid.without == 1


async def test_a_selection_says_of_each_client_what_the_list_says() -> None:
    async with stage() as made:
        await made.press("2", *["plus"] * 14)
        chosen = view(made).selection
        assert [chosen[place].number for place in range(len(chosen))] == list(chosen.clients)
        for sight in chosen[0 : len(chosen)]:
            client = made.app.model.find(sight.number)
            assert client is not None
            assert client.judged.next_action is sight.step
        assert sum(chosen.steps().values()) == len(chosen)
        assert chosen.find(chosen.clients[3]) == 3
        assert chosen.find(None) is None
        assert chosen.find(2**40) is None
