"""An operation as it is shown: its targets with the dates that the plan predicted, and counts that add up."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from backend.core.delta import instant
from backend.service.targets import UNDER_WAY
from backend.store.port import Transaction
from backend.store.records import OperationRow, TargetRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """A target's row with the dates that its plan predicted."""

    row: TargetRow
    certificate_then: datetime | None
    token_then: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationView:
    """An operation with its targets in order; done + failed + running + waiting + skipped = total."""

    row: OperationRow
    targets: tuple[TargetView, ...]
    done: int
    failed: int
    running: int
    waiting: int
    skipped: int

    @property
    def total(self) -> int:
        """How many targets it has, those among them that the plan refused."""
        return len(self.targets)


def view(tx: Transaction, operation: OperationRow) -> OperationView:
    """Return an operation as its rows have it; observing is the tick's."""
    predicted = {d["number"]: d for d in json.loads(tx.plans.get(operation.plan_id).body)["decisions"]}
    rows = tx.operations.targets(operation.id)
    targets = tuple(
        TargetView(
            row=row,
            certificate_then=instant(predicted[row.identity_number]["certificate_then"]),
            token_then=instant(predicted[row.identity_number]["token_then"]),
        )
        for row in rows
    )
    counts = Counter("running" if row.state in UNDER_WAY else row.state for row in rows)
    return OperationView(
        row=operation,
        targets=targets,
        done=counts["done"],
        failed=counts["failed"],
        running=counts["running"],
        waiting=counts["waiting"],
        skipped=counts["skipped"],
    )
