"""Who is told and when: one notice a change, a repeat a day, one clear, and quiet that ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.alerts import (
    HOLD,
    REPEAT,
    SETTLE,
    Alert,
    AlertEvent,
    Decision,
    Finding,
    Silence,
    decide,
    event_for,
    expectation,
)
from backend.core.facts import Assessment, NextAction, Overlay, Severity, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
EXPIRED, CRITICAL, UNKNOWN, WARNING = Severity.EXPIRED, Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING


def seen(severity: Severity, *, expected: str = "", quiet_until: datetime | None = None) -> Finding:
    return Finding(
        entity="client:7",
        name="kms-1",
        cluster="wl-1",
        severity=severity,
        state="LATENT",
        summary="the token ended",
        expected=expected,
        quiet_until=quiet_until,
    )


def quiet(ceiling: Severity, until: datetime, *, ack: bool = True) -> Silence:
    return Silence(
        subject="client:7",
        name="kms-1",
        is_acknowledgement=ack,
        until=until,
        ceiling=ceiling,
        actor="anna",
        reason="",
        made_at=NOW,
    )


def told(severity: Severity, at: datetime = NOW) -> Alert:
    first = decide(None, seen(severity), None, at - SETTLE)
    second = decide(first.alert, seen(severity), None, at)
    made = (second if second.is_told else first).alert
    assert made is not None
    assert made.told is severity
    return made


def later(alert: Alert, severity: Severity, after: timedelta, silence: Silence | None = None) -> Decision:
    return decide(alert, seen(severity), silence, NOW + after)


def test_what_is_found_is_told_once() -> None:
    first = decide(None, seen(WARNING), None, NOW)
    assert (first.is_told, first.before, first.after) == (True, None, WARNING)
    assert first.alert is not None
    again = decide(first.alert, seen(WARNING), None, NOW + SECOND)
    assert not again.is_told
    assert again.alert == first.alert


def test_every_change_of_severity_is_told_once() -> None:
    worse = later(told(WARNING), CRITICAL, SECOND)
    assert (worse.is_told, worse.before, worse.after) == (True, WARNING, CRITICAL)
    assert worse.alert is not None
    assert worse.alert.since_at == NOW + SECOND
    assert not later(worse.alert, CRITICAL, 2 * SECOND).is_told
    better = later(worse.alert, WARNING, 3 * SECOND)
    assert (better.is_told, better.before, better.after) == (True, CRITICAL, WARNING)


@pytest.mark.parametrize(("after", "is_told"), [(REPEAT - SECOND, False), (REPEAT, True), (REPEAT + SECOND, True)])
def test_a_repeat_comes_after_a_day_and_no_earlier(after: timedelta, is_told: bool) -> None:
    alert = decide(None, seen(WARNING), None, NOW).alert
    assert alert is not None
    assert later(alert, WARNING, after).is_told is is_told


def test_a_clock_that_went_back_repeats_nothing() -> None:
    alert = decide(None, seen(WARNING), None, NOW).alert
    assert alert is not None
    assert not later(alert, WARNING, -3 * DAY).is_told


def test_a_recovery_is_told_once_and_only_to_those_who_knew() -> None:
    clear = decide(told(CRITICAL), None, None, NOW + SECOND)
    assert (clear.is_told, clear.before, clear.after, clear.alert) == (True, CRITICAL, None, None)
    assert not decide(None, None, None, NOW + SECOND).is_told
    unheard = decide(None, seen(UNKNOWN), None, NOW).alert
    assert not decide(unheard, None, None, NOW + SECOND).is_told


@pytest.mark.parametrize(("after", "is_told"), [(SETTLE - SECOND, False), (SETTLE, True)])
def test_silence_of_a_client_becomes_news_after_a_moment(after: timedelta, is_told: bool) -> None:
    first = decide(None, seen(UNKNOWN), None, NOW)
    assert not first.is_told
    assert first.alert is not None
    assert later(first.alert, UNKNOWN, after).is_told is is_told


def test_an_acknowledged_alert_repeats_nothing_until_its_end() -> None:
    alert, until = told(CRITICAL), NOW + 3 * DAY
    silence = quiet(CRITICAL, until)
    held = later(alert, CRITICAL, 3 * DAY - SECOND, silence)
    assert not held.is_told
    assert held.alert is not None
    assert held.alert.held == "acknowledged until 2026-03-04 12:00Z"
    assert later(held.alert, CRITICAL, 3 * DAY, silence).is_told


def test_worse_breaks_an_acknowledgement() -> None:
    decision = later(told(WARNING), CRITICAL, SECOND, quiet(WARNING, NOW + 9 * DAY))
    assert decision.is_told
    assert decision.broken


def test_milder_does_not_break_an_acknowledgement() -> None:
    decision = later(told(CRITICAL), WARNING, SECOND, quiet(CRITICAL, NOW + 9 * DAY))
    assert not decision.is_told
    assert not decision.broken


def test_an_acknowledged_alert_that_ends_is_cleared() -> None:
    assert decide(told(CRITICAL), None, quiet(CRITICAL, NOW + 9 * DAY), NOW + SECOND).is_told


@pytest.mark.parametrize(
    ("severity", "is_told"), [(WARNING, False), (UNKNOWN, False), (CRITICAL, True), (EXPIRED, True)]
)
def test_planned_off_explains_what_being_off_explains(severity: Severity, is_told: bool) -> None:
    finding = seen(severity, quiet_until=NOW + DAY)
    first = decide(None, finding, None, NOW)
    second = decide(first.alert, finding, None, NOW + SETTLE)
    assert first.is_told is is_told
    assert not second.is_told


def test_planned_off_ends_at_its_instant() -> None:
    finding = seen(WARNING, quiet_until=NOW + DAY)
    alert = decide(None, finding, None, NOW).alert
    assert not decide(alert, finding, None, NOW + DAY - SECOND).is_told
    assert decide(alert, finding, None, NOW + DAY).is_told


@pytest.mark.parametrize(("after", "is_told"), [(HOLD - SECOND, False), (HOLD, True)])
def test_work_in_progress_explains_for_half_an_hour(after: timedelta, is_told: bool) -> None:
    finding = seen(EXPIRED, expected="the CA is being rotated")
    first = decide(None, finding, None, NOW)
    assert not first.is_told
    assert decide(first.alert, finding, None, NOW + after).is_told is is_told


def judged(state: State, severity: Severity, *overlays: Overlay) -> Assessment:
    return Assessment(
        state=state,
        severity=severity,
        overlays=frozenset(overlays),
        next_action=NextAction.NONE,
        effective_not_after=None,
        limited_by=None,
        token_expires_at=None,
        reasons=(),
        sort_key=(0, 0, 0, ""),
    )


@pytest.mark.parametrize("phase", ["fenced", "cutover", "re-enrolling"])
def test_a_rotation_explains_clients_on_the_old_trust_and_nothing_else(phase: str) -> None:
    assert expectation(judged(State.TRUST_BROKEN, EXPIRED), phase)
    assert expectation(judged(State.OK, UNKNOWN), phase)
    assert not expectation(judged(State.LOCKED_OUT, EXPIRED), phase)
    assert not expectation(judged(State.TRUST_BROKEN, EXPIRED), "")
    assert not expectation(judged(State.TRUST_BROKEN, EXPIRED), "verified")


def test_an_operation_explains_only_the_client_it_works_on() -> None:
    assert expectation(judged(State.NEVER_SIGNED_IN, WARNING, Overlay.ACTION_RUNNING), "")
    assert not expectation(judged(State.NEVER_SIGNED_IN, WARNING), "")
    assert not expectation(judged(State.LOCKED_OUT, EXPIRED, Overlay.ACTION_RUNNING), "")


@pytest.mark.parametrize(
    ("least", "before", "after", "event"),
    [
        (WARNING, None, WARNING, AlertEvent.RAISED),
        (WARNING, WARNING, CRITICAL, AlertEvent.WORSE),
        (WARNING, CRITICAL, WARNING, AlertEvent.BETTER),
        (WARNING, WARNING, WARNING, AlertEvent.REPEATED),
        (WARNING, EXPIRED, None, AlertEvent.CLEARED),
        (CRITICAL, None, WARNING, None),
        (CRITICAL, WARNING, CRITICAL, AlertEvent.RAISED),
        (CRITICAL, CRITICAL, WARNING, AlertEvent.CLEARED),
        (CRITICAL, WARNING, None, None),
    ],
)
def test_a_reader_hears_of_its_own_tiers(
    least: Severity, before: Severity | None, after: Severity | None, event: AlertEvent | None
) -> None:
    assert event_for(least, before, after) is event


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, EXPIRED, CRITICAL, UNKNOWN, WARNING]), st.integers(1, 90_000)), max_size=30
    )
)
def test_whatever_happens_readers_know_the_truth_and_are_not_flooded(story: list[tuple[Severity | None, int]]) -> None:
    alert: Alert | None = None
    knows: Severity | None = None
    now, last = NOW, None
    for severity, seconds in story:
        now += timedelta(seconds=seconds)
        decision = decide(alert, None if severity is None else seen(severity), None, now)
        alert = decision.alert
        if not decision.is_told:
            continue
        assert decision.before is knows
        if decision.before is decision.after:
            assert last is not None
            assert now - last >= REPEAT
        knows, last = decision.after, now
    settled = decide(alert, None if alert is None else seen(alert.severity), None, now + SETTLE)
    assert (settled.after if settled.is_told else knows) is (None if alert is None else alert.severity)
