"""The plan of a CA rotation with overlap, or of a rehearsal, as lines: readiness, and how every client gets through.

Pure; readiness, ways and the estimate are the agent's findings. Clients are grouped by their way, those that need
somebody first, and the counts sum to the number of clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from backend.core.overlap import Route
from tui.format import fit, shorten, wrapped
from tui.lines import BLANK, Line, cut, plain
from tui.preview import age_lines, labelled
from tui.rotating import RotationClientView, RotationKind, RotationPlanView
from tui.screens.rotation_kinds import settings_lines
from tui.screens.rotation_plan import change_lines, indented, readiness_lines, verdict_lines

_GROUPS: Final = (
    (Route.OUT.value, "OUT BEFORE"),
    (Route.SILENT.value, "SILENT"),
    (Route.CROSS.value, "CARRIED BY THE CROSS CERTIFICATE"),
    (Route.ITSELF.value, "BY THEMSELVES"),
)
_STEPS: Final = (
    ("Z1-Z2", "the new CA and both cross certificates are made and tried out; nobody trusts them yet"),
    ("Z3", "both roots are trusted; every client that reports has to prove that it trusts the new one"),
    ("Z4-Z6", "the new CA issues in waves of 1, 10, 50 and 100 %, then serves; the old one drains"),
    ("Z7", "every call is judged a second time, as if the old CA were gone"),
    ("Z8", "the old CA is distrusted; its key is kept, so there is a way back still"),
    ("Z9", "you destroy the old key; from then on there is none"),
)
_REHEARSED: Final = (
    ("1", "a throwaway CA signs the canary's certificate, and its key is forgotten at once"),
    ("2", "every client that reports is told to meet the canary; its trust does not change"),
    ("3", "it ends by itself and names who would have blocked a rotation, and how long each took"),
)


def through_lines(plan: RotationPlanView, now: datetime, width: int, changes: Sequence[str] = ()) -> list[Line]:
    """Return the whole plan."""
    is_rehearsal = plan.kind is RotationKind.REHEARSAL
    what = "REHEARSE THE ROTATION OF" if is_rehearsal else "ROTATE WITH OVERLAP"
    lines = change_lines(changes, width)
    lines.append(
        plain(f"PLAN: {what} THE CA OF {plan.deployment}, g{plan.from_generation} -> g{plan.to_generation}", "head")
    )
    lines.extend(indented(age_lines(plan.made_at, plan.expires_at, plan.hash, now, width - 2)))
    lines.extend(verdict_lines(plan, width))
    lines.extend(plain(f"  {part}", "text") for part in wrapped(ways_sum(plan), width - 2))
    lines.extend([BLANK, *readiness_lines(plan, width)])
    if not is_rehearsal:
        lines.extend([BLANK, *settings_lines(plan.settings)])
    lines.extend([BLANK, plain("HOW LONG", "head")])
    lines.extend(plain(f"  {part}") for part in wrapped(plan.duration, width - 2))
    lines.extend([BLANK, plain("HOW EVERY CLIENT GETS THROUGH", "head")])
    for route, title in _GROUPS:
        lines.extend(_group(title, [one for one in plan.clients if one.route == route], width))
    lines.extend([BLANK, plain("WHAT HAPPENS", "head")])
    for name, text in _REHEARSED if is_rehearsal else _STEPS:
        lines.extend(indented(labelled(name, text, width - 2), cut=5))
    return [cut(line, width) for line in lines]


def ways_sum(plan: RotationPlanView) -> str:
    """Return who gets through how, as an equation that can be checked."""
    total = plan.by_itself + plan.by_cross + plan.silent + plan.already_out
    return (
        f"{plan.by_itself} by themselves + {plan.by_cross} by cross certificate + {plan.silent} silent + "
        f"{plan.already_out} out before = {total}"
    )


def _group(title: str, members: Sequence[RotationClientView], width: int) -> list[Line]:
    if not members:
        return []
    reasons = {client.why for client in members}
    shared = reasons.pop() if len(reasons) == 1 else ""
    lines: list[Line] = [BLANK, plain(f"{title} ({len(members)})", "head")]
    lines.extend(plain(f"  {part}", "text") for part in wrapped(shared, width - 2) if shared)
    for client in members:
        lines.extend(_client(client, "" if shared else client.why, width))
    return lines


def _client(client: RotationClientView, why: str, width: int) -> list[Line]:
    role = {Route.OUT.value: "warning", Route.SILENT.value: "warning"}.get(client.route, "title")
    first: Line = (
        (f"  {fit(shorten(client.name, 23), 24)}", role),
        (fit(shorten(client.cluster or "-", 11), 12), "dim"),
        (fit(shorten(client.owner or "no owner", 11), 12), "text"),
    )
    told = " ".join(
        part for part in (why, f"If it does not move: {_lower(client.after)}" if client.after else "") if part
    )
    if width > 100:
        parts = wrapped(told, width - 51)
        return [(*first, (parts[0], "dim")), *(plain(" " * 50 + part, "dim") for part in parts[1:])]
    return [first, *(plain(f"      {part}", "dim") for part in wrapped(told, max(20, width - 7)) if told)]


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
