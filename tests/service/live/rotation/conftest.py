"""Planning, confirming, deciding and watching a CA rotation, as its operator does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from backend.core.rotation import ClientStanding
from backend.service import rotation
from backend.service.guard import mark_used
from backend.service.reconcile import reconcile
from backend.service.rotation import Move, RotationPlanView, RotationView
from backend.service.ticks import TickReport
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from tests.service.conftest import Site
    from tests.service.live.conftest import Client, Live


@dataclass(frozen=True)
class Rotating:
    """A site with its living clients, and its administrator at the rotation screen."""

    live: Live

    @property
    def site(self) -> Site:
        return self.live.site

    @property
    def clients(self) -> dict[str, Client]:
        return self.live.clients

    def client(self, name: str, **fields: Any) -> Client:
        return self.live.client(name, **fields)

    def tick(self) -> TickReport:
        return self.live.tick()

    def pass_interval(self, *silent: str) -> TickReport:
        return self.live.pass_interval(*silent)

    def write_files(self) -> list[str]:
        return self.live.write_files()

    def plan(self) -> RotationPlanView:
        with self.site.transaction() as tx:
            return rotation.plan_rotation(tx, self.site.world, self.site.admin)

    def start(self, planned: RotationPlanView | None = None, **changes: Any) -> RotationView:
        made = planned or self.plan()
        given = {"plan_id": made.id, "hash": made.hash, "deployment": "north", "reason": "yearly", "origin": "tui"}
        with self.site.transaction() as tx:
            return rotation.start_rotation(tx, self.site.world, self.site.admin, **{**given, **changes})

    def look(self) -> RotationView:
        """The rotation as the screen shows it; its counts always sum to the total."""
        with self.site.transaction() as tx:
            view = rotation.get(tx, self.site.world)
        assert sum(view.counts.values()) == view.total
        return view

    def decide(self, move: Move, **more: Any) -> RotationView:
        now = self.look().row
        given = {"rotation_id": now.id, "version": now.version, "move": move, **more}
        with self.site.transaction() as tx:
            return rotation.move(tx, self.site.world, self.site.admin, **given)

    def until(self, phase: str, *silent: str, most: int = 20) -> RotationView:
        """Let time pass until the rotation is in a phase."""
        for _ in range(most):
            view = self.look()
            if view.row.phase == phase:
                return view
            report = self.pass_interval(*silent)
            assert report.errors == ()
        raise AssertionError(f"{self.look().row.phase}, not {phase}: {[gate.why for gate in self.look().gates]}")

    def standing(self, name: str) -> ClientStanding:
        return next(client.standing for client in self.look().clients if client.row.name == name)

    def reopen(self) -> None:
        """The agent dies and starts again."""
        self.site.store.close()
        object.__setattr__(self.site, "store", open_store(self.site.directory / "store.db"))
        self.site.world.peers.clear()
        with self.site.transaction() as tx:
            reconcile(tx, self.site.world)

    def admin_returns(self) -> None:
        """The administrator signs in again with the token of the login file, and makes a call."""
        caller = self.site.caller(self.site.certificate("admin", self.site.admin_token))
        with self.site.transaction() as tx:
            mark_used(tx, caller, self.site.clock.now())
        object.__setattr__(self.site, "admin", caller)


@pytest.fixture
def alone(live: Live) -> Rotating:
    """A site without clients but its administrator, who sends no heartbeats."""
    return Rotating(live)


@pytest.fixture
def fleet(live: Live) -> Rotating:
    """Three clients that report, beside the administrator, who does not."""
    for name in ("kva", "csi", "kms"):
        live.client(name)
    return Rotating(live)
