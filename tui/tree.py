"""Site and clusters as a small tree with what is worst in each; a filter with a shape.

Pure. It counts every client, whatever the filter shows, so that the tree stands still while the list narrows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backend.core.facts import Severity
from tui.banner import View
from tui.format import fit, shorten
from tui.lines import BLANK, Line, boxed, plain
from tui.model import FleetModel
from tui.palette import SEVERITY_ROLES

WIDTH: Final = 32
NO_CLUSTER: Final = "(no cluster)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One line of the tree; `filter` is the text that shows only its clients, None where none can say that."""

    name: str
    filter: str | None
    counts: Counter[Severity]
    depth: int = 1


def branches(model: FleetModel) -> list[Branch]:
    """Return the site, then its clusters by name."""
    found: dict[str, Counter[Severity]] = {
        cluster.name: Counter() for cluster in model.columns.clusters if not cluster.is_removed
    }
    for _, index, judged in model.listed(everything=True):
        name = model.columns.text("cluster", index) or NO_CLUSTER
        found.setdefault(name, Counter())[judged.severity] += 1
    whole: Counter[Severity] = Counter()
    for counts in found.values():
        whole += counts
    clusters = [
        Branch(name=name, filter=None if name == NO_CLUSTER else f'cluster:"{name}"', counts=found[name])
        for name in sorted(found, key=lambda name: (name == NO_CLUSTER, name))
    ]
    return [Branch(name=model.columns.deployment or "all", filter="", counts=whole, depth=0), *clusters]


def tree_lines(found: Sequence[Branch], row: int, view: View, height: int, *, active: bool) -> list[Line]:
    """Return the pane, frame included."""
    inner, room = WIDTH - 4, height - 2
    top = max(0, min(row - room + 1, len(found) - room))
    body = [
        _branch_line(branch, view, inner, here=place == row, active=active)
        for place, branch in enumerate(found[top : top + room], top)
    ]
    if len(body) < room - 2:
        body.extend([BLANK, plain("enter shows only these" if active else "tab leads here", "dim")])
    frame = ("+", "-") if view.glyphs.is_ascii else ("┌", "─")
    return boxed("clusters", body, WIDTH, height, *frame)


def _branch_line(branch: Branch, view: View, width: int, *, here: bool, active: bool) -> Line:
    over = "+cursor" if here and active else ""
    worst = next((severity for severity in Severity if branch.counts[severity]), None)
    worst_text = ""
    if worst is not None and worst is not Severity.OK:
        worst_text = f"{view.glyphs.severity(worst)}{branch.counts[worst]}"
    name = f"{'  ' * branch.depth}{branch.name}"
    return (
        (f"{view.glyphs.cursor if here else ' '} ", "mark" + over),
        (fit(shorten(name, width - 15), width - 15), ("title" if not branch.depth else "text") + over),
        (fit(str(sum(branch.counts.values())), 6, right=True), "dim" + over),
        (" ", "text" + over),
        (fit(worst_text, 6), (SEVERITY_ROLES[worst] if worst is not None else "dim") + over),
    )
