"""The change counter of the fleet view: which identities changed after a reader last looked.

Touches are gathered and written once, before anybody asks and before the commit: a batch is seen whole or not at all,
so one counter value serves all of it. A touch too many costs a reader one row; a touch too few would hide a change, so
after an undone part everything touched so far is written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, bindparam, delete, insert, select, tuple_, update

from backend.store.tables import change_counter, changed, identities, removed
from backend.store.work import Work

_STEP = update(change_counter).values(counter=change_counter.c.counter + 1)
_COUNTER = select(change_counter.c.counter, change_counter.c.floor)
_RAISE_FLOOR = update(change_counter).values(floor=bindparam("change"))
_MARK = update(changed).where(changed.c.identity_number == bindparam("number")).values(change=bindparam("change"))
_MARK_NEW = insert(changed).from_select(  # nothing for a number that is no identity
    ["identity_number", "change"],
    select(identities.c.number, bindparam("change", type_=BigInteger)).where(
        identities.c.number == bindparam("number"),
        ~select(changed.c.change).where(changed.c.identity_number == identities.c.number).exists(),
    ),
)
_MARKS = (
    select(changed.c.change, changed.c.identity_number)
    .where(tuple_(changed.c.change, changed.c.identity_number) > tuple_(bindparam("change"), bindparam("number")))
    .order_by(changed.c.change, changed.c.identity_number)
    .limit(bindparam("limit"))
)
_REMOVALS = (
    select(removed.c.change, removed.c.identity_number)
    .where(removed.c.change > bindparam("change"))
    .order_by(removed.c.change)  # each removal is a change of its own
    .limit(bindparam("limit"))
)
_REMOVE = insert(removed).values(identity_number=bindparam("number"), change=bindparam("change"))
_FORGET = delete(changed).where(changed.c.identity_number == bindparam("number"))
_MEMBERS = select(identities.c.number).where(identities.c.cluster == bindparam("cluster"))


class SqlChanges:
    """`port.Changes` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: set[int] = set()
        self._touched: set[int] = set()

    def touch(self, identity_number: int) -> None:
        """Note that something which the fleet view shows of it was written."""
        self._waiting.add(identity_number)

    def touch_many(self, numbers: Iterable[int]) -> None:
        """Touch several."""
        self._waiting.update(numbers)

    def touch_members(self, cluster: str) -> None:
        """Touch every identity of a cluster, and the counter even if it has none: the cluster itself is shown."""
        self.touch_many(number for (number,) in self._work.rows(_MEMBERS, {"cluster": cluster}))
        self.step()

    def touch_all(self) -> None:
        """Send every reader back to the beginning."""
        self._work.write(_RAISE_FLOOR, {"change": self.step()})

    def step(self) -> int:
        """Move the counter although no row changed (the deployment's own words did); return it."""
        self._work.write(_STEP)
        return self._counter()[0]

    def remove(self, identity_number: int) -> None:
        """Note that an identity is gone."""
        self._waiting.discard(identity_number)
        self._work.write(_FORGET, {"number": identity_number})
        self._work.write(_REMOVE, {"number": identity_number, "change": self.step()})

    def current(self) -> int:
        """Return the counter of the newest change."""
        self.flush()
        return self._counter()[0]

    def knows(self, counter: int) -> bool:
        """Tell whether what changed after `counter` can be told.

        Not after all was touched, and not of a counter from the future: it belongs to a store that was since replaced
        by an older copy.
        """
        self.flush()
        current, floor = self._counter()
        return floor <= counter <= current

    def marks(self, change: int, number: int, limit: int) -> Sequence[tuple[int, int]]:
        """Return (change, identity number) of what follows this mark, in order, at most `limit`.

        One who goes on from the last mark misses nothing: what changes again meanwhile moves behind whatever is there.
        """
        self.flush()
        return [(at, who) for at, who in self._work.rows(_MARKS, {"change": change, "number": number, "limit": limit})]

    def removals(self, change: int, limit: int) -> Sequence[tuple[int, int]]:
        """Return (change, identity number) of what went after `change`, in order, at most `limit`."""
        return [(at, who) for at, who in self._work.rows(_REMOVALS, {"change": change, "limit": limit})]

    def flush(self) -> None:
        """Write what was touched under one new counter."""
        if not self._waiting:
            return
        change = self.step()
        rows = [{"number": number, "change": change} for number in sorted(self._waiting)]
        self._work.write_many(_MARK, rows)
        self._work.write_many(_MARK_NEW, rows)
        self._touched |= self._waiting
        self._waiting.clear()

    def undone(self) -> None:
        """A part was rolled back, perhaps with marks made before it: make them all again."""
        self._waiting |= self._touched

    def _counter(self) -> tuple[int, int]:
        found = self._work.row(_COUNTER)
        assert found is not None  # noqa: S101 - the first migration puts the row in
        return found[0], found[1]
