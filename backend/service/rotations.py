"""The one door to CA rotations of every kind, disruptive, with overlap, or a rehearsal: it sends each to its room."""

from __future__ import annotations

from collections.abc import Sequence

from backend.core.errors import ConfirmationRefused, InconsistentState, InvalidInput, NotFound, OldVersion
from backend.service import overlap_moves, rotation, rotation_moves
from backend.service.caller import Caller
from backend.service.overlap import start_overlap, tick_overlap
from backend.service.overlap_plan import REHEARSAL
from backend.service.overlap_view import OverlapView, overlap_view
from backend.service.rehearsal import tick_rehearsal
from backend.service.rotation_moves import Move
from backend.service.rotation_view import AuthoritiesView, RotationView, authorities
from backend.service.serving import OVERLAP, find_overlap
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationRow

AnyView = RotationView | OverlapView


def start(
    tx: Transaction,
    world: World,
    caller: Caller,
    *,
    plan_id: str,
    hash: str,
    deployment: str,
    reason: str,
    origin: str = "",
) -> AnyView:
    """Begin what was planned and confirmed; raises what its kind's own start raises."""
    stored = tx.plans.get(plan_id)
    if stored.kind in {OVERLAP, REHEARSAL}:
        started = start_overlap(
            tx, world, caller, stored, hash=hash, deployment=deployment, reason=reason, origin=origin
        )
        return overlap_view(tx, world, started)
    return rotation.start_rotation(
        tx, world, caller, plan_id=plan_id, hash=hash, deployment=deployment, reason=reason, origin=origin
    )


def get(tx: Transaction, world: World, rotation_id: str = "") -> AnyView:
    """Return a rotation; without an id the open one, or the last.

    Raises:
        NotFound: there is none.
    """
    found = tx.rotations.get(rotation_id) if rotation_id else tx.rotations.find_open() or tx.rotations.find_last()
    if found is None:
        raise NotFound("this deployment's CA was never rotated; plan a rotation first")
    return _view(tx, world, found)


def tick(tx: Transaction, world: World) -> str:
    """Do at most one move of the open rotation; return what moved, "" when nothing did."""
    found = tx.rotations.find_open()
    if found is None:
        return ""
    if found.kind == OVERLAP:
        return tick_overlap(tx, world, found)
    if found.kind == REHEARSAL:
        return tick_rehearsal(tx, world, found)
    return rotation.tick(tx, world)


def move(
    tx: Transaction,
    world: World,
    caller: Caller,
    *,
    rotation_id: str,
    version: int,
    move: Move,
    written_off: Sequence[str] = (),
    reason: str = "",
) -> AnyView:
    """Carry out an operator's decision on an open rotation that was looked at in `version`.

    Raises:
        NotFound, OldVersion, IllegalTransition, InconsistentState, InvalidInput: as the kind's own moves say.
    """
    found = tx.rotations.get(rotation_id)
    if found.kind not in {OVERLAP, REHEARSAL}:
        return rotation_moves.move(
            tx,
            world,
            caller,
            rotation_id=rotation_id,
            version=version,
            move=move,
            written_off=written_off,
            reason=reason,
        )
    if found.ended_at is not None:
        raise InconsistentState(f"CA rotation {rotation_id} has ended ({found.outcome}); nothing is left to decide")
    if version != found.version:
        raise OldVersion(f"CA rotation {rotation_id} is at version {found.version}, not {version}; look at it again")
    _decide(tx, world, caller, found, move, written_off, reason)
    return _view(tx, world, tx.rotations.get(rotation_id))


def destroy(tx: Transaction, world: World, caller: Caller, *, generation: int, deployment: str) -> AuthoritiesView:
    """Give up the key of a distrusted generation for good; the end of a rotation with overlap, if it is that one's.

    Raises:
        NotFound, ConfirmationRefused, InconsistentState: as `rotation_moves.destroy`, and a gate that is not met.
    """
    found = find_overlap(tx)
    if found is None or found.from_generation != generation:
        return rotation_moves.destroy(tx, world, caller, generation=generation, deployment=deployment)
    if deployment != world.deployment:
        raise ConfirmationRefused("the name typed is not the deployment's; type it exactly")
    overlap_moves.retire(tx, world, caller, found)
    return authorities(tx)


def _decide(
    tx: Transaction,
    world: World,
    caller: Caller,
    found: RotationRow,
    move: Move,
    names: Sequence[str],
    reason: str,
) -> None:
    if found.kind == REHEARSAL and move is not Move.ROLL_BACK:
        raise InvalidInput(f"{move.name} is not for a rehearsal; it can only be ended (ROLL_BACK)")
    match move:
        case Move.ADVANCE | Move.AUTOMATIC:
            is_automatic = found.automatic or move is Move.AUTOMATIC
            overlap_moves.advance(tx, world, caller, found, reason, automatic=is_automatic)
        case Move.HOLD:
            overlap_moves.hold_rotation(tx, world, caller, found, reason)
        case Move.ROLL_BACK:
            overlap_moves.roll_back(tx, world, caller, found, reason)
        case Move.WAIVE | Move.WRITE_OFF:
            is_end = move is Move.WRITE_OFF
            overlap_moves.decide_clients(tx, world, caller, found, names, reason, write_off=is_end)
        case _:
            raise InvalidInput(f"{move.name} is for the disruptive rotation; this one has overlap")


def _view(tx: Transaction, world: World, found: RotationRow) -> AnyView:
    if found.kind in {OVERLAP, REHEARSAL}:
        return overlap_view(tx, world, found)
    return rotation.get(tx, world, found.id)
