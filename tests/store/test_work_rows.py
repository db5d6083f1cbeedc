"""Orders, deliveries, plans, operations and rotations."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.core.errors import AlreadyExists, InconsistentState, NotFound
from backend.store.port import Store
from backend.store.records import (
    Delivery,
    OperationRow,
    Order,
    OrderKind,
    RotationClientRow,
    RotationRow,
    StoredPlan,
    TargetRow,
)

SECOND = timedelta(seconds=1)


def order(order_id: str, at: datetime, kind: OrderKind = OrderKind.RENEW, number: int = 1) -> Order:
    return Order(id=order_id, identity_number=number, kind=kind, created_at=at)


def operation(operation_id: str, at: datetime, state: str = "running") -> OperationRow:
    return OperationRow(
        id=operation_id,
        plan_id="p",
        action="renew",
        state=state,
        actor="admin",
        origin="tui",
        parallel=4,
        reason="",
        overlap_seconds=-1,
        started_at=at,
    )


def target(position: int, number: int, state: str = "waiting", step: str = "") -> TargetRow:
    return TargetRow(
        operation_id="op",
        position=position,
        identity_number=number,
        name=f"client-{number}",
        route="itself",
        state=state,
        step=step,
        old_serial=2**159 - 1,
    )


def rotation(rotation_id: str, at: datetime, version: int = 1) -> RotationRow:
    return RotationRow(
        id=rotation_id,
        phase="planned",
        version=version,
        from_generation=1,
        to_generation=2,
        plan_id="p",
        plan_hash="h",
        actor="admin",
        reason="routine",
        started_at=at,
        phase_at=at,
    )


def test_one_order_of_a_kind_is_open(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.orders.put(order("o1", make.now))
        with pytest.raises(AlreadyExists, match="renew"):
            tx.orders.put(order("o2", make.now))
        tx.orders.put(order("o3", make.now - SECOND, OrderKind.SIGN_IN))
        tx.orders.put(order("o4", make.now, number=2))
        assert [found.id for found in tx.orders.open_of(1)] == ["o3", "o1"]
        done = replace(order("o1", make.now), done_at=make.now, handed_out_at=make.now, token_id="t")
        tx.orders.put(done)
        tx.orders.put(order("o2", make.now))
        assert tx.orders.find("o1") == done
        with pytest.raises(AlreadyExists, match="renew"):
            tx.orders.put(order("o1", make.now))
        assert [found.id for found in tx.orders.open_of(1)] == ["o3", "o2"]


def test_a_cancelled_order_is_gone_and_a_done_one_stays(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.orders.put(replace(order("o1", make.now), done_at=make.now))
        tx.orders.put(order("o2", make.now))
        tx.orders.put(order("o3", make.now, OrderKind.TAKE_TOKEN))
        tx.orders.cancel(1, OrderKind.RENEW)
        tx.orders.cancel(2, OrderKind.RENEW)
        assert [found.id for found in tx.orders.open_of(1)] == ["o3"]
        assert tx.orders.find("o1") is not None


def test_a_delivery_is_owed_until_it_is_written(ready: Store, make: Any) -> None:
    owed = Delivery(
        id="d1", identity_number=1, place="/var/login.yaml", token_id="", created_at=make.now, operation_id="op"
    )
    with ready.transaction() as tx:
        tx.orders.put_delivery(owed)
        tx.orders.put_delivery(replace(owed, attempts=1, last_error="no space"))
        assert tx.orders.open_deliveries() == [replace(owed, attempts=1, last_error="no space")]
        written = replace(owed, attempts=2, token_id="t2", written_at=make.now)
        tx.orders.put_delivery(written)
        assert tx.orders.open_deliveries() == []
        assert tx.orders.deliveries_of("op") == [written]


def test_plans_that_were_never_started_are_forgotten_after_their_time(store: Store, make: Any) -> None:
    def plan(plan_id: str, expires_at: datetime) -> StoredPlan:
        return StoredPlan(
            id=plan_id, kind="operation", hash="h", made_at=make.now, expires_at=expires_at, actor="a", body="{}"
        )

    with store.transaction() as tx:
        for plan_id, late in (("old", -1), ("started", -1), ("just", 0), ("new", 1)):
            tx.plans.add(plan(plan_id, make.now + late * SECOND))
        tx.plans.mark_started("started")
        tx.plans.purge(make.now)
        assert tx.plans.get("started").started
        assert tx.plans.get("just") == plan("just", make.now)
        assert not tx.plans.get("new").started
        for refused in (tx.plans.get, tx.plans.mark_started):
            with pytest.raises(NotFound, match="old"):
                refused("old")
        with pytest.raises(AlreadyExists, match="new"):
            tx.plans.add(plan("new", make.now))


def test_only_the_newest_plans_of_a_caller_are_kept_and_every_started_one(store: Store, make: Any) -> None:
    def plan(plan_id: str, actor: str) -> StoredPlan:
        return StoredPlan(
            id=plan_id, kind="operation", hash="h", made_at=make.now, expires_at=make.now, actor=actor, body="{}"
        )

    with store.transaction() as tx:
        for plan_id in ("started", "first", "second", "third"):  # within one second
            tx.plans.add(plan(plan_id, "a"))
        tx.plans.add(plan("other", "b"))
        tx.plans.mark_started("started")
        tx.plans.trim("a", 2)
        kept = {plan_id: tx.plans.get(plan_id).actor for plan_id in ("started", "second", "third", "other")}
        assert kept == {"started": "a", "second": "a", "third": "a", "other": "b"}
        with pytest.raises(NotFound, match="first"):
            tx.plans.get("first")


def test_an_operation_keeps_its_order_of_execution(ready: Store, make: Any) -> None:
    rows = [target(2, 1), target(0, 2), target(1, 1)]
    with ready.transaction() as tx:
        tx.operations.add(operation("op", make.now), rows)
        assert [found.position for found in tx.operations.targets("op")] == [0, 1, 2]
        done = replace(target(1, 1), state="done", new_serial=7, ended_at=make.now)
        tx.operations.put_target(done)
        assert tx.operations.targets("op")[1] == done
        with pytest.raises(NotFound, match="position 9"):
            tx.operations.put_target(target(9, 1))
        with pytest.raises(AlreadyExists, match="op"):
            tx.operations.add(operation("op", make.now), [])


def test_running_oldest_first_and_recent_newest_first(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        for name in ("a", "b", "c"):
            tx.operations.add(operation(name, make.now), [])
        tx.operations.put(replace(operation("b", make.now), state="done", ended_at=make.now))
        assert [found.id for found in tx.operations.running()] == ["a", "c"]
        assert [found.id for found in tx.operations.recent(2)] == ["c", "b"]
        assert tx.operations.get("b").ended_at == make.now
        with pytest.raises(NotFound, match="operation d"):
            tx.operations.put(operation("d", make.now))


def test_an_activity_is_a_target_under_way_in_a_running_operation(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        rows = [target(0, 1, "ordered", "ordered, waiting for its heartbeat"), target(1, 2, "waiting")]
        tx.operations.add(operation("op", make.now), rows)
        assert list(tx.operations.activities()) == [(1, "ordered, waiting for its heartbeat")]
        tx.operations.put_target(target(1, 2, "issued"))
        assert list(tx.operations.activities([2])) == [(2, "issued")]
        tx.operations.put(operation("op", make.now, "stopped"))
        assert list(tx.operations.activities()) == []


def test_one_rotation_is_open(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        assert tx.rotations.find_open() is None
        assert tx.rotations.find_last() is None
        tx.rotations.add(rotation("r1", make.now), [])
        with pytest.raises(AlreadyExists, match="another CA rotation is open"):
            tx.rotations.add(rotation("r2", make.now), [])
        tx.rotations.put(replace(rotation("r1", make.now, 2), ended_at=make.now, phase="done"))
        assert tx.rotations.find_open() is None
        tx.rotations.add(rotation("r2", make.now), [])
        assert tx.rotations.find_open() == rotation("r2", make.now)
        assert tx.rotations.find_last() == rotation("r2", make.now)
        assert tx.rotations.get("r1").phase == "done"
        with pytest.raises(NotFound, match="r3"):
            tx.rotations.get("r3")


@pytest.mark.parametrize("version", [0, 1, 3])
def test_a_move_names_the_version_it_was_made_from(store: Store, make: Any, version: int) -> None:
    with store.transaction() as tx:
        tx.rotations.add(rotation("r1", make.now), [])
        with pytest.raises(InconsistentState, match="version 1"):
            tx.rotations.put(rotation("r1", make.now, version))
        tx.rotations.put(rotation("r1", make.now, 2))


def test_clients_of_a_rotation_keep_their_order(store: Store, make: Any) -> None:
    def client(number: int, **other: Any) -> RotationClientRow:
        return RotationClientRow(
            rotation_id="r1", identity_number=number, name=f"c{number}", route="itself", why="it lives", **other
        )

    with store.transaction() as tx:
        tx.rotations.add(rotation("r1", make.now), [client(9), client(3)])
        tx.rotations.put_clients([client(3, lost_at=make.now), client(5)])
        tx.rotations.put_client(client(9, written_off="retired"))
        assert tx.rotations.clients("r1") == [
            client(9, written_off="retired"),
            client(3, lost_at=make.now),
            client(5),
        ]


def test_a_step_is_intended_once_and_finished_once(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        tx.rotations.add(rotation("r1", make.now), [])
        with pytest.raises(InconsistentState, match="never began"):
            tx.rotations.finish("r1", "stage", make.now)
        tx.rotations.intent("r1", "stage", make.now)
        tx.rotations.intent("r1", "stage", make.now + SECOND)
        tx.rotations.intent("r1", "fence", make.now)
        assert tx.rotations.steps("r1") == [("stage", make.now, None), ("fence", make.now, None)]
        tx.rotations.finish("r1", "stage", make.now + SECOND)
        tx.rotations.finish("r1", "stage", make.now + 2 * SECOND)
        assert tx.rotations.steps("r1")[0] == ("stage", make.now, make.now + SECOND)
