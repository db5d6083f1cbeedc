"""An operation that goes on past failures, up to the number that its plan names (domain.md 16.6-8)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.core.plan import ActionKind
from backend.service import operations
from backend.service.operations import OperationView
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from tests.service.live.conftest import Live

DUE = timedelta(days=63)  # 30 % of 90 days are left
NAMES = [f"kva-{number}" for number in range(1, 7)]


def carry_out(live: Live, *, deaf: list[str], max_failures: int) -> OperationView:
    """Renew six clients, of whom `deaf` take no orders, with an agent that is killed between any two ticks."""
    for name in NAMES:
        live.client(name)
    live.site.clock.advance(DUE)
    for client in live.clients.values():
        client.beat()
        client.obeys = client.name not in deaf
    with live.site.transaction() as tx:
        planned = operations.plan(
            tx, live.site.world, live.site.admin, action=ActionKind.RENEW, names=NAMES, max_failures=max_failures
        )
    with live.site.transaction() as tx:
        started = operations.start(
            tx, live.site.world, live.site.admin, plan_id=planned.id, hash=planned.hash, origin="cli"
        )
    for _ in range(40):
        live.site.store.close()
        object.__setattr__(live.site, "store", open_store(live.site.directory / "store.db"))
        live.pass_interval()
        with live.site.transaction() as tx:
            view = operations.get(tx, started.row.id)
        assert view.done + view.failed + view.running + view.waiting + view.skipped == view.total
        if view.row.state != "running":
            break
    return view


@pytest.mark.parametrize(
    ("max_failures", "states"),
    [
        (1, ["done", "failed", "skipped", "skipped", "skipped", "skipped"]),
        (2, ["done", "failed", "done", "failed", "skipped", "skipped"]),
        (3, ["done", "failed", "done", "failed", "done", "done"]),
    ],
)
def test_what_has_not_started_is_stopped_by_as_many_failures_as_the_plan_allows(
    max_failures: int, states: list[str], live: Live
) -> None:
    view = carry_out(live, deaf=["kva-2", "kva-4"], max_failures=max_failures)
    assert [target.row.state for target in view.targets] == states
    assert view.row.state == "failed", "an operation that went on past a failure is no success"
    for target in view.targets:
        certificates = 2 if target.row.state == "done" else 1
        with live.site.transaction() as tx:
            assert len(tx.certificates.of(target.row.identity_number)) == certificates
            assert not tx.orders.open_of(target.row.identity_number), "nothing is left to happen after the report"


def test_what_was_not_started_names_who_failed(live: Live) -> None:
    view = carry_out(live, deaf=["kva-1", "kva-2"], max_failures=2)
    assert view.targets[-1].row.result == "not started, because kva-1, kva-2 failed"
