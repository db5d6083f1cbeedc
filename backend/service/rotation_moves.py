"""What an operator decides in an open CA rotation: not to wait, to go back, to finish without some; to destroy a key.

Every decision names the version it was made on, and is refused when the rotation has moved since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum

from backend.core.errors import ConfirmationRefused, InconsistentState, InvalidInput, OldVersion
from backend.core.model import AuthorityStatus
from backend.core.rotation import Event, Phase, advance
from backend.service import audit
from backend.service.caller import Caller
from backend.service.clock_trust import is_doubted, vouch
from backend.service.rotation_clients import observe
from backend.service.rotation_phase import enter, is_away
from backend.service.rotation_steps import drop
from backend.service.rotation_view import AuthoritiesView, RotationView, authorities, standings, view
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationRow


class Move(Enum):
    """What an operator may do to an open rotation; the numbers are the wire's."""

    PROCEED = 1  # the first three are the disruptive rotation's
    ABORT = 2
    FINISH = 3
    ADVANCE = 4  # the others are those of one with overlap
    AUTOMATIC = 5
    HOLD = 6
    ROLL_BACK = 7
    WAIVE = 8
    WRITE_OFF = 9


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
) -> RotationView:
    """Carry out an operator's decision on an open rotation that was looked at in `version`.

    Raises:
        NotFound: there is no such rotation.
        OldVersion: it has moved since; look again.
        IllegalTransition: the phase does not allow the move.
        InvalidInput: a write-off without a reason, or without the name of every client that is not back.
    """
    now = world.clock.now()
    rotation = tx.rotations.get(rotation_id)
    if rotation.ended_at is not None:
        raise InconsistentState(f"CA rotation {rotation_id} has ended ({rotation.outcome}); nothing is left to decide")
    if version != rotation.version:
        raise OldVersion(f"CA rotation {rotation_id} is at version {rotation.version}, not {version}; look at it again")
    match move:
        case Move.PROCEED:
            _proceed(tx, world, caller, rotation, reason, now)
        case Move.ABORT:
            advance(Phase(rotation.phase), Event.ABORT)  # before anything is undone
            drop(tx, world, rotation, now)
            enter(tx, world, rotation, Event.ABORT, now, outcome="aborted", caller=caller, reason=reason)
        case Move.FINISH:
            _write_off(tx, world, caller, rotation, written_off, reason, now)
        case _:
            raise InvalidInput(f"{move.name} is for a rotation with overlap; this one is disruptive")
    return view(tx, world, tx.rotations.get(rotation_id))


def destroy(tx: Transaction, world: World, caller: Caller, *, generation: int, deployment: str) -> AuthoritiesView:
    """Give up the key of a distrusted generation for good; its file is shredded right after the commit.

    Raises:
        NotFound: there is no such generation.
        ConfirmationRefused: the deployment's name is not typed exactly.
        InconsistentState: the generation is not distrusted, or a rotation is open.
    """
    now = world.clock.now()
    authority = tx.authorities.get(generation)
    if deployment != world.deployment:
        raise ConfirmationRefused("the name typed is not the deployment's; type it exactly")
    rotation = tx.rotations.find_open()
    if rotation is not None:
        raise InconsistentState(f"CA rotation {rotation.id} is open; destroy keys after it has ended")
    if authority.status is not AuthorityStatus.DISTRUSTED:
        raise InconsistentState(
            f"CA generation {generation} is {authority.status.value}; only the key of a distrusted one may be destroyed"
        )
    tx.authorities.set_status(generation, AuthorityStatus.DESTROYED)
    tx.changes.touch_all()
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action="destroy_authority",
        subject=world.deployment,
        detail={"generation": str(generation), "fingerprint": authority.fingerprint, "key_file": authority.key_file},
    )
    return authorities(tx)


def _proceed(tx: Transaction, world: World, caller: Caller, rotation: RotationRow, reason: str, now: datetime) -> None:
    """Stop waiting: for the clients in STAGED, and in any phase for the clock, which a person now vouches for."""
    frozen = is_doubted(tx)
    if frozen:
        vouch(tx, world, f"{caller.name} vouched for it")
    elif rotation.phase != Phase.STAGED.value or rotation.proceed:
        raise InconsistentState(
            f"CA rotation {rotation.id} waits for nothing that PROCEED could pass; look at its gates"
        )
    waits = rotation.phase == Phase.STAGED.value
    tx.rotations.put(replace(rotation, version=rotation.version + 1, proceed=waits))
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action="proceed_ca_rotation",
        subject=world.deployment,
        detail={"rotation": rotation.id, "phase": rotation.phase, "reason": reason, "past": frozen or "the clients"},
    )


def _write_off(
    tx: Transaction,
    world: World,
    caller: Caller,
    rotation: RotationRow,
    names: Sequence[str],
    reason: str,
    now: datetime,
) -> None:
    advance(Phase(rotation.phase), Event.VERIFY)  # refused before RE-ENROLLING
    if not reason.strip():
        raise InvalidInput("writing clients off needs a reason; it is kept in the audit trail")
    observed = observe(tx, world, rotation, now)
    clients = observed.clients
    by_name = {client.name: client for client in clients}
    unknown = sorted(set(names) - set(by_name))
    if unknown:
        raise InvalidInput(f"the rotation has no clients named {', '.join(unknown)}")
    states = zip(clients, standings(rotation, clients, observed.heartbeats, now), strict=True)
    away = {client.name for client, standing in states if is_away(standing)}
    unnamed = sorted(away - set(names))
    if unnamed:
        raise InvalidInput(f"these clients are not back and were not named: {', '.join(unnamed)}; name each of them")
    tx.rotations.put_clients([replace(by_name[name], written_off=reason) for name in sorted(away)])
    enter(
        tx,
        world,
        rotation,
        Event.VERIFY,
        now,
        caller=caller,
        reason=reason,
        written_off=", ".join(sorted(away)),
    )
