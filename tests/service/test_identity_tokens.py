"""Identities that are made without a token of this agent: a token made elsewhere, and a placeholder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.core.drafts import IdentityDraft
from backend.core.errors import InvalidInput
from backend.core.model import TAG_TOKEN, TokenStanding
from backend.service import identities

if TYPE_CHECKING:
    from tests.service.conftest import Site


@pytest.mark.parametrize(("word", "standing"), [("elsewhere", TokenStanding.UNKNOWN), ("none", TokenStanding.EMPTY)])
def test_the_token_tag_keeps_the_agent_from_minting_and_is_not_kept_itself(
    site: Site, word: str, standing: TokenStanding
) -> None:
    draft = IdentityDraft(name="kva", tags={TAG_TOKEN: word, "team": "blue"})
    for _ in range(2):  # sending it again changes nothing of that
        with site.transaction() as tx:
            made, token = identities.create_or_update(tx, site.world, site.admin, draft)
            assert token is None
            assert (made.token_standing, dict(made.tags)) == (standing, {"team": "blue"})
            assert not tx.tokens.of(made.number)


def test_rotating_the_token_of_a_placeholder_gives_it_one(site: Site) -> None:
    with site.transaction() as tx:
        identities.create_or_update(tx, site.world, site.admin, IdentityDraft(name="kva", tags={TAG_TOKEN: "none"}))
        rotated, _ = identities.rotate(tx, site.world, site.admin, "kva")
    assert rotated.token_standing is TokenStanding.KNOWN


def test_another_value_of_the_token_tag_is_refused(site: Site) -> None:
    with site.transaction() as tx, pytest.raises(InvalidInput, match=r"elsewhere or none"):
        identities.create_or_update(tx, site.world, site.admin, IdentityDraft(name="kva", tags={TAG_TOKEN: "mine"}))
