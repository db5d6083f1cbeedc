"""The header's words about several sites: how many answer, and one line with each site's clients, link and CA.

Pure. With one site nothing of this is shown; the header then speaks of the agent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from backend.core.facts import Severity
from backend.core.health import assess_authority
from backend.core.limits import CLIENT_LIFETIME
from backend.core.model import AuthorityStatus
from tui.format import span
from tui.glyphs import Glyphs
from tui.lines import Line, cut, line_width
from tui.palette import SEVERITY_ROLES
from tui.sitefleet import SiteFleet

_GAP: Final = (" | ", "dim")


def link_text(site: SiteFleet, monotonic: float, *, failed: bool) -> tuple[str, str]:
    """Return how a site's agent is, "" while it answers, with its role."""
    agent = site.agent
    if agent.is_alive(monotonic):
        return "", ""
    away = span(agent.away_for(monotonic))
    if site.is_cached:
        return f"CACHED {away} old", "error" if failed else "warning"
    if agent.now(monotonic) is None:
        return (f"NO AGENT for {away}", "error") if failed else (f"connecting {away}", "dim")
    return f"AWAY {away}", "error"


def sites_text(sites: list[SiteFleet], monotonic: float, failed: frozenset[int]) -> tuple[str, str]:
    """Return the header's word for the sites that do not answer: the one by its name, more by their number.

    `failed` are the places of those whose last attempt did; the others are still being asked for the first time.
    """
    silent = [site for site in sites if not site.agent.is_alive(monotonic)]
    away = [site for site in silent if site.place in failed or site.last is not None]
    if not away:
        return ("connecting", "dim") if silent else ("", "")
    if len(away) == 1:
        text, role = link_text(away[0], monotonic, failed=away[0].place in failed)
        return f"{away[0].name} {text}", role
    return f"{len(away)} OF {len(sites)} SITES AWAY", "error"


def sites_line(
    sites: list[SiteFleet], glyphs: Glyphs, width: int, failed: frozenset[int], *, monotonic: float, shown_at: float
) -> Line:
    """Return one line over all sites, those in trouble first; who does not fit is counted at its end."""
    parts = [
        (_trouble(site, monotonic, shown_at), _part(site, glyphs, monotonic, shown_at, failed=site.place in failed))
        for site in sites
    ]
    if _is_long(parts, width):
        parts.sort(key=lambda found: found[0])
    ordered = [part for _, part in parts]
    line: list[tuple[str, str]] = []
    left = len(ordered)
    for part in ordered:
        more = f" +{left - 1} more" if left > 1 else ""
        needed = line_width(part) + (len(_GAP[0]) if line else 0) + len(more)
        if line and line_width(tuple(line)) + needed > width:
            break
        line.extend([_GAP, *part] if line else part)
        left -= 1
    if left:
        line.append((f" +{left} more", "dim"))
    return cut(tuple(line), width)


def _is_long(parts: list[tuple[tuple[int, int], Line]], width: int) -> bool:
    return sum(line_width(part) + len(_GAP[0]) for _, part in parts) > width + len(_GAP[0])


def _trouble(site: SiteFleet, monotonic: float, shown_at: float) -> tuple[int, int]:
    """A key that puts sites in trouble first: those away, then by the severity of their CA."""
    now = site.agent.now(shown_at)
    return (int(site.agent.is_alive(monotonic)), 99 if now is None else _authority(site, now)[1])


def _part(site: SiteFleet, glyphs: Glyphs, monotonic: float, shown_at: float, *, failed: bool) -> Line:
    text, role = link_text(site, monotonic, failed=failed)
    now = site.agent.now(shown_at)
    part: list[tuple[str, str]] = [(site.name, "title"), (f" {len(site.roll):,}", "text")]
    if text:
        part.append((f" {text}", role))
    if now is not None:
        words, severity, authority_role = _authority(site, now)
        if words:
            sign = "" if severity >= Severity.OK else glyphs.severity(Severity(severity))
            part.append((f" CA {words}{sign}", authority_role))
    phase, held = site.columns.rotation_phase, " HELD" if site.columns.rotation_held else ""
    if phase:
        part.append((f" ROTATION {phase}{held}", "tag"))
    return tuple(part)


def _authority(site: SiteFleet, now: datetime) -> tuple[str, int, str]:
    """Return the days that the issuing CA has left, how bad that is, and its role."""
    issuing = [a for a in site.columns.authorities if a.status is AuthorityStatus.ISSUING]
    if not issuing:
        return "", 99, "dim"
    judged = assess_authority(issuing[0].validity, now, longest_leaf=CLIENT_LIFETIME)
    left = issuing[0].validity.left(now)
    words = f"{left.days}d" if left.days >= 0 else "ENDED"
    return words, int(judged.severity), SEVERITY_ROLES[judged.severity]
