"""mocdeck.v1 DeliveryAgent: where login files can be put, looks at those places, and what is owed."""

from __future__ import annotations

from typing import Final

from backend.server.calls import Looks
from backend.server.servicer import Context, Served, Table, Unfinished
from backend.service.delivery_view import ClientWays, overview
from backend.store.records import Delivery
from backend.wire.convert.checks import check_name
from backend.wire.convert.delivery import delivery_place
from backend.wire.convert.instants import unix
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import delivery_pb2


def _list(context: Context, request: delivery_pb2.DeliveryListRequest) -> delivery_pb2.DeliveryList:
    names = [check_name(name, "client name") for name in request.names]
    found = overview(context.tx, context.world, names)
    return delivery_pb2.DeliveryList(
        clients=[_client(one) for one in found.clients],
        owed=[_owed(name, delivery) for name, delivery in found.owed],
        agent_time=unix(context.world.clock.now()),
    )


def _probe(context: Context, request: delivery_pb2.DeliveryListRequest) -> delivery_pb2.DeliveryList | Unfinished:
    answer = _list(context, request)  # also refuses a name that is not there
    if context.call.progress:
        return answer
    return Unfinished(Looks(names=tuple(one.name for one in answer.clients), anew=True))


def _client(one: ClientWays) -> delivery_pb2.DeliveryClient:
    return delivery_pb2.DeliveryClient(
        name=one.identity.name,
        cluster=one.identity.cluster,
        kind=one.identity.kind.value,
        route=one.route.value,
        places=[delivery_place(way) for way in one.ways],
    )


def _owed(name: str, delivery: Delivery) -> delivery_pb2.OwedDelivery:
    return delivery_pb2.OwedDelivery(
        name=name,
        route=delivery.route,
        place=delivery.label,
        created_at=unix(delivery.created_at),
        attempts=delivery.attempts,
        tried_at=unix(delivery.tried_at),
        last_error=delivery.last_error,
        operation_id=delivery.operation_id,
    )


TABLE: Final[Table] = {
    get_method("DeliveryAgent", "List").path: Served(_list),
    get_method("DeliveryAgent", "Probe").path: Served(_probe),
}
