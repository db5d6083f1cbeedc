"""The filter over columns finds what it finds client by client, and typing on narrows to the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.filter import Filter, parse
from backend.core.health import assess
from backend.core.judging import Rulings
from tests.core.test_fleet import NOW, delta
from tests.core.test_judging import rows
from tui.matching import STEP, Question, match, narrows
from tui.roll import Moment, Roll

TERMS = (
    *("csi", "CSI-0", "kms", "bonn", "wl2", "team", "!kms", "!csi-001", '""', '"a b"', "000000", "0000", "!000000"),
    *(
        "name:csi-00",
        "name:7",
        "!name:1",
        "cluster:wl1",
        "!cluster:bonn",
        "kind:kms",
        "kind:other",
        "owner:team",
        "host:x",
    ),
    *("state:due", "state:stale", "state:ok", "!state:ok", "sev:x!", "sev:o", "!sev:?", "next:renew", "next:sign in"),
    *(
        "left<7d",
        "left<=0",
        "left>30d",
        "left>=0",
        "!left<7d",
        "token<30d",
        "token>0",
        "token<=-1d",
        "seen>0",
        "seen<1h",
    ),
    *(
        "auto:yes",
        "auto:no",
        "auto:unknown",
        "rotate:yes",
        "rotate:no",
        "serial:ffff",
        "!serial:0",
        "site:bon",
        "!site:x",
    ),
    *("marked", "!marked"),
)
FILTERS = st.lists(st.sampled_from(TERMS), max_size=3).map(" ".join)
MOMENT = Moment(now=NOW, alive=True, heard_at=NOW)


def roll_of(clients: list[dict[str, Any]]) -> Roll:
    roll = Roll(Rulings())
    numbered = [{**values, "number": n, "name": f"csi-{n:03}"} for n, values in enumerate(clients, 1)]
    roll.columns.apply(delta(*numbered, full=True, last=True, change=1))
    roll.renew()
    roll.judge_new(MOMENT)
    return roll


def one_by_one(roll: Roll, asked: Filter, marked: frozenset[int]) -> bytes:
    found = []
    for row in range(len(roll)):
        facts = roll.facts(row, MOMENT)
        is_marked = row in marked
        found.append(asked.matches(roll.columns.row(row), facts, assess(facts, NOW), is_marked, NOW, site="Bonn"))
    return bytes(found)


def at_once(roll: Roll, asked: Filter, marked: frozenset[int], among: bytes | None = None, **other: Any) -> bytes:
    terms = other.get("terms", asked.terms)
    question = Question(terms=terms, week=None, now=NOW, site="Bonn", marked=marked)
    parts = (match(roll, question, begin, among) for begin in range(0, len(roll), STEP))
    return b"".join(parts)


@settings(max_examples=150, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=8), FILTERS, st.frozensets(st.integers(0, 7), max_size=4))
def test_a_filter_finds_in_columns_what_it_finds_in_each_client(
    clients: list[dict[str, Any]], text: str, marked: frozenset[int]
) -> None:
    roll, asked = roll_of(clients), parse(text)
    marked = frozenset(row for row in marked if row < len(roll))
    assert at_once(roll, asked, marked) == one_by_one(roll, asked, marked)


@settings(max_examples=100, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=8), FILTERS, FILTERS)
def test_what_narrows_a_filter_finds_the_same_among_what_that_found(
    clients: list[dict[str, Any]], before: str, text: str
) -> None:
    roll, old, new = roll_of(clients), parse(before), parse(text)
    left = narrows(old, new)
    if left is not None:
        among = at_once(roll, old, frozenset())
        assert at_once(roll, new, frozenset(), among, terms=left) == at_once(roll, new, frozenset())


def test_typing_on_narrows_and_taking_back_does_not() -> None:
    assert narrows(parse("km"), parse("kms")) is not None
    assert narrows(parse("kms"), parse("kms cluster:b")) is not None
    assert narrows(parse("kms"), parse("km")) is None
    assert narrows(parse("!kms"), parse("!kms-1")) is None  # fewer are left out
    assert narrows(parse("00000"), parse("000000")) is None  # the sixth digit looks into serial numbers as well
    assert narrows(parse("000000"), parse("0000001")) is not None
    assert narrows(parse("left<7d"), parse("left<7d kms")) is None  # true for a second only


def test_a_block_of_names_that_holds_the_text_across_two_names_finds_neither() -> None:
    roll = roll_of(_plain_rows(70))
    asked = parse('"064csi"')
    assert at_once(roll, asked, frozenset()) == bytes(70)


def _plain_rows(count: int) -> list[dict[str, Any]]:
    from tests.core.test_fleet import client

    return [client(number) for number in range(1, count + 1)]
