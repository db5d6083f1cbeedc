"""What an operation's plan said of each of its targets, read again from the stored plan whenever it is needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backend.core.model import ClientKind
from backend.core.plan import ActionKind
from backend.core.update import must_wait
from backend.store.port import Transaction
from backend.store.records import OperationRow, TargetRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The single actions that each target of an update takes, and its kind; for any other action the same for all.

    `max_failures` is how many have to fail before nothing further starts. `runs` are the clients that the plan touches;
    `is_resumed`: it goes on with an operation that had ended.
    """

    action: ActionKind
    planned: Mapping[int, tuple[tuple[ActionKind, ...], ClientKind]]
    max_failures: int
    runs: frozenset[int]
    is_resumed: bool

    def parts_of(self, target: TargetRow) -> tuple[ActionKind, ...]:
        """Return what is done to a target, in order."""
        planned = self.planned.get(target.identity_number)
        return (self.action,) if planned is None else planned[0]

    def must_wait(self, target: TargetRow, under_way: Iterable[TargetRow]) -> bool:
        """Tell whether an order rule keeps a target from beginning beside those that are under way."""
        planned = self.planned.get(target.identity_number)
        if planned is None:
            return False
        others = [found[1] for other in under_way if (found := self.planned.get(other.identity_number)) is not None]
        return must_wait(planned[1], others)


def terms_of(tx: Transaction, operation: OperationRow) -> Terms:
    """Return what an operation's plan said."""
    action = ActionKind(operation.action)
    document = json.loads(tx.plans.get(operation.plan_id).body)
    max_failures = int(document.get("max_failures", 1))  # absent in plans of an earlier version
    decisions = document["decisions"]
    planned = {
        int(one["number"]): (tuple(ActionKind(part) for part in one["parts"]), ClientKind(one["kind"]))
        for one in decisions
        if action is ActionKind.UPDATE and one["parts"]
    }
    return Terms(
        action=action,
        planned=planned,
        max_failures=max_failures,
        runs=frozenset(int(one["number"]) for one in decisions if one["runs"]),
        is_resumed=bool(document.get("resumes")),
    )
