"""The fixed lines around every list: header, severity counts, week ribbon, status and key lines.

Pure: a `View` in, lines of an exact width out. The clock stands left in the header, because a terminal line is sent
again from its left edge to the last changed cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.core.countdown import countdown
from backend.core.facts import Severity, State
from backend.core.fleet import AuthorityInfo
from backend.core.health import assess_authority
from backend.core.limits import ABSOLUTE_DUE, CLIENT_LIFETIME
from backend.core.model import AuthorityStatus
from tui.commands import Command, Group
from tui.format import count, span, time_of_day
from tui.glyphs import Glyphs
from tui.keymap import DEFAULT, Keymap
from tui.lines import Line, cut, joined, line_width, spread
from tui.model import LATE, WEEKS, FleetModel
from tui.palette import SEVERITY_ROLES
from tui.sitesline import sites_text

WIDE: Final = 110  # columns from which words are written out
_STALE_AGE: Final = timedelta(seconds=10)  # below this the data's age is not worth a repaint
_SHADES: Final = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the lines are made from; `now` is the agent's time, None while it was never heard."""

    model: FleetModel
    glyphs: Glyphs
    width: int
    now: datetime | None
    monotonic: float
    shown_at: float  # the monotonic instant of `now`: it stands still while paused
    place: str  # the site and the screen
    tag: str
    write_mode: bool
    simulated: bool
    paused: bool
    jobs: int
    sinks_failing: tuple[str, ...]  # who is to be told of alerts and cannot be
    failure: str  # why the agent does not answer, "" while it does
    keymap: Keymap = DEFAULT
    login_not_after: datetime | None  # the end of the operator's own certificate
    tape: str = ""  # what is said of a recording that is made or played
    failed: frozenset[int] = frozenset()  # the places of the sites whose agents do not answer
    is_of_all_sites: bool = False  # the screen shows every site, not only the current one
    link: str = ""  # what is known of the link to this terminal
    link_is_slow: bool = False


def header_line(view: View) -> Line:
    """Return the first line: time, site, mode, how the agent is, jobs."""
    wide = view.width >= WIDE
    clock = time_of_day(view.now) if view.now is not None else "--:--:--Z"
    if wide and view.now is not None:
        clock = f"{view.now:%Y-%m-%d} {clock}"
    mode = ("MODE read-write" if wide else "RW") if view.write_mode else ("MODE read-only" if wide else "RO")
    parts = [
        (clock, "title"),
        (view.place, "title"),
        (view.tape, "tag"),
        (view.tag, "tag"),
        ("SIMULATED", "tag") if view.simulated else ("", ""),
        (mode, "accent" if view.write_mode else "text"),
        _link(view),
        _rotation(view),
        (view.link, "warning" if view.link_is_slow else "dim"),
        ("PAUSED", "tag") if view.paused else ("", ""),
        (count(view.jobs, "job"), "running") if view.jobs else ("", ""),
        _sinks(view),
        _login(view),
    ]
    if wide:
        counts = [(count(_clusters(view), "cluster"), "text"), (count(view.model.total, "client"), "text")]
        longer = [*parts[:2], *counts, *parts[2:]]
        if not _rotation(view)[0] or line_width(joined(longer, 10_000)) <= view.width - 8:  # it may be held
            parts = longer
    elif view.is_of_all_sites and view.model.has_several_sites and not _link(view)[0]:
        parts.insert(2, (f"{_clusters(view)} cl. {view.model.total:,} clients", "text"))
    return (("mocdeck ", "head"), *joined(parts, view.width - 8))


def _clusters(view: View) -> int:
    sites = view.model.sites if view.is_of_all_sites else [view.model.current]
    return sum(not cluster.is_removed for site in sites for cluster in site.columns.clusters)


