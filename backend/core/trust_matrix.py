"""What a handshake must come to, cell by cell: the truth table of pki.md 5.5, and the live port's for a given phase.

Pure. A cell that passes where it must fail is as bad as the opposite: verification would be off somewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Outcome(Enum):
    """How a handshake ended; the values are the rows'."""

    OK = "ok"
    UNTRUSTED = "agent not trusted"  # the client does not accept the agent's certificate
    REFUSED = "client refused"  # the agent does not accept the client's
    UNKNOWN = "not reached"  # nothing was learned: no connection, or no answer in time


OLD: Final = "old"
NEW: Final = "new"
BOTH: Final = "both"
GENERATIONS: Final = (OLD, NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A leaf of the old or the new CA, with the other CA's cross certificate behind it or alone."""

    leaf: str
    with_cross: bool

    @property
    def label(self) -> str:
        """The cell's words for it."""
        return f"{self.leaf} leaf{' with cross' if self.with_cross else ''}"


def presentations() -> Iterator[Presented]:
    """Yield the four rows of the table."""
    for leaf in GENERATIONS:
        for with_cross in (False, True):
            yield Presented(leaf=leaf, with_cross=with_cross)


def is_accepted(presented: Presented, trust: str) -> bool:
    """Tell whether whoever trusts `trust` (old, both or new) accepts what is presented (pki.md 5.5)."""
    return trust in {BOTH, presented.leaf} or presented.with_cross


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePort:
    """What the data port serves and accepts: the serving leaf's CA, the cross certificate behind it, the bundle."""

    serving: str  # old or new
    with_cross: bool
    bundle: Collection[str]

    def expected(self, leaf: str, trust: str) -> Outcome:
        """Return what a client with a leaf of `leaf` that trusts only `trust` must meet here."""
        if not is_accepted(Presented(leaf=self.serving, with_cross=self.with_cross), trust):
            return Outcome.UNTRUSTED
        return Outcome.OK if leaf in self.bundle else Outcome.REFUSED
