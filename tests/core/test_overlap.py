"""CA rotation with overlap: legal moves, rungs that nobody skips, waves, and gates that name names."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import IllegalTransition
from backend.core.overlap import (
    OVERLAP_TRANSITIONS,
    WAVES,
    Level,
    OverlapClient,
    OverlapEvent,
    OverlapPhase,
    Route,
    count_levels,
    evidence,
    forward_event,
    next_phase,
    wave_of,
)
from backend.core.overlap_gates import (
    OverlapFacts,
    OverlapSettings,
    ProbeFacts,
    is_over_threshold,
    open_wave,
    overlap_gates,
    waiting_for,
    wave_failures,
)

NOW = datetime.fromisoformat("2026-11-22T16:52:14+00:00")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
P = OverlapPhase


def client(name: str = "csi-001", route: Route = Route.ITSELF, **seen: Any) -> OverlapClient:
    return OverlapClient(number=1, name=name, route=route, **seen)


def moved(name: str, generation: int, **more: Any) -> OverlapClient:
    given = {"generation_at": NOW, "holds_until": NOW + MINUTE, "proved_at": NOW, "is_living": True, **more}
    return client(name, generation=generation, **given)


def facts(phase: OverlapPhase, *clients: OverlapClient, **more: Any) -> OverlapFacts:
    bundle = {P.DISTRUSTED: (2,), P.UNTRUSTING_NEW: (1,)}.get(phase, (1, 2))
    given = {
        "from_generation": 1,
        "to_generation": 2,
        "phase_at": NOW - MINUTE,
        "is_staged": True,
        "bundle": bundle,
        "serving": 2 if phase.serves_new else 1,
        "probes": ProbeFacts(rounds=1, total=28, last_at=NOW),
        **more,
    }
    return OverlapFacts(phase=phase, clients=clients, **given)


def unmet(one: OverlapFacts, now: datetime = NOW) -> list[str]:
    return [gate.why for gate in overlap_gates(one, now) if not gate.met]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(OverlapEvent), max_size=25))
def test_whatever_is_tried_some_legal_path_leads_to_an_end(events: list[OverlapEvent]) -> None:
    phase = P.PLANNED
    for event in events:
        if (phase, event) in OVERLAP_TRANSITIONS:
            phase = next_phase(phase, event)
    seen = 0
    while phase.is_open:
        event = forward_event(phase)
        assert event is not None
        phase = next_phase(phase, event)
        seen += 1
        assert seen < 20


def test_rolling_back_is_possible_from_staged_to_distrusted_and_nowhere_else() -> None:
    begins = {phase for phase, event in OVERLAP_TRANSITIONS if event is OverlapEvent.ROLL_BACK}
    assert begins == {P.STAGED, P.TRUSTED, P.ISSUING, P.SERVING, P.DRAINING, P.SHADOW, P.DISTRUSTED}
    for phase in set(P) - begins:
        with pytest.raises(IllegalTransition):
            next_phase(phase, OverlapEvent.ROLL_BACK)


def test_a_claim_is_no_proof_and_a_proof_no_call() -> None:
    living = {"is_living": True, "heard_at": NOW}
    ladder = [
        client(),
        client(**living),
        client(**living, informed_at=NOW),
        client(**living, informed_at=NOW, proved_at=NOW),
        moved("a", 2),
    ]
    levels = [evidence(one, to_generation=2, shadow_since=None).level for one in ladder]
    assert levels == [Level.SILENT, Level.HEARD, Level.ACKNOWLEDGED, Level.PROVED, Level.MOVED]


def test_ready_means_judged_in_the_shadow_since_it_began() -> None:
    def level(**more: Any) -> Level:
        return evidence(moved("a", 2, **more), to_generation=2, shadow_since=NOW).level

    later = NOW + SECOND
    assert level(generation_at=NOW - SECOND) is Level.MOVED
    assert level(generation_at=NOW) is Level.MOVED, "in that very second it may have called before the judging began"
    assert level(generation_at=later) is Level.READY
    assert level(generation_at=later, would_fail_at=NOW - SECOND) is Level.READY
    assert level(generation_at=later, would_fail_at=NOW) is Level.MOVED
    assert level(generation_at=later, proved_at=None) is Level.MOVED, "E5 needs the canary's proof too"


def test_whoever_accepts_what_nobody_should_is_never_e3() -> None:
    one = client(is_living=True, heard_at=NOW, informed_at=NOW, proved_at=NOW, careless="a wrong name")
    assert evidence(one, to_generation=2, shadow_since=None).level is Level.ACKNOWLEDGED
    assert unmet(facts(P.TRUSTED, one)) == ["verification is off: csi-001"]


@given(st.lists(st.sampled_from(Level)))
def test_counts_name_every_level_and_sum_to_the_clients(levels: list[Level]) -> None:
    counted = count_levels(levels)
    assert set(counted) == set(Level)
    assert sum(counted.values()) == len(levels)


@pytest.mark.parametrize(
    ("total", "sizes"), [(0, []), (1, [1]), (3, [1, 1, 1]), (100, [1, 9, 40, 50]), (1000, [10, 90, 400, 500])]
)
def test_waves_are_a_hundredth_a_tenth_a_half_and_the_rest(total: int, sizes: list[int]) -> None:
    waves = [wave_of(place, total) for place in range(total)]
    assert waves == sorted(waves)
    assert [waves.count(wave) for wave in range(1, len(WAVES) + 1) if wave in waves] == sizes


def test_the_trust_gate_waits_for_those_who_report_and_for_nobody_else() -> None:
    proved = client("b", is_living=True, proved_at=NOW)
    others = [client("c", Route.CROSS), client("d", Route.SILENT), client("e", Route.OUT), client("f", waived="OPS-1")]
    assert unmet(facts(P.TRUSTED, client("a"), proved, *others)) == ["without proof: a"]
    assert unmet(facts(P.TRUSTED, proved, *others)) == []


def test_draining_waits_until_the_last_second_of_a_living_old_certificate() -> None:
    held = client("a", Route.CROSS, generation=1, holds_until=NOW)
    assert unmet(facts(P.DRAINING, held)) == ["a (the last one ends 2026-11-22 16:52 UTC)"]
    assert unmet(facts(P.DRAINING, held), NOW + SECOND) == []
    assert unmet(facts(P.DRAINING, client("a", Route.SILENT, generation=1, holds_until=NOW))) != []
    assert unmet(facts(P.DRAINING, client("a", generation=1, holds_until=NOW, written_off="dead"))) == []


@pytest.mark.parametrize("phase", [P.TRUSTED, P.ISSUING, P.SERVING, P.DRAINING, P.SHADOW, P.DISTRUSTED, P.SERVING_OLD])
def test_a_deviating_or_missing_probe_keeps_every_phase_in_which_both_cas_meet(phase: OverlapPhase) -> None:
    found = facts(phase, probes=ProbeFacts(rounds=1, total=28, deviations=1, last_at=NOW, deviation="cell: ok"))
    assert "cell: ok" in unmet(found, NOW + MINUTE)
    assert "no round since this phase began" in unmet(facts(phase, probes=ProbeFacts()))


def test_a_round_of_three_intervals_ago_still_counts_and_an_older_one_does_not() -> None:
    probes = ProbeFacts(rounds=1, total=28, last_at=NOW - 30 * SECOND)
    assert unmet(facts(P.TRUSTED, probes=probes)) == []
    assert unmet(facts(P.TRUSTED, probes=probes), NOW + SECOND) == ["the last round was at 16:51:44 UTC"]


def test_the_shadow_lasts_at_least_one_heartbeat_of_the_slowest_and_what_was_asked_for() -> None:
    short = facts(
        P.SHADOW, phase_at=NOW, slowest=30 * SECOND, probes=ProbeFacts(rounds=1, last_at=NOW, interval=MINUTE)
    )
    assert unmet(short, NOW + 29 * SECOND) != []
    assert unmet(short, NOW + 30 * SECOND) == []
    asked = OverlapSettings(shadow_for=MINUTE)
    longer = facts(P.SHADOW, phase_at=NOW, settings=asked, probes=ProbeFacts(rounds=1, last_at=NOW, interval=MINUTE))
    assert unmet(longer, NOW + 59 * SECOND) != []
    assert unmet(longer, NOW + 60 * SECOND) == []


def test_a_refusal_begins_the_quiet_time_anew() -> None:
    quiet = facts(P.DISTRUSTED, phase_at=NOW - 10 * MINUTE, refused_at=NOW - 29 * SECOND)
    assert unmet(quiet) == ["29 of 30 s without a refusal of the old CA's"]
    assert unmet(quiet, NOW + SECOND) == []


def test_a_hold_and_a_clock_in_doubt_keep_every_open_phase() -> None:
    for phase in P:
        found = unmet(facts(phase, held="anna: lunch", clock_doubt="it jumped"))
        assert found[:2] == (["anna: lunch", "it jumped"] if phase.is_open else [])


def told(name: str, error: str, ago: timedelta = 91 * SECOND) -> OverlapClient:
    return client(name, wave=1, generation=1, ordered_at=NOW - ago, heard_at=NOW, is_living=True, last_error=error)


def test_one_failure_stops_a_small_wave_and_five_per_cent_a_large_one() -> None:
    small = facts(P.ISSUING, told("a", "disk full"), told("b", ""))
    assert [one.name for one in wave_failures(small, 1, NOW)] == ["a"]
    assert is_over_threshold(small, open_wave(small), NOW)
    large = facts(P.ISSUING, *[told(f"c{n}", "disk full" if n < 5 else "") for n in range(100)])
    assert not is_over_threshold(large, 1, NOW)
    larger = facts(P.ISSUING, *[told(f"c{n}", "disk full" if n < 6 else "") for n in range(100)])
    assert is_over_threshold(larger, 1, NOW)


def test_a_client_has_three_heartbeats_before_its_error_counts() -> None:
    """The agent may have been away for a moment when it was told to renew."""
    assert wave_failures(facts(P.ISSUING, told("a", "unreachable", 90 * SECOND)), 1, NOW) == ()
    failed = told("a", "unreachable", 91 * SECOND)
    assert wave_failures(facts(P.ISSUING, failed), 1, NOW) == (failed,)
    said_long_ago = client(
        "a", wave=1, generation=1, ordered_at=NOW - 5 * MINUTE, heard_at=NOW - 4 * MINUTE, last_error="x"
    )
    assert wave_failures(facts(P.ISSUING, said_long_ago), 1, NOW) == ()


def test_the_open_wave_is_the_first_in_which_somebody_has_not_moved_whichever_way() -> None:
    two = (moved("a", 2, wave=1), moved("b", 1, wave=2), moved("c", 1, wave=3))
    assert open_wave(facts(P.ISSUING, *two)) == 2
    assert open_wave(facts(P.REISSUING_BACK, *two)) == 1
    assert [one.name for one in waiting_for(facts(P.REISSUING_BACK, *two), NOW)] == ["a"]


@pytest.mark.parametrize("given", [{"stop_percent": 101}, {"stop_percent": -1}, {"shadow_for": -SECOND}])
def test_settings_that_mean_nothing_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"cannot be negative|from 0 to 100"):
        OverlapSettings(**given)
