"""The terms of a filter: what each of them asks of one client, as values that a reader of columns can take apart.

`backend.core.filter` makes them from text. A term that asks only for the judgement (`allows`) or only for a text
(`value`) can be answered for thousands of clients at once, which `tui.matching` does; `holds` answers for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from backend.core.facts import Assessment, ClientFacts, NextAction, Overlay, Severity, State
from backend.core.fleet import ClientRow

_ENDLESS: Final = 2**62


class Verdict(Protocol):
    """What judgement terms look at: an `Assessment`, or what several clients share of one."""

    @property
    def state(self) -> State: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def overlays(self) -> frozenset[Overlay]: ...
    @property
    def next_action(self) -> NextAction: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One row with its judgement, as a filter sees it; `site` is the name of its deployment."""

    row: ClientRow
    facts: ClientFacts
    assessment: Assessment
    marked: bool
    now: datetime
    site: str = ""


class Term(Protocol):
    """One condition."""

    def holds(self, subject: Subject) -> bool:
        """Tell whether it holds for a client."""
        ...


@dataclass(frozen=True, slots=True)
class Negated:
    """The opposite of a term."""

    term: Term

    def holds(self, subject: Subject) -> bool:
        """Tell whether the term does not hold."""
        return not self.term.holds(subject)


SERIAL_PART: Final = 6  # digits from which on a word may be a part of a serial number
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Word:
    """A text, case folded, anywhere in name, cluster, kind, host or owner; a part of a serial number in that too."""

    value: str

    @property
    def serial(self) -> SerialHas | None:
        """The same text as a part of a serial number: six hexadecimal digits or more, not all of them letters."""
        value = self.value
        is_part = len(value) >= SERIAL_PART and _HEX.issuperset(value) and not value.isalpha()
        return SerialHas(value) if is_part else None

    def holds(self, subject: Subject) -> bool:
        """Tell whether one of the texts has it."""
        row = subject.row
        texts = (row.name, row.cluster, row.kind.value, row.host, row.owner)
        serial = self.serial
        return any(self.value in text.casefold() for text in texts) or (serial is not None and serial.holds(subject))


@dataclass(frozen=True, slots=True)
class TextHas:
    """A text, case folded, in one column: name, cluster, kind, host or owner."""

    column: str
    value: str

    def holds(self, subject: Subject) -> bool:
        """Tell whether the column has it."""
        return self.value in TEXTS[self.column](subject.row).casefold()


TEXTS: Final[Mapping[str, Callable[[ClientRow], str]]] = {
    "name": lambda row: row.name,
    "cluster": lambda row: row.cluster,
    "kind": lambda row: row.kind.value,
    "host": lambda row: row.host,
    "owner": lambda row: row.owner,
}


@dataclass(frozen=True, slots=True)
class SiteHas:
    """A text, case folded, in the name of the client's site."""

    value: str

    def holds(self, subject: Subject) -> bool:
        """Tell whether the site's name has it."""
        return self.value in subject.site.casefold()


@dataclass(frozen=True, slots=True)
class Judged:
    """One of some states or overlays, one of some severities, or one of some next steps; empty: not asked for."""

    states: frozenset[State] = frozenset()
    overlays: frozenset[Overlay] = frozenset()
    severities: frozenset[Severity] = frozenset()
    actions: frozenset[NextAction] = frozenset()

    def allows(self, found: Verdict) -> bool:
        """Tell whether a verdict is one of those."""
        return (
            found.state in self.states
            or bool(self.overlays & found.overlays)
            or found.severity in self.severities
            or found.next_action in self.actions
        )

    def holds(self, subject: Subject) -> bool:
        """Tell whether the client's verdict is one of those."""
        return self.allows(subject.assessment)


@dataclass(frozen=True, slots=True)
class Renews:
    """Whether it renews by itself: yes, no, or not known (None)."""

    wanted: bool | None

    def holds(self, subject: Subject) -> bool:
        """Tell whether it does."""
        return subject.facts.auto_renew is self.wanted


@dataclass(frozen=True, slots=True)
class Rotates:
    """Whether the agent rotates its token by itself."""

    wanted: bool | None

    def holds(self, subject: Subject) -> bool:
        """Tell whether it does."""
        return subject.facts.auto_rotate is self.wanted


@dataclass(frozen=True, slots=True)
class SerialHas:
    """Hexadecimal digits in the low half of the current certificate's serial number."""

    digits: str

    def holds(self, subject: Subject) -> bool:
        """Tell whether the serial has them."""
        return self.has(subject.row.serial_low)

    def has(self, serial_low: int) -> bool:
        """Tell whether a serial has them."""
        return self.digits in f"{serial_low:016x}"


@dataclass(frozen=True, slots=True)
class Marked:
    """Whether the operator marked it."""

    def holds(self, subject: Subject) -> bool:
        """Tell whether it is marked."""
        return subject.marked


@dataclass(frozen=True, slots=True)
class Compared:
    """A time against a length: `left`, `token` (until the end) or `seen` (since); without such a time it fails."""

    time: str
    operator: str  # < <= > >=
    length: timedelta

    def holds(self, subject: Subject) -> bool:
        """Tell whether the time is on the right side of the length."""
        time = TIMES[self.time](subject)
        least, most = self.bounds
        return time is not None and least <= int(time.total_seconds()) <= most

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the most seconds that are on the right side of the length."""
        length, beyond = int(self.length.total_seconds()), 0 if "=" in self.operator else 1
        return (-_ENDLESS, length - beyond) if self.operator.startswith("<") else (length + beyond, _ENDLESS)


def _left(subject: Subject) -> timedelta | None:
    end = subject.assessment.effective_not_after
    return None if end is None else end - subject.now


def _token(subject: Subject) -> timedelta | None:
    end = subject.assessment.token_expires_at
    return None if end is None else end - subject.now


def _seen(subject: Subject) -> timedelta | None:
    seen = subject.row.last_seen_at
    return None if seen is None else subject.now - seen


TIMES: Final[Mapping[str, Callable[[Subject], timedelta | None]]] = {"left": _left, "token": _token, "seen": _seen}
