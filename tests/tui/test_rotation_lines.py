"""The lines of a rotation with overlap as pure functions: track at every width, matrix, ten thousand clients."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.overlap import OverlapEvent, OverlapPhase, next_phase
from scripts.stage.fleet import NOW
from tui.glyphs import ASCII
from tui.lines import line_text, line_width
from tui.rotating import ProbeView, RotationClientView, RotationKind, RotationView
from tui.screens.rotation_clients import Choice, client_rows, ordered
from tui.screens.rotation_matrix import matrix_lines
from tui.screens.rotation_overlap import levels_add_up, overlap_rows
from tui.screens.rotation_rows import Rows
from tui.screens.rotation_track import BACK, THERE, number_of, steps_of, track_lines


def rotation(clients: int = 0, **changes: object) -> RotationView:
    listed = tuple(
        RotationClientView(
            name=f"csi-{number:05}", cluster="bonn-wl3", kind="CSI", owner="team-store", route="itself", why="",
            state="", level="E3" if number % 2 else "E4", level_at=NOW, awaited=bool(number % 2),
        )
        for number in range(clients)
    )  # fmt: skip
    made = RotationView(
        id="r", phase="issuing", version=1, from_generation=4, to_generation=5, started_at=NOW, phase_at=NOW,
        ended_at=None, outcome="", clients=listed, total=clients, connected=0, informed=0, lost=0, returned=0, stuck=0,
        written_off=0, gates=(), actor="ops-anna", reason="", deployment="bonn", agent_time=NOW, outage_p50=None,
        outage_max=None, kind=RotationKind.OVERLAP, levels=(("E3", clients // 2), ("E4", clients - clients // 2)),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", THERE, ids=lambda phase: phase.value)
@pytest.mark.parametrize("width", [60, 79, 80, 100, 140, 200])
def test_the_present_phase_is_seen_at_every_width(phase: OverlapPhase, width: int) -> None:
    (line,) = track_lines(rotation(phase=phase.value), width, ASCII)
    assert line_width(line) <= width
    assert f"> {number_of(phase)} {phase.value.upper()}" in line_text(line)
    for step in THERE:
        assert number_of(step) in line_text(line)


@given(st.sampled_from(THERE[1:8]), st.integers(60, 200))
def test_the_way_back_has_the_steps_of_the_table_and_ends_rolled_back(start: OverlapPhase, width: int) -> None:
    shown = rotation(phase=next_phase(start, OverlapEvent.ROLL_BACK).value, rolled_back_from=start.value)
    steps = steps_of(shown)
    assert steps[-1] is OverlapPhase.ROLLED_BACK
    assert list(steps) == [step for step in BACK if step in steps]
    for step in steps:
        (line,) = track_lines(replace(shown, phase=step.value), width, ASCII)
        assert line_width(line) <= width
        assert f"> {number_of(step)} {step.value.upper()}" in line_text(line)


def test_a_phase_of_a_later_agent_is_shown_as_it_is() -> None:
    assert line_text(track_lines(rotation(phase="resting"), 80, ASCII)[0]) == "phase resting"


def test_only_what_is_on_the_screen_is_made_of_ten_thousand_clients() -> None:
    shown = rotation(10_000)
    assert levels_add_up(shown)
    clients = client_rows(shown, ordered(shown), NOW, 80, ASCII, Choice())
    assert all(callable(line) for name, line in clients if name)
    rows = Rows(overlap_rows(shown, NOW, 80, ASCII, clients), 80)
    assert len(rows) > 10_000
    assert len(rows[0:19]) == 19


def test_counts_that_do_not_add_up_are_called_out() -> None:
    shown = rotation(10)
    assert levels_add_up(shown)
    assert not levels_add_up(replace(shown, total=11))
    assert not levels_add_up(replace(shown, levels=(("E3", 6), ("E4", 4))))  # the sum fits, the clients do not


def test_a_cell_in_other_words_is_listed_and_a_deviation_is_said_once() -> None:
    def cell(name: str, expected: str, observed: str) -> ProbeView:
        return ProbeView(cell=name, expected=expected, observed=observed, made=1, deviations=0, last_at=NOW)

    probes = [
        cell("agent shows old leaf, client trusts new", "agent not trusted", "ok"),
        cell("port: new leaf, trusts new", "ok", "ok"),
        cell("somewhere else", "ok", "not reached"),
    ]
    text = [line_text(line) for line in matrix_lines(probes, 80)]
    assert text[1].split() == ["agent:", "old", "leaf", "-", "-", "ACCEPTED"]
    assert text[2].split() == ["port:", "new", "leaf", "-", "-", "ok"]
    assert text[3:] == [
        "agent shows old leaf, client trusts new: ok, NOT agent not trusted",
        "somewhere else: not reached, NOT ok",
    ]
