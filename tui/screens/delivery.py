"""What to do with a login file that a person has to carry: where it lies, and the exact step.

It shows the path and never what is in the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from backend.core.countdown import countdown
from tui.format import instant
from tui.gateway import Delivery
from tui.lines import BLANK, Line, plain
from tui.preview import labelled
from tui.screens.dialog import Dialog


class DeliveryDialog(Dialog[None]):
    """The path of a fresh login file, and how it reaches its client."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(f"Login file of {delivery.name}")
        self.delivery = delivery

    def body(self, width: int) -> Sequence[Line]:
        delivery, now = self.delivery, self.app.now
        lines: list[Line] = labelled("file", str(delivery.path), width, "title")
        lines.extend(labelled("readable by", "you only (0600); it holds the client's new token", width))
        if delivery.token_expires_at is not None:
            left = "" if now is None else f" ({countdown(delivery.token_expires_at - now)})"
            lines.extend(labelled("signs in until", f"{instant(delivery.token_expires_at)}{left}", width))
        lines.extend([BLANK, *labelled("now do this", delivery.instruction, width), BLANK])
        lines.extend(labelled("then", "the operation goes on by itself when the client has signed in", width, "dim"))
        return lines

    def foot(self, width: int) -> Sequence[Line]:
        return [plain("( Close )", "title+cursor")]

    def pressed(self, event: events.Key, *, still: bool) -> None:
        if event.key in {"enter", "q"}:
            self.dismiss(None)
