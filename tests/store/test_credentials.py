"""Certificates, tokens, generations and bundles."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from backend.core.errors import AlreadyExists, InconsistentState, NotFound
from backend.core.model import AuthorityStatus, RevokeReason, TokenState
from backend.store.port import Store

SECOND = timedelta(seconds=1)
LARGEST = 2**159 - 1


def test_a_certificate_comes_back_with_its_159_bit_serial(ready: Store, make: Any) -> None:
    certificate = make.certificate(LARGEST, 1, renew_count=4)
    with ready.transaction() as tx:
        tx.certificates.add(certificate)
    with ready.transaction() as tx:
        assert tx.certificates.find(LARGEST) == certificate
        assert tx.certificates.find(LARGEST - 1) is None


def test_a_serial_is_used_once(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1))
        with pytest.raises(AlreadyExists, match=f"serial {5:040x}"):
            tx.certificates.add(make.certificate(5, 2))


@pytest.mark.parametrize("status", [status for status in AuthorityStatus if status is not AuthorityStatus.ISSUING])
def test_only_the_issuing_generation_signs(ready: Store, make: Any, status: AuthorityStatus) -> None:
    with ready.transaction() as tx:
        tx.authorities.add(make.authority(2, status))
        with pytest.raises(InconsistentState, match="issuing"):
            tx.certificates.add(make.certificate(5, 1, generation=2))
        with pytest.raises(InconsistentState, match="issuing"):
            tx.certificates.add(make.certificate(5, 1, generation=7))


def test_newest_first_also_within_one_second(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1, issued_at=make.now + SECOND))
        tx.certificates.add(make.certificate(6, 1))
        tx.certificates.add(make.certificate(7, 1))
        tx.certificates.add(make.certificate(8, 2, key_sha256=make.certificate(6, 1).key_sha256))
        assert [certificate.serial for certificate in tx.certificates.of(1)] == [5, 7, 6]
        same_key = tx.certificates.find_by_key(make.certificate(6, 1).key_sha256)
        assert [certificate.serial for certificate in same_key] == [8, 6]


def test_the_fleet_reads_the_newest_and_the_newest_used(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        for serial in (10, 11, 12, 13):
            tx.certificates.add(make.certificate(serial, 1, issued_at=make.now + serial * SECOND))
        tx.certificates.add(make.certificate(20, 2))
        for serial in (10, 11, 20):
            tx.certificates.mark_used(serial, make.now)
        assert [certificate.serial for certificate in tx.certificates.for_fleet(None)] == [13, 11, 20]
        assert [certificate.serial for certificate in tx.certificates.for_fleet([2])] == [20]
        assert list(tx.certificates.for_fleet([])) == []


def test_the_first_use_is_kept_and_the_last_moves(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1))
        tx.certificates.mark_used(5, make.now)
        tx.certificates.mark_used(5, make.now + SECOND)
        used = tx.certificates.find(5)
        assert used is not None
        assert (used.first_used_at, used.last_used_at) == (make.now, make.now + SECOND)
        with pytest.raises(NotFound, match="serial"):
            tx.certificates.mark_used(6, make.now)


def test_a_revocation_keeps_its_first_instant_and_reason(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1))
        tx.certificates.add(make.certificate(6, 1))
        tx.certificates.revoke(5, make.now, RevokeReason.CERTIFICATE)
        tx.certificates.revoke(5, make.now + SECOND, RevokeReason.IDENTITY)
        assert tx.certificates.revoke_of(1, make.now + SECOND, RevokeReason.IDENTITY) == 1
        first, second = tx.certificates.find(5), tx.certificates.find(6)
        assert first is not None
        assert second is not None
        assert (first.revoked_at, first.revoke_reason) == (make.now, RevokeReason.CERTIFICATE)
        assert (second.revoked_at, second.revoke_reason) == (make.now + SECOND, RevokeReason.IDENTITY)
        with pytest.raises(NotFound, match="serial"):
            tx.certificates.revoke(9, make.now, RevokeReason.CERTIFICATE)


@pytest.mark.parametrize(("late", "revoked"), [(-1, 1), (0, 1), (1, 0)])
def test_distrust_revokes_up_to_the_last_valid_second(ready: Store, make: Any, late: int, revoked: int) -> None:
    end = make.now + timedelta(days=90)
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1))
        assert tx.certificates.revoke_generation(2, end) == 0
        assert tx.certificates.revoke_generation(1, end + late * SECOND) == revoked
        found = tx.certificates.find(5)
        assert found is not None
        assert found.revoke_reason is (RevokeReason.ROTATION if revoked else None)


def test_a_certificate_cannot_be_removed_even_by_hand(ready: Store, make: Any, path: Any) -> None:
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1))
    by_hand = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="kept for the record"):
        by_hand.execute("DELETE FROM certificates")
    by_hand.close()


def test_tokens_are_found_by_id_and_one_is_current(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        old = make.token("t1", 1, delivered_at=make.now)
        tx.tokens.add(old)
        tx.tokens.put(replace(old, state=TokenState.PREVIOUS, dies_at=make.now + SECOND))
        new = make.token("t2", 1, issued_at=make.now + SECOND)
        tx.tokens.add(new)
        tx.tokens.add(make.token("t3", 2))
        assert tx.tokens.find("t1") == replace(old, state=TokenState.PREVIOUS, dies_at=make.now + SECOND)
        assert tx.tokens.find("t9") is None
        assert [token.id for token in tx.tokens.of(1)] == ["t2", "t1"]
        assert [token.id for token in tx.tokens.current(None)] == ["t2", "t3"]
        assert list(tx.tokens.current([1])) == [new]
        with pytest.raises(AlreadyExists, match="t1"):
            tx.tokens.add(old)
        with pytest.raises(NotFound, match="t9"):
            tx.tokens.put(make.token("t9", 1))


def test_a_token_needs_its_identity(ready: Store, make: Any) -> None:
    with ready.transaction() as tx, pytest.raises(InconsistentState, match="does not hold"):
        tx.tokens.add(make.token("t1", 77))


def test_one_generation_issues(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        with pytest.raises(AlreadyExists, match="only one may"):
            tx.authorities.add(make.authority(2))
        with pytest.raises(AlreadyExists, match="generation 1"):
            tx.authorities.add(make.authority(1, AuthorityStatus.STAGED))
        tx.authorities.add(make.authority(2, AuthorityStatus.STAGED))
        with pytest.raises(AlreadyExists, match="only one may"):
            tx.authorities.set_status(2, AuthorityStatus.ISSUING)
        tx.authorities.set_status(1, AuthorityStatus.DISTRUSTED)
        with pytest.raises(NotFound, match="no CA generation is issuing"):
            tx.authorities.issuing()
        tx.authorities.set_status(2, AuthorityStatus.ISSUING)
        assert tx.authorities.issuing() == make.authority(2)
        assert [authority.generation for authority in tx.authorities.all()] == [1, 2]
        with pytest.raises(NotFound, match="generation 3"):
            tx.authorities.set_status(3, AuthorityStatus.STAGED)


def test_epochs_only_grow(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        with pytest.raises(NotFound, match="no trust bundle"):
            tx.bundles.current()
        tx.bundles.add(make.bundle(4, 1, 2))
        for epoch in (3, 4):
            with pytest.raises(InconsistentState, match="only grow"):
                tx.bundles.add(make.bundle(epoch))
        tx.bundles.add(make.bundle(5))
        assert tx.bundles.current() == make.bundle(5)


def test_a_published_bundle_is_not_changed_by_hand(ready: Store, path: Any) -> None:
    for change in ("UPDATE bundles SET pem = ''", "DELETE FROM bundles"):
        by_hand = sqlite3.connect(path)
        with pytest.raises(sqlite3.IntegrityError, match="published trust bundle"):
            by_hand.execute(change)
        by_hand.close()


def test_bundles_are_read_from_an_epoch_on(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        for epoch in (1, 2, 5):
            tx.bundles.add(make.bundle(epoch, 1))
        assert [bundle.epoch for bundle in tx.bundles.since(2)] == [2, 5]
        assert tx.bundles.since(6) == []


def test_an_epochs_signatures_are_kept_once_and_in_order(ready: Store, make: Any, path: Any) -> None:
    with ready.transaction() as tx:
        for epoch in (2, 3):
            tx.bundles.add(make.bundle(epoch))
        tx.statements.add(make.statement(2))  # epoch 1 is of a program that signed none
        tx.statements.add(make.statement(3))
        for epoch in (1, 2, 3):
            with pytest.raises(InconsistentState, match="signed in their order"):
                tx.statements.add(make.statement(epoch))
        assert tx.statements.find(1) is None
        assert tx.statements.find(2) == make.statement(2)
        assert tx.statements.since(0) == [make.statement(2), make.statement(3)]
        assert tx.statements.since(3) == [make.statement(3)]
    for change in ("UPDATE bundle_statements SET signature = ''", "DELETE FROM bundle_statements"):
        by_hand = sqlite3.connect(path)
        with pytest.raises(sqlite3.IntegrityError, match="signed trust bundle epoch"):
            by_hand.execute(change)
        by_hand.close()


def test_one_cross_certificate_for_each_pair_and_direction(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.authorities.add(make.authority(2, AuthorityStatus.STAGED))
        tx.cross.add(make.cross(2, 1))
        tx.cross.add(make.cross(1, 2))
        with pytest.raises(AlreadyExists, match="generation 1 vouches for generation 2 already"):
            tx.cross.add(make.cross(2, 1))
        assert tx.cross.find(2, 1) == make.cross(2, 1)
        assert tx.cross.find(3, 1) is None
        assert tx.cross.all() == [make.cross(1, 2), make.cross(2, 1)]


def test_generations_are_read_anew_after_a_part_was_undone(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        assert tx.authorities.issuing().generation == 1
        with contextlib.suppress(NotFound), tx.savepoint():
            tx.authorities.set_status(1, AuthorityStatus.TRUSTED)
            tx.authorities.add(make.authority(2))
            assert [authority.status for authority in tx.authorities.all()] == [
                AuthorityStatus.TRUSTED,
                AuthorityStatus.ISSUING,
            ]
            tx.identities.get("nobody")
        assert [authority.generation for authority in tx.authorities.all()] == [1]
        assert tx.authorities.issuing().generation == 1


@pytest.mark.parametrize(("late", "is_due"), [(-1, False), (0, True), (1, True)])
def test_only_tokens_that_are_due_leave_the_store_and_only_each_newest(
    ready: Store, make: Any, late: int, is_due: bool
) -> None:
    """The agent asks every second: what a fleet of fresh tokens costs then must not be a row of each."""
    lifetime = timedelta(days=90)
    due_at = make.now + lifetime - lifetime * 3 / 10
    with ready.transaction() as tx:
        tx.tokens.add(make.token("old", 1, issued_at=make.now - lifetime))
        tx.tokens.add(make.token("new", 1))
        tx.tokens.add(
            make.token("fresh", 2, issued_at=make.now + timedelta(days=1), expires_at=make.now + 2 * lifetime)
        )
        found = tx.tokens.due(due_at + late * SECOND, Fraction(30, 100))
        assert [token.id for token in found] == (["new"] if is_due else [])
