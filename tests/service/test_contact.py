"""When silence means something: an agent that was away could not hear anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.core.model import Heartbeat
from backend.service.contact import is_unheard_yet

BACK = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)  # the agent is started again
SECOND = timedelta(seconds=1)


def beat(heard_at: datetime, interval: timedelta = timedelta(seconds=30)) -> Heartbeat:
    return Heartbeat(
        identity_number=1, heard_at=heard_at, interval=interval, address="192.0.2.7", serial=1, epoch=1,
        skew=timedelta(0), loop_alive=True, last_error="", version="",
    )  # fmt: skip


@pytest.mark.parametrize(("after", "still"), [(149, True), (150, True), (151, False)])
def test_a_client_has_five_of_its_heartbeats_to_be_heard_by_an_agent_that_was_away(after: int, still: bool) -> None:
    before = beat(BACK - timedelta(hours=1))
    assert is_unheard_yet(before, BACK, BACK + after * SECOND) is still


@pytest.mark.parametrize(("heard", "still"), [(-1, True), (0, False), (1, False)])
def test_whoever_was_heard_since_is_judged_by_what_was_heard(heard: int, still: bool) -> None:
    assert is_unheard_yet(beat(BACK + heard * SECOND), BACK, BACK + timedelta(seconds=100)) is still


def test_a_client_that_never_reported_is_not_waited_for() -> None:
    assert not is_unheard_yet(None, BACK, BACK)
    assert not is_unheard_yet(beat(BACK), None, BACK)
