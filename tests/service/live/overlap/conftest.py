"""Planning, confirming, deciding and watching a CA rotation with overlap; clients that prove and move as told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from backend.core.overlap import Level
from backend.core.overlap_gates import OverlapSettings
from backend.service import rotations
from backend.service.guard import mark_used
from backend.service.heartbeat import Beat, beat
from backend.service.overlap_plan import OverlapPlan, plan_overlap
from backend.service.overlap_view import OverlapView
from backend.service.reconcile import reconcile
from backend.service.rotation_moves import Move
from backend.store.records import ProbeRow
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from backend.service.ticks import TickReport
    from tests.service.conftest import Site
    from tests.service.live.conftest import Client, Live

AUTOMATIC = OverlapSettings(automatic=True)
MANUAL = OverlapSettings()


@dataclass
class Overlapping:
    """A site in a rotation with overlap. `blind` clients do not recognise the canary, `probed` False: no prober."""

    live: Live
    blind: set[str] = field(default_factory=set)
    probed: bool = True

    @property
    def site(self) -> Site:
        return self.live.site

    def client(self, name: str, **fields: Any) -> Client:
        return self.live.client(name, **fields)

    def plan(self, settings: OverlapSettings = AUTOMATIC, **more: Any) -> OverlapPlan:
        with self.site.transaction() as tx:
            return plan_overlap(tx, self.site.world, self.site.admin, settings, **more)

    def start(self, made: OverlapPlan, **changes: Any) -> OverlapView:
        given = {"plan_id": made.id, "hash": made.hash, "deployment": "north", "reason": "yearly", "origin": "tui"}
        with self.site.transaction() as tx:
            view = rotations.start(tx, self.site.world, self.site.admin, **{**given, **changes})
        assert isinstance(view, OverlapView)
        return view

    def look(self) -> OverlapView:
        """The rotation as the screen shows it; its counts always sum to the total."""
        with self.site.transaction() as tx:
            view = rotations.get(tx, self.site.world)
        assert isinstance(view, OverlapView)
        assert sum(view.counts.values()) == view.total
        return view

    def decide(self, move: Move, **more: Any) -> OverlapView:
        now = self.look().row
        given = {"rotation_id": now.id, "version": now.version, "move": move, "reason": "OPS-1", **more}
        with self.site.transaction() as tx:
            view = rotations.move(tx, self.site.world, self.site.admin, **given)
        assert isinstance(view, OverlapView)
        return view

    def prove(self) -> None:
        """Every client that reports meets the canary, as the listener's report would have it."""
        with self.site.transaction() as tx:
            rotation = tx.rotations.find_open()
            if rotation is None or rotation.phase != "trusted":
                return
            rows = tx.rotations.overlap_clients(rotation.id)
            now = self.site.clock.now()
            met = [row for row in rows if row.name in self.live.clients and row.name not in self.blind]
            tx.rotations.put_overlap_clients([replace(row, proved_at=row.proved_at or now) for row in met])

    def probe(self, **cells: str) -> None:
        """One round of probes that finds what it should, but for the cells that are named."""
        with self.site.transaction() as tx:
            rotation = tx.rotations.find_open()
            if rotation is None:
                return
            held = {probe.cell: probe for probe in tx.rotations.probes(rotation.id)}
            now = self.site.clock.now()
            for cell in ("old leaf, old trust", "new leaf, new trust"):
                seen = cells.get(cell, "ok")
                before = held.get(cell)
                made = (0 if before is None else before.made) + 1
                off = (0 if before is None else before.deviations) + (seen != "ok")
                row = ProbeRow(
                    rotation_id=rotation.id,
                    cell=cell,
                    expected="ok",
                    observed=seen,
                    made=made,
                    deviations=off,
                    last_at=now,
                )
                tx.rotations.put_probes([row])

    def pass_interval(self, *silent: str) -> TickReport:
        self.prove()
        if self.probed:
            self.probe()
        return self.live.pass_interval(*silent)

    def until(self, phase: str, *silent: str, most: int = 40) -> OverlapView:
        """Let time pass until the rotation is in a phase."""
        for _ in range(most):
            view = self.look()
            if view.row.phase == phase:
                return view
            report = self.pass_interval(*silent)
            assert report.errors == ()
        view = self.look()
        raise AssertionError(f"{view.row.phase}, not {phase}: {[(gate.test, gate.why) for gate in view.gates]}")

    def level(self, name: str) -> Level:
        return next(client.evidence.level for client in self.look().clients if client.row.name == name)

    def reopen(self) -> None:
        """The agent dies and starts again."""
        self.site.store.close()
        object.__setattr__(self.site, "store", open_store(self.site.directory / "store.db"))
        self.site.world.peers.clear()
        with self.site.transaction() as tx:
            reconcile(tx, self.site.world)

    def admin_renews(self) -> None:
        """The administrator's session gets a certificate of the CA that issues now, and says which roots it holds."""
        caller = self.site.caller(self.site.certificate("admin", self.site.admin_token))
        now = self.site.clock.now()
        with self.site.transaction() as tx:
            mark_used(tx, caller, now)
            epoch = tx.bundles.current().epoch
            beat(tx, self.site.world, caller, Beat(serial=1, epoch=epoch, clock=now, loop_alive=False))
        object.__setattr__(self.site, "admin", caller)

    def all_move(self) -> None:
        self.admin_renews()
        self.site.clock.advance(timedelta(seconds=1))


@pytest.fixture
def fleet(live: Live) -> Overlapping:
    """Three clients that report, beside the administrator, who does not."""
    for name in ("kva", "csi", "kms"):
        live.client(name)
    return Overlapping(live)
