"""What is not well, worst first: since when, who was told of it, and until when somebody wanted quiet.

Below stand the alert under the cursor in full, and the sinks with those first that take no notices. The list is the
agent's own; acknowledging asks for an end, since quiet without one is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from backend.core.alerts import NOBODY
from backend.core.durations import parse_duration
from backend.core.filter import parse
from tui.banner import View
from tui.commands import ALERTS
from tui.format import count, fit, instant, shorten, span, wrapped
from tui.gateway import AlertLine, AlertsView, SinkView
from tui.lines import Line, plain
from tui.screens.deck import bindings_of
from tui.screens.form import Field, FormDialog, anything
from tui.screens.scroll import ListScreen

LONGEST: Final = timedelta(days=366)  # the agent takes no longer one
_FORMS: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%MZ")


class AlertsScreen(ListScreen):
    """One row an alert; capital A acknowledges, enter shows the client."""

    scope = ALERTS
    view_id: ClassVar[str] = "view_alerts"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(ALERTS)]  # type: ignore[assignment]

    def titles(self, view: View) -> Line:
        name, told = _widths(view.width)
        return plain(fit("SEVERITY", 10) + fit("SINCE", 10) + fit("NAME", name) + fit("TOLD", told) + "WHY", "head")

    def rows(self, view: View) -> Sequence[tuple[str, Line]]:
        found = self.app.alerts
        return () if found is None else [(one.entity, _alert_line(one, found, view)) for one in found.alerts]

    def status(self, view: View) -> Line:
        found = self.app.alerts
        if found is None or found.alerts:
            return ()
        return tuple(_sink_line(sink, view.width) for sink in found.failing[:1])

    def below(self, view: View, key: str, height: int) -> Sequence[Line]:
        found = self.app.alerts
        alert = self._current()
        if found is None or alert is None:
            return ()
        lines: list[Line] = [plain(view.glyphs.rule * view.width, "dim")]
        head = f"{alert.severity.upper()} {alert.state}   {alert.name}   {alert.cluster or 'no cluster'}"
        lines.append(plain(shorten(head, view.width), "title"))
        lines.extend(plain(part) for part in wrapped(f"{alert.summary} {alert.next_step}".strip(), view.width)[:3])
        since = f"raised {instant(alert.raised_at)}, this bad since {instant(alert.since_at)}; {_told(alert, found)}"
        lines.extend(plain(part, "dim") for part in wrapped(since, view.width))
        lines.extend((_sink_line(sink, view.width),) for sink in _by_need(found))
        if not found.sinks:
            lines.append(plain(shorten(_NOBODY_IS, view.width), "warning"))
        return lines[:height]

    def nothing(self, view: View) -> str:
        found = self.app.alerts
        if found is None:
            return "alerts are not known: they are being read, or you may not read them"
        told = f"{count(len(found.sinks), 'sink')} to tell when there is one" if found.sinks else _NOBODY_IS
        return f"no alert: nothing is at least a warning; {told}"

    def _current(self) -> AlertLine | None:
        alerts = () if self.app.alerts is None else self.app.alerts.alerts
        return next((one for one in alerts if one.entity == self.cursor_key), None)

    def cmd_acknowledge(self) -> None:
        """Ask until when, and tell the agent."""
        alert = self._current()
        if alert is None:
            self.app.notice("acknowledge: there is no alert under the cursor", "warning")
            return
        self.app.push_screen(AcknowledgeDialog(alert), lambda quiet: self._acknowledge(alert, quiet))

    def _acknowledge(self, alert: AlertLine, quiet: Quiet | None) -> None:
        if quiet is None:
            return
        self.app.run_agent_call(
            self.app.gateway.acknowledge(alert.entity, quiet.until, quiet.reason),
            what="acknowledge",
            then=lambda made: self.app.toast_result(
                f"quiet about {alert.name} until {instant(made.until)}, unless it gets worse than {made.ceiling}"
            ),
        )

    def cmd_open(self) -> None:
        """Show the client in the list."""
        alert = self._current()
        if alert is None or not alert.entity.startswith("client:"):
            return
        text = f"name:{alert.name}"
        self.app.model.choose_filter(text, parse(text), self.app.clock.monotonic())
        self.app.cmd_view_fleet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Until when, and why."""

    until: datetime
    reason: str


