"""The fleet as metrics: made at scrape time from one snapshot, under the ecosystem's names.

Instants are Unix seconds, so that a rule subtracts them from `time()`; a series without its instant is left out, never
0. Names, clusters and kinds are labels and came through `backend.core.inert`; no token, key, serial or address is ever
one. Per client there is one series a figure, and the one-hot of its state only while the fleet is small enough.
"""

from __future__ import annotations

import asyncio
import platform
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

import backend
from backend.core.facts import Overlay, Severity, State
from backend.core.model import AuthorityStatus
from backend.server.alerting import Alerting
from backend.server.outlook import Outlook, outlook
from backend.server.outlook import families as forecast_families
from backend.server.survey import ClientFigures, Snapshot, Survey

ONE_HOT_CLIENTS: Final = 500  # beyond: 16 states a client would be most of a scrape and tell nothing new
_SCRAPE_SECONDS: Final = 30.0
FORECAST_SECONDS: Final = 60.0  # forecasts move with days; making them reads every client
_IDENTITY: Final = ("identity", "kind", "cluster")
_SEVERITIES: Final = {severity: severity.name.lower() for severity in Severity}
_STATES: Final = {state: state.value for state in State}
_Figure = Callable[[ClientFigures], int]
# Name, meaning, and the figure; 0 means that there is none.
_INSTANTS: Final[tuple[tuple[str, str, _Figure], ...]] = (
    (
        "mocdeck_identity_certificate_not_after_timestamp_seconds",
        "Last second of the client's certificate.",
        lambda client: client.certificate_not_after,
    ),
    (
        "mocdeck_identity_effective_not_after_timestamp_seconds",
        "The earlier of the certificate's and its CA's last second.",
        lambda client: client.effective_not_after,
    ),
    (
        "mocdeck_identity_token_expiry_timestamp_seconds",
        "First second at which the client's token is no longer accepted.",
        lambda client: client.token_expires_at,
    ),
    (
        "mocdeck_identity_heartbeat_timestamp_seconds",
        "The client's last heartbeat.",
        lambda client: client.heartbeat_at,
    ),
    (
        "mocdeck_identity_last_seen_timestamp_seconds",
        "The client's last authenticated call.",
        lambda client: client.last_seen_at,
    ),
)


class FleetCollector(Collector):
    """Answers scrapes, which come on threads of their own, from the survey on the agent's loop."""

    def __init__(
        self,
        survey: Survey,
        loop: asyncio.AbstractEventLoop,
        gauges: AgentGauges,
        monotonic: Callable[[], float],
    ) -> None:
        self._survey = survey
        self._loop = loop
        self._gauges = gauges
        self._monotonic = monotonic
        self._forecast: Outlook | None = None
        self._forecast_at = 0.0
        self._forecasting = asyncio.Lock()  # scrapes that come together share one forecast

    def collect(self) -> Iterable[Metric]:
        """Return every family; a scrape that the core does not answer in time fails as a whole and is seen as down."""
        asked = asyncio.run_coroutine_threadsafe(self._look(), self._loop)
        try:
            snapshot, coming = asked.result(_SCRAPE_SECONDS)
        finally:
            asked.cancel()
        yield from families(snapshot)
        if coming is not None:
            yield from forecast_families(coming)
        yield from self._gauges.families(snapshot)

    async def _look(self) -> tuple[Snapshot, Outlook | None]:
        """Return the fleet, and what is coming: at most a minute old, and None while the clock is not believed."""
        snapshot = await self._survey.look()
        if snapshot.doubt:
            return snapshot, None
        async with self._forecasting:
            age = self._monotonic() - self._forecast_at
            if self._forecast is None or age >= FORECAST_SECONDS:
                self._forecast = await self._survey.read_columns(outlook)
                self._forecast_at = self._monotonic()
            return snapshot, self._forecast

    def describe(self) -> Iterable[Metric]:
        """Return nothing: registering must not wait for the core."""
        return ()


class AgentGauges:
    """What the running agent knows of itself and no row holds. Instants are Unix seconds, 0 until they come."""

    def __init__(self, waiting: Callable[[], int], alerting: Alerting) -> None:
        self._waiting = waiting
        self._alerting = alerting
        self.started_at = 0
        self.ticked_at = 0

    def families(self, snapshot: Snapshot) -> Iterator[Metric]:
        """Yield the agent's own families."""
        info = GaugeMetricFamily(
            "mocdeck_agent_info", "The agent's build; always 1.", labels=["version", "python", "platform"]
        )
        info.add_metric([backend.__version__, platform.python_version(), platform.system().lower()], 1)
        yield info
        yield _gauge("mocdeck_agent_clock_timestamp_seconds", "The agent's clock.", snapshot.now.timestamp())
        yield _gauge(
            "mocdeck_agent_clock_doubted", "1 while the agent does not believe its clock.", int(bool(snapshot.doubt))
        )
        yield _gauge("mocdeck_agent_start_timestamp_seconds", "When the agent started.", self.started_at)
        yield _gauge("mocdeck_core_queue_calls", "Calls that wait for the core now.", self._waiting())
        if self.ticked_at:
            yield _gauge(
                "mocdeck_agent_tick_timestamp_seconds", "When the agent's own work last went round.", self.ticked_at
            )
        if self._alerting.evaluated_at:
            yield _gauge(
                "mocdeck_alerts_evaluated_timestamp_seconds",
                "When alerts were last looked at.",
                self._alerting.evaluated_at,
            )


