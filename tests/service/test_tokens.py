"""Token rotation: overlap, at most two alive, nobody locked out (US-10; pki.md 5.9)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.core.errors import AccessDenied, InconsistentState, InvalidInput, NotFound, TokenRejected
from backend.core.model import Secret, TokenStanding, TokenState
from backend.service import identities
from backend.service.token_line import end_tokens, find_current

if TYPE_CHECKING:
    from tests.service.conftest import Site

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def rotate(site: Site, name: str = "kva", overlap: timedelta | None = None) -> Secret:
    with site.transaction() as tx:
        return identities.rotate(tx, site.world, site.admin, name, overlap=overlap)[1]


def signs_in(site: Site, token: Secret, name: str = "kva") -> bool:
    try:
        site.certificate(name, token)
    except TokenRejected:
        return False
    return True


def test_a_rotated_token_lives_as_long_as_the_first_and_later(site: Site) -> None:
    identity, _ = site.identity("kva", token_lifetime=timedelta(days=60))
    site.clock.advance(DAY)
    rotate(site)
    with site.transaction() as tx:
        new, old = tx.tokens.of(identity.number)
    assert new.expires_at == site.clock.now() + timedelta(days=60) > old.expires_at
    assert (new.state, old.state) == (TokenState.CURRENT, TokenState.PREVIOUS)
    assert old.dies_at == site.clock.now() + DAY


@pytest.mark.parametrize("overlap", [None, timedelta(hours=2), timedelta(days=3)])
def test_the_old_token_signs_in_during_the_overlap_and_not_after(site: Site, overlap: timedelta | None) -> None:
    _, old = site.identity("kva")
    new = rotate(site, overlap=overlap)
    site.clock.advance((overlap or DAY) - SECOND)
    assert signs_in(site, old)
    site.clock.advance(SECOND)
    assert not signs_in(site, old)
    assert signs_in(site, new)


def test_without_overlap_the_old_token_ends_at_once(site: Site) -> None:
    _, old = site.identity("kva")
    new = rotate(site, overlap=timedelta(0))
    assert not signs_in(site, old)
    assert signs_in(site, new)


def test_the_overlap_never_outlives_the_old_tokens_own_end(site: Site) -> None:
    identity, old = site.identity("kva")
    site.clock.advance(timedelta(days=90) - SECOND)
    rotate(site)
    assert signs_in(site, old)
    site.clock.advance(SECOND)
    assert not signs_in(site, old)
    with site.transaction() as tx:
        previous = tx.tokens.of(identity.number)[1]
    assert previous.dies_at == previous.expires_at


def test_two_rotations_in_a_row_do_not_lock_out_the_client_that_saw_neither(site: Site) -> None:
    _, held = site.identity("kva")
    assert signs_in(site, held)
    lost = rotate(site)
    fresh = rotate(site)
    assert signs_in(site, held)
    assert not signs_in(site, lost)  # at most two live: the one in use and the newest
    assert signs_in(site, fresh)
    assert not signs_in(site, held)


def test_after_a_use_of_the_new_token_the_next_rotation_keeps_that_one(site: Site) -> None:
    _, first = site.identity("kva")
    second = rotate(site)
    assert signs_in(site, second)
    third = rotate(site)
    assert signs_in(site, second)
    assert signs_in(site, third)
    assert not signs_in(site, first)


def test_a_negative_overlap_is_refused(site: Site) -> None:
    site.identity("kva")
    with pytest.raises(InvalidInput):
        rotate(site, overlap=-SECOND)


def test_an_empty_name_never_means_all_identities(site: Site) -> None:
    """moc/protocol.md 5.2: Go clients would send every identity they listed."""
    for call in (identities.rotate, identities.revoke, identities.delete):
        with site.transaction() as tx, pytest.raises(InvalidInput, match="never means all"):
            call(tx, site.world, site.admin, "")
        with site.transaction() as tx, pytest.raises(NotFound):
            call(tx, site.world, site.admin, "nobody")


def test_a_revoked_identity_gets_no_token(site: Site) -> None:
    site.identity("kva")
    with site.transaction() as tx:
        identities.revoke(tx, site.world, site.admin, "kva")
    with pytest.raises(InconsistentState, match="stays so"):
        rotate(site)


def test_nobody_takes_the_token_of_an_identity_with_more_rights(site: Site) -> None:
    """R69: rotating the owner's token would be a way to become the owner."""
    contributor = site.signed_in("helper", "IdentityContributor")
    site.identity("kva")
    with site.transaction() as tx:
        identities.rotate(tx, site.world, contributor, "kva")
        identities.rotate(tx, site.world, contributor, "helper")
        with pytest.raises(AccessDenied):
            identities.rotate(tx, site.world, contributor, "admin")


def test_an_identity_without_a_token_gets_one_by_rotation(site: Site) -> None:
    identity, old = site.identity("kva")
    with site.transaction() as tx:
        assert end_tokens(tx, identity.number, site.clock.now()) == 1
        assert find_current(tx, identity.number) is None
    assert not signs_in(site, old)
    assert signs_in(site, rotate(site))
    with site.transaction() as tx:
        assert tx.identities.get("kva").token_standing is TokenStanding.KNOWN


def test_the_token_is_nowhere_in_the_store(site: Site) -> None:
    """US-10.2: not on the disk, not in the audit trail."""
    _, first = site.identity("kva")
    second = rotate(site)
    site.certificate("kva", second)
    with site.transaction() as tx:
        trail = repr(list(tx.audit.walk()))
    held = b"".join(path.read_bytes() for path in site.directory.glob("store.db*"))
    for token in (first, second):
        signature = token.reveal().rpartition(".")[2]
        assert signature not in trail
        assert signature.encode() not in held
        assert token.reveal() not in f"{token!r} {token}"


STEPS = st.lists(st.sampled_from(["rotate", "cut", "use newest", "use held", "hour", "day"]), max_size=12)


@settings(derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_at_most_two_tokens_live_and_the_newest_always_does(site: Site, steps: list[str]) -> None:
    with site.transaction() as tx:
        name = f"kva-{len(tx.identities.all())}"  # a fresh identity for every example
    identity, newest = site.identity(name, token_lifetime=timedelta(days=3650))
    held = newest
    for step in steps:
        if step in {"rotate", "cut"}:
            newest = rotate(site, name, timedelta(0) if step == "cut" else None)
        elif step == "use newest":
            assert signs_in(site, newest, name)
            held = newest
        elif step == "use held":
            signs_in(site, held, name)
        else:
            site.clock.advance(timedelta(hours=1) if step == "hour" else DAY)
        with site.transaction() as tx:
            alive = [token for token in tx.tokens.of(identity.number) if token.is_alive(site.clock.now())]
        assert 1 <= len(alive) <= 2
        assert [token.state for token in alive].count(TokenState.CURRENT) == 1
    assert signs_in(site, newest, name)
