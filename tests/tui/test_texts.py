"""Texts and lines: exact widths, countdowns that are never generous, and repaints that miss nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from backend.core.facts import Severity
from tests.tui.staged_agent import NOW, SEEDS, Seed, snapshot
from tui.columns import COLUMNS, layout, row_line
from tui.format import bar, count, fit, left_until, lifetime, shorten, span, wrapped
from tui.glyphs import ASCII, UNICODE
from tui.lines import Line, ascii_cells, changed_span, cut, line_text, line_width
from tui.model import LATE, FleetModel, week_of
from tui.sorting import ORDERS

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Mn", "Me", "Zl", "Zp")), max_size=40)
CALM = settings(derandomize=True, deadline=None, max_examples=80)


@CALM
@given(TEXT, st.integers(0, 60), st.booleans())
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(text, width, right=right)) == width
    assert cell_len(shorten(text, width)) <= max(width, 0)


@CALM
@given(TEXT, st.integers(8, 60))
def test_wrapped_text_keeps_every_word_and_the_width(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("left", "width", "expected"),
    [
        (timedelta(seconds=41), 12, "0m 41s"),
        (timedelta(days=57, hours=20, minutes=59), 12, "57d 20h"),
        (-timedelta(minutes=9, seconds=40), 12, "-9m 40s AGO"),
        (-timedelta(days=120, hours=20), 12, "-120d AGO"),
    ],
)
def test_a_countdown_fits_its_cell_and_never_rounds_up(left: timedelta, width: int, expected: str) -> None:
    assert left_until(NOW + left, NOW, width) == expected


def test_lengths_of_time_read_as_an_operator_says_them() -> None:
    assert span(timedelta(seconds=184)) == "3m 04s"
    assert span(timedelta(days=9, hours=14, minutes=59)) == "9d 14h"
    assert lifetime(timedelta(days=90)) == "90 d"
    assert lifetime(timedelta(hours=36)) == "36 h"
    assert count(1, "client") == "1 client"
    assert count(2, "client") == "2 clients"


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, "[........]"), (0.01, "[#.......]"), (0.999, "[#######.]"), (1.0, "[########]")]
)
def test_a_bar_is_full_only_at_all_and_empty_only_at_nothing(share: float, expected: str) -> None:
    assert bar(share, 10, ASCII) == expected


def paint(line: Line, width: int) -> list[str]:
    cells = [f"{character}{role}" for text, role in line for character in text]
    return (cells + [" text"] * width)[:width]


@CALM
@given(
    st.lists(st.tuples(st.text("ab ", max_size=5), st.sampled_from(["text", "dim"])), max_size=6),
    st.lists(st.tuples(st.text("ab ", max_size=5), st.sampled_from(["text", "dim"])), max_size=6),
)
def test_repainting_the_changed_span_gives_the_new_line(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    before, after = tuple(old), tuple(new)
    shown, wanted = paint(before, 40), paint(after, 40)
    changed = changed_span(before, after)
    if changed is not None:
        shown[changed[0] : changed[1]] = wanted[changed[0] : changed[1]]
    assert shown == wanted


def test_a_ticking_countdown_repaints_only_its_own_cells() -> None:
    model = model_of(SEEDS)
    client = model.find(4)
    assert client is not None
    first = row_line(client, NOW + timedelta(seconds=2), 80, ASCII, cursor=False)
    second = row_line(client, NOW + timedelta(seconds=1), 80, ASCII, cursor=False)
    assert changed_span(first, second) == (2, 14)


@pytest.mark.parametrize("width", [40, 59, 60, 66, 72, 79, 80, 90, 108, 140, 200])
def test_the_columns_fill_the_width_exactly_and_the_client_is_always_there(width: int) -> None:
    columns = layout(width)
    assert 2 + sum(size for _, size in columns) + len(columns) - 1 == width
    assert {"certificate", "state", "client"} <= {column.id for column, _ in columns}
    assert [column for column in COLUMNS if column in [c for c, _ in columns]] == [column for column, _ in columns]


def test_characters_that_ascii_lacks_keep_their_cells() -> None:
    assert ascii_cells("日本a") == "????a"
    assert line_width(cut((("日本語", "text"),), 3)) == 3
    assert UNICODE.severity(Severity.CRITICAL) == "▲"


def model_of(seeds: list[Seed] | tuple[Seed, ...]) -> FleetModel:
    model = FleetModel(0.0)
    model.apply([snapshot(seeds)], 0.0)
    model.reorder(0.0)
    return model


def names(model: FleetModel) -> list[str]:
    found = (model.find(number) for number in model.order)
    return [client.row.name for client in found if client is not None]


def test_a_client_that_is_deleted_leaves_list_marks_and_counts() -> None:
    model = model_of(SEEDS)
    model.marks = {1, 2}
    model.apply([snapshot(SEEDS[1:], change=2)], 1.0)  # numbers begin at 1 again: the last one is gone
    model.reorder(1.0)
    assert model.total == len(SEEDS) - 1
    assert model.find(len(SEEDS)) is None
    assert sum(model.severity_count(severity) for severity in Severity) == model.total == len(model.order)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.id)
def test_every_order_is_total_and_does_not_depend_on_the_passing_second(order: object) -> None:
    model = model_of(SEEDS)
    chosen = next(o for o in ORDERS if o is order)
    model.choose_sort(chosen, 0.0)
    before = names(model)
    model.judge_all(0.5)
    model.choose_sort(chosen, 0.5)
    assert names(model) == before
    assert len(set(before)) == len(SEEDS)


def test_the_worst_order_is_the_cores_own() -> None:
    model = model_of(SEEDS)
    judged = [client.judged.sort_key for client in (model.find(n) for n in model.order) if client is not None]
    assert judged == sorted(judged)


def test_a_week_begins_at_its_first_second() -> None:
    week = timedelta(days=7)
    assert week_of(NOW - timedelta(seconds=1), NOW) == LATE
    assert week_of(NOW, NOW) == 0
    hour = NOW.replace(minute=0, second=0)  # weeks are whole hours of the clock, but what has ended is exact
    assert week_of(hour + week - timedelta(seconds=1), NOW) == 0
    assert week_of(hour + week, NOW) == 1
    assert week_of(None, NOW) is None
    assert sum(model_of(SEEDS).weeks(NOW)) <= len(SEEDS)


def test_a_line_is_its_segments() -> None:
    assert line_text((("a", "text"), ("b", "dim"))) == "ab"