def families(snapshot: Snapshot) -> Iterator[Metric]:
    """Yield the families of one snapshot."""
    yield from _counts(snapshot.clients)
    yield from _identities(snapshot.clients)
    yield from _trust(snapshot)
    yield from _alerts(snapshot)
    running = GaugeMetricFamily("mocdeck_operations_running", "Operations under way, by action.", labels=["action"])
    targets = GaugeMetricFamily(
        "mocdeck_operation_targets_remaining",
        "Clients that running operations are not through with.",
        labels=["action"],
    )
    remaining: Tally[str] = Tally()
    for action, count in snapshot.running:
        remaining[action] += count
    for action, operations in Tally(action for action, _ in snapshot.running).items():
        running.add_metric([action], operations)
        targets.add_metric([action], remaining[action])
    yield running
    yield targets


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _counts(clients: Sequence[ClientFigures]) -> Iterator[Metric]:
    yield _gauge("mocdeck_identities", "Clients that the agent knows.", len(clients))
    states = GaugeMetricFamily("mocdeck_identities_by_state", "Clients in each state.", labels=["state"])
    found = Tally(client.state for client in clients)
    for state, word in _STATES.items():
        states.add_metric([word], found[state])
    yield states
    severities = GaugeMetricFamily("mocdeck_identities_by_severity", "Clients of each severity.", labels=["severity"])
    graded = Tally(client.severity for client in clients)
    for severity, word in _SEVERITIES.items():
        severities.add_metric([word], graded[severity])
    yield severities
    overlays = GaugeMetricFamily("mocdeck_identities_by_overlay", "Clients under each overlay.", labels=["overlay"])
    covered = Tally(overlay for client in clients for overlay in client.overlays)
    for overlay in Overlay:
        overlays.add_metric([overlay.value], covered[overlay])
    yield overlays


def _identities(clients: Sequence[ClientFigures]) -> Iterator[Metric]:
    for name, meaning, figure in _INSTANTS:
        family = GaugeMetricFamily(name, meaning, labels=_IDENTITY)
        for client in clients:
            value = figure(client)
            if value:
                family.add_metric((client.name, client.kind, client.cluster), value)
        yield family
    rank = GaugeMetricFamily(
        "mocdeck_identity_severity_rank", "0 expired, 1 critical, 2 unknown, 3 warning, 4 info, 5 ok.", labels=_IDENTITY
    )
    skew = GaugeMetricFamily(
        "mocdeck_identity_clock_skew_seconds",
        "The client's clock less the agent's, at its last heartbeat.",
        labels=_IDENTITY,
    )
    for client in clients:
        labels = (client.name, client.kind, client.cluster)
        rank.add_metric(labels, int(client.severity))
        if client.sends_heartbeats:
            skew.add_metric(labels, client.skew)
    yield rank
    yield skew
    if len(clients) <= ONE_HOT_CLIENTS:
        yield _one_hot(clients)


def _one_hot(clients: Sequence[ClientFigures]) -> Metric:
    family = GaugeMetricFamily(
        "mocdeck_identity_state",
        f"1 for the client's state; fleets of at most {ONE_HOT_CLIENTS} clients.",
        labels=(*_IDENTITY, "state"),
    )
    for client in clients:
        for state, word in _STATES.items():
            family.add_metric((client.name, client.kind, client.cluster, word), int(client.state is state))
    return family


def _trust(snapshot: Snapshot) -> Iterator[Metric]:
    begins = GaugeMetricFamily(
        "mocdeck_ca_not_before_timestamp_seconds", "First second of a CA generation.", labels=["generation"]
    )
    ends = GaugeMetricFamily(
        "mocdeck_ca_not_after_timestamp_seconds", "Last second of a CA generation.", labels=["generation"]
    )
    status = GaugeMetricFamily(
        "mocdeck_ca_status", "1 for the status of a CA generation.", labels=["generation", "status"]
    )
    for authority in snapshot.authorities:
        number = str(authority.generation)
        begins.add_metric([number], authority.validity.not_before.timestamp())
        ends.add_metric([number], authority.validity.not_after.timestamp())
        for word in AuthorityStatus:
            status.add_metric([number, word.value], int(authority.status is word))
    yield from (begins, ends, status)
    yield _gauge("mocdeck_bundle_epoch", "Present epoch of the trust bundle.", snapshot.bundle_epoch)
    yield _gauge("mocdeck_ca_rotation_open", "1 while a CA rotation is under way.", int(bool(snapshot.rotation_phase)))
    yield _gauge(
        "mocdeck_ca_rotation_held", "1 while the open CA rotation waits for a person.", int(bool(snapshot.held))
    )


def _alerts(snapshot: Snapshot) -> Iterator[Metric]:
    alerts = GaugeMetricFamily(
        "mocdeck_alerts", "Alerts that stand, by severity and whether they are held back.", labels=["severity", "held"]
    )
    for severity in (Severity.EXPIRED, Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING):
        for is_held in (False, True):
            alerts.add_metric(
                [_SEVERITIES[severity], "yes" if is_held else "no"], snapshot.alerts.get((severity, is_held), 0)
            )
    yield alerts
    failing = GaugeMetricFamily("mocdeck_sink_failing", "1 while a sink does not take notices.", labels=["sink"])
    owed = GaugeMetricFamily("mocdeck_sink_owed_notices", "Notices a sink has not taken yet.", labels=["sink"])
    sent = CounterMetricFamily("mocdeck_sink_deliveries", "Notices a sink has taken, ever.", labels=["sink"])
    failures = CounterMetricFamily("mocdeck_sink_failures", "Requests to a sink that failed, ever.", labels=["sink"])
    for row in snapshot.sinks:
        failing.add_metric([row.name], int(row.failing_since_at is not None))
        owed.add_metric([row.name], snapshot.owed.get(row.name, 0))
        sent.add_metric([row.name], row.deliveries)
        failures.add_metric([row.name], row.failures)
    yield from (failing, owed, sent, failures)
