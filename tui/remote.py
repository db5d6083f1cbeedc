"""The gateway to a real agent: the operator's calls, turned into the screen's values and errors.

Owns the first connection, which it makes at the first call and makes again after a failure, so that the screen opens
whether or not the agent answers. Knows no screen. A login file for delivery by hand goes to a file that only its owner
reads; its text is never a value here.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.client import errors as client_errors
from backend.core.delta import instant
from backend.core.errors import NotFound
from backend.core.fleet import FleetDelta
from backend.core.inert import inert
from backend.core.overlap_gates import OverlapSettings
from backend.core.plan import ActionKind
from backend.core.update import UpdateScope
from backend.pki.files import write_atomic
from backend.wire.mocdeck.v1 import authority_pb2
from tui import received, received_rotation
from tui.gateway import (
    AlertsView,
    ClientDetail,
    Connection,
    Delivery,
    EventView,
    OperationView,
    PlanView,
    SilenceView,
    Unreachable,
)
from tui.rotating import DEFAULT_SETTINGS, RotationKind, RotationMove, RotationPlanView, RotationView

if TYPE_CHECKING:
    from backend.client.contexts import Context
    from backend.client.operator import Operator

Connect = Callable[[], Awaitable["Operator"]]

ORIGIN: Final = "tui"
LOGIN_FILES: Final = "login-files"
_MOVES: Final = {
    RotationMove.PROCEED: authority_pb2.PROCEED,
    RotationMove.ABORT: authority_pb2.ABORT,
    RotationMove.FINISH: authority_pb2.FINISH,
    RotationMove.ADVANCE: authority_pb2.ADVANCE,
    RotationMove.AUTOMATIC: authority_pb2.AUTOMATIC,
    RotationMove.HOLD: authority_pb2.HOLD,
    RotationMove.ROLL_BACK: authority_pb2.ROLL_BACK,
    RotationMove.WAIVE: authority_pb2.WAIVE,
    RotationMove.WRITE_OFF: authority_pb2.WRITE_OFF,
}


@contextmanager
def _reported() -> Iterator[None]:
    """Give the client's word for "nothing answers" the screen's class; every other refusal stays what it is."""
    try:
        yield
    except client_errors.Unreachable as error:
        raise Unreachable(str(error)) from error


class RemoteGateway:
    """`tui.gateway.Gateway` over `backend.client.operator.Operator`; `operator` may be how to connect one."""

    def __init__(self, operator: Operator | Connect, context: Context, state_dir: Path) -> None:
        self._operator: Operator | None = None
        self._connect: Connect | None = None
        if callable(operator):
            self._connect = operator
        else:
            self._operator = operator
        self._context = context
        self._state_dir = state_dir
        self._connecting = asyncio.Lock()

    @property
    def connection(self) -> Connection:
        """Where this screen looks; the identity and its ends are known once there is a connection."""
        facts = None if self._operator is None else self._operator.credential
        return Connection(
            context=inert(self._context.name),
            address=inert(f"{self._context.address}:{self._context.port}"),
            identity="" if facts is None else inert(facts.identity),
            certificate_not_after=None if facts is None else facts.not_after,
            token_expires_at=None if facts is None else facts.token_expires_at,
            tag=inert(self._context.tag),
        )

    async def _operator_at_hand(self) -> Operator:
        if self._operator is not None:
            return self._operator
        async with self._connecting:
            if self._operator is None:
                if self._connect is None:
                    raise Unreachable(f"the connection to {self._context.address} was closed")
                self._operator = await self._connect()
        return self._operator

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        """Yield what changed after `since`, for ever."""
        with _reported():
            operator = await self._operator_at_hand()
            async for delta in operator.watch(since):
                yield delta

    async def describe(self, name: str) -> ClientDetail:
        """Return one client in full."""
        with _reported():
            return received.detail_view(await (await self._operator_at_hand()).describe(name))

    async def plan(
        self,
        action: ActionKind,
        names: Sequence[str],
        *,
        force: bool = False,
        reason: str = "",
        parallel: int = 0,
        update: UpdateScope | None = None,
    ) -> PlanView:
        """Return what the action would do."""
        with _reported():
            operator = await self._operator_at_hand()
            answer = await operator.plan(action, names, force=force, reason=reason, parallel=parallel, update=update)
            return received.plan_view(answer)

    async def plan_resumption(self, operation_id: str, *, parallel: int = 0) -> PlanView:
        """Return what is still to do of an operation that was stopped or failed."""
        with _reported():
            operator = await self._operator_at_hand()
            return received.plan_view(await operator.plan_resumption(operation_id, parallel=parallel))

    async def start(self, plan: PlanView) -> OperationView:
        """Start a plan that was seen."""
        with _reported():
            operator = await self._operator_at_hand()
            return received.operation_view(await operator.start(plan.id, plan.hash, origin=ORIGIN))

    async def operation(self, operation_id: str) -> OperationView:
        """Return one operation."""
        with _reported():
            return received.operation_view(await (await self._operator_at_hand()).operation(operation_id))

    async def operations(self) -> Sequence[OperationView]:
        """Return operations, the newest first."""
        with _reported():
            return [received.operation_view(o) for o in await (await self._operator_at_hand()).operations()]

    async def stop(self, operation_id: str) -> OperationView:
        """Start no further target of an operation."""
        with _reported():
            return received.operation_view(await (await self._operator_at_hand()).stop(operation_id))

    async def take_login_file(self, operation_id: str, name: str) -> Delivery:
        """Fetch a fresh login file, put it where only this user reads it, and say what to do with it.

        Raises:
            UnsafeFile: there is something at its path that must not be replaced.
            OSError: the state directory cannot be written; the token that was fetched is lost and can be fetched anew.
        """
        with _reported():
            answer = await (await self._operator_at_hand()).take_login_file(operation_id, name)
        path = self._state_dir / LOGIN_FILES / f"{file_stem(answer.name)}.yaml"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(path, answer.yaml.encode())
        shown = inert(answer.name)
        return Delivery(
            name=shown,
            path=path,
            instruction=(
                f"Carry {path} to {shown} on a way that nobody else can read, put it in the place of its login file, "
                "and let the client sign in; a running one notices by itself. Delete this copy afterwards."
            ),
            token_expires_at=instant(answer.token_expires_at),
        )

    async def plan_rotation(
        self, kind: RotationKind = RotationKind.OVERLAP, settings: OverlapSettings = DEFAULT_SETTINGS
    ) -> RotationPlanView:
        """Return readiness and what a CA rotation would do to every client."""
        with _reported():
            operator = await self._operator_at_hand()
            if kind is not RotationKind.OVERLAP:  # the settings are its alone
                return received_rotation.rotation_plan_view(await operator.plan_rotation(kind.value))
            answer = await operator.plan_rotation(
                kind.value,
                automatic=settings.automatic,
                shadow_for=settings.shadow_for,
                quiet_for=settings.quiet_for,
                stop_percent=settings.stop_percent,
            )
            return received_rotation.rotation_plan_view(answer)

    async def approve_rotation(self, plan_id: str, plan_hash: str, typed_name: str) -> str:
        """Approve a plan that somebody else made; return the approver's name."""
        with _reported():
            operator = await self._operator_at_hand()
            return inert(await operator.approve_rotation(plan_id, plan_hash, typed_name))

    async def start_rotation(self, plan: RotationPlanView, typed_name: str, reason: str) -> RotationView:
        """Start the rotation of a plan that was confirmed."""
        with _reported():
            operator = await self._operator_at_hand()
            answer = await operator.start_rotation(
                plan.id, plan.hash, deployment=typed_name, reason=reason, origin=ORIGIN
            )
            return received_rotation.rotation_view(answer)

    async def rotation(self) -> RotationView | None:
        """Return the open rotation, or the last one; None when there never was one."""
        with _reported():
            try:
                return received_rotation.rotation_view(await (await self._operator_at_hand()).rotation())
            except NotFound:
                return None

    async def move_rotation(
        self, rotation: RotationView, move: RotationMove, *, written_off: Sequence[str] = (), reason: str = ""
    ) -> RotationView:
        """Tell an open rotation what to do, as it was seen."""
        with _reported():
            operator = await self._operator_at_hand()
            answer = await operator.move_rotation(
                rotation.id, rotation.version, _MOVES[move], written_off=written_off, reason=reason
            )
            return received_rotation.rotation_view(answer)

    async def destroy_authority(self, generation: int, typed_name: str) -> None:
        """Destroy the key of a distrusted generation, for good."""
        with _reported():
            await (await self._operator_at_hand()).destroy_authority(generation, typed_name)

    async def events(self, limit: int = 200) -> Sequence[EventView]:
        """Return audit events, the newest first."""
        with _reported():
            return [received.event_view(r) for r in await (await self._operator_at_hand()).audit(limit=limit)]

    async def alerts(self) -> AlertsView:
        """Return what is not well, who was told, and whether notices arrive."""
        with _reported():
            return received.alerts_view(await (await self._operator_at_hand()).alerts())

    async def acknowledge(self, entity: str, until: datetime, reason: str) -> SilenceView:
        """Be quiet about one alert until an instant."""
        with _reported():
            operator = await self._operator_at_hand()
            return received.silence_view(await operator.acknowledge_alert(entity, until, reason=reason, origin=ORIGIN))

    async def close(self) -> None:
        """End the connection; nothing is asked after that."""
        self._connect = None
        if self._operator is not None:
            await self._operator.close()


def file_stem(name: str) -> str:
    """Return a file name for a client's name: as it is where that is safe, else with a digest that keeps it apart."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:64].lstrip(".")
    if safe == name:
        return safe
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
