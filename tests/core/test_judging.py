"""Columns judged in bulk: the same verdicts as one by one, and no change before the instant that was promised."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.delta import AuthorityInfo, ClusterInfo, instant
from backend.core.fleet import FleetColumns
from backend.core.health import assess
from backend.core.judging import NEVER, Judge, Ruling, Rulings
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus
from tests.core.test_fleet import DAY, NOW, D, T, client, delta

NEAR = st.one_of(st.integers(-3, 3), st.integers(-100 * D, 100 * D), st.sampled_from([-9 * D, 9 * D, 27 * D, 90 * D]))


@st.composite
def rows(draw: st.DrawFn, number: int = 1) -> dict[str, Any]:
    """A client whose dates lie anywhere around now, most of them close to a boundary of some rule."""
    lifetime = draw(st.sampled_from([90 * D, 365 * D, 10, 7, 1]) | st.integers(1, 100 * D))
    fraction = draw(st.sampled_from([0, 10, 28, 30, 100]) | st.integers(0, 110))
    end = T + lifetime * fraction // 100 + draw(st.integers(-2, 2))
    token = T + draw(NEAR)
    has_certificate = draw(st.booleans() | st.just(True))
    interval = draw(st.sampled_from([0, 30, 300]))
    return client(
        number,
        kind=draw(st.sampled_from(["CSI", "KMS", "NodeAgent", "Mocctl", "strange"])),
        cluster=draw(st.sampled_from(["bonn-wl1", "bonn-wl2", ""])),
        certificate_not_before=end - lifetime if has_certificate else 0,
        certificate_not_after=end if has_certificate else 0,
        generation=draw(st.sampled_from([3, 4, 5, 9])),
        token_issued_at=draw(st.sampled_from([0, token - 90 * D, token - 10]) | st.just(max(1, token - lifetime))),
        token_expires_at=draw(st.sampled_from([0, token, token, token])),
        heartbeat_interval=interval,
        heartbeat_at=draw(st.sampled_from([0, T, T - interval * 2, T - interval * 2 - 1])),
        skew=draw(st.sampled_from([0, 30, 31, -31, 300, 301, -301])),
        flags=draw(st.sampled_from([0, 1, 2, 5, 8, 16, 32, 64, 128, 256, 1025]) | st.integers(0, 2047)),
        planned_off_until=draw(st.sampled_from([0, 0, 0, T, T + 1, T - 1, T + D])),
        renew_until=draw(st.sampled_from([0, T, T - lifetime // 100, T - lifetime // 100 - 1])),
        activity=draw(st.sampled_from(["", "", "renewing 1/3"])),
    )


def store(*clients: dict[str, Any], ends: timedelta = 200 * DAY, off: timedelta | None = None) -> FleetColumns:
    statuses = {3: AuthorityStatus.DISTRUSTED, 4: AuthorityStatus.ISSUING, 5: AuthorityStatus.ISSUING}
    authorities = tuple(
        AuthorityInfo(
            generation=generation,
            subject="CA",
            validity=Validity(not_before=NOW - 400 * DAY, not_after=NOW + (ends if generation == 4 else 80 * DAY)),
            status=status,
            fingerprint="ab",
        )
        for generation, status in statuses.items()
    )
    clusters = (
        ClusterInfo(name="bonn-wl2", is_management=False, planned_off_until=None if off is None else NOW + off),
    )
    columns = FleetColumns()
    columns.apply(delta(*clients, full=True, last=True, change=1, authorities=authorities, clusters=clusters))
    return columns


def one_by_one(columns: FleetColumns, row: int, now: datetime, *, alive: bool) -> tuple[Ruling, datetime | None]:
    found = assess(columns.facts(row, now=now, agent_alive=alive, agent_now=NOW), now)
    ruling = Ruling(found.state, found.severity, found.overlays, found.next_action, found.limited_by)
    return ruling, found.effective_not_after


@settings(max_examples=400, deadline=None)
@given(
    clients=st.lists(rows(), min_size=1, max_size=6),
    ends=st.sampled_from([200 * DAY, 90 * DAY, 30 * DAY, timedelta(0), -timedelta(seconds=1)]),
    off=st.sampled_from([None, timedelta(0), timedelta(seconds=1), DAY]),
    alive=st.booleans() | st.just(True),
    later=st.floats(0, 1),
)
def test_a_column_is_judged_as_each_of_its_clients_and_changes_no_sooner_than_promised(
    clients: list[dict[str, Any]], ends: timedelta, off: timedelta | None, alive: bool, later: float
) -> None:
    numbered = [{**values, "number": number} for number, values in enumerate(clients, 1)]
    columns, rulings = store(*numbered, ends=ends, off=off), Rulings()
    judge = Judge(columns, rulings)
    judged = judge.judge(range(len(columns)), NOW, agent_alive=alive, agent_now=NOW)
    for row in range(len(columns)):
        found = rulings.every[judged.rulings[row]], instant(judged.ends[row])
        assert found == one_by_one(columns, row, NOW, alive=alive)
        change = judged.changes_at[row]
        until = T + 400 * D if change == NEVER else change
        assert until > T
        for at in {until - 1, T + int((until - 1 - T) * later)}:
            moment = NOW + timedelta(seconds=at - T)
            assert one_by_one(columns, row, moment, alive=alive) == found


def test_clients_alike_are_judged_once() -> None:
    columns, rulings = store(*(client(number) for number in range(1, 200))), Rulings()
    judged = Judge(columns, rulings).judge(range(199), NOW, agent_alive=True, agent_now=NOW)
    assert set(judged.rulings) == {0}
    assert len(rulings) == 1
