"""The columns of the client list: which ones fit, how wide they are, and what stands in each cell.

Countdowns come first: a terminal line is sent again from its left edge to the last changed cell, so what ticks stands
left (tui.md, finding 4). Pure; one call per visible row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from backend.core.facts import Assessment, NextAction, Overlay, Severity, State
from backend.core.fleet import ClientFlag
from tui.format import NOTHING, age, fit, left_until, shorten
from tui.glyphs import Glyphs
from tui.holding import QUEUED, QUEUED_SHORT
from tui.lines import Line
from tui.model import Client
from tui.palette import SEVERITY_ROLES

SHORT: Final[Mapping[State, str]] = {
    State.TRUST_BROKEN: "BROKEN",
    State.LOCKED_OUT: "LOCKED",
    State.REPAIRABLE: "REPAIR",
    State.EXPIRED_UNKNOWN: "EXPIRED?",
    State.NEVER_SIGNED_IN: "NEVER IN",
}
OVERLAY_WORDS: Final[Mapping[Overlay, str]] = {
    Overlay.ACTION_RUNNING: "busy",
    Overlay.UNCERTAIN: "clock",
    Overlay.STALE: "stale",
    Overlay.PLANNED_OFF: "off",
    Overlay.ORPHAN: "orphan",
    Overlay.SKEW_WARNING: "skew",
    Overlay.MISSED_SLOT: "late",
    Overlay.ROTATION_FAILS: "stuck",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `narrow` cells at least, `wide` when there is room, shown from `from_width` columns on."""

    id: str
    title: str
    narrow: int
    wide: int
    from_width: int
    right: bool = False


NEVER: Final = 10_000  # no terminal is so wide: only where it was chosen
COLUMNS: Final = (
    Column("certificate", "CERT LEFT", 12, 12, 0, right=True),
    Column("token", "TOKEN LEFT", 11, 12, 60, right=True),
    Column("state", "STATE", 11, 18, 0),
    Column("next", "NEXT STEP", 14, 17, 72),
    Column("site", "SITE", 8, 12, NEVER),  # and wherever there are several sites, from SITE_WIDTH on
    Column("cluster", "CLUSTER", 9, 16, 80),
    Column("client", "CLIENT", 16, 30, 0),
    Column("kind", "KIND", 13, 13, 108),
    Column("renews", "RENEWS", 6, 6, 116),
    Column("owner", "OWNER", 10, 18, 132),
    Column("seen", "LAST SEEN", 9, 9, NEVER, right=True),
    Column("ca", "CA", 4, 4, NEVER),
    Column("host", "HOST", 10, 16, NEVER),
    Column("serial", "SERIAL", 16, 16, NEVER),
)
SITE_WIDTH: Final = 89
ALWAYS: Final = ("certificate", "state", "client")
_HIDDEN_FIRST: Final = ("kind", "renews", "seen", "ca", "site", "next", "token", "cluster", "owner", "host", "serial")
_MARGIN: Final = 2  # cursor and mark
_GROWTH: Final = ("client", "state", "cluster", "next", "token", "owner")  # who gets spare cells, in this order


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which columns an operator wants: some by name (none: those that fit), or `wide`, the hidden ones first."""

    ids: tuple[str, ...] = ()
    wide: bool = False
    sites: bool = False  # there are several sites


DEFAULT: Final = Shown()


@lru_cache(maxsize=64)
def layout(width: int, shown: Shown = DEFAULT) -> tuple[tuple[Column, int], ...]:
    """Return the columns that fit into `width` cells, with their widths; they fill it exactly."""
    chosen = _chosen(width, shown)
    widths = {column.id: column.narrow for column in chosen}
    spare = width - _MARGIN - sum(widths.values()) - (len(chosen) - 1)
    for name in _GROWTH:
        column = next((c for c in chosen if c.id == name), None)
        if column is not None and spare > 0:
            more = min(spare, column.wide - column.narrow)
            widths[name] += more
            spare -= more
    widths["client" if len(chosen) < 7 else chosen[-1].id] += spare  # may also take back what a tiny window lacks
    return tuple((column, max(1, widths[column.id])) for column in chosen)


def _chosen(width: int, shown: Shown) -> list[Column]:
    if not shown.ids and not shown.wide:
        has_site = shown.sites and width >= SITE_WIDTH
        return [column for column in COLUMNS if column.from_width <= width or (has_site and column.id == "site")]
    wanted = [column for column in COLUMNS if column.id in {*ALWAYS, *shown.ids} or not shown.ids]
    order = [*ALWAYS, *(_HIDDEN_FIRST if shown.wide else _by_width())]
    kept: list[Column] = []
    room = width - _MARGIN + 1
    for column in sorted(wanted, key=lambda column: order.index(column.id)):
        if column.id in ALWAYS or column.narrow + 1 <= room:
            kept.append(column)
            room -= column.narrow + 1
    return [column for column in COLUMNS if column in kept]


def _by_width() -> list[str]:
    return [column.id for column in sorted(COLUMNS, key=lambda column: column.from_width)]


def heading(width: int, sorted_by: str, shown: Shown = DEFAULT) -> Line:
    """Return the line of titles; the column that the list is sorted by is underlined by its role."""
    line: list[tuple[str, str]] = [("  ", "head")]
    columns = layout(width, shown)
    for number, (column, size) in enumerate(columns):
        role = "head+sorted" if column.id == sorted_by else "head"
        line.append((fit(column.title, size, right=column.right), role))
        if number + 1 < len(columns):
            line.append((" ", "head"))
    return tuple(line)


def state_text(judged: Assessment, width: int, glyphs: Glyphs) -> str:
    """Return glyph and word of a state, with what lies over it after a plus sign, in at most `width` cells."""
    glyph = glyphs.severity(judged.severity)
    if Overlay.ACTION_RUNNING in judged.overlays:
        glyph = glyphs.running
    word = judged.state.value
    over = next((text for overlay, text in OVERLAY_WORDS.items() if overlay in judged.overlays), "")
    if glyph == glyphs.running and len(word) + 5 > width - 2:
        over = ""  # the sign says it already
    if len(word) + (len(over) + 1 if over else 0) > width - 2:
        word = SHORT.get(judged.state, word)
    if over and len(word) + len(over) + 1 > width - 2:
        over = ""
        word = f"{word[: width - 3]}+"  # there is more; the drawer and the detail say what
    return f"{glyph} {word}+{over}" if over else f"{glyph} {word}"


def role_of(judged: Assessment) -> str:
    """Return the role that a client's severity gives its cells."""
    if Overlay.ACTION_RUNNING in judged.overlays and judged.severity > Severity.CRITICAL:
        return "running"
    return SEVERITY_ROLES[judged.severity]


