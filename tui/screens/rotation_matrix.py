"""The trust matrix of a CA rotation as a grid: who shows what, to whom it is shown, and what came of it.

Pure. Cells are the agent's, in the words of its prober; one in other words is listed as it is. "refused" is what has to
happen where a CA is not trusted; a cell that was not as it must is in capitals, and said again in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from backend.core.trust_matrix import BOTH, NEW, OLD, Outcome
from tui.format import fit, wrapped
from tui.lines import Line, plain
from tui.rotating import ProbeView

_CELL: Final = re.compile(
    r"(?:(?P<who>agent|client) shows |(?P<port>port): )(?P<leaf>(?:old|new) leaf(?: with cross)?), "
    r"(?:client |agent )?trusts (?P<trust>old|both|new)"
)
_TRUSTS: Final = (OLD, BOTH, NEW)
_WHO: Final = ("agent", "client", "port")
_LABEL: Final = 28
_SIZE: Final = 12


def matrix_lines(probes: Sequence[ProbeView], width: int) -> list[Line]:
    """Return the grid, then what does not fit into it, then every cell that was not as it must."""
    grid: dict[tuple[str, str], dict[str, ProbeView]] = {}
    others: list[ProbeView] = []
    for probe in probes:
        found = _CELL.fullmatch(probe.cell)
        if found is None:
            others.append(probe)
        else:
            grid.setdefault((found["who"] or found["port"], found["leaf"]), {})[found["trust"]] = probe
    lines: list[Line] = []
    if grid:
        heads = "".join(fit(f"trusts {trust}", _SIZE) for trust in _TRUSTS)
        lines.append(plain(f"{fit('shown', _LABEL)}{heads}", "dim"))
    for who, leaf in sorted(grid, key=lambda row: (_WHO.index(row[0]), row[1])):
        cells = tuple(_cell(grid[who, leaf].get(trust)) for trust in _TRUSTS)
        lines.append(((fit(f"{who}: {leaf}", _LABEL), "text"), *cells))
    for probe in others:
        if probe.observed == probe.expected:
            lines.extend(_sentence(probe, width))
    return [*lines, *deviation_lines(probes, width)]


def deviation_lines(probes: Sequence[ProbeView], width: int) -> list[Line]:
    """Return every cell that was not as it must in the last round, as a sentence."""
    lines: list[Line] = []
    for probe in probes:
        if probe.observed != probe.expected:
            lines.extend(_sentence(probe, width))
    return lines


def _cell(probe: ProbeView | None) -> tuple[str, str]:
    if probe is None:
        return fit("-", _SIZE), "dim"
    if probe.observed == probe.expected:
        is_ok = probe.observed == Outcome.OK.value
        return fit("ok" if is_ok else "refused", _SIZE), "text" if is_ok else "dim"
    words = {Outcome.OK.value: "ACCEPTED", Outcome.UNKNOWN.value: "NOT REACHED"}
    return fit(words.get(probe.observed, "REFUSED"), _SIZE), "critical"


def _sentence(probe: ProbeView, width: int) -> list[Line]:
    fits = probe.observed == probe.expected
    text = f"{probe.cell}: {probe.observed}{', as it must' if fits else f', NOT {probe.expected}'}"
    return [plain(part, "text" if fits else "critical") for part in wrapped(text, width)]
