"""What may be told to a rotation with overlap or a rehearsal: which move makes sense now, and its dialog.

Owns the friction of each (tui.md 5.4): going on and holding are one key after a look, going back, writing off and
destroying a key have to be typed. A decision carries the version that was seen, and the agent judges it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backend.core.overlap import OverlapEvent, OverlapPhase, forward_event, next_phase
from tui.format import count, shorten, wrapped
from tui.lines import Line, plain
from tui.rotating import RotationClientView, RotationKind, RotationMove, RotationView
from tui.screens.form import Field, FormDialog, anything, exactly, some
from tui.screens.rotation_confirm import Decision
from tui.screens.rotation_track import labelled_phase, phase_of

_LISTED: Final = 12
_TITLES: Final = {
    RotationMove.ADVANCE: ("Go on", "Go on"),
    RotationMove.AUTOMATIC: ("Go on by itself from here", "Automatic"),
    RotationMove.HOLD: ("Hold the rotation", "Hold"),
    RotationMove.ROLL_BACK: ("Roll back to the old CA", "Roll back"),
    RotationMove.WAIVE: ("Wait no longer for clients", "Waive"),
    RotationMove.WRITE_OFF: ("Write clients off", "Write off"),
}
_ENTERS: Final = {
    OverlapPhase.TRUSTED: "Both roots are published; every client that reports is asked to prove its trust.",
    OverlapPhase.ISSUING: "The new CA issues from now on, and the clients are told to renew, in waves.",
    OverlapPhase.SERVING: "The agent's own certificate becomes the new CA's, with the cross certificate behind it.",
    OverlapPhase.DRAINING: "It waits until nobody uses a living certificate of the old CA.",
    OverlapPhase.SHADOW: "Every call is judged a second time, as if the old CA were gone. Nothing is refused for it.",
    OverlapPhase.DISTRUSTED: "The old CA is distrusted: who still uses it is refused. Its key is kept, B goes back.",
}


def overlap_refusal(move: RotationMove, rotation: RotationView, chosen: Sequence[str]) -> str:
    """Return why a move does nothing now and what does; "" when it may be told."""
    if rotation.ended_at is not None:
        return f"this one has ended ({rotation.outcome.replace('_', ' ') or 'done'}); esc leaves"
    if move is RotationMove.ADVANCE:
        return _no_advance(rotation)
    if move is RotationMove.AUTOMATIC:
        return "it goes on by itself already; H holds it" if rotation.automatic else ""
    if move is RotationMove.HOLD:
        return "it is held already; P takes the hold off" if rotation.held else ""
    if move is RotationMove.ROLL_BACK:
        phase = phase_of(rotation)
        return "it is on its way back already" if phase is not None and phase.is_rollback else ""
    return "" if chosen else "put the cursor on a client with j and k, or mark some with space"


def _no_advance(rotation: RotationView) -> str:
    unmet = [gate for gate in rotation.gates if not gate.met]
    if rotation.held or any("clock" in gate.test for gate in unmet):
        return ""  # it takes off the hold, or vouches for the clock
    phase = phase_of(rotation)
    if phase is OverlapPhase.PLANNED:
        return "the new CA is being made; the agent goes on by itself"
    if unmet:
        return f"it waits: {unmet[0].test}: {unmet[0].why}"
    if phase is not None and phase.is_rollback:
        return "its way back goes on by itself"
    if phase is not None and forward_event(phase) is OverlapEvent.RETIRE:
        return f"only destroying the key of CA g{rotation.from_generation} is left: D; until then B goes back"
    return ""


def destroy_refusal(rotation: RotationView) -> str:
    """Return why the old key cannot be destroyed now; "" when it can."""
    if rotation.ended_at is not None:
        return f"this one has ended ({rotation.outcome.replace('_', ' ')}); esc leaves"
    if phase_of(rotation) is not OverlapPhase.DISTRUSTED:
        return f"the key of CA g{rotation.from_generation} goes last, once the old CA is distrusted (Z8)"
    if rotation.held:
        return "it is held; P takes the hold off"
    unmet = next((gate for gate in rotation.gates if not gate.met), None)
    return "" if unmet is None else f"it waits: {unmet.test}: {unmet.why}"


def name_field(rotation: RotationView) -> Field:
    """Return the field in which the deployment's name is typed."""
    return Field(
        label=f"Type the deployment's name, {rotation.deployment} :",
        lacks=exactly(rotation.deployment, "the name"),
        limit=max(64, len(rotation.deployment)),
    )


