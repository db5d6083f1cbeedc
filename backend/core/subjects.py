"""The fleet as a forecast reads it: each client with its facts, its judgement and where it belongs, at one instant.

Owns the reading of the columns for forecasts and nothing else; what follows from it is in `backend.core.stranding`,
`safe_off`, `away`, `upgrade`, `skew` and `cliff`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from backend.core.facts import Assessment, ClientFacts
from backend.core.fleet import AuthorityInfo, ClusterInfo, FleetColumns
from backend.core.health import assess
from backend.core.model import AuthorityStatus
from backend.core.stranding import Stranding, stranding


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One client. `owner` is whom to ask: its owner, else its host, else ""."""

    number: int
    cluster: str
    host: str
    owner: str
    facts: ClientFacts
    found: Assessment
    stranding: Stranding

    @property
    def name(self) -> str:
        """The identity's name."""
        return self.facts.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """The fleet at `now`, the agent's time. `issuing` is the CA that signs; None while the agent names none."""

    now: datetime
    subjects: tuple[Subject, ...]
    clusters: tuple[ClusterInfo, ...]
    issuing: AuthorityInfo | None
    rotation_phase: str = ""
    agent_version: str = ""
    deployment_id: str = ""

    def of_cluster(self, name: str) -> tuple[Subject, ...]:
        """Return the clients of one cluster."""
        return tuple(subject for subject in self.subjects if subject.cluster == name)

    @property
    def present_clusters(self) -> tuple[ClusterInfo, ...]:
        """The clusters that were not removed."""
        return tuple(cluster for cluster in self.clusters if not cluster.is_removed)


def read_site(
    columns: FleetColumns, now: datetime, *, agent_alive: bool = True, agent_now: datetime | None = None
) -> SiteView:
    """Judge and forecast every client of the columns at `now`; `agent_now` is when the agent answered last."""
    every = [
        columns.facts(index, now=now, agent_alive=agent_alive, agent_now=agent_now or now)
        for index in range(len(columns))
    ]
    return make_site(columns, now, [(index, facts, assess(facts, now)) for index, facts in enumerate(every)])


def make_site(columns: FleetColumns, now: datetime, judged: Iterable[tuple[int, ClientFacts, Assessment]]) -> SiteView:
    """Forecast clients that were judged at `now` already, each with its index in the columns."""
    issuing = find_issuing(columns.authorities)
    issuing_not_after = None if issuing is None else issuing.validity.not_after
    subjects = []
    for index, facts, found in judged:
        subjects.append(
            Subject(
                number=columns.column("number")[index],
                cluster=columns.text("cluster", index),
                host=columns.text("host", index),
                owner=columns.text("owner", index) or columns.text("host", index),
                facts=facts,
                found=found,
                stranding=stranding(facts, now, issuing_not_after=issuing_not_after),
            )
        )
    return SiteView(
        now=now,
        subjects=tuple(subjects),
        clusters=columns.clusters,
        issuing=issuing,
        rotation_phase=columns.rotation_phase,
        agent_version=columns.agent_version,
        deployment_id=columns.deployment_id,
    )


def find_issuing(authorities: Iterable[AuthorityInfo]) -> AuthorityInfo | None:
    """Return the CA that signs now."""
    return next((a for a in authorities if a.status is AuthorityStatus.ISSUING), None)
