"""Rows of identities and of the clusters that they belong to.

A number is given out once and never again. A removed identity takes its tokens, orders and marks with it; its
certificates stay for the record, which is why it is not removed while one of them still counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, delete, insert, select, update

from backend.core.errors import InconsistentState, NotFound
from backend.core.model import Cluster, Identity
from backend.store.changes import SqlChanges
from backend.store.codec import Codec
from backend.store.tables import certificates, clusters, identities
from backend.store.work import Work

_IDENTITY = Codec(Identity, identities)
_WRITTEN = [name for name in _IDENTITY.names if name != "number"]
_ALL = select(*_IDENTITY.columns).order_by(identities.c.name)
_BY_NAME = select(*_IDENTITY.columns).where(identities.c.name == bindparam("name"))
_BY_NUMBER = select(*_IDENTITY.columns).where(identities.c.number == bindparam("number"))
_SOME = (
    select(*_IDENTITY.columns)
    .where(identities.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(identities.c.name)
)
_ADD = insert(identities).values({name: bindparam(name) for name in _WRITTEN}).returning(identities.c.number)
_PUT = (
    update(identities)
    .where(identities.c.number == bindparam("number"))
    .values({name: bindparam(f"new_{name}") for name in _WRITTEN})
)
_DELETE = delete(identities).where(identities.c.number == bindparam("number"))
_UNREVOKED = (
    select(certificates.c.serial)
    .where(certificates.c.identity_number == bindparam("number"), certificates.c.revoked_at.is_(None))
    .limit(1)
)

_CLUSTER = Codec(Cluster, clusters)
_CLUSTERS = select(*_CLUSTER.columns).order_by(clusters.c.name)
_CLUSTER_BY_NAME = select(*_CLUSTER.columns).where(clusters.c.name == bindparam("name"))
_ADD_CLUSTER = insert(clusters).values({name: bindparam(name) for name in _CLUSTER.names})
_PUT_CLUSTER = (
    update(clusters)
    .where(clusters.c.name == bindparam("key"))
    .values({name: bindparam(name) for name in _CLUSTER.names})
)


class SqlIdentities:
    """`port.Identities` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def add(self, identity: Identity) -> Identity:
        """Insert it under a new number and return it with that number."""
        row = _IDENTITY.to_row(identity)
        found = self._work.row(_ADD, row, taken=f"an identity with the name {identity.name} or its id exists already")
        assert found is not None  # noqa: S101 - an insert that returns, returns one row
        self._changes.touch(found[0])
        return replace(identity, number=found[0])

    def put(self, identity: Identity) -> None:
        """Overwrite the row with that number."""
        row = _IDENTITY.to_row(identity)
        values = {f"new_{name}": row[name] for name in _WRITTEN} | {"number": identity.number}
        if not self._work.write(_PUT, values, taken=f"the name {identity.name} or its id is another identity's"):
            raise NotFound(f"there is no identity with number {identity.number} ({identity.name})")
        self._changes.touch(identity.number)

    def get(self, name: str) -> Identity:
        """Return the one with that name; raise `NotFound`."""
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no identity {name}")
        return found

    def find(self, name: str) -> Identity | None:
        """Return the one with that name, if any."""
        row = self._work.row(_BY_NAME, {"name": name})
        return None if row is None else _IDENTITY.from_row(row)

    def get_by_number(self, number: int) -> Identity:
        """Return the one with that number; raise `NotFound`."""
        found = self.find_by_number(number)
        if found is None:
            raise NotFound(f"there is no identity with number {number}")
        return found

    def find_by_number(self, number: int) -> Identity | None:
        """Return the one with that number, if any."""
        row = self._work.row(_BY_NUMBER, {"number": number})
        return None if row is None else _IDENTITY.from_row(row)

    def all(self) -> Sequence[Identity]:
        """Return every identity, by name."""
        return [_IDENTITY.from_row(row) for row in self._work.rows(_ALL)]

    def some(self, numbers: Iterable[int]) -> Sequence[Identity]:
        """Return those of the numbers that exist."""
        return [_IDENTITY.from_row(row) for row in self._work.rows_for(_SOME, numbers)]

    def delete(self, number: int) -> None:
        """Remove it with all that belongs to it but its certificates.

        Raises:
            InconsistentState: a certificate of it is not revoked.
        """
        if self._work.row(_UNREVOKED, {"number": number}) is not None:
            raise InconsistentState(
                f"identity number {number} has certificates that are not revoked; revoke them before it is removed"
            )
        if not self._work.write(_DELETE, {"number": number}):
            raise NotFound(f"there is no identity with number {number}")
        self._changes.remove(number)


class SqlClusters:
    """`port.Clusters` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def put(self, cluster: Cluster) -> None:
        """Write it; writing it unchanged is no change."""
        known = self.find(cluster.name)
        if known == cluster:
            return
        row = _CLUSTER.to_row(cluster)
        if known is None:
            self._work.write(_ADD_CLUSTER, row)
        else:
            self._work.write(_PUT_CLUSTER, row | {"key": cluster.name})
        self._changes.touch_members(cluster.name)

    def find(self, name: str) -> Cluster | None:
        """Return the one with that name, if any."""
        row = self._work.row(_CLUSTER_BY_NAME, {"name": name})
        return None if row is None else _CLUSTER.from_row(row)

    def all(self) -> Sequence[Cluster]:
        """Return every cluster, by name."""
        return [_CLUSTER.from_row(row) for row in self._work.rows(_CLUSTERS)]