def _link(view: View) -> tuple[str, str]:
    if view.is_of_all_sites and view.model.has_several_sites:
        return sites_text(view.model.sites, view.monotonic, view.failed)
    agent = view.model.agent
    if agent.is_alive(view.monotonic):
        age = agent.age(view.monotonic)
        return (f"DATA {span(age)} old", "text") if age >= _STALE_AGE else ("", "")
    away = span(agent.away_for(view.monotonic))
    if view.now is None:
        return f"NO AGENT for {away}" if view.failure else f"connecting {away}", "error" if view.failure else "dim"
    if view.model.current.is_cached:
        return f"CACHED {away} old", "error" if view.failure else "warning"
    return f"AGENT AWAY {away}", "error"


def _login(view: View) -> tuple[str, str]:
    """The operator's own certificate, once little of it is left: without it nothing else can be repaired (US-32)."""
    if view.now is None or view.login_not_after is None or view.login_not_after - view.now > ABSOLUTE_DUE:
        return "", ""
    return f"YOUR LOGIN {countdown(view.login_not_after - view.now)}", "warning"


def _sinks(view: View) -> tuple[str, str]:
    """Notices that do not arrive (US-21.6): who relies on them has to know."""
    failing = view.sinks_failing
    if not failing:
        return "", ""
    return f"NOTICES TO {failing[0] if len(failing) == 1 else f'{len(failing)} SINKS'} FAIL", "error"


def _rotation(view: View) -> tuple[str, str]:
    if view.is_of_all_sites and view.model.has_several_sites:
        return "", ""  # the line of the sites says it
    columns = view.model.columns
    held = " HELD" if columns.rotation_held else ""
    return (f"CA ROTATION {columns.rotation_phase}{held}", "tag") if columns.rotation_phase else ("", "")


def severity_line(view: View) -> Line:
    """Return the counts of every severity, what is latent, and the countdown of each trusted CA."""
    model, wide = view.model, view.width >= WIDE
    locked = model.state_count(State.LOCKED_OUT)
    line: list[tuple[str, str]] = []
    for severity in Severity:
        number = model.severity_count(severity)
        glyph = view.glyphs.severity(severity)
        text = f"{glyph} {severity.name.lower()} {number}" if wide else f"{glyph}{number}"
        if severity is Severity.EXPIRED and locked:
            text += f" ({locked} locked{' out' if wide else ''})"
        line.append((text, SEVERITY_ROLES[severity] if number else "dim"))
        line.append(("  " if wide else " ", "text"))
    latent = model.state_count(State.LATENT)
    rest = [(f"latent {latent}", "warning" if latent else "dim")]
    if view.now is not None and not (view.is_of_all_sites and model.has_several_sites):
        rest.extend(authority_countdown(a, view.now, view.glyphs, wide=wide) for a in _issuing(model))
    room = view.width - line_width(tuple(line)) - 2
    return cut((*line, ("| ", "dim"), *joined(rest, max(0, room))), view.width)


def _issuing(model: FleetModel) -> list[AuthorityInfo]:
    wanted = {AuthorityStatus.ISSUING, AuthorityStatus.STAGED}
    return [authority for authority in model.columns.authorities if authority.status in wanted]


def authority_countdown(authority: AuthorityInfo, now: datetime, glyphs: Glyphs, *, wide: bool) -> tuple[str, str]:
    """Return `CA g1 58d 03h ^` with the role of its severity."""
    judged = assess_authority(authority.validity, now, longest_leaf=CLIENT_LIFETIME)
    glyph = "" if judged.severity is Severity.OK else f" {glyphs.severity(judged.severity)}"
    left = countdown(authority.validity.left(now))
    short = left if wide or left.endswith("AGO") else left.partition(" ")[0]
    staged = " staged" if authority.status is AuthorityStatus.STAGED else ""
    return f"CA g{authority.generation}{staged} {short}{glyph}", SEVERITY_ROLES[judged.severity]


