"""Stopping an operation: what goes on to its end, what is not started, and what a login file in transit is worth.

Also when one can be stopped, or resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from textual import events

from tui.format import count, wrapped
from tui.gateway import OperationTargetView, OperationView
from tui.lines import BLANK, Line, plain
from tui.preview import NOUNS
from tui.screens.dialog import Dialog, button_line

if TYPE_CHECKING:
    from tui.app import MocdeckApp
    from tui.sites import Site

BY_HAND: Final = "manual"
_UNDER_WAY: Final = frozenset({"ordered", "issued", "delivered"})


def is_waiting_for_hands(target: OperationTargetView) -> bool:
    """Tell whether a person has to carry a login file to the client."""
    return target.route == BY_HAND and target.state in _UNDER_WAY and not target.new_serial


def stop_refusal(operation: OperationView | None) -> str | None:
    """Return why there is nothing to stop, or None."""
    if operation is None:
        return "stop: no operation is under the cursor"
    return "stop: this operation has ended already" if operation.ended_at is not None else None


def resume_refusal(operation: OperationView | None) -> str | None:
    """Return why there is nothing to go on with, or None."""
    if operation is None:
        return "resume: no operation is under the cursor"
    if operation.ended_at is None:
        return "resume: this operation still runs"
    return "resume: this operation was done, nothing is left" if operation.state == "done" else None


def stop_lines(operation: OperationView) -> list[str]:
    """Return what a stop leaves, a sentence for each kind of client."""
    hands = [target for target in operation.targets if is_waiting_for_hands(target)]
    taken = sum(target.state != "ordered" for target in hands)
    under_way = sum(target.state in _UNDER_WAY for target in operation.targets) - len(hands)
    left = [
        (operation.waiting, "not started and stays as it is", "are not started and stay as they are"),
        (under_way, "under way and goes on to its end", "are under way and go on to their end"),
        (len(hands) - taken, "waits for a login file and is left alone", "wait for a login file and are left alone"),
        (taken, "has a login file taken, which stays good", "have a login file taken, which stays good"),
    ]
    said = [f"{count(number, 'client')} {one if number == 1 else many}." for number, one, many in left if number]
    return [*said, "What is done stays done. R resumes it later, with what is still to do then."]


class StopDialog(Dialog[bool]):
    """The question before an operation is stopped."""

    confirms = True

    def __init__(self, operation: OperationView) -> None:
        super().__init__(f"Stop {NOUNS[operation.action][0]}")
        self.operation = operation

    def body(self, width: int) -> Sequence[Line]:
        lines = [plain(f"operation {self.operation.id}, {count(self.operation.total, 'client')}", "dim"), BLANK]
        for sentence in stop_lines(self.operation):
            lines.extend(plain(part) for part in wrapped(sentence, width))
        return lines

    def foot(self, width: int) -> Sequence[Line]:
        return [button_line("Stop", locked=self.locked_by())]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key == "enter":
            self.dismiss(False)
        elif event.key == "y" and not self.locked_by():
            if still:
                self.dismiss(True)
            else:
                self.too_soon()


def ask_to_stop(app: MocdeckApp, operation: OperationView, site: Site, then: Callable[[OperationView], None]) -> None:
    """Ask, and stop the operation when that is meant; `then` gets it as the agent has it afterwards."""

    def stopped(result: OperationView) -> None:
        then(result)
        app.toast_result(f"stopping: {result.running} run on to their end, nothing further starts")

    def answered(meant: bool | None) -> None:
        if meant:
            app.run_agent_call(site.gateway.stop(operation.id), what="stop", then=stopped)

    app.push_screen(StopDialog(operation), answered)
