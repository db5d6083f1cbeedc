"""What an operator does on the home screen: the selection follows the client, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from backend.clock import ManualClock
from tests.tui.staged_agent import NOW, SEEDS, StagedAgent, snapshot
from tui.app import MocdeckApp
from tui.banner import severity_line
from tui.lines import line_text
from tui.screens.fleet import FleetScreen
from tui.widgets.fleet_table import FleetTable
from tui.widgets.lines import Lines
from tui.widgets.prompt import Prompt

MakeApp = Callable[..., MocdeckApp]


def shown(app: MocdeckApp) -> str:
    """Everything on the topmost screen, as text."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def table(app: MocdeckApp) -> FleetTable:
    screen = app.deck
    assert isinstance(screen, FleetScreen)
    return screen.table


def cursor_name(app: MocdeckApp) -> str:
    number = table(app).cursor
    client = None if number is None else app.model.find(number)
    return "" if client is None else client.row.name


async def press(app: MocdeckApp, pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
    await app.settled()


async def test_the_worst_client_stands_first_and_its_next_step_beside_it(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        first = table(app).text.splitlines()[1]
        assert " ".join(first.split()) == "> -1h 12m AGO 6d 03h X REPAIR sign in bonn-wl3 csi-012"


async def test_every_line_fits_80_columns_and_no_two_cells_touch(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        for line in shown(app).splitlines():
            assert len(line) == 80
        title, *rows = table(app).text.splitlines()
        for row in rows[:15]:
            for edge in (
                2 + 12,
                2 + 12 + 12,
                title.index("STATE") - 1,
                title.index("CLUSTER") - 1,
                title.index("CLIENT") - 1,
            ):
                assert row[edge] == " ", row


async def test_the_counts_of_the_header_are_the_counts_of_the_rows(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        line = line_text(severity_line(app.deck.view()))
        assert line.startswith("X4 (1 locked) !5 ?2 ^7 i3 o12 | latent 3 | CA g4 100d")
        assert len(SEEDS) == 4 + 5 + 2 + 7 + 3 + 12


async def test_a_client_that_gets_worse_moves_and_keeps_the_selection(
    make_app: MakeApp, clock: ManualClock, agent: StagedAgent
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, *"jjjj")
        assert cursor_name(app) == "nodeagent-07"
        clock.advance(timedelta(seconds=41))
        app.tick()
        assert "DUE" in next(line for line in table(app).text.splitlines() if "nodeagent-07" in line)
        clock.advance(timedelta(seconds=3))
        app.tick()
        assert cursor_name(app) == "nodeagent-07"
        assert app.model.place_of(table(app).cursor or 0) == 2  # after the two that ended before it
        assert "REPAIR" in next(line for line in table(app).text.splitlines() if line.startswith(">"))


async def test_the_order_stands_still_for_two_seconds_after_the_cursor_moved(
    make_app: MakeApp, clock: ManualClock
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        clock.advance(timedelta(seconds=41))
        await press(app, pilot, "j")
        before = list(app.model.order)
        clock.advance(timedelta(seconds=1))
        app.tick()
        assert list(app.model.order) == before
        clock.advance(timedelta(seconds=1))
        app.tick()
        assert list(app.model.order) != before


async def test_marks_survive_filter_sort_and_a_full_snapshot(make_app: MakeApp, agent: StagedAgent) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "space", "space")
        await press(app, pilot, "slash", *"cloud-op", "enter", "s", "n")
        assert "1-12 of 12 (33 in all) | by client | filter: cloud-op" in shown(app)
        agent.tell(snapshot(SEEDS, change=2))
        await pilot.pause()
        await press(app, pilot, "escape")
        assert sorted(app.selected_names()) == ["csi-012", "kms-007"]
        await press(app, pilot, "U")
        assert app.selected_names() == [cursor_name(app)]


async def test_a_range_and_all_that_the_filter_shows_can_be_marked(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "space", "j", "j", "V")
        assert len(app.model.marks) == 4
        await press(app, pilot, "U", "slash", *"kms", "enter", "asterisk")
        assert sorted(app.selected_names()) == ["kms-001", "kms-007", "old-kms"]


async def test_a_wrong_filter_is_an_error_under_the_prompt_and_not_an_empty_list(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "slash", *"colour:red", "enter")
        assert app.deck.query_one(Prompt).is_open
        assert "colour" in line_text(app.deck.query_one("#keys", Lines).lines[0])
        assert len(app.model.order) == len(SEEDS)
        await press(app, pilot, "escape")
        assert not app.deck.query_one(Prompt).is_open


async def test_an_empty_result_names_the_filter_and_escape_clears_it(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "slash", *"nothing-like-it", "enter")
        assert "no client matches `nothing-like-it`" in shown(app)
        await press(app, pilot, "escape")
        assert len(app.model.order) == len(SEEDS)


async def test_the_week_ribbon_is_a_filter(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "t")
        found = [app.model.find(number) for number in app.model.order]
        assert {client.row.name for client in found if client} == {"csi-012", "kms-007"}
        await press(app, pilot, "right")
        assert len(app.model.order) == 3
        await press(app, pilot, "t")
        assert len(app.model.order) == len(SEEDS)


async def test_the_detail_says_what_limits_and_what_happens_if_nothing_is_done(
    make_app: MakeApp, agent: StagedAgent
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 70)) as pilot:
        await app.settled()
        await press(app, pilot, "enter")
        text = shown(app)
        for expected in (
            "limited by certificate", "If nothing is done", "ExternalClient", "ops-anna", "5f2a 91c0 77de 0011",
            "issued by bonn CA g4", "lifetime 90 d", "renew due", "in use",
            "LAST OBSERVATION", "HISTORY", "from 10.0.4.17",
        ):  # fmt: skip
            assert expected in text, expected
        assert agent.described == ["csi-012"]
        await press(app, pilot, "q")
        assert isinstance(app.screen, FleetScreen)


@pytest.mark.parametrize(
    ("key", "expected"), [("3", "bonn-mgmt"), ("5", "1 of 2 done"), ("6", "kva-03"), ("question_mark", "Act (capitals")]
)
async def test_every_view_opens_by_its_key_and_q_comes_back(make_app: MakeApp, key: str, expected: str) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, key)
        assert expected in shown(app)
        await press(app, pilot, "q")
        assert isinstance(app.screen, FleetScreen)


async def test_enter_on_a_cluster_shows_its_clients(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "3", "j", "enter")
        assert app.model.filter_text == 'cluster:"bonn-mgmt"'
        assert len(app.model.order) == 4


async def test_the_action_menu_lists_refused_actions_with_their_reason(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "a")
        text = shown(app)
        assert "renew" in text
        assert "refused: its certificate has ended and cannot be renewed" in text


async def test_a_refused_action_says_why_and_asks_the_agent_nothing(make_app: MakeApp, agent: StagedAgent) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "R")
        assert "renew: refused" in shown(app)
        assert agent.asked == []


@pytest.mark.parametrize("sizes", [[(60, 20), (200, 60), (80, 24), (140, 40), (40, 10), (30, 8), (80, 24)] * 3])
async def test_a_storm_of_resizes_keeps_cursor_marks_and_filter(
    make_app: MakeApp, sizes: list[tuple[int, int]]
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(app, pilot, "slash", *"bonn", "enter", "j", "space", *"jj")
        before = (cursor_name(app), app.model.marks.copy(), app.model.filter_text)
        for width, height in sizes:
            await pilot.resize_terminal(width, height)
            app.tick()
        await pilot.pause()
        assert (cursor_name(app), app.model.marks, app.model.filter_text) == before
        assert before[0] in shown(app)


async def test_too_small_a_terminal_is_told_the_size_it_needs(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(30, 8)) as pilot:
        await app.settled()
        await pilot.pause()
        assert "needs 40x10" in shown(app)


async def test_panes_come_with_room(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(140, 40)) as pilot:
        await app.settled()
        await pilot.pause()
        text = shown(app)
        assert "csi-012 @ bonn-wl3" in text
        assert "events and operations (1 running)" in text
        await pilot.resize_terminal(120, 30)
        await pilot.pause()
        text = shown(app)
        assert "csi-012 @ bonn-wl3" in text
        assert "events and operations" not in text


async def test_the_shown_time_is_the_agents_even_when_this_computers_clock_is_wrong(
    make_app: MakeApp, clock: ManualClock
) -> None:
    clock.set(NOW + timedelta(days=300))
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        assert "16:52:14Z" in shown(app)
        clock.advance(timedelta(seconds=2))
        app.tick()
        assert app.now == NOW + timedelta(seconds=2)
