"""The sheets of `mocdeck forecast` about clusters and the CA; those about clients are in `forecastsheets`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from backend.cli.exits import Exit
from backend.cli.forecastforms import WORDS, Sheet, left, worst
from backend.cli.forecastrecords import cliff_record, reboot_record, safe_off_record
from backend.core.cliff import Cliff
from backend.core.countdown import countdown
from backend.core.export import stamp
from backend.core.facts import Severity
from backend.core.forecast import SiteForecast
from backend.core.health import AuthorityAssessment
from backend.core.safe_off import Reboot, SafeOff, Verdict
from backend.core.subjects import SiteView

FLEET: Final = "(fleet)"


def safe_off_sheet(found: SiteForecast, now: datetime, names: frozenset[str], asked: datetime | None) -> Sheet:
    """Until when each cluster, and the fleet, may be off; `asked` is until when somebody wants it to be."""
    chosen = [cluster.safe_off for cluster in found.clusters if not names or cluster.name in names]
    if not names:
        chosen.append(found.fleet)
    rows = [_safe_off_row(one, now) for one in chosen]
    codes = [_safe_off_code(one, asked) for one in chosen]
    notes = dict.fromkeys(note for one in chosen for note in one.notes)
    runs = dict.fromkeys(f"  {one.name or FLEET}: {line}" for one in chosen if one.name for line in one.advice)
    foot = [*notes]
    if runs:
        foot += ["Run, before or on return:", *runs]
    late = [one.name or FLEET for one in chosen if asked is not None and one.until is not None and one.until < asked]
    if late and asked is not None:
        foot.append(f"Not safe until {stamp(asked)}: {', '.join(late)}. Renew first, or come back earlier.")
    return Sheet(
        kind="safe-off",
        title="Safe to be switched off until" + (f" (asked for {stamp(asked)})" if asked else ""),
        columns=("CLUSTER", "SAFE OFF UNTIL", "LIMITED BY", "BECAUSE"),
        rows=rows,
        words=[WORDS[code] for code in codes],
        records=[{"cluster": one.name or FLEET, **safe_off_record(one)} for one in chosen],
        values={"asked_until": stamp(asked) or None},
        code=worst(codes),
        nothing="The site has no such cluster.",
        foot=tuple(foot),
    )


def _safe_off_row(one: SafeOff, now: datetime) -> tuple[str, ...]:
    until = one.verdict.value.upper() if one.until is None else f"{stamp(one.until)} ({countdown(one.until - now)})"
    if one.verdict is Verdict.OFF:
        until = f"OFF, back by {until}"
    because = one.reasons[0] if one.reasons else ""
    if len(one.reasons) > 1:
        because += f" (and {len(one.reasons) - 1} more)"
    if one.until is None and one.otherwise_until is not None:
        because += f"; otherwise until {stamp(one.otherwise_until)}"
    return one.name or FLEET, until, "-" if one.limiting is None else one.limiting.words, because


def _safe_off_code(one: SafeOff, asked: datetime | None) -> Exit:
    if one.verdict in {Verdict.NOT_SAFE, Verdict.OVERDUE}:
        return Exit.CRITICAL
    if one.verdict is Verdict.UNKNOWN or one.until is None:
        return Exit.UNKNOWN
    if asked is not None and one.until < asked:
        return Exit.CRITICAL
    return Exit.WARNING if one.renew_first or one.verdict is Verdict.OFF else Exit.OK


def reboot_sheet(found: SiteForecast, names: frozenset[str]) -> Sheet:
    """Whether a restart now is safe, cluster by cluster."""
    chosen = [(cluster.name, cluster.reboot) for cluster in found.clusters if not names or cluster.name in names]
    if not names:
        chosen.append((FLEET, found.fleet_reboot))
    codes = [_reboot_code(reboot) for _, reboot in chosen]
    return Sheet(
        kind="reboot",
        title="Safe to reboot now? KMS and node agents sign in with their token when they start",
        columns=("CLUSTER", "SAFE TO REBOOT", "BECAUSE"),
        rows=[
            (name, reboot_words(reboot), "; ".join([*reboot.reasons, *reboot.unknown]) or "every such token works")
            for name, reboot in chosen
        ],
        words=[WORDS[code] for code in codes],
        records=[{"cluster": name, **reboot_record(reboot)} for name, reboot in chosen],
        values={},
        code=worst(codes),
        nothing="The site has no such cluster.",
    )


def reboot_words(reboot: Reboot) -> str:
    """NO, unknown or yes."""
    return "NO" if not reboot.is_safe else "unknown" if reboot.unknown else "yes"


def _reboot_code(reboot: Reboot) -> Exit:
    if not reboot.is_safe:
        return Exit.CRITICAL
    return Exit.UNKNOWN if reboot.unknown else Exit.OK


def ca_sheet(found: Cliff, judged: AuthorityAssessment, site: SiteView) -> Sheet:
    """When the CA begins to cut new certificates short, and what it limits already."""
    is_over = found.is_over(site.now)
    chosen = [subject for subject in site.subjects if subject.name in set(found.limited)]
    chosen.sort(key=lambda s: (s.found.effective_not_after is None, s.found.effective_not_after, s.name))
    days = found.longest_leaf // timedelta(days=1)
    when = f"since {stamp(found.shortened_from)}" if is_over else f"from {stamp(found.shortened_from)} on"
    still = "" if is_over else f", in {countdown(found.shortened_from - site.now)}"
    code = {Severity.EXPIRED: Exit.CRITICAL, Severity.CRITICAL: Exit.CRITICAL}.get(judged.severity, Exit.OK)
    if code is Exit.OK and (is_over or found.limited or judged.severity is Severity.WARNING):
        code = Exit.WARNING
    return Sheet(
        kind="ca",
        title=f"CA g{found.generation} ends at {stamp(found.not_after)} ({countdown(found.not_after - site.now)})",
        head=(f"New certificates of {days} days are cut short {when}{still}.",),
        columns=("ENDS WITH THE CA", "OWN END", "CLUSTER", "CLIENT"),
        rows=[
            (
                left(s.found.effective_not_after, site.now),
                stamp(s.facts.certificate.validity.not_after if s.facts.certificate else None),
                s.cluster or "-",
                s.name,
            )
            for s in chosen
        ],
        words=[WORDS[code]] * len(chosen),
        records=[
            {
                "client": s.name,
                "cluster": s.cluster,
                "owner": s.owner,
                "effective_not_after": stamp(s.found.effective_not_after),
                "not_after": stamp(s.facts.certificate.validity.not_after if s.facts.certificate else None),
            }
            for s in chosen
        ],
        values={"ca": cliff_record(found), "state": judged.state, "reason": judged.reason},
        code=code,
        nothing="No certificate is limited by the CA.",
        foot=("Plan the rotation before that day: mocdeck rotate-ca",) if code is not Exit.OK else (),
    )
