"""A plan as an operator reads it before it is confirmed: what happens to whom, what is left alone and why.

Pure; the decisions are the agent's planner's. Every date is shown with what is left until it, so that what a plan
gains can be seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from backend.core.countdown import countdown
from backend.core.plan import ActionKind
from tui.format import count, fit, instant, shorten, wrapped
from tui.gateway import PlanTargetView, PlanView
from tui.holding import HOLD_SECONDS
from tui.lines import BLANK, Line, plain

NOUNS: Final = {
    ActionKind.RENEW: ("renew", "Renew", "certificate"),
    ActionKind.ROTATE_TOKEN: ("rotate token", "Rotate", "token"),
    ActionKind.REPAIR: ("repair", "Repair", "client"),
    ActionKind.UPDATE: ("update certificates", "Update", "client"),
}
ROUTES: Final = {
    "heartbeat": "told with the answer to its next heartbeat",
    "kubernetes": "the agent applies a fresh login file to its Secret",
    "file": "the agent writes a fresh login file to its path",
    "manual": "by hand: you carry a login file to it",
    "itself": "it acts by itself",
}
_ROUTE_WORDS: Final = {
    "heartbeat": "heartbeat",
    "kubernetes": "Secret",
    "file": "file",
    "manual": "by hand",
    "itself": "itself",
    "": "-",
}
_LABEL: Final = 13
UNDO: Final = "u takes it back for 10 s after y; once it has left there is none"


def title_of(plan: PlanView) -> str:
    """Return what a plan does, in a few words."""
    _, verb, noun = NOUNS[plan.action]
    if plan.resumes:
        return f"Resume: {verb.lower()} {count(plan.runs, noun)}{' (forced)' if plan.force else ''}"
    if len(plan.targets) == 1:
        return f"{verb} {noun}{' (forced)' if plan.force else ''}"
    clusters = len({target.cluster for target in plan.targets if target.runs})
    where = f" in {count(clusters, 'cluster')}" if clusters else ""
    return f"{verb} {count(plan.runs, noun)}{where}{' (forced)' if plan.force else ''}"


def verb_of(action: ActionKind) -> str:
    """Return the word on the button."""
    return NOUNS[action][1]


def labelled(label: str, text: str, width: int, role: str = "text") -> list[Line]:
    """Return a dim label and a text beside it, in as many lines as it needs."""
    parts = wrapped(text, max(12, width - _LABEL))
    return [((fit(label if not n else "", _LABEL), "dim"), (part, role)) for n, part in enumerate(parts)]


def change_lines(label: str, now_at: datetime | None, then_at: datetime | None, now: datetime) -> list[Line]:
    """Return when something ends now and when it will end then, with what is left; a date that stays has one line."""
    lines: list[Line] = [_end_line(label, "ends", now_at, now, "text")]
    if then_at is not None:
        lines.append(_end_line("", "then", then_at, now, "title"))
    elif now_at is not None:
        lines[0] = (*lines[0], ("   unchanged", "dim"))
    return lines


def _end_line(label: str, word: str, at: datetime | None, now: datetime, role: str) -> Line:
    head: Line = ((fit(label, _LABEL), "dim"), (f"{word}  ", "dim"))
    if at is None:
        return (*head, ("none", role))
    return (*head, (instant(at), role), (f"  {countdown(at - now):>13}", role))


def single_lines(plan: PlanView, now: datetime, width: int) -> list[Line]:
    """Return the preview of a plan for one client."""
    target = plan.targets[0]
    where = f" @ {target.cluster}" if target.cluster else ""
    lines: list[Line] = [((f"{target.name}{where}", "title"), (f"   {target.kind}", "dim")), BLANK]
    lines.extend(labelled("why", target.why, width))
    lines.extend(change_lines("certificate", target.certificate_now, target.certificate_then, now))
    lines.extend(change_lines("token", target.token_now, target.token_then, now))
    lines.extend(labelled("route", ROUTES.get(target.route, target.route), width))
    if target.route_why:
        lines.extend(labelled("found there", target.route_why, width))
    lines.extend(labelled("steps", ", then ".join(target.steps), width))
    lines.extend(labelled("downtime", target.downtime, width))
    lines.extend(labelled("undo", UNDO, width))
    if plan.force:
        lines.extend(labelled("forced", plan.reason, width, "warning"))
    lines.extend(_warnings(plan, width))
    return [*lines, *age_lines(plan.made_at, confirm_by(plan), plan.hash, now, width)]


def many_lines(plan: PlanView, now: datetime, width: int) -> tuple[list[Line], int]:
    """Return the preview of a plan for a set, and the line at which the clients that are left alone begin."""
    running = [target for target in plan.targets if target.runs]
    skipped = [target for target in plan.targets if not target.runs]
    clusters = Counter(target.cluster or "(no cluster)" for target in running)
    routes = Counter(_ROUTE_WORDS.get(target.route, target.route) for target in running)
    lines: list[Line] = []
    lines.extend(labelled("where", "  ".join(f"{name} {number}" for name, number in clusters.items()), width))
    lines.extend(labelled("routes", "  ".join(f"{name} {number}" for name, number in routes.items()), width))
    lines.extend(labelled("order", "node agents, management, workload clusters; as listed below", width))
    lines.extend(labelled("rate", f"{plan.parallel or 1} at a time", width))
    limit = "the first failure" if plan.max_failures <= 1 else count(plan.max_failures, "failure")
    lines.extend(labelled("stop rule", f"after {limit} nothing further starts; what runs is finished", width))
    lines.extend(labelled("downtime", _downtime(running), width))
    lines.extend(labelled("undo", UNDO, width))
    if skipped:
        lines.extend(labelled("left alone", _grouped(skipped), width, "warning"))
    if plan.force:
        lines.extend(labelled("forced", plan.reason, width, "warning"))
    lines.extend(_warnings(plan, width))
    lines.extend(age_lines(plan.made_at, confirm_by(plan), plan.hash, now, width))
    lines.extend([BLANK, plain(f"RUNS, IN THIS ORDER ({len(running)})", "head")])
    lines.extend(target_line(target, plan.action, now, width) for target in running)
    start = len(lines) + 1
    if skipped:
        lines.extend([BLANK, plain(f"LEFT ALONE ({len(skipped)})", "head")])
        for target in skipped:
            lines.extend(reason_lines(target, width))
    return lines, start


def _downtime(running: Sequence[PlanTargetView]) -> str:
    groups = Counter("none" if target.downtime.startswith("none") else target.downtime for target in running)
    if set(groups) == {"none"}:
        return "none: what each has goes on working"
    return "; ".join(f"{number}: {what}" for what, number in groups.items())


def _grouped(skipped: Iterable[PlanTargetView]) -> str:
    groups = Counter(target.why.removeprefix("refused: ") for target in skipped)
    return "; ".join(f"{number}: {why}" for why, number in groups.most_common(3)) + (
        f"; {len(groups) - 3} more reasons" if len(groups) > 3 else ""
    )


def _warnings(plan: PlanView, width: int) -> list[Line]:
    lines: list[Line] = []
    for warning in plan.warnings:
        lines.extend(labelled("warning", warning, width, "warning"))
    return lines


def confirm_by(plan: PlanView) -> datetime:
    """Return until when a plan may be confirmed, so that it is still fresh when its ten seconds are over."""
    return plan.expires_at - timedelta(seconds=HOLD_SECONDS)


def age_lines(made_at: datetime, expires_at: datetime, digest: str, now: datetime, width: int) -> list[Line]:
    """Return which plan this is and for how long it may be confirmed; once that is over, that it is."""
    left = expires_at - now
    short = digest[:12]
    if left.total_seconds() < 0:
        return labelled("plan", f"{short} is too old to be confirmed; . makes a new one", width, "warning")
    return labelled(
        "plan", f"{short}, made {made_at:%H:%M:%SZ}, to be confirmed within {countdown(left)}", width, "dim"
    )


def target_line(target: PlanTargetView, action: ActionKind, now: datetime, width: int) -> Line:
    """Return one client that runs: name, place or what an update does to it, route, what is left before and after."""
    is_update = action is ActionKind.UPDATE  # all of one place, and each has its own needs
    about_token = action is ActionKind.ROTATE_TOKEN or (is_update and target.certificate_then is None)
    before = target.token_now if about_token else target.certificate_now
    after = target.token_then if about_token else target.certificate_then
    left = "none" if before is None else countdown(before - now)
    then = "unchanged" if after is None else countdown(after - now)
    name = max(12, width - 50)
    return (
        (fit(shorten(target.name, name), name + 1), "title"),
        (fit(shorten(_need_of(target) if is_update else target.cluster or "-", 13), 14), "dim"),
        (fit(_ROUTE_WORDS.get(target.route, target.route), 10), "text"),
        (fit(left, 12, right=True), "text"),
        (" -> ", "dim"),
        (then, "text"),
    )


def _need_of(target: PlanTargetView) -> str:
    if "sign in" in target.steps:
        return "repair"
    if target.certificate_then is None:
        return "token"
    return "certificate" if target.token_then is None else "both"


def reason_lines(target: PlanTargetView, width: int) -> list[Line]:
    """Return one client that is left alone, and why."""
    parts = wrapped(target.why.removeprefix("refused: "), max(16, width - 24))
    first: Line = ((fit(shorten(target.name, 22), 24), "title"), (parts[0], "text"))
    return [first, *(((" " * 24, "text"), (part, "text")) for part in parts[1:])]


def difference(old: PlanView, new: PlanView) -> list[str]:
    """Say how a plan differs from the one that was seen; never empty, since something made the agent refuse it."""
    before = {target.name: target for target in old.targets}
    after = {target.name: target for target in new.targets}
    said = [f"{name} is gone" for name in before if name not in after]
    said.extend(f"{name} is new" for name in after if name not in before)
    for name, target in after.items():
        was = before.get(name)
        if was is not None:
            said.extend(_target_difference(was, target))
    if set(old.warnings) != set(new.warnings):
        said.append("the warnings are others")
    return said or ["its targets look the same; the credentials behind them have changed"]


def _target_difference(was: PlanTargetView, target: PlanTargetView) -> list[str]:
    if was.runs and not target.runs:
        return [f"{target.name} no longer runs: {target.why.removeprefix('refused: ')}"]
    if target.runs and not was.runs:
        return [f"{target.name} now runs: {target.why}"]
    if was.route != target.route:
        return [f"{target.name} is reached another way: {_ROUTE_WORDS.get(target.route, target.route)}"]
    if was.certificate_now != target.certificate_now:
        return [f"{target.name} has another certificate, until {instant(target.certificate_now)}"]
    if was.token_now != target.token_now:
        return [f"{target.name} has another token, until {instant(target.token_now)}"]
    if was.why != target.why:
        return [f"{target.name}: {target.why}"]
    return []
