"""The hand-over note: what is on it, where its boundaries are, and that the same input gives the same note."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.alerts import Alert, Silence
from backend.core.facts import Severity
from backend.core.handover import CLEAR, Handover, handover
from backend.core.model import AuditEvent, Outcome
from backend.core.subjects import SiteView

NOW = datetime(2026, 3, 1, 14, 0, 0, tzinfo=UTC)
SHIFT = timedelta(hours=8)
BEGIN = NOW - SHIFT
SECOND = timedelta(seconds=1)
SITE = SiteView(now=NOW, subjects=(), clusters=(), issuing=None)


def event(
    index: int,
    at: datetime = NOW - timedelta(hours=1),
    *,
    action: str = "renew",
    origin: str = "tui",
    outcome: Outcome = Outcome.DONE,
    **detail: str,
) -> AuditEvent:
    return AuditEvent(
        index=index, at=at, actor="anna", origin=origin, action=action, subject=f"kms-{index}", outcome=outcome,
        detail=detail, previous="", digest="",
    )  # fmt: skip


def alert(name: str, raised: datetime, since: datetime | None = None, severity: Severity = Severity.WARNING) -> Alert:
    return Alert(
        entity=f"client:{name}", name=name, cluster="wl-1", severity=severity, state="LATENT", summary="", next_step="",
        raised_at=raised, since_at=since or raised,
    )  # fmt: skip


def silence(name: str, until: datetime) -> Silence:
    return Silence(
        subject=name, name=name, is_acknowledgement=True, until=until, ceiling=Severity.WARNING, actor="anna",
        reason="", made_at=BEGIN,
    )  # fmt: skip


def note(
    *events: AuditEvent, alerts: tuple[Alert, ...] = (), silences: tuple[Silence, ...] = (), site: SiteView = SITE
) -> Handover:
    return handover(site, since=BEGIN, until=NOW + SHIFT, events=events, alerts=alerts, silences=silences, jobs=())


@pytest.mark.parametrize(("at", "counts"), [(BEGIN - SECOND, 0), (BEGIN, 1), (NOW, 1), (NOW + SECOND, 0)])
def test_a_shift_begins_with_its_first_second_and_ends_with_the_present_one(at: datetime, counts: int) -> None:
    assert len(note(event(1, at)).deeds) == counts


@pytest.mark.parametrize(
    ("raised", "since", "new", "worse", "standing"),
    [
        (BEGIN, BEGIN, 1, 0, 0),
        (BEGIN - SECOND, BEGIN, 0, 1, 0),
        (BEGIN - SECOND, BEGIN - SECOND, 0, 0, 1),
    ],
)
def test_a_problem_is_new_worse_or_stands_as_before(
    raised: datetime, since: datetime, new: int, worse: int, standing: int
) -> None:
    made = note(alerts=(alert("a", raised, since),))
    assert (len(made.new), len(made.worse), made.standing) == (new, worse, standing)


def test_what_was_cleared_is_told_once_with_since_when_it_was_a_problem() -> None:
    made = note(event(4, action=CLEAR, origin="agent", severity="expired", state="LOCKED OUT", raised_at="2026-02-28"))
    assert [(one.name, one.severity, one.raised_at) for one in made.cleared] == [("kms-4", "expired", "2026-02-28")]
    assert made.deeds == ()
    assert made.routine == ()


def test_a_deed_keeps_the_plan_s_hash_and_what_came_before_and_after() -> None:
    (deed,) = note(event(1, plan_hash="ab12", serial_before="1f", serial_after="2f", address="10.0.0.1")).deeds
    assert deed.detail == (("plan_hash", "ab12"), ("serial_before", "1f"), ("serial_after", "2f"))


def test_what_clients_do_by_themselves_is_counted_and_a_failure_is_named() -> None:
    made = note(
        *(event(index, action="renew", origin="rpc") for index in range(1, 8)),
        event(8, action="call", origin="rpc", outcome=Outcome.REFUSED),
        event(9, action="auto_rotate", origin="agent", outcome=Outcome.FAILED),
    )
    assert [(one.action, one.actor, one.count) for one in made.routine] == [("call", "anna", 1), ("renew", "", 7)]
    assert [deed.action for deed in made.deeds] == ["auto_rotate"]


@pytest.mark.parametrize(
    ("until", "counts"), [(NOW, 0), (NOW + SECOND, 1), (NOW + SHIFT, 1), (NOW + SHIFT + SECOND, 0)]
)
def test_a_silence_that_ends_in_the_next_shift_is_named(until: datetime, counts: int) -> None:
    assert len(note(silences=(silence("a", until),)).ending) == counts


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.permutations(range(6)))
def test_the_order_in_which_things_arrive_does_not_matter(order: list[int]) -> None:
    events = [event(index, NOW - timedelta(minutes=index)) for index in range(1, 7)]
    alerts = [alert(f"c-{index}", NOW - timedelta(minutes=index % 2)) for index in range(6)]
    silences = [silence(f"c-{index}", NOW + timedelta(minutes=1 + index % 2)) for index in range(6)]
    plain = note(*events, alerts=tuple(alerts), silences=tuple(silences))
    mixed = note(
        *(events[i] for i in order), alerts=tuple(alerts[i] for i in order), silences=tuple(silences[i] for i in order)
    )
    assert plain == mixed


@pytest.mark.parametrize(("since", "until"), [(NOW + SECOND, NOW + SHIFT), (BEGIN, NOW)])
def test_a_shift_that_is_none_is_refused(since: datetime, until: datetime) -> None:
    with pytest.raises(ValueError, match="agent's time"):
        handover(SITE, since=since, until=until, events=(), alerts=(), silences=(), jobs=())
