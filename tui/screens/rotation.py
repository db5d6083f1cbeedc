"""The CA rotation, of every kind: its plan before it is confirmed, its progress in the agent, its end.

Owns what is told to a rotation that runs. Every decision carries the version that was seen; one that comes too late is
refused by the agent in its own words, and the rotation is read again at once.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from backend.core.errors import AgentError
from tui.commands import Command
from tui.rotating import RotationMove, RotationView
from tui.screens.rotation_before import PlanningScreen
from tui.screens.rotation_confirm import Decision, MoveDialog
from tui.screens.rotation_moves import DestroyDialog, OverlapMove, destroy_refusal, overlap_refusal
from tui.screens.rotation_progress import move_refusal

if TYPE_CHECKING:
    from tui.app import MocdeckApp

_MOVES: Final = {
    "proceed": RotationMove.PROCEED,
    "abort": RotationMove.ABORT,
    "write_off": RotationMove.FINISH,
}
_OVERLAP_MOVES: Final = {
    "advance": RotationMove.ADVANCE,
    "automatic": RotationMove.AUTOMATIC,
    "hold": RotationMove.HOLD,
    "roll_back": RotationMove.ROLL_BACK,
    "end_rehearsal": RotationMove.ROLL_BACK,
    "waive": RotationMove.WAIVE,
    "give_up": RotationMove.WRITE_OFF,
}


def open_rotation(app: MocdeckApp) -> None:
    """Show the open rotation's progress, or the plan of a new one."""
    if isinstance(app.deck, RotationScreen):
        return
    app.cmd_view_fleet()
    app.push_screen(RotationScreen())


class RotationScreen(PlanningScreen):
    """Plan or progress, by what the agent says."""

    def refusal(self, command: Command) -> str | None:
        rotation = self.rotation
        if command.id == "confirm_rotation":
            why = self.no_confirmation()
        elif command.id in _MOVES:
            why = "no CA rotation runs" if rotation is None else move_refusal(_MOVES[command.id], rotation)
        elif command.id in _OVERLAP_MOVES and rotation is not None:
            why = overlap_refusal(_OVERLAP_MOVES[command.id], rotation, self.chosen_clients())
        elif command.id == "destroy_key" and rotation is not None:
            why = destroy_refusal(rotation)
        else:
            return None
        return f"{command.label}: {why}" if why else None

    # A disruptive one

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

    # One with overlap

    def cmd_advance(self) -> None:
        """Leave the phase, take off a hold, or vouch for the clock."""
        self._decide_overlap(RotationMove.ADVANCE)

    def cmd_automatic(self) -> None:
        """Let it go on by itself."""
        self._decide_overlap(RotationMove.AUTOMATIC)

    def cmd_hold(self) -> None:
        """Stop every move."""
        self._decide_overlap(RotationMove.HOLD)

    def cmd_roll_back(self) -> None:
        """Begin the way back."""
        self._decide_overlap(RotationMove.ROLL_BACK)

    def cmd_end_rehearsal(self) -> None:
        """End a rehearsal early."""
        self._decide_overlap(RotationMove.ROLL_BACK)

    def cmd_waive(self) -> None:
        """Wait no longer for the chosen clients."""
        self._decide_overlap(RotationMove.WAIVE)

    def cmd_give_up(self) -> None:
        """Write the chosen clients off."""
        self._decide_overlap(RotationMove.WRITE_OFF)

    def _decide_overlap(self, move: RotationMove) -> None:
        rotation = self.rotation
        if rotation is None:
            return
        names = set(self.chosen_clients()) if move in {RotationMove.WAIVE, RotationMove.WRITE_OFF} else set()
        clients = [client for client in rotation.clients if client.name in names]
        self.app.push_screen(OverlapMove(rotation, move, clients), lambda decision: self._decided(rotation, decision))

    def cmd_destroy_key(self) -> None:
        """Ask for the typed name, then destroy the old CA's key."""
        rotation = self.rotation
        if rotation is not None:
            self.app.push_screen(DestroyDialog(rotation), lambda typed: self._destroy(rotation, typed))

    def _destroy(self, rotation: RotationView, typed: str | None) -> None:
        if typed is None:
            self.app.notice("destroy key: nothing was destroyed")
            return
        call = self._read_again(self.app.gateway.destroy_authority(rotation.from_generation, typed))
        self.app.run_agent_call(call, what="destroy key", then=self._moved)

    async def _read_again(self, call: Coroutine[Any, Any, None]) -> RotationView | None:
        try:
            await call
            return await self.app.gateway.rotation()
        finally:
            self.look_again()

    def cmd_mark_awaited(self) -> None:
        """Mark or unmark the client under the cursor, and go to the next."""
        if not self.chosen:
            self.app.notice("mark: j goes to the clients", "warning")
            return
        self.marks ^= {self.chosen}
        self.cmd_down()

    def cmd_mark_all_awaited(self) -> None:
        """Mark every client that the phase waits for."""
        if self.rotation is not None:
            self.marks |= {client.name for client in self.rotation.clients if client.awaited}

    def cmd_unmark_awaited(self) -> None:
        """Remove every mark."""
        self.marks.clear()

    # What was decided

    def _decided(self, rotation: RotationView, decision: Decision | None) -> None:
        if decision is not None:
            self.app.run_agent_call(self._move(rotation, decision), what=decision.move.value, then=self._moved)

    async def _move(self, rotation: RotationView, decision: Decision) -> RotationView:
        try:
            return await self.app.gateway.move_rotation(
                rotation, decision.move, written_off=decision.written_off, reason=decision.reason
            )
        except AgentError:
            self.look_again()  # it may have moved on since it was seen
            raise

    def _moved(self, rotation: RotationView | None) -> None:
        if rotation is None:
            return
        self._take(rotation)
        self._seen(self.app.clock.monotonic())
        self.marks.clear()
        self.draw()
