"""Rows of named MOC resources that have no rules of their own: locations, groups, nodes, named certificates."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select, update

from backend.core.errors import NotFound
from backend.store.codec import Codec
from backend.store.records import Resource
from backend.store.tables import resources
from backend.store.work import Work

_RESOURCE = Codec(Resource, resources)
_KEY = ("kind", "name", "location")
_IS_IT = [resources.c[name] == bindparam(f"its_{name}") for name in _KEY]
_FIND = select(*_RESOURCE.columns).where(*_IS_IT)
_ALL = (
    select(*_RESOURCE.columns)
    .where(resources.c.kind == bindparam("its_kind"))
    .order_by(resources.c.name, resources.c.location)
)
_ADD = insert(resources).values({name: bindparam(name) for name in _RESOURCE.names})
_PUT = update(resources).where(*_IS_IT).values({name: bindparam(name) for name in _RESOURCE.names if name not in _KEY})
_DELETE = delete(resources).where(*_IS_IT)


def _key(kind: str, name: str, location: str) -> dict[str, str]:
    return {"its_kind": kind, "its_name": name, "its_location": location}


class SqlResources:
    """`port.Resources` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def put(self, resource: Resource) -> None:
        """Write it over the one of the same kind, name and location, or as a new one."""
        row = _RESOURCE.to_row(resource)
        if not self._work.write(_PUT, row | _key(resource.kind, resource.name, resource.location)):
            self._work.write(_ADD, row)

    def find(self, kind: str, name: str, location: str = "") -> Resource | None:
        """Return that one, if any."""
        row = self._work.row(_FIND, _key(kind, name, location))
        return None if row is None else _RESOURCE.from_row(row)

    def all(self, kind: str) -> Sequence[Resource]:
        """Return all of a kind, by name and location."""
        return [_RESOURCE.from_row(row) for row in self._work.rows(_ALL, {"its_kind": kind})]

    def delete(self, kind: str, name: str, location: str = "") -> None:
        """Remove that one; raise `NotFound`."""
        if not self._work.write(_DELETE, _key(kind, name, location)):
            raise NotFound(f"there is no {kind} {name}" + (f" at {location}" if location else ""))
