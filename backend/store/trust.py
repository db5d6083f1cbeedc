"""Rows of CA generations and trust bundle epochs.

The schema refuses a second issuing generation and an epoch that does not grow. Every client's standing hangs on these
rows, so each write sends the fleet's readers back to the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update

from backend.core.errors import NotFound
from backend.core.model import Authority, AuthorityStatus, Bundle
from backend.store.changes import SqlChanges
from backend.store.codec import Codec
from backend.store.tables import authorities, bundles
from backend.store.work import Work

_AUTHORITY = Codec(Authority, authorities)
_ADD = insert(authorities).values({name: bindparam(name) for name in _AUTHORITY.names})
_ALL = select(*_AUTHORITY.columns).order_by(authorities.c.generation)
_GET = select(*_AUTHORITY.columns).where(authorities.c.generation == bindparam("generation"))
_ISSUING = select(*_AUTHORITY.columns).where(authorities.c.status == AuthorityStatus.ISSUING.value)
_SET_STATUS = (
    update(authorities)
    .where(authorities.c.generation == bindparam("key"), authorities.c.status != bindparam("wanted"))
    .values(status=bindparam("wanted"))
)

_BUNDLE = Codec(Bundle, bundles)
_ADD_BUNDLE = insert(bundles).values({name: bindparam(name) for name in _BUNDLE.names})
_CURRENT = select(*_BUNDLE.columns).order_by(bundles.c.epoch.desc()).limit(1)


class SqlAuthorities:
    """`port.Authorities` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def add(self, authority: Authority) -> None:
        """Take in a new generation."""
        taken = (
            f"CA generation {authority.generation} exists already"
            if self._work.row(_GET, {"generation": authority.generation}) is not None
            else "another CA generation is issuing; only one may"
        )
        self._work.write(_ADD, _AUTHORITY.to_row(authority), taken=taken)
        self._changes.touch_all()

    def get(self, generation: int) -> Authority:
        """Return one generation; raise `NotFound`."""
        row = self._work.row(_GET, {"generation": generation})
        if row is None:
            raise NotFound(f"there is no CA generation {generation}")
        return _AUTHORITY.from_row(row)

    def all(self) -> Sequence[Authority]:
        """Return every generation, ascending."""
        return [_AUTHORITY.from_row(row) for row in self._work.rows(_ALL)]

    def issuing(self) -> Authority:
        """Return the one that issues; raise `NotFound` while none does."""
        row = self._work.row(_ISSUING)
        if row is None:
            raise NotFound("no CA generation is issuing")
        return _AUTHORITY.from_row(row)

    def set_status(self, generation: int, status: AuthorityStatus) -> None:
        """Move a generation to another status; the present one again is no change."""
        values = {"key": generation, "wanted": status.value}
        if self._work.write(_SET_STATUS, values, taken="another CA generation is issuing; only one may"):
            self._changes.touch_all()
        else:
            self.get(generation)


class SqlBundles:
    """`port.Bundles` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def add(self, bundle: Bundle) -> None:
        """Append the next epoch.

        Raises:
            InconsistentState: it does not grow.
        """
        self._work.write(_ADD_BUNDLE, _BUNDLE.to_row(bundle))
        self._changes.touch_all()

    def current(self) -> Bundle:
        """Return the newest epoch; raise `NotFound` before the first."""
        row = self._work.row(_CURRENT)
        if row is None:
            raise NotFound("no trust bundle has been published")
        return _BUNDLE.from_row(row)
