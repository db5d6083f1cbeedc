"""The CA rotation on the screen: plan, typed confirmation, progress through the agent's own restart, and its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual import events

from scripts.stage.agent import CHECKS
from scripts.stage.drive import Stage, stage
from scripts.stage.rotation import StagedRotation
from tui.commands import BY_ID, ROTATION, ROTATION_PLAN
from tui.rotating import CheckView
from tui.screens.rotation import RotationScreen
from tui.screens.rotation_confirm import MoveDialog, RotationConfirm
from tui.screens.rotation_plan import by_need, failing
from tui.screens.rotation_progress import PHASES, adds_up, sum_text

FAIL = CheckView(
    test="backup",
    category="agent",
    result="fail",
    details="the newest is 3 d old",
    recommendation="make a backup",
)


async def confirm(made: Stage, *, name: str = "bonn", warnings: str = "1", reason: str = "OPS-4502") -> None:
    """Open the plan and fill the confirmation; the last key is left to the test."""
    await made.press("X", "d", "C")
    await made.type(f"{name}\t{warnings}\t{reason}\t")


async def started(made: Stage) -> StagedRotation:
    await confirm(made)
    await made.press("y")
    assert made.agent.staged_rotation is not None
    return made.agent.staged_rotation


def screen(made: Stage) -> RotationScreen:
    found = made.app.screen
    assert isinstance(found, RotationScreen), found
    return found


async def test_the_plan_names_every_client_and_how_it_comes_back_those_in_need_first() -> None:
    async with stage(size=(140, 130)) as made:
        await made.press("X", "d")
        plan = screen(made).plan
        assert plan is not None
        for seed in made.agent.seeds:
            assert seed.name in made.text
        assert "34 by themselves + 1 by file + 3 by hand + 5 out already = 43" in made.text
        routes = [client.route for client in by_need(plan.clients)]
        assert routes == sorted(routes, key=["manual", "out", "file", "itself"].index)
        assert "about 65 s for the 34" in made.text
        assert made.agent.asked == []


async def test_looking_at_the_plan_needs_no_write_mode_and_confirming_does() -> None:
    async with stage(write=False) as made:
        await made.press("4")
        assert "READINESS" in made.text
        await made.press("C")
        assert "read-only" in made.text
        assert isinstance(made.app.screen, RotationScreen)


async def test_a_failed_check_locks_the_plan_and_says_what_to_do() -> None:
    async with stage() as made:
        made.agent.checks = (*CHECKS, FAIL)
        await made.press("X", "d")
        assert "LOCKED" in made.text
        assert "make a backup" in made.text
        await made.press("C")
        assert isinstance(made.app.screen, RotationScreen)
        assert "backup" in made.app.notice_text


def test_a_check_with_an_unknown_result_counts_as_failed() -> None:
    plan = type("Plan", (), {"checks": (replace(FAIL, result="maybe"),)})
    assert [check.test for check in failing(plan)] == ["backup"]  # type: ignore[arg-type]


async def test_the_exact_name_the_warnings_and_a_reason_start_it() -> None:
    async with stage() as made:
        await confirm(made)
        assert made.agent.asked == []
        await made.press("y")
        assert made.agent.asked == ["start_rotation rotation-plan-2 bonn"]
        assert screen(made).scope == ROTATION
        assert made.agent.staged_rotation is not None
        assert made.agent.staged_rotation.reason == "OPS-4502"


@pytest.mark.parametrize(
    ("typed", "missing"),
    [
        ({"name": "Bonn"}, "the name (differs)"),
        ({"name": "bon"}, "the name (unfinished)"),
        ({"name": "bonn "}, "the name (differs)"),
        ({"name": ""}, "the name"),
        ({"warnings": "2"}, "the warnings' number (differs)"),
        ({"reason": ""}, "a reason"),
        ({"reason": "  "}, "a reason"),
    ],
)
async def test_anything_less_is_refused_and_named(typed: dict[str, str], missing: str) -> None:
    async with stage() as made:
        await confirm(made, **typed)
        await made.press("y")
        assert made.agent.asked == []
        assert isinstance(made.app.screen, RotationConfirm)
        assert missing in made.text


async def test_a_pasted_name_is_ignored_and_a_pasted_reason_is_taken() -> None:
    async with stage() as made:
        await made.press("X", "d", "C")
        made.app.post_message(events.Paste("bonn"))
        await made.settle()
        dialog = made.app.screen
        assert isinstance(dialog, RotationConfirm)
        assert dialog.fields[0].text == ""
        assert "ignored" in made.text
        await made.type("bonn\t1\t")
        made.app.post_message(events.Paste("OPS-4502\n\x1b[31mred"))
        await made.settle()
        assert dialog.fields[-1].text == "OPS-4502 [31mred"
        await made.press("tab", "y")
        assert len(made.agent.asked) == 1


async def test_a_name_that_comes_as_a_burst_is_not_taken() -> None:
    async with stage() as made:
        await made.press("X", "d", "C")
        await made.press(*"bonn", gap=0.005)
        dialog = made.app.screen
        assert isinstance(dialog, RotationConfirm)
        assert dialog.fields[0].text != "bonn"


async def test_held_enter_walks_through_the_fields_and_starts_nothing() -> None:
    async with stage() as made:
        await confirm(made)
        await made.press(*["enter"] * 40, gap=0.03)
        await made.press(*["y"] * 10, gap=0.03)
        assert made.agent.asked == []


async def test_the_confirmation_ends_with_the_fifteen_minutes_of_its_plan() -> None:
    for late, starts in ((-1, True), (0, True), (1, False)):
        async with stage() as made:
            await made.press("X", gap=0)
            await made.press("d", "C", gap=0)
            await made.press(*"bonn", "tab", "1", "tab", *"OPS", "tab", gap=0.1)
            dialog = made.app.screen
            assert isinstance(dialog, RotationConfirm)
            assert "to be confirmed within" in made.text
            left = dialog.plan.expires_at - made.clock.now()
            made.clock.advance(left + timedelta(seconds=late))
            made.agent.beat()
            await made.settle()
            made.app.tick()
            await made.settle()
            await made.press("y", gap=0)
            assert bool(made.agent.asked) is starts
            assert ("fifteen minutes are over" in made.text) is not starts


async def test_a_changed_fleet_is_shown_as_a_new_plan_with_the_difference() -> None:
    async with stage() as made:
        await confirm(made)
        made.agent.alter("kva-01", beats=False)
        await made.settle()
        await made.press("y")
        assert made.agent.staged_rotation is None
        shown = screen(made)
        assert shown.scope == ROTATION_PLAN
        assert "Nothing was started" in made.text
        assert "kva-01 comes back another way: by hand, before by itself" in made.text
        await made.press("C")
        assert isinstance(made.app.screen, RotationConfirm)
        assert made.app.screen.fields[0].text == ""  # what was typed for the old plan is void


async def test_the_counts_add_up_at_every_tick_from_the_start_to_the_end() -> None:
    async with stage(size=(140, 60)) as made:
        rotation = await started(made)
        agent, seen = made.agent, []

        async def look(seconds: int = 1) -> None:
            for _ in range(seconds):
                await made.seconds()
                shown = screen(made).rotation
                assert shown is not None
                assert adds_up(shown)
                assert sum_text(shown) in made.text
                seen.append(shown.phase)

        await look()
        rotation.move_on(agent.now)
        for _ in range(5):
            rotation.inform(7, agent.now)
            await look()
        for _ in range(3):
            rotation.move_on(agent.now)
            await look(2)
        for _ in range(6):
            rotation.bring_back(6, agent.now)
            await look(2)
        for phase in PHASES[:5]:
            assert phase in seen
        assert "STUCK: they do not come back without a person (8)" in made.text
        await made.press("W")
        assert isinstance(made.app.screen, MoveDialog)
        await made.type("8\tgone for good\t")
        await made.press("y")
        move, names = agent.asked[-1].split(" ", 1)
        assert move == "finish"
        assert len(names.split(",")) == 8  # each by name
        rotation.move_on(agent.now)
        await look(2)
        assert "COMPLETED" in made.text
        assert "35 of 43 came back, 8 were written off" in made.text
        assert "outage  median" in made.text
        assert screen(made).rotation is not None
        looks = agent.looks["rotation"]
        await made.seconds(3)
        assert agent.looks["rotation"] == looks  # it has ended: nobody asks any more


async def test_stuck_clients_stand_first_each_with_its_remedy_and_owner() -> None:
    async with stage(size=(140, 60)) as made:
        rotation = await started(made)
        for _ in range(4):
            rotation.move_on(made.agent.now)
        rotation.bring_back(20, made.agent.now)
        rotation.errors["caph-02"] = "tls: certificate signed by unknown authority"
        await made.seconds(2)
        text = made.text
        assert text.index("STUCK") < text.index("GATES") < text.index("LOST") < text.index("RETURNED")
        line = next(line for line in text.splitlines() if "lb-agent-1" in line)
        assert "team-store" in line
        assert "carry a login file to it" in line
        assert "its last error: tls: certificate signed by unknown authority" in text


async def test_the_screen_survives_the_agents_own_cutover_and_reconnects_by_itself() -> None:
    async with stage() as made:
        rotation = await started(made)
        rotation.move_on(made.agent.now)
        rotation.move_on(made.agent.now)
        await made.seconds(2)
        made.agent.cut()
        await made.seconds(5)
        assert "AGENT AWAY" in made.text
        assert "as seen" in made.text
        assert "D2 fenced" in made.text  # what was known stays
        rotation.move_on(made.agent.now)
        rotation.move_on(made.agent.now)
        made.agent.reachable = True
        await made.seconds(15)
        assert "AGENT AWAY" not in made.text
        assert "[>] D4 re-enrolling" in made.text


async def test_leaving_and_coming_back_goes_straight_to_the_progress() -> None:
    async with stage() as made:
        rotation = await started(made)
        rotation.move_on(made.agent.now)
        made.agent.tell()
        await made.seconds(1)
        await made.press("escape")
        assert not isinstance(made.app.screen, RotationScreen)
        looks = made.agent.looks["rotation"]
        await made.seconds(5)
        assert made.agent.looks["rotation"] == looks  # only while it is open
        await made.press("4")
        assert screen(made).scope == ROTATION
        assert "[>] D1 staged" in made.text


async def test_a_rotation_started_elsewhere_replaces_the_plan() -> None:
    async with stage() as made:
        await made.press("X", "d")
        plan = screen(made).plan
        assert plan is not None
        await made.agent.start_rotation(plan, "bonn", "from the command line")
        made.agent.tell()
        await made.seconds(2)
        assert screen(made).scope == ROTATION


async def test_abort_is_for_before_the_cutover_and_write_off_for_after() -> None:
    async with stage() as made:
        rotation = await started(made)
        await made.press("W")
        assert "nobody has lost anything yet" in made.app.notice_text
        for _ in range(4):
            rotation.move_on(made.agent.now)
        await made.seconds(2)
        await made.press("A")
        assert "no way back" in made.app.notice_text
        assert len(made.agent.asked) == 1


async def test_an_abort_is_confirmed_and_ends_it_with_nobody_lost() -> None:
    async with stage() as made:
        rotation = await started(made)
        rotation.move_on(made.agent.now)
        await made.seconds(2)
        await made.press("A", "tab", "y")
        assert made.agent.asked[-1].startswith("abort")
        await made.seconds(1)
        assert "ABORTED" in made.text
        assert rotation.outcome == "aborted"
        assert "nobody lost anything" in made.text


async def test_proceeding_is_confirmed_and_names_whom_nobody_waits_for() -> None:
    async with stage() as made:
        rotation = await started(made)
        rotation.move_on(made.agent.now)
        rotation.inform(33, made.agent.now)
        await made.seconds(2)
        await made.press("P")
        assert "waiting for wl5-cloud-prov-2" in made.text
        await made.press("tab", "y")
        assert made.agent.asked[-1].startswith("proceed")


async def test_writing_off_wants_the_number_and_a_reason() -> None:
    async with stage() as made:
        rotation = await started(made)
        for _ in range(4):
            rotation.move_on(made.agent.now)
        rotation.bring_back(99, made.agent.now)
        await made.seconds(2)
        await made.press("W")
        await made.type("7\tgone\t")
        await made.press("y")
        assert "the number (differs)" in made.text
        assert len(made.agent.asked) == 1


async def test_a_decision_on_a_rotation_that_moved_on_is_refused_in_one_line() -> None:
    async with stage() as made:
        rotation = await started(made)
        await made.press("A")
        rotation.move_on(made.agent.now)
        await made.press("tab", "y")
        assert "look at it again" in made.app.notice_text
        assert rotation.ended_at is None


async def test_the_last_rotation_is_named_beside_the_generations_and_can_be_seen() -> None:
    async with stage() as made:
        rotation = await started(made)
        rotation.move_on(made.agent.now)
        await made.seconds(1)
        await made.press("A", "tab", "y")
        await made.press("escape", "4")
        assert screen(made).scope == ROTATION_PLAN
        assert "last rotation: g4 -> g5 aborted" in made.text
        await made.press("l")
        assert "ABORTED" in made.text


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (200, 60)])
async def test_no_line_is_wider_than_the_screen(size: tuple[int, int]) -> None:
    from rich.cells import cell_len

    async with stage(size=size) as made:
        rotation = await started(made)
        for _ in range(4):
            rotation.move_on(made.agent.now)
        await made.seconds(2)
        shown = screen(made).query_one("#body")
        body = screen(made).text_lines(screen(made).view())
        assert shown.size.width == size[0]
        widest = max(sum(cell_len(text) for text, _ in line) for line in body)
        assert widest <= size[0]


async def test_a_key_that_the_phase_forbids_is_dimmed_and_names_the_one_that_works() -> None:
    async with stage() as made:
        rotation = await started(made)

        def refused(*ids: str) -> list[bool]:
            return [made.app.refusal(BY_ID[one]) is not None for one in ids]

        assert refused("proceed", "abort", "write_off") == [True, False, True]
        rotation.move_on(made.agent.now)
        rotation.inform(33, made.agent.now)
        await made.seconds(2)
        assert refused("proceed", "abort", "write_off") == [False, False, True]
        for _ in range(3):
            rotation.move_on(made.agent.now)
        rotation.bring_back(90, made.agent.now)
        await made.seconds(2)
        assert refused("proceed", "abort", "write_off") == [True, True, False]
        await made.press("P")
        assert isinstance(made.app.screen, RotationScreen)
        assert "W writes them off" in made.app.notice_text
