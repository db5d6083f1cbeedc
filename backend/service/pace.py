"""How often work that looks at the whole fleet is done: each look rests for several times what it took.

The core's thread serves every call, so looking at ten thousand clients each second would leave it no time for them. In
memory only, and by the monotonic clock; a site of a few hundred clients notices nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T = TypeVar("T")
TICK_RESTS: Final = 10.0  # times the length of the last look
VIEW_RESTS: Final = 4.0  # whoever watches waits for the answer, and it says of which second it is


@dataclass(slots=True)
class Pace:
    """When the next look is due; `rests` is how many times its own length a look is followed by."""

    rests: float
    due: float = 0.0

    def is_due(self, monotonic: float) -> bool:
        """Tell whether to look now."""
        return monotonic >= self.due

    def took(self, began: float, ended: float) -> None:
        """Note how long a look took."""
        self.due = ended + self.rests * max(0.0, ended - began)


@dataclass(slots=True)
class Held(Generic[T]):
    """The last answer to a question about the whole fleet, given again while the pace rests and `key` is the same."""

    pace: Pace = field(default_factory=lambda: Pace(VIEW_RESTS))
    key: object = None
    answer: T | None = None

    def get(self, key: object, clock: Callable[[], float], ask: Callable[[], T]) -> T:
        """Return the answer held, or ask anew."""
        if self.answer is not None and self.key == key and not self.pace.is_due(clock()):
            return self.answer
        began = clock()
        self.answer, self.key = ask(), key
        self.pace.took(began, clock())
        return self.answer