def next_step(client: Client) -> str:
    """Return what happens or should happen next."""
    if client.held:
        return QUEUED
    if client.row.activity:
        return client.row.activity
    return client.judged.next_step


def token_left(client: Client, now: datetime, width: int) -> str:
    """Return the token's countdown, or the word for what is known instead."""
    if client.judged.token_expires_at is not None:
        return left_until(client.judged.token_expires_at, now, width)
    return "empty" if client.row.flags & ClientFlag.TOKEN_EMPTY else "unknown"


def certificate_left(client: Client, now: datetime, width: int) -> str:
    """Return the countdown to the effective end of the certificate, `none` without one."""
    end = client.judged.effective_not_after
    return "none" if end is None else left_until(end, now, width)


def renews(flags: ClientFlag) -> str:
    """Return who renews a client's certificate."""
    if flags & ClientFlag.AUTO_RENEW_UNKNOWN:
        return "?"
    return "itself" if flags & ClientFlag.AUTO_RENEW else "by you"


def _cell(column: Column, size: int, client: Client, now: datetime, glyphs: Glyphs) -> tuple[str, str]:
    row, judged = client.row, client.judged
    match column.id:
        case "certificate":
            return certificate_left(client, now, size), role_of(judged)
        case "token":
            role = "dim" if judged.token_expires_at is None else "text"
            if judged.token_expires_at is not None and judged.token_expires_at <= now:
                role = "warning"
            return token_left(client, now, size), role
        case "state":
            return state_text(judged, size, glyphs), role_of(judged)
        case "next":
            step = next_step(client)
            if client.held:
                return step if size >= len(step) else QUEUED_SHORT, "running"
            return step, "running" if row.activity else "dim" if step == NextAction.NONE.value else "text"
        case "site":
            return client.site or "-", "dim"
        case "cluster":
            return row.cluster or "-", "dim"
        case "client":
            return row.name, "title" if judged.severity <= Severity.CRITICAL else "text"
        case "kind":
            return row.kind.value, "dim"
        case "renews":
            return renews(row.flags), "dim"
        case "seen":
            return (NOTHING if row.last_seen_at is None else age(now - row.last_seen_at)), "dim"
        case "ca":
            return (f"g{row.generation}" if row.generation else NOTHING), "dim"
        case "host":
            return row.host or NOTHING, "dim"
        case "serial":
            return (f"{row.serial_low:016x}" if row.serial_low else NOTHING), "dim"
        case _:
            return row.owner or row.host or NOTHING, "dim"


def row_line(
    client: Client,
    now: datetime,
    width: int,
    glyphs: Glyphs,
    *,
    cursor: bool,
    shown: Shown = DEFAULT,
    changed: frozenset[str] = frozenset(),
    label: str = "",
) -> Line:
    """Return the line of one client; an asterisk follows each of the `changed` columns, `label` stands before all."""
    over = "+cursor" if cursor else ""
    line: list[tuple[str, str]] = [("  ", "text")]
    if label:
        line = [(label, "tag"), (" ", "text" + over)]
    elif cursor or client.marked:
        sign = f"{glyphs.cursor if cursor else ' '}{glyphs.mark if client.marked else ' '}"
        line = [(sign, "mark" + over)]
    columns = layout(width, shown)
    names_site = shown.sites and width < SITE_WIDTH  # there is no column for it, so another one names it
    bearer = next((column.id for column, _ in columns if column.id == "cluster"), "client")
    for number, (column, size) in enumerate(columns):
        text, role = _cell(column, size, client, now, glyphs)
        if names_site and column.id == bearer:
            text = _sited(client.site, text)
        line.append((fit(shorten(text, size), size, right=column.right), role + over))
        if number + 1 < len(columns):
            line.append(("*", "mark" + over) if column.id in changed else (" ", "text" + over))
    return tuple(line)


def _sited(site: str, cluster: str) -> str:
    """Name a cluster with its site in nine cells: one that begins with the site's name says both."""
    if cluster == "-":
        return site
    return cluster if cluster.startswith(f"{site}-") else f"{site}/{cluster}"
