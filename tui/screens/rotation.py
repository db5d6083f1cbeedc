"""The CA rotation: its plan before it is confirmed, its progress while the agent carries it out, its end.

Owns which of the two is shown and when the agent is asked. The agent's word decides: while a rotation is open the
progress is shown, whoever started it. While the agent is away, also in its own cutover, the screen stays, ages and
says so; it asks again about once a second while it is open, and never otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from backend.core.errors import AgentError, InconsistentState, NotFound
from tui.banner import View
from tui.commands import BY_ID, ROTATION, ROTATION_PLAN, Command, of_screen
from tui.format import count, span
from tui.gateway import RotationMove, RotationPlanView, RotationView, Unreachable
from tui.lines import BLANK, Line, plain
from tui.screens.actions import PRODUCTION
from tui.screens.deck import bindings_of
from tui.screens.rotation_confirm import Confirmation, Decision, MoveDialog, RotationConfirm
from tui.screens.rotation_plan import authority_lines, failing, last_line, plan_difference, plan_lines
from tui.screens.rotation_progress import move_refusal, progress_lines
from tui.screens.scroll import ScrollScreen

if TYPE_CHECKING:
    from tui.app import MocdeckApp

POLL_SECONDS: Final = 1.0
_MOVES: Final = {
    "proceed": RotationMove.PROCEED,
    "abort": RotationMove.ABORT,
    "write_off": RotationMove.FINISH,
}


def open_rotation(app: MocdeckApp) -> None:
    """Show the open rotation's progress, or the plan of a new one."""
    if isinstance(app.deck, RotationScreen):
        return
    app.cmd_view_fleet()
    app.push_screen(RotationScreen())


