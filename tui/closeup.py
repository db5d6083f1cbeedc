"""One client of the model at a time, and the totals of all: what drawer, detail, gate and header read.

Owns how a client is judged in full. The list holds verdicts only (`tui.roll`); sentences and forecasts are made for the
clients that are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from backend.core.delta import unix
from backend.core.evidence import Evidence
from backend.core.facts import Assessment, ClientFacts, Severity, State
from backend.core.fleet import ClientRow
from backend.core.fleetrecord import client_record
from backend.core.health import assess
from backend.core.judging import NEVER, Rulings
from backend.core.model import AuthorityStatus
from backend.core.planrules import SINGLE_ACTIONS, ActionKind, Verdict, judge_alone
from backend.core.stranding import Stranding, stranding
from backend.core.subjects import SiteView, find_issuing, make_site
from tui.marks import ClientId, MarkedSet, number_of, site_of
from tui.matching import WEEK_HOURS
from tui.roll import ENDED, HOUR, NO_END, Moment
from tui.sitefleet import SiteFleet

WEEKS: Final = 13
_REMEMBERED: Final = 512  # clients whose judgement in words is kept
_FOREVER: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client as the list and the drawer need it."""

    id: ClientId
    site: str
    row: ClientRow
    judged: Assessment
    marked: bool
    held: bool = False  # an action on it is confirmed and has not left yet


class CloseUp:
    """The sites' clients, one by one and in sum; `tui.model.FleetModel` adds the list."""

    def __init__(self, book: Rulings, sites: list[SiteFleet]) -> None:
        self.book = book
        self.sites = sites
        self.current = sites[0]  # the site that screens of one site are about
        self.held: frozenset[ClientId] = frozenset()  # see tui.holding
        self._marks = MarkedSet()
        self._words: dict[ClientId, tuple[ClientRow, Assessment, int, int]] = {}

    def _at(self, client: ClientId) -> tuple[SiteFleet, int] | None:
        place = site_of(client)
        if place >= len(self.sites):
            return None
        site = self.sites[place]
        row = site.columns.index_of(number_of(client))
        return None if row is None or row >= len(site.roll) else (site, row)

    def find(self, client: ClientId) -> Client | None:
        """Return a client by its id, judged at its site's last second."""
        at = self._at(client)
        if at is None or at[0].last is None:
            return None
        site, row = at
        found, judged = self._in_words(client, site, row, at[0].last)
        is_marked, is_held = client in self._marks, client in self.held
        return Client(id=client, site=site.name, row=found, judged=judged, marked=is_marked, held=is_held)

    def _in_words(self, client: ClientId, site: SiteFleet, row: int, moment: Moment) -> tuple[ClientRow, Assessment]:
        """Judge one client in full; the answer is kept until the instant at which it can change."""
        at = unix(moment.now)
        known = self._words.get(client)
        if known is not None and known[2] <= at < known[3]:
            return known[0], known[1]
        found, judged = site.columns.row(row), assess(site.roll.facts(row, moment), moment.now)
        if not site.roll.is_behind:
            if len(self._words) >= _REMEMBERED:
                self._words.clear()
            changes_at = site.roll.changes_at[row]
            self._words[client] = (found, judged, at, _FOREVER if changes_at == NEVER else changes_at)
        return found, judged

    def find_named(self, name: str) -> Client | None:
        """Return a client by its name; of several sites the first one's."""
        for site in self.sites:
            for row, known in enumerate(site.columns.names):
                if known == name:
                    return self.find(site.id_at(row))
        return None

    def _facts(self, site: SiteFleet, row: int, now: datetime) -> ClientFacts:
        moment = site.last or Moment(now=now, alive=False, heard_at=now)
        return site.roll.facts(row, Moment(now=now, alive=moment.alive, heard_at=moment.heard_at))

    def verdicts(self, client: ClientId, now: datetime) -> dict[ActionKind, Verdict]:
        """Return what core decides about each single action for one client: possible or refused, and why."""
        at = self._at(client)
        if at is None:
            return {}
        site, row = at
        facts = self._facts(site, row, now)
        evidence, judged = Evidence(facts, now), assess(facts, now)
        issuing = [a for a in site.columns.authorities if a.status is AuthorityStatus.ISSUING]
        can_issue = any(not authority.validity.is_expired(now) for authority in issuing) or not issuing
        return {action: judge_alone(action, evidence, judged, can_issue=can_issue) for action in SINGLE_ACTIONS}

    def record(self, client: ClientId, now: datetime) -> dict[str, Any] | None:
        """Return one client as data, judged at `now`; None when it is gone."""
        at = self._at(client)
        if at is None:
            return None
        site, row = at
        facts = self._facts(site, row, now)
        return client_record(site.columns.row(row), facts, assess(facts, now), now)

    # What is coming

    def site(self, now: datetime) -> SiteView:
        """Return every client of the current site with its judgement and its forecast; costs some 30 us a client."""
        found = []
        for row in range(len(self.current.roll)):
            facts = self._facts(self.current, row, now)
            found.append((row, facts, assess(facts, now)))
        return make_site(self.current.columns, now, found)

    def stranding(self, client: ClientId, now: datetime) -> Stranding | None:
        """Return from when on one client cannot recover by itself."""
        at = self._at(client)
        if at is None:
            return None
        site, row = at
        issuing = find_issuing(site.columns.authorities)
        not_after = None if issuing is None else issuing.validity.not_after
        return stranding(self._facts(site, row, now), now, issuing_not_after=not_after)

    # Totals

    @property
    def total(self) -> int:
        """How many clients the sites have."""
        return sum(len(site.roll) for site in self.sites)

    def severity_count(self, severity: Severity) -> int:
        """Return how many clients are this bad; equals the number of such rows without a filter."""
        return self._counted([ruling for ruling, one in enumerate(self.book.every) if one.severity is severity])

    def state_count(self, state: State) -> int:
        """Return how many clients are in a state."""
        return self._counted([ruling for ruling, one in enumerate(self.book.every) if one.state is state])

    def _counted(self, rulings: Iterable[int]) -> int:
        return sum(site.roll.counts[ruling] for ruling in rulings for site in self.sites)

    def weeks(self, now: datetime) -> list[int]:
        """Return how many certificates have ended, then how many end in each of the next thirteen weeks."""
        counts = [0] * (WEEKS + 1)
        for site in self.sites:
            first = unix(now if site.last is None else site.last.now) // HOUR
            for hour, number in site.roll.by_hour.items():
                if hour == ENDED:
                    counts[0] += number
                elif hour != NO_END and first <= hour < first + WEEKS * WEEK_HOURS:
                    counts[1 + (hour - first) // WEEK_HOURS] += number
        return counts
