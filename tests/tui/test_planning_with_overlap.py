"""The plan of the CA rotation with overlap, its second person, and a rehearsal, on the screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from textual import events

from backend.core.overlap import Route
from scripts.stage.drive import stage
from scripts.stage.overlap import StagedOverlap
from tests.tui.overlapping import confirm, screen, words
from tui.commands import OVERLAP, REHEARSAL, ROTATION_PLAN
from tui.rotating import RotationKind
from tui.screens.rotation_approval import ApproveDialog
from tui.screens.rotation_confirm import RotationConfirm
from tui.screens.rotation_kinds import SettingsDialog

# Before it runs


async def test_the_overlap_is_planned_first_and_every_other_kind_is_one_key_away() -> None:
    async with stage() as made:
        await made.press("X")
        assert "PLAN: ROTATE WITH OVERLAP" in made.text
        for key, effect in (
            ("o", "nobody loses the agent"),
            ("d", "EVERY client loses the agent"),
            ("c", "the CA's key is in other hands"),
            ("r", "changes nothing"),
        ):
            assert effect in made.text
            await made.press(key)
            kind = RotationKind({"o": "overlap", "d": "disruptive", "c": "compromise", "r": "rehearsal"}[key])
            plan = screen(made).plan
            assert plan is not None
            assert plan.kind is kind
        assert made.agent.asked == []


async def test_the_plan_says_of_every_client_how_it_gets_through_and_what_if_it_does_not_move() -> None:
    async with stage(size=(140, 200)) as made:
        await made.press("X")
        plan = screen(made).plan
        assert plan is not None
        assert "36 by themselves + 1 by cross certificate + 1 silent + 5 out before = 43" in made.text
        for client in plan.clients:
            assert client.name in made.text
            assert client.after[1:40] in words(made)
        assert made.text.index("OUT BEFORE (5)") < made.text.index("SILENT (1)") < made.text.index("BY THEMSELVES")


async def test_settings_make_a_new_plan_with_a_new_hash_and_need_no_write_mode() -> None:
    async with stage(size=(80, 50), write=False) as made:
        await made.press("4")
        before = screen(made).plan
        assert before is not None
        await made.press("s")
        assert isinstance(made.app.screen, SettingsDialog)
        await made.press(*["backspace"] * 6, gap=0.1)
        await made.type("auto\t2d\t1h\t")
        await made.press("backspace", gap=0.1)
        await made.type("10\t")
        await made.press("y")
        plan = screen(made).plan
        assert plan is not None
        assert plan.settings.automatic
        assert plan.settings.shadow_for == timedelta(days=2)
        assert plan.settings.quiet_for == timedelta(hours=1)
        assert plan.settings.stop_percent == 10
        assert plan.hash != before.hash
        assert "automatic: each phase is left as soon as its gates are met" in made.text
        assert made.agent.asked == []


@pytest.mark.parametrize(
    ("field", "text", "missing"),
    [
        (0, "fast", "manual or auto"),
        (1, "two days", "a length such as 30m, 12h or 2d"),
        (2, "-1h", "a length such as 30m, 12h or 2d"),
        (3, "101", "a share from 0 to 100"),
        (3, "", "a share from 0 to 100"),
    ],
)
async def test_a_setting_that_makes_no_sense_is_named_and_nothing_is_planned(
    field: int, text: str, missing: str
) -> None:
    async with stage() as made:
        await made.press("X", "s")
        dialog = made.app.screen
        assert isinstance(dialog, SettingsDialog)
        dialog.fields[field].text = text
        dialog.at = len(dialog.fields)
        looks = made.agent.looks["plan_rotation"]
        await made.press("y")
        assert missing in made.text
        assert isinstance(made.app.screen, SettingsDialog)
        assert made.agent.looks["plan_rotation"] == looks


async def test_the_confirmation_says_that_nobody_loses_the_agent_and_starts_what_was_planned() -> None:
    async with stage(size=(80, 40)) as made:
        await confirm(made)
        assert "none of 43 clients loses the cloud" in made.text
        assert made.agent.asked == []
        await made.press("y")
        assert made.agent.asked == ["start_rotation rotation-plan-1 bonn"]
        assert screen(made).scope == OVERLAP
        assert "Z1 PLANNED" in made.text


# The second person


async def test_a_plan_that_wants_a_second_person_is_locked_until_the_approval_is_seen() -> None:
    async with stage(size=(80, 40)) as made:
        made.agent.wants_approval = True
        await confirm(made)
        dialog = made.app.screen
        assert isinstance(dialog, RotationConfirm)
        assert f"mocdeck rotate-ca approve --plan {dialog.plan.id}" in made.text
        assert dialog.plan.hash in made.text  # the whole of it
        await made.press("y")
        assert made.agent.asked == []
        assert "it lacks: somebody else's approval" in made.text
        made.agent.approve(replace(dialog.plan, id="another-plan"))
        await made.seconds(4)
        assert dialog.approval is None
        made.agent.approve(dialog.plan)
        await made.seconds(4)
        assert "APPROVED by ops-ben at" in made.text
        await made.press("y")
        assert made.agent.asked == ["start_rotation rotation-plan-1 bonn"]


async def test_whoever_approves_is_told_whether_the_hash_is_of_the_plan_that_they_see() -> None:
    async with stage(size=(100, 40)) as made:
        await made.press("X", "A")
        dialog = made.app.screen
        assert isinstance(dialog, ApproveDialog)
        assert dialog.own is not None
        made.app.post_message(events.Paste("their-plan"))
        await made.settle()
        await made.press("tab")
        made.app.post_message(events.Paste("ab" * 32))
        await made.settle()
        assert "NOT the plan behind this" in made.text
        dialog.fields[1].text = ""
        made.app.post_message(events.Paste(f" {dialog.own.hash}\n"))
        await made.settle()
        assert "you have seen what you approve" in made.text
        await made.press("tab")
        made.app.post_message(events.Paste("bonn"))
        await made.settle()
        assert dialog.fields[2].text == ""  # a name is typed
        await made.type("bonn\t")
        await made.press("y")
        assert made.agent.asked == [f"approve_rotation their-plan {dialog.own.hash[:8]} bonn"]
        assert "somebody else has to approve it" in made.app.notice_text  # the agent's own sentence


# A rehearsal


async def test_a_rehearsal_wants_a_reason_only_and_says_who_would_have_blocked() -> None:
    async with stage(size=(80, 60)) as made:
        await made.press("X", "r")
        assert "PLAN: REHEARSE" in made.text
        await made.press("C")
        await made.type("OPS-4500\t")
        await made.press("y")
        rehearsal, agent = made.agent.staged_overlap, made.agent
        assert rehearsal is not None
        assert screen(made).scope == REHEARSAL
        await made.seconds(9)
        rehearsal.prove(20, agent.now)
        await made.seconds(10)
        rehearsal.prove(14, agent.now)
        rehearsal.clients = [
            replace(one, careless="a server that nobody vouches for")
            if one.route is Route.ITSELF and one.proved_at is None and one.name == left(rehearsal)[0]
            else one
            for one in rehearsal.clients
        ]
        blind = left(rehearsal)
        assert len(blind) == 2
        rehearsal.end_rehearsal("rehearsed", agent.now)
        await made.seconds(2)
        assert "RESULT: 2 clients would have blocked the rotation" in words(made)
        assert "34 passed + 2 would have blocked + 7 not asked = 43; the slowest took" in words(made)
        blocked = made.text.split("WOULD HAVE BLOCKED")[1].split("PASSED")[0]
        assert all(name in blocked for name in blind)
        assert "a server that nobody vouches" in blocked
        await made.press("B")
        assert "this one has ended (rehearsed)" in made.app.notice_text


def left(rehearsal: StagedOverlap) -> list[str]:
    return [one.name for one in rehearsal.clients if one.route is Route.ITSELF and one.proved_at is None]


async def test_another_kind_leaves_the_plan_s_face() -> None:
    async with stage() as made:
        await made.press("X", "d")
        await made.press("s")
        assert "they are for a rotation with overlap" in made.app.notice_text
        assert screen(made).scope == ROTATION_PLAN
