"""What the agent does by itself: each part alone, and nothing while its clock is in doubt."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backend.core.plan import ActionKind
from backend.service import audit, operations

if TYPE_CHECKING:
    from tests.service.live.conftest import Live


def test_a_tick_of_a_quiet_agent_writes_no_audit_event(live: Live) -> None:
    live.tick()
    with live.site.transaction() as tx:
        before = tx.audit.head()
    for _ in range(3):
        live.site.clock.advance(timedelta(seconds=1))
        live.tick()
    with live.site.transaction() as tx:
        assert tx.audit.head() == before


def test_no_token_is_rotated_early_because_the_clock_jumped_ahead(live: Live) -> None:
    live.client("kva", auto_rotate=True)
    live.tick()
    live.site.clock.set(live.site.clock.now() + timedelta(days=400))
    report = live.tick()
    assert "jumped ahead by 400 days" in report.doubt
    assert report.tokens_begun == 0
    with live.site.transaction() as tx:
        assert tx.orders.open_of(live.clients["kva"].number) == []
        assert [event.action for event in tx.audit.newest(1)] == ["distrust_clock"]
        assert audit.verify(tx).intact


def test_an_order_is_not_timed_out_by_a_jump_of_the_clock(live: Live) -> None:
    live.client("kva")
    site = live.site
    site.clock.advance(timedelta(days=63))
    live.clients["kva"].beat()
    live.tick()
    with site.transaction() as tx:
        made = operations.plan(tx, site.world, site.admin, action=ActionKind.RENEW, names=["kva"])
    with site.transaction() as tx:
        running = operations.start(tx, site.world, site.admin, plan_id=made.id, hash=made.hash).row.id
    live.tick()
    site.clock.set(site.clock.now() + timedelta(hours=2))
    live.tick()
    with site.transaction() as tx:
        assert operations.get(tx, running).running == 1
