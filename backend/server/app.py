"""A running agent: store, keys, core, two ports, and the tick that makes rows come true in the world.

Boot is reconcile: the same tick that runs every second also runs first, so a crash needs no path of its own
(architecture.md 1).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import grpc.aio

from backend.clock import Clock, SystemClock
from backend.core.errors import AgentError, InconsistentState
from backend.core.model import Secret
from backend.server.alerting import Alerting, Delivery, Pulse
from backend.server.calls import Call, Looks, Reply
from backend.server.core import Core
from backend.server.credentials import LiveCredentials, TlsMaterial
from backend.server.delivering import Deliverer
from backend.server.dispatch import DATA_UNARY, LOGIN_UNARY, READS, WATCHES, Dispatcher
from backend.server.edge import Edge
from backend.server.keeper import CanaryKeeper
from backend.server.notify import Changed
from backend.server.ports import bind, require_free
from backend.server.probing import Prober
from backend.server.survey import Survey
from backend.service import admin_file, outbox, reconcile, server_certificate, ticks
from backend.service.agent_file import read_agent_file
from backend.service.alert_file import read_alert_file
from backend.service.bootstrap import STORE_FILE, open_world
from backend.service.delivery_file import read_delivery_file
from backend.service.token_file import read_token_file
from backend.service.token_view import note_policy
from backend.service.world import Policy, World
from backend.store.port import Transaction
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from backend.server.telemetry import Telemetry

log = logging.getLogger("mocdeck.agent")
T = TypeVar("T")
_TICK_SECONDS = 1.0
_GRACE_SECONDS = 5.0  # what is in flight may finish; watches end at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a started agent answers."""

    host: str
    port: int
    auth_port: int
    canary_port: int = 0
    metrics_url: str = ""  # "": no metrics are served


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsAddress:
    """Where metrics are to be served; port 0 picks a free one."""

    host: str
    port: int


@contextlib.contextmanager
def sole_agent(directory: Path) -> Iterator[None]:
    """Hold the directory's lock for as long as the agent runs.

    Raises:
        InconsistentState: another agent runs on this directory.
    """
    handle = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InconsistentState(
                f"another agent runs on {directory}; stop it first, or name another directory"
            ) from None
        yield
    finally:
        os.close(handle)


