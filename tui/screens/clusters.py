"""Clusters of the site with their worst client and counts, and every CA generation with its countdown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from backend.core.countdown import countdown
from backend.core.facts import Severity
from backend.core.filter import parse
from backend.core.health import assess_authority
from backend.core.limits import CLIENT_LIFETIME
from backend.core.update import UpdateScope
from tui.banner import View
from tui.clusterboard import NO_CLUSTER, ClusterSum, cluster_sums
from tui.columns import SHORT, certificate_left, role_of
from tui.commands import CLUSTERS
from tui.format import fit, grouped, instant, shorten
from tui.lines import Line, plain, shortened
from tui.model import AT_ONCE
from tui.palette import SEVERITY_ROLES
from tui.screens.actions import start_update
from tui.screens.deck import bindings_of
from tui.screens.scroll import ListScreen

_EVERY_SECONDS: Final = 5  # a large fleet is counted anew at most so often


class ClustersScreen(ListScreen):
    """One row per cluster, worst first; enter shows its clients."""

    scope = CLUSTERS
    view_id: ClassVar[str] = "view_clusters"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(CLUSTERS)]  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._sums: dict[str, ClusterSum] = {}
        self._sums_of: object = None

    def place(self) -> str:
        sites = len(self.app.sites)
        return f"{super().place() if sites == 1 else f'{sites} sites'} > clusters"

    @property
    def current(self) -> ClusterSum | None:
        """The cluster under the cursor."""
        return self._sums.get(self.cursor_key)

    @property
    def sums(self) -> Sequence[ClusterSum]:
        """Every cluster, in the order that is shown."""
        model = self.app.model
        pace = int(self.app.clock.monotonic()) // _EVERY_SECONDS if model.total > AT_ONCE else model.revision
        moment = (model.total, pace)
        if moment != self._sums_of:
            self._sums, self._sums_of = {one.key: one for one in cluster_sums(model)}, moment
        return list(self._sums.values())

    def titles(self, view: View) -> Line:
        name, kind, size = _widths(view.width)
        counts = "".join(view.glyphs.severity(severity).rjust(size) for severity in Severity)
        title = "SITE / CLUSTER" if view.model.has_several_sites else "CLUSTER"
        return plain(fit(title, name) + fit("TYPE", kind) + fit("CLIENTS", 7, right=True) + counts + "  WORST", "head")

    def rows(self, view: View) -> Sequence[tuple[str, Line]]:
        if view.now is None:
            return ()
        return [(one.key, self._cluster_line(view, view.now, one)) for one in self.sums]

    def draw_body(self, view: View) -> None:
        super().draw_body(view)
        if self.current is not None:
            self.app.enter_site(self.current.site.place)

    def _cluster_line(self, view: View, now: datetime, one: ClusterSum) -> Line:
        kind = "-" if one.info is None else "management" if one.info.is_management else "workload"
        widths = _widths(view.width)
        name = f"{one.site.name}/{one.name}" if view.model.has_several_sites else one.name
        line: list[tuple[str, str]] = [
            (fit(shorten(name, widths[0] - 1), widths[0]), "title"),
            (fit(kind if widths[1] > 6 else kind.replace("management", "mgmt")[:4], widths[1]), "dim"),
            (fit(str(one.clients), 7, right=True), "text"),
        ]
        for severity in Severity:
            number = one.counts[severity]
            line.append((str(number or ".").rjust(widths[2]), SEVERITY_ROLES[severity] if number else "dim"))
        worst = None if one.worst is None else self.app.model.find(one.worst)
        if worst is not None:
            left = certificate_left(worst, now, 12)
            word = SHORT.get(worst.judged.state, worst.judged.state.value)
            line.append((f"  {left}  {word}  {worst.row.name}", role_of(worst.judged)))
        if one.info is not None and one.info.planned_off_until is not None:
            line.append((f"  planned off until {instant(one.info.planned_off_until)}", "dim"))
        return shortened(tuple(line), view.width - 2)

    def below(self, view: View, key: str, height: int) -> Sequence[Line]:
        if view.now is None:
            return ()
        lines: list[Line] = [
            plain(view.glyphs.rule * view.width, "dim"),
            plain("CA  STATUS      LEFT          ENDS                  FINGERPRINT", "head"),
        ]
        site = self.app.model.current if self.current is None else self.current.site
        for authority in sorted(site.columns.authorities, key=lambda a: -a.generation):
            judged = assess_authority(authority.validity, view.now, longest_leaf=CLIENT_LIFETIME)
            role = SEVERITY_ROLES[judged.severity] if authority.is_trusted else "dim"
            left = countdown(authority.validity.left(view.now))
            lines.append(
                (
                    (f"g{authority.generation:<3}{authority.status.value:12}", "text"),
                    (fit(left, 14), role),
                    (f"{instant(authority.validity.not_after)}  {grouped(authority.fingerprint[:16])}", "dim"),
                )
            )
            if judged.reason and authority.is_trusted:
                lines.append(plain(f"    {shorten(judged.reason, view.width - 4)}", role))
        return lines[:height]

    def nothing(self, view: View) -> str:
        return "this site has no cluster and no client yet"

    def cmd_update_cluster_certificates(self) -> None:
        """Plan the update of the cluster under the cursor; for a management cluster that is management's own."""
        cluster = None if self.current is None else self.current.info
        if cluster is None or self.current is None:
            self.app.notice("update: there is no cluster under the cursor", "warning")
        else:
            self.app.enter_site(self.current.site.place)
            start_update(self.app, UpdateScope(cluster="" if cluster.is_management else cluster.name))

    def cmd_open(self) -> None:
        """Show this cluster's clients in the list."""
        one = self.current
        if one is None or one.name == NO_CLUSTER:
            self.app.notice("no filter says `without a cluster`; the list shows them among all clients", "warning")
            return
        self.app.visits.leave()
        text = f'cluster:"{one.name}"'
        if self.app.model.has_several_sites:
            text = f'site:"{one.site.name}" {text}'
        self.app.model.choose_filter(text, parse(text), self.app.clock.monotonic())
        self.app.go_home()


def _widths(width: int) -> tuple[int, int, int]:
    """Return the cells of name, type and each count."""
    return (20, 12, 5) if width >= 100 else (15, 5, 4)
