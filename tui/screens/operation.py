"""The progress of one operation, client by client, while the agent carries it out.

Leaving this screen, or losing the agent, stops nothing: it looks again about once a second while it is open, and what
it shows is what the agent saw last. Its counts sum to the number of clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from backend.core.errors import AgentError
from tui.banner import View
from tui.commands import OPERATION, Command
from tui.format import bar, count, fit, instant, shorten, span, time_of_day
from tui.gateway import Delivery, OperationTargetView, OperationView
from tui.lines import Line, plain
from tui.preview import NOUNS, labelled
from tui.screens.deck import bindings_of
from tui.screens.delivery import DeliveryDialog
from tui.screens.scroll import ListScreen
from tui.screens.stop_dialog import (
    ask_to_stop,
    is_waiting_for_hands,
    resume_refusal,
    stop_refusal,
)
from tui.sites import Site

POLL_SECONDS: Final = 1.0
_OPEN: Final = frozenset({"waiting", "ordered", "issued", "delivered", "running"})
_ORDER: Final = {"failed": 0, "ordered": 1, "issued": 1, "delivered": 1, "running": 1, "waiting": 2, "done": 3}
_ROLES: Final = {"failed": "critical", "waiting": "dim", "skipped": "dim", "done": "text"}


def counts_text(operation: OperationView) -> str:
    """Return the five counts and their sum, as an equation that can be checked."""
    return (
        f"{operation.done} done + {operation.failed} failed + {operation.running} running + "
        f"{operation.waiting} waiting + {operation.skipped} skipped = {operation.total}"
    )


class OperationScreen(ListScreen):
    """One operation: how far, and every client with its step, its result and its serials."""

    scope = OPERATION
    view_id: ClassVar[str] = "view_jobs"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(OPERATION)]  # type: ignore[assignment]

    def __init__(self, operation: OperationView, site: Site) -> None:
        super().__init__()
        self.site = site
        self.operation = operation
        self._asked_at: float | None = None
        self._is_asking = False
        self._problem = ""

    def place(self) -> str:
        return f"{self.site.name} > {NOUNS[self.operation.action][0]}"

    # Looking again

    def draw_body(self, view: View) -> None:
        self._look(view.monotonic)
        super().draw_body(view)

    def _look(self, monotonic: float) -> None:
        if self._asked_at is None:
            self._asked_at = monotonic
        if self.operation.ended_at is not None or self._is_asking or monotonic - self._asked_at < POLL_SECONDS:
            return
        self._asked_at, self._is_asking = monotonic, True
        self.run_worker(self._ask(), group="agent", exit_on_error=False)

    async def _ask(self) -> None:
        try:
            self.operation = await self.site.gateway.operation(self.operation.id)
            self._problem = ""
        except AgentError as error:
            self._problem = str(error)
        finally:
            self._is_asking = False
        self.draw()

    # What is shown

    def head_lines(self, view: View) -> list[Line]:
        operation, width = self.operation, view.width
        ended = operation.done + operation.failed + operation.skipped
        share = ended / operation.total if operation.total else 1.0
        role = "running" if operation.ended_at is None else "critical" if operation.failed else "title"
        until = operation.ended_at or view.now or operation.started_at
        elapsed = span(until - operation.started_at)
        started = f"by {operation.actor} at {time_of_day(operation.started_at)}, {elapsed}"
        reason = f"   reason: {operation.reason}" if operation.reason else ""
        return [
            *super().head_lines(view)[:1],
            (
                (f"{NOUNS[operation.action][0]} {operation.state} ", role),
                (bar(share, 22, view.glyphs), role),
                (shorten(f"  {started}{reason}", max(0, width - 46)), "text"),
            ),
            plain(counts_text(operation), "title"),
        ]

    def titles(self, view: View) -> Line:
        return plain("CLIENT".ljust(27) + "STATE".ljust(11) + "SERIAL OLD -> NEW".ljust(22) + "STEP OR RESULT", "head")

    def rows(self, view: View) -> Sequence[tuple[str, Line]]:
        targets = sorted(self.operation.targets, key=lambda target: _ORDER.get(target.state, 4))
        return [(target.name, _row(target, view.width - 2)) for target in targets]

    def _current(self) -> OperationTargetView | None:
        return next((target for target in self.operation.targets if target.name == self.cursor_key), None)

    def below(self, view: View, key: str, height: int) -> Sequence[Line]:
        target = self._current()
        if target is None:
            return ()
        lines: list[Line] = [plain(view.glyphs.rule * view.width, "dim")]
        lines.extend(labelled("client", f"{target.name}   route: {target.route or 'none'}", view.width, "title"))
        lines.extend(labelled("serial", f"{target.old_serial or 'none'} -> {target.new_serial or '...'}", view.width))
        lines.extend(labelled("step", target.step, view.width) if target.step else ())
        lines.extend(labelled("result", target.result, view.width) if target.result else ())
        lines.extend(labelled("time", _times(target, view.now), view.width, "dim"))
        if is_waiting_for_hands(target):
            text = "F takes its login file; you carry it to the client, and the operation goes on when it is used"
            lines.extend(labelled("by hand", text, view.width, "warning"))
        return lines[:height]

    def status(self, view: View) -> Line:
        if self._problem:
            return plain(f"as last seen; the operation goes on in the agent: {self._problem}", "error")
        waiting = sum(is_waiting_for_hands(target) for target in self.operation.targets)
        if waiting:
            wait = "waits" if waiting == 1 else "wait"
            return plain(f"{count(waiting, 'client')} {wait} for a login file by hand: F takes it", "warning")
        if self.operation.ended_at is not None:
            return plain(f"ended at {instant(self.operation.ended_at)}", "dim")
        return plain("it goes on in the agent, whether this screen is open or not", "dim")

    # Commands

    def refusal(self, command: Command) -> str | None:
        if command.id == "stop":
            return stop_refusal(self.operation)
        if command.id == "resume":
            return resume_refusal(self.operation)
        if command.id == "take_file":
            target = self._current()
            if target is None or not is_waiting_for_hands(target):
                return "take login file: this client waits for none; only one delivered by hand does"
        return None

    def cmd_stop(self) -> None:
        """Start no further client; what runs is finished."""
        ask_to_stop(self.app, self.operation, self.site, self._stopped)

    def cmd_resume(self) -> None:
        """Plan what it has left."""
        from tui.screens.actions import start_resumption

        start_resumption(self.app, self.operation)

    def _stopped(self, operation: OperationView) -> None:
        self.operation = operation

    def cmd_take_file(self) -> None:
        """Take the login file of the client under the cursor."""
        target = self._current()
        if target is not None:
            self.app.run_agent_call(
                self.site.gateway.take_login_file(self.operation.id, target.name), what="login file", then=self._taken
            )

    def _taken(self, delivery: Delivery) -> None:
        self.app.push_screen(DeliveryDialog(delivery))


def _row(target: OperationTargetView, width: int) -> Line:
    old, new = target.old_serial[-8:] or "-", target.new_serial[-8:]
    serials = f"{old} -> {new}" if new else old if target.state in _OPEN else "-"
    role = _ROLES.get(target.state, "running")
    return (
        (fit(shorten(target.name, 26), 27), "title"),
        (fit(target.state, 11), role),
        (fit(serials, 22), "text"),
        (shorten(target.result or target.step or "-", max(8, width - 60)), role if role != "running" else "text"),
    )


def _times(target: OperationTargetView, now: datetime | None) -> str:
    if target.started_at is None:
        return "not started"
    if target.ended_at is not None:
        took = span(target.ended_at - target.started_at)
        return f"started {instant(target.started_at)}, ended {instant(target.ended_at)}, took {took}"
    so_far = "" if now is None else f", {span(now - target.started_at)} so far"
    return f"started {instant(target.started_at)}{so_far}"
