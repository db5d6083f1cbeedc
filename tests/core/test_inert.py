"""Names from outside cannot move the cursor, change the colour or hide a letter."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.inert import inert


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("csi-001", "csi-001"),
        ("Büro-Süd 7", "Büro-Süd 7"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("a\r\nb", "a\ufffd\ufffdb"),
        ("a\x9bm", "a\ufffdm"),
        ("abc\u202egnp.exe", "abc\ufffdgnp.exe"),
        ("kms\u200b-1", "kms\ufffd-1"),
        ("kms\ufe0f-1", "kms\ufffd-1"),
        ("\u3164", "\ufffd"),
        ("\ud800", "\ufffd"),
        ("a\u2028b", "a\ufffdb"),
    ],
)
def test_what_could_act_on_a_terminal_becomes_visible(hostile: str, shown: str) -> None:
    assert inert(hostile) == shown


def test_a_long_text_is_cut_and_shows_that_it_was() -> None:
    assert inert("a" * 128) == "a" * 128
    assert inert("a" * 129) == "a" * 127 + "\u2026"
    assert inert("abcdef", limit=3) == "ab\u2026"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(max_size=200))
def test_no_control_or_format_character_survives(text: str) -> None:
    shown = inert(text)
    assert len(shown) <= 128
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)
    assert inert(shown) == shown
