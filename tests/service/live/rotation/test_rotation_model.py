"""Whatever happens in whatever order around a CA rotation, the invariants hold and nobody is lost (pki.md 5.2, 6.5)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backend.core.errors import AgentError
from backend.core.model import AuthorityStatus
from backend.core.rotation import ClientStanding
from backend.service import audit, rotation
from backend.service.reconcile import reconcile
from backend.service.rotation import Move
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from tests.service.live.conftest import Live

NAMES = ["kva", "csi", "kms"]


class Machine(RuleBasedStateMachine):
    """A site with three clients, of which some sleep; everything else is the real thing."""

    make: Any  # set by the test: makes a fresh site

    def __init__(self) -> None:
        super().__init__()
        self.live: Live = type(self).make()
        for name in NAMES:
            self.live.client(name)
        self.epochs: list[int] = []
        self.versions: dict[str, int] = {}

    @initialize(is_started=st.booleans(), intervals=st.integers(0, 8))
    def begin_somewhere(self, is_started: bool, intervals: int) -> None:
        """Most of what can go wrong goes wrong in the middle of a rotation."""
        if is_started:
            self.start()
        for _ in range(intervals):
            self.half_a_minute_awake()

    @rule()
    def half_a_minute_awake(self) -> None:
        report = self.live.pass_interval()
        assert report.errors == ()

    @rule(asleep=st.sets(st.sampled_from(NAMES), min_size=1))
    def half_a_minute(self, asleep: set[str]) -> None:
        report = self.live.pass_interval(*asleep)
        assert report.errors == ()

    @rule()
    def start(self) -> None:
        site = self.live.site
        with suppress(AgentError), site.transaction() as tx:
            made = rotation.plan_rotation(tx, site.world, site.admin)
            given = {"plan_id": made.id, "hash": made.hash, "deployment": "north", "reason": "test"}
            rotation.start_rotation(tx, site.world, site.admin, **given)

    @rule(move=st.sampled_from([Move.PROCEED, Move.ABORT]))
    def decide(self, move: Move) -> None:
        self._move(move)

    @rule()
    def finish(self) -> None:
        self._move(Move.FINISH, written_off=self._away(), reason="test")

    @rule()
    def kill(self) -> None:
        site = self.live.site
        site.store.close()
        object.__setattr__(site, "store", open_store(site.directory / "store.db"))
        site.world.peers.clear()
        with site.transaction() as tx:
            reconcile(tx, site.world)

    @rule(name=st.sampled_from(NAMES))
    def renew(self, name: str) -> None:
        with suppress(AgentError):
            self.live.clients[name].renew()

    @precondition(lambda self: self._open() is None)
    @rule()
    def administrator_returns(self) -> None:
        with suppress(AgentError):
            site = self.live.site
            object.__setattr__(site, "admin", site.caller(site.certificate("admin", site.admin_token)))

    @invariant()
    def one_ca_issues_and_is_trusted(self) -> None:
        with self.live.site.transaction() as tx:
            issuing = [a for a in tx.authorities.all() if a.status is AuthorityStatus.ISSUING]
            assert len(issuing) == 1
            bundle = tx.bundles.current()
            assert issuing[0].generation in bundle.generations
            assert len(bundle.generations) <= 2
            assert not self.epochs or bundle.epoch >= self.epochs[-1]
            self.epochs.append(bundle.epoch)
            assert audit.verify(tx).intact
            fenced = bool(tx.meta.find("fenced"))
            row = tx.rotations.find_open()
            assert fenced == (row is not None and row.phase == "fenced")

    @invariant()
    def counts_add_up_and_versions_grow(self) -> None:
        with self.live.site.transaction() as tx:
            last = tx.rotations.find_last()
            if last is None:
                return
            view = rotation.get(tx, self.live.site.world, last.id)
        assert sum(view.counts.values()) == view.total
        assert view.row.version >= self.versions.get(view.row.id, 0)
        self.versions[view.row.id] = view.row.version

    def teardown(self) -> None:
        """Every rotation can end, and everyone who lives comes back."""
        for _ in range(12):
            self.live.pass_interval()
        if self._open() is not None:
            self._move(Move.FINISH, written_off=self._away(), reason="end of the test")
            self.live.pass_interval()
        assert self._open() is None
        for client in self.live.clients.values():
            client.live()
            client.call()
        self.live.site.store.close()

    def _open(self) -> Any:
        with self.live.site.transaction() as tx:
            return tx.rotations.find_open()

    def _away(self) -> list[str]:
        with suppress(AgentError), self.live.site.transaction() as tx:
            view = rotation.get(tx, self.live.site.world)
            back = {ClientStanding.RETURNED, ClientStanding.WRITTEN_OFF}
            return [client.row.name for client in view.clients if client.standing not in back]
        return []

    def _move(self, move: Move, **more: Any) -> None:
        row = self._open()
        if row is None:
            return
        site = self.live.site
        given = {"rotation_id": row.id, "version": row.version, "move": move, **more}
        with suppress(AgentError), site.transaction() as tx:
            rotation.move(tx, site.world, site.admin, **given)


def test_a_rotation_keeps_its_invariants_whatever_happens(new_live: Any, tmp_path: Path) -> None:
    made = iter(range(10_000))
    Machine.make = staticmethod(lambda: new_live(tmp_path / str(next(made))))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
