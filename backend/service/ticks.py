"""What the agent does by itself, again and again: owed token rotations, operations, the CA rotation, old plans.

Call it in a transaction of its own (see `reconcile.sweep`). Each part stands alone: one that fails is undone and
reported, and the others go on. While the agent's clock is in doubt nothing is moved by it (pki.md, invariant I8).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backend.core.errors import AgentError
from backend.service import operations, rotations
from backend.service.auto_rotation import rotate_due
from backend.service.clock_trust import doubt
from backend.service.fence import forbids_operations
from backend.service.reconcile import sweep
from backend.service.world import World
from backend.store.port import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """What one tick did; `errors` are (part, sentence) of parts that failed and were undone.

    `doubt` says why the clock is not believed; "" when it is. `rotation_moved` is the rotation's new phase or step, ""
    when it stood still: listeners look at their certificates again after any move.
    """

    tokens_begun: int
    operations_changed: tuple[str, ...]
    rotation_moved: str
    swept: tuple[str, ...]
    doubt: str
    errors: tuple[tuple[str, str], ...]


def tick(tx: Transaction, world: World) -> TickReport:
    """Do all parts once and say what came of them."""
    why = doubt(tx, world)
    errors: list[tuple[str, str]] = []
    swept: list[tuple[str, ...]] = []
    begun: list[int] = []
    changed: list[tuple[str, ...]] = []
    moved: list[str] = []
    _apart(tx, errors, "sweep", lambda: swept.append(sweep(tx, world)))
    if not why:
        if not forbids_operations(tx):
            _apart(tx, errors, "tokens", lambda: begun.append(rotate_due(tx, world)))
        _apart(tx, errors, "operations", lambda: changed.append(operations.tick(tx, world)))
        _apart(tx, errors, "plans", lambda: tx.plans.purge(world.clock.now() - world.policy.plan_lifetime))
    _apart(tx, errors, "rotation", lambda: moved.append(rotations.tick(tx, world)))
    return TickReport(
        tokens_begun=sum(begun),
        operations_changed=tuple(name for names in changed for name in names),
        rotation_moved="".join(moved),
        swept=tuple(name for names in swept for name in names),
        doubt=why,
        errors=tuple(errors),
    )


def _apart(tx: Transaction, errors: list[tuple[str, str]], part: str, work: Callable[[], None]) -> None:
    try:
        with tx.savepoint():
            work()
    except AgentError as error:
        errors.append((part, str(error)))
