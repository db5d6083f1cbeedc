"""The CA rotation with overlap while it runs: its proof on the screen, what is told to it, and the way back."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from backend.core.overlap import OverlapPhase
from scripts.stage.drive import stage
from tests.tui.overlapping import advance_to, screen, screen_behind, started, words
from tui.commands import BY_ID, OVERLAP, of_screen
from tui.screens.rotation import RotationScreen
from tui.screens.rotation_moves import DestroyDialog, OverlapMove
from tui.screens.rotation_overlap import level_sum, levels_add_up

ACTS = "PHBVWMD"  # every key that changes something while it runs


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
        assert rotation.phase.value == "trusted"
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
        assert rotation.phase.value == "issuing"
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


async def test_the_progress_is_exported_client_by_client_with_the_proof_of_each(tmp_path: Path) -> None:
    async with stage(state_dir=tmp_path) as made:
        rotation = await started(made)
        await advance_to(made, rotation, OverlapPhase.ISSUING)
        await made.press("e", "c")
        written = next(tmp_path.glob("exports/rotation-*.csv"))  # noqa: ASYNC240 - a file of one kilobyte
        rows = list(csv.DictReader(line for line in written.read_text().splitlines() if not line.startswith("#")))
        shown = screen(made).rotation
        assert shown is not None
        assert len(rows) == shown.total
        assert {row["client"]: row["level"] for row in rows} == {one.name: one.level for one in shown.clients}
        assert "43 rows in" in made.app.notice_text
