"""Judging whole columns: the verdicts of `backend.core.health` for thousands of clients, and until when they hold.

Owns no rule. A verdict follows from comparisons of a client's dates with the present second, so clients for which every
comparison comes out the same share one verdict: the first of them is judged by `health.assess`, the others are looked
up. The comparisons are those of `backend.core.evidence`, on plain integers; `tests/core/test_judging.py` holds the two
together. Beside the verdict stands the next instant at which any comparison can come out differently, so that a reader
judges a client again then, and not every second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.core.delta import LAST_SECOND, ClientFlag, unix
from backend.core.evidence import ABSOLUTE
from backend.core.facts import Assessment, Limit, NextAction, Overlay, Severity, State
from backend.core.fleet import NO_TEXT, FleetColumns
from backend.core.health import assess
from backend.core.limits import (
    AUTHORITY_WARNING,
    CRITICAL,
    DUE,
    OVERDUE,
    SKEW_UNCERTAIN,
    SKEW_WARNING,
    SLOT_GRACE,
    STALE_INTERVALS,
)

NEVER: Final = 0  # `changes_at` of a verdict that time does not change
NO_CERTIFICATE: Final = 0  # `end` of a client without a certificate

_DUE_N, _DUE_D = DUE.numerator, DUE.denominator
_LATE_N, _LATE_D = OVERDUE.numerator, OVERDUE.denominator
_CRITICAL_N, _CRITICAL_D = CRITICAL.numerator, CRITICAL.denominator
_GRACE_N, _GRACE_D = SLOT_GRACE.numerator, SLOT_GRACE.denominator
_ABSOLUTE_DUE, _ABSOLUTE_LATE, _ABSOLUTE_CRITICAL = (int(span.total_seconds()) for span in ABSOLUTE)
_WARNING: Final = int(AUTHORITY_WARNING.total_seconds())
_UNCERTAIN: Final = int(SKEW_UNCERTAIN.total_seconds())
_NOTABLE: Final = int(SKEW_WARNING.total_seconds())
_NO_TOKEN: Final = int(ClientFlag.TOKEN_EMPTY | ClientFlag.TOKEN_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What of an `Assessment` clients share: everything but their own instants and sentences."""

    state: State
    severity: Severity
    overlays: frozenset[Overlay]
    next_action: NextAction
    limited_by: Limit | None


