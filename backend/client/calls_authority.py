"""The operator's calls about CA generations and their rotation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from backend.client.session import Session
from backend.core.overlap import OverlapPhase
from backend.core.rotation import Phase
from backend.wire.mocdeck.v1 import authority_pb2

_INFORMING: Final = frozenset({Phase.PLANNED.value, Phase.STAGED.value})
_LISTENING: Final = frozenset(phase.value for phase in OverlapPhase if phase.trusts_both)
_SLOW: Final = timedelta(seconds=60)  # the blast radius of ten thousand clients


def is_informing(phase: str) -> bool:
    """Tell whether a rotation in this phase ("": none) waits for what clients learn and say in their heartbeats."""
    return phase in _INFORMING or phase in _LISTENING


class AuthorityCalls:
    """Reading authorities; planning, confirming and watching their rotation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def authorities(self) -> authority_pb2.AuthorityList:
        """Return all generations and the present bundle.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection; so do all calls here.
        """
        request = authority_pb2.AuthorityListRequest()
        return await self._session.call("AuthorityAgent", "List", request, authority_pb2.AuthorityList)

    async def plan_rotation(
        self,
        kind: str = "disruptive",
        *,
        automatic: bool = False,
        shadow_for: timedelta = timedelta(0),
        quiet_for: timedelta = timedelta(0),
        stop_percent: int | None = None,
    ) -> authority_pb2.RotationPlan:
        """Return readiness and what becomes of every client; changes nothing else.

        `kind` is "overlap", "disruptive", "compromise" or "rehearsal"; the settings are for "overlap".
        """
        request = authority_pb2.PlanRotationRequest(
            kind=kind,
            automatic=automatic,
            shadow_seconds=int(shadow_for.total_seconds()),
            quiet_seconds=int(quiet_for.total_seconds()),
            stop_percent=stop_percent,
        )
        return await self._session.call("AuthorityAgent", "PlanRotation", request, authority_pb2.RotationPlan, _SLOW)

    async def approve_rotation(self, plan_id: str, hash_: str, deployment: str) -> str:
        """Approve a plan that somebody else made, as the second person; return the approver's name."""
        request = authority_pb2.ApproveRotationRequest(plan_id=plan_id, hash=hash_, deployment=deployment)
        kind = authority_pb2.ApproveRotationReply
        return (await self._session.call("AuthorityAgent", "ApproveRotation", request, kind)).approver

    async def start_rotation(
        self, plan_id: str, hash_: str, *, deployment: str, reason: str, origin: str
    ) -> authority_pb2.Rotation:
        """Start the rotation of a plan; `deployment` is what the operator typed."""
        request = authority_pb2.StartRotationRequest(
            plan_id=plan_id, hash=hash_, deployment=deployment, reason=reason, origin=origin
        )
        return await self._session.call("AuthorityAgent", "StartRotation", request, authority_pb2.Rotation, _SLOW)

    async def rotation(self, rotation_id: str = "") -> authority_pb2.Rotation:
        """Return a rotation; without an id the open one, or the last. `NotFound` when there never was one."""
        request = authority_pb2.RotationRequest(id=rotation_id)
        rotation = await self._session.call("AuthorityAgent", "GetRotation", request, authority_pb2.Rotation)
        if is_informing(rotation.phase):
            self._session.beat_soon()
        return rotation

    async def move_rotation(
        self,
        rotation_id: str,
        version: int,
        move: authority_pb2.RotationMove,
        *,
        written_off: Sequence[str] = (),
        reason: str = "",
    ) -> authority_pb2.Rotation:
        """Tell an open rotation what to do; `written_off` names the clients that the move is about."""
        request = authority_pb2.MoveRotationRequest(
            id=rotation_id, version=version, move=move, written_off=written_off, reason=reason
        )
        return await self._session.call("AuthorityAgent", "MoveRotation", request, authority_pb2.Rotation)

    async def destroy_authority(self, generation: int, deployment: str) -> authority_pb2.AuthorityList:
        """Destroy a distrusted generation's key, for good; `deployment` is what the operator typed."""
        request = authority_pb2.DestroyAuthorityRequest(generation=generation, deployment=deployment)
        return await self._session.call("AuthorityAgent", "DestroyAuthority", request, authority_pb2.AuthorityList)
