"""The filter language: terms are joined by AND, and a mistake is an error with its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.facts import ClientFacts, TokenFacts
from backend.core.filter import MAX_LENGTH, FilterError, parse
from backend.core.filterterms import SerialHas, Word
from backend.core.fleet import ClientFlag, ClientRow
from backend.core.health import assess
from backend.core.model import ClientKind, TokenStanding

NOW = datetime.fromisoformat("2026-11-22T16:52:14+00:00")
DAY = timedelta(days=1)
MakeClient = Callable[..., ClientFacts]

ROW = ClientRow(
    number=1,
    name="kms-007",
    kind=ClientKind.KMS,
    cluster="bonn-wl3",
    host="node-3",
    owner="Team A",
    certificate_not_before=None,
    certificate_not_after=None,
    generation=4,
    serial_low=0x5F2A91C077DE,
    used_serial_low=0,
    token_issued_at=None,
    token_expires_at=None,
    last_seen_at=NOW - timedelta(minutes=10),
    heartbeat_at=None,
    heartbeat_interval=timedelta(0),
    skew=timedelta(0),
    flags=ClientFlag.NONE,
    planned_off_until=None,
    activity="",
)


@pytest.fixture
def matches(make_client: MakeClient) -> Callable[..., bool]:
    def check(text: str, *, marked: bool = False, row: ClientRow = ROW, **facts: Any) -> bool:
        client = make_client(kind=row.kind, name=row.name, **facts)
        return parse(text).matches(row, client, assess(client, NOW), marked, NOW)

    return check


Matches = Callable[..., bool]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "KMS",
        "bonn kms node team",
        '"team a"',
        'owner:"team a"',
        "cluster:bonn",
        "!kind:csi",
        "!csi",
        "kind:kms host:3",
        "serial:91c0",
        "serial:91:c0",
        "!marked",
        "state:ok",
        "sev:o",
        "sev:o!",
        "sev:ok",
        "sev:warn,ok",
        "next:-",
        "auto:no",
        "!auto:yes",
        "rotate:no",
        "left<61d",
        "left<=60d",
        "left>=60d",
        "left>59d23h59m59s",
        "left>8w",
        "token<61d",
        "seen>9m",
        "seen<=600s",
        "left>-1d",
        "left>0",
        "!left<7d",
    ],
)
def test_a_term_that_holds_keeps_the_row(text: str, matches: Matches) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "csi",
        "kms csi",
        '"bonn kms"',
        "!kms",
        "cluster:oslo",
        "marked",
        "state:latent",
        "sev:x!",
        "sev:i",
        "next:renew",
        "auto:unknown",
        "left<60d",
        "left>60d",
        "token<30d",
        "seen>10m",
        "serial:ffff",
    ],
)
def test_a_term_that_does_not_hold_drops_the_row(text: str, matches: Matches) -> None:
    assert not matches(text)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("state:latent sev:!", {"token_left": -DAY}),
        ("state:locked-out sev:expired", {"left": -DAY, "token_left": -DAY}),
        ("state:LOCKED_OUT next:rotate+sign-in", {"left": -DAY, "token_left": -DAY}),
        ("state:due left<27d1s !state:overdue", {"left": 27 * DAY}),
        ("state:due", {"left": 27 * DAY, "token_left": None}),
        ("state:stale sev:?", {"observed_ago": DAY}),
        ("left<0", {"left": -DAY}),
        ("auto:unknown", {"auto_renew": None}),
        ("sev:^i", {"left": 20 * DAY}),
    ],
)
def test_the_judgement_can_be_filtered_for(text: str, facts: dict[str, Any], matches: Matches) -> None:
    assert matches(text, **facts)


def test_due_is_not_overdue_and_not_token_due(matches: Matches) -> None:
    assert not matches("state:due", left=20 * DAY, auto_renew=True)
    assert not matches("state:due", token_left=20 * DAY)


def test_marks_are_a_term(matches: Matches) -> None:
    assert matches("marked kms", marked=True)
    assert not matches("!MARKED", marked=True)


def test_a_row_without_a_time_matches_neither_way(matches: Matches) -> None:
    for text in ("left<7d", "left>7d"):
        assert not matches(text, left=None)
    for text in ("token<7d", "token>7d"):
        assert not matches(text, token_left=None)
    assert not matches("seen<7d", row=replace(ROW, last_seen_at=None))


def test_spaces_around_a_filter_are_no_part_of_it() -> None:
    assert parse("  ").text == ""
    assert parse(" kms  ").text == "kms"


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("kms colour:red", 4, "there is no column 'colour'"),
        ("size<7d", 0, "there is no column 'size'"),
        ("left:7d", 0, "is a time: write left<7d"),
        ("name<7d", 0, "with a colon: name:kms-007"),
        ("name:", 0, "wants a value"),
        ('kms "open', 4, "quote is not closed"),
        ("state:fine", 0, "known are revoked"),
        ("sev:bad", 0, "known are expired"),
        ("next:dance", 0, "known are renew"),
        ("auto:maybe", 0, "yes, no or unknown"),
        ("left<soon", 0, "no length of time"),
        ("left<7", 0, "no length of time"),
        ("left<", 0, "no length of time"),
        ("x" * (MAX_LENGTH + 1), MAX_LENGTH, "shorten it"),
    ],
)
def test_a_mistake_is_an_error_with_its_place_and_never_an_empty_list(text: str, position: int, words: str) -> None:
    with pytest.raises(FilterError, match=words) as caught:
        parse(text)
    assert caught.value.position == position


def test_an_unknown_column_names_the_known_ones() -> None:
    with pytest.raises(FilterError) as caught:
        parse("country:bonn")
    assert {"cluster", "site", "left", "state", "token"} <= set(caught.value.known)


def test_a_site_is_found_by_any_part_of_its_name(make_client: MakeClient) -> None:
    facts = make_client(left=10 * DAY)
    judged = assess(facts, NOW)

    def found(text: str, site: str) -> bool:
        return parse(text).matches(ROW, facts, judged, False, NOW, site=site)

    assert found("site:bon", "Bonn-1")
    assert not found("site:bonn", "oslo")
    assert found("!site:bonn", "oslo")


TOKEN = TokenFacts(standing=TokenStanding.EMPTY)
PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["name:", "left<", "sev:", "state:", "!", '"', "marked", "token>=", "7d", "x!", " ", "auto:", "0"]
        ),
        st.text(max_size=6),
    ),
    max_size=10,
).map("".join)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(PIECES)
def test_whatever_is_typed_it_is_a_filter_or_a_filter_error(text: str) -> None:
    try:
        parsed = parse(text)
    except FilterError as error:
        position = error.position
    else:
        position = 0
        facts = ClientFacts(kind=ClientKind.KMS, name="kms-007", certificate=None, token=TOKEN)
        assert parsed.matches(ROW, facts, assess(facts, NOW), False, NOW) in {True, False}
    assert 0 <= position <= len(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5f2a9", False),
        ("5f2a91", True),
        ("c077de0001", True),
        ("!5f2a91", False),
        ("abcdef", False),
        ("5f2a9g", False),
    ],
)
def test_a_word_of_six_digits_or_more_is_looked_for_in_the_serial_too(text: str, found: bool) -> None:
    term = Word(text.removeprefix("!"))
    serial = SerialHas(text.removeprefix("!")).has(0x5F2A91C077DE0001)
    assert ((term.serial is not None and serial) is not text.startswith("!")) is found
