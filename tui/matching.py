"""The filter over columns: which of many thousand clients match, a slice at a time.

Pure. An answer is one byte a row, 1 where it matches; terms are joined byte by byte. A term gives the same answer here
as its own `holds` gives for one client (`tests/tui/test_matching.py` holds the two together), without making a client.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from backend.core.delta import ClientFlag, unix
from backend.core.filter import Filter
from backend.core.filterterms import (
    Compared,
    Judged,
    Marked,
    Negated,
    Renews,
    Rotates,
    SerialHas,
    SiteHas,
    Term,
    TextHas,
    Word,
)
from backend.core.packed import BLOCK
from tui.roll import ENDED, HOUR, Roll

STEP: Final = 256 * BLOCK  # rows matched without a pause
LATE: Final = -1  # the ribbon's place for what has ended
WEEK_HOURS: Final = 7 * 24
_NOT: Final = bytes.maketrans(b"\x00\x01", b"\x01\x00")
_AUTO: Final = int(ClientFlag.AUTO_RENEW)
_BROKEN: Final = int(ClientFlag.LOOP_BROKEN)
_AUTO_UNKNOWN: Final = int(ClientFlag.AUTO_RENEW_UNKNOWN)
_AUTO_ROTATE: Final = int(ClientFlag.AUTO_ROTATE)
_NO_TOKEN: Final = int(ClientFlag.TOKEN_EMPTY | ClientFlag.TOKEN_UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of one site's rows: the filter's terms, a week of the ribbon, at the site's present second."""

    terms: tuple[Term, ...]
    week: int | None
    now: datetime
    site: str
    marked: frozenset[int] = frozenset()  # rows
    memory: dict[tuple[str, str], Sequence[int]] = field(default_factory=dict, compare=False)  # of earlier slices


def narrows(old: Filter | None, new: Filter | None) -> tuple[Term, ...] | None:
    """Return the terms that are left to ask of what `old` found, None when `new` may find more than `old`."""
    if old is None:
        return None if new is None else new.terms
    if new is None:
        return None
    if any(isinstance(term, Compared | Marked | Negated) for term in old.terms):
        return None  # what they found is true for a moment only, or widens as it is typed on
    if all(any(_implies(term, before) for term in new.terms) for before in old.terms):
        return tuple(term for term in new.terms if term not in old.terms)
    return None


def _implies(new: Term, old: Term) -> bool:
    if isinstance(new, Word) and isinstance(old, Word):
        is_wider = new.serial is not None and old.serial is None  # it looks where the old one did not
        return old.value in new.value and not is_wider
    if isinstance(new, TextHas) and isinstance(old, TextHas):
        return new.column == old.column and old.value in new.value
    return new == old


def match(roll: Roll, asked: Question, begin: int, among: bytes | None = None) -> bytes:
    """Answer for the rows from `begin` (a multiple of `STEP`) on, at most `STEP`; `among` limits them to its own."""
    rows = range(begin, min(begin + STEP, len(roll)))
    found = b"\x01" * len(rows) if among is None else among[: len(rows)]
    if asked.week is not None:
        found = _both(found, _weeks(roll, asked, rows))
    for term in asked.terms:
        if 1 not in found:
            break
        found = _both(found, _answer(roll, asked, term, rows, found))
    return found


def _both(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) & int.from_bytes(right)).to_bytes(len(left))


def _either(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) | int.from_bytes(right)).to_bytes(len(left))


def _weeks(roll: Roll, asked: Question, rows: range) -> bytes:
    hours = roll.hours[rows.start : rows.stop]
    if asked.week == LATE:
        return bytes([hour == ENDED for hour in hours])
    first = unix(asked.now) // HOUR + WEEK_HOURS * (asked.week or 0)
    return bytes([first <= hour < first + WEEK_HOURS for hour in hours])


