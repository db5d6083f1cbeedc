"""Cross certificates and signed bundle epochs, made with the agent's own sealed keys (pki.md 5.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from backend.core.errors import InconsistentState
from backend.core.model import Authority, AuthorityStatus, Bundle
from backend.pki.epochs import ChainCut, NotInChain, read_statement, walk
from backend.pki.trust import split_bundle, validity_of
from backend.service.epochs import ensure_signed, links_since, publish_epoch
from backend.service.reconcile import reconcile
from backend.service.rotation_steps import cross_both_ways
from backend.store.port import Transaction

if TYPE_CHECKING:
    from tests.service.conftest import Site


def stage(tx: Transaction, site: Site, generation: int) -> Authority:
    """A further generation, as a rotation makes it."""
    now: datetime = site.clock.now()
    made = site.world.signer.stage(generation, "north", now, site.world.policy.authority_lifetime)
    tx.authorities.add(made)
    return made


def test_two_generations_vouch_for_each_other_once(site: Site) -> None:
    now = site.clock.now()
    with site.transaction() as tx:
        stage(tx, site, 2)
        cross_both_ways(tx, site.world, 1, 2, now)
        made = tx.cross.all()
        cross_both_ways(tx, site.world, 2, 1, now)
        assert tx.cross.all() == made
        assert [(row.subject_generation, row.issuer_generation) for row in made] == [(1, 2), (2, 1)]
        for row in made:
            certificate = split_bundle(row.pem)[0]
            certificate.verify_directly_issued_by(split_bundle(tx.authorities.get(row.issuer_generation).pem)[0])
            assert row.not_after == validity_of(certificate).not_after


def test_what_is_missing_cannot_be_made_with_a_destroyed_key(site: Site) -> None:
    with site.transaction() as tx:
        stage(tx, site, 2)
        tx.authorities.set_status(2, AuthorityStatus.DESTROYED)
        with pytest.raises(InconsistentState, match="generation 2 is destroyed"):
            cross_both_ways(tx, site.world, 1, 2, site.clock.now())


def switch(tx: Transaction, old: int, new: int) -> None:
    """Another generation issues from now on; both are trusted."""
    tx.authorities.set_status(old, AuthorityStatus.TRUSTED)
    tx.authorities.set_status(new, AuthorityStatus.ISSUING)


def test_an_agent_is_born_with_a_signed_epoch(site: Site) -> None:
    with site.transaction() as tx:
        bundle = tx.bundles.current()
        assert not ensure_signed(tx, site.world)
        assert reconcile(tx, site.world) == ()
        said = read_statement(tx.statements.since(0)[0].statement)
        assert (said.epoch, said.previous_sha256) == (1, "")
        assert said.deployment_id == site.world.deployment_id
        assert walk(bundle.pem, links_since(tx, 1), epoch=1).epoch == 1


def test_a_sleeper_of_two_rotations_is_led_to_the_newest_epoch(site: Site) -> None:
    with site.transaction() as tx:
        first, now = tx.bundles.current().pem, site.clock.now()
        for old, new in ((1, 2), (2, 3)):
            stage(tx, site, new)
            publish_epoch(tx, site.world, (old, new), now)
            switch(tx, old, new)
            tx.authorities.set_status(old, AuthorityStatus.DISTRUSTED)
            publish_epoch(tx, site.world, (new,), now)
        newest = tx.bundles.current()
        assert newest.epoch == 5
        for known in (1, 0):
            assert walk(first, links_since(tx, known), epoch=known).bundle_pem == newest.pem
        assert [read_statement(kept.statement).epoch for kept in tx.statements.since(4)] == [4, 5]


def test_a_cut_epoch_has_no_signature_of_the_ca_before_it_and_leads_no_sleeper(site: Site) -> None:
    with site.transaction() as tx:
        first, now = tx.bundles.current().pem, site.clock.now()
        stage(tx, site, 2)
        switch(tx, 1, 2)
        publish_epoch(tx, site.world, (2,), now, chain_cut=True)
        kept = tx.statements.find(2)
        assert kept is not None
        assert (kept.previous_signature, read_statement(kept.statement).chain_cut) == ("", True)
        with pytest.raises(ChainCut):
            walk(first, links_since(tx, 1), epoch=1)


def test_a_cut_needs_no_key_of_the_ca_before_it(site: Site) -> None:
    with site.transaction() as tx:
        stage(tx, site, 2)
        switch(tx, 1, 2)
        tx.authorities.set_status(1, AuthorityStatus.DESTROYED)
        with pytest.raises(InconsistentState, match="generation 1 is destroyed"), tx.savepoint():
            publish_epoch(tx, site.world, (2,), site.clock.now())
        assert publish_epoch(tx, site.world, (2,), site.clock.now(), chain_cut=True).epoch == 2


def test_an_epoch_without_the_issuing_ca_is_not_published(site: Site) -> None:
    """Invariant I1 of pki.md 5.2."""
    with site.transaction() as tx:
        stage(tx, site, 2)
        with pytest.raises(InconsistentState, match="without CA generation 1"), tx.savepoint():
            publish_epoch(tx, site.world, (2,), site.clock.now())
        assert tx.bundles.current().epoch == 1


def test_the_chain_of_an_older_store_begins_where_this_program_starts(site: Site) -> None:
    with site.transaction() as tx:
        first = tx.bundles.current()
        tx.bundles.add(Bundle(epoch=2, generations=(1,), pem=first.pem, created_at=site.clock.now()))
        found = reconcile(tx, site.world)
        assert len(found) == 1
        assert "epoch 2 of an older program was unsigned" in found[0]
        assert reconcile(tx, site.world) == ()
        stage(tx, site, 2)
        publish_epoch(tx, site.world, (1, 2), site.clock.now())
        assert walk(first.pem, links_since(tx, 2), epoch=2).epoch == 3


def test_publishing_over_an_unsigned_epoch_signs_that_one_first(site: Site) -> None:
    with site.transaction() as tx:
        tx.bundles.add(replace(tx.bundles.current(), epoch=2))
        publish_epoch(tx, site.world, (1,), site.clock.now())
        assert [kept.epoch for kept in tx.statements.since(2)] == [2, 3]


def test_a_chain_that_never_held_these_roots_leads_nowhere(site: Site) -> None:
    with site.transaction() as tx:
        stage(tx, site, 2)
        other = tx.authorities.get(2).pem
        with pytest.raises(NotInChain):
            walk(other, links_since(tx, 0))
