"""The agent's own certificate: issued when it is missing, renewed in its last third, never without a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from backend.core.errors import InconsistentState
from backend.pki.trust import split_bundle, verify_chain
from backend.service.fence import set_fence
from backend.service.server_certificate import CERTIFICATE_KEY, ServerCredential, ensure
from backend.service.world import World

if TYPE_CHECKING:
    from tests.service.conftest import Site


def held(site: Site, world: World | None = None) -> ServerCredential:
    with site.transaction() as tx:
        return ensure(tx, world or site.world)


def test_the_first_look_issues_one_that_chains_to_the_bundle_and_names_what_clients_dial(site: Site) -> None:
    credential = held(site)
    leaf = split_bundle(credential.chain_pem)[0]
    with site.transaction() as tx:
        verify_chain(leaf, split_bundle(tx.bundles.current().pem), site.clock.now())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ca.example.test"]
    assert "PRIVATE KEY" in credential.key_pem.reveal()
    assert "PRIVATE" not in repr(credential)


@pytest.mark.parametrize(("seconds", "renewed"), [(-1, False), (0, True), (1, True)])
def test_it_is_renewed_from_a_third_of_its_life_on(site: Site, seconds: int, renewed: bool) -> None:
    first = held(site)
    site.clock.set(first.not_after - timedelta(days=20) + timedelta(seconds=seconds))
    assert (held(site).serial != first.serial) is renewed


def test_it_changes_when_the_names_do_and_not_at_every_look(site: Site) -> None:
    first = held(site)
    assert held(site).serial == first.serial
    moved = replace(site.world, fqdns=("new.example.test", "::0001"))
    second = held(site, moved)
    assert second.serial != first.serial
    assert held(site, moved).serial == second.serial


def test_a_damaged_row_is_replaced(site: Site) -> None:
    first = held(site)
    with site.transaction() as tx:
        tx.meta.put(CERTIFICATE_KEY, "nonsense")
    assert held(site).serial != first.serial


def test_the_one_at_hand_is_served_on_while_issuing_is_fenced(site: Site) -> None:
    first = held(site)
    site.clock.set(first.not_after - timedelta(days=1))
    with site.transaction() as tx:
        set_fence(tx, "a CA rotation")
    assert held(site).serial == first.serial


def test_one_cut_to_the_end_of_the_ca_is_not_made_again_at_every_look(site: Site) -> None:
    site.clock.advance(timedelta(days=350))
    first = held(site)
    site.clock.advance(timedelta(days=10))
    assert held(site).serial == first.serial


def test_after_the_end_of_the_ca_nothing_can_be_served_and_the_error_says_so(site: Site) -> None:
    held(site)
    site.clock.advance(timedelta(days=400))
    with pytest.raises(InconsistentState, match="the agent has no valid certificate to serve"):
        held(site)
