"""Which signs the screen draws with: thin and round ones on UTF-8 terminals, plain ASCII elsewhere.

Owns the severity glyphs of the STATE column and the parts of bars and rules. A glyph is never the only carrier of a
meaning: a word stands beside each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from backend.core.facts import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One set of signs; each is exactly one cell wide."""

    is_ascii: bool
    expired: str
    critical: str
    unknown: str
    warning: str
    info: str
    ok: str
    running: str
    filled: str
    empty: str
    rule: str
    cursor: str = ">"
    mark: str = "*"
    done: str = "x"
    frame: tuple[str, str] = ("+", "-")  # corner and rule of a box; blanks for none

    def severity(self, severity: Severity) -> str:
        """Return the sign of a severity."""
        return (self.expired, self.critical, self.unknown, self.warning, self.info, self.ok)[severity]


ASCII: Final = Glyphs(
    is_ascii=True,
    expired="X",
    critical="!",
    unknown="?",
    warning="^",
    info="i",
    ok="o",
    running="~",
    filled="#",
    empty=".",
    rule="-",
)
UNICODE: Final = Glyphs(
    is_ascii=False,
    expired="✖",
    critical="▲",
    unknown="?",
    warning="△",
    info="·",
    ok="●",
    running="…",
    filled="█",
    empty="░",
    rule="─",
    frame=("┌", "─"),
)
ACCESSIBLE: Final = replace(ASCII, rule=" ", frame=(" ", " "))


def is_utf8(environment: Mapping[str, str]) -> bool:
    """Tell whether the locale says UTF-8; the first of LC_ALL, LC_CTYPE and LANG that is set decides (POSIX)."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environment.get(name, "")
        if value:
            return "utf8" in value.lower().replace("-", "")
    return False


def choose(*, ascii_only: bool, accessible: bool = False) -> Glyphs:
    """Return the set for a terminal; `accessible`: nothing is drawn that would be read out for its looks."""
    if accessible:
        return ACCESSIBLE
    return ASCII if ascii_only else UNICODE
