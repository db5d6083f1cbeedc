"""What must hold before a phase of a rotation with overlap is left (pki.md 5.3), each with the reason that is shown.

Pure, and evidence only: a length of time counts as the length of an observation in which nothing failed, never as a
reason to go on. A gate that is not met names the clients below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from backend.core.overlap import OverlapClient, OverlapPhase, Route
from backend.core.rotation import Gate, listed

_PATIENCE: Final = 3  # heartbeats of the slowest client
STALE_ROUNDS: Final = 3  # a round of probes older than three intervals proves nothing of now


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapSettings:
    """What the plan fixed. `shadow_for` and `quiet_for` are least lengths of observation; zero: one heartbeat cycle.

    `stop_percent` of a wave may fail before no further client is told to renew.
    """

    automatic: bool = False
    shadow_for: timedelta = timedelta(0)
    quiet_for: timedelta = timedelta(0)
    stop_percent: int = 5

    def __post_init__(self) -> None:
        if self.shadow_for < timedelta(0) or self.quiet_for < timedelta(0):
            raise ValueError("a length of observation cannot be negative")
        if not 0 <= self.stop_percent <= 100:
            raise ValueError("a stop rule is from 0 to 100 per cent")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFacts:
    """The trust matrix as probed: rounds since the phase began, and over the whole rotation."""

    rounds: int = 0
    total: int = 0
    deviations: int = 0
    last_at: datetime | None = None
    deviation: str = ""  # the cell that was not as the truth table says, in the last round
    interval: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapFacts:
    """What the gates look at. `fitness` is (test, "" or what is wrong) of the staged generation."""

    phase: OverlapPhase
    from_generation: int
    to_generation: int
    phase_at: datetime
    clients: Sequence[OverlapClient]
    settings: OverlapSettings = field(default_factory=OverlapSettings)
    fitness: Sequence[tuple[str, str]] = ()
    is_staged: bool = False
    bundle: tuple[int, ...] = ()
    serving: int = 0
    probes: ProbeFacts = field(default_factory=ProbeFacts)
    refused_at: datetime | None = None  # the last call refused because of its generation
    slowest: timedelta = timedelta(seconds=30)  # of the living clients' heartbeats
    held: str = ""
    clock_doubt: str = ""


def overlap_gates(facts: OverlapFacts, now: datetime) -> tuple[Gate, ...]:
    """Return what must hold before the present phase is left; none once the rotation has ended."""
    if not facts.phase.is_open:
        return ()
    found = list(_GATES[facts.phase](facts, now))
    if facts.phase in _PROBED:
        found.append(_probed(facts, now))
    if facts.clock_doubt:
        found.insert(0, _gate("the agent's clock is believed", facts.clock_doubt))
    if facts.held:
        found.insert(0, _gate("nobody holds the rotation", facts.held))
    return tuple(found)


def waiting_for(facts: OverlapFacts, now: datetime) -> tuple[OverlapClient, ...]:
    """Return the clients that the present phase waits for, in the order of the plan."""
    chooses = _WAITS.get(facts.phase)
    return () if chooses is None else tuple(one for one in facts.clients if one.counts and chooses(one, facts, now))


def wave_failures(facts: OverlapFacts, wave: int, now: datetime) -> tuple[OverlapClient, ...]:
    """Return the clients of a wave that were told to renew, have had three heartbeats for it, and report an error.

    A single failed try is none: the agent itself may have been away, and every client tries again within a minute.
    """
    target, patience = _target(facts), _PATIENCE * facts.slowest
    return tuple(
        one
        for one in facts.clients
        if one.wave == wave and one.counts and one.generation != target and one.last_error
        and one.ordered_at is not None and now - one.ordered_at > patience
        and one.heard_at is not None and one.heard_at > one.ordered_at + patience  # what was said before is old
    )  # fmt: skip


def would_fail(facts: OverlapFacts) -> tuple[OverlapClient, ...]:
    """Return the clients that gates wait for and that made a call in the shadow that would have failed."""
    since = facts.phase_at
    return tuple(
        one for one in facts.clients if one.counts and one.would_fail_at is not None and one.would_fail_at >= since
    )


def open_wave(facts: OverlapFacts) -> int:
    """Return the first wave with a client that can be told and has not moved; 0 when all have."""
    target = _target(facts)
    left = [one.wave for one in facts.clients if one.counts and one.route is Route.ITSELF and one.generation != target]
    return min(left, default=0)


def is_over_threshold(facts: OverlapFacts, wave: int, now: datetime) -> bool:
    """Tell whether more of a wave failed than the stop rule allows; in a small wave one failure is enough."""
    size = sum(one.wave == wave and one.counts for one in facts.clients)
    return len(wave_failures(facts, wave, now)) * 100 > facts.settings.stop_percent * size


def _target(facts: OverlapFacts) -> int:
    return facts.from_generation if facts.phase.is_rollback else facts.to_generation


def _gate(test: str, why: str, met: str = "") -> Gate:
    return Gate(test=test, met=not why, why=why or met)


def _planned(facts: OverlapFacts, _: datetime) -> Iterable[Gate]:
    why = "" if facts.is_staged else "they are being made"
    yield _gate("key, root and cross certificates are ready", why, "they are stored and were tried out")


def _staged(facts: OverlapFacts, _: datetime) -> Iterable[Gate]:
    for test, wrong in facts.fitness:
        yield _gate(test, wrong, "holds")


def _trusted(facts: OverlapFacts, now: datetime) -> Iterable[Gate]:
    yield _published(facts, {facts.from_generation, facts.to_generation})
    below = waiting_for(facts, now)
    careless = [one.name for one in below if one.careless]
    rest = [one.name for one in below if not one.careless]
    why = "; ".join(
        [f"without proof: {listed(rest)}"] * bool(rest) + [f"verification is off: {listed(careless)}"] * bool(careless)
    )
    yield _gate("every client that reports has proved its trust in the new root (E3)", why, "all have")


def _issuing(facts: OverlapFacts, now: datetime) -> Iterable[Gate]:
    wave = open_wave(facts)
    failed = wave_failures(facts, wave, now) if wave else ()
    why = listed([one.name for one in failed]) if wave and is_over_threshold(facts, wave, now) else ""
    limit = f"at most {facts.settings.stop_percent} % of a wave may"
    yield _gate("renewals do not fail", f"failed in wave {wave}: {why}" if why else "", f"{len(failed)} did; {limit}")
    left = [one.name for one in waiting_for(facts, now) if one.route is Route.ITSELF]
    yield _gate(
        "every client that reports uses a certificate of the new CA (E4)",
        f"wave {wave} of 4; still on the old one: {listed(left)}" if left else "",
        "all do",
    )
    behind = [one.name for one in facts.clients if _is_cut_off(one, facts, now)]
    yield _gate(
        "nobody is cut off when the new CA serves",
        f"these trust an older root only and need a fresh login file first: {listed(behind)}" if behind else "",
        "everybody trusts the present root, or a later one",
    )


def _is_cut_off(one: OverlapClient, facts: OverlapFacts, now: datetime) -> bool:
    """Tell whether it has a connection to lose that no cross certificate would carry on (invariant I10)."""
    has_one = one.uses(facts.from_generation, now) or one.uses(facts.to_generation, now)
    return one.counts and one.is_behind and has_one


def _serving(facts: OverlapFacts, now: datetime) -> Iterable[Gate]:
    yield _serves(facts, facts.to_generation)
    yield _quiet(facts, now)


def _draining(facts: OverlapFacts, now: datetime) -> Iterable[Gate]:
    left = waiting_for(facts, now)
    ends = [one.holds_until for one in left if one.holds_until is not None]
    until = f" (the last one ends {max(ends):%Y-%m-%d %H:%M} UTC)" if ends else ""
    yield _gate(
        "nobody uses a living certificate of the old CA",
        f"{listed([one.name for one in left])}{until}" if left else "",
        "nobody does",
    )


def _shadow(facts: OverlapFacts, now: datetime) -> Iterable[Gate]:
    failing = [one.name for one in would_fail(facts)]
    yield _gate(
        "no call would have failed without the old CA",
        f"{listed(failing)} would have" if failing else "",
        "none would have",
    )
    needed = max(facts.settings.shadow_for, facts.slowest)
    yield _observed(now - facts.phase_at, needed, "since the second judging began")


def _distrusted(facts: OverlapFacts, now: datetime) -> Iterable[Gate]:
    yield _published(facts, {facts.to_generation})
    yield _quiet(facts, now)


def _re_trusting(facts: OverlapFacts, now: datetime) -> Iterable[Gate]:
    yield _published(facts, {facts.from_generation, facts.to_generation})
    left = [one.name for one in waiting_for(facts, now)]
    yield _gate(
        "every client that reports has both roots again (E2)", f"waiting for {listed(left)}" if left else "", "all have"
    )


def _serving_old(facts: OverlapFacts, _: datetime) -> Iterable[Gate]:
    yield _serves(facts, facts.from_generation)


def _issuing_old(facts: OverlapFacts, _: datetime) -> Iterable[Gate]:
    yield _published(facts, {facts.from_generation, facts.to_generation})


def _reissuing_back(facts: OverlapFacts, now: datetime) -> Iterable[Gate]:
    left = [one.name for one in waiting_for(facts, now)]
    yield _gate(
        "nobody uses a living certificate of the new CA",
        f"{listed(left)}; renewing them back" if left else "",
        "nobody does",
    )


def _untrusting(facts: OverlapFacts, _: datetime) -> Iterable[Gate]:
    yield _published(facts, {facts.from_generation})


def _published(facts: OverlapFacts, wanted: set[int]) -> Gate:
    names = " and ".join(f"g{one}" for one in sorted(wanted))
    why = "" if set(facts.bundle) == wanted else f"it trusts {', '.join(f'g{one}' for one in facts.bundle) or 'none'}"
    return _gate(f"the bundle trusts {names}", why, "heartbeats carry it")


def _serves(facts: OverlapFacts, generation: int) -> Gate:
    why = "" if facts.serving == generation else f"it is g{facts.serving}'s still"
    return _gate(f"the agent's own certificate is CA g{generation}'s", why, "listeners serve it")


def _quiet(facts: OverlapFacts, now: datetime) -> Gate:
    since = facts.phase_at if facts.refused_at is None else max(facts.phase_at, facts.refused_at)
    gate = _observed(now - since, max(facts.settings.quiet_for, facts.slowest), "without a refusal of the old CA's")
    return Gate(test="no call is refused because of its CA", met=gate.met, why=gate.why)


def _observed(seen: timedelta, needed: timedelta, what: str) -> Gate:
    why = f"{int(min(seen, needed).total_seconds())} of {int(needed.total_seconds())} s {what}"
    return Gate(test="it was observed for long enough", met=seen >= needed, why=why)


def _probed(facts: OverlapFacts, now: datetime) -> Gate:
    test, probes = "the probes find exactly what the truth table says", facts.probes
    if probes.deviation:
        return _gate(test, probes.deviation)
    if not probes.rounds or probes.last_at is None:
        return _gate(test, "no round since this phase began")
    if now - probes.last_at > STALE_ROUNDS * probes.interval:
        return _gate(test, f"the last round was at {probes.last_at:%H:%M:%S} UTC")
    return _gate(test, "", f"{probes.total:,} probes, {probes.deviations} otherwise")


_P = OverlapPhase
_PROBED: Final = frozenset({_P.TRUSTED, _P.ISSUING, _P.SERVING, _P.DRAINING, _P.SHADOW, _P.DISTRUSTED, _P.SERVING_OLD})
_GATES: Final[Mapping[OverlapPhase, Callable[[OverlapFacts, datetime], Iterable[Gate]]]] = {
    _P.PLANNED: _planned,
    _P.STAGED: _staged,
    _P.TRUSTED: _trusted,
    _P.ISSUING: _issuing,
    _P.SERVING: _serving,
    _P.DRAINING: _draining,
    _P.SHADOW: _shadow,
    _P.DISTRUSTED: _distrusted,
    _P.RE_TRUSTING: _re_trusting,
    _P.SERVING_OLD: _serving_old,
    _P.ISSUING_OLD: _issuing_old,
    _P.REISSUING_BACK: _reissuing_back,
    _P.UNTRUSTING_NEW: _untrusting,
}
_WAITS: Final[Mapping[OverlapPhase, Callable[[OverlapClient, OverlapFacts, datetime], bool]]] = {
    _P.TRUSTED: lambda one, _, __: one.route is Route.ITSELF and (one.proved_at is None or bool(one.careless)),
    _P.ISSUING: lambda one, facts, now: (
        (one.route is Route.ITSELF and one.generation != facts.to_generation) or _is_cut_off(one, facts, now)
    ),
    _P.DRAINING: lambda one, facts, now: one.uses(facts.from_generation, now),
    _P.RE_TRUSTING: lambda one, _, __: one.is_living and one.informed_at is None,
    _P.REISSUING_BACK: lambda one, facts, now: one.uses(facts.to_generation, now),
}
