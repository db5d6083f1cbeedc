"""When a credential may be used, and when it should be renewed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """When a certificate may be used; both ends are inclusive (RFC 5280, section 4.1.2.5).

    Instants are aware, in UTC and of whole seconds.

    Raises:
        ValueError: an end is naive or has a fraction of a second, or the period is empty.
    """

    not_before: datetime
    not_after: datetime

    def __post_init__(self) -> None:
        for end in (self.not_before, self.not_after):
            if end.tzinfo is not UTC and end.utcoffset() != timedelta(0):
                raise ValueError(f"{end} is not in UTC")
            if end.microsecond:
                raise ValueError(f"{end} is not a whole second")
        if self.not_after <= self.not_before:
            raise ValueError(f"validity ends ({self.not_after}) before it begins ({self.not_before})")

    @property
    def lifetime(self) -> timedelta:
        """NotAfter less notBefore."""
        return self.not_after - self.not_before

    def is_expired(self, now: datetime) -> bool:
        """Tell whether `now` is past the last second of validity."""
        return now > self.not_after

    def is_pending(self, now: datetime) -> bool:
        """Tell whether validity has not begun."""
        return now < self.not_before

    def left(self, now: datetime) -> timedelta:
        """Time until notAfter; negative once expired."""
        return self.not_after - now


def share(lifetime: timedelta, fraction: Fraction) -> timedelta:
    """Return `fraction` of `lifetime` without the error of binary floating point (down to a microsecond)."""
    return lifetime * fraction.numerator / fraction.denominator
