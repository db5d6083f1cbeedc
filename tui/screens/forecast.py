"""What is coming: until when each cluster may be off, whether it may restart, who is stranded, when the CA cuts short.

The forecast of a large fleet takes a noticeable part of a second, so it is made anew now and then, never at each tick;
its dates stand still meanwhile and only their countdowns go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from backend.core.cliff import Cliff
from backend.core.countdown import countdown
from backend.core.filter import parse
from backend.core.forecast import SiteForecast, by_stranding, forecast
from backend.core.safe_off import NOT_OBSERVED, Reboot, SafeOff, Verdict
from backend.core.stranding import Outlook
from backend.core.subjects import Subject
from tui.banner import View
from tui.commands import FORECAST
from tui.format import count, fit, instant, shorten, wrapped
from tui.lines import Line, plain
from tui.screens.deck import bindings_of
from tui.screens.scroll import ListScreen

FLEET_ROW: Final = "(fleet)"
_PAUSE: Final = 5.0  # seconds between two forecasts, at least
_SHARE: Final = 20  # and this many times as long as the last one took: five percent of the time at most
_ROLES: Final = {
    Verdict.SAFE: "ok",
    Verdict.OFF: "warning",
    Verdict.NOT_SAFE: "critical",
    Verdict.OVERDUE: "expired",
    Verdict.UNKNOWN: "unknown",
}


class ForecastScreen(ListScreen):
    """One row a cluster and one for the fleet; enter shows a cluster's clients."""

    scope = FORECAST
    view_id: ClassVar[str] = "view_forecast"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(FORECAST)]  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._found: SiteForecast | None = None
        self._stranded: list[Subject] = []
        self._next_at = 0.0

    def titles(self, view: View) -> Line:
        name, until = _widths(view.width)
        return plain(
            fit("CLUSTER", name) + fit("SAFE OFF UNTIL", until) + fit("LEFT", 12) + fit("REBOOT", 8) + "BY", "head"
        )

    def rows(self, view: View) -> Sequence[tuple[str, Line]]:
        if view.now is None:
            return ()
        self._refresh(view.now)
        if self._found is None:
            return ()
        rows = [(FLEET_ROW, self._cluster_line(view, view.now, FLEET_ROW, self._found.fleet, self._found.fleet_reboot))]
        order = sorted(
            self._found.clusters,
            key=lambda c: (list(_RANK).index(c.safe_off.verdict), c.safe_off.until or view.now, c.name),
        )
        return [*rows, *((c.name, self._cluster_line(view, view.now, c.name, c.safe_off, c.reboot)) for c in order)]

    def _refresh(self, now: datetime) -> None:
        """Make the forecast anew once enough time has passed."""
        clock = self.app.clock
        started = clock.monotonic()
        if self._found is not None and started < self._next_at:
            return
        site = self.app.model.site(now)
        self._found = forecast(site)
        self._stranded = [s for s in by_stranding(site.subjects) if not s.facts.is_orphan]
        self._next_at = started + max(_PAUSE, _SHARE * (clock.monotonic() - started))

    def _cluster_line(self, view: View, now: datetime, name: str, off: SafeOff, reboot: Reboot) -> Line:
        name_width, until_width = _widths(view.width)
        role = "warning" if off.renew_first else _ROLES[off.verdict]
        gone = off.until is not None and off.until <= now  # it passed since the forecast was made
        date = off.until is not None and not gone
        until = instant(off.until) if date else "NOT SAFE" if gone else off.verdict.value.upper()
        left = countdown(off.until - now) if date and off.until is not None else "-"
        word, word_role = (
            ("NO", "critical") if not reboot.is_safe else ("?", "unknown") if reboot.unknown else ("yes", "ok")
        )
        by = "-" if off.limiting is None else off.limiting.words
        room = max(4, view.width - 2 - name_width - until_width - 20)
        return (
            (fit(shorten(name, name_width - 1), name_width), "title"),
            (fit(until, until_width), role),
            (fit(left, 12), role),
            (fit(word, 8), word_role),
            (shorten(by, room), "dim"),
        )

    def below(self, view: View, key: str, height: int) -> Sequence[Line]:
        if view.now is None or self._found is None:
            return ()
        off, reboot = self._of(key)
        lines: list[Line] = [plain(view.glyphs.rule * view.width, "dim")]
        lines.extend(_words(off, reboot, view.width)[:3])
        cliff = self._found.cliff
        if cliff is not None:
            lines.append(_cliff_line(cliff, view.now, view.width))
        lines.append(plain(fit("CANNOT RECOVER", 16) + fit("IF SILENT", 14) + fit("CLUSTER", 14) + "CLIENT", "head"))
        room = max(1, height - len(lines))
        lines.extend(self._stranding_lines(view.now, key, room, view.width))
        return lines[:height]

    def _of(self, key: str) -> tuple[SafeOff | None, Reboot | None]:
        if self._found is None:
            return None, None
        if key == FLEET_ROW:
            return self._found.fleet, self._found.fleet_reboot
        one = next((cluster for cluster in self._found.clusters if cluster.name == key), None)
        return (None, None) if one is None else (one.safe_off, one.reboot)

    def _stranding_lines(self, now: datetime, key: str, room: int, width: int) -> list[Line]:
        chosen = [s for s in self._stranded if key in {FLEET_ROW, s.cluster}]
        lines = [_stranding_line(subject, now, width) for subject in chosen[:room]]
        if len(chosen) > room:
            lines[-1] = plain(f"and {len(chosen) - room + 1} later; mocdeck forecast stranded lists all", "dim")
        return lines or [plain("nobody", "dim")]

    def status(self, view: View) -> Line:
        return plain(shorten(NOT_OBSERVED, view.width), "dim")

    def nothing(self, view: View) -> str:
        return "the agent has not been heard yet" if view.now is None else "this site has no cluster and no client yet"

    def cmd_open(self) -> None:
        """Show this cluster's clients in the list."""
        if not self.cursor_key:
            return
        if self.cursor_key != FLEET_ROW:
            text = f"cluster:{self.cursor_key}"
            self.app.model.choose_filter(text, parse(text), self.app.clock.monotonic())
        self.app.cmd_view_fleet()


