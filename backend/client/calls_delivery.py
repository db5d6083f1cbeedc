"""The operator's calls about delivery: where login files can be put, and what is owed."""

from __future__ import annotations

from collections.abc import Sequence

from backend.client.session import Session
from backend.wire.mocdeck.v1 import delivery_pb2


class DeliveryCalls:
    """Listing places and looking at them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def delivery(self, names: Sequence[str] = (), *, probe: bool = False) -> delivery_pb2.DeliveryList:
        """Return the places of these clients (none: of all that have one); `probe` has the agent look at each now.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection.
        """
        request = delivery_pb2.DeliveryListRequest(names=names)
        method = "Probe" if probe else "List"
        return await self._session.call("DeliveryAgent", method, request, delivery_pb2.DeliveryList)
