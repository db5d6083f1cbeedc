"""A running client's log: its start and every change, one line each; a trouble that lasts is one line."""

from __future__ import annotations

import pytest

from backend.client.news import News
from backend.client.record import Status


@pytest.fixture
def news(caplog: pytest.LogCaptureFixture) -> News:
    caplog.set_level("INFO", logger="backend.client.news")
    return News()


def status(state: str, error: str = "") -> Status:
    return Status(state=state, identity="csi", agent="ca:55000", next_step="renews in its slot", last_error=error)


def test_it_says_who_it_is_and_what_comes_next_when_it_starts(news: News, caplog: pytest.LogCaptureFixture) -> None:
    news.tell(status("working"), refused=False)
    (record,) = caplog.records
    assert record.getMessage() == "client started"
    assert (vars(record)["identity"], vars(record)["agent"]) == ("csi", "ca:55000")
    assert vars(record)["next_step"] == "renews in its slot"


def test_an_agent_that_goes_and_comes_is_two_lines_however_long_it_was_away(
    news: News, caplog: pytest.LogCaptureFixture
) -> None:
    news.tell(status("working"), refused=False)
    caplog.clear()
    for _ in range(5):
        news.tell(status("agent away", "the agent does not answer"), refused=False)
    for _ in range(5):
        news.tell(status("working"), refused=False)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "agent away"),
        ("INFO", "agent is back"),
    ]
    assert vars(caplog.records[0])["why"] == "the agent does not answer"


def test_a_refused_certificate_is_told_once(news: News, caplog: pytest.LogCaptureFixture) -> None:
    news.tell(status("working"), refused=False)
    caplog.clear()
    for _ in range(3):
        news.tell(status("agent away", "the identity is revoked"), refused=True)
    assert [record.getMessage() for record in caplog.records] == ["certificate refused"]


def test_a_try_that_fails_again_for_the_same_reason_is_not_told_again(
    news: News, caplog: pytest.LogCaptureFixture
) -> None:
    news.tell(status("working"), refused=False)
    caplog.clear()
    for why in ("revoked", "revoked", "unknown token", "revoked"):
        news.tell_failure(why, 5)
    assert [vars(record)["why"] for record in caplog.records] == ["revoked", "unknown token", "revoked"]
    caplog.clear()
    news.tell(status("retrying"), refused=False)
    news.tell(status("working"), refused=False)
    news.tell_failure("revoked", 5)
    assert caplog.records[-1].getMessage() == "try failed"
