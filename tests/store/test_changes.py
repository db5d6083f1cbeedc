"""The change counter: a reader that asks for what is new misses nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import booleans, integers

from backend.core.model import AuthorityStatus, ClientKind, Cluster, Identity, RevokeReason
from backend.store.port import Store, Transaction
from backend.store.records import OperationRow, TargetRow
from backend.store.sqlite import open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

OPERATION = OperationRow(
    id="op",
    plan_id="p",
    action="renew",
    state="running",
    actor="a",
    origin="cli",
    parallel=1,
    reason="",
    overlap_seconds=-1,
    started_at=NOW,
)
TARGET = TargetRow(operation_id="op", position=0, identity_number=1, name="kva", route="itself", state="waiting")


def since(tx: Transaction, counter: int) -> tuple[list[int] | None, list[int]]:
    """What changed and what went after `counter`, in pages of two; None: it cannot be told."""
    if not tx.changes.knows(counter):
        return None, []
    changed, gone = [], []
    at, number = counter, 2**63 - 1
    while page := tx.changes.marks(at, number, 2):
        changed += [who for _, who in page]
        at, number = page[-1]
    at = counter
    while page := tx.changes.removals(at, 2):
        gone += [who for _, who in page]
        at = page[-1][0]
    return changed, gone


@pytest.fixture
def filled(ready: Store, make: Any) -> tuple[Store, int]:
    """A store where identity 1 has everything, and the counter before the test's own write."""
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1))
        tx.certificates.add(make.certificate(6, 1))
        tx.tokens.add(make.token("t1", 1))
        tx.heartbeats.put(make.heartbeat(1))
        tx.seen.put(make.seen(1))
        tx.operations.add(OPERATION, [TARGET])
        tx.clusters.put(Cluster(name="wl-1", is_management=False))
        tx.identities.put(replace(tx.identities.get("kva"), cluster="wl-1"))
        counter = tx.changes.current()
    return ready, counter


SHOWN: dict[str, Callable[[Transaction, Any], object]] = {
    "identity": lambda tx, make: tx.identities.put(replace(tx.identities.get("kva"), owner="ops")),
    "new certificate": lambda tx, make: tx.certificates.add(make.certificate(7, 1)),
    "first use": lambda tx, make: tx.certificates.mark_used(6, NOW),
    "revocation": lambda tx, make: tx.certificates.revoke(6, NOW, RevokeReason.CERTIFICATE),
    "revocations": lambda tx, make: tx.certificates.revoke_of(1, NOW, RevokeReason.IDENTITY),
    "new token": lambda tx, make: tx.tokens.add(make.token("t2", 1)),
    "token": lambda tx, make: tx.tokens.put(make.token("t1", 1, first_used_at=NOW)),
    "heartbeat": lambda tx, make: tx.heartbeats.put(make.heartbeat(1)),
    "seen": lambda tx, make: tx.seen.put(make.seen(1)),
    "target": lambda tx, make: tx.operations.put_target(replace(TARGET, state="ordered")),
    "end of an operation": lambda tx, make: tx.operations.put(replace(OPERATION, state="done")),
    "cluster": lambda tx, make: tx.clusters.put(Cluster(name="wl-1", is_management=True)),
    "asked for": lambda tx, make: tx.changes.touch(1),
}


@pytest.mark.parametrize("what", SHOWN)
def test_what_the_fleet_view_shows_is_a_change(filled: tuple[Store, int], make: Any, what: str) -> None:
    store, counter = filled
    with store.transaction() as tx:
        SHOWN[what](tx, make)
        assert since(tx, counter) == ([1], [])
    with store.transaction() as tx:
        assert since(tx, counter) == ([1], [])
        assert tx.changes.current() > counter
        assert since(tx, tx.changes.current()) == ([], [])


NOT_SHOWN: dict[str, Callable[[Transaction, Any], object]] = {
    "same cluster": lambda tx, make: tx.clusters.put(Cluster(name="wl-1", is_management=False)),
    "same status": lambda tx, make: tx.authorities.set_status(1, AuthorityStatus.ISSUING),
    "nothing to revoke": lambda tx, make: tx.certificates.revoke_of(2, NOW, RevokeReason.IDENTITY),
    "audit": lambda tx, make: tx.audit.append(make.event(1)),
    "unknown number": lambda tx, make: tx.changes.touch(77),
}


