"""What ends, as a calendar: one entry a cluster and week, never one a client (RFC 5545).

Owns escaping, folding and the identity of an entry: the same cluster and week of the same site keep their UID, so that
a newer export replaces the entry of an older one where it was imported. Instants are UTC. What has ended already is not
in it: a calendar is for what can still be planned.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.core.export import Head, stamp
from backend.core.facts import Assessment
from backend.core.inert import inert

_OCTETS: Final = 75  # of a line without its break; RFC 5545, section 3.1
_NAMED: Final = 20  # ends that an entry names; the rest is counted
_NO_CLUSTER: Final = "no cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end: of a client's certificate or token."""

    cluster: str
    client: str
    what: str
    at: datetime


def ends_of(client: str, cluster: str, judged: Assessment) -> list[End]:
    """The ends of one client that are known."""
    known = (("certificate", judged.effective_not_after), ("token", judged.token_expires_at))
    return [End(cluster=cluster, client=client, what=what, at=at) for what, at in known if at is not None]


def as_ics(ends: Iterable[End], head: Head) -> str:
    """Return the calendar; lines end in CR LF, as the format wants."""
    weeks: Mapping[tuple[str, int, int], list[End]] = defaultdict(list)
    for end in ends:
        if end.at > head.observed_at:
            year, week, _ = end.at.isocalendar()
            weeks[end.cluster, year, week].append(end)
    name = f"{head.deployment} certificates and tokens{' (SIMULATED)' if head.simulated else ''}"
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//mocdeck//mocdeck {_text(head.tool_version)}//EN"),
        *("CALSCALE:GREGORIAN", "METHOD:PUBLISH", f"X-WR-CALNAME:{_text(name)}"),
        f"X-MOCDECK-OBSERVED-AT:{stamp(head.observed_at)}",
        f"X-MOCDECK-AGENT:{_text(head.agent)}",
        f"X-MOCDECK-FILTER:{_text(head.filter)}",
    ]
    for key in sorted(weeks, key=lambda key: (key[1], key[2], key[0])):
        lines += _entry(key, sorted(weeks[key], key=lambda end: (end.at, end.client, end.what)), head)
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in folded(line))


def _entry(key: tuple[str, int, int], ends: Sequence[End], head: Head) -> list[str]:
    cluster, year, week = key
    where = cluster or _NO_CLUSTER
    uid = hashlib.sha256(f"{head.deployment}\0{cluster}\0{year}\0{week}".encode()).hexdigest()[:32]
    counted = [(what, sum(end.what == what for end in ends)) for what in ("certificate", "token")]
    words = " and ".join(f"{n} {what}{'s' if n > 1 else ''}" for what, n in counted if n)
    verb = "ends" if len(ends) == 1 else "end"
    mark = "SIMULATED " if head.simulated else ""
    named = [f"{stamp(end.at)} {end.client}: {end.what}" for end in ends[:_NAMED]]
    rest = [f"and {len(ends) - _NAMED} more"] if len(ends) > _NAMED else []
    chosen = f", filter {head.filter}" if head.filter else ""
    foot = f"Observed {stamp(head.observed_at)} at {head.agent} with mocdeck {head.tool_version}{chosen}."
    return [
        *("BEGIN:VEVENT", f"UID:{uid}@mocdeck", f"DTSTAMP:{_instant(head.observed_at)}"),
        f"DTSTART:{_instant(ends[0].at)}",
        f"SUMMARY:{_text(f'{mark}{where}: {words} {verb} in week {week}')}",
        f"DESCRIPTION:{_NEWLINE.join(_text(line) for line in [*named, *rest, foot])}",
        *(f"CATEGORIES:{_text(where)}", "TRANSP:TRANSPARENT", "END:VEVENT"),
    ]


_NEWLINE: Final = "\\n"  # a backslash and an n: RFC 5545, section 3.3.11


def _text(text: str) -> str:
    """A TEXT value: nothing in it ends the value or the line."""
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    return inert(text, 2000)


def _instant(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


def folded(line: str) -> list[str]:
    """Return a content line in pieces of at most 75 octets, all but the first begun with a space; no letter is cut."""
    pieces, piece, size = [], "", 0
    for character in line:
        octets = len(character.encode("utf-8", "replace"))
        if size + octets > _OCTETS:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += octets
    return [*pieces, piece]
