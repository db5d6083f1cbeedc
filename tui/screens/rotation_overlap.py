"""A running CA rotation with overlap as lines: where it stands, what to do now, and the proof behind it.

Pure; every number is the agent's observation, made anew at each look, and the counts are shown as a sum that can be
checked. The one thing to do next and the way back stand at the top, clients that are waited for before all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Final

from backend.core.overlap import WAVES, Level, OverlapPhase
from tui.format import bar, count, fit, instant, span, wrapped
from tui.glyphs import Glyphs
from tui.lines import BLANK, Line, cut, joined, line_width, plain
from tui.rotating import RotationKind, RotationView, WaveView
from tui.screens.rotation_matrix import deviation_lines, matrix_lines
from tui.screens.rotation_progress import gate_lines
from tui.screens.rotation_rows import Row, texts
from tui.screens.rotation_track import labelled_phase, phase_of, track_lines

_LABEL: Final = 10
WIDE: Final = 120  # columns from which levels stand beside waves and matrix
LEVEL_WORDS: Final = {
    "E0": "silent",
    "E1": "heard of late",
    "E2": "has the new root",
    "E3": "proved its trust",
    "E4": "on the new CA",
    "E5": "ready without the old",
    "out": "out before",
    "written off": "written off",
}
_KEYS: Final = {"advance": "P", "destroy": "D", "look at": "P", "roll back": "B", "abort": "B", "end it": "B"}
_MOVING: Final = frozenset(
    {OverlapPhase.ISSUING, OverlapPhase.SERVING, OverlapPhase.DRAINING, OverlapPhase.REISSUING_BACK}
)


def levels_add_up(rotation: RotationView) -> bool:
    """Tell whether the levels sum to the number of clients, and the clients' own levels to the same counts."""
    listed = Counter(client.level for client in rotation.clients)
    counted = {level: number for level, number in rotation.levels if number}
    return sum(counted.values()) == rotation.total == len(rotation.clients) and counted == dict(listed)


def level_sum(rotation: RotationView) -> str:
    """Return the counts of all levels and their sum, as an equation."""
    terms = " + ".join(f"{level} {number}" for level, number in rotation.levels)
    return f"{terms or '0'} = {rotation.total}"


def head_lines(rotation: RotationView, now: datetime, width: int, glyphs: Glyphs) -> list[Line]:
    """Return what is read first: which rotation, the track, what holds it, what is next, and the way back."""
    lines: list[Line] = [_facts(rotation, now, width)]
    if rotation.kind is RotationKind.OVERLAP:
        lines.extend(track_lines(rotation, width, glyphs))
    if rotation.ended_at is not None:
        return [*lines, BLANK, *_end(rotation, width)]
    lines.append(BLANK)
    if rotation.held:
        said = wrapped(rotation.held, max(20, width - _LABEL))
        lines.append(((" HELD ", "tag"), (" " * (_LABEL - 6), "text"), (said[0], "critical")))
        lines.extend(plain(" " * _LABEL + part, "critical") for part in said[1:])
    lines.extend(_labelled("next", _with_key(rotation.next_step), width, "title"))
    lines.extend(_labelled("way back", _with_key(rotation.way_back), width))
    return lines


def _labelled(label: str, text: str, width: int, role: str = "text") -> list[Line]:
    """A label and a text beside it; what is to be done next has one line where there is any way."""
    parts = wrapped(text, max(12, width - _LABEL))
    return [((fit("" if place else label, _LABEL), "dim"), (part, role)) for place, part in enumerate(parts)]


def _with_key(sentence: str) -> str:
    key = next((key for word, key in _KEYS.items() if sentence.startswith(word)), "")
    return f"{sentence}  [{key}]" if key else sentence


