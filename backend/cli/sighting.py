"""When, where and how an export was seen: the head that every form of it carries (domain.md, US-19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import backend
from backend.core.errors import InvalidInput
from backend.core.export import Head

if TYPE_CHECKING:
    from backend.cli.root import Root
    from backend.client.operator import Operator
    from backend.core.fleet import FleetColumns


def head_of(fleet: FleetColumns, address: str, filter: str = "") -> Head:
    """Return the head of what was read together with `fleet`; its time is the agent's.

    Raises:
        InvalidInput: the agent did not say what time it has.
    """
    if fleet.agent_time is None:
        raise InvalidInput(f"the agent at {address} did not say what time it has; is it a mocdeck agent?")
    return Head(
        observed_at=fleet.agent_time,
        agent=address,
        deployment=fleet.deployment,
        filter=filter,
        tool_version=backend.__version__,
        simulated=fleet.simulated,
    )


async def read_head(operator: Operator, *, filter: str = "") -> Head:
    """Ask the agent what site it is, what time it has, and whether it is simulated; that comes with the fleet."""
    from backend.cli.status import read_fleet

    return head_of(await read_fleet(operator), operator.credential.agent, filter)


def read_sighting(root: Root) -> tuple[FleetColumns, Head]:
    """Read the context's fleet with its head."""
    from backend.cli.session import run_with_operator
    from backend.cli.status import read_fleet

    async def read(operator: Operator) -> tuple[FleetColumns, Head]:
        fleet = await read_fleet(operator)
        return fleet, head_of(fleet, operator.credential.agent)

    return run_with_operator(root, read)
