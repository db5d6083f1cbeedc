"""An agent behind the screen's port, in memory and moved by hand, for screenshots and for the screen's tests.

Plans and ways back are decided by `backend.core`, as in a real agent; what happens next is told by `work`,
`rotation` and `tell`. It keeps what was asked of it, so that a test can prove that nothing was.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from backend.clock import Clock
from backend.core.errors import ConfirmationRefused, NotFound, PlanChanged
from backend.core.fleet import FleetColumns, FleetDelta, unix
from backend.core.model import ClientKind
from backend.core.plan import ActionKind, PlanFacts, absent_line, make_plan
from backend.core.update import KUBELET, LEFT_ALONE, UpdateScope
from scripts.stage.alerts import alerts
from scripts.stage.describe import describe, events
from scripts.stage.fleet import AUTHORITIES, CLUSTERS, DAY, DEPLOYMENT, LIFETIME, NOW, SEEDS, Seed, snapshot
from scripts.stage.plans import plan_view, waiting_operation
from scripts.stage.rotating import PLAN_LIFETIME, RotatingAgent
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
from tui.rotating import CheckView

CHECKS = (
    CheckView(test="agent's clock", category="agent", result="ok", details="0.2 s off its peers", recommendation=""),
    CheckView(
        test="operator's login",
        category="access",
        result="ok",
        details="certificate until 2027-01-21 16:52:14 UTC",
        recommendation="",
    ),
    CheckView(test="other operations", category="work", result="ok", details="none is running", recommendation=""),
    CheckView(
        test="disk space", category="agent", result="ok", details="41 GB free for keys and store", recommendation=""
    ),
    CheckView(
        test="silent clients",
        category="clients",
        result="warn",
        details="caph-02 has sent no heartbeat for 10m",
        recommendation="wait for it or find out why: who is silent does not learn the new root",
    ),
)


class StagedAgent(RotatingAgent):
    """An implementation of the Gateway port whose agent is this object."""

    def __init__(self, clock: Clock, seeds: Sequence[Seed] = SEEDS, *, state_dir: Path = Path("login-files")) -> None:
        self.clock = clock
        self.seeds = list(seeds)
        self.queue: asyncio.Queue[FleetDelta | Exception] = asyncio.Queue()
        self.reachable = True
        self.asked: list[str] = []  # every call that would change something
        self.looks: Counter[str] = Counter()  # every other call
        self.scope: UpdateScope | None = None  # of the last plan
        self.operations_kept: dict[str, OperationView] = {}
        self.begin_without_rotation()
        self.checks: tuple[CheckView, ...] = CHECKS
        self.change = 1
        self._state_dir = state_dir

    # What a test does to it

    @property
    def now(self) -> datetime:
        """The agent's time."""
        return self.clock.now()

    def alter(self, name: str, **changes: object) -> None:
        """Change a client behind everybody's back, and send the new fleet."""
        self.seeds = [replace(s, **changes) if s.name == name else s for s in self.seeds]  # type: ignore[arg-type]
        self.tell()

    def tell(self) -> None:
        """Send the fleet as it is now."""
        self.change += 1
        self.queue.put_nowait(
            snapshot(
                self.seeds,
                at=self.now,
                change=self.change,
                rotation_phase=self._open_phase(),
                rotation_held=self._is_held(),
            )
        )

    def beat(self) -> None:
        """Send a sign of life: nothing has changed."""
        self.queue.put_nowait(
            FleetDelta(
                change=self.change,
                agent_time=unix(self.now),
                last=True,
                rotation_phase=self._open_phase(),
                rotation_held=self._is_held(),
            )
        )

    def cut(self) -> None:
        """Go away."""
        self.reachable = False
        self.queue.put_nowait(self._away())

    def work(self, name: str, state: str, *, step: str = "", result: str = "", new_serial: str = "") -> None:
        """Let the newest operation get that far with one client; the counts follow."""
        operation = next(reversed(self.operations_kept.values()))
        ended = state in {"done", "failed", "skipped"}
        targets = tuple(
            replace(
                target,
                state=state,
                step=step,
                result=result,
                new_serial=new_serial or target.new_serial,
                started_at=target.started_at or self.now,
                ended_at=self.now if ended else None,
            )
            if target.name == name
            else target
            for target in operation.targets
        )
        self.operations_kept[operation.id] = self._counted(replace(operation, targets=targets))

    def _counted(self, operation: OperationView) -> OperationView:
        states = Counter(target.state for target in operation.targets)
        running = states["ordered"] + states["issued"] + states["delivered"]
        over = not running and not states["waiting"]
        state = ("failed" if states["failed"] else "done") if over else "running"
        return replace(
            operation,
            state=state,
            ended_at=self.now if over else None,
            total=len(operation.targets),
            done=states["done"],
            failed=states["failed"],
            running=running,
            waiting=states["waiting"],
            skipped=states["skipped"],
        )

    # The port

    @property
    def connection(self) -> Connection:
        return Connection(
            context="bonn",
            address="agent.bonn.example:55000",
            identity="ops-anna",
            certificate_not_after=NOW + 60 * DAY,
            token_expires_at=NOW + 60 * DAY,
        )

    def _away(self) -> Unreachable:
        return Unreachable(f"cannot reach the agent at {self.connection.address}: connection refused")

    def _look(self, what: str) -> None:
        self.looks[what] += 1
        if not self.reachable:
            raise self._away()

    def _ask(self, what: str) -> None:
        if not self.reachable:
            raise self._away()
        self.asked.append(what)

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        self._look("watch")
        if not since:
            yield snapshot(self.seeds, at=self.now, change=self.change)
        else:
            yield FleetDelta(change=self.change, agent_time=unix(self.now), last=True, deployment=DEPLOYMENT)
        while True:
            item = await self.queue.get()
            if isinstance(item, Exception):
                raise item
            yield item

    async def describe(self, name: str) -> ClientDetail:
        self._look("describe")
        return describe(self._seed(name), self.seeds.index(self._seed(name)) + 1)

    def _seed(self, name: str) -> Seed:
        for seed in self.seeds:
            if seed.name == name:
                return seed
        raise NotFound(f"there is no identity {name}")

    async def events(self, limit: int = 200) -> Sequence[EventView]:
        self._look("events")
        return [*reversed(self.approvals), *events()]

    async def alerts(self) -> AlertsView:
        self._look("alerts")
        return alerts(self.seeds, self.now)

    async def acknowledge(self, entity: str, until: datetime, reason: str) -> SilenceView:
        self._ask(f"acknowledge {entity}")
        raise NotFound(f"there is no alert about {entity}")

    async def close(self) -> None: ...

    # Plans and operations

    def _facts(self) -> dict[str, PlanFacts]:
        columns = FleetColumns()
        columns.apply(snapshot(self.seeds, at=self.now))
        management = {cluster.name for cluster in CLUSTERS if cluster.is_management}
        return {
            seed.name: PlanFacts(
                number=number,
                facts=columns.facts(number - 1, now=self.now, agent_alive=True, agent_now=self.now),
                cluster=seed.cluster,
                is_management=seed.cluster in management,
                serial=0x5F2A91C077DE0000 + number,
                token_id=f"token-{number}",
                certificate_lifetime=LIFETIME,
                token_lifetime=LIFETIME,
                heartbeat_alive=seed.beats and seed.silent_for < timedelta(minutes=1),
                login_file_path=seed.login_file,
            )
            for number, seed in enumerate(self.seeds, 1)
        }

    def _members(self, scope: UpdateScope) -> list[PlanFacts]:
        management = {cluster.name for cluster in CLUSTERS if cluster.is_management}
        members = [c for c in self._facts().values() if scope.has(c.kind, c.cluster, management)]
        if scope.is_management or scope.patch_load_balancer:
            return members
        return [replace(c, barred=LEFT_ALONE) if c.kind is ClientKind.LB_AGENT else c for c in members]

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
        self._look("plan")
        self.scope = update
        facts = self._facts()
        chosen = [facts[name] for name in names] if update is None else self._members(update)
        seen = {client.kind for client in chosen}
        expected = () if update is None else update.expected
        draft = make_plan(
            action,
            chosen,
            self.now,
            absent=[absent_line(kind, update.cluster) for kind in expected if update and kind not in seen],
            notes=(KUBELET,) if update and update.cluster else (),
            force=force,
            reason=reason,
            parallel=parallel,
            authority_not_after=AUTHORITIES[-1].validity.not_after,
        )
        return plan_view(draft, f"plan-{self.looks['plan']}", self.now, PLAN_LIFETIME)

    async def start(self, plan: PlanView) -> OperationView:
        self._ask(f"start {plan.id}")
        if self.now > plan.expires_at:
            raise ConfirmationRefused("the plan is too old; look at a new one")
        if plan.resumes:
            return await self._resumed(plan)
        fresh = await self.plan(
            plan.action,
            () if self.scope else [target.name for target in plan.targets],
            update=self.scope,
            force=plan.force,
            reason=plan.reason,
            parallel=plan.parallel,
        )
        if fresh.hash != plan.hash:
            raise PlanChanged("since the plan was made, its facts have changed; look at a new plan")
        operation = waiting_operation(plan, f"operation-{len(self.operations_kept) + 1}", self.now)
        self.operations_kept[operation.id] = self._counted(operation)
        return self.operations_kept[operation.id]

    async def plan_resumption(self, operation_id: str, *, parallel: int = 0) -> PlanView:
        kept = self.operations_kept[operation_id]
        left = [target.name for target in kept.targets if target.state != "done"]
        made = await self.plan(kept.action, left, force=True, reason=kept.reason or "OPS-7", parallel=parallel)
        return replace(made, resumes=operation_id)

    async def _resumed(self, plan: PlanView) -> OperationView:
        kept, runs = self.operations_kept[plan.resumes], {target.name for target in plan.targets if target.runs}
        targets = tuple(replace(t, state="waiting", result="") if t.name in runs else t for t in kept.targets)
        again = replace(kept, state="running", ended_at=None, targets=targets)
        self.operations_kept[kept.id] = self._counted(again)
        return self.operations_kept[kept.id]

    async def operation(self, operation_id: str) -> OperationView:
        self._look("operation")
        return self.operations_kept[operation_id]

    async def operations(self) -> Sequence[OperationView]:
        self._look("operations")
        return list(reversed(self.operations_kept.values()))

    async def stop(self, operation_id: str) -> OperationView:
        self._ask(f"stop {operation_id}")
        operation = self.operations_kept[operation_id]
        targets = tuple(
            replace(t, state="skipped", result="stopped before it began") if t.state == "waiting" else t
            for t in operation.targets
        )
        self.operations_kept[operation_id] = self._counted(replace(operation, targets=targets))
        return self.operations_kept[operation_id]

    async def take_login_file(self, operation_id: str, name: str) -> Delivery:
        self._ask(f"take_login_file {name}")
        path = self._state_dir / f"{name}.yaml"
        return Delivery(
            name=name, path=path, instruction=f"Carry {path} to {name}.", token_expires_at=self.now + LIFETIME
        )