def _facts(rotation: RotationView, now: datetime, width: int) -> Line:
    until = rotation.ended_at or now
    mode = "automatic" if rotation.automatic else "manual"
    parts = [
        (f"CA g{rotation.from_generation} -> g{rotation.to_generation} of {rotation.deployment}", "head"),
        (mode if rotation.kind is RotationKind.OVERLAP else "rehearsal", "text"),
        (f"elapsed {span(until - rotation.started_at)}", "text"),
        ("" if rotation.ended_at else f"in this phase {span(now - rotation.phase_at)}", "text"),
        (f"by {rotation.actor}", "text"),
        (rotation.reason, "dim"),
    ]
    return joined(parts, width)


def _end(rotation: RotationView, width: int) -> list[Line]:
    ended = rotation.ended_at or rotation.phase_at
    old, new = f"g{rotation.from_generation}", f"g{rotation.to_generation}"
    took = f"at {instant(ended)} after {span(ended - rotation.started_at)}"
    text = {
        "completed": f"COMPLETED {took}: {new} issues, the key of {old} is destroyed{_given_up(rotation)}.",
        "rolled_back": f"ROLLED BACK {took}: {old} issues and is the only one trusted; the key of {new} is destroyed. "
        "It does not count as a rotation of the CA.",
        "aborted": f"ABORTED {took}: nothing was made, {old} goes on.",
    }.get(rotation.outcome, f"{rotation.outcome.upper() or 'ENDED'} {took}.")
    return [plain(part, "title") for part in wrapped(text, width)]


def _given_up(rotation: RotationView) -> str:
    number = dict(rotation.levels).get(Level.WRITTEN_OFF.value, 0)
    return f"; {count(number, 'client was', 'clients were')} written off" if number else ""


def level_rows(rotation: RotationView, width: int, glyphs: Glyphs) -> list[Line]:
    """Return one line a level: its word, its number and a bar of its share."""
    total = max(1, rotation.total)
    most = len(str(rotation.total))
    room = width - 26 - most - 2
    lines: list[Line] = []
    for level, number in rotation.levels:
        name = level if level.startswith("E") else ""
        word = LEVEL_WORDS.get(level, level)
        share = bar(number / total, room, glyphs) if number and room >= 6 else ""
        role = "text" if number else "dim"
        lines.append(
            (
                (fit(name, 3), "title" if number else "dim"),
                (fit(word, 22), role),
                (f"{number:>{most}}  ", role),
                (share, "running"),
            )
        )
    return lines


def wave_rows(rotation: RotationView, width: int, glyphs: Glyphs) -> list[Line]:
    """Return one line a wave; the open one is marked."""
    at = open_wave(rotation)
    lines: list[Line] = []
    for wave in rotation.waves:
        here = wave.number == at
        share = bar(wave.moved / wave.total if wave.total else 1.0, max(8, width - 44), glyphs)
        lines.append(
            (
                (f"{glyphs.cursor if here else ' '} {wave.number}", "title" if here else "text"),
                (f"{_percent(wave):>6} %  ", "dim"),
                (f"{f'{wave.moved}/{wave.total}':>11}  ", "title" if here else "text"),
                (share, "running"),
                (f"  {_state(wave, at)}", "critical" if wave.failed else "text" if here else "dim"),
            )
        )
    return lines


def open_wave(rotation: RotationView) -> int:
    """Return the first wave that has not moved as a whole, 0 when all have."""
    return next((wave.number for wave in rotation.waves if wave.moved < wave.total), 0)


def _percent(wave: WaveView) -> str:
    return str(WAVES[wave.number - 1]) if 0 < wave.number <= len(WAVES) else "?"


def _state(wave: WaveView, at: int) -> str:
    if wave.failed:
        return f"{wave.failed} FAILED"
    if not at or wave.number < at:
        return "done"
    return "now" if wave.number == at else "waits"


def _wave_line(rotation: RotationView, width: int) -> list[Line]:
    at = open_wave(rotation)
    texts = [f"{wave.number}: {wave.moved}/{wave.total} {_state(wave, at)}" for wave in rotation.waves if wave.total]
    role = "critical" if any(wave.failed for wave in rotation.waves) else "text"
    return _labelled("waves", " | ".join(texts), width, role) if texts else []


