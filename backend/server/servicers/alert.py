"""mocdeck.v1 AlertAgent: alerts with who was told, quiet, and test notices."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from backend.server.servicer import Context, Served, Table
from backend.service import alerts
from backend.service.caller import Caller
from backend.store.alert_records import SinkRow
from backend.wire.convert.alerts import alert_row, alert_silence
from backend.wire.convert.checks import check_name, check_optional_name, check_text
from backend.wire.convert.instants import instant, known_instant, unix
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import alert_pb2

_ORIGINS: Final = frozenset({"cli", "tui"})


def _list(context: Context, _request: alert_pb2.AlertListRequest) -> alert_pb2.AlertList:
    found = alerts.view(context.tx)
    return alert_pb2.AlertList(
        alerts=[alert_row(alert) for alert in found.alerts],
        silences=[alert_silence(silence) for silence in found.silences],
        sinks=[_sink(row, found.owed.get(row.name, 0)) for row in found.sinks],
        agent_time=unix(context.world.clock.now()),
    )


def _acknowledge(context: Context, request: alert_pb2.AcknowledgeRequest) -> alert_pb2.AlertSilence:
    until = known_instant(request.until, "end of the acknowledgement")
    name, reason = check_name(request.name), check_text(request.reason, "reason")
    made = alerts.acknowledge(context.tx, context.world, _caller(context, request.origin), name, until, reason)
    return alert_silence(made)


def _silence(context: Context, request: alert_pb2.SilenceRequest) -> alert_pb2.AlertSilence:
    made = alerts.silence(
        context.tx,
        context.world,
        _caller(context, request.origin),
        check_name(request.name),
        instant(request.until),
        check_text(request.reason, "reason"),
        is_cluster=request.is_cluster,
    )
    return alert_pb2.AlertSilence(name=request.name) if made is None else alert_silence(made)


def _test(context: Context, request: alert_pb2.AlertTestRequest) -> alert_pb2.AlertTest:
    sink = check_optional_name(request.sink, "sink")
    caller = _caller(context, request.origin)
    return alert_pb2.AlertTest(sinks=alerts.test_sinks(context.tx, context.world, caller, sink, context.world.sinks))


def _caller(context: Context, origin: str) -> Caller:
    return replace(context.caller, origin=origin) if origin in _ORIGINS else context.caller


def _sink(row: SinkRow, owed: int) -> alert_pb2.AlertSink:
    return alert_pb2.AlertSink(
        name=row.name,
        owed=owed,
        deliveries=row.deliveries,
        failures=row.failures,
        failing_since_at=unix(row.failing_since_at),
        last_error=row.last_error,
        tried_at=unix(row.tried_at),
        sent_at=unix(row.sent_at),
        next_at=unix(row.next_at),
    )


TABLE: Final[Table] = {
    get_method("AlertAgent", "List").path: Served(_list),
    get_method("AlertAgent", "Acknowledge").path: Served(_acknowledge),
    get_method("AlertAgent", "Silence").path: Served(_silence),
    get_method("AlertAgent", "Test").path: Served(_test),
}