class OverlapMove(FormDialog[Decision]):
    """A decision on a rotation with overlap or a rehearsal, as it was when this opened."""

    def __init__(self, rotation: RotationView, move: RotationMove, clients: Sequence[RotationClientView] = ()) -> None:
        self.rotation, self.move, self.clients = rotation, move, tuple(clients)
        is_free = move in {RotationMove.ADVANCE, RotationMove.AUTOMATIC}
        fields = [Field(label="Reason:", lacks=anything if is_free else some("a reason"), may_paste=True)]
        title, action = _TITLES[move]
        if move is RotationMove.ROLL_BACK and rotation.kind is RotationKind.REHEARSAL:
            title, action = "End the rehearsal", "End it"
        elif move is RotationMove.ROLL_BACK:
            fields.insert(0, name_field(rotation))
        elif move is RotationMove.WRITE_OFF:
            number = str(len(self.clients))
            lacks = exactly(number, "the number")
            fields.insert(0, Field(label="Type the number of clients written off:", lacks=lacks, limit=7))
            action = f"{action} {number}"
        elif move is RotationMove.WAIVE:
            action = f"{action} {len(self.clients)}"
        super().__init__(title, action, fields)

    def body(self, width: int) -> Sequence[Line]:
        lines = [plain(part, "title") for part in wrapped(self._effect(), width)]
        shown = [shorten(f"  {one.level:4}{one.name:24}owner {one.owner or 'none'}", width) for one in self.clients]
        lines.extend(plain(text, "warning") for text in shown[:_LISTED])
        if len(shown) > _LISTED:
            lines.append(plain(f"  and {len(shown) - _LISTED} more", "warning"))
        if self.rotation.held and self.move in {RotationMove.ADVANCE, RotationMove.AUTOMATIC}:
            lines.extend(plain(part, "warning") for part in wrapped(f"HELD: {self.rotation.held}", width))
        return lines

    def _effect(self) -> str:
        rotation = self.rotation
        old, new = f"g{rotation.from_generation}", f"g{rotation.to_generation}"
        match self.move:
            case RotationMove.ADVANCE:
                return _advancing(rotation)
            case RotationMove.AUTOMATIC:
                return (
                    "From here on each phase is left as soon as its gates are met. It still stops before the key of "
                    f"{old} is destroyed, and H holds it at any time."
                )
            case RotationMove.HOLD:
                return "Nothing moves until somebody goes on. Clients lose nothing: what is trusted stays trusted."
            case RotationMove.ROLL_BACK if rotation.kind is RotationKind.REHEARSAL:
                return "The rehearsal ends here; nothing was changed. It counts as aborted."
            case RotationMove.ROLL_BACK:
                return (
                    f"{rotation.way_back[:1].upper()}{rotation.way_back[1:]}. The way back passes gates too, and "
                    f"cannot be turned round: another rotation makes another CA than {new}."
                )
            case RotationMove.WAIVE:
                return (
                    f"The gates wait no longer for {count(len(self.clients), 'client')}. Certificates stay as they "
                    f"are; who is on {old} when it is distrusted is refused then."
                )
        return (
            f"{count(len(self.clients), 'client')} given up: the certificates are REVOKED now, and nobody waits for "
            "them. One that turns out to live has to sign in again."
        )

    def result(self) -> Decision:
        return Decision(
            move=self.move,
            reason=self.fields[-1].text.strip(),
            written_off=tuple(client.name for client in self.clients),
        )


def _advancing(rotation: RotationView) -> str:
    phase = phase_of(rotation)
    unmet = [gate for gate in rotation.gates if not gate.met and "holds the rotation" not in gate.test]
    if unmet and "clock" in unmet[0].test:
        return f"You vouch for the agent's clock, which is in doubt: {unmet[0].why}."
    if rotation.held and (unmet or phase is None or phase.is_rollback):
        return "The hold is taken off; the rotation stays in its phase and goes on when the gates are met."
    event = None if phase is None else forward_event(phase)
    if phase is None or event is None or event is OverlapEvent.RETIRE:
        return "The hold is taken off."
    after = next_phase(phase, event)
    return f"{labelled_phase(phase)} is left, {labelled_phase(after)} begins. {_ENTERS.get(after, '')}".strip()


class DestroyDialog(FormDialog[str]):
    """The end of a rotation with overlap; the result is the name that was typed."""

    def __init__(self, rotation: RotationView) -> None:
        super().__init__(f"Destroy the key of CA g{rotation.from_generation}", "Destroy key", [name_field(rotation)])
        self.rotation = rotation

    def body(self, width: int) -> Sequence[Line]:
        old, new = f"g{self.rotation.from_generation}", f"g{self.rotation.to_generation}"
        text = (
            f"THERE IS NO WAY BACK AFTER THIS. The private key of {old} is destroyed, the rotation is completed, and "
            f"{new} is the only CA. Until now B could have gone back to {old}."
        )
        return [plain(part, "critical") for part in wrapped(text, width)]

    def result(self) -> str:
        return self.fields[0].text