class RotationScreen(ScrollScreen):
    """Plan or progress, by what the agent says."""

    view_id: ClassVar[str] = "view_rotation"
    BINDINGS: ClassVar[list[object]] = [  # type: ignore[assignment]
        *bindings_of(ROTATION),
        *(
            binding
            for binding, command in zip(
                bindings_of(ROTATION_PLAN), (c for c in of_screen(ROTATION_PLAN) if c.keys), strict=True
            )
            if ROTATION not in command.scope
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.plan: RotationPlanView | None = None
        self.rotation: RotationView | None = None  # the one whose progress is shown
        self.last: RotationView | None = None
        self.changes: tuple[str, ...] = ()
        self._problem = ""
        self._is_refused = False
        self._seen_at: float | None = None
        self._asked_at: float | None = None
        self._is_asking = False

    @property
    def scope(self) -> str:  # type: ignore[override]  # the two faces of this screen have different keys
        """Which commands it has now."""
        return ROTATION_PLAN if self.rotation is None else ROTATION

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys of the other face."""
        command = BY_ID.get(str(parameters[0])) if action == "run_command" and parameters else None
        return command is None or self.scope in command.scope

    def place(self) -> str:
        return f"{super().place()} > CA rotation"

    # Asking

    def draw_body(self, view: View) -> None:
        self._look(view.monotonic)
        super().draw_body(view)

    def _look(self, monotonic: float) -> None:
        rotation = self.rotation
        if self._is_asking or (self._asked_at is not None and monotonic - self._asked_at < POLL_SECONDS):
            return
        if rotation is not None and rotation.ended_at is not None:
            return
        # Somebody else may have started one: the fleet's own watch says so.
        if rotation is None and (self.plan is not None or self._is_refused) and not self._one_runs():
            return
        self._asked_at, self._is_asking = monotonic, True
        self.run_worker(self._ask(), group="agent", exit_on_error=False)

    def _one_runs(self) -> bool:
        return bool(self.app.model.columns.rotation_phase)

    async def _ask(self) -> None:
        gateway = self.app.gateway
        try:
            found = await gateway.rotation()
            if found is not None and (found.ended_at is None or self.rotation is not None):
                self._take(found)
            else:
                self.last = found
                if self.plan is None:
                    self.plan = await gateway.plan_rotation()
            self._seen(self.app.clock.monotonic())
        except Unreachable as error:
            self._problem = str(error)
        except AgentError as error:
            self._problem = str(error)
            self._is_refused = self.rotation is None
        finally:
            self._is_asking = False
        self.draw()

    def _seen(self, monotonic: float) -> None:
        self._seen_at = monotonic
        self._problem = ""

    def _take(self, found: RotationView) -> None:
        shown = self.rotation
        self.rotation = found
        self.plan, self.changes = None, ()
        if shown is None:
            self.top = 0
        elif shown.ended_at is None and found.ended_at is not None:
            self.top = 0
            self.app.toast_result(
                f"CA rotation {found.outcome or 'ended'}: {found.returned} of {found.total} came back"
            )

    # What is shown

    def head_lines(self, view: View) -> list[Line]:
        return super().head_lines(view)[:1]

    def text_lines(self, view: View) -> Sequence[Line]:
        now = view.now
        if self.rotation is not None:
            return progress_lines(self.rotation, now or self.rotation.agent_time, view.width, view.glyphs)
        lines: list[Line] = []
        if now is not None:
            lines.extend(authority_lines(view.model.columns.authorities, view, now))
        if self.last is not None:
            lines.append(last_line(self.last))
        if lines:
            lines.append(BLANK)
        if self.plan is not None:
            return [*lines, *plan_lines(self.plan, now or self.plan.made_at, view.width, self.changes)]
        if self._is_refused:
            return [*lines, plain(f"no plan: {self._problem}", "error"), plain(". asks again", "dim")]
        return [*lines, plain("asking the agent for readiness and blast radius", "dim")]

    def status(self, view: View) -> Line:
        if self._problem and not self._is_refused:
            old = (
                ""
                if self._seen_at is None
                else f"as seen {span(timedelta(seconds=view.monotonic - self._seen_at))} ago; "
            )
            goes_on = "the rotation goes on in the agent; " if self.rotation is not None else ""
            why = "" if view.failure else f": {self._problem}"  # else the line below says it
            return plain(f"AGENT AWAY: {old}{goes_on}asking again{why}", "error")
        if self.rotation is not None and self.rotation.ended_at is None:
            rest = super().status(view)
            return (*(rest or ()), ("   it runs in the agent; esc leaves", "dim"))
        return super().status(view)

    # Before it runs

    def cmd_reload(self) -> None:
        """Plan anew."""
        self.plan, self.changes, self._is_refused, self._asked_at = None, (), False, None
        self.app.cmd_reload()
        self.draw()

    def cmd_last_rotation(self) -> None:
        """Show how the last rotation ended."""
        if self.last is None:
            self.app.notice("last one: this CA was never rotated", "warning")
        else:
            self.rotation, self.plan, self.top = self.last, None, 0

    def refusal(self, command: Command) -> str | None:
        if command.id == "confirm_rotation":
            why = self._no_confirmation()
        elif command.id in _MOVES:
            rotation = self.rotation
            why = "no CA rotation runs" if rotation is None else move_refusal(_MOVES[command.id], rotation)
        else:
            return None
        return f"{command.label}: {why}" if why else None

    def _no_confirmation(self) -> str:
        plan = self.plan
        if plan is None:
            return "there is no plan yet"
        fails = failing(plan)
        if fails:
            names = ", ".join(check.test for check in fails)
            return f"locked, {count(len(fails), 'readiness check fails', 'readiness checks fail')}: {names}"
        if self.app.now is not None and self.app.now > plan.expires_at:
            return "the plan is too old; . makes a new one"
        return ""

    def cmd_confirm_rotation(self) -> None:
        """Ask for the typed confirmation."""
        plan = self.plan
        if plan is not None:
            tag = PRODUCTION if self.app.site_tag.upper() == PRODUCTION else ""
            self.app.push_screen(RotationConfirm(plan, tag), lambda typed: self._confirmed(plan, typed))

    def _confirmed(self, plan: RotationPlanView, typed: Confirmation | None) -> None:
        if typed is None:
            self.app.notice("CA rotation: not started")
            return
        self.app.notice("CA rotation: starting", "dim")
        self.app.run_agent_call(self._start(plan, typed), what="CA rotation", then=self._started)

    async def _start(self, plan: RotationPlanView, typed: Confirmation) -> RotationView | RotationPlanView:
        gateway = self.app.gateway
        try:
            return await gateway.start_rotation(plan, typed.typed_name, typed.reason)
        except (InconsistentState, NotFound) as error:  # changed, too old, not ready any more
            fresh = await gateway.plan_rotation()
            self.changes = (str(error), *plan_difference(plan, fresh))
            return fresh

    def _started(self, result: RotationView | RotationPlanView) -> None:
        if isinstance(result, RotationView):
            self._take(result)
            self._seen(self.app.clock.monotonic())
            self.app.toast_result("CA rotation started; the agent carries it out")
        else:
            self.plan, self.top = result, 0
            self.app.notice("CA rotation: not started, see the new plan", "warning")
        self.draw()

    # While it runs

    def cmd_proceed(self) -> None:
        """Wait no longer for what a gate names."""
        self._decide(RotationMove.PROCEED)

    def cmd_abort(self) -> None:
        """End the rotation before its cutover."""
        self._decide(RotationMove.ABORT)

    def cmd_write_off(self) -> None:
        """Finish without the clients that are not back."""
        self._decide(RotationMove.FINISH)

    def _decide(self, move: RotationMove) -> None:
        rotation = self.rotation
        if rotation is not None:
            self.app.push_screen(MoveDialog(rotation, move), lambda decision: self._decided(rotation, decision))

    def _decided(self, rotation: RotationView, decision: Decision | None) -> None:
        if decision is None:
            return
        call = self.app.gateway.move_rotation(
            rotation, decision.move, written_off=decision.written_off, reason=decision.reason
        )
        self.app.run_agent_call(call, what=decision.move.value, then=self._moved)

    def _moved(self, rotation: RotationView) -> None:
        self._take(rotation)
        self._seen(self.app.clock.monotonic())
        self.draw()
