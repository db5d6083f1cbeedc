"""From a pasted message to what it is about: the rows of `backend.core.ailments` that fit, best first (US-29).

Pure, and works offline. Nothing of the pasted text is given back: an operator pastes whole screens, and they may hold a
token. How a text was wrapped, quoted or cased does not matter; only its letters and digits count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from backend.core.ailments import AILMENTS, Ailment

MAX_TEXT: Final = 1_000_000  # characters; a log longer than that is cut at its beginning, the end is what happened last
_NEAR: Final = 400  # letters between the pieces of one message
_SHORTEST: Final = 6  # letters below which a part of a message says nothing
_HINT: Final = 12  # letters that a word around the message counts for


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One row that fits, and how well. `found` is the wording of the table that was seen, never the pasted text.

    `is_whole` is False when the text is only a part of that wording.
    """

    ailment: Ailment
    found: tuple[str, ...]
    hints: tuple[str, ...]
    is_whole: bool

    @property
    def weight(self) -> int:
        """How much of the text speaks for it, in letters."""
        return sum(len(_letters(piece)) for piece in self.found) + _HINT * len(self.hints)


def diagnose(text: str) -> tuple[Diagnosis, ...]:
    """Return what the text may be about, the best first; () when nothing fits.

    Whole messages go before parts of one, longer ones before shorter ones, and words around them count.
    """
    letters = _letters(text[-MAX_TEXT:])
    found = [one for ailment in AILMENTS if (one := _fit(ailment, letters)) is not None]
    return tuple(sorted(found, key=lambda one: (not one.is_whole, -one.weight)))  # stable: the table's order decides


def _fit(ailment: Ailment, letters: str) -> Diagnosis | None:
    hints = tuple(hint for hint in ailment.hints if _letters(hint) in letters)
    whole = [pieces for pieces in ailment.said if _stands_in(pieces, letters)]
    parts = [pieces for pieces in ailment.said if _is_part(letters, pieces)]
    if not whole and not parts:
        return None
    best = max(whole, key=_length) if whole else min(parts, key=_length)
    return Diagnosis(ailment=ailment, found=best, hints=hints if whole else (), is_whole=bool(whole))


def _stands_in(pieces: tuple[str, ...], letters: str) -> bool:
    """All pieces, in any order, near each other."""
    if len(pieces) == 1:
        return _letters(pieces[0]) in letters
    return any(pattern.search(letters) for pattern in _patterns(pieces))


@lru_cache(maxsize=64)
def _patterns(pieces: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    first, second = (re.escape(_letters(piece)) for piece in pieces)
    between = f".{{0,{_NEAR}}}?"
    return re.compile(f"{first}{between}{second}"), re.compile(f"{second}{between}{first}")


def _is_part(letters: str, pieces: tuple[str, ...]) -> bool:
    return len(letters) >= _SHORTEST and any(letters in _letters(piece) for piece in pieces)


def _length(pieces: Iterable[str]) -> int:
    return sum(len(_letters(piece)) for piece in pieces)


def _letters(text: str) -> str:
    """Only what a terminal, a JSON log or a mail cannot have changed: letters, digits and colons, in lower case."""
    return "".join(character for character in text.casefold() if character.isalnum() or character == ":")
