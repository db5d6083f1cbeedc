"""The fleet as `mocdeck status` reports it: read once, judged once a client, narrowed, worst first.

Owns which clients are shown and how bad the whole is. Judging is `backend.core.health`'s, and words on the screen are
`backend.cli.fleetforms`'. Time is the agent's, never this computer's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from backend.cli.exits import Exit
from backend.core.errors import InvalidInput
from backend.core.facts import Assessment, ClientFacts, Severity, State
from backend.core.fleet import AuthorityInfo, FleetColumns
from backend.core.health import AuthorityAssessment, assess, assess_authority
from backend.core.limits import CLIENT_LIFETIME
from backend.core.model import AuthorityStatus

_EXITS: Final[Mapping[Severity, Exit]] = {
    Severity.EXPIRED: Exit.CRITICAL,
    Severity.CRITICAL: Exit.CRITICAL,
    Severity.UNKNOWN: Exit.UNKNOWN,
    Severity.WARNING: Exit.WARNING,
    Severity.INFO: Exit.OK,
    Severity.OK: Exit.OK,
}
_ORDER: Final = (Exit.CRITICAL, Exit.UNKNOWN, Exit.WARNING, Exit.OK)  # domain.md 17: 2 before 3 before 1 before 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One client: where it stands in the columns, its facts and its judgement."""

    index: int
    facts: ClientFacts
    found: Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to show; the parts are joined by AND, the values of one part by OR. Client names may hold `*` and `?`."""

    filter: str = ""
    clusters: frozenset[str] = frozenset()
    clients: tuple[str, ...] = ()
    states: frozenset[State] = frozenset()
    severities: frozenset[Severity] = frozenset()

    @property
    def words(self) -> str:
        """The selection in the filter's own notation, for the head of a report; "" when it takes everything."""
        parts = [self.filter] if self.filter else []
        parts += [f"cluster:{name}" for name in sorted(self.clusters)]
        parts += [f"client:{name}" for name in self.clients]
        parts += [f"state:{state.value.lower().replace(' ', '-')}" for state in State if state in self.states]
        parts += [f"severity:{severity.name.lower()}" for severity in Severity if severity in self.severities]
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A judged fleet at one instant: `lines` are the selected ones, worst first; `everyone` is all, unsorted."""

    fleet: FleetColumns
    now: datetime
    address: str
    selection: Selection
    lines: tuple[Line, ...]
    everyone: tuple[Line, ...] = field(repr=False)
    total: int
    authorities: tuple[tuple[AuthorityInfo, AuthorityAssessment | None], ...] = field(repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many of the lines have each severity, worst first, zeros too."""
        counted = Counter(line.found.severity for line in self.lines)
        return {severity.name.lower(): counted[severity] for severity in Severity}

    def exit_code(self, fail_within: timedelta | None) -> Exit:
        """How bad it is. The issuing CA counts when nothing narrows the report.

        With `fail_within`, an end of a certificate, a token or the CA that is at most that far away is critical.
        """
        codes = {_EXITS[line.found.severity] for line in self.lines}
        ends = [end for line in self.lines for end in (line.found.effective_not_after, line.found.token_expires_at)]
        if not self.selection.words:
            judged = [(info, found) for info, found in self.authorities if found is not None]
            codes |= {_EXITS[found.severity] for _, found in judged}
            ends += [info.validity.not_after for info, _ in judged]
        if fail_within is not None and any(end is not None and end - self.now <= fail_within for end in ends):
            return Exit.CRITICAL
        return next((code for code in _ORDER if code in codes), Exit.OK)


def make_report(fleet: FleetColumns, *, address: str, selection: Selection) -> Report:
    """Judge the whole fleet at the agent's own time and keep what is selected.

    Raises:
        InvalidInput: the agent did not say what time it has, or the filter cannot be understood.
    """
    now = fleet.agent_time
    if now is None:
        raise InvalidInput(f"the agent at {address} did not say what time it has; is it a mocdeck agent?")
    wanted = _predicate(fleet, selection, now)
    everyone: list[Line] = []
    for index in range(len(fleet)):
        facts = fleet.facts(index, now=now, agent_alive=True, agent_now=now)
        everyone.append(Line(index=index, facts=facts, found=assess(facts, now)))
    lines = [line for line in everyone if wanted is None or wanted(line)]
    lines.sort(key=lambda line: line.found.sort_key)
    return Report(
        fleet=fleet,
        now=now,
        address=address,
        selection=selection,
        lines=tuple(lines),
        everyone=tuple(everyone),
        total=len(fleet),
        authorities=tuple((info, _judged(info, now)) for info in fleet.authorities),
    )


def _judged(info: AuthorityInfo, now: datetime) -> AuthorityAssessment | None:
    """Only the issuing generation is judged: the end of an old one shows on the clients that still hang on it."""
    if info.status is not AuthorityStatus.ISSUING:
        return None
    return assess_authority(info.validity, now, longest_leaf=CLIENT_LIFETIME)


def _predicate(fleet: FleetColumns, selection: Selection, now: datetime) -> Callable[[Line], bool] | None:
    tests: list[Callable[[Line], bool]] = []
    if selection.clusters:
        tests.append(lambda line: fleet.text("cluster", line.index) in selection.clusters)
    if selection.clients:
        tests.append(lambda line: any(fnmatchcase(line.facts.name, pattern) for pattern in selection.clients))
    if selection.states:
        tests.append(lambda line: line.found.state in selection.states)
    if selection.severities:
        tests.append(lambda line: line.found.severity in selection.severities)
    if selection.filter:
        tests.append(_filter_test(fleet, selection.filter, now))
    if not tests:
        return None
    return lambda line: all(test(line) for test in tests)


def _filter_test(fleet: FleetColumns, text: str, now: datetime) -> Callable[[Line], bool]:
    from backend.core.filter import parse

    parsed = parse(text)
    return lambda line: parsed.matches(fleet.row(line.index), line.facts, line.found, False, now, site=fleet.deployment)


def names_of(lines: Iterable[Line]) -> list[str]:
    """The clients' names, in the lines' order."""
    return [line.facts.name for line in lines]
