"""A CA rotation before it is confirmed, as lines: CA generations, readiness, and who comes back how.

Pure; readiness and ways back are the agent's findings. Clients that do not come back by themselves stand first, each
with its name, and the four counts sum to the number of clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from backend.core.countdown import countdown
from backend.core.fleet import AuthorityInfo
from tui.banner import View, authority_countdown
from tui.format import count, fit, instant, shorten, span, wrapped
from tui.lines import BLANK, Line, cut, plain
from tui.preview import age_lines, labelled
from tui.rotating import CheckView, RotationClientView, RotationKind, RotationPlanView, RotationView

WAYS: Final = {
    "manual": "by hand",
    "out": "out already",
    "file": "by file",
    "itself": "by itself",
    "cross": "by the cross certificate",
    "silent": "when it is back",
}
_RANK: Final = {"manual": 0, "out": 1, "file": 2, "itself": 3}
_CHECK_ROLES: Final = {"ok": "text", "warn": "warning", "fail": "critical"}
_STEPS: Final = (
    ("D1", "the new CA is made and its root travels with heartbeats; abort is free until the cutover"),
    ("D2", "nothing is issued for a moment; renewals are told to come back"),
    ("D3", "cutover: the new CA issues, the old one is distrusted; EVERY client loses the cloud agent; no way back"),
    ("D4", "clients sign in again by their ways; the agent writes the login files it can"),
    ("D5", "everybody is back, or written off by name; then it is done (D6)"),
)


def authority_lines(authorities: Sequence[AuthorityInfo], view: View, now: datetime) -> list[Line]:
    """Return every CA generation with its status and its end, the newest first."""
    lines: list[Line] = [plain("CA GENERATIONS", "head")]
    for authority in sorted(authorities, key=lambda one: -one.generation):
        _, role = authority_countdown(authority, now, view.glyphs, wide=True)
        role = role if authority.is_trusted else "dim"
        end = authority.validity.not_after
        lines.append(
            (
                (f"  g{authority.generation:<3}", "title"),
                (fit(authority.status.value, 11), role),
                (f"until {instant(end)}  {countdown(end - now):>13}  ", role),
                (shorten(authority.subject, max(4, view.width - 63)), "dim"),
            )
        )
    return lines


def last_line(rotation: RotationView) -> Line:
    """Return how the last rotation ended."""
    ended = rotation.ended_at or rotation.phase_at
    took = span(ended - rotation.started_at)
    what = "rehearsal" if rotation.kind is RotationKind.REHEARSAL else "rotation"
    outcome = (rotation.outcome or rotation.phase).replace("_", " ")
    text = f"last {what}: g{rotation.from_generation} -> g{rotation.to_generation} {outcome} at {instant(ended)}"
    return (("  ", "text"), (f"{text} in {took}", "text"), ("  l", "key"))


def plan_lines(plan: RotationPlanView, now: datetime, width: int, changes: Sequence[str] = ()) -> list[Line]:
    """Return the whole plan of a disruptive one."""
    lines = change_lines(changes, width)
    change = f"g{plan.from_generation} -> g{plan.to_generation}"
    lines.append(plain(f"PLAN: ROTATE THE CA OF {plan.deployment}, {change}", "head"))
    lines.extend(indented(age_lines(plan.made_at, plan.expires_at, plan.hash, now, width - 2)))
    lines.extend(verdict_lines(plan, width))
    lines.extend([BLANK, *readiness_lines(plan, width)])
    lines.extend([BLANK, *blast_lines(plan, width), BLANK, plain("HOW LONG", "head")])
    lines.extend(plain(f"  {part}") for part in wrapped(plan.duration, width - 2))
    lines.extend([BLANK, plain("WHAT HAPPENS", "head")])
    for name, text in _STEPS:
        lines.extend(indented(labelled(name, text, width - 2), cut=9))
    return [cut(line, width) for line in lines]


def indented(lines: Sequence[Line], cut: int = 0) -> list[Line]:
    """Indent label lines by two cells, their labels shortened by `cut` cells."""
    return [(("  ", "dim"), (line[0][0][: len(line[0][0]) - cut], line[0][1]), *line[1:]) for line in lines]


def _result(check: CheckView) -> str:
    return check.result if check.result in _CHECK_ROLES else "fail"


def failing(plan: RotationPlanView) -> list[CheckView]:
    """Return the checks that lock the plan; a result that is not understood counts as one."""
    return [check for check in plan.checks if _result(check) == "fail"]


def warnings(plan: RotationPlanView) -> list[CheckView]:
    """Return the checks that have to be acknowledged."""
    return [check for check in plan.checks if _result(check) == "warn"]


def change_lines(changes: Sequence[str], width: int) -> list[Line]:
    """Return why nothing was started and what differs in the new plan; nothing while there is nothing to say."""
    if not changes:
        return []
    lines: list[Line] = [plain("Nothing was started; this is a new plan:", "warning")]
    for text in changes:
        lines.extend(plain(part, "warning") for part in wrapped(f"- {text}", width))
    return [*lines, BLANK]


def verdict_lines(plan: RotationPlanView, width: int) -> list[Line]:
    """Return whether it can be confirmed, and what that will ask for."""
    fails, warns = failing(plan), warnings(plan)
    if fails:
        number = count(len(fails), "readiness check fails", "readiness checks fail")
        return [plain(f"  LOCKED: {number}; mend that, then . plans anew", "critical")]
    said = [f"{count(len(warns), 'warning')} to acknowledge"] if warns else []
    said += ["somebody else has to approve it before it starts"] if plan.wants_approval else []
    text = "; ".join(["C confirms it", *said])
    return [plain(f"  {part}", "warning" if said else "title") for part in wrapped(text, width - 2)]


def readiness_lines(plan: RotationPlanView, width: int) -> list[Line]:
    """Return the readiness table, what fails first."""
    lines: list[Line] = [plain("READINESS", "head")]
    for check in sorted(plan.checks, key=lambda one: ("fail", "warn", "ok").index(_result(one))):
        lines.extend(_check_lines(check, width))
    return lines


def _check_lines(check: CheckView, width: int) -> list[Line]:
    result = _result(check)
    word = result if result == "ok" else result.upper()
    role = _CHECK_ROLES[result]
    parts = wrapped(f"{check.test}: {check.details}" if check.details else check.test, max(20, width - 21))
    lines: list[Line] = [((f"  {word:5} ", role), (fit(check.category, 12), "dim"), (parts[0], role))]
    lines.extend(((" " * 20, "dim"), (part, role)) for part in parts[1:])
    if check.recommendation and result != "ok":
        lines.extend(
            ((" " * 20, "dim"), (part, "title")) for part in wrapped(f"do: {check.recommendation}", max(20, width - 21))
        )
    return lines


def counts_line(plan: RotationPlanView) -> str:
    """Return who comes back how, as an equation that can be checked."""
    total = plan.by_itself + plan.by_file + plan.by_hand + plan.already_out
    return (
        f"{plan.by_itself} by themselves + {plan.by_file} by file + {plan.by_hand} by hand + "
        f"{plan.already_out} out already = {total}"
    )


def by_need(clients: Sequence[RotationClientView]) -> list[RotationClientView]:
    """Return clients with those first that do not come back by themselves."""
    return sorted(clients, key=lambda client: _RANK.get(client.route, 0))


def blast_lines(plan: RotationPlanView, width: int) -> list[Line]:
    """Return every client by name with its way back and the reason for it."""
    lines: list[Line] = [
        plain("BLAST RADIUS", "head"),
        *(plain(f"  {part}", "title") for part in wrapped(counts_line(plan), width - 2)),
        plain(f"  {'WAY BACK':12}{'CLIENT':24}{'CLUSTER':12}{'OWNER':12}{'WHY' if width > 100 else ''}", "head"),
    ]
    for client in by_need(plan.clients):
        lines.extend(client_lines(client, width))
    return lines


def client_lines(client: RotationClientView, width: int) -> list[Line]:
    """Return one client of a plan; why it comes back the way it does stands beside it where there is room."""
    role = {"manual": "critical", "out": "warning", "file": "text"}.get(client.route, "dim")
    first: Line = (
        (f"  {fit(WAYS.get(client.route, client.route), 12)}", role),
        (fit(shorten(client.name, 23), 24), "title"),
        (fit(shorten(client.cluster or "-", 11), 12), "dim"),
        (fit(shorten(client.owner or "-", 11), 12), "text"),
    )
    if width > 100:
        parts = wrapped(client.why, width - 63)
        return [(*first, (parts[0], "dim")), *(plain(" " * 62 + part, "dim") for part in parts[1:])]
    if client.route == "itself":
        return [first]
    return [first, *(plain(f"{' ' * 14}{part}", "dim") for part in wrapped(client.why, max(20, width - 15)))]


def plan_difference(old: RotationPlanView, new: RotationPlanView) -> list[str]:
    """Say how a rotation's plan differs from the one that was confirmed."""
    verb = "comes back" if new.kind.cuts else "gets through"
    before = {client.name: client for client in old.clients}
    after = {client.name: client for client in new.clients}
    said = [f"{name} is gone" for name in before if name not in after]
    said.extend(
        f"{name} is new, it {verb} {WAYS.get(c.route, c.route)}" for name, c in after.items() if name not in before
    )
    said.extend(
        f"{name} {verb} another way: {WAYS.get(c.route, c.route)}, before {WAYS.get(before[name].route, '?')}"
        for name, c in after.items()
        if name in before and before[name].route != c.route
    )
    then = {check.test: check.result for check in old.checks}
    said.extend(
        f"{check.test}: {check.result}, before {then.get(check.test, 'not looked at')}"
        for check in new.checks
        if then.get(check.test) != check.result
    )
    return said
