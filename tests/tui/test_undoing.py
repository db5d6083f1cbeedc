"""Between the confirmation and the first call lie ten seconds, and whatever ends them early sends nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scripts.stage.drive import Stage, stage
from tui.holding import QUEUED, QUEUED_SHORT
from tui.screens.fleet import FleetScreen
from tui.screens.operation import OperationScreen

SET = ("nodeagent-07", "nodeagent-08", "kva-01", "cloud-operator")


def row(made: Stage, name: str) -> str:
    screen = made.app.deck
    assert isinstance(screen, FleetScreen)
    return next(line for line in screen.table.text.splitlines() if name in line)


@pytest.mark.parametrize(("late", "sent"), [(-1, False), (0, True), (1, True)])
async def test_the_call_leaves_with_the_tenth_second_and_not_before(late: int, sent: bool) -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R", "y")
        assert made.agent.asked == []
        await made.seconds(10 + late)
        assert made.agent.asked == (["start plan-1"] if sent else [])
        assert (QUEUED_SHORT in row(made, "nodeagent-07")) is not sent


async def test_while_it_waits_the_row_and_the_notice_say_so_and_u_takes_it_back() -> None:
    async with stage((140, 40)) as made:
        await made.choose("nodeagent-07")
        await made.press("R", "y")
        assert QUEUED_SHORT in row(made, "nodeagent-07")
        assert QUEUED in made.text  # in the drawer
        assert "renew nodeagent-07: queued, leaves in 10 s   u undo" in made.text
        await made.seconds(3)
        assert "leaves in 7 s" in made.text
        await made.press("u")
        assert "renew nodeagent-07: undone, nothing was sent" in made.text
        assert QUEUED_SHORT not in row(made, "nodeagent-07")
        await made.seconds(20)
        assert made.agent.asked == []


async def test_undo_gives_the_marks_back_and_takes_the_newest_first() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07", "nodeagent-08")
        before = set(made.app.model.marks)
        await made.press("R")
        await made.type("2")
        await made.press("y")
        assert made.app.model.marked == ()
        await made.choose("kva-01")
        await made.press("R", "y")
        assert "and 1 more" in made.text
        await made.press("u")
        assert made.app.model.marked == ()
        await made.press("u")
        assert set(made.app.model.marks) == before
        await made.press("u")
        assert "nothing waits to be sent" in made.text
        await made.seconds(20)
        assert made.agent.asked == []


async def test_a_client_that_waits_is_not_planned_again() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R", "y")
        plans = made.agent.looks["plan"]
        await made.press("T")
        assert "nodeagent-07 waits to be sent already" in made.text
        assert made.agent.looks["plan"] == plans


async def test_when_the_agent_goes_away_nothing_is_sent_and_that_is_said() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R", "y")
        made.agent.cut()
        await made.settle()
        assert "renew nodeagent-07: not sent: the agent went away; nothing was started" in made.app.notice_text
        made.agent.reachable = True
        await made.seconds(20)
        assert made.agent.asked == []


async def test_read_only_again_within_the_ten_seconds_sends_nothing() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R", "y")
        await made.press("colon", *"readonly", "enter")
        await made.seconds(10)
        assert "not sent: read-only again" in made.app.notice_text
        assert made.agent.asked == []


async def test_leaving_asks_once_and_then_sends_nothing() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R", "y", "q")
        assert made.app.is_running
        assert "q again leaves" in made.text
        await made.press("q")
        assert made.app.return_code == 0
        assert made.agent.asked == []
        assert len(made.app.outbox.holding) == 1  # whoever ran it says that it was not sent


async def test_a_blurred_window_does_not_delay_the_call() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R", "y")
        made.app.app_focus = False
        await made.seconds(10)
        assert made.agent.asked == ["start plan-1"]


async def test_progress_opens_for_whoever_waited_and_interrupts_nobody_else() -> None:
    for keys, opened in (((), True), (("j",), False)):
        async with stage() as made:
            await made.choose(*SET)
            await made.press("R")
            await made.type(str(made.app.screen.plan.runs))  # type: ignore[attr-defined]  # the plan's dialog
            await made.press("y")
            await made.press(*keys)
            made.clock.advance(timedelta(seconds=1))
            await made.seconds(10)
            assert len(made.agent.asked) == 1
            assert isinstance(made.app.screen, OperationScreen) is opened