def week_of(end: datetime | None, now: datetime) -> int | None:
    """Return the week of the ribbon in which `end` lies: `LATE` once it has passed, 0 for the next seven days.

    Weeks are counted in whole hours of the clock, so that the ribbon's counts can follow the verdicts.
    """
    if end is None:
        return None
    if end < now:
        return LATE
    return (unix(end) // HOUR - unix(now) // HOUR) // WEEK_HOURS


def _answer(roll: Roll, asked: Question, term: Term, rows: range, among: bytes) -> bytes:
    match term:
        case Negated(term=inner):
            return _answer(roll, asked, inner, rows, b"\x01" * len(rows)).translate(_NOT)
        case Word(value=value):
            found = _names(roll, value, rows, among)
            for column in ("kind", "cluster", "host", "owner"):
                found = _either(found, _text(roll, asked, column, value, rows))
            serial = term.serial
            return found if serial is None else _either(found, bytes(_one_by_one(roll, asked, serial, rows)))
        case TextHas(column="name", value=value):
            return _names(roll, value, rows, among)
        case TextHas(column=column, value=value):
            return _text(roll, asked, column, value, rows)
        case Judged():
            allowed = bytes([term.allows(ruling) for ruling in roll.book.every])
            return _looked_up(roll.rulings[rows.start : rows.stop], allowed)
        case SiteHas(value=value):
            return bytes([value in asked.site.casefold()]) * len(rows)
        case Marked():
            return bytes(_marks(roll, asked)[rows.start : rows.stop])
        case _:
            return bytes(_one_by_one(roll, asked, term, rows))


def _one_by_one(roll: Roll, asked: Question, term: Term, rows: range) -> Iterable[bool]:
    def part(name: str) -> Sequence[int]:
        return roll.columns.column(name)[rows.start : rows.stop]

    match term:
        case Compared(time=time, bounds=(least, most)):
            at = unix(asked.now)
            if time == "seen":
                return [seen > 0 and least <= at - seen <= most for seen in part("last_seen_at")]
            least, most = max(1, at + least), at + most  # of ends; an end of 0 is none
            if time == "left":
                return [least <= end <= most for end in roll.ends[rows.start : rows.stop]]
            pairs = zip(part("token_expires_at"), part("flags"), strict=True)
            return [least <= end <= most and not bits & _NO_TOKEN for end, bits in pairs]
        case Renews(wanted=wanted):
            return _by_flags(part("flags"), lambda bits: _renews(bits) is wanted)
        case Rotates(wanted=wanted):
            return _by_flags(part("flags"), lambda bits: bool(bits & _AUTO_ROTATE) is wanted)
        case SerialHas():
            return [term.has(serial) for serial in part("serial_low")]
        case _:
            raise TypeError(f"no way to ask {term} of columns")


def _renews(bits: int) -> bool | None:
    return None if bits & _AUTO_UNKNOWN else bits & (_AUTO | _BROKEN) == _AUTO


def _by_flags(flags: Sequence[int], holds: Callable[[int], bool]) -> list[bool]:
    allowed = {bits for bits in set(flags) if holds(bits)}
    return [bits in allowed for bits in flags]


def _marks(roll: Roll, asked: Question) -> Sequence[int]:
    found = asked.memory.get(("", "marked"))
    if found is None:
        found = bytearray(len(roll))
        for row in asked.marked:
            found[row] = 1
        asked.memory["", "marked"] = found
    return found


def _looked_up(ids: array[int], allowed: Sequence[int]) -> bytes:
    if not any(allowed):
        return bytes(len(ids))
    if ids.itemsize == 1 and len(allowed) <= 256:
        return ids.tobytes().translate(bytes(allowed).ljust(256, b"\x00"))
    return bytes(map(allowed.__getitem__, ids))


def _text(roll: Roll, asked: Question, column: str, value: str, rows: range) -> bytes:
    is_kind = column == "kind"
    key = ("kind" if is_kind else "text", value)
    allowed = asked.memory.get(key)
    if allowed is None:
        texts = roll.columns.kind_words if is_kind else roll.columns.texts
        allowed = asked.memory[key] = bytes([value in text.casefold() for text in texts])
    return _looked_up(roll.columns.column(column)[rows.start : rows.stop], allowed)


def _names(roll: Roll, value: str, rows: range, among: bytes) -> bytes:
    """Most blocks of names do not have the text at all, and then none of their names has."""
    found: list[bytes] = []
    blocks = roll.columns.names.blocks(rows.start // BLOCK, -(-rows.stop // BLOCK))
    for place, block in enumerate(blocks):
        begin = place * BLOCK
        size = min(BLOCK, len(rows) - begin)
        folded = block.casefold()
        if value in folded and among.find(1, begin, begin + size) >= 0:
            found.append(bytes([value in name for name in folded.split("\n")]))
        else:
            found.append(bytes(size))
    return b"".join(found)
