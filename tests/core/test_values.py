"""The values that every room shares: nonsense is refused at birth, secrets stay out of sight, tokens end on time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import AgentError, Fenced, IllegalTransition, TokenRejected, Unauthenticated
from backend.core.lifecycle import Validity, share
from backend.core.limits import CRITICAL, DUE, OVERDUE
from backend.core.model import ClientKind, Secret, Token, TokenState

BEGIN = datetime(2026, 8, 24, 16, 52, 55, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
VALIDITY = Validity(not_before=BEGIN, not_after=BEGIN + 90 * DAY)


def test_both_ends_of_a_validity_are_inside() -> None:
    begin, end = VALIDITY.not_before, VALIDITY.not_after
    assert [VALIDITY.is_pending(begin + offset * SECOND) for offset in (-1, 0, 1)] == [True, False, False]
    assert [VALIDITY.is_expired(end + offset * SECOND) for offset in (-1, 0, 1)] == [False, False, True]
    assert VALIDITY.lifetime == 90 * DAY
    assert VALIDITY.left(end + SECOND) == -SECOND


@pytest.mark.parametrize(
    ("not_before", "not_after", "words"),
    [
        (BEGIN.replace(tzinfo=None), BEGIN + DAY, "not in UTC"),
        (BEGIN, (BEGIN + DAY).astimezone(timezone(timedelta(hours=1))), "not in UTC"),
        (BEGIN, BEGIN + DAY + timedelta(microseconds=1), "whole second"),
        (BEGIN, BEGIN, "ends"),
    ],
)
def test_a_validity_that_makes_no_sense_cannot_be_made(not_before: datetime, not_after: datetime, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Validity(not_before=not_before, not_after=not_after)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(min_value=1, max_value=10**9), st.integers(min_value=-(10**9), max_value=2 * 10**9))
def test_at_every_instant_a_validity_is_pending_or_running_or_expired(lifetime: int, after: int) -> None:
    validity = Validity(not_before=BEGIN, not_after=BEGIN + lifetime * SECOND)
    now = BEGIN + after * SECOND
    assert validity.is_pending(now) + validity.is_expired(now) + (0 <= after <= lifetime) == 1


@pytest.mark.parametrize(
    ("days", "fraction", "expected"),
    [
        (90, DUE, 27 * DAY),
        (90, OVERDUE, timedelta(days=25, hours=4, minutes=48)),
        (60, DUE, 18 * DAY),
        (4, DUE, timedelta(hours=28, minutes=48)),
        (4, OVERDUE, timedelta(hours=26, minutes=52, seconds=48)),
        (365, CRITICAL, timedelta(days=36, hours=12)),
        (1, Fraction(1, 3), timedelta(hours=8)),
    ],
)
def test_shares_of_a_lifetime_fall_on_the_second(days: int, fraction: Fraction, expected: timedelta) -> None:
    assert share(days * DAY, fraction) == expected


def test_a_token_signs_in_until_its_end_its_death_or_its_replacement() -> None:
    token = Token(id="t", identity_number=1, digest="d", issued_at=BEGIN, expires_at=BEGIN + DAY)
    dying = replace(token, state=TokenState.PREVIOUS, dies_at=BEGIN + 10 * SECOND)
    assert [token.is_alive(BEGIN + DAY + offset * SECOND) for offset in (-1, 0)] == [True, False]
    assert [dying.is_alive(BEGIN + offset * SECOND) for offset in (9, 10)] == [True, False]
    assert not replace(token, state=TokenState.ENDED).is_alive(BEGIN)


def test_a_secret_is_shown_to_nobody_who_does_not_ask() -> None:
    secret = Secret("eyJhbGciOi")
    assert "eyJ" not in f"{secret} {secret!r}"
    assert secret.reveal() == "eyJhbGciOi"


def test_people_sign_in_with_three_kinds_of_tools() -> None:
    tools = {kind for kind in ClientKind if kind.is_admin_tool}
    assert tools == {ClientKind.MOCCTL, ClientKind.KVACTL, ClientKind.ADMIN}


def test_every_error_has_a_reason_of_its_own_and_a_moc_code() -> None:
    def below(cls: type[AgentError]) -> list[type[AgentError]]:
        return [cls, *(one for sub in cls.__subclasses__() for one in below(sub))]

    found = [cls for cls in below(AgentError) if cls.__module__ == "backend.core.errors"]
    assert len({cls.reason for cls in found}) == len(found)
    assert all(cls.moc_code > 0 for cls in found)


def test_a_rejected_token_says_the_same_whatever_was_wrong_with_it() -> None:
    assert str(TokenRejected()) == "Valid Token Required."
    assert issubclass(TokenRejected, Unauthenticated)


def test_errors_carry_what_a_caller_can_act_on() -> None:
    assert Fenced(30 * SECOND).retry_after == 30 * SECOND
    assert "retry in 30 s" in str(Fenced(30 * SECOND))
    illegal = IllegalTransition("done", "stage")
    assert (illegal.state, illegal.event) == ("done", "stage")
