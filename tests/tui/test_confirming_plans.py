"""Renewing, rotating and repairing from the list: what is shown first, and what it takes to start anything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from textual import events

from backend.core.plan import ActionKind
from scripts.stage.drive import Stage, stage
from tui.preview import difference
from tui.screens.actions import start_action
from tui.screens.delivery import DeliveryDialog
from tui.screens.operation import OperationScreen
from tui.screens.plan_dialog import NothingDialog, PlanDialog

SET = ("nodeagent-07", "nodeagent-08", "kva-01", "cloud-operator", "wl3-csi-3", "lb-agent-1")


def dialog(made: Stage) -> PlanDialog:
    screen = made.app.screen
    assert isinstance(screen, PlanDialog), screen
    return screen


async def test_renewing_one_takes_the_action_key_and_y() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        assert "nodeagent-07 @ bonn-mgmt" in made.text
        assert "2026-11-22 16:52:55Z" in made.text  # until when it works now
        assert "2027-01-19 19:52:14Z" in made.text  # and then: the CA ends first
        assert "downtime" in made.text
        assert made.agent.asked == []
        await made.confirm()
        assert made.agent.asked == ["start plan-1"]


async def test_y_counts_from_the_four_hundredth_millisecond_on() -> None:
    for gap, started in ((0.399, False), (0.4, True), (0.401, True)):
        async with stage() as made:
            await made.choose("nodeagent-07")
            await made.press("R")
            await made.press("y", gap=gap)
            assert bool(made.app.outbox.holding) is started
            assert ("not taken" in made.text) is not started


async def test_enter_never_starts_a_plan_and_leaves_by_cancel() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        await made.press("enter")
        assert not isinstance(made.app.screen, PlanDialog)
        assert made.agent.asked == []


@pytest.mark.parametrize("key", ["enter", "y", "R"])
async def test_a_held_key_starts_nothing(key: str) -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        await made.press(*[key] * 40, gap=0.03)
        assert made.agent.asked == []


@pytest.mark.parametrize("names", [("nodeagent-07",), SET])
async def test_two_hundred_pasted_characters_start_nothing(names: tuple[str, ...]) -> None:
    async with stage() as made:
        await made.choose(*names)
        await made.press("R")
        made.clock.advance(timedelta(seconds=2))
        made.app.post_message(events.Paste("4y\n" * 66 + "yy"))
        await made.settle()
        assert "ignored" in made.text
        assert made.agent.asked == []
        await made.press(*("4y" * 100), gap=0)  # a terminal without bracketed paste
        assert made.agent.asked == []


async def test_a_set_wants_the_number_of_clients_that_run() -> None:
    async with stage() as made:
        await made.choose(*SET)
        await made.press("R")
        assert "Renew 4 certificates" in made.text
        assert "left alone" in made.text
        await made.type("6")  # the number of marked ones: two of them would not run
        await made.press("y")
        assert made.agent.asked == []
        assert "not the number" in made.text
        await made.press("backspace")
        await made.type("4")
        await made.press("enter")
        assert made.agent.asked == []
        await made.confirm()
        assert made.agent.asked == ["start plan-1"]
        assert isinstance(made.app.screen, OperationScreen)
        assert made.app.model.marked == ()


async def test_the_preview_of_a_set_lists_everybody_and_why_some_are_left_alone() -> None:
    async with stage(size=(140, 60)) as made:
        await made.choose(*SET)
        await made.press("R")
        for name in SET:
            assert name in made.text
        assert "it must sign in with its token" in made.text
        assert "renewing does not help, the CA ends first" in made.text
        assert "after the first failure" in made.text


async def test_a_production_site_wants_the_number_even_for_one() -> None:
    async with stage(site_tag="PROD") as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        await made.press("y")
        assert made.agent.asked == []
        assert "PROD" in made.text
        await made.type("1")
        await made.confirm()
        assert made.agent.asked == ["start plan-1"]


async def test_a_plan_can_be_confirmed_up_to_its_last_second_and_not_after() -> None:
    for late, started in ((-1, True), (0, True), (1, False)):
        async with stage() as made:
            await made.choose("kva-01")
            await made.press("R", gap=0)
            made.clock.advance(timedelta(minutes=15, seconds=late - 10))  # what waits ten seconds must be fresh then
            made.agent.beat()
            await made.settle()
            made.app.tick()
            await made.settle()
            await made.press("y", gap=0)
            assert bool(made.app.outbox.holding) is started
            assert ("too old" in made.text) is not started


async def test_a_changed_plan_is_shown_anew_with_the_difference_and_starts_nothing() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07", "nodeagent-08")
        await made.press("R")
        made.agent.alter("nodeagent-08", left=timedelta(days=89))
        await made.settle()
        await made.type("2")
        await made.confirm()
        assert made.agent.operations_kept == {}
        assert "facts have changed" in made.text
        assert "nodeagent-08 no longer runs" in made.text
        assert dialog(made).plan.runs == 1


async def test_more_at_a_time_is_a_new_plan() -> None:
    async with stage() as made:
        await made.choose(*SET)
        await made.press("R")
        await made.press("p")
        assert dialog(made).plan.parallel == 2
        await made.press("p")
        await made.press("p")
        assert dialog(made).plan.parallel == 1
        assert made.agent.asked == []


async def test_nothing_to_renew_says_why_and_offers_what_helps() -> None:
    async with stage() as made:
        await made.choose("wl3-csi-3", "wl3-kms-3")
        await made.press("R")
        assert isinstance(made.app.screen, NothingDialog)
        assert "it must sign in with its token" in made.text
        assert "repair: rotate, deliver, sign in" in made.text
        await made.press("S")
        assert dialog(made).plan.action is ActionKind.REPAIR
        assert made.agent.asked == []


async def test_force_needs_a_reason_and_is_said_in_the_preview() -> None:
    async with stage() as made:
        await made.choose("wl5-kms-1")
        await made.press("T")
        assert isinstance(made.app.screen, NothingDialog)
        await made.press("F", "enter")
        assert "a reason is needed" in made.text
        await made.type("OPS-7")
        await made.press("enter")
        assert dialog(made).plan.force
        assert "OPS-7" in made.text
        assert made.agent.asked == []


async def test_while_the_agent_is_away_a_preview_cannot_be_confirmed() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        made.agent.cut()
        await made.settle()
        await made.press("y")
        assert made.agent.asked == []
        assert "the agent has not answered" in made.text


async def test_planning_never_blocks_keys_and_a_late_plan_interrupts_nobody() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        start_action(made.app, ActionKind.RENEW, ["nodeagent-07"])
        made.app.cmd_help()  # the operator goes on before the answer
        await made.settle()
        assert not isinstance(made.app.screen, PlanDialog)
        assert "press its key again" in made.app.notice_text


async def test_the_result_is_told_when_it_is_proved() -> None:
    async with stage() as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        await made.confirm()
        made.agent.work("nodeagent-07", "issued", step="2/3 issued, waits for its first use", new_serial="77")
        await made.seconds(2)
        assert "in use" not in made.app.notice_text
        made.agent.work("nodeagent-07", "done", result="serial 77 is in use, good until 2027-01-19")
        await made.seconds(2)
        assert made.app.notice_text == "renew nodeagent-07: done: serial 77 is in use, good until 2027-01-19"


async def test_the_operation_counts_add_up_at_every_step_and_serials_change_in_sight() -> None:
    async with stage(size=(100, 30)) as made:
        await made.choose(*SET)
        await made.press("R")
        await made.type("4")
        await made.confirm()
        assert "0 done + 0 failed + 0 running + 4 waiting + 2 skipped = 6" in made.text
        steps = [
            ("nodeagent-07", "ordered"), ("nodeagent-07", "issued"), ("nodeagent-07", "done"),
            ("nodeagent-08", "ordered"), ("nodeagent-08", "failed"),
        ]  # fmt: skip
        for name, state in steps:
            made.agent.work(name, state, new_serial="aa01bb02" if state == "done" else "", result=f"{state} now")
            await made.seconds(2)
            shown = made.app.screen
            assert isinstance(shown, OperationScreen)
            one = shown.operation
            assert one.done + one.failed + one.running + one.waiting + one.skipped == one.total == 6
            assert "= 6" in made.text
        assert "77de0004 -> aa01bb02" in made.text
        await made.press("K")
        assert "R resumes it later" in made.text
        assert made.agent.asked[-1] != "stop operation-1"
        await made.press("y")
        assert made.agent.asked[-1] == "stop operation-1"
        assert "1 done + 1 failed + 0 running + 0 waiting + 4 skipped = 6" in made.text


async def test_a_failed_operation_is_resumed_with_what_is_left_and_on_its_own_screen() -> None:
    async with stage(size=(100, 30)) as made:
        await made.choose(*SET)
        await made.press("R")
        await made.type("4")
        await made.confirm()
        await made.press("R")
        assert "resume: this operation still runs" in made.text
        for name, state in (("nodeagent-07", "done"), ("nodeagent-08", "failed")):
            made.agent.work(name, state, result=f"{state} now")
        await made.press("K")
        await made.confirm()
        await made.seconds(2)
        await made.press("R")
        shown = made.app.screen
        assert isinstance(shown, PlanDialog)
        assert shown.plan.resumes == "operation-1"
        assert "nodeagent-07" not in {target.name for target in shown.plan.targets}
        assert "Resume: renew" in made.text
        await made.type(str(shown.plan.runs))
        await made.confirm()
        assert made.agent.asked[-1] == f"start {shown.plan.id}"
        screen = made.app.screen
        assert isinstance(screen, OperationScreen)
        assert (screen.operation.done, screen.operation.failed, screen.operation.ended_at) == (1, 0, None)
        await made.press("escape")
        assert not isinstance(made.app.screen, OperationScreen), "it was shown on the screen that was there"


@pytest.mark.parametrize(("key", "suffix"), [("m", "md"), ("j", "json"), ("c", "csv")])
async def test_a_plan_is_exported_for_approval_from_its_dialog_which_stays(
    key: str, suffix: str, tmp_path: Path
) -> None:
    async with stage(size=(100, 40), state_dir=tmp_path) as made:
        await made.choose(*SET)
        await made.press("R", "e", key)
        shown = made.app.screen
        assert isinstance(shown, PlanDialog), "the plan is still there to be confirmed"
        (path,) = (tmp_path / "exports").iterdir()
        assert (path.name.startswith("plan-"), path.suffix) == (True, f".{suffix}")
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text()
        assert "nodeagent-07" in text
        if suffix != "csv":
            assert shown.plan.hash in text
        assert ("Approved by" in text) is (suffix == "md")
        assert made.agent.asked == []


async def test_a_login_file_by_hand_is_taken_on_demand_and_its_path_is_shown(tmp_path: Path) -> None:
    async with stage(size=(100, 30), state_dir=tmp_path) as made:
        await made.choose("wl3-kms-3")
        await made.press("S")
        await made.confirm()
        made.agent.work("wl3-kms-3", "ordered", step="1/3 waits for you")
        await made.seconds(2)
        assert isinstance(made.app.screen, OperationScreen)
        assert "F takes its login file" in made.text
        await made.press("F")
        top: object = made.app.screen
        assert isinstance(top, DeliveryDialog)
        assert "wl3-kms-3.yaml" in made.text
        assert made.agent.asked[-1] == "take_login_file wl3-kms-3"


async def test_an_operation_goes_on_in_the_agent_while_it_is_away() -> None:
    async with stage() as made:
        await made.choose(*SET)
        await made.press("R")
        await made.type("4")
        await made.confirm()
        made.agent.cut()
        await made.seconds(3)
        assert "as last seen" in made.text
        made.agent.reachable = True
        made.agent.work("nodeagent-07", "done", result="in use")
        await made.seconds(3)
        assert "1 done" in made.text
        assert "as last seen" not in made.text


async def test_read_only_plans_nothing() -> None:
    async with stage(write=False) as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        assert made.agent.looks["plan"] == 0
        assert "read-only" in made.text


async def test_a_difference_is_never_silent() -> None:
    async with stage() as made:
        plan = await made.agent.plan(ActionKind.RENEW, ["nodeagent-07"])
        assert difference(plan, plan) == ["its targets look the same; the credentials behind them have changed"]


async def test_v_leads_to_those_that_are_left_alone_and_why() -> None:
    async with stage() as made:
        await made.choose(*SET)
        await made.press("R")
        assert "LEFT ALONE (2)" not in made.text
        await made.press("v")
        assert "LEFT ALONE (2)" in made.text
        assert "it must sign in with its token" in made.text
        assert made.agent.asked == []
