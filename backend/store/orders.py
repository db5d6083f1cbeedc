"""Rows of what is still owed: standing orders, login files to write, plans waiting for their confirmation.

The schema refuses a second open order of one kind for one identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, text, update

from backend.core.errors import NotFound
from backend.store.codec import Codec, to_seconds
from backend.store.records import Delivery, Order, OrderKind, StoredPlan
from backend.store.tables import deliveries, orders, plans
from backend.store.work import Work

_ORDER = Codec(Order, orders)
_ADD = insert(orders).values({name: bindparam(name) for name in _ORDER.names})
_PUT = update(orders).where(orders.c.id == bindparam("key")).values({name: bindparam(name) for name in _ORDER.names})
_FIND = select(*_ORDER.columns).where(orders.c.id == bindparam("id"))
_OPEN_OF = (
    select(*_ORDER.columns)
    .where(orders.c.identity_number == bindparam("number"), orders.c.done_at.is_(None))
    .order_by(orders.c.created_at, orders.c.position)
)
_OPEN_BY_AGENT = (
    select(*_ORDER.columns)
    .where(orders.c.operation_id == "", orders.c.done_at.is_(None))
    .order_by(orders.c.created_at, orders.c.position)
)
_CANCEL = delete(orders).where(
    orders.c.identity_number == bindparam("number"), orders.c.kind == bindparam("which"), orders.c.done_at.is_(None)
)

_DELIVERY = Codec(Delivery, deliveries)
_ADD_DELIVERY = insert(deliveries).values({name: bindparam(name) for name in _DELIVERY.names})
_PUT_DELIVERY = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in _DELIVERY.names})
)
_DELIVERIES = select(*_DELIVERY.columns).order_by(deliveries.c.position)
_OPEN_DELIVERIES = _DELIVERIES.where(deliveries.c.written_at.is_(None))
_DELIVERIES_OF = _DELIVERIES.where(deliveries.c.operation_id == bindparam("operation"))

_PLAN = Codec(StoredPlan, plans)
_ADD_PLAN = insert(plans).values({name: bindparam(name) for name in _PLAN.names})
_GET_PLAN = select(*_PLAN.columns).where(plans.c.id == bindparam("id"))
_START_PLAN = update(plans).where(plans.c.id == bindparam("key")).values(started=True)
_OPEN_PLANS = select(plans.c.id).where(plans.c.started.is_(False), plans.c.actor == bindparam("actor"))
_SURPLUS = _OPEN_PLANS.order_by(plans.c.made_at.desc(), text("rowid DESC")).offset(bindparam("keep")).limit(-1)
_TRIM = delete(plans).where(plans.c.id.in_(_SURPLUS.scalar_subquery()))
_PURGE = delete(plans).where(plans.c.started.is_(False), plans.c.expires_at < bindparam("before"))


class SqlOrders:
    """`port.Orders` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def put(self, order: Order) -> None:
        """Write it, new or known; a second open one of its kind is refused (`AlreadyExists`)."""
        row = _ORDER.to_row(order)
        taken = f"identity number {order.identity_number} already has an open order to {order.kind.value}"
        if not self._work.write(_PUT, row | {"key": order.id}, taken=taken):
            self._work.write(_ADD, row, taken=taken)

    def find(self, order_id: str) -> Order | None:
        """Return the one with that id, if any."""
        row = self._work.row(_FIND, {"id": order_id})
        return None if row is None else _ORDER.from_row(row)

    def open_of(self, identity_number: int) -> Sequence[Order]:
        """Return orders of an identity that are not done, oldest first."""
        return [_ORDER.from_row(row) for row in self._work.rows(_OPEN_OF, {"number": identity_number})]

    def open_by_agent(self) -> Sequence[Order]:
        """Return orders that are part of no operation and not done, oldest first."""
        return [_ORDER.from_row(row) for row in self._work.rows(_OPEN_BY_AGENT)]

    def cancel(self, identity_number: int, kind: OrderKind) -> None:
        """Take back the open order of that kind, if there is one."""
        self._work.write(_CANCEL, {"number": identity_number, "which": kind.value})

    def put_delivery(self, delivery: Delivery) -> None:
        """Write it, new or known."""
        row = _DELIVERY.to_row(delivery)
        if not self._work.write(_PUT_DELIVERY, row | {"key": delivery.id}):
            self._work.write(_ADD_DELIVERY, row)

    def open_deliveries(self) -> Sequence[Delivery]:
        """Return those not yet carried out, oldest first."""
        return [_DELIVERY.from_row(row) for row in self._work.rows(_OPEN_DELIVERIES)]

    def deliveries_of(self, operation_id: str) -> Sequence[Delivery]:
        """Return those of one operation, oldest first."""
        return [_DELIVERY.from_row(row) for row in self._work.rows(_DELIVERIES_OF, {"operation": operation_id})]


class SqlPlans:
    """`port.Plans` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, plan: StoredPlan) -> None:
        """Keep a plan as it was shown."""
        self._work.write(_ADD_PLAN, _PLAN.to_row(plan), taken=f"a plan with id {plan.id} exists already")

    def get(self, plan_id: str) -> StoredPlan:
        """Return the one with that id; raise `NotFound`."""
        row = self._work.row(_GET_PLAN, {"id": plan_id})
        if row is None:
            raise NotFound(f"there is no plan {plan_id}; make a new one")
        return _PLAN.from_row(row)

    def mark_started(self, plan_id: str) -> None:
        """Note that it is being carried out, so that it is kept."""
        if not self._work.write(_START_PLAN, {"key": plan_id}):
            raise NotFound(f"there is no plan {plan_id}; make a new one")

    def trim(self, actor: str, keep: int) -> None:
        """Forget all but the newest `keep` plans of one caller that were never started."""
        self._work.write(_TRIM, {"actor": actor, "keep": keep})

    def purge(self, before: datetime) -> None:
        """Forget plans never started whose time ran out before `before`."""
        self._work.write(_PURGE, {"before": to_seconds(before)})
