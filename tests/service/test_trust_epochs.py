"""Cross certificates in the store, made with the agent's own sealed keys (pki.md 5.1)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from backend.core.errors import InconsistentState
from backend.core.model import Authority, AuthorityStatus
from backend.pki.trust import split_bundle, validity_of
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
