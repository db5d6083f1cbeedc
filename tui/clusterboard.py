"""Every cluster of every site in one line each: how many clients, how bad, and which of them is worst.

Pure; one pass over the columns, in which no client is made.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from backend.core.facts import Severity
from backend.core.fleet import ClusterInfo
from tui.marks import ClientId
from tui.model import FleetModel
from tui.sitefleet import SiteFleet

NO_CLUSTER: Final = "(no cluster)"
_NEVER: Final = 2**33  # after every end that a column can hold


@dataclass(slots=True, kw_only=True)
class ClusterSum:
    """One cluster. `info` None: only its clients name it. `worst` None: it has no client."""

    site: SiteFleet
    name: str
    info: ClusterInfo | None
    counts: Counter[Severity] = field(default_factory=Counter)
    worst: ClientId | None = None
    badness: tuple[int, int] = (int(Severity.OK) + 1, 0)

    @property
    def key(self) -> str:
        """What names it among all sites; at the first one its name alone."""
        return f"{self.site.place}/{self.name}" if self.site.place else self.name

    @property
    def clients(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


def cluster_sums(model: FleetModel) -> list[ClusterSum]:
    """Return the clusters of all sites, the worst first."""
    found = [one for site in model.sites for one in _of_site(site)]
    return sorted(found, key=lambda one: (one.badness, one.site.place, one.name))


def _of_site(site: SiteFleet) -> list[ClusterSum]:
    columns, roll = site.columns, site.roll
    infos = {cluster.name: cluster for cluster in columns.clusters if not cluster.is_removed}
    found = {name: ClusterSum(site=site, name=name, info=info) for name, info in infos.items()}
    severities = [ruling.severity for ruling in roll.book.every]
    worst: dict[int, tuple[int, int, int]] = {}
    counts: Counter[tuple[int, int]] = Counter()
    for row, (text, ruling, end) in enumerate(zip(columns.column("cluster"), roll.rulings, roll.ends, strict=False)):
        counts[text, ruling] += 1
        badness = (severities[ruling], end or _NEVER, row)
        if text not in worst or badness < worst[text]:
            worst[text] = badness
    for (text, ruling), number in counts.items():
        name = columns.texts[text] or NO_CLUSTER
        one = found.setdefault(name, ClusterSum(site=site, name=name, info=None))
        one.counts[severities[ruling]] += number
        severity, end, row = worst[text]
        one.badness, one.worst = (int(severity), end), site.id_at(row)
    return list(found.values())
