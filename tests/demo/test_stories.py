"""A story told backwards: the instants follow from what is left when the demo begins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.core.facts import Severity, State
from backend.core.model import ClientKind
from backend.demo.cast import CAST
from backend.demo.crowd import crowd
from backend.demo.stories import BIRTH, DAY, MINUTE, Deed, Story

PLAIN = Story(name="kva", kind=ClientKind.KVA, expect=State.OK, severity=Severity.OK)


def timeline(story: Story) -> list[tuple[timedelta, Deed]]:
    return sorted(story.deeds(), key=lambda happened: -happened[0])


def test_a_certificate_was_issued_a_lifetime_and_its_backdating_before_its_end() -> None:
    story = Story(
        name="kva",
        kind=ClientKind.KVA,
        expect=State.OK,
        severity=Severity.OK,
        certificate_left=60 * DAY,
        token_left=DAY,
    )
    assert timeline(story) == [
        (89 * DAY, Deed.CREATE),
        (89 * DAY - MINUTE, Deed.SIGN_IN),
        (30 * DAY - 5 * MINUTE, Deed.RENEW),
    ]


def test_a_first_certificate_and_its_token_may_be_of_one_day() -> None:
    assert [deed for _, deed in timeline(PLAIN)] == [Deed.CREATE, Deed.SIGN_IN]


@pytest.mark.parametrize("story", [*CAST, *crowd(100)], ids=lambda story: story.name)
def test_a_story_begins_with_the_identity_after_the_site_was_made_and_ends_before_the_demo(story: Story) -> None:
    told = timeline(story)
    assert told[0][1] is Deed.CREATE
    assert told[0][0] < BIRTH
    assert told[-1][0] > timedelta(0)


def test_names_are_unique_and_fit_a_narrow_table() -> None:
    names = [story.name for story in (*CAST, *crowd(400))]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 14
