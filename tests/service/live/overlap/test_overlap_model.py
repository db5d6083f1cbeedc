"""Whatever happens in whatever order around a rotation with overlap: I1 to I10 hold, and no awake client is refused.

Enrol, renew, revoke, sleep, partition, crash, advance, hold, waive, write off, roll back, destroy (pki.md 5.2 and 6.5).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings
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
from backend.core.model import AuthorityStatus, RevokeReason
from backend.core.overlap import OverlapPhase
from backend.core.overlap_gates import OverlapSettings
from backend.pki.trust import split_bundle
from backend.service import audit, rotations, server_certificate
from backend.service.overlap_phase import position_fault
from backend.service.rotation_moves import Move
from backend.service.serving import OVERLAP, serving_authority
from tests.service.live.overlap.conftest import Overlapping

if TYPE_CHECKING:
    from backend.store.records import RotationRow

NAMES = ["kva", "csi", "kms"]
FORWARD = ["planned", "staged", "trusted", "issuing", "serving", "draining", "shadow", "distrusted"]


class Machine(RuleBasedStateMachine):
    """A site with clients of which some sleep; everything else is the real thing."""

    make: Any  # set by the test: makes a fresh site
    visited: set[str]  # the phases that any run came to

    def __init__(self) -> None:
        super().__init__()
        self.site = Overlapping(type(self).make())
        for name in NAMES:
            self.site.client(name)
        self.epoch = 0
        self.versions: dict[str, int] = {}
        self.enrolled = 0
        self.given_up: set[str] = set()  # waived, written off, revoked, or asleep since some call of theirs

    @initialize(phase=st.sampled_from(["", *FORWARD]))
    def begin_somewhere(self, phase: str) -> None:
        """Most of what can go wrong goes wrong in the middle of a rotation."""
        if phase:
            self.start(True)
        while phase and (row := self._open()) is not None and row.phase != phase:
            if row.phase == "draining":
                self.site.admin_renews()
            self.half_a_minute_awake()

    @rule()
    def half_a_minute_awake(self) -> None:
        """Every client that was never given up makes a call first, and none is refused."""
        for name, client in self.site.live.clients.items():
            if name not in self.given_up:
                client.call()
        assert self.site.pass_interval().errors == ()
        self._note()

    @rule(asleep=st.sets(st.sampled_from(NAMES), min_size=1), intervals=st.integers(1, 6))
    def some_sleep(self, asleep: set[str], intervals: int) -> None:
        self.given_up |= asleep
        for _ in range(intervals):
            assert self.site.pass_interval(*asleep).errors == ()

    @rule(automatic=st.booleans())
    def start(self, automatic: bool) -> None:
        with suppress(AgentError):
            self.site.start(self.site.plan(OverlapSettings(automatic=automatic)))

    @rule(move=st.sampled_from([Move.ADVANCE, Move.AUTOMATIC, Move.HOLD, Move.ROLL_BACK]))
    def decide(self, move: Move) -> None:
        self._move(move)

    @rule(name=st.sampled_from(NAMES), move=st.sampled_from([Move.WAIVE, Move.WRITE_OFF]))
    def give_up(self, name: str, move: Move) -> None:
        self._move(move, written_off=[name])
        self.given_up.add(name)

    @rule()
    def destroy(self) -> None:
        row = self._open()
        if row is None:
            return
        site = self.site.site
        with suppress(AgentError), site.transaction() as tx:
            rotations.destroy(tx, site.world, site.admin, generation=row.from_generation, deployment="north")

    @rule()
    def kill(self) -> None:
        self.site.reopen()

    @rule(name=st.sampled_from(NAMES))
    def renew(self, name: str) -> None:
        with suppress(AgentError):
            self.site.live.clients[name].renew()

    @precondition(lambda self: self.enrolled < 3)
    @rule()
    def enrol(self) -> None:
        self.enrolled += 1
        self.site.client(f"new-{self.enrolled}")

    @rule(name=st.sampled_from(NAMES))
    def revoke_its_certificate(self, name: str) -> None:
        site, client = self.site.site, self.site.live.clients[name]
        self.given_up.add(name)
        with site.transaction() as tx:
            tx.certificates.revoke_of(client.number, site.clock.now(), RevokeReason.CERTIFICATE)
        site.world.peers.clear()

    @rule(off=st.booleans())
    def probing(self, off: bool) -> None:
        self.site.probe(**({"new leaf, new trust": "client refused"} if off else {}))
        self.site.live.tick()

    @rule()
    def administrator_renews(self) -> None:
        with suppress(AgentError):
            self.site.admin_renews()

    @invariant()
    def trust_is_sound(self) -> None:
        """I1, I2, I3, I7, I9: who issues is trusted, at most two are, and no living leaf is of anybody else."""
        now = self.site.site.clock.now()
        with self.site.site.transaction() as tx:
            authorities = {one.generation: one for one in tx.authorities.all()}
            issuing = [one.generation for one in authorities.values() if one.status is AuthorityStatus.ISSUING]
            bundle = tx.bundles.current()
            assert len(issuing) == 1
            assert issuing[0] in bundle.generations
            assert len(bundle.generations) <= 2
            for identity in tx.identities.all():
                for leaf in tx.certificates.of(identity.number):
                    own = authorities[leaf.generation]
                    assert leaf.validity.not_after <= own.validity.not_after
                    assert own.status is not AuthorityStatus.STAGED
                    is_living = leaf.revoked_at is None and not leaf.validity.is_expired(now)
                    assert not is_living or leaf.generation in bundle.generations

    @invariant()
    def rows_agree_and_only_grow(self) -> None:
        """I4, I5: epochs and versions grow, phase and rows say the same, and the audit chain verifies."""
        with self.site.site.transaction() as tx:
            bundle, row = tx.bundles.current(), tx.rotations.find_last()
            assert bundle.epoch >= self.epoch
            self.epoch = bundle.epoch
            assert audit.verify(tx).intact
            if row is not None and row.kind == OVERLAP:
                assert row.version >= self.versions.get(row.id, 0)
                self.versions[row.id] = row.version
                assert row.ended_at is not None or position_fault(tx, row) == ""

    @invariant()
    def what_is_served_is_acceptable_to_all(self) -> None:
        """I6, I10: the served chain is that of the rows, and ends at a root that every counted client holds."""
        site = self.site.site
        with site.transaction() as tx:
            chain = split_bundle(server_certificate.ensure(tx, site.world).chain_pem)
            serving = serving_authority(tx)
            assert chain[0].issuer == split_bundle(serving.pem)[0].subject
            first = split_bundle(tx.authorities.get(1).pem)[0]
        issuers = {certificate.issuer for certificate in chain}
        for name, client in self.site.live.clients.items():
            roots = split_bundle(client.bundle) if client.bundle else [first]
            if name not in self.given_up:
                assert issuers & {root.subject for root in roots}, name

    @invariant()
    def counts_add_up(self) -> None:
        if self._open() is not None:
            self.site.look()

    def teardown(self) -> None:
        """Every rotation can be brought to an end, and everyone who lives comes back."""
        for _ in range(3):
            row = self._open()
            if row is None:
                break
            self._move(Move.ADVANCE if OverlapPhase(row.phase).is_rollback else Move.ROLL_BACK)  # either ends a hold
            everybody = [*self.site.live.clients, "admin"]
            for _ in range(12):
                self.site.pass_interval()
                self._note()
                if self._open() is not None and OverlapPhase(self._open().phase) is OverlapPhase.REISSUING_BACK:  # type: ignore[union-attr]
                    self._move(Move.WAIVE, written_off=everybody)
        assert self._open() is None, [gate.why for gate in self.site.look().gates if not gate.met]
        for client in self.site.live.clients.values():
            client.live()
            client.call()
        self.site.site.store.close()

    def _note(self) -> None:
        with self.site.site.transaction() as tx:
            row = tx.rotations.find_last()
            self.visited.update({row.phase} if row is not None else set())

    def _open(self) -> RotationRow | None:
        with self.site.site.transaction() as tx:
            return tx.rotations.find_open()

    def _move(self, move: Move, **more: Any) -> None:
        if self._open() is not None:
            with suppress(AgentError):
                self.site.decide(move, **more)


def test_a_rotation_with_overlap_keeps_its_invariants_whatever_happens(new_live: Any, tmp_path: Path) -> None:
    made = iter(range(10_000))
    Machine.visited = set()
    Machine.make = staticmethod(lambda: new_live(tmp_path / str(next(made))))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=16,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],  # a found sequence can be read; shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    missed = {phase.value for phase in OverlapPhase} - Machine.visited
    assert missed <= {"aborted"}, "the runs come to every phase"
