"""The ten seconds between a confirmation and the first call: what waits, for how long, and how it is taken back.

Pure. What is held has not left this program: the agent does not know of it, so taking it back needs nobody, and a
session that ends loses it. Once it has left there is no undo (tui.md 5.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tui.format import count
from tui.lines import Line

HOLD_SECONDS: Final = 10.0
QUEUED: Final = "queued (u = undo)"
QUEUED_SHORT: Final = "queued u=undo"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """One confirmed plan that has not left yet. `marks` are those that its confirmation cleared."""

    what: str
    names: tuple[str, ...]
    numbers: frozenset[int]
    marks: frozenset[int]
    leaves_at: float  # monotonic
    send: Callable[[], None]
    site: int = 0  # the place of the site that it is for

    @property
    def whom(self) -> str:
        """The client, or how many."""
        return self.names[0] if len(self.names) == 1 else count(len(self.names), "client")


class Holding:
    """What is held, oldest first."""

    def __init__(self) -> None:
        self._held: list[Held] = []

    def __len__(self) -> int:
        return len(self._held)

    @property
    def numbers(self) -> frozenset[int]:
        """The clients that something waits for."""
        return frozenset().union(*(held.numbers for held in self._held))

    def put(self, held: Held) -> None:
        """Hold one more."""
        self._held.append(held)

    def take_back(self) -> Held | None:
        """Give up the newest one; None when nothing is held."""
        return self._held.pop() if self._held else None

    def due(self, monotonic: float) -> list[Held]:
        """Let go of everything whose time has come."""
        found = [held for held in self._held if monotonic >= held.leaves_at]
        self._held = [held for held in self._held if monotonic < held.leaves_at]
        return found

    def drop(self, site: int | None = None) -> list[Held]:
        """Let go of everything, or of what is for one site, without sending it."""
        dropped = [held for held in self._held if site is None or held.site == site]
        self._held = [held for held in self._held if held not in dropped]
        return dropped

    def holds(self, name: str, site: int = 0) -> bool:
        """Tell whether something waits for a client of a site."""
        return any(name in held.names and held.site == site for held in self._held)

    def line(self, monotonic: float) -> Line:
        """Return what waits and for how long; empty when nothing does."""
        if not self._held:
            return ()
        newest = self._held[-1]
        more = f"   and {len(self._held) - 1} more" if len(self._held) > 1 else ""
        left = max(0, int(newest.leaves_at - monotonic))
        return (
            (f"{newest.what} {newest.whom}: queued, leaves in {left} s", "running"),
            (more, "dim"),
            ("   u", "key"),
            (" undo", "text"),
        )


def unsent(held: list[Held], why: str) -> str:
    """Return the sentence for what was held and never left."""
    whom = "; ".join(f"{one.what} {one.whom}" for one in held)
    return f"{whom}: not sent: {why}; nothing was started"
