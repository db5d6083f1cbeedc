"""Where the operator has been: views with their filter, backwards and forwards, as in a browser.

Pure; going there is the app's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LIMIT: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A view (by the command that leads to it), what the list showed, and the client under the cursor."""

    view: str
    filter: str = ""
    week: int | None = None
    cursor: int | None = None

    def is_same(self, other: Place) -> bool:
        """Tell whether only the cursor differs."""
        return (self.view, self.filter, self.week) == (other.view, other.filter, other.week)


class History:
    """The places before and after the present one."""

    def __init__(self) -> None:
        self._before: list[Place] = []
        self._after: list[Place] = []

    def leave(self, place: Place) -> None:
        """Remember a place that is left for a new one; what was ahead is forgotten."""
        if not self._before or not self._before[-1].is_same(place):
            self._before = [*self._before[-LIMIT + 1 :], place]
        self._after.clear()

    def back(self, here: Place) -> Place | None:
        """Return the place before, or None; `here` is then ahead."""
        while self._before and self._before[-1].is_same(here):
            self._before.pop()
        if not self._before:
            return None
        self._after.append(here)
        return self._before.pop()

    def on(self, here: Place) -> Place | None:
        """Return the place after, or None."""
        if not self._after:
            return None
        self._before.append(here)
        return self._after.pop()