_RANK: Final = (Verdict.OVERDUE, Verdict.NOT_SAFE, Verdict.UNKNOWN, Verdict.OFF, Verdict.SAFE)


def _widths(width: int) -> tuple[int, int]:
    """Return the cells of name and date."""
    return (24, 24) if width >= 100 else (16, 22)


def _words(off: SafeOff | None, reboot: Reboot | None, width: int) -> list[Line]:
    if off is None or reboot is None:
        return []
    lines = [plain(text, "text") for reason in off.reasons[:2] for text in wrapped(reason, width)[:1]]
    if off.otherwise_until is not None and off.until is None:
        lines.append(plain(f"cured, it would be safe until {instant(off.otherwise_until)}", "dim"))
    if off.advice:
        lines.insert(min(1, len(lines)), plain(shorten(f"run: {off.advice[0]}", width), "accent"))
    return lines


def _cliff_line(cliff: Cliff, now: datetime, width: int) -> Line:
    days = cliff.longest_leaf // timedelta(days=1)
    limited = count(len(cliff.limited), "certificate")
    if cliff.is_over(now):
        text = f"CA g{cliff.generation} cuts new certificates of {days} d short, since {instant(cliff.shortened_from)}"
        return plain(shorten(f"{text}; it limits {limited}", width), "warning")
    left = countdown(cliff.shortened_from - now)
    return plain(
        shorten(
            f"CA g{cliff.generation} cuts new certificates of {days} d short in {left}; it limits {limited}", width
        ),
        "text",
    )


def _stranding_line(subject: Subject, now: datetime, width: int) -> Line:
    found = subject.stranding
    if found.is_stranded(now):
        from_text, silent, role = "now", "-", "expired"
    elif found.outlook is Outlook.UNKNOWN or found.from_at is None or found.silent_from_at is None:
        from_text, silent, role = "unknown", "unknown", "unknown"
    else:
        from_text = countdown(found.from_at - now) + ("" if found.is_certain else " +")
        silent, role = countdown(found.silent_from_at - now), "text"
    return (
        (fit(from_text, 16), role),
        (fit(silent, 14), "dim" if role == "text" else role),
        (fit(shorten(subject.cluster or "-", 13), 14), "dim"),
        (shorten(subject.name, max(8, width - 46)), "text"),
    )
