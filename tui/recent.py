"""What has just changed in the rows on screen: the value keeps a mark for ten seconds, so that no change is missed.

Pure. It remembers only what is on screen: a row that was elsewhere meanwhile comes back without a mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.model import Client

MARKED_SECONDS: Final = 10.0


class RecentChanges:
    """Values and the instants (monotonic) at which they changed, per client and column."""

    def __init__(self) -> None:
        self._values: dict[int, dict[str, object]] = {}
        self._changed: dict[int, dict[str, float]] = {}

    def see(self, client: Client, monotonic: float) -> frozenset[str]:
        """Take in what a row shows now; return the columns that are to be marked."""
        number = client.id
        values: dict[str, object] = {
            "certificate": client.row.certificate_not_after,
            "token": client.row.token_expires_at,
            "state": client.judged.state,
        }
        before = self._values.get(number)
        self._values[number] = values
        if before is not None and before != values:
            changed = self._changed.setdefault(number, {})
            changed.update({name: monotonic for name, value in values.items() if before[name] != value})
        recent = self._changed.get(number)
        if recent is None:
            return frozenset()
        return frozenset(name for name, at in recent.items() if monotonic - at < MARKED_SECONDS)

    def forget(self) -> None:
        """Forget everything: what is shown next is not what came after it."""
        self._values.clear()
        self._changed.clear()

    def keep(self, numbers: Iterable[int]) -> None:
        """Forget every other client."""
        kept = set(numbers)
        self._values = {number: values for number, values in self._values.items() if number in kept}
        self._changed = {number: at for number, at in self._changed.items() if number in kept}