@pytest.mark.parametrize("what", NOT_SHOWN)
def test_what_it_does_not_show_names_nobody(filled: tuple[Store, int], make: Any, what: str) -> None:
    store, counter = filled
    with store.transaction() as tx:
        NOT_SHOWN[what](tx, make)
        assert since(tx, counter) == ([], [])


EVERYTHING: dict[str, Callable[[Transaction, Any], object]] = {
    "status of a generation": lambda tx, make: tx.authorities.set_status(1, AuthorityStatus.DISTRUSTED),
    "new generation": lambda tx, make: tx.authorities.add(make.authority(2, AuthorityStatus.STAGED)),
    "new epoch": lambda tx, make: tx.bundles.add(make.bundle(2)),
    "distrust": lambda tx, make: tx.certificates.revoke_generation(1, NOW),
    "asked for": lambda tx, make: tx.changes.touch_all(),
}


@pytest.mark.parametrize("what", EVERYTHING)
def test_trust_sends_every_reader_back_to_the_beginning(filled: tuple[Store, int], make: Any, what: str) -> None:
    store, counter = filled
    with store.transaction() as tx:
        EVERYTHING[what](tx, make)
        assert since(tx, counter) == (None, [])
        assert since(tx, tx.changes.current()) == ([], [])


def test_a_removed_identity_is_named_as_removed(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        counter = tx.changes.current()
        tx.heartbeats.put(make.heartbeat(2))
        tx.identities.delete(2)
        tx.changes.touch(2)
        assert since(tx, counter) == ([], [2])
        assert since(tx, tx.changes.current()) == ([], [])


def test_a_counter_from_the_future_reads_everything(ready: Store) -> None:
    with ready.transaction() as tx:
        assert since(tx, tx.changes.current() + 1) == (None, [])


def test_an_undone_part_hides_no_change_made_before_it(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        counter = tx.changes.current()
    with ready.transaction() as tx:
        tx.heartbeats.put(make.heartbeat(1))
        with pytest.raises(KeyError), tx.savepoint():  # noqa: PT012 - the exception leaves the part
            tx.heartbeats.put(make.heartbeat(2))
            assert since(tx, counter) == ([1, 2], [])
            raise KeyError
    with ready.transaction() as tx:
        changed, _ = since(tx, counter)
        assert changed is not None
        assert 1 in changed


def give_up(really: bool) -> None:
    if really:
        raise KeyError


class ReaderAndWriter(RuleBasedStateMachine):
    """A reader that only ever asks for what is new holds what a full read would give."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self._store = open_store(Path(self._directory.name) / "store.db")
        self._mirror: dict[int, Identity] = {}
        self._counter = 0
        self._made = 0

    @rule()
    def add(self) -> None:
        self._made += 1
        identity = Identity(number=0, id=f"i{self._made}", name=f"n{self._made}", kind=ClientKind.KVA, created_at=NOW)
        with self._store.transaction() as tx:
            tx.identities.add(identity)

    @rule(pick=integers(0, 9), fails=booleans())
    def change(self, pick: int, fails: bool) -> None:
        with self._store.transaction() as tx:
            for identity in tx.identities.all()[pick : pick + 2]:
                self._made += 1
                try:
                    with tx.savepoint():
                        tx.identities.put(replace(identity, owner=f"o{self._made}"))
                        tx.changes.current()
                        give_up(fails)
                except KeyError:
                    pass

    @rule(pick=integers(0, 9), abandoned=booleans())
    def remove(self, pick: int, abandoned: bool) -> None:
        try:
            with self._store.transaction() as tx:
                for identity in tx.identities.all()[pick : pick + 1]:
                    tx.identities.delete(identity.number)
                give_up(abandoned)
        except KeyError:
            pass

    @rule()
    def distrust(self) -> None:
        with self._store.transaction() as tx:
            tx.changes.touch_all()

    @invariant()
    def the_mirror_is_true(self) -> None:
        with self._store.transaction() as tx:
            changed, removed = since(tx, self._counter)
            if changed is None:
                self._mirror = {identity.number: identity for identity in tx.identities.all()}
            else:
                for number in removed:
                    self._mirror.pop(number, None)
                self._mirror |= {identity.number: identity for identity in tx.identities.some(changed)}
            self._counter = tx.changes.current()
            assert self._mirror == {identity.number: identity for identity in tx.identities.all()}

    def teardown(self) -> None:
        self._store.close()
        self._directory.cleanup()


TestReaderAndWriter = ReaderAndWriter.TestCase
TestReaderAndWriter.settings = settings(derandomize=True, deadline=None, max_examples=15, stateful_step_count=20)
