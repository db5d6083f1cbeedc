"""The staged agent's CA rotations: planning, confirming, telling, and what is open now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from backend.core.blast import WayBack, way_back
from backend.core.errors import ConfirmationRefused, InconsistentState, NotFound, PlanChanged
from backend.core.overlap import OverlapPhase
from backend.core.overlap_gates import OverlapSettings
from backend.core.plan import PlanFacts
from backend.core.rotation import RotationClient
from scripts.stage.fleet import DEPLOYMENT, Seed
from scripts.stage.overlap import StagedOverlap
from scripts.stage.plans import rotation_plan_view
from scripts.stage.rotation import StagedRotation
from scripts.stage.through import first_clients, overlap_plan_view, ways_through
from tui.gateway import EventView
from tui.rotating import DEFAULT_SETTINGS, CheckView, RotationKind, RotationMove, RotationPlanView, RotationView

PLAN_LIFETIME: Final = timedelta(minutes=15)


class RotatingAgent:
    """The part of `scripts.stage.agent.StagedAgent` that rotates a CA; the fleet and the link are the agent's."""

    seeds: list[Seed]
    checks: tuple[CheckView, ...]
    looks: Counter[str]

    def begin_without_rotation(self) -> None:
        """Nothing was rotated yet."""
        self.staged_rotation: StagedRotation | None = None
        self.staged_overlap: StagedOverlap | None = None
        self.wants_approval = False
        self.approvals: list[EventView] = []

    @property
    def now(self) -> datetime:
        """The agent's time."""
        raise NotImplementedError

    def _look(self, what: str) -> None:
        raise NotImplementedError

    def _ask(self, what: str) -> None:
        raise NotImplementedError

    def _facts(self) -> Mapping[str, PlanFacts]:
        raise NotImplementedError

    def _open_phase(self) -> str:
        staged = self._staged
        return "" if staged is None or staged.ended_at is not None else staged.view(self.now).phase

    def _is_held(self) -> bool:
        return self.staged_overlap is not None and bool(self.staged_overlap.held)

    def _ways(self) -> dict[str, WayBack]:
        return {
            name: way_back(one.facts, self.now, heartbeat_alive=one.heartbeat_alive, place=one.login_file_path)
            for name, one in self._facts().items()
        }

    async def plan_rotation(
        self, kind: RotationKind = RotationKind.OVERLAP, settings: OverlapSettings = DEFAULT_SETTINGS
    ) -> RotationPlanView:
        self._look("plan_rotation")
        plan_id = f"rotation-plan-{self.looks['plan_rotation']}"
        if kind.cuts:
            made = rotation_plan_view(self.seeds, self._ways(), self.checks, plan_id, self.now, PLAN_LIFETIME)
            return replace(made, kind=kind)
        return overlap_plan_view(
            self.seeds,
            ways_through(self.seeds, self._facts(), self.now),
            self.checks,
            kind=kind,
            settings=settings,
            plan_id=plan_id,
            now=self.now,
            lifetime=PLAN_LIFETIME,
            wants_approval=self.wants_approval and kind is RotationKind.OVERLAP,
        )

    async def approve_rotation(self, plan_id: str, plan_hash: str, typed_name: str) -> str:
        self._ask(f"approve_rotation {plan_id} {plan_hash[:8]} {typed_name}")
        raise ConfirmationRefused(f"plan {plan_id} is your own; somebody else has to approve it")

    def approve(self, plan: RotationPlanView) -> None:
        """Let somebody else approve a plan."""
        at = self.now
        made = EventView(
            index=900, at=at, actor="ops-ben", origin="cli", action="approve_ca_rotation", subject=DEPLOYMENT,
            outcome="done", detail=(("plan", plan.id), ("plan_hash", plan.hash)), digest="5c" * 32,
        )  # fmt: skip
        self.approvals.append(made)

    async def start_rotation(self, plan: RotationPlanView, typed_name: str, reason: str) -> RotationView:
        self._ask(f"start_rotation {plan.id} {typed_name}")
        if typed_name != DEPLOYMENT:
            raise ConfirmationRefused("the name typed is not the deployment's; type it exactly as the plan shows it")
        if self.now > plan.expires_at:
            raise ConfirmationRefused("the plan is too old; look at a new one")
        failed = [check for check in self.checks if check.result == "fail"]
        if failed:
            raise InconsistentState("; ".join(f"{check.test}: {check.details}" for check in failed))
        if (await self.plan_rotation(plan.kind, plan.settings)).hash != plan.hash:
            raise PlanChanged("since the plan was made, its clients have changed; look at a new plan")
        self.staged_rotation = None
        self.staged_overlap = None
        if plan.kind.cuts:
            self.staged_rotation = self._disruptive(reason)
            return self.staged_rotation.view(self.now)
        ways = ways_through(self.seeds, self._facts(), self.now)
        self.staged_overlap = StagedOverlap(
            id="rotation-1",
            kind=plan.kind,
            started_at=self.now,
            phase_at=self.now,
            reason=reason,
            seeds={seed.name: seed for seed in self.seeds},
            clients=first_clients(self.seeds, ways),
            settings=plan.settings,
        )
        return self.staged_overlap.view(self.now)

    def _disruptive(self, reason: str) -> StagedRotation:
        ways = self._ways()
        return StagedRotation(
            id="rotation-1",
            started_at=self.now,
            phase_at=self.now,
            reason=reason,
            seeds={seed.name: seed for seed in self.seeds},
            ways=ways,
            clients=[
                RotationClient(number=number, name=seed.name, route=ways[seed.name].route)
                for number, seed in enumerate(self.seeds, 1)
            ],
        )

    @property
    def _staged(self) -> StagedRotation | StagedOverlap | None:
        return self.staged_overlap or self.staged_rotation

    async def rotation(self) -> RotationView | None:
        self._look("rotation")
        return None if self._staged is None else self._staged.view(self.now)

    async def move_rotation(
        self, rotation: RotationView, move: RotationMove, *, written_off: Sequence[str] = (), reason: str = ""
    ) -> RotationView:
        self._ask(f"{move.value} {','.join(written_off)}")
        if self._staged is None:
            raise NotFound("there is no rotation")
        self._staged.move(rotation.version, move, written_off, reason, self.now)
        return self._staged.view(self.now)

    async def destroy_authority(self, generation: int, typed_name: str) -> None:
        self._ask(f"destroy_authority {generation} {typed_name}")
        if self.staged_overlap is None or self.staged_overlap.phase is not OverlapPhase.DISTRUSTED:
            raise InconsistentState(f"CA g{generation} is still trusted; only a distrusted one's key can be destroyed")
        self.staged_overlap.move_on(self.now)
