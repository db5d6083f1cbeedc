"""A gateway that passes everything on to another one and writes down what the agent said, for `mocdeck --replay`.

What was asked, how and by whom is not recorded, only the answers: the fleet's snapshots and changes, operations,
events, alerts, a CA rotation, and the pages of clients that were opened. Certificates are left out; tokens and keys
never come here. While a CA rotation runs it is asked for even if nobody looks at it, so that it can be seen again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import backend
from backend.clock import Clock
from backend.core.errors import AgentError
from backend.core.fleet import FleetDelta
from tui.gateway import AlertsView, ClientDetail, EventView, Gateway, OperationView
from tui.plainvalues import to_json
from tui.rotating import RotationView
from tui.tape import TapeWriter

_ROTATION_SECONDS: Final = 2.0  # between two questions about a rotation that nobody looks at


def record(
    gateways: Sequence[Gateway], path: Path, clock: Clock, *, simulated: bool = False, site_tag: str = ""
) -> list[Gateway]:
    """Return gateways that record to one new file, in the place of those that are given.

    Raises:
        TapeNotWritten: the file is there already, or cannot be made.
    """
    head = {
        "tool_version": backend.__version__,
        "started_at": int(clock.now().timestamp()),
        "sites": [{"context": one.connection.context, "address": one.connection.address} for one in gateways],
        "simulated": simulated,
        "site_tag": site_tag,
    }
    tape = TapeWriter(path, head, users=len(gateways))
    return [cast(Gateway, RecordingGateway(one, tape, clock, place)) for place, one in enumerate(gateways)]


class RecordingGateway:
    """`tui.gateway.Gateway` in front of another one; what is not written here is passed on as it is."""

    def __init__(self, inner: Gateway, tape: TapeWriter, clock: Clock, site: int) -> None:
        self._inner = inner
        self.tape = tape
        self._site = site
        self._clock = clock
        self._began = clock.monotonic()
        self._has_snapshot = False
        self._last_event = 0
        self._phase = ""
        self._rotation_at = -_ROTATION_SECONDS
        self._tasks: set[asyncio.Task[Any]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _note(self, kind: str, value: object, key: str = "", *, once: bool = False) -> None:
        self.tape.note(self._clock.monotonic() - self._began, kind, to_json(value), key, site=self._site, once=once)

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        """Yield what the agent says; the first time from a whole snapshot on, whatever the reader has already."""
        try:
            async for delta in self._inner.watch(since if self._has_snapshot else 0):
                self._has_snapshot = True
                self._note("fleet", delta)
                if delta.last:
                    self._follow_rotation(delta.rotation_phase)
                yield delta
        except AgentError as error:
            self._note("lost", str(error))
            raise

    def _follow_rotation(self, phase: str) -> None:
        """Ask for an open rotation now and then, and once more when it has ended."""
        now = self._clock.monotonic()
        if (phase and now - self._rotation_at >= _ROTATION_SECONDS) or phase != self._phase:
            self._phase, self._rotation_at = phase, now
            task = asyncio.create_task(self._quietly(self.rotation))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _quietly(self, call: Callable[[], Any]) -> None:
        with contextlib.suppress(AgentError):  # nobody asked for it; whoever does is told
            await call()

    async def describe(self, name: str) -> ClientDetail:
        """Pass on one client; its certificates themselves are not recorded."""
        found = await self._inner.describe(name)
        bare = tuple(replace(certificate, pem="") for certificate in found.certificates)
        self._note("describe", replace(found, certificates=bare), name, once=True)
        return found

    async def operation(self, operation_id: str) -> OperationView:
        """Pass on one operation."""
        found = await self._inner.operation(operation_id)
        self._note("operation", found, found.id, once=True)
        return found

    async def operations(self) -> Sequence[OperationView]:
        """Pass on the operations; those that changed are recorded."""
        found = await self._inner.operations()
        for one in found:
            self._note("operation", one, one.id, once=True)
        return found

    async def rotation(self) -> RotationView | None:
        """Pass on the CA rotation."""
        found = await self._inner.rotation()
        if found is not None:
            self._note("rotation", found, once=True)
        return found

    async def events(self, limit: int = 200) -> Sequence[EventView]:
        """Pass on audit events; each is recorded once."""
        found = await self._inner.events(limit)
        new = [event for event in found if event.index > self._last_event]
        if new:
            self._last_event = max(event.index for event in new)
            self._note("events", new)
        return found

    async def alerts(self) -> AlertsView:
        """Pass on the alerts."""
        found = await self._inner.alerts()
        self._note("alerts", found, once=True)
        return found

    async def close(self) -> None:
        """End the recording, then let go of the agent."""
        for task in self._tasks:
            task.cancel()
        self.tape.close()
        await self._inner.close()
