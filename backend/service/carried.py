"""The login file of an operation's target that a person carries: made when it is taken, and never kept.

Owns who may take it and what is noted of that; how the target goes on is `backend.service.targets`'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from backend.core.errors import InconsistentState, NotFound
from backend.core.model import Secret
from backend.service import audit
from backend.service.caller import Caller
from backend.service.contact import BY_HAND
from backend.service.deliveries import login_file
from backend.service.rights import refuse_wider
from backend.service.token_line import find_current, rotate_token
from backend.service.world import World
from backend.store.port import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFile:
    """A fresh login file for delivery by hand; `yaml` holds the token."""

    name: str
    yaml: Secret
    token_expires_at: datetime


def take_login_file(tx: Transaction, world: World, caller: Caller, *, operation_id: str, name: str) -> LoginFile:
    """Make the login file of a target that is delivered by hand; each call makes a new token and ends the last one.

    Raises:
        NotFound: there is no such operation or target.
        InconsistentState: the target does not wait for a delivery by hand, or its identity was deleted meanwhile.
        AccessDenied: the identity has rights that the caller has not, and would get with the token in the file.
    """
    now = world.clock.now()
    operation = tx.operations.get(operation_id)
    target = next((found for found in tx.operations.targets(operation_id) if found.name == name), None)
    if target is None:
        raise NotFound(f"operation {operation_id} has no client {name!r}")
    if target.route != BY_HAND or target.state not in {"ordered", "delivered"}:
        raise InconsistentState(f"{name!r} waits for no login file in operation {operation_id}: it is {target.state}")
    identity = tx.identities.find_by_number(target.identity_number)  # by number: its name may be another's by now
    if identity is None:
        raise InconsistentState(f"{name!r} of operation {operation_id} was deleted meanwhile; make a new plan")
    refuse_wider(tx, caller, identity)
    before = find_current(tx, identity.number)
    overlap = None if operation.overlap_seconds < 0 else timedelta(seconds=operation.overlap_seconds)
    record, token = rotate_token(tx, world, identity, overlap=overlap)
    step = "2/3 login file taken, waits for the client to sign in"
    tx.operations.put_target(replace(target, state="delivered", token_id=record.id, step=step))
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action="take_login_file",
        subject=name,
        detail={
            "operation": operation.id,
            "token": record.id,
            "token_before": "" if before is None else before.id,
            "expires_at": record.expires_at.isoformat(),
        },
    )
    text = login_file(world, tx, identity, token)
    return LoginFile(name=name, yaml=Secret(text), token_expires_at=record.expires_at)
