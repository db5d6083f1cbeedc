"""The CA rotation with overlap on the screen: its plan, a second person, its progress with proof, and the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.cells import cell_len
from textual import events

from backend.core.overlap import OverlapPhase, Route
from scripts.stage.drive import Stage, stage
from scripts.stage.overlap import StagedOverlap
from tui.commands import BY_ID, OVERLAP, REHEARSAL, ROTATION_PLAN, of_screen
from tui.rotating import RotationKind
from tui.screens.rotation import RotationScreen
from tui.screens.rotation_approval import ApproveDialog
from tui.screens.rotation_confirm import RotationConfirm
from tui.screens.rotation_kinds import SettingsDialog
from tui.screens.rotation_moves import DestroyDialog, OverlapMove
from tui.screens.rotation_overlap import level_sum, levels_add_up

ACTS = "PHBVWMD"  # every key that changes something while it runs


async def confirm(made: Stage) -> None:
    """Open the plan and fill the confirmation; the last key is left to the test."""
    await made.press("X", "C")
    await made.type("bonn\t1\tOPS-4502\t")


async def started(made: Stage) -> StagedOverlap:
    await confirm(made)
    await made.press("y")
    assert made.agent.staged_overlap is not None
    return made.agent.staged_overlap


def screen(made: Stage) -> RotationScreen:
    found = made.app.screen
    assert isinstance(found, RotationScreen), found
    return found


def words(made: Stage) -> str:
    """What is shown, without where its lines break."""
    return " ".join(made.text.split())


async def advance_to(made: Stage, rotation: StagedOverlap, phase: OverlapPhase) -> None:
    """Let clients and agent do their part until a phase is entered."""
    for _ in range(len(OverlapPhase)):
        if rotation.phase is phase:
            break
        now = made.agent.now
        rotation.prove(99, now)
        if rotation.phase is OverlapPhase.ISSUING:
            rotation.use(5, 99, now)
        rotation.move_on(now)
        rotation.probe(now)
    assert rotation.phase is phase
    made.agent.tell()
    await made.seconds(2)


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


# While it runs


async def test_from_the_plan_through_a_hold_to_the_way_back_the_counts_add_up_at_every_tick() -> None:
    async with stage(size=(140, 60)) as made:
        rotation, agent = await started(made), made.agent
        seen: list[str] = []

        async def look(seconds: int = 1) -> None:
            for _ in range(seconds):
                await made.seconds()
                shown = screen(made).rotation
                assert shown is not None
                assert levels_add_up(shown)
                assert level_sum(shown) in made.text
                seen.append(shown.phase)

        await look()
        await made.press("P")
        assert "the agent goes on by itself" in made.app.notice_text
        rotation.move_on(agent.now)
        await look(2)
        await made.press("P")
        assert isinstance(made.app.screen, OverlapMove)
        assert "Both roots are published" in made.text
        await made.press("tab", "y")
        assert rotation.phase is OverlapPhase.TRUSTED
        for number in (7, 20, 99):
            rotation.prove(number, agent.now)
            rotation.probe(agent.now)
            await look(2)
        await made.press("H")
        await made.type("the vendor calls back\t")
        await made.press("y")
        await look()
        assert "HELD" in made.text
        assert "ops-anna: the vendor calls back" in made.text
        await made.press("P", "tab", "y")  # takes the hold off, and every gate is met
        assert rotation.phase is OverlapPhase.ISSUING
        rotation.use(5, 3, agent.now)
        await look(2)
        assert "WAVES" in made.text
        await made.press("B")
        await made.type("bon")
        await made.press("tab", gap=0.1)
        await made.type("too slow\t")
        await made.press("y")
        assert "the name (unfinished)" in made.text
        await made.press("shift+tab", "shift+tab", gap=0.1)
        await made.type("n\t\t")
        await made.press("y")
        assert rotation.rolled_back_from == "issuing"
        await look()
        assert "WAY BACK from Z4 issuing: > R2 ISSUING OLD" in made.text
        rotation.move_on(agent.now)
        rotation.use(4, 99, agent.now)
        await look(2)
        rotation.move_on(agent.now)
        rotation.move_on(agent.now)
        await look(2)
        assert "ROLLED BACK at" in made.text
        assert "does not count as a rotation" in words(made)
        order = ["planned", "staged", "trusted", "issuing", "issuing old", "reissuing back", "rolled back"]
        assert list(dict.fromkeys(seen)) == order
        looks = agent.looks["rotation"]
        await made.seconds(3)
        assert agent.looks["rotation"] == looks  # it has ended: nobody asks any more


async def test_read_only_refuses_every_move() -> None:
    async with stage(write=False) as made:
        plan = await made.agent.plan_rotation()
        await made.agent.start_rotation(plan, "bonn", "from the command line")
        made.agent.asked.clear()
        await made.press("4")
        assert screen(made).scope == OVERLAP
        assert sorted(c.key for c in of_screen(OVERLAP) if c.mutates) == sorted(ACTS)
        for key in ACTS:
            await made.press(key)
            assert "read-only" in made.app.notice_text
            assert isinstance(made.app.screen, RotationScreen)
        assert made.agent.asked == []


async def test_a_decision_on_a_version_that_is_gone_is_refused_in_the_agents_words_and_read_again() -> None:
    async with stage() as made:
        rotation = await started(made)
        await made.press("H")
        rotation.move_on(made.agent.now)
        await made.type("wait\t")
        await made.press("y")
        assert "is at version 2, not 1; look at it again" in made.app.notice_text
        assert rotation.held == ""
        looks = made.agent.looks["rotation"]
        await made.seconds(1)
        assert made.agent.looks["rotation"] > looks
        assert "Z2 STAGED" in made.text


async def test_who_is_waited_for_stands_first_and_the_cursor_says_more() -> None:
    async with stage(size=(80, 24)) as made:
        rotation = await started(made)
        rotation.move_on(made.agent.now)
        rotation.move_on(made.agent.now)
        rotation.prove(30, made.agent.now)
        await made.seconds(2)
        shown = screen(made).rotation
        assert shown is not None
        awaited = sorted(client.name for client in shown.clients if client.awaited)
        assert len(awaited) == 6
        await made.press("j")
        assert screen(made).chosen in awaited
        assert "if it does not move: It walks the signed bundle chain" in words(made)
        seen = [screen(made).chosen]
        for _ in range(5):
            await made.press("j")
            seen.append(screen(made).chosen)
        assert sorted(seen) == awaited
        await made.press("j")
        assert screen(made).chosen not in awaited
        await made.press("g")
        assert screen(made).chosen == ""
        assert "Z3 TRUSTED" in made.text


async def test_clients_are_waived_with_a_reason_and_written_off_with_their_number() -> None:
    async with stage(size=(80, 40)) as made:
        rotation = await started(made)
        rotation.move_on(made.agent.now)
        rotation.move_on(made.agent.now)
        rotation.prove(33, made.agent.now)
        await made.seconds(2)
        await made.press("V")
        assert "put the cursor on a client" in made.app.notice_text
        await made.press("j", "V")
        first = screen_behind(made).chosen
        await made.press("tab", "y")
        assert "it lacks: a reason" in made.text
        await made.press("tab")
        await made.type("in the workshop\t")
        await made.press("y")
        assert made.agent.asked[-1] == f"waive {first}"
        await made.seconds(2)
        await made.press("g", "j", "space", "space", "W")
        marked = screen_behind(made).marks.copy()
        assert len(marked) == 2
        await made.type("1\tthey are scrap\t")
        await made.press("y")
        assert "the number (differs)" in made.text
        await made.press("tab", "backspace", gap=0.1)
        await made.type("2\t\t")
        await made.press("y")
        move, names = made.agent.asked[-1].rsplit(" ", 1)
        assert move == "write off"
        assert set(names.split(",")) == marked
        await made.seconds(2)
        assert screen(made).marks == set()
        assert "written off 2 = 43" in made.text
        assert "AWAITED" not in made.text  # the others have proved it


def screen_behind(made: Stage) -> RotationScreen:
    found = made.app.deck
    assert isinstance(found, RotationScreen)
    return found


async def test_a_cell_that_is_not_as_it_must_and_who_would_fail_cannot_be_missed() -> None:
    async with stage(size=(110, 70)) as made:
        rotation = await started(made)
        await advance_to(made, rotation, OverlapPhase.SHADOW)
        now = made.agent.now
        rotation.clients = [
            replace(one, would_fail_at=now) if one.name == "wl3-csi-1" else one for one in rotation.clients
        ]
        rotation.probe(now, **{"client shows old leaf, agent trusts new": "ok"})
        await made.seconds(1)
        assert "client shows old leaf, agent trusts new: ok, NOT client refused" in words(made)
        assert "1 otherwise" in made.text
        assert "would fail without the old ca (1)" in made.text.lower()
        line = next(line for line in made.text.splitlines() if "would have failed " in line and "ago" in line)
        assert "wl3-csi-1" in line
        assert "from 10.0.4.17" in line
        assert "wl3-csi-1 would have" in words(made)  # the gate names it as well
        assert "CA ROTATION shadow" in made.text
    async with stage(size=(140, 60)) as made:
        rotation = await started(made)
        await advance_to(made, rotation, OverlapPhase.TRUSTED)
        rotation.probe(made.agent.now, **{"client shows old leaf, agent trusts new": "ok"})
        await made.seconds(1)
        row = next(line for line in made.text.splitlines() if "client: old leaf  " in line)
        assert row.split()[-3:] == ["ok", "ok", "ACCEPTED"]


async def test_the_old_key_is_destroyed_last_with_the_name_typed_and_no_way_back_after_it() -> None:
    async with stage() as made:
        rotation = await started(made)
        await advance_to(made, rotation, OverlapPhase.SHADOW)
        await made.press("D")
        assert "goes last, once the old CA is distrusted" in made.app.notice_text
        await advance_to(made, rotation, OverlapPhase.DISTRUSTED)
        await made.press("D")
        assert "it waits: it was observed" in made.app.notice_text or "refused" in made.app.notice_text
        await made.seconds(31)
        rotation.probe(made.agent.now)
        await made.seconds(1)
        assert "destroy the key of CA g4, or roll back while it is there [D]" in words(made)
        await made.press("P")
        assert "only destroying the key" in made.app.notice_text
        await made.press("D")
        assert isinstance(made.app.screen, DestroyDialog)
        assert "NO WAY BACK" in made.text
        await made.type("Bonn\t")
        await made.press("y")
        assert "the name (differs)" in made.text
        await made.press("tab", "ctrl+u", gap=0.1)
        await made.type("bonn\t")
        await made.press("y")
        assert made.agent.asked[-1] == "destroy_authority 4 bonn"
        await made.seconds(1)
        assert "COMPLETED at" in made.text


async def test_automatic_is_confirmed_once_and_then_refused() -> None:
    async with stage() as made:
        rotation = await started(made)
        await made.press("M", "tab", "y")
        assert rotation.settings.automatic
        await made.seconds(1)
        assert "| automatic |" in made.text
        await made.press("M")
        assert "it goes on by itself already; H holds it" in made.app.notice_text


async def test_the_home_header_says_that_a_rotation_runs_and_that_it_is_held() -> None:
    async with stage() as made:
        rotation = await started(made)
        await made.press("escape")
        made.agent.tell()
        await made.seconds(1)
        assert "CA ROTATION planned" in made.text
        assert "HELD" not in made.text
        rotation.held = "ops-ben: freeze"
        await made.seconds(1)
        assert "CA ROTATION planned HELD" in made.text


async def test_the_screen_is_left_lost_and_reopened_on_the_same_rotation() -> None:
    async with stage() as made:
        rotation = await started(made)
        await made.seconds(1)
        made.agent.cut()
        await made.seconds(4)
        assert "AGENT AWAY" in made.text
        assert "Z1 PLANNED" in made.text  # what was known stays
        rotation.move_on(made.agent.now)
        made.agent.reachable = True
        await made.seconds(15)
        assert "Z2 STAGED" in made.text
        await made.press("escape", "4")
        assert screen(made).scope == OVERLAP
        assert "Z2 STAGED" in made.text


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (120, 30), (200, 60)])
async def test_no_line_is_wider_than_the_screen_in_any_phase(size: tuple[int, int]) -> None:
    async with stage(size=size) as made:
        rotation = await started(made)
        for phase in (OverlapPhase.TRUSTED, OverlapPhase.ISSUING, OverlapPhase.SHADOW):
            await advance_to(made, rotation, phase)
            rotation.held = "ops-anna: " + "a long story " * 12
            await made.seconds(1)
            body = screen(made).text_lines(screen(made).view())
            assert max(sum(cell_len(text) for text, _ in line) for line in body) <= size[0]
            rotation.held = ""


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


async def test_a_key_that_the_phase_forbids_is_dimmed() -> None:
    async with stage() as made:
        rotation = await started(made)

        def refused() -> set[str]:
            return {c.id for c in of_screen(OVERLAP) if c.mutates and made.app.refusal(c) is not None}

        assert refused() == {"advance", "waive", "give_up", "destroy_key"}
        await advance_to(made, rotation, OverlapPhase.TRUSTED)
        await made.press("j")
        assert refused() == {"destroy_key"}
        rotation.rolled_back_from, rotation.phase = "trusted", OverlapPhase.UNTRUSTING_NEW
        await made.seconds(1)
        assert "roll_back" in refused()
        assert made.app.refusal(BY_ID["hold"]) is None


async def test_another_kind_leaves_the_plan_s_face() -> None:
    async with stage() as made:
        await made.press("X", "d")
        await made.press("s")
        assert "they are for a rotation with overlap" in made.app.notice_text
        assert screen(made).scope == ROTATION_PLAN
