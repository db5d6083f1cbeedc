"""What the dashboard shows of a real rotation with overlap, over the wire's messages: every phase, there and back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.cells import cell_len

from backend.core.errors import InconsistentState
from backend.core.overlap import OverlapPhase
from backend.server.servicers.overlap import overlap_message
from backend.service.rotation_moves import Move
from tests.service.live.overlap.conftest import AUTOMATIC, Overlapping
from tui.glyphs import ASCII
from tui.lines import Line, line_text
from tui.received_rotation import rotation_view
from tui.rotating import RotationMove, RotationView
from tui.screens.rotation_clients import Choice, client_rows, ordered
from tui.screens.rotation_moves import overlap_refusal
from tui.screens.rotation_overlap import level_sum, levels_add_up, overlap_rows
from tui.screens.rotation_rows import Rows
from tui.screens.rotation_track import phase_of


def seen(fleet: Overlapping) -> RotationView:
    return rotation_view(overlap_message(fleet.look()))


def drawn(shown: RotationView, width: int) -> Sequence[Line]:
    choice = Choice(chosen=shown.clients[0].name)
    clients = client_rows(shown, ordered(shown), shown.agent_time, width, ASCII, choice)
    return Rows(overlap_rows(shown, shown.agent_time, width, ASCII, clients), width)


def check(shown: RotationView) -> None:
    """The counts add up, nothing is wider than the screen, and every awaited client is named with its level."""
    assert levels_add_up(shown)
    for width in (60, 80, 140):
        lines = drawn(shown, width)
        assert max(sum(cell_len(text) for text, _ in line) for line in lines) <= width
    text = "\n".join(line_text(line) for line in drawn(shown, 140))
    assert level_sum(shown) in text
    phase = phase_of(shown)
    assert phase is not None
    assert phase.value.upper() in text
    for client in shown.clients:
        assert client.name in text
    if shown.ended_at is None:
        assert shown.next_step in text
        assert shown.way_back in text


def test_every_phase_of_a_whole_rotation_is_shown_and_adds_up(fleet: Overlapping) -> None:
    fleet.start(fleet.plan(AUTOMATIC))
    phases = []
    while (shown := seen(fleet)).phase != "distrusted":
        phases.append(shown.phase)
        check(shown)
        if shown.phase == "draining":
            fleet.admin_renews()
        fleet.pass_interval()
    check(seen(fleet))
    order = ["planned", "staged", "trusted", "issuing", "serving", "draining", "shadow"]
    assert list(dict.fromkeys(phases)) == order


@pytest.mark.parametrize("phase", ["trusted", "shadow", "distrusted"])
def test_the_way_back_is_shown_to_its_end(fleet: Overlapping, phase: str) -> None:
    fleet.start(fleet.plan(AUTOMATIC))
    while seen(fleet).phase != phase:
        if seen(fleet).phase == "draining":
            fleet.admin_renews()
        fleet.pass_interval()
    fleet.decide(Move.ROLL_BACK)
    while (shown := seen(fleet)).ended_at is None:
        check(shown)
        assert "WAY BACK from" in line_text(drawn(shown, 140)[1])
        if shown.phase == "reissuing back":
            fleet.admin_renews()
        fleet.pass_interval()
    check(shown)
    assert "ROLLED BACK at" in "\n".join(line_text(line) for line in drawn(shown, 140))


def test_what_the_screen_lets_through_the_agent_takes_and_what_it_refuses_the_agent_refuses(fleet: Overlapping) -> None:
    fleet.start(fleet.plan())
    asked = set()
    for _ in range(60):
        shown = seen(fleet)
        if shown.phase == "distrusted":
            break
        says = overlap_refusal(RotationMove.ADVANCE, shown, ())
        try:
            fleet.decide(Move.ADVANCE)
            taken = True
        except InconsistentState:
            taken = False
        assert taken is (says == ""), (shown.phase, says)
        asked.add((OverlapPhase(shown.phase), taken))
        if shown.phase == "draining":
            fleet.admin_renews()
        fleet.pass_interval()
    assert {True, False} == {taken for _, taken in asked}
