"""The filter language of the list, the command line and the exports: one text, one meaning.

    kms bonn              words, all of them, anywhere in name, cluster, kind, host or owner; 6 digits or more of a
                          serial number in that too
    cluster:bonn  !kind:csi   a column holds the text, or does not
    site:bonn             the client belongs to a site of that name, or part of a name
    state:latent  sev:x!  next:renew   what the judgement says; severities by word or by sign (x ! ? ^ i o)
    left<7d  token<=30d  seen>10m      time until the certificate's effective end, the token's end, since the last call
    auto:no  rotate:yes   whether it renews, and whether the agent rotates its token, by itself
    marked  !marked       marked rows
    "two words"           quotes keep spaces, colons and < > as text

Terms are joined by AND; case does not matter. An unknown column is an error with its place, never an empty list. Owns
parsing and matching; it judges nothing itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from backend.core.errors import InvalidInput
from backend.core.facts import Assessment, ClientFacts, NextAction, Overlay, Severity, State
from backend.core.filterterms import (
    TIMES,
    Compared,
    Judged,
    Marked,
    Negated,
    Renews,
    Rotates,
    SerialHas,
    SiteHas,
    Subject,
    Term,
    TextHas,
    Word,
)
from backend.core.fleet import ClientRow

MAX_LENGTH: Final = 500

SIGNS: Final[Mapping[str, Severity]] = {
    "x": Severity.EXPIRED,
    "!": Severity.CRITICAL,
    "?": Severity.UNKNOWN,
    "^": Severity.WARNING,
    "i": Severity.INFO,
    "o": Severity.OK,
}
_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_TERM: Final = re.compile(r"(!?)([a-z]+)(<=|>=|<|>|:)(.*)", re.DOTALL | re.IGNORECASE)
_DURATION: Final = re.compile(r"(?:\d{1,6}[wdhms])+", re.IGNORECASE | re.ASCII)


class FilterError(InvalidInput):
    """The filter text cannot be understood. `position` is the offset of the term at fault, from 0."""

    reason: ClassVar[str] = "bad_filter"

    def __init__(self, message: str, position: int, known: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.position = position
        self.known = known


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter; an empty one matches everything."""

    text: str
    terms: tuple[Term, ...]

    def matches(
        self,
        row: ClientRow,
        facts: ClientFacts,
        assessment: Assessment,
        marked: bool,
        now: datetime,
        site: str = "",
    ) -> bool:
        """Tell whether every term holds for this row of the site with that name."""
        subject = Subject(row=row, facts=facts, assessment=assessment, marked=marked, now=now, site=site)
        return all(term.holds(subject) for term in self.terms)


