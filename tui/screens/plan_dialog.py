"""Confirming a plan: one client with `y`, a set by typing the number of clients that run; or why nothing would run.

Owns what counts as a confirmation (tui.md 5.4, tiers 1 and 2); what is planned is the agent's. A dialog ends with what
the operator chose and starts nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from textual import events

from backend.core.plan import MAX_PARALLEL, ActionKind
from tui.format import count, shorten
from tui.gateway import PlanView
from tui.lines import BLANK, Line, plain
from tui.preview import NOUNS, confirm_by, many_lines, reason_lines, single_lines, title_of, verb_of
from tui.screens.dialog import Dialog, button_line, edited, field_line

REASON_LENGTH: Final = 200
_KEYS: Final = {ActionKind.RENEW: "R", ActionKind.ROTATE_TOKEN: "T", ActionKind.REPAIR: "S"}
_WORDS: Final = {
    ActionKind.RENEW: "renew the certificate",
    ActionKind.ROTATE_TOKEN: "rotate the token",
    ActionKind.REPAIR: "repair: rotate, deliver, sign in",
}


class Choice(Enum):
    """How the operator left the preview; None is "without doing anything"."""

    START = "start"
    AGAIN = "again"  # a fresh plan with the same wish
    PARALLEL = "parallel"  # a fresh plan with more, or fewer, at a time
    BALANCERS = "load balancers"  # a fresh plan of a cluster's update, with its load balancer agents or without


class PlanDialog(Dialog[Choice]):
    """The preview of a plan. `typed` asks for the number of clients (a set, or production); `changes` say why anew.

    `balancers` tells whether a cluster's load balancer agents are part of its update; None: that is no question here.
    """

    confirms = True

    def __init__(
        self,
        plan: PlanView,
        *,
        typed: bool,
        tag: str = "",
        changes: Sequence[str] = (),
        balancers: bool | None = None,
    ) -> None:
        super().__init__(f"{title_of(plan)}{f'  {tag}' if tag else ''}")
        self.plan = plan
        self.is_typed = typed
        self.number = ""
        self._tag = tag
        self._changes = tuple(changes)
        self._balancers = balancers
        self._skipped_at = 0

    @property
    def is_expired(self) -> bool:
        """Tell whether the plan is too old to be confirmed."""
        now = self.app.now
        return now is not None and now > confirm_by(self.plan)

    def body(self, width: int) -> Sequence[Line]:
        now = self.app.now or self.plan.made_at
        head: list[Line] = []
        if self._changes:
            head.append(plain("Nothing was started: the facts have changed since the plan you saw.", "warning"))
            head.extend(plain(shorten(f"- {text}", width), "warning") for text in self._changes[:6])
            if len(self._changes) > 6:
                head.append(plain(f"- and {len(self._changes) - 6} more", "warning"))
            head.append(BLANK)
        if len(self.plan.targets) == 1 and self.plan.action is not ActionKind.UPDATE:
            return [*head, *single_lines(self.plan, now, width)]
        lines, start = many_lines(self.plan, now, width)
        self._skipped_at = len(head) + start
        return [*head, *lines]

    def foot(self, width: int) -> Sequence[Line]:
        action = f"{verb_of(self.plan.action)} {self.plan.runs}" if self.is_typed else verb_of(self.plan.action)
        if not self.is_typed:
            return [button_line(action, locked=self._lock()), plain(". plan anew  e export", "dim")]
        tag = f"tagged {self._tag}: " if self._tag else ""
        question = f"{tag}Type the number of clients that run to go on:"
        skipped = len(self.plan.targets) - self.plan.runs
        more = f"p {next_parallel(self.plan.parallel)} at a time  . anew  e export"
        more += f"  v {skipped} left alone" if skipped else ""
        if self._balancers is not None:
            more += f"  l load balancers: {'yes' if self._balancers else 'no'}"
        return [
            field_line(question, self.number, width, active=True),
            button_line(action, locked=self._lock()),
            plain(more, "dim"),
        ]

    def _lock(self) -> str:
        away = self.locked_by()
        if away:
            return away
        if self.is_expired:
            return "the plan is too old; . makes a new one"
        if self.is_typed and self.number != str(self.plan.runs):
            return "not the number yet" if self.number else "type the number"
        return ""

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key == "full_stop":
            self.dismiss(Choice.AGAIN)
        elif event.key == "e":
            self._export()
        elif event.key == "y":
            self._confirm(still=still)
        elif event.key == "enter":
            self._enter()
        elif self.is_typed:
            self._type(event)

    def _export(self) -> None:
        """Write the plan to a file; the dialog stays."""
        from tui.plansheets import operation_sheet
        from tui.screens.exporting import export_plan

        export_plan(self.app, operation_sheet(self.plan))

    def _confirm(self, *, still: bool) -> None:
        locked = self._lock()
        if locked:
            self.hint = f"not started: {locked}"
        elif not still:
            self.too_soon()
        else:
            self.dismiss(Choice.START)

    def _enter(self) -> None:
        """Enter presses Cancel, which has the focus; after typing a number it would be a habit, so it only tells."""
        if self.number:
            self.hint = "enter starts nothing: y does, esc leaves"
        else:
            self.dismiss(None)

    def _type(self, event: events.Key) -> None:
        if event.key == "v":
            self.top = self._skipped_at
        elif event.key == "p":
            self.dismiss(Choice.PARALLEL)
        elif event.key == "l" and self._balancers is not None:
            self.dismiss(Choice.BALANCERS)
        elif self.is_burst:
            self.number = ""
            self.hint = "that came faster than anyone types, so it was not taken: type the number"
        elif event.key == "backspace" or (event.character or "").isdecimal():
            self.number = edited(self.number, event, 7) or ""


def next_parallel(parallel: int) -> int:
    """Return the next number of clients at a time to offer: 1, 2, 4, and 1 again."""
    return parallel * 2 if 0 < parallel < MAX_PARALLEL else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What may be done instead: another action for some clients, or this one by force."""

    action: ActionKind
    names: tuple[str, ...]
    reason: str = ""

    @property
    def is_forced(self) -> bool:
        """Tell whether it goes against the planner's advice, with a reason."""
        return bool(self.reason)


