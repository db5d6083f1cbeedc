"""How a style is told to a terminal, and the shortest way from one style to the next.

Pure. Owns the select-graphic-rendition sequences (ECMA-48, 8.3.117) that the screen-diff layer writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RENDERED: Final = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True, slots=True)
class Sgr:
    """The attributes and the two colours that are in force; empty colours are the terminal's own."""

    attributes: tuple[str, ...] = ()
    foreground: str = ""
    background: str = ""

    @property
    def parameters(self) -> list[str]:
        """Everything that has to be said after a reset."""
        return [part for part in (*self.attributes, self.foreground, self.background) if part]


PLAIN: Final = Sgr()


def parse(rendered: str) -> Sgr:
    """Read the style that a text begins with; what is not a style, such as a link, is left out."""
    found = _RENDERED.search(rendered)
    numbers = found[1].split(";") if found is not None and found[1] else []
    attributes: list[str] = []
    colours = {"3": "", "4": ""}
    while numbers:
        number = numbers.pop(0)
        if number in {"38", "48"}:
            size = 4 if numbers and numbers[0] == "2" else 2  # 2;r;g;b or 5;n
            colours[number[0]] = ";".join([number, *numbers[:size]])
            del numbers[:size]
        elif len(number) >= 2 and number[:-1] in {"3", "9", "4", "10"}:
            colours["3" if number[:-1] in {"3", "9"} else "4"] = number
        elif number != "0":
            attributes.append(number)
    return Sgr(tuple(attributes), colours["3"], colours["4"])


def step(old: Sgr, new: Sgr) -> str:
    """Return the shortest sequence that makes `new` of `old`; empty when they are the same."""
    if old == new:
        return ""
    if new == PLAIN:
        return "\x1b[m"
    again = f"\x1b[0;{';'.join(new.parameters)}m" if old != PLAIN else f"\x1b[{';'.join(new.parameters)}m"
    if set(old.attributes) - set(new.attributes):
        return again  # turning one off is less certain on old terminals than beginning anew
    parts = [attribute for attribute in new.attributes if attribute not in old.attributes]
    if old.foreground != new.foreground:
        parts.append(new.foreground or "39")
    if old.background != new.background:
        parts.append(new.background or "49")
    change = f"\x1b[{';'.join(parts)}m"
    return min(change, again, key=len)