class Rulings:
    """Every ruling seen so far by its id; a few dozen for any fleet. Several stores may share one."""

    def __init__(self) -> None:
        self.every: list[Ruling] = []
        self._ids: dict[Ruling, int] = {}

    def __len__(self) -> int:
        return len(self.every)

    def id_of(self, found: Assessment) -> int:
        """Return the id of a judgement's ruling."""
        ruling = Ruling(found.state, found.severity, found.overlays, found.next_action, found.limited_by)
        made = self._ids.setdefault(ruling, len(self.every))
        if made == len(self.every):
            self.every.append(ruling)
        return made


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer for some rows, column by column: ruling ids, effective ends and the next instant of change."""

    rulings: list[int]
    ends: list[int]
    changes_at: list[int]


class Judge:
    """Judges rows of one store, for as long as its authorities and clusters stay as they are."""

    def __init__(self, columns: FleetColumns, rulings: Rulings) -> None:
        self._columns = columns
        self._rulings = rulings
        self._memory: dict[tuple[int, ...], int] = {}
        self._ends = {a.generation: unix(a.validity.not_after) for a in columns.authorities}
        self._has_clusters_off = any(cluster.planned_off_until for cluster in columns.clusters)

    def judge(self, rows: Iterable[int], now: datetime, *, agent_alive: bool, agent_now: datetime) -> Judged:
        """Judge rows at `now`; the other arguments are those of `FleetColumns.facts`."""
        column = self._columns.column
        dates = column("certificate_not_before"), column("certificate_not_after")
        tokens = column("token_issued_at"), column("token_expires_at")
        beats = column("heartbeat_interval"), column("heartbeat_at"), column("renew_until")
        flags, kinds, generations = column("flags"), column("kind"), column("generation")
        activities, skews, off = column("activity"), column("skew"), column("planned_off_until")
        judged = Judged([], [], [])
        at, memory = unix(now), self._memory
        for row in rows:
            bits, generation, interval = flags[row], generations[row], beats[0][row]
            not_before, not_after = dates[0][row], dates[1][row]
            ends_at = self._ends.get(generation, LAST_SECOND)
            state, change, end = _certificate(at, not_before, not_after, ends_at)
            expires_at = 0 if bits & _NO_TOKEN else tokens[1][row]
            if expires_at:
                token, change = _token(at, tokens[0][row], expires_at, change)
                state |= token
            if interval and agent_alive:
                contact, change = _contact(at, interval, beats[1][row], change)
                state |= contact
            if interval and end and beats[2][row]:
                slot, change = _slot(at, beats[2][row], not_after - not_before, change)
                state |= slot
            if self._has_clusters_off or off[row]:
                planned = unix(self._columns.planned_off_until(row))
                if at < planned:
                    state, change = state | _PLANNED_OFF, _earlier(change, planned)
            if agent_alive:
                state |= _AGENT_ALIVE
            skew = skews[row]
            clock = 0 if -_NOTABLE <= skew <= _NOTABLE else 1 if -_UNCERTAIN <= skew <= _UNCERTAIN else 2
            key = (state, bits, kinds[row], generation, clock, interval > 0, activities[row] != NO_TEXT)
            ruling = memory.get(key)
            if ruling is None:
                facts = self._columns.facts(row, now=now, agent_alive=agent_alive, agent_now=agent_now)
                ruling = memory[key] = self._rulings.id_of(assess(facts, now))
            judged.rulings.append(ruling)
            judged.ends.append(end)
            judged.changes_at.append(change)
        return judged


# One bit for each comparison that a verdict can follow from.
_HAS_CERTIFICATE: Final = 1 << 0
_PENDING: Final = 1 << 1
_IS_DUE: Final = 1 << 2
_IS_LATE: Final = 1 << 3
_IS_EXPIRED: Final = 1 << 4
_LIMITED: Final = 1 << 5
_EFFECTIVE_DUE: Final = 1 << 6
_EFFECTIVE_CRITICAL: Final = 1 << 7
_AUTHORITY_ENDED: Final = 1 << 8
_AUTHORITY_ENDS_SOON: Final = 1 << 9
_HAS_TOKEN: Final = 1 << 10
_TOKEN_ENDED: Final = 1 << 11
_TOKEN_DUE: Final = 1 << 12
_TOKEN_LATE: Final = 1 << 13
_TOKEN_CRITICAL: Final = 1 << 14
_SILENT: Final = 1 << 15
_SLOT_PASSED: Final = 1 << 16
_PLANNED_OFF: Final = 1 << 17
_AGENT_ALIVE: Final = 1 << 18


def _earlier(change: int, other: int) -> int:
    return other if change == NEVER or other < change else change


def _certificate(at: int, not_before: int, not_after: int, ends_at: int) -> tuple[int, int, int]:
    """Return the comparisons of certificate and CA, the next change of any, and the effective end."""
    if not not_before or not not_after:
        return 0, NEVER, NO_CERTIFICATE
    lifetime = not_after - not_before
    left = not_after - at
    due = lifetime * _DUE_N // _DUE_D
    if left > due and at >= not_before and ends_at > not_after:  # most clients at most times
        return _HAS_CERTIFICATE, not_after - due, not_after
    state, change = _HAS_CERTIFICATE, NEVER
    if at < not_before:
        state, change = state | _PENDING, not_before
    if left * _DUE_D > lifetime * _DUE_N:
        change = _earlier(change, not_after - due)
    elif left * _LATE_D >= lifetime * _LATE_N:
        state, change = state | _IS_DUE, _earlier(change, not_after + 1 + -lifetime * _LATE_N // _LATE_D)
    elif left >= 0:
        state, change = state | _IS_DUE | _IS_LATE, _earlier(change, not_after + 1)
    else:
        state |= _IS_DUE | _IS_LATE | _IS_EXPIRED
    end = not_after
    if ends_at <= not_after:
        end, state = ends_at, state | _LIMITED
        soon = max(_WARNING, lifetime)
        if ends_at - at <= soon:
            state |= _AUTHORITY_ENDS_SOON
        else:
            change = _earlier(change, ends_at - soon)
    if ends_at < at:
        state |= _AUTHORITY_ENDED
    elif ends_at < LAST_SECOND:
        change = _earlier(change, ends_at + 1)
    left = end - at
    if left * _CRITICAL_D <= lifetime * _CRITICAL_N:
        return state | _EFFECTIVE_DUE | _EFFECTIVE_CRITICAL, change, end
    change = _earlier(change, end - lifetime * _CRITICAL_N // _CRITICAL_D)
    if left * _DUE_D <= lifetime * _DUE_N:
        return state | _EFFECTIVE_DUE, change, end
    return state, _earlier(change, end - due), end


def _token(at: int, issued_at: int, expires_at: int, change: int) -> tuple[int, int]:
    left = expires_at - at
    if left <= 0:
        return _HAS_TOKEN | _TOKEN_ENDED, change
    if issued_at:
        lifetime = expires_at - issued_at
        due, critical = lifetime * _DUE_N // _DUE_D, lifetime * _CRITICAL_N // _CRITICAL_D
        late = -(-lifetime * _LATE_N // _LATE_D)
    else:
        due, late, critical = _ABSOLUTE_DUE, _ABSOLUTE_LATE, _ABSOLUTE_CRITICAL
    if left > due:
        state, begins = _HAS_TOKEN, due
    elif left >= late:
        state, begins = _HAS_TOKEN | _TOKEN_DUE, late - 1
    elif left > critical:
        state, begins = _HAS_TOKEN | _TOKEN_DUE | _TOKEN_LATE, critical
    else:
        state, begins = _HAS_TOKEN | _TOKEN_DUE | _TOKEN_LATE | _TOKEN_CRITICAL, 0
    return state, _earlier(change, expires_at - begins if begins > 0 else expires_at)


def _contact(at: int, interval: int, heard_at: int, change: int) -> tuple[int, int]:
    silent_from = heard_at + interval * STALE_INTERVALS + 1
    if not heard_at or at >= silent_from:
        return _SILENT, change
    return 0, _earlier(change, silent_from)


def _slot(at: int, renew_until: int, lifetime: int, change: int) -> tuple[int, int]:
    passed_from = renew_until + lifetime * _GRACE_N // _GRACE_D + 1
    if at >= passed_from:
        return _SLOT_PASSED, change
    return 0, _earlier(change, passed_from)