def ribbon_lines(view: View, counts: Sequence[int]) -> list[Line]:
    """Return two lines: the weeks, and how many certificates end in each; the chosen week is reversed."""
    size = max(5, min(9, (view.width - 5) // (WEEKS + 1)))
    chosen = view.model.week
    shades = "" if view.glyphs.is_ascii else _SHADES  # an ASCII sign before a number would read as part of it
    most = max([*counts, 1])
    weeks: list[tuple[str, str]] = [("week ", "dim")]
    ends: list[tuple[str, str]] = [("ends ", "dim")]
    for place, number in enumerate(counts):
        week = place + LATE
        over = "+match" if chosen == week else ""
        name = "late" if week == LATE else str(week)
        weeks.append((name.rjust(size), "dim" + over))
        shade = shades[min(len(shades) - 1, number * len(shades) // (most + 1))] if number and shades else ""
        text = f"{shade}{number}" if number else "."
        role = "dim" if not number else "expired" if week == LATE else "critical" if week == 0 else "text"
        ends.append((text.rjust(size), role + over))
    return [tuple(weeks), tuple(ends)]


def ribbon_bars(view: View, counts: Sequence[int], height: int) -> list[Line]:
    """Return bars over the weeks, `height` lines high; an empty week has no bar, any other at least one cell."""
    size = max(5, min(9, (view.width - 5) // (WEEKS + 1)))
    most = max([*counts, 1])
    heights = [-(-number * height // most) if number else 0 for number in counts]
    lines: list[Line] = []
    for level in range(height, 0, -1):
        line: list[tuple[str, str]] = [("     ", "dim")]
        for place, tall in enumerate(heights):
            week = place + LATE
            block = view.glyphs.filled * (size - 3) if tall >= level else ""
            role = "expired" if week == LATE else "critical" if week == 0 else "dim"
            line.append((block.rjust(size), role))
        lines.append(tuple(line))
    return lines


def status_line(view: View, *, first: int, last: int, newest: str = "") -> Line:
    """Return what the list shows: marks, rows, order, filter, and the newest event where there is room."""
    model = view.model
    marked = len(model.marks)
    shown = len(model.order)
    rows = f"{first}-{last} of {shown}" if shown else "0"
    if shown != model.total:
        rows += f" ({model.total} in all)"
    chosen = f"filter: {model.filter_text}" if model.filter_text else "no filter"
    if model.week is not None:
        chosen += f", {'late' if model.week == LATE else f'week {model.week}'}"
    parts = [
        (f"{marked} marked" if marked else "", "mark"),
        (model.work, "running"),
        (rows, "text"),
        (model.sort.word, "text"),
        (chosen, "accent" if model.filter_text or model.week is not None else "dim"),
        (newest, "dim"),
    ]
    return joined(parts, view.width)


def key_lines(commands: Sequence[Command], width: int, *, refused: frozenset[str], here: str) -> list[Line]:
    """Return the two key lines of a screen from its part of the registry; refused actions are dimmed."""
    footer = [command for command in commands if command.footer]
    acts = [c for c in footer if c.group not in {Group.VIEW, Group.PROGRAM}]
    views = [c for c in footer if c.group is Group.VIEW]
    rest = [c for c in footer if c.group is Group.PROGRAM]
    gap = " " if width < 100 else "  "
    right = _keys(rest, 40, frozenset(), "", gap=gap)
    left = _keys(views, width - line_width(right) - 2, frozenset(), here, gap=gap)
    return [_keys(acts, width, refused, here), spread(left, right, width)]


def _keys(commands: Sequence[Command], width: int, refused: frozenset[str], here: str, gap: str = "  ") -> Line:
    line: list[tuple[str, str]] = []
    used = 0
    for command in commands:
        key, label = command.key, f" {command.label}"
        needed = len(key) + len(label) + (len(gap) if line else 0)
        if used + needed > width:
            continue
        if line:
            line.append((gap, "text"))
        off = command.id in refused
        line.append((key, "dim" if off else "key"))
        line.append((label, "dim" if off else "accent" if command.id == here else "text"))
        used += needed
    return tuple(line)
