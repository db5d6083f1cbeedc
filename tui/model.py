"""The fleet as one screen sees it: the clients of all sites, in which order, marked or not, and how bad each is now.

Owns the sites' rolls, the list over them, the marks and the totals. A client is named by its id (`tui.marks`), so that
marks and cursor survive filter, order and reconnection. It reads no clock: `monotonic` is an argument, and `now` is an
agent's time reckoned by `tui.agent_clock`. What is too much for one go waits as work that `step` takes in slices.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from backend.core.filter import Filter
from backend.core.filterterms import Compared, Marked, Negated
from backend.core.fleet import FleetColumns, FleetDelta
from backend.core.judging import Rulings
from tui.agent_clock import AgentClock
from tui.closeup import WEEKS, Client, CloseUp
from tui.listing import Listing, Work
from tui.marks import ClientId, MarkedSet, client_id, number_of, site_of
from tui.matching import LATE, week_of
from tui.roll import Moment
from tui.sitefleet import SiteFleet
from tui.sorting import INLINE, Order

__all__ = ["LATE", "WEEKS", "Client", "FleetModel", "week_of"]

MANY: Final = 500  # changed clients from which on the whole list is sorted anew
FILTERING: Final = "filtering"
FILTERED_AT_ONCE: Final = 200_000  # rows among which a filter is looked for between two keys (some 20 ms)
AT_ONCE: Final = 5_000  # clients judged anew without a pause when their agent comes or goes


class FleetModel(CloseUp):
    """All clients of all sites, the list over them, and what the operator chose to see."""

    def __init__(self, monotonic: float, sites: Sequence[str] = ("",)) -> None:
        """`sites` are the names of their contexts, in the order in which they are shown."""
        book = Rulings()
        super().__init__(book, [SiteFleet(place, name, book, monotonic) for place, name in enumerate(sites)])
        self.filter_text = ""
        self.needs_reorder = False
        self.revision = 0  # grows whenever a judgement or the index changes
        self._listing = Listing(self.sites, self._marks)
        self._work: tuple[str, Work] | None = None
        self._progress = 0.0
        self._marked: tuple[tuple[int, int], tuple[ClientId, ...]] = ((-1, -1), ())

    # The site that is looked at

    @property
    def columns(self) -> FleetColumns:
        """The columns of the current site."""
        return self.current.columns

    @property
    def agent(self) -> AgentClock:
        """The clock of the current site's agent."""
        return self.current.agent

    @property
    def heard_at(self) -> datetime | None:
        """The current site's agent's time in its last answer."""
        return self.current.heard_at

    @property
    def complete(self) -> bool:
        """Whether a whole snapshot of every site has arrived."""
        return all(site.complete for site in self.sites)

    @property
    def has_several_sites(self) -> bool:
        """Whether a client has to be named together with its site."""
        return len(self.sites) > 1

    def site_of(self, client: ClientId) -> SiteFleet:
        """Return the site of a client."""
        return self.sites[site_of(client)]

    def now_of(self, client: ClientId, monotonic: float) -> datetime | None:
        """Return the time of a client's own agent."""
        return self.site_of(client).agent.now(monotonic)

    # What the agents say

    def apply(self, deltas: Sequence[FleetDelta], monotonic: float) -> frozenset[ClientId]:
        """Take a complete answer of the current site's agent at once; return the clients that it touched."""
        touched: set[ClientId] = set()
        for delta in deltas:
            touched |= self.take(self.current, delta, monotonic)
        for _ in self.finish(self.current, monotonic):
            pass
        return frozenset(touched)

    def take(self, site: SiteFleet, delta: FleetDelta, monotonic: float) -> set[ClientId]:
        """Take one chunk of a change; return the clients that it touched (none of a snapshot, see `finish`)."""
        site.hear(delta, monotonic)
        if delta.full:
            site.begin(delta)
            return set()
        if site.is_reading:
            site.add(delta)
            return set()
        touched = {client_id(site.place, number) for number in (*delta.clients.number, *delta.removed)}
        moment = site.observe(monotonic)
        if moment is None:
            return set()
        self._follow_link(site, moment)
        authorities, renames = site.columns.authorities, site.columns.renames
        if delta.removed:
            self._stop_work()
        rows = site.roll.take(delta, moment)
        for client in touched:
            self._words.pop(client, None)
        if delta.removed:
            site.generation += 1
            self._marks -= {client for client in touched if site.columns.index_of(number_of(client)) is None}
        if site.columns.renames != renames:
            self._listing.touch_all()  # names break every tie
        if touched:
            self._changed([site.id_at(row) for row in rows])
        if site.columns.authorities != authorities or site.roll.is_behind:
            self._words.clear()
            self._catch_up(site, moment)
        return touched

    def restore(
        self, site: SiteFleet, deltas: Iterable[FleetDelta], heard_at: datetime, age: timedelta, monotonic: float
    ) -> Work:
        """Show what a site's agent said `age` ago, to an earlier session, until it answers itself."""
        site.agent.assume(heard_at, age, monotonic)
        site.heard_at = heard_at
        for delta in deltas:
            if delta.full:
                site.begin(delta)
            else:
                site.add(delta)
            yield 0.5
        yield from self.finish(site, monotonic, cached=True)

    def finish(self, site: SiteFleet, monotonic: float, *, cached: bool = False) -> Work:
        """Show the snapshot that has arrived, after judging it in slices; does nothing when none is on its way."""
        if not site.is_reading:
            return
        for _ in site.finish(monotonic, cached=cached):
            yield 0.5
        self._stop_work()
        self._words.clear()
        deployments = Counter(one.columns.deployment for one in self.sites)
        for one in self.sites:
            one.shares_its_name = deployments[one.columns.deployment] > 1
        gone = {c for c in self._marks if site_of(c) == site.place and site.columns.index_of(number_of(c)) is None}
        self._marks -= gone
        self._changed(())

    def _changed(self, clients: Iterable[ClientId]) -> None:
        self._listing.touch(clients)
        self.revision += 1
        self.needs_reorder = True

    def _changed_rows(self, site: SiteFleet, rows: Sequence[int]) -> None:
        if len(rows) > MANY:
            self._listing.touch_all()
            self._changed(())
        elif rows:
            self._changed([site.id_at(row) for row in rows])

    # Judgement

    def judge_all(self, monotonic: float) -> None:
        """Judge every client anew: an agent came, went away or came back. Of a large site the rest follows in steps."""
        for site in self.sites:
            moment = site.observe(monotonic)
            if moment is not None:
                site.was_alive = moment.alive
                site.roll.renew()
                self._words.clear()
                self._catch_up(site, moment)

    def tick(self, monotonic: float) -> None:
        """Judge what can have changed by now."""
        for site in self.sites:
            moment = site.observe(monotonic)
            if moment is None:
                continue
            self._follow_link(site, moment)
            self._changed_rows(site, site.roll.tick(moment))

    def _follow_link(self, site: SiteFleet, moment: Moment) -> None:
        """Judge a site anew when its agent has come or gone, or set its clock back: what has passed will come again."""
        is_earlier = site.followed_to is not None and moment.now < site.followed_to
        site.followed_to = moment.now
        if moment.alive is not site.was_alive or is_earlier:
            site.was_alive = moment.alive
            site.roll.renew()
            self._words.clear()
            self._catch_up(site, moment)

    def _catch_up(self, site: SiteFleet, moment: Moment, limit: int = AT_ONCE) -> None:
        while site.roll.is_behind and limit > 0:
            before = site.roll.judged
            changed = site.roll.catch_up(moment)
            limit -= site.roll.judged - before
            self._changed_rows(site, changed)

    # Work in slices

    @property
    def work(self) -> str:
        """What is being done in the background, "" for nothing."""
        reading = sum(site.reading for site in self.sites)
        if reading > AT_ONCE:
            return f"reading {reading:,} clients"
        if self._work is not None:
            return f"{self._work[0]} {int(self._progress * 100)} %"
        return "judging" if any(site.roll.is_behind for site in self.sites) else ""

    @property
    def has_work(self) -> bool:
        """Tell whether `step` has something to do."""
        if self._work is not None:
            return True
        last = ((site, site.last) for site in self.sites)
        return any(at is not None and (site.roll.is_behind or site.roll.has_due(at)) for site, at in last)

    def step(self, monotonic: float) -> bool:
        """Do one slice of what waits; return whether the list is another one now."""
        for site in self.sites:
            moment = site.observe(monotonic)
            if moment is not None and site.roll.is_behind:
                self._catch_up(site, moment, limit=1)
                return False
            if moment is not None and site.roll.has_due(moment):
                self._changed_rows(site, site.roll.tick(moment))
                return False
        return self._advance()

    def _stop_work(self) -> None:
        if self._work is not None:
            self._work = None
            self.needs_reorder = True

    def _do(self, what: str, work: Work) -> None:
        """Do it now, or begin what is too much for one go."""
        self._work = (what, work)
        self._advance()  # moving a few clients is done with that
        if self.total <= (FILTERED_AT_ONCE if what == FILTERING else INLINE):
            while self._work is not None:
                self._advance()

    def _advance(self) -> bool:
        """Do one slice of the list's making; return whether it is made."""
        if self._work is None:
            return False
        try:
            self._progress = next(self._work[1])
        except StopIteration:
            self._work = None
            self.revision += 1
            return True
        return False

    # The list

    @property
    def order(self) -> array[int]:
        """The ids of the clients that are shown, in their order. Do not change it."""
        return self._listing.shown

    @property
    def sort(self) -> Order:
        """How the list is sorted."""
        return self._listing.sort

    @property
    def filter(self) -> Filter | None:
        """What the list is limited to."""
        return self._listing.filter

    @property
    def week(self) -> int | None:
        """The week of the ribbon that the list is limited to."""
        return self._listing.week

    def reorder(self, monotonic: float) -> None:
        """Filter and sort anew what has changed."""
        if self._work is not None:
            return  # what is under way sees the changes, or is followed by another round
        self.needs_reorder = False
        self._do("sorting", self._listing.refresh(monotonic))

    def listed(self) -> Iterator[tuple[ClientId, SiteFleet, int]]:
        """Give id, site and row there of what the list shows, in its order."""
        for client in self.order:
            at = self._at(client)
            if at is not None:
                yield client, *at

    def choose_filter(self, text: str, parsed: Filter | None, monotonic: float) -> None:
        """Show only what `parsed` matches; None shows everything."""
        before = self._listing.filter
        self.filter_text = text
        self._listing.filter = parsed
        self._begin(FILTERING, monotonic, before)

    def _begin(self, what: str, monotonic: float, before: Filter | None = None) -> None:
        if self._work is not None and self._work[0] == "sorting":
            self._do("sorting", self._listing.resort(monotonic))  # begun before; its answer would be of the old filter
        elif self._work is not None:
            self._do(what, self._listing.choose(monotonic, None))
        else:
            self._do(what, self._listing.choose(monotonic, before))

    def choose_sort(self, order: Order, monotonic: float) -> None:
        """Sort by another column."""
        self._listing.sort = order
        self._do("sorting", self._listing.resort(monotonic))

    def choose_week(self, week: int | None, monotonic: float) -> None:
        """Show only what ends in one week of the ribbon (`LATE`: what has ended); None shows every week."""
        self._listing.week = week
        self._begin(FILTERING, monotonic)

    def filter_ages(self) -> bool:
        """Tell whether passing time, or marking, changes what the list shows although no client changes."""
        terms = () if self._listing.filter is None else self._listing.filter.terms
        plain = (term.term if isinstance(term, Negated) else term for term in terms)
        return self._listing.week is not None or any(isinstance(term, Compared | Marked) for term in plain)

    def age_filter(self, monotonic: float) -> None:
        """Choose anew by the present second."""
        if self._work is None:
            self._do(FILTERING, self._listing.choose(monotonic, None))

    def place_of(self, client: ClientId) -> int | None:
        """Return where in the list a client stands, None when it is not in it."""
        return self._listing.place_of(client)

    # Marks

    @property
    def marks(self) -> MarkedSet:
        """The marked clients; change them in place."""
        return self._marks

    @marks.setter
    def marks(self, ids: Iterable[ClientId]) -> None:
        if ids is not self._marks:  # `marks |= ...` ends here too
            chosen = set(ids)
            self._marks.clear()
            self._marks |= chosen

    @property
    def marked(self) -> tuple[ClientId, ...]:
        """The marked clients, in the list's order, those outside the filter last."""
        key = (self.revision, self._marks.version)
        if self._marked[0] != key:
            shown = [client for client in self.order if client in self._marks] if self._marks else []
            self._marked = key, (*shown, *sorted(self._marks.difference(shown)))
        return self._marked[1]
