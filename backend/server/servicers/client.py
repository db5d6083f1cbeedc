"""mocdeck.v1 ClientAgent: heartbeats."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from backend.core.errors import InvalidInput
from backend.server.servicer import Context, Served, Table
from backend.server.servicers.trust import link_messages
from backend.service.heartbeat import Beat, beat
from backend.store.records import OrderKind
from backend.wire.convert.canary import report_of, task_message
from backend.wire.convert.instants import known_instant, unix
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import client_pb2

_KINDS: Final = {
    OrderKind.RENEW: client_pb2.RENEW_NOW,
    OrderKind.SIGN_IN: client_pb2.SIGN_IN_NOW,
    OrderKind.TAKE_TOKEN: client_pb2.TAKE_TOKEN,
}
_SERIAL_DIGITS: Final = 40  # 20 octets (RFC 5280, 4.1.2.2)
_HEXADECIMAL: Final = frozenset("0123456789abcdef")


def _serial(text: str) -> int:
    if not text:
        return 0
    if len(text) <= _SERIAL_DIGITS and set(text) <= _HEXADECIMAL:
        return int(text, 16)
    raise InvalidInput("serial of the heartbeat is not a certificate serial in hexadecimal")


def _beat(context: Context, request: client_pb2.BeatRequest) -> client_pb2.BeatReply:
    answer = beat(
        context.tx,
        context.world,
        context.caller,
        Beat(
            serial=_serial(request.serial),
            epoch=request.epoch,
            clock=known_instant(request.clock, "clock"),
            loop_alive=request.loop_alive,
            last_error=request.last_error,
            interval=timedelta(seconds=request.interval),
            version=request.version,
            token_id=request.token_id,
            can_store_token=request.can_store_token,
            done_order=request.done_order,
            canary_report=report_of(request.canary_report) if request.HasField("canary_report") else None,
            renews_itself=request.renews_itself if request.HasField("renews_itself") else None,
        ),
    )
    order = answer.order
    return client_pb2.BeatReply(
        agent_time=unix(answer.agent_time),
        interval=int(answer.interval.total_seconds()),
        epoch=answer.epoch,
        bundle_pem=answer.bundle_pem,
        order=client_pb2.Order(id=order.id, kind=_KINDS[order.kind]) if order is not None else None,
        login_token=answer.login_token.reveal() if answer.login_token is not None else "",
        chain=link_messages(answer.chain),
        canary_task=task_message(answer.canary_task),
    )


TABLE: Final[Table] = {get_method("ClientAgent", "Beat").path: Served(_beat)}