def parse(text: str) -> Filter:
    """Parse a filter text.

    Raises:
        FilterError: an unknown column, an impossible value, an open quote, or a text that is too long.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"the filter is longer than {MAX_LENGTH} characters; shorten it", MAX_LENGTH)
    return Filter(text=text.strip(), terms=tuple(_term(term, position) for term, position in _terms(text)))


def _terms(text: str) -> list[tuple[str, int]]:
    """Split at white space outside of quotes; a term that begins with a quote keeps it as a mark."""
    terms: list[tuple[str, int]] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        start = position
        is_quoted = False
        while position < len(text) and (is_quoted or not text[position].isspace()):
            is_quoted ^= text[position] == '"'
            position += 1
        if is_quoted:
            raise FilterError(f"a quote is not closed, in {text[start:]!r}", start)
        terms.append((text[start:position], start))
    return terms


def _term(term: str, position: int) -> Term:
    if term.casefold() in {"marked", "!marked"}:
        return Negated(Marked()) if term.startswith("!") else Marked()
    found = _TERM.fullmatch(term)
    if found is None:
        return _word(term)
    negation, name, operator, value = found.groups()
    name, value = name.casefold(), value.replace('"', "").casefold()
    if operator == ":" and name in _COLUMNS:
        if not value:
            raise FilterError(f"{name}: wants a value, as in {_COLUMNS[name].example}", position)
        test: Term = _COLUMNS[name].make(value, position)
    elif operator != ":" and name in TIMES:
        test = Compared(name, operator, _length(name, operator, value, position))
    else:
        raise _unknown(name, position)
    return Negated(test) if negation else test


def _unknown(name: str, position: int) -> FilterError:
    known = tuple(sorted([*_COLUMNS, *TIMES]))
    if name in TIMES:
        return FilterError(f"{name} is a time: write {name}<7d", position, known)
    if name in _COLUMNS:
        return FilterError(f"{name} is compared with a colon: {_COLUMNS[name].example}", position, known)
    return FilterError(
        f"there is no column {name!r}; known are {', '.join(known)}, marked; in quotes it is text",
        position,
        known,
    )


def _word(term: str) -> Term:
    is_negative = term.startswith("!") and len(term) > 1
    word = Word(term.removeprefix("!" if is_negative else "").replace('"', "").casefold())
    return Negated(word) if is_negative else word


@dataclass(frozen=True, slots=True)
class _Column:
    example: str
    make: Callable[[str, int], Term]


def _text(column: str) -> Callable[[str, int], Term]:
    return lambda value, _: TextHas(column, value)


def _plain(value: str) -> str:
    return value.replace("-", " ").replace("_", " ")


def _state(value: str, position: int) -> Term:
    """States and overlays by the beginning of their name, so that "due" finds DUE and DUE?, and not OVERDUE."""
    wanted = _plain(value)
    states = frozenset(state for state in State if state.value.casefold().startswith(wanted))
    overlays = frozenset(overlay for overlay in Overlay if overlay.value.casefold().startswith(wanted))
    if not states and not overlays:
        names = tuple(one.value.casefold().replace(" ", "-") for one in (*State, *Overlay))
        raise FilterError(f"there is no state {value!r}; known are {', '.join(names)}", position, names)
    return Judged(states=states, overlays=overlays)


def _severity(value: str, position: int) -> Term:
    wanted = {
        severity
        for word in value.split(",")
        for severity in Severity
        if word and severity.name.casefold().startswith(word)
    }
    is_signs = len(value) == 1 or not wanted  # a single letter is a sign: "o" is OK and "i" is INFO
    if is_signs:
        if not set(value) <= set(SIGNS):
            names = tuple(severity.name.casefold() for severity in Severity)
            raise FilterError(f"there is no severity {value!r}; known are {', '.join(names)}", position, names)
        wanted = {SIGNS[sign] for sign in value}
    return Judged(severities=frozenset(wanted))


def _next(value: str, position: int) -> Term:
    exact = {action for action in NextAction if _plain(value) == _plain(action.value)}
    wanted = exact or {action for action in NextAction if _plain(value) in _plain(action.value)}
    if not wanted:
        names = tuple(action.value for action in NextAction if action is not NextAction.NONE)
        raise FilterError(f"there is no next step {value!r}; known are {', '.join(names)}", position, names)
    return Judged(actions=frozenset(wanted))


def _answer(ask: Callable[[bool | None], Term]) -> Callable[[str, int], Term]:
    answers = {"yes": True, "no": False, "unknown": None}

    def make(value: str, position: int) -> Term:
        if value not in answers:
            raise FilterError(f"{value!r} is no answer; write yes, no or unknown", position, tuple(answers))
        return ask(answers[value])

    return make


def _serial(value: str, _: int) -> Term:
    return SerialHas(value.replace(":", "").replace(" ", ""))


_COLUMNS: Final[Mapping[str, _Column]] = {
    "name": _Column("name:kms-007", _text("name")),
    "cluster": _Column("cluster:bonn", _text("cluster")),
    "kind": _Column("kind:kms", _text("kind")),
    "host": _Column("host:node-3", _text("host")),
    "owner": _Column("owner:ops", _text("owner")),
    "site": _Column("site:bonn", lambda value, _: SiteHas(value)),
    "serial": _Column("serial:5f2a", _serial),
    "state": _Column("state:latent", _state),
    "sev": _Column("sev:x!", _severity),
    "next": _Column("next:renew", _next),
    "auto": _Column("auto:no", _answer(Renews)),
    "rotate": _Column("rotate:yes", _answer(Rotates)),
}


def _length(name: str, operator: str, value: str, position: int) -> timedelta:
    digits = value.removeprefix("-")
    if digits != "0" and not _DURATION.fullmatch(digits):
        raise FilterError(f"{value!r} is no length of time; write {name}{operator}7d, 12h, 1d12h or 0", position)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([wdhms])", digits))
    return timedelta(seconds=-seconds if value.startswith("-") else seconds)
