"""Two more sites beside the staged one: a productive one with a few troubles of its own, and one that is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from backend.clock import Clock
from backend.core.fleet import ClientFlag, FleetDelta
from scripts.stage.agent import StagedAgent
from scripts.stage.fleet import DAY, HOUR, MINUTE, Seed
from tui.gateway import Connection

_OSLO: Final = (
    Seed(
        name="kms-1", kind="KMS", cluster="oslo-wl1", left=-26 * MINUTE, token=-4 * HOUR, beats=False, owner="team-db"
    ),
    Seed(
        name="csi-1",
        kind="CSI",
        cluster="oslo-wl1",
        left=6 * HOUR,
        token=40 * DAY,
        flags=ClientFlag.NONE,
        owner="team-db",
    ),
    Seed(name="nodeagent-1", kind="NodeAgent", cluster="oslo-mgmt", left=41 * DAY, token=9 * HOUR, owner="ops-kari"),
    Seed(name="caph-1", kind="CAPH", cluster="oslo-mgmt", left=52 * DAY, owner="ops-kari"),
    Seed(name="cloud-operator", kind="CloudOperator", cluster="oslo-mgmt", left=33 * DAY, owner="ops-kari"),
    Seed(name="csi-2", kind="CSI", cluster="oslo-wl1", left=58 * DAY, owner="team-db"),
)
_TURIN: Final = (
    Seed(name="kms-1", kind="KMS", cluster="turin-wl1", left=3 * DAY, token=44 * DAY, flags=ClientFlag.NONE),
    Seed(name="nodeagent-1", kind="NodeAgent", cluster="turin-mgmt", left=44 * DAY),
)


class _NamedAgent(StagedAgent):
    """A staged agent of another site."""

    def __init__(self, clock: Clock, name: str, seeds: Sequence[Seed], tag: str = "") -> None:
        super().__init__(clock, seeds)
        self._name, self._tag = name, tag

    @property
    def connection(self) -> Connection:
        where = super().connection
        return replace(where, context=self._name, address=f"agent.{self._name}.example:55000", tag=self._tag)

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        async for delta in super().watch(since):
            yield replace(delta, deployment=self._name) if delta.deployment else delta


def other_sites(clock: Clock) -> list[StagedAgent]:
    """Return the agents of Oslo and Turin; what they answer is their own."""
    return [_NamedAgent(clock, "oslo", _OSLO, tag="PROD"), _NamedAgent(clock, "turin", _TURIN)]