def probe_text(rotation: RotationView, now: datetime) -> tuple[str, str]:
    """Return how many probes were made and how many found something else, with a role."""
    if not rotation.probes:
        return "no probe was made yet", "dim"
    made = sum(probe.made for probe in rotation.probes)
    off = sum(probe.deviations for probe in rotation.probes)
    last = max((probe.last_at for probe in rotation.probes if probe.last_at is not None), default=None)
    ago = "" if last is None or rotation.ended_at else f"; last round {span(now - last)} ago"
    return f"{made:,} probes, {off:,} otherwise{ago}", "critical" if off else "text"


def beside(left: Sequence[Line], right: Sequence[Line], width: int, gap: int = 2) -> list[Line]:
    """Put two columns of lines side by side; the left one is `width` cells wide."""
    lines: list[Line] = []
    for one, other in zip_longest(left, right, fillvalue=BLANK):
        kept = cut(one, width)
        pad = " " * (width - line_width(kept) + gap)
        lines.append((*kept, (pad, "text"), *other) if other else kept)
    return lines


def proof_lines(rotation: RotationView, now: datetime, width: int, glyphs: Glyphs) -> list[Line]:
    """Return levels, waves, probes and gates: beside each other on a wide screen, briefly on a narrow one."""
    role_of_sum = "title" if levels_add_up(rotation) else "error"
    moving = phase_of(rotation) in _MOVING and any(wave.total for wave in rotation.waves)
    probed, role = probe_text(rotation, now)
    if width >= WIDE:
        half = width // 2
        left = [plain("EVIDENCE: what every client has proved", "head"), *level_rows(rotation, half, glyphs)]
        left.extend(plain(part, role_of_sum) for part in wrapped(level_sum(rotation), half))
        gates = gates_block(rotation, half)
        left.extend([BLANK, *gates] if gates else [])
        right: list[Line] = []
        if moving:
            right += [plain("WAVES of renewal, of those who can be told", "head")]
            right += [*wave_rows(rotation, width - half - 4, glyphs), BLANK]
        if rotation.kind is RotationKind.OVERLAP:
            right += [(("TRUST MATRIX: ", "head"), (probed, role)), *matrix_lines(rotation.probes, width - half - 4)]
        return beside(left, right, half, 4)
    half = width // 2 - 1
    rows = level_rows(rotation, half, glyphs)
    middle = -(-len(rows) // 2)
    lines = beside(rows[:middle], rows[middle:], half)
    lines.extend(plain(part, role_of_sum) for part in wrapped(level_sum(rotation), width))
    if moving:
        lines.extend(_wave_line(rotation, width))
    if rotation.kind is RotationKind.OVERLAP:
        lines.extend(_labelled("probes", probed, width, role))
        lines.extend(((" " * _LABEL, "text"), *line) for line in deviation_lines(rotation.probes, width - _LABEL))
    gates = gates_block(rotation, width)
    return [*lines, BLANK, *gates] if gates else lines


def gates_block(rotation: RotationView, width: int) -> list[Line]:
    """Return what has to hold before the phase is left, unmet ones first."""
    if not rotation.gates or rotation.ended_at is not None:
        return []
    phase = phase_of(rotation)
    name = rotation.phase if phase is None else labelled_phase(phase)
    lines: list[Line] = [plain(f"GATES: what has to hold before {name} is left", "head")]
    for gate in sorted(rotation.gates, key=lambda one: one.met):
        lines.extend(gate_lines(gate, width))
    return lines


def overlap_rows(
    rotation: RotationView, now: datetime, width: int, glyphs: Glyphs, clients: Sequence[Row]
) -> list[Row]:
    """Return the whole progress; `clients` are the rows of `rotation_clients`."""
    lines = [*head_lines(rotation, now, width, glyphs), BLANK, *proof_lines(rotation, now, width, glyphs)]
    after: list[Line] = []
    if rotation.probes and width < WIDE:
        after = [BLANK, plain("TRUST MATRIX: what is shown, and to whom", "head")]
        after.extend(matrix_lines(rotation.probes, width))
    return [*texts(lines), *clients, *texts(after)]
