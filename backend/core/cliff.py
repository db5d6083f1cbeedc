"""The CA's cliff: from when on new certificates are cut short, and which ones it limits already (pki.md 4.15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.core.facts import Limit
from backend.core.fleet import AuthorityInfo
from backend.core.limits import BACKDATE, CLIENT_LIFETIME
from backend.core.model import AuthorityStatus
from backend.core.subjects import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Cliff:
    """One issuing CA. `shortened_from` is the first second at which a leaf of `longest_leaf` no longer fits into it.

    `limited` are the clients whose certificate ends with the CA or after it, so that renewing gains them nothing.
    """

    generation: int
    not_after: datetime
    longest_leaf: timedelta
    shortened_from: datetime
    limited: tuple[str, ...]

    def is_over(self, now: datetime) -> bool:
        """Tell whether new certificates are cut short at `now`."""
        return now >= self.shortened_from


def cliff(authority: AuthorityInfo, subjects: Sequence[Subject]) -> Cliff:
    """Return the cliff of a CA that issues; the longest leaf is the longest that the fleet holds, 90 d without one.

    Raises:
        ValueError: it is not the CA that issues; the end of another one is its clients' matter.
    """
    if authority.status is not AuthorityStatus.ISSUING:
        raise ValueError(f"CA generation {authority.generation} is {authority.status.value}, not issuing")
    lives = [s.facts.certificate.validity.lifetime for s in subjects if s.facts.certificate is not None]
    longest = max(lives, default=CLIENT_LIFETIME)
    return Cliff(
        generation=authority.generation,
        not_after=authority.validity.not_after,
        longest_leaf=longest,
        # A leaf begins five minutes before its issuance, so it also ends five minutes earlier; the first that is cut.
        shortened_from=authority.validity.not_after - longest + BACKDATE + timedelta(seconds=1),
        limited=tuple(sorted(s.name for s in subjects if s.found.limited_by is Limit.AUTHORITY)),
    )
