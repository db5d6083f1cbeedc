"""The sites of a session: one agent each, with its watcher and what was read from it beside the fleet.

Owns which site the screens of one site are about, and every call that the session makes by itself. A site that is away
costs the others nothing: each has its own connection, its own clock and its own failure.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from backend.clock import Clock
from backend.core.errors import AccessDenied, AgentError
from tui import safety
from tui.gateway import AlertsView, EventView, Gateway, OperationView
from tui.link_options import LinkOptions
from tui.linked import LinkedApp
from tui.marks import ClientId, site_of
from tui.messages import FleetChanged, LinkChanged, Ticked
from tui.model import AT_ONCE, FleetModel
from tui.pacing import breathe
from tui.replaying import ReplayClock
from tui.sitefleet import SiteFleet
from tui.snapshots import BROKEN, Snapshot, Snapshots, copy, encode
from tui.watcher import watch_fleet

KEEP_SECONDS: Final = 600.0  # a snapshot that is kept is at most so much older than what was shown


@dataclass(kw_only=True, eq=False)
class Site:
    """One agent: how it is reached, its clients, and what was last read from it."""

    gateway: Gateway
    fleet: SiteFleet
    failure: str = ""  # why it does not answer, "" while it does
    operations: tuple[OperationView, ...] = ()
    audit: tuple[EventView, ...] = ()
    alerts: AlertsView | None = None  # None: not read yet, or refused
    feed_wanted: bool = field(default=False)
    feed_running: bool = field(default=False)
    kept: Snapshot | None = None  # of an earlier session, still to be shown
    generation: int = 0  # of the snapshot that was there when the feed was asked for last
    kept_at: float | None = None  # the monotonic instant at which its snapshot was kept last

    @property
    def name(self) -> str:
        """What it is called."""
        return self.fleet.name


class SitesApp(LinkedApp):
    """The part of the session that talks to agents; `tui.session.DeckApp` is the rest."""

    def __init__(
        self,
        gateways: Sequence[Gateway],
        clock: Clock,
        state_dir: Path,
        options: LinkOptions,
        *,
        snapshots: Snapshots,
        ansi_color: bool | None,
    ) -> None:
        real = clock.real if isinstance(clock, ReplayClock) else clock
        super().__init__(real, state_dir, options, ansi_color=ansi_color)
        self._snapshots = snapshots
        self.clock = clock
        self.model = FleetModel(clock.monotonic(), [gateway.connection.context for gateway in gateways])
        self.sites = [
            Site(gateway=gateway, fleet=fleet) for gateway, fleet in zip(gateways, self.model.sites, strict=True)
        ]
        self._is_working = False

    # The site that is looked at

    @property
    def current_site(self) -> Site:
        """The site that screens of one site, and calls without a client, are about."""
        return self.sites[self.model.current.place]

    @property
    def gateway(self) -> Gateway:
        """The way to the current site's agent."""
        return self.current_site.gateway

    def enter_site(self, place: int) -> None:
        """Make a site the current one."""
        self.model.current = self.model.sites[place]

    def next_site(self) -> str:
        """Make the next site the current one; return its name, "" when there is no other."""
        if len(self.sites) == 1:
            return ""
        self.enter_site((self.model.current.place + 1) % len(self.sites))
        return self.current_site.name

    def site_of(self, client: ClientId) -> Site:
        """Return the site of a client."""
        return self.sites[site_of(client)]

    @property
    def operations(self) -> tuple[OperationView, ...]:
        """The current site's operations, newest first."""
        return self.current_site.operations

    @property
    def audit(self) -> tuple[EventView, ...]:
        """The current site's audit events, newest first."""
        return self.current_site.audit

    @property
    def alerts(self) -> AlertsView | None:
        """The current site's alerts."""
        return self.current_site.alerts

    def under_way(self) -> list[OperationView]:
        """Return the operations of all sites that have not ended, newest first; of several sites each says of which."""
        running = [(site, one) for site in self.sites for one in site.operations if one.ended_at is None]
        if len(self.sites) == 1:
            return [one for _, one in running]
        found = [replace(one, actor=f"{one.actor} at {site.name}") for site, one in running]
        return sorted(found, key=lambda one: one.started_at, reverse=True)

    def newest_events(self, limit: int) -> list[EventView]:
        """Return the newest audit events of all sites; of several sites each says of which."""
        if len(self.sites) == 1:
            return list(self.audit[:limit])
        found = [
            replace(one, subject=f"{site.name}/{one.subject}") for site in self.sites for one in site.audit[:limit]
        ]
        return sorted(found, key=lambda one: one.at, reverse=True)[:limit]

    @property
    def running_jobs(self) -> int:
        """How many operations of all sites have not ended."""
        return len(self.under_way())

    @property
    def failure(self) -> str:
        """Why an agent does not answer: the current site's, else another's, by name; "" while all answer."""
        if len(self.sites) == 1:
            return self.sites[0].failure
        away = next((site for site in (self.current_site, *self.sites) if site.failure), None)
        return "" if away is None else f"{away.name}: {away.failure}"

    # Listening

    def _listen(self) -> None:
        for site in self.sites:
            self.run_worker(self._watch(site), group=f"watch {site.fleet.place}", exclusive=True, exit_on_error=False)

    def _restore(self) -> None:
        """Show what the agents said to an earlier session, until they answer; a large fleet beside the first frame."""
        for site in self.sites:
            connection = site.gateway.connection
            site.kept = self._snapshots.read(connection.context, connection.address)
            if site.kept is not None and len(site.kept) <= AT_ONCE:
                for _ in self._restoring(site, site.kept):
                    pass
                site.kept = None
        self.model.reorder(self.clock.monotonic())

    def _restoring(self, site: Site, kept: Snapshot) -> Iterator[None]:
        age, monotonic = kept.age(self.clock.now()), self.clock.monotonic()
        try:
            for _ in self.model.restore(site.fleet, kept.deltas(), kept.heard_at, age, monotonic):
                yield
        except BROKEN:
            site.fleet.abandon()

    def _keep(self, site: Site) -> None:
        """Keep what an agent said for the next start: soon after its first answer, then rarely."""
        monotonic = self.clock.monotonic()
        if not self._snapshots.is_kept or (site.kept_at is not None and monotonic - site.kept_at < KEEP_SECONDS):
            return
        site.kept_at = monotonic
        heard_at = site.fleet.heard_at
        if heard_at is None or not site.fleet.complete or site.fleet.is_cached:
            return
        taken, where = copy(site.fleet.columns, heard_at, self.clock.now()), site.gateway.connection
        if taken is None:
            return

        async def write() -> None:
            data = await asyncio.to_thread(encode, taken)
            await asyncio.to_thread(self._snapshots.write, where.context, where.address, data)

        self.run_worker(write(), group="keep", exit_on_error=False)

    async def _let_go(self) -> None:
        """Let go of the agents; one that does not answer keeps nobody here."""

        async def close(site: Site) -> None:
            with contextlib.suppress(AgentError, TimeoutError):
                await asyncio.wait_for(site.gateway.close(), 1.0)

        await asyncio.gather(*(close(site) for site in self.sites))

    async def _watch(self, site: Site) -> None:
        if site.kept is not None:
            for _ in self._restoring(site, site.kept):
                await breathe()
            site.kept = None
            self.model.reorder(self.clock.monotonic())
            self.redraw()
        try:
            await watch_fleet(
                site.gateway,
                self.model,
                site.fleet,
                self.clock,
                changed=lambda touched: self._fleet_changed(site, touched),
                lost=lambda sentence: self._agent_lost(site, sentence),
            )
        except Exception as error:  # the worker's edge: the screen stays, the fault is named
            self._agent_lost(site, safety.crash_line(error, self.state_dir, self.clock.now()))

    def _fleet_changed(self, site: Site, touched: frozenset[ClientId]) -> None:
        was_lost = bool(site.failure)
        site.failure = ""
        if touched or was_lost or site.fleet.generation != site.generation:
            site.feed_wanted = True
            site.generation = site.fleet.generation
        if self.model.needs_reorder and (not self.model.order or not self._is_held()):
            self.model.reorder(self.clock.monotonic())
        self.refresh_feed()
        self._keep(site)
        self._tell(FleetChanged(touched))
        if was_lost:
            self._tell(LinkChanged(alive=True))

    def _agent_lost(self, site: Site, sentence: str) -> None:
        first = not site.failure
        site.failure = sentence
        if first:
            self._link_is_down(site)
            self.model.tick(self.clock.monotonic())
            self.model.reorder(self.clock.monotonic())
        self._tell(LinkChanged(alive=False))

    def _link_is_down(self, site: Site) -> None:
        """Give up what was meant for the agent that went away."""
        raise NotImplementedError

    def _tell(self, message: FleetChanged | LinkChanged | Ticked) -> None:
        raise NotImplementedError

    def _is_held(self) -> bool:
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw the dashboard's topmost screen, if there is one."""
        raise NotImplementedError

    # Long work

    def keep_working(self) -> None:
        """Go on with what the model has to do in slices, beside the screen."""
        if self.model.has_work and not self._is_working and self._running:
            self._is_working = True
            self.run_worker(self._work(), group="work", exit_on_error=False)

    async def _work(self) -> None:
        try:
            while self.model.has_work:
                if self.model.step(self.clock.monotonic()):
                    self.redraw()
                await breathe()
        finally:
            self._is_working = False
        if self.model.needs_reorder and not self._is_held():
            self.model.reorder(self.clock.monotonic())
        self.redraw()

    # Operations, events, alerts

    def refresh_feed(self) -> None:
        """Fetch operations and events of the sites where something changed and no fetch is under way."""
        for site in self.sites:
            if site.feed_wanted and not site.feed_running and self._running:
                site.feed_wanted = False
                site.feed_running = True
                self.run_worker(self._fetch_feed(site), group="feed", exit_on_error=False)

    async def _fetch_feed(self, site: Site) -> None:
        try:
            site.operations = tuple(await site.gateway.operations())
            site.audit = tuple(await site.gateway.events(200))
            site.alerts = await self._fetch_alerts(site)
        except AgentError:
            site.feed_wanted = True  # the link's own line says that the agent is away; the next answer asks again
        finally:
            site.feed_running = False
        self.redraw()

    async def _fetch_alerts(self, site: Site) -> AlertsView | None:
        """Read the alerts; None for whoever may not."""
        try:
            return await site.gateway.alerts()
        except AccessDenied:
            return None
