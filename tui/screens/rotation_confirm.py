"""Confirming a CA rotation, and the three things that may be told to a running one.

Owns what has to be typed (tui.md 5.4, tier 3): the deployment's name exactly, the number of warnings, a reason. The
confirmation is bound to one plan and its fifteen minutes; the agent checks all of it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backend.core.countdown import countdown
from backend.core.errors import AccessDenied, AgentError
from tui.format import count, shorten, wrapped
from tui.gateway import EventView
from tui.lines import BLANK, Line, plain
from tui.messages import Ticked
from tui.rotating import RotationClientView, RotationKind, RotationMove, RotationPlanView, RotationView
from tui.screens.form import Field, FormDialog, anything, exactly, some
from tui.screens.rotation_approval import LOOKED_AT, approval_lines, find_approval
from tui.screens.rotation_plan import WAYS, by_need, counts_line, failing, warnings
from tui.screens.rotation_progress import not_back, remedy
from tui.screens.rotation_through import ways_sum

_LOOK_TICKS: Final = 2
_LISTED: Final = 12  # names in the dialog; the plan behind it lists all


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What was typed: the deployment's name and the reason."""

    typed_name: str
    reason: str


class RotationConfirm(FormDialog[Confirmation]):
    """The last step before a CA rotation starts; a rehearsal changes nothing, and wants a reason only."""

    def __init__(self, plan: RotationPlanView, tag: str = "") -> None:
        is_rehearsal = plan.kind is RotationKind.REHEARSAL
        fields = [Field(label="Reason or ticket:", lacks=some("a reason"), may_paste=True)]
        warned = len(warnings(plan))
        if warned and not is_rehearsal:
            label = f"{count(warned, 'warning')} read: type {warned} :"
            fields.insert(0, Field(label=label, lacks=exactly(str(warned), "the warnings' number"), limit=4))
        if not is_rehearsal:
            typed = Field(
                label=f"Type the deployment's name, {plan.deployment} :",
                lacks=exactly(plan.deployment, "the name"),
                limit=max(64, len(plan.deployment)),
            )
            fields.insert(0, typed)
        title = f"{'Rehearse the rotation of' if is_rehearsal else 'Rotate'} the CA of {plan.deployment}"
        super().__init__(f"{title}{f'  {tag}' if tag else ''}", "Rehearse" if is_rehearsal else "Rotate CA", fields)
        self.plan = plan
        self.approval: EventView | None = None
        self.reads_audit = True
        self._ticks = 0

    def on_mount(self) -> None:
        """Look for the approval that the plan may need."""
        super().on_mount()
        self._look_for_approval()

    def on_ticked(self, message: Ticked) -> None:
        """Look again every other second, until there is one."""
        self._ticks += 1
        if self._ticks % _LOOK_TICKS == 0:
            self._look_for_approval()
        super().on_ticked(message)

    def _look_for_approval(self) -> None:
        if self.plan.wants_approval and self.approval is None:
            self.app.run_worker(self._find_approval(), group="agent", exit_on_error=False)

    async def _find_approval(self) -> None:
        try:
            self.approval = find_approval(await self.app.gateway.events(LOOKED_AT), self.plan)
            self.reads_audit = True
        except AccessDenied:
            self.reads_audit = False  # the agent decides then, and says whom it waits for
        except AgentError:
            return  # it is looked for again; the screen's own line says that the agent is away
        if self.is_attached:
            self.draw()

    def body(self, width: int) -> Sequence[Line]:
        plan = self.plan
        lines = [plain(part, "title") for part in wrapped(_effect(plan), width)]
        if plan.wants_approval:
            lines.append(BLANK)
            lines.extend(approval_lines(plan, self.approval, width, is_readable=self.reads_audit))
        if plan.kind is not RotationKind.REHEARSAL:
            lines.extend([BLANK, *_who(plan, width)])
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
        if self.plan.wants_approval and self.reads_audit and self.approval is None:
            return self.locked_by() or "somebody else's approval"
        return self.locked_by()

    def result(self) -> Confirmation:
        return Confirmation(typed_name=self._typed_name(), reason=self.fields[-1].text.strip())

    def _typed_name(self) -> str:
        """A rehearsal has nothing to type; what the agent wants repeated is its plan's."""
        return self.plan.deployment if self.plan.kind is RotationKind.REHEARSAL else self.fields[0].text


def _who(plan: RotationPlanView, width: int) -> list[Line]:
    """Who needs somebody, by name; the plan behind the dialog lists everybody."""
    is_overlap = plan.kind is RotationKind.OVERLAP
    counts = ways_sum(plan) if is_overlap else counts_line(plan)
    calm = {"itself", "cross"} if is_overlap else {"itself"}
    away = [client for client in by_need(plan.clients) if client.route not in calm]
    lines: list[Line] = [plain(part, "text") for part in wrapped(counts, width)]
    if away:
        lines.append(plain("Not reached now:" if is_overlap else "Not back by themselves:", "head"))
    lines.extend(
        plain(shorten(f"  {_word(c, is_overlap):12}{c.name:24}owner {c.owner or 'none'}", width), "warning")
        for c in away[:_LISTED]
    )
    if len(away) > _LISTED:
        lines.append(plain(f"  and {len(away) - _LISTED} more; the plan behind this names them", "warning"))
    return lines


def _word(client: RotationClientView, is_overlap: bool) -> str:
    if is_overlap:
        return "out before" if client.route == "out" else client.route
    return WAYS.get(client.route, client.route)


def _effect(plan: RotationPlanView) -> str:
    total = count(len(plan.clients), "client")
    old, new = f"g{plan.from_generation}", f"g{plan.to_generation}"
    if plan.kind is RotationKind.REHEARSAL:
        return (
            "Every client that reports meets the canary of a throwaway CA. Nothing is issued from it, no client's "
            "trust changes, and it ends by itself."
        )
    if plan.kind is RotationKind.OVERLAP:
        pace = "as soon as its gates are met" if plan.settings.automatic else "when its gates are met and you say so"
        return (
            f"CA {old} is replaced by {new}: none of {total} loses the cloud agent. Each phase is left {pace}. "
            f"It can be rolled back until the key of {old} is destroyed, a confirmation of its own."
        )
    return (
        f"CA {old} is replaced by {new}. At the cutover all {total} lose the cloud agent and sign in again. Until "
        f"then it can be aborted; after it there is no way back to {old}."
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
