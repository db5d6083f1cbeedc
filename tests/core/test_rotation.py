"""CA rotation: legal moves, gates that name names, and a standing for every client at every tick."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import IllegalTransition
from backend.core.facts import ClientFacts
from backend.core.model import TokenStanding
from backend.core.rotation import (
    TRANSITIONS,
    ClientStanding,
    Event,
    Outages,
    Phase,
    PlannedClient,
    ReturnRoute,
    RotationClient,
    RotationFacts,
    WayBack,
    advance,
    count,
    gates,
    outages,
    rotation_plan_hash,
    standing,
    uninformed,
    way_back,
)

NOW = datetime.fromisoformat("2026-11-22T16:52:14+00:00")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ITSELF, FILE, MANUAL, OUT = ReturnRoute
MakeClient = Callable[..., ClientFacts]


def client(name: str = "csi-001", route: ReturnRoute = ITSELF, **seen: Any) -> RotationClient:
    return RotationClient(number=1, name=name, route=route, **seen)


def reachable_from(phase: Phase) -> set[Phase]:
    found = {phase}
    while True:
        more = found | {end for (begin, _), end in TRANSITIONS.items() if begin in found}
        if more == found:
            return found
        found = more


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(Event), max_size=20))
def test_whatever_is_tried_some_legal_path_leads_to_an_end(events: list[Event]) -> None:
    phase = Phase.PLANNED
    for event in events:
        try:
            phase = advance(phase, event)
        except IllegalTransition:
            continue
    assert reachable_from(phase) & {Phase.DONE, Phase.ABORTED}
    assert phase.is_open is (phase not in {Phase.DONE, Phase.ABORTED})


def test_the_documented_way_goes_from_planned_to_done() -> None:
    phase = Phase.PLANNED
    for event in (Event.STAGE, Event.FENCE, Event.CUT_OVER, Event.REOPEN, Event.VERIFY, Event.COMPLETE):
        phase = advance(phase, event)
    assert phase is Phase.DONE


@pytest.mark.parametrize("phase", Phase)
def test_a_rotation_can_be_aborted_before_the_cutover_and_never_after(phase: Phase) -> None:
    if phase in {Phase.PLANNED, Phase.STAGED, Phase.FENCED}:
        assert advance(phase, Event.ABORT) is Phase.ABORTED
    else:
        with pytest.raises(IllegalTransition, match=f"nothing leads from {phase.value} by abort"):
            advance(phase, Event.ABORT)


@pytest.mark.parametrize(
    ("phase", "given_client", "expected"),
    [
        (Phase.PLANNED, client(), ClientStanding.CONNECTED),
        (Phase.STAGED, client(informed_at=NOW), ClientStanding.INFORMED),
        (Phase.FENCED, client(route=OUT), ClientStanding.LOST),
        (Phase.STAGED, client(written_off="deleted"), ClientStanding.WRITTEN_OFF),
        (Phase.ABORTED, client(), ClientStanding.CONNECTED),
        (Phase.CUTOVER, client(lost_at=NOW), ClientStanding.LOST),
        (Phase.RE_ENROLLING, client(lost_at=NOW - 2 * MINUTE), ClientStanding.LOST),
        (Phase.RE_ENROLLING, client(lost_at=NOW - 2 * MINUTE - SECOND), ClientStanding.STUCK),
        (Phase.RE_ENROLLING, client(), ClientStanding.LOST),
        (Phase.RE_ENROLLING, client(route=MANUAL, lost_at=NOW), ClientStanding.STUCK),
        (Phase.RE_ENROLLING, client(route=OUT), ClientStanding.STUCK),
        (Phase.RE_ENROLLING, client(route=FILE, lost_at=NOW), ClientStanding.LOST),
        (Phase.RE_ENROLLING, client(route=MANUAL, returned_at=NOW), ClientStanding.RETURNED),
        (Phase.VERIFIED, client(written_off="gone"), ClientStanding.WRITTEN_OFF),
        (Phase.DONE, client(written_off="gone", returned_at=NOW), ClientStanding.RETURNED),
    ],
)
def test_a_client_stands_where_the_evidence_puts_it(
    phase: Phase, given_client: RotationClient, expected: ClientStanding
) -> None:
    assert standing(given_client, phase, NOW) is expected


MOMENTS = st.one_of(st.none(), st.integers(-600, 0).map(lambda s: NOW + s * SECOND))
CLIENTS = st.lists(
    st.builds(
        RotationClient,
        number=st.integers(1, 99),
        name=st.sampled_from(["a", "b", "c"]),
        route=st.sampled_from(ReturnRoute),
        informed_at=MOMENTS,
        lost_at=MOMENTS,
        returned_at=MOMENTS,
        written_off=st.sampled_from(["", "gone"]),
    ),
    max_size=12,
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(clients=CLIENTS, phase=st.sampled_from(Phase))
def test_the_standings_always_sum_to_the_total(clients: list[RotationClient], phase: Phase) -> None:
    counted = count(standing(one, phase, NOW) for one in clients)
    assert set(counted) == set(ClientStanding)
    assert sum(counted.values()) == len(clients)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    clients=CLIENTS,
    phase=st.sampled_from(Phase),
    flags=st.tuples(*[st.booleans()] * 4),
    doubt=st.sampled_from(["", "x"]),
)
def test_every_open_phase_has_gates_that_say_why(
    clients: list[RotationClient], phase: Phase, flags: tuple[bool, ...], doubt: str
) -> None:
    facts = RotationFacts(
        phase=phase,
        clients=clients,
        is_staged=flags[0],
        is_published=flags[1],
        proceed=flags[2],
        is_serving=flags[3],
        clock_doubt=doubt,
    )
    found = gates(facts, NOW)
    assert bool(found) is phase.is_open
    assert all(gate.why and gate.test for gate in found)
    assert not (doubt and found) or not found[0].met


def only_gate(phase: Phase, *clients: RotationClient, **facts: Any) -> Any:
    return gates(RotationFacts(phase=phase, clients=clients, **facts), NOW)[-1]


@pytest.mark.parametrize(("phase", "flag"), [(Phase.PLANNED, "is_staged"), (Phase.CUTOVER, "is_serving")])
def test_a_phase_is_left_once_its_work_is_seen_done(phase: Phase, flag: str) -> None:
    assert not only_gate(phase).met
    assert only_gate(phase, **{flag: True}).met


def test_the_fence_waits_for_what_is_in_flight() -> None:
    assert only_gate(Phase.FENCED, in_flight=2).why == "2 still in flight"
    assert only_gate(Phase.FENCED).met


def test_staging_waits_for_the_clients_that_can_be_informed_unless_told_to_proceed() -> None:
    waiting = client("kms-1")
    others = [client("a", informed_at=NOW), client("b", FILE), client("c", MANUAL), client("d", written_off="x")]
    assert uninformed([waiting, *others]) == ("kms-1",)
    gate = only_gate(Phase.STAGED, waiting, *others)
    assert (gate.met, gate.is_passable, gate.why) == (False, True, "waiting for kms-1")
    passed = only_gate(Phase.STAGED, waiting, *others, proceed=True)
    assert (passed.met, passed.why) == (True, "kms-1 will need another way back")
    assert only_gate(Phase.STAGED, *others).met
    published = [
        gates(RotationFacts(phase=Phase.STAGED, clients=(), is_published=p), NOW)[0].met for p in (False, True)
    ]
    assert published == [False, True]


def test_re_enrolling_names_who_is_away() -> None:
    gate = only_gate(
        Phase.RE_ENROLLING, client("kms-1", lost_at=NOW), client("csi-2", MANUAL), client("a", returned_at=NOW)
    )
    assert (gate.met, gate.why) == (False, "stuck: csi-2; lost: kms-1")
    many = only_gate(Phase.RE_ENROLLING, *(client(f"c{i:02}", MANUAL) for i in range(12)))
    assert many.why.endswith("c08, c09 and 2 more")
    assert only_gate(Phase.RE_ENROLLING, client(returned_at=NOW), client(written_off="x")).met


def test_verified_counts_everybody() -> None:
    assert only_gate(Phase.VERIFIED, client(returned_at=NOW), client(written_off="x")).met
    assert not only_gate(Phase.VERIFIED, client(lost_at=NOW)).met


def test_outages_are_measured_from_the_last_good_call_to_the_first() -> None:
    gaps = [client(lost_at=NOW, returned_at=NOW + s * SECOND) for s in (8, 95, 3)]
    assert outages([*gaps, client(lost_at=NOW), client(returned_at=NOW)]) == Outages(
        p50=8 * SECOND, longest=95 * SECOND
    )
    assert outages([client()]) is None


@pytest.mark.parametrize(
    ("given_facts", "alive", "path", "route", "words"),
    [
        ({}, True, "", ITSELF, "take the new root home"),
        ({"left": 5 * DAY, "token_left": SECOND}, True, "", ITSELF, "works until"),
        ({}, False, "/l", FILE, "writes a fresh login file to /l"),
        ({}, False, "", MANUAL, "sends no heartbeats"),
        ({"token_left": 0 * DAY}, True, "/l", FILE, "token is dead"),
        ({"token_standing": TokenStanding.EMPTY}, True, "", MANUAL, "rotating the token first would help"),
        ({"token_left": None}, True, "", MANUAL, "never seen its token"),
        ({"left": -SECOND}, False, "", OUT, "certificate has ended"),
        ({"left": -SECOND, "token_left": -SECOND}, False, "/l", OUT, "it may come back"),
        ({"identity_revoked": True}, True, "/l", OUT, "it is revoked."),
        ({"left": None}, False, "", OUT, "never signed in"),
        ({"left": None, "token_left": None}, False, "", OUT, "nothing is known"),
    ],
)
def test_every_client_has_a_way_back_or_a_reason_why_not(
    given_facts: dict[str, Any], alive: bool, path: str, route: ReturnRoute, words: str, make_client: MakeClient
) -> None:
    found = way_back(make_client(**given_facts), NOW, heartbeat_alive=alive, place=path)
    assert found.route is route
    assert words in found.why


def planned(number: int, route: ReturnRoute = ITSELF, why: str = "") -> PlannedClient:
    return PlannedClient(number=number, name=f"c{number}", way=WayBack(route=route, why=why))


def plan_hash(*clients: PlannedClient, **change: Any) -> str:
    fixed = {"deployment": "bonn", "from_generation": 4, "to_generation": 5, "from_fingerprint": "ab"}
    return rotation_plan_hash(**{**fixed, **change}, clients=clients)


def test_enrolling_removing_or_stranding_a_client_changes_the_plans_hash() -> None:
    base = plan_hash(planned(1), planned(2))
    assert base == plan_hash(planned(2), planned(1, why="told in other words"))
    others = [
        plan_hash(planned(1), planned(2), planned(3)),
        plan_hash(planned(1)),
        plan_hash(planned(1), planned(2, MANUAL)),
        plan_hash(planned(1), planned(2), deployment="oslo"),
        plan_hash(planned(1), planned(2), from_generation=5),
        plan_hash(planned(1), planned(2), to_generation=6),
        plan_hash(planned(1), planned(2), from_fingerprint="cd"),
    ]
    assert len({base, *others}) == 1 + len(others)
