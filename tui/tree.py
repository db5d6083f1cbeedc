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
from tui.sitefleet import SiteFleet

WIDTH: Final = 29
NO_CLUSTER: Final = "no cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One line of the tree; `filter` is the text that shows only its clients, None where none can say that."""

    name: str
    filter: str | None
    counts: Counter[Severity]
    depth: int = 1


def branches(model: FleetModel) -> list[Branch]:
    """Return the site, then its clusters by name; of several sites all of them below one root."""
    if not model.has_several_sites:
        return _site_branches(model.current, depth=0, scope="")
    below = [branch for site in model.sites for branch in _site_branches(site, depth=1, scope=f'site:"{site.name}" ')]
    whole: Counter[Severity] = Counter()
    for branch in below:
        if branch.depth == 1:
            whole.update(branch.counts)
    return [Branch(name="all sites", filter="", counts=whole, depth=0), *below]


def _site_branches(site: SiteFleet, *, depth: int, scope: str) -> list[Branch]:
    columns = site.columns
    found: dict[str, Counter[Severity]] = {c.name: Counter() for c in columns.clusters if not c.is_removed}
    whole: Counter[Severity] = Counter()
    for (text, ruling), number in Counter(zip(columns.column("cluster"), site.roll.rulings, strict=False)).items():
        severity = site.roll.book.every[ruling].severity
        found.setdefault(columns.texts[text] or NO_CLUSTER, Counter())[severity] += number
        whole[severity] += number
    clusters = [
        Branch(
            name=name,
            filter=None if name == NO_CLUSTER else f'{scope}cluster:"{name}"',
            counts=found[name],
            depth=depth + 1,
        )
        for name in sorted(found, key=lambda name: (name == NO_CLUSTER, name))
    ]
    return [Branch(name=site.name or "all", filter=scope.strip(), counts=whole, depth=depth), *clusters]


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
    frame = view.glyphs.frame
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
        (fit(shorten(name, width - 13), width - 13), ("title" if not branch.depth else "text") + over),
        (fit(str(sum(branch.counts.values())), 5, right=True), "dim" + over),
        (" ", "text" + over),
        (fit(worst_text, 5), (SEVERITY_ROLES[worst] if worst is not None else "dim") + over),
    )
