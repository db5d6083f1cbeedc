"""Clusters of the site with their worst client and counts, and every CA generation with its countdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from backend.core.countdown import countdown
from backend.core.facts import Severity
from backend.core.filter import parse
from backend.core.health import assess_authority
from backend.core.limits import CLIENT_LIFETIME
from backend.core.update import UpdateScope
from tui.banner import View
from tui.columns import SHORT, certificate_left, role_of
from tui.commands import CLUSTERS
from tui.format import fit, grouped, instant, shorten
from tui.lines import Line, plain
from tui.model import Client
from tui.palette import SEVERITY_ROLES
from tui.screens.actions import start_update
from tui.screens.deck import bindings_of
from tui.screens.scroll import ListScreen

NO_CLUSTER = "(no cluster)"


class ClustersScreen(ListScreen):
    """One row per cluster, worst first; enter shows its clients."""

    scope = CLUSTERS
    view_id: ClassVar[str] = "view_clusters"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(CLUSTERS)]  # type: ignore[assignment]

    def titles(self, view: View) -> Line:
        name, kind, size = _widths(view.width)
        counts = "".join(view.glyphs.severity(severity).rjust(size) for severity in Severity)
        return plain(
            fit("CLUSTER", name) + fit("TYPE", kind) + fit("CLIENTS", 7, right=True) + counts + "  WORST", "head"
        )

    def rows(self, view: View) -> Sequence[tuple[str, Line]]:
        if view.now is None:
            return ()
        members = self._members()
        names = sorted(members, key=lambda name: (_worst_key(members[name]), name))
        return [(name, self._cluster_line(view, view.now, name, members[name])) for name in names]

    def _members(self) -> dict[str, list[Client]]:
        model = self.app.model
        found: dict[str, list[Client]] = {
            cluster.name: [] for cluster in model.columns.clusters if not cluster.is_removed
        }
        for index in range(len(model.columns)):
            client = model.find(model.columns.column("number")[index])
            if client is not None:
                found.setdefault(client.row.cluster or NO_CLUSTER, []).append(client)
        return found

    def _cluster_line(self, view: View, now: datetime, name: str, clients: list[Client]) -> Line:
        cluster = next((c for c in self.app.model.columns.clusters if c.name == name), None)
        kind = "-" if cluster is None else "management" if cluster.is_management else "workload"
        widths = _widths(view.width)
        counts = Counter(client.judged.severity for client in clients)
        line: list[tuple[str, str]] = [
            (fit(shorten(name, widths[0] - 1), widths[0]), "title"),
            (fit(kind if widths[1] > 6 else kind.replace("management", "mgmt")[:4], widths[1]), "dim"),
            (fit(str(len(clients)), 7, right=True), "text"),
        ]
        for severity in Severity:
            number = counts[severity]
            line.append((str(number or ".").rjust(widths[2]), SEVERITY_ROLES[severity] if number else "dim"))
        if clients:
            worst = min(clients, key=lambda client: client.judged.sort_key)
            left = certificate_left(worst, now, 12)
            word = SHORT.get(worst.judged.state, worst.judged.state.value)
            line.append((f"  {left}  {word}  {worst.row.name}", role_of(worst.judged)))
        if cluster is not None and cluster.planned_off_until is not None:
            line.append((f"  planned off until {instant(cluster.planned_off_until)}", "dim"))
        return tuple(line)

    def below(self, view: View, key: str, height: int) -> Sequence[Line]:
        if view.now is None:
            return ()
        lines: list[Line] = [
            plain(view.glyphs.rule * view.width, "dim"),
            plain("CA  STATUS      LEFT          ENDS                  FINGERPRINT", "head"),
        ]
        for authority in sorted(self.app.model.columns.authorities, key=lambda a: -a.generation):
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
        cluster = next((c for c in self.app.model.columns.clusters if c.name == self.cursor_key), None)
        if cluster is None or cluster.is_removed:
            self.app.notice("update: there is no cluster under the cursor", "warning")
        else:
            start_update(self.app, UpdateScope(cluster="" if cluster.is_management else cluster.name))

    def cmd_open(self) -> None:
        """Show this cluster's clients in the list."""
        if not self.cursor_key or self.cursor_key == NO_CLUSTER:
            return
        self.app.visits.leave()
        text = f'cluster:"{self.cursor_key}"'
        self.app.model.choose_filter(text, parse(text), self.app.clock.monotonic())
        self.app.go_home()


def _widths(width: int) -> tuple[int, int, int]:
    """Return the cells of name, type and each count."""
    return (20, 12, 5) if width >= 100 else (15, 5, 4)


def _worst_key(clients: list[Client]) -> tuple[int, int]:
    if not clients:
        return (int(Severity.OK) + 1, 0)
    worst = min(clients, key=lambda client: client.judged.sort_key).judged.sort_key
    return worst[0], worst[1]
