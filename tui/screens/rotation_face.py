"""The face of the CA rotation's screen: what of it is shown, when the agent is asked, and where the cursor is.

The agent's word decides: while a rotation is open its progress is shown, whoever started it. While the agent is away,
also in its own cutover, the screen stays, ages and says so; it asks again about once a second while it is open, and
never otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from textual.binding import Binding

from backend.core.errors import AgentError
from tui.banner import View
from tui.commands import BY_ID, OVERLAP, REHEARSAL, ROTATION, ROTATION_PLAN, of_screen
from tui.format import span
from tui.gateway import Unreachable
from tui.lines import BLANK, Line, plain
from tui.rotating import DEFAULT_SETTINGS, RotationClientView, RotationKind, RotationPlanView, RotationView
from tui.screens.rotation_clients import Choice, client_rows, ordered
from tui.screens.rotation_kinds import kind_lines
from tui.screens.rotation_overlap import overlap_rows
from tui.screens.rotation_plan import authority_lines, last_line, plan_lines
from tui.screens.rotation_progress import progress_lines
from tui.screens.rotation_rehearsal import passing, rehearsal_rows
from tui.screens.rotation_rows import Row, Rows, texts
from tui.screens.rotation_through import through_lines
from tui.screens.scroll import ScrollScreen

POLL_SECONDS: Final = 1.0
_FACES: Final = {
    RotationKind.DISRUPTIVE: ROTATION,
    RotationKind.COMPROMISE: ROTATION,
    RotationKind.OVERLAP: OVERLAP,
    RotationKind.REHEARSAL: REHEARSAL,
}


def _keys() -> list[Binding]:
    """The keys of every face; one key may mean another command on another face."""
    return [
        Binding(
            ",".join(command.keys),
            f"screen.run_face('{scope}', '{command.id}')",
            command.label,
            id=f"{scope}.{command.id}",
            show=False,
        )
        for scope in (ROTATION_PLAN, ROTATION, OVERLAP, REHEARSAL)
        for command in of_screen(scope)
        if command.keys
    ]


class RotationFace(ScrollScreen):
    """Plan or progress, by what the agent says."""

    view_id: ClassVar[str] = "view_rotation"
    BINDINGS: ClassVar[list[object]] = [*_keys()]  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kind = RotationKind.OVERLAP  # what is planned
        self.settings = DEFAULT_SETTINGS
        self.plan: RotationPlanView | None = None
        self.rotation: RotationView | None = None  # the one whose progress is shown
        self.last: RotationView | None = None
        self.changes: tuple[str, ...] = ()
        self.chosen = ""  # the client under the cursor
        self.marks: set[str] = set()
        self._rows: list[str] = []  # the client that each line stands for
        self._listed: tuple[RotationView, list[RotationClientView]] | None = None
        self._problem = ""
        self._is_refused = False
        self._seen_at: float | None = None
        self._asked_at: float | None = None
        self._is_asking = False

    @property
    def scope(self) -> str:  # type: ignore[override]  # the faces of this screen have different keys
        """Which commands it has now."""
        return ROTATION_PLAN if self.rotation is None else _FACES[self.rotation.kind]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys of the other faces."""
        return action != "run_face" or parameters[0] == self.scope

    def action_run_face(self, scope: str, command_id: str) -> None:
        """Run a command of the present face."""
        self.app.run_command(BY_ID[command_id])

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
        gateway, kind, settings = self.app.gateway, self.kind, self.settings
        try:
            found = await gateway.rotation()
            if found is not None and (found.ended_at is None or self.rotation is not None):
                self._take(found)
            else:
                self.last = found
                if self.plan is None:
                    made = await gateway.plan_rotation(kind, settings)
                    self.plan = made if (kind, settings) == (self.kind, self.settings) else None
            self._seen(self.app.clock.monotonic())
        except Unreachable as error:
            self._problem = str(error)
        except AgentError as error:
            self._problem = str(error)
            self._is_refused = self.rotation is None
        finally:
            self._is_asking = False
        self.draw()

    def look_again(self) -> None:
        """Ask at the next second, whatever was asked before."""
        self._asked_at = None

    def plan_anew(self) -> None:
        """Forget the plan and ask for one of the present kind and settings."""
        self.plan, self.changes, self._is_refused, self.top = None, (), False, 0
        self.look_again()
        self.draw()

    def _seen(self, monotonic: float) -> None:
        self._seen_at = monotonic
        self._problem = ""

    def _take(self, found: RotationView) -> None:
        shown = self.rotation
        self.rotation = found
        self.plan, self.changes = None, ()
        self.marks &= {client.name for client in found.clients}
        if shown is None:
            self.top, self.chosen = 0, ""
        elif shown.ended_at is None and found.ended_at is not None:
            self.top, self.chosen = 0, ""
            self.app.toast_result(_ended(found))

    # What is shown

    def head_lines(self, view: View) -> list[Line]:
        return super().head_lines(view)[:1]

    def text_lines(self, view: View) -> Sequence[Line]:
        rows = Rows(self._rows_of(view), view.width)
        self._rows = rows.names
        return rows

    def _rows_of(self, view: View) -> Sequence[Row]:
        rotation, now = self.rotation, view.now
        if rotation is None:
            return texts(self._before(view))
        at = now or rotation.agent_time
        if rotation.kind is RotationKind.OVERLAP:
            choice = Choice(chosen=self.chosen, marked=self.marks)
            clients = client_rows(rotation, self._ordered(rotation), at, view.width, view.glyphs, choice)
            return overlap_rows(rotation, at, view.width, view.glyphs, clients)
        if rotation.kind is RotationKind.REHEARSAL:
            return rehearsal_rows(rotation, at, view.width, view.glyphs)
        return texts(progress_lines(rotation, at, view.width, view.glyphs))

    def _ordered(self, rotation: RotationView) -> list[RotationClientView]:
        """The clients as they are listed; sorted once a look, not once a second."""
        if self._listed is None or self._listed[0] is not rotation:
            self._listed = (rotation, ordered(rotation))
        return self._listed[1]

    def _before(self, view: View) -> list[Line]:
        now = view.now
        lines: list[Line] = []
        if now is not None:
            lines.extend(authority_lines(view.model.columns.authorities, view, now))
        if self.last is not None:
            lines.append(last_line(self.last))
        lines.extend([BLANK] if lines else [])
        lines.extend([*kind_lines(self.kind, view.width, view.glyphs.cursor), BLANK])
        if self.plan is not None:
            return [*lines, *self._plan_lines(self.plan, now or self.plan.made_at, view.width)]
        if self._is_refused:
            return [*lines, plain(f"no plan: {self._problem}", "error"), plain(". asks again", "dim")]
        return [*lines, plain("asking the agent for readiness, and what becomes of every client", "dim")]

    def _plan_lines(self, plan: RotationPlanView, now: datetime, width: int) -> list[Line]:
        make = plan_lines if plan.kind.cuts else through_lines
        return make(plan, now, width, self.changes)

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
        rest = super().status(view)
        if self.rotation is None or self.rotation.ended_at is not None:
            return rest
        if self.scope == OVERLAP and self.length > self.page:
            last = min(self.top + self.page, self.length)
            rest = plain(f"lines {self.top + 1}-{last} of {self.length}   j goes to the clients", "dim")
        marked = ((f"{len(self.marks)} marked   ", "mark"),) if self.marks else ()
        gap = "   " if rest else ""
        return (*marked, *rest, (f"{gap}it runs in the agent; esc leaves", "dim"))

    # The cursor, over the clients of a rotation with overlap

    def chosen_clients(self) -> list[str]:
        """The marked clients in the list's order, else the one under the cursor."""
        if self.rotation is None:
            return []
        names = [client.name for client in self._ordered(self.rotation)]
        if self.marks:
            return [name for name in names if name in self.marks]
        return [self.chosen] if self.chosen in names else []

    def _step(self, by: int) -> None:
        places = [place for place, name in enumerate(self._rows) if name]
        if self.scope != OVERLAP or not places:
            self._scroll(by)
            return
        at = self._rows.index(self.chosen) if self.chosen and self.chosen in self._rows else None
        if at is None or not self.top <= at < self.top + self.page:  # it was scrolled away
            ahead = [place for place in places if place >= self.top] if by > 0 else []
            to = ahead[0] if ahead else None
        else:
            after = places.index(at) + by
            to = places[min(after, len(places) - 1)] if after >= 0 else None
        self._put(to)

    def _put(self, place: int | None) -> None:
        """Put the cursor on a line; None: on nothing, with the top in sight."""
        if place is None:
            self.chosen, self.top = "", 0
            return
        self.chosen = self._rows[place]
        said = min(6, self.page)  # the row and the lines below it that say more
        self.top = max(min(self.top, place - 2), place - self.page + said, 0)  # its group's heading as well

    def cmd_down(self) -> None:
        self._step(1)

    def cmd_up(self) -> None:
        self._step(-1)

    def cmd_top(self) -> None:
        self._put(None)

    def cmd_bottom(self) -> None:
        places = [place for place, name in enumerate(self._rows) if name]
        if self.scope == OVERLAP and places:
            self._put(places[-1])
        else:
            super().cmd_bottom()


def _ended(found: RotationView) -> str:
    """How a rotation ended, in one line."""
    outcome = found.outcome.replace("_", " ") or "ended"
    if found.kind.cuts:
        return f"CA rotation {outcome}: {found.returned} of {found.total} came back"
    if found.kind is RotationKind.REHEARSAL:
        return f"rehearsal ended: {len(passing(found))} of {found.total} passed the canary"
    return f"CA rotation {outcome}"
