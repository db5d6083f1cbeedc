"""The sheets of `mocdeck forecast` about clients: what each answer shows, and which exit code it ends with.

The codes are those of domain.md, section 17: 2 before 3 before 1 before 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from backend.cli.exits import Exit
from backend.cli.forecastforms import WORDS, Sheet, left, worst
from backend.cli.forecastrecords import stranding_record
from backend.core.away import Absence, Item, Matter
from backend.core.countdown import countdown
from backend.core.export import stamp
from backend.core.forecast import by_stranding, strands_within
from backend.core.skew import SkewEffect
from backend.core.stranding import Outlook
from backend.core.subjects import SiteView, Subject
from backend.core.upgrade import Readiness, Result


def stranded_sheet(site: SiteView, subjects: Sequence[Subject], window: timedelta | None) -> Sheet:
    """Who cannot recover by itself, and from when on; with `window` only those it concerns until then."""
    chosen = [s for s in by_stranding(subjects) if window is None or strands_within(s, site, window)]
    rows, words, records = [], [], []
    for subject in chosen:
        found = subject.stranding
        code = _stranded_code(subject, site, window)
        at_most = "" if found.is_certain else " at least"
        from_at = "now" if found.is_stranded(site.now) else left(found.from_at, site.now) + at_most
        silent = "-" if found.is_stranded(site.now) else left(found.silent_from_at, site.now)
        expires = left(subject.found.effective_not_after, site.now)
        rows.append((from_at, silent, expires, subject.cluster or "-", subject.name, found.why))
        words.append(WORDS[code])
        records.append(
            {
                "client": subject.name,
                "cluster": subject.cluster,
                "owner": subject.owner,
                "effective_not_after": stamp(subject.found.effective_not_after) or None,
                "token_rotated_by": subject.facts.rotated_by.value,
                **stranding_record(found),
            }
        )
    return Sheet(
        kind="stranded",
        title="From when on clients cannot recover by themselves, as things go, and if they fell silent now",
        columns=("CANNOT RECOVER", "IF SILENT", "EXPIRES IN", "CLUSTER", "CLIENT", "WHY"),
        rows=rows,
        words=words,
        records=records,
        values={"window_seconds": None if window is None else int(window.total_seconds())},
        code=worst(_stranded_code(s, site, window) for s in chosen),
        nothing="Nobody.",
    )


def _stranded_code(subject: Subject, site: SiteView, window: timedelta | None) -> Exit:
    if strands_within(subject, site, window or timedelta(0)):
        return Exit.CRITICAL
    return Exit.UNKNOWN if subject.stranding.outlook is Outlook.UNKNOWN else Exit.OK


_HARD: Final = {Matter.AUTHORITY_ENDS, Matter.OUT, Matter.STRANDED, Matter.CERTIFICATE_ENDS}


def away_sheet(found: Absence) -> Sheet:
    """What happens while nobody is there, and what to run now."""
    rows = [_away_row(item, found.begin) for item in found.items]
    codes = [Exit.CRITICAL if item.matter in _HARD else Exit.WARNING for item in found.items]
    by_itself = ", ".join(f"{owner or 'no owner'} {count}" for owner, count in found.by_itself)
    foot = [f"Falls due and needs nobody, by owner: {by_itself}." if by_itself else "Nothing else falls due."]
    if found.commands:
        foot += ["Run now, so that the list is empty:", *(f"  {command}" for command in found.commands)]
    again = [item for item in found.items if item.again_at is not None]
    if again:
        first = min(item.again_at for item in again if item.again_at is not None)
        foot.append(f"That does not last until the end: {len(again)} fall due again, the first at {stamp(first)}.")
    if found.unseen:
        foot.append(f"Tokens that the agent has never seen, so nothing is said of them: {', '.join(found.unseen)}.")
    return Sheet(
        kind="away",
        title=f"From {stamp(found.begin)} to {stamp(found.until)}",
        columns=("WHEN", "WHAT", "OWNER", "CLUSTER", "NAME", "RUN NOW"),
        rows=rows,
        words=[WORDS[code] for code in codes],
        records=[_away_record(item) for item in found.items],
        values={
            "begin": stamp(found.begin),
            "until": stamp(found.until),
            "by_itself": {owner: count for owner, count in found.by_itself},  # noqa: C416 - dict() loses the words
            "run": list(found.commands),
            "can_be_emptied": found.can_be_emptied,
            "token_never_seen": list(found.unseen),
        },
        code=worst([*codes, *([Exit.UNKNOWN] if found.unseen else [])]),
        nothing="Nothing ends, strands or falls due that needs somebody.",
        foot=tuple(foot),
    )


def _away_row(item: Item, begin: datetime) -> tuple[str, ...]:
    when = "now" if item.at <= begin else f"{stamp(item.at)} (in {countdown(item.at - begin)})"
    run = item.why if item.remedy is None else _remedy(item)
    return when, item.matter.value, item.owner or "-", item.cluster or "-", item.name, run


def _remedy(item: Item) -> str:
    if item.remedy is None:
        return ""
    action = "rotate-ca" if item.remedy.action is None else item.remedy.action.value.replace(" ", "-")
    forced = " --force" if item.remedy.forced else ""
    return f"{action}{forced}" + (f", again by {stamp(item.again_at)}" if item.again_at else "")


def _away_record(item: Item) -> dict[str, object]:
    return {
        "at": stamp(item.at),
        "matter": item.matter.value,
        "name": item.name,
        "owner": item.owner,
        "cluster": item.cluster,
        "run": _remedy(item),
        "why": item.why,
        "again_at": stamp(item.again_at) or None,
    }


_RESULTS: Final = {
    Result.FAIL: Exit.CRITICAL,
    Result.UNKNOWN: Exit.UNKNOWN,
    Result.WARN: Exit.WARNING,
    Result.OK: Exit.OK,
}


def upgrade_sheet(found: Readiness) -> Sheet:
    """The readiness table."""
    return Sheet(
        kind="upgrade",
        title=f"Ready to upgrade? Everything must last until {stamp(found.needed_until)}",
        columns=("RESULT", "TEST", "DETAILS", "WHO", "RUN"),
        rows=[
            (check.result.value, check.test, check.details, _few(check.clients), check.advice or "-")
            for check in found.checks
        ],
        words=[WORDS[_RESULTS[check.result]] for check in found.checks],
        records=[
            {
                "test": check.test,
                "result": check.result.value,
                "details": check.details,
                "clients": list(check.clients),
                "run": check.advice,
            }
            for check in found.checks
        ],
        values={"needed_until": stamp(found.needed_until), "result": found.result.value},
        code=_RESULTS[found.result],
        nothing="",
    )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more if names else "-"


def skew_sheet(effects: Sequence[SkewEffect], skew: timedelta) -> Sheet:
    """What breaks if these clients' clocks were `skew` off."""
    ahead = "ahead of" if skew >= timedelta(0) else "behind"
    rows, words, records = [], [], []
    for effect in effects:
        rows.append(
            (
                "breaks" if effect.breaks else "no",
                effect.cluster or "-",
                effect.host or "-",
                effect.name,
                "; ".join([*effect.breaks, *effect.noted]) or "nothing",
            )
        )
        words.append("critical" if effect.breaks else "ok")
        records.append(
            {
                "client": effect.name,
                "cluster": effect.cluster,
                "host": effect.host,
                "breaks": list(effect.breaks),
                "noted": list(effect.noted),
            }
        )
    return Sheet(
        kind="skew",
        title=f"If these clocks were {countdown(abs(skew))} {ahead} the agent's",
        columns=("BREAKS", "CLUSTER", "HOST", "CLIENT", "WHAT"),
        rows=rows,
        words=words,
        records=records,
        values={"skew_seconds": int(skew.total_seconds())},
        code=Exit.CRITICAL if any(effect.breaks for effect in effects) else Exit.OK,
        nothing="No client fits.",
    )