class Agent:
    """One cloud agent on one directory; `start`, then `stop`."""

    def __init__(
        self,
        directory: Path,
        passphrase: Secret,
        *,
        clock: Clock | None = None,
        simulated: bool = False,
        policy: Policy | None = None,
    ) -> None:
        self._directory = directory
        self._passphrase = passphrase
        self._clock = clock or SystemClock()
        self._simulated = simulated
        self._policy = policy
        self._changed = Changed()
        self._held = contextlib.ExitStack()
        self._doubt = ""
        self._loops: list[asyncio.Task[None]] = []
        self._servers: list[grpc.aio.Server] = []
        self._telemetry: Telemetry | None = None

    async def start(
        self, *, host: str, port: int, auth_port: int, canary_port: int = 0, metrics: MetricsAddress | None = None
    ) -> Listening:
        """Open the store and the keys, reconcile, and serve; port 0 picks a free one. Metrics only where asked.

        The canary's port turns everybody away but while a CA rotation asks clients to prove what they trust.

        Raises:
            AgentError: the directory, passphrase, store or a port cannot be used; the sentence says which and why.
        """
        read_agent_file(self._directory)  # before the lock: its file would spoil a directory that is no agent's yet
        with contextlib.ExitStack() as opened:
            opened.enter_context(sole_agent(self._directory))
            self._world = open_world(
                self._directory,
                passphrase=self._passphrase,
                clock=self._clock,
                simulated=self._simulated,
                policy=self._policy,
            )
            self._world = replace(
                self._world,
                sinks=read_alert_file(self._directory),
                delivery=read_delivery_file(self._directory),
                token_policy=read_token_file(self._directory),
            )
            self._store = open_store(self._directory / STORE_FILE)
            opened.callback(self._store.close)
            self._boot()
            listening = self._bind(host, port, auth_port)
            listening = self._watch(opened, listening, metrics)
            self._keeper = CanaryKeeper(lambda: self._world, self._ask, self._ask)
            listening = replace(listening, canary_port=await self._keeper.start(host, canary_port))
            self._held = opened.pop_all()
        self._world = replace(
            self._world, port=listening.port, auth_port=listening.auth_port, canary_port=listening.canary_port
        )
        with self._store.transaction() as tx:
            if admin_file.put_ports_right(tx, self._world):
                log.info("the administrator's login file names the present ports now")
            if note_policy(tx, self._world):
                log.info("token policy changed", extra={"fields": {"rules": len(self._world.token_policy.rules)}})
        self._dispatcher = Dispatcher(self._world)
        self._deliverer = Deliverer(self._world, self._ask)
        prober = Prober(self._world, self._ask, self._live, listening.host, listening.port)
        self._core = Core(
            self._store,
            on_change=self._changed.publish,
            on_lost=self._world.peers.clear,
            pace=None if self._telemetry is None else self._telemetry.counters,
        )
        self._core.start()
        for server in self._servers:
            await server.start()
        # Apart, because a path may lie on a share that hangs: that must hold up nothing but other files of its lane.
        lanes = [functools.partial(self._deliverer.deliver, lane) for lane in self._deliverer.lanes]
        works: list[Callable[[], Awaitable[None]]] = [self._tick, self._alerting.look, prober.look, self._keeper.look]
        works += [*(one.deliver for one in self._deliveries), *lanes]
        self._loops = [asyncio.create_task(self._for_ever(work)) for work in works]
        return listening

    def _watch(self, opened: contextlib.ExitStack, listening: Listening, metrics: MetricsAddress | None) -> Listening:
        """Make what looks at the agent: alerts, their deliveries and, where asked for, metrics."""
        self._pulse = Pulse(self._world)
        survey = Survey(self._world, self._ask)
        self._alerting = Alerting(self._world, self._ask, survey, self._pulse)
        self._deliveries = [Delivery(self._world, self._ask, sink, self._pulse) for sink in self._world.sinks]
        if metrics is None:
            return listening
        from backend.server.telemetry import Telemetry  # its library is of no use to an agent without metrics

        self._telemetry = Telemetry(
            self._clock, survey, self._alerting, lambda: self._core.waiting, host=metrics.host, port=metrics.port
        )
        opened.callback(self._telemetry.close)
        return replace(listening, metrics_url=self._telemetry.url)

    async def _ask(self, work: Callable[[Transaction], T]) -> T:
        return await self._core.submit(work)

    def _boot(self) -> None:
        with self._store.transaction() as tx:
            for finding in reconcile.reconcile(tx, self._world):
                log.warning("reconciled", extra={"fields": {"finding": finding}})
            outbox.settle_sinks(tx, self._world, self._world.sinks)
            self._live = LiveCredentials(_material(tx, self._world))

    async def stop(self) -> None:
        """Let what is in flight finish, then close the store."""
        self._changed.close()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await asyncio.gather(self._keeper.stop(), *(server.stop(_GRACE_SECONDS) for server in self._servers))
        await self._core.stop()
        self._held.close()

    def _bind(self, host: str, port: int, auth_port: int) -> Listening:
        """Bind both ports without serving yet: the world must know their numbers before the first call."""
        data = Edge(self._submit, unary=DATA_UNARY, reads=READS, watches=WATCHES, changed=self._changed)
        login = Edge(self._submit, unary=LOGIN_UNARY)
        require_free(host, auth_port)  # before the data port is held
        data_server, bound = bind(data, self._live.data_port(), host, port)
        login_server, auth_bound = bind(login, self._live.login_port(), host, auth_port)
        self._servers = [data_server, login_server]
        return Listening(host=host, port=bound, auth_port=auth_bound)

    async def _submit(self, call: Call) -> Reply:
        try:
            reply = await self._take_turn(call)
            while reply.progress is not None:
                if isinstance(reply.progress, Looks):
                    await self._deliverer.look(reply.progress.names, anew=reply.progress.anew)
                reply = await self._take_turn(replace(call, is_continued=True, progress=reply.progress))
        except AgentError as refusal:
            if self._telemetry is not None:
                self._telemetry.counters.refused(call, refusal)
            raise
        if self._telemetry is not None and (reply.rest is None or reply.change):  # a stream counts when it is complete
            self._telemetry.counters.answered(call, reply)
        return reply

    async def _take_turn(self, call: Call) -> Reply:
        return await self._core.submit(
            lambda tx: self._dispatcher.answer(tx, call),
            refused=lambda tx, refusal: self._dispatcher.record(tx, call, refusal),
        )

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except AgentError as failure:
                log.error("tick failed", extra={"fields": {"reason": failure.reason, "why": str(failure)}})  # noqa: TRY400 - the sentence is the log
            except Exception:  # the loop outlives any fault
                log.exception("tick failed")
            await self._clock.sleep(_TICK_SECONDS)

    async def _tick(self) -> None:
        report = await self._core.submit(self._tick_once, alone=True)
        for part, why in report.errors:
            log.error("part of the tick failed", extra={"fields": {"part": part, "why": why}})
        if report.doubt != self._doubt:
            self._doubt = report.doubt
            log.warning("clock", extra={"fields": {"doubt": report.doubt or "none any more"}})
        material = await self._core.submit(lambda tx: _material(tx, self._world))
        if self._live.swap(material):
            log.info("tls swapped")
        if report.rotation_moved:
            log.info("rotation moved", extra={"fields": {"to": report.rotation_moved}})
        if self._telemetry is not None:
            telemetry = self._telemetry
            telemetry.ticked(report, await self._core.submit(lambda tx: telemetry.look_round(tx, report)))
        self._pulse.beat()

    def _tick_once(self, tx: Transaction) -> ticks.TickReport:
        report = ticks.tick(tx, self._world)
        if report.rotation_moved:
            self._world.peers.clear()  # a generation's standing may have changed
        return report


def _material(tx: Transaction, world: World) -> TlsMaterial:
    credential = server_certificate.ensure(tx, world)
    return TlsMaterial(
        credential.chain_pem.encode(), credential.key_pem.reveal().encode(), tx.bundles.current().pem.encode()
    )
