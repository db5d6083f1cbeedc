"""The track of a CA rotation with overlap: Z1 to Z9, or the way back R0 to R5, and where it stands on it.

Pure. Which phase follows which is `backend.core.overlap`'s table; the numbers are those of the documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from backend.core.errors import IllegalTransition
from backend.core.overlap import OverlapEvent, OverlapPhase, next_phase
from tui.glyphs import Glyphs
from tui.lines import Line, plain
from tui.rotating import RotationView

_P = OverlapPhase
THERE: Final = (
    _P.PLANNED,
    _P.STAGED,
    _P.TRUSTED,
    _P.ISSUING,
    _P.SERVING,
    _P.DRAINING,
    _P.SHADOW,
    _P.DISTRUSTED,
    _P.RETIRED,
)
BACK: Final = (
    _P.RE_TRUSTING,
    _P.SERVING_OLD,
    _P.ISSUING_OLD,
    _P.REISSUING_BACK,
    _P.UNTRUSTING_NEW,
    _P.ROLLED_BACK,
)
_GAP: Final = "  "
_ROOMY: Final = 80


def phase_of(rotation: RotationView) -> OverlapPhase | None:
    """Return the phase in core's words; None for one that is not known here, and in a rehearsal."""
    try:
        return OverlapPhase(rotation.phase)
    except ValueError:
        return None


def number_of(phase: OverlapPhase) -> str:
    """Return Z1 to Z9 or R0 to R5."""
    return f"Z{THERE.index(phase) + 1}" if phase in THERE else f"R{BACK.index(phase)}" if phase in BACK else "--"


def labelled_phase(phase: OverlapPhase) -> str:
    """Return `Z4 issuing`."""
    return f"{number_of(phase)} {phase.value}"


def steps_of(rotation: RotationView) -> Sequence[OverlapPhase]:
    """Return the phases of this rotation in order: there, or once it was rolled back, those of its way back."""
    try:
        step = next_phase(OverlapPhase(rotation.rolled_back_from), OverlapEvent.ROLL_BACK)
    except (ValueError, IllegalTransition):
        return THERE
    steps = [step]
    while step is not OverlapPhase.ROLLED_BACK:
        step = next_phase(step, OverlapEvent.GO_BACK)
        steps.append(step)
    return steps


def track_lines(rotation: RotationView, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the track with the present phase in capitals; steps lose their names where there is no room."""
    phase = phase_of(rotation)
    if phase is None or phase is OverlapPhase.ABORTED:
        text = "ABORTED before anything was made: the old CA goes on" if phase else f"phase {rotation.phase}"
        return [plain(text, "warning")]
    steps = steps_of(rotation)
    before: Line = ()
    if rotation.rolled_back_from:
        start = OverlapPhase(rotation.rolled_back_from)
        whence = labelled_phase(start) if width >= _ROOMY else number_of(start)
        before = ((f"WAY BACK from {whence}: ", "warning"),)
    here = steps.index(phase) if phase in steps else 0
    room = width - sum(cell_len(text) for text, _ in before)
    made: list[tuple[str, str]] = []
    for names_past, names_after in ((True, len(steps)), (False, len(steps)), (False, 2), (False, 1), (False, 0)):
        made = _track(steps, here, glyphs, ended=rotation.ended_at is not None, past=names_past, after=names_after)
        if sum(cell_len(text) for text, _ in made) <= room:
            break
    return [(*before, *made)]


def _track(
    steps: Sequence[OverlapPhase], here: int, glyphs: Glyphs, *, ended: bool, past: bool, after: int
) -> list[tuple[str, str]]:
    line: list[tuple[str, str]] = []
    for place, step in enumerate(steps):
        gap = _GAP if place else ""
        number = number_of(step)
        if place == here:
            sign = glyphs.done if ended else glyphs.cursor
            line.append((f"{gap}{sign} {number} {step.value.upper()}", "title"))
        elif place < here:
            sign = f"{glyphs.done} " if past or not place else ""
            gap = gap if past else gap[1:]
            line.append((f"{gap}{sign}{number}{f' {step.value}' if past else ''}", "text"))
        else:
            named = place - here <= after
            line.append(
                (f"{gap if named or place == here + 1 else ' '}{number}{f' {step.value}' if named else ''}", "dim")
            )
    return line
