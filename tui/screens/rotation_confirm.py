"""Confirming a CA rotation, and the three things that may be told to a running one.

Owns what has to be typed (tui.md 5.4, tier 3): the deployment's name exactly, the number of warnings, a reason. The
confirmation is bound to one plan and its fifteen minutes; the agent checks all of it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backend.core.countdown import countdown
from tui.format import count, shorten, wrapped
from tui.gateway import RotationMove, RotationPlanView, RotationView
from tui.lines import BLANK, Line, plain
from tui.screens.form import Field, FormDialog, anything, exactly, some
from tui.screens.rotation_plan import WAYS, by_need, counts_line, failing, warnings
from tui.screens.rotation_progress import not_back, remedy

_LISTED: Final = 12  # names in the dialog; the plan behind it lists all


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What was typed: the deployment's name and the reason."""

    typed_name: str
    reason: str


class RotationConfirm(FormDialog[Confirmation]):
    """The last step before a CA rotation starts."""

    def __init__(self, plan: RotationPlanView, tag: str = "") -> None:
        fields = [
            Field(
                label=f"Type the deployment's name, {plan.deployment} :",
                lacks=exactly(plan.deployment, "the name"),
                limit=max(64, len(plan.deployment)),
            ),
            Field(label="Reason or ticket:", lacks=some("a reason"), may_paste=True),
        ]
        warned = len(warnings(plan))
        if warned:
            label = f"{count(warned, 'warning')} read: type {warned} :"
            fields.insert(1, Field(label=label, lacks=exactly(str(warned), "the warnings' number"), limit=4))
        super().__init__(f"Rotate the CA of {plan.deployment}{f'  {tag}' if tag else ''}", "Rotate CA", fields)
        self.plan = plan

    def body(self, width: int) -> Sequence[Line]:
        plan = self.plan
        away = [client for client in by_need(plan.clients) if client.route != "itself"]
        lines = [plain(part, "title") for part in wrapped(_effect(plan), width)]
        lines.extend([BLANK, plain(counts_line(plan), "text")])
        if away:
            lines.append(plain("Not back by themselves:", "head"))
        lines.extend(
            plain(shorten(f"  {WAYS.get(c.route, c.route):12}{c.name:24}owner {c.owner or 'none'}", width), "warning")
            for c in away[:_LISTED]
        )
        if len(away) > _LISTED:
            lines.append(plain(f"  and {len(away) - _LISTED} more; the plan behind this names them", "warning"))
        for check in warnings(plan):
            lines.extend(plain(part, "warning") for part in wrapped(f"WARN {check.test}: {check.details}", width))
        return lines

    def standing(self, width: int) -> Sequence[Line]:
        return [self._age()]

    def _age(self) -> Line:
        now = self.app.now
        left = "" if now is None else countdown(self.plan.expires_at - now)
        text = f"bound to plan {self.plan.hash[:16]}, to be confirmed within {left}"
        return plain("the plan's fifteen minutes are over", "critical") if self.is_expired else plain(text, "text")

    @property
    def is_expired(self) -> bool:
        """Tell whether the plan is too old."""
        return self.app.now is not None and self.app.now > self.plan.expires_at

    def barrier(self) -> str:
        if self.is_expired:
            return "a new plan (esc, then .)"
        if failing(self.plan):
            return "readiness"
        return self.locked_by()

    def result(self) -> Confirmation:
        return Confirmation(typed_name=self.fields[0].text, reason=self.fields[-1].text.strip())


def _effect(plan: RotationPlanView) -> str:
    total = len(plan.clients)
    return (
        f"CA g{plan.from_generation} is replaced by g{plan.to_generation}. At the cutover all "
        f"{count(total, 'client')} lose the cloud agent and sign in again. Until then it can be aborted; after it "
        f"there is no way back to g{plan.from_generation}."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is told to a running rotation, and why."""

    move: RotationMove
    reason: str
    written_off: tuple[str, ...] = ()


_TITLES: Final = {
    RotationMove.PROCEED: ("Go on without waiting", "Proceed"),
    RotationMove.ABORT: ("Abort the CA rotation", "Abort"),
    RotationMove.FINISH: ("Write off and finish", "Write off"),
}


class MoveDialog(FormDialog[Decision]):
    """A decision on a running rotation, as it was when this opened; the agent refuses it if that has moved on."""

    def __init__(self, rotation: RotationView, move: RotationMove) -> None:
        self.rotation = rotation
        self.move = move
        self.away = tuple(not_back(rotation)) if move is RotationMove.FINISH else ()
        needs_reason = move is RotationMove.FINISH
        fields = [
            Field(label="Reason:", lacks=some("a reason") if needs_reason else anything, may_paste=True),
        ]
        title, action = _TITLES[move]
        if self.away:
            number = len(self.away)
            fields.insert(
                0,
                Field(
                    label="Type the number of clients that are written off:",
                    lacks=exactly(str(number), "the number"),
                    limit=7,
                ),
            )
            action = f"{action} {number}"
        super().__init__(title, action, fields)

    def body(self, width: int) -> Sequence[Line]:
        lines = [plain(part, "title") for part in wrapped(self._effect(), width)]
        for gate in self.rotation.gates:
            if not gate.met and self.move is RotationMove.PROCEED:
                lines.extend(plain(part, "warning") for part in wrapped(f"{gate.test}: {gate.why}", width))
        for client in self.away:
            lines.append(
                ((f"{client.name:24} ", "warning"), (f"{client.state}, owner {client.owner or 'none'}", "text"))
            )
            lines.extend(plain(f"    {part}", "dim") for part in wrapped(remedy(client), width - 4))
        return lines

    def _effect(self) -> str:
        old, new = self.rotation.from_generation, self.rotation.to_generation
        if self.move is RotationMove.ABORT:
            return f"CA g{old} goes on; g{new} and its key are given up. Nobody has lost anything."
        if self.move is RotationMove.PROCEED:
            return (
                "The rotation waits no longer. Clients without the new root will need another way back: "
                "a login file by the agent, or by hand."
            )
        return (
            "These clients are not back. They are written off by name, the reason goes into the audit trail, and the "
            "rotation finishes. One that comes back later is let in all the same."
        )

    def result(self) -> Decision:
        return Decision(
            move=self.move,
            reason=self.fields[-1].text.strip(),
            written_off=tuple(client.name for client in self.away),
        )
