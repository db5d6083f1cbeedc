"""The operator's calls about the fleet: its columns, one client in full, clusters, and the audit chain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from backend.client.calls_authority import is_informing
from backend.client.session import Session
from backend.core.delta import FleetDelta
from backend.wire.convert import fleet_delta, fleet_request, unix
from backend.wire.mocdeck.v1 import audit_pb2, fleet_pb2


class FleetCalls:
    """Reading the fleet. Values of `mocdeck.v1` come as they are; the fleet's chunks as core's own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def fleet(self, since: int = 0) -> AsyncIterator[FleetDelta]:
        """Yield everything that changed after the counter `since` (0: everything), in chunks; the last says so.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection; so do all calls here.
        """
        request = fleet_request(since)
        async for chunk in self._session.stream("FleetAgent", "Read", request, fleet_pb2.FleetChunk):
            yield fleet_delta(chunk)

    async def watch(self, since: int = 0) -> AsyncIterator[FleetDelta]:
        """As `fleet`, and then whatever changes; ends only by raising. Ask again with the last complete `change`."""
        request = fleet_request(since)
        async for chunk in self._session.stream("FleetAgent", "Watch", request, fleet_pb2.FleetChunk):
            if is_informing(chunk.rotation_phase):
                self._session.beat_soon()
            yield fleet_delta(chunk)

    async def describe(self, name: str) -> fleet_pb2.Description:
        """Return one client in full."""
        request = fleet_pb2.DescribeRequest(name=name)
        return await self._session.call("FleetAgent", "Describe", request, fleet_pb2.Description)

    async def token_policy(self) -> fleet_pb2.TokenPolicy:
        """Return the rules by which the agent rotates tokens of its own accord, and what stands against it."""
        request = fleet_pb2.TokenPolicyRequest()
        return await self._session.call("FleetAgent", "GetTokenPolicy", request, fleet_pb2.TokenPolicy)

    async def put_cluster(
        self, name: str, *, management: bool = False, planned_off_until: datetime | None = None
    ) -> None:
        """Add a cluster, or change it."""
        row = fleet_pb2.ClusterRow(name=name, management=management, planned_off_until=unix(planned_off_until))
        request = fleet_pb2.PutClusterRequest(cluster=row)
        await self._session.call("FleetAgent", "PutCluster", request, fleet_pb2.PutClusterResponse)

    async def remove_cluster(self, name: str) -> None:
        """Mark a cluster as removed; its clients become orphans."""
        request = fleet_pb2.RemoveClusterRequest(name=name)
        await self._session.call("FleetAgent", "RemoveCluster", request, fleet_pb2.RemoveClusterResponse)

    async def audit(self, *, after: int = 0, limit: int = 200, subject: str = "") -> Sequence[fleet_pb2.AuditRecord]:
        """Return audit records: the newest first, or those after an index."""
        request = audit_pb2.AuditListRequest(after=after, limit=limit, subject=subject)
        answer = await self._session.call("AuditAgent", "List", request, audit_pb2.AuditList)
        return list(answer.records)

    async def verify_audit(self) -> audit_pb2.AuditVerdict:
        """Let the agent walk its audit chain."""
        return await self._session.call("AuditAgent", "Verify", audit_pb2.AuditVerifyRequest(), audit_pb2.AuditVerdict)
