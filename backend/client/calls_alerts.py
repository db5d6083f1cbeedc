"""The operator's calls about alerts: what is not well, quiet about it, and whether notifications arrive."""

from __future__ import annotations

from datetime import datetime

from backend.client.session import Session
from backend.wire.convert import unix
from backend.wire.mocdeck.v1 import alert_pb2


class AlertCalls:
    """Listing, acknowledging, silencing and testing."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def alerts(self) -> alert_pb2.AlertList:
        """Return alerts, worst first, with silences and sinks.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection; so do all calls here.
        """
        return await self._session.call("AlertAgent", "List", alert_pb2.AlertListRequest(), alert_pb2.AlertList)

    async def acknowledge_alert(
        self, name: str, until: datetime, *, reason: str = "", origin: str
    ) -> alert_pb2.AlertSilence:
        """Be quiet about an alert until an instant; worse breaks it."""
        request = alert_pb2.AcknowledgeRequest(name=name, until=unix(until), reason=reason, origin=origin)
        return await self._session.call("AlertAgent", "Acknowledge", request, alert_pb2.AlertSilence)

    async def silence_alerts(
        self, name: str, until: datetime | None, *, is_cluster: bool = False, reason: str = "", origin: str
    ) -> alert_pb2.AlertSilence:
        """Be quiet about a client or a cluster until an instant; None ends the silence."""
        request = alert_pb2.SilenceRequest(
            name=name, is_cluster=is_cluster, until=unix(until), reason=reason, origin=origin
        )
        return await self._session.call("AlertAgent", "Silence", request, alert_pb2.AlertSilence)

    async def test_alerts(self, sink: str = "", *, origin: str) -> alert_pb2.AlertTest:
        """Send a test notice to one sink, or to all; returns the names of those that are tried."""
        request = alert_pb2.AlertTestRequest(sink=sink, origin=origin)
        return await self._session.call("AlertAgent", "Test", request, alert_pb2.AlertTest)