class AcknowledgeDialog(FormDialog[Quiet]):
    """The end of an acknowledgement, as a length or a date, and a reason."""

    def __init__(self, alert: AlertLine) -> None:
        fields = [
            Field(label="Until (36h, 14d, 2026-12-01):", lacks=self._lacks, limit=20),
            Field(label="Reason:", lacks=anything, may_paste=True),
        ]
        super().__init__(f"Acknowledge {shorten(alert.name, 40)}", "Acknowledge", fields)
        self.alert = alert

    def body(self, width: int) -> Sequence[Line]:
        text = (
            f"{self.alert.severity.upper()} {self.alert.summary} Nobody is told of it again until the end that you "
            "name, a length of time or a day in UTC, unless it gets worse; it ends with the alert as well."
        )
        return [plain(part) for part in wrapped(text, width)]

    def standing(self, width: int) -> Sequence[Line]:
        until = self._until(self.fields[0].text)
        return [plain(f"quiet until {instant(until)}", "title")] if until is not None else []

    def _lacks(self, text: str) -> str:
        return "" if self._until(text) is not None else "an end within a year"

    def _until(self, text: str) -> datetime | None:
        """The end that was typed, by the agent's time; None while it is none, or is past or too far off."""
        now = self.app.now
        if now is None:
            return None
        until = _end(text.strip(), now)
        return until if until is not None and now < until <= now + LONGEST else None

    def result(self) -> Quiet:
        until = self._until(self.fields[0].text)
        assert until is not None  # noqa: S101 - the form is not confirmed without it
        return Quiet(until=until.replace(microsecond=0), reason=self.fields[1].text.strip())


_NOBODY_IS: Final = "nobody is told: there are no sinks in the agent's alerts.yaml"


def _end(text: str, now: datetime) -> datetime | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        return now + parse_duration(text)
    except (ValueError, OverflowError):
        return None


def _alert_line(one: AlertLine, found: AlertsView, view: View) -> Line:
    name, told = _widths(view.width)
    since = "-" if view.now is None else span(view.now - one.since_at)
    return (
        (fit(one.severity.upper(), 10), one.severity),
        (fit(since, 10), "text"),
        (fit(shorten(one.name, name - 1), name), "title"),
        (fit(shorten(_told(one, found), told - 1), told), "dim"),
        (shorten(one.summary, max(4, view.width - 22 - name - told)), "text"),
    )


def _told(one: AlertLine, found: AlertsView) -> str:
    """Who knows: acknowledged until, silenced until, held back, told since, or nobody yet."""
    quiet = found.quiet_over(one)
    if quiet is not None and quiet.until is not None:
        return f"{'ack' if quiet.is_acknowledgement else 'silent'} to {quiet.until:%m-%d %H:%MZ} by {quiet.actor}"
    if one.held:
        return one.held
    if not one.told:
        return "nobody yet"
    if not found.sinks:
        return NOBODY
    return "told" if one.told_at is None else f"told {one.told_at:%m-%d %H:%MZ}"  # each sink has its own least severity


def _sink_line(sink: SinkView, width: int) -> tuple[str, str]:
    if sink.failing_since is None:
        return shorten(f"sink {sink.name}: notices arrive, the last one {instant(sink.sent_at)}", width), "dim"
    text = f"sink {sink.name} FAILS since {instant(sink.failing_since)}, {sink.owed} notices wait: {sink.last_error}"
    return shorten(text, width), "error"


def _by_need(found: AlertsView) -> list[SinkView]:
    return sorted(found.sinks, key=lambda sink: (sink.failing_since is None, sink.name))


def _widths(width: int) -> tuple[int, int]:
    """Return the cells of name and told."""
    return (26, 34) if width >= 110 else (16, 25)
