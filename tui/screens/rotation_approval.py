"""The second person of a CA rotation: what they have to run, whether they have, and the dialog in which they do it.

An approval is seen in the audit trail, as anybody can see it, and never assumed. Whoever approves is shown whether the
plan on their own screen is the same: equal facts and settings give an equal hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui.format import time_of_day, wrapped
from tui.gateway import EventView
from tui.lines import Line, plain
from tui.rotating import RotationPlanView
from tui.screens.form import Field, FormDialog, exactly

APPROVED: Final = "approve_ca_rotation"  # the audit trail's word
LOOKED_AT: Final = 200  # audit events in which an approval is looked for


def find_approval(events: Sequence[EventView], plan: RotationPlanView) -> EventView | None:
    """Return the newest approval of a plan, None while there is none."""
    return next(
        (
            event
            for event in events
            if event.action == APPROVED and dict(event.detail).get("plan") == plan.id and event.outcome != "refused"
        ),
        None,
    )


def approval_lines(plan: RotationPlanView, found: EventView | None, width: int, *, is_readable: bool) -> list[Line]:
    """Return what a second person has to do, and whether it was seen that they did."""
    if found is not None:
        return [plain(f"APPROVED by {found.actor} at {time_of_day(found.at)}", "title")]
    lines = [plain(part, "warning") for part in wrapped("SOMEBODY ELSE, with another certificate, has to run", width)]
    lines.append(plain(f"  mocdeck rotate-ca approve --plan {plan.id} \\", "title"))
    lines.append(plain(f"  --hash {plan.hash}", "title"))
    lines.append(plain("or, in their dashboard: 4, then A, with this plan and hash", "text"))
    waits = "waiting for it; it is looked for every two seconds"
    lines.append(plain(waits if is_readable else "you may not read the audit trail: ask them", "running"))
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a second person typed."""

    plan_id: str
    hash: str
    typed_name: str


class ApproveDialog(FormDialog[Approval]):
    """Plan and hash may be pasted; the deployment's name is typed."""

    def __init__(self, deployment: str, own: RotationPlanView | None) -> None:
        fields = [
            Field(label="Plan:", lacks=lambda text: "" if text.strip() else "the plan", may_paste=True, limit=64),
            Field(
                label="Hash:",
                lacks=lambda text: "" if len(text.strip()) == 64 else "the whole hash, 64 digits",
                may_paste=True,
                limit=80,
            ),
            Field(
                label=f"Type the deployment's name, {deployment} :",
                lacks=exactly(deployment, "the name"),
                limit=max(64, len(deployment)),
            ),
        ]
        super().__init__("Approve a plan that somebody else made", "Approve", fields)
        self.own = own

    def body(self, width: int) -> Sequence[Line]:
        text = (
            "You vouch for this plan as the second person; whoever made it starts it. It is recorded with your name "
            "and certificate, and is good for as long as the plan is."
        )
        return [plain(part) for part in wrapped(text, width)]

    def standing(self, width: int) -> Sequence[Line]:
        typed = self.fields[1].text.strip()
        if len(typed) != 64:
            return [plain("the hash says whether it is the plan that you see behind this", "dim")]
        if self.own is not None and typed == self.own.hash:
            return [plain("this hash is that of the plan behind this: you have seen what you approve", "title")]
        told = (
            "this is NOT the plan behind this: other settings, other clients, or another kind. "
            "Compare before you vouch for it."
        )
        return [plain(part, "critical") for part in wrapped(told, width)]

    def result(self) -> Approval:
        plan, digest, name = self.fields
        return Approval(plan_id=plan.text.strip(), hash=digest.text.strip(), typed_name=name.text)
