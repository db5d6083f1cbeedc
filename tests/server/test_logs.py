"""One event a line, whatever a peer put into it; and never a secret."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.model import Secret
from backend.server.credentials import TlsMaterial
from backend.server.logs import JsonLines, TextLines

HOSTILE = "kms-1\n2026-01-01 info signed in\x1b[2J\u202e\u200b\r"


def record(message: str = "refused", **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("mocdeck", logging.INFO, __file__, 1, message, None, None)
    made.fields = fields
    return made


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()])
@settings(derandomize=True, deadline=None, max_examples=60)
@given(text=st.text(max_size=60))
def test_whatever_text_it_is_an_event_stays_one_line_that_cannot_steer_a_terminal(
    formatter: logging.Formatter, text: str
) -> None:
    line = formatter.format(record(text, actor=text))
    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_control_characters_are_shown_and_not_obeyed() -> None:
    line = TextLines().format(record("refused", actor=HOSTILE))
    assert "\n" not in line
    assert "\x1b" not in line
    assert "\ufffd" in line


def test_a_json_line_is_one_object_with_its_fields() -> None:
    found = json.loads(JsonLines().format(record("refused", actor="kms-1", reason="access_denied")))
    assert found["event"] == "refused"
    assert found["level"] == "info"
    assert found["actor"] == "kms-1"
    assert found["at"].endswith("Z")


def test_an_exception_is_its_class_and_place_without_its_text() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.secret"
    try:
        raise RuntimeError(f"cannot use {token}")  # noqa: TRY301 - the log's view of it is the subject
    except RuntimeError:
        made = record("request failed")
        made.exc_info = sys.exc_info()
    for formatter in (TextLines(), JsonLines()):
        line = formatter.format(made)
        assert "RuntimeError" in line
        assert "test_logs.py:" in line
        assert token not in line


def test_a_long_field_is_cut() -> None:
    assert len(TextLines().format(record("refused", why="x" * 100_000))) < 1000


def test_secrets_do_not_show_when_they_are_logged_by_mistake() -> None:
    material = TlsMaterial(b"chain", b"the private key", b"roots")
    line = TextLines().format(record("oops", token=Secret("the token"), tls=material))
    assert "the token" not in line
    assert "the private key" not in line