class NothingDialog(Dialog[Offer]):
    """Why none of the clients would run, and what is right for each."""

    def __init__(self, plan: PlanView, better: Mapping[ActionKind, Sequence[str]], forcible: Sequence[str]) -> None:
        super().__init__(f"Nothing to {NOUNS[plan.action][0]}")
        self.plan = plan
        self.better = better
        self.forcible = tuple(forcible)
        self.reason: str | None = None  # what is typed, once forcing was chosen

    def body(self, width: int) -> Sequence[Line]:
        lines: list[Line] = []
        for target in self.plan.targets:
            lines.extend(reason_lines(target, width))
        lines.append(BLANK)
        if not self.better and not self.forcible:
            lines.append(plain("No action of this screen helps here; `d` on the client says what does.", "dim"))
        for action, names in self.better.items():
            lines.append(((f"{_KEYS[action]}  ", "key"), (f"{_WORDS[action]}: {_names(names, width - 40)}", "text")))
        if self.forcible:
            what = NOUNS[self.plan.action][0]
            lines.append((("F  ", "key"), (f"{what} all the same, with a reason: {_names(self.forcible, 24)}", "text")))
        return lines

    def foot(self, width: int) -> Sequence[Line]:
        if self.reason is None:
            return [(("( Close )", "title+cursor"), ("   nothing was started", "dim"))]
        return [
            field_line("Reason, for the audit trail:", self.reason, width, active=True),
            plain("enter plans it with this reason; nothing is started yet   esc leaves", "dim"),
        ]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if self.reason is not None:
            self._type(event)
            return
        if event.key == "enter":
            self.dismiss(None)
        elif event.key == "F" and self.forcible:
            self.reason = ""
        else:
            for action, names in self.better.items():
                if event.key == _KEYS[action] and still:
                    self.dismiss(Offer(action=action, names=tuple(names)))

    def _type(self, event: events.Key) -> None:
        typed = self.reason or ""
        if event.key == "enter":
            if typed.strip():
                self.dismiss(Offer(action=self.plan.action, names=self.forcible, reason=typed.strip()))
            else:
                self.hint = "a reason is needed, such as a ticket number"
            return
        self.reason = typed if (after := edited(typed, event, REASON_LENGTH)) is None else after

    def pasted(self, text: str) -> None:
        if self.reason is None:
            super().pasted(text)
        else:
            self.reason = (self.reason + " ".join(text.split()))[:REASON_LENGTH]


def _names(names: Sequence[str], width: int) -> str:
    text = ", ".join(names)
    return text if len(text) <= width else f"{count(len(names), 'client')}"
