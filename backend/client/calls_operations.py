"""The operator's calls about plans and operations: look, confirm by hash, watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from backend.client.session import Session
from backend.core.planrules import ActionKind
from backend.core.update import UpdateScope
from backend.wire.convert.actions import update_scope_message
from backend.wire.mocdeck.v1 import operation_pb2

_SLOW: Final = timedelta(seconds=60)  # a plan over ten thousand clients, or many login files


class OperationCalls:
    """Renewing, rotating tokens and repairing, always by a plan that was seen."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def plan(
        self,
        action: ActionKind,
        names: Sequence[str],
        *,
        force: bool = False,
        reason: str = "",
        overlap: timedelta | None = None,
        parallel: int = 0,
        max_failures: int = 0,
        update: UpdateScope | None = None,
    ) -> operation_pb2.Plan:
        """Return what the action would do. `overlap` None: the agent's default; `parallel` 0: one at a time.

        `max_failures`: once so many have failed nothing further starts; 0: at the first. `update` goes with
        UPDATE, in place of names.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection; so do all calls here.
        """
        request = operation_pb2.PlanRequest(
            action=action.name,
            names=names,
            force=force,
            reason=reason,
            overlap_seconds=-1 if overlap is None else int(overlap.total_seconds()),
            parallel=parallel,
            max_failures=max_failures,
            update=None if update is None else update_scope_message(update),
        )
        return await self._session.call("OperationAgent", "Plan", request, operation_pb2.Plan, _SLOW)

    async def plan_resumption(
        self, operation_id: str, *, parallel: int = 0, max_failures: int = 0
    ) -> operation_pb2.Plan:
        """Return what is still to do of an operation that was stopped or failed; 0: as many as it had."""
        request = operation_pb2.PlanRequest(resumes=operation_id, parallel=parallel, max_failures=max_failures)
        return await self._session.call("OperationAgent", "Plan", request, operation_pb2.Plan, _SLOW)

    async def start(self, plan_id: str, hash_: str, *, origin: str) -> operation_pb2.Operation:
        """Start a plan, or let the operation that it resumes go on; refused when its facts have changed.

        `origin` is "tui" or "cli".
        """
        request = operation_pb2.StartRequest(plan_id=plan_id, hash=hash_, origin=origin)
        return await self._session.call("OperationAgent", "Start", request, operation_pb2.Operation, _SLOW)

    async def operation(self, operation_id: str) -> operation_pb2.Operation:
        """Return one operation with its targets."""
        request = operation_pb2.OperationRequest(id=operation_id)
        return await self._session.call("OperationAgent", "Get", request, operation_pb2.Operation)

    async def operations(self, limit: int = 50) -> Sequence[operation_pb2.Operation]:
        """Return operations, the newest first."""
        request = operation_pb2.OperationListRequest(limit=limit)
        answer = await self._session.call("OperationAgent", "List", request, operation_pb2.OperationList)
        return list(answer.operations)

    async def stop(self, operation_id: str) -> operation_pb2.Operation:
        """Let running targets end and start no further one."""
        request = operation_pb2.OperationRequest(id=operation_id)
        return await self._session.call("OperationAgent", "Stop", request, operation_pb2.Operation)

    async def take_login_file(self, operation_id: str, name: str) -> operation_pb2.LoginFile:
        """Return a target's fresh login file, to be delivered by hand. Secret; each call makes a new one."""
        request = operation_pb2.TakeLoginFileRequest(operation_id=operation_id, name=name)
        return await self._session.call("OperationAgent", "TakeLoginFile", request, operation_pb2.LoginFile)
