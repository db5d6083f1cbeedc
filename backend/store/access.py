"""Rows of custom roles and of role assignments, each kept as one JSON document under its name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select, update

from backend.core.errors import NotFound
from backend.core.rbac import Role, RoleAssignment
from backend.store.documents import from_document, to_document
from backend.store.tables import assignments, roles
from backend.store.work import Work

_ROLE = select(roles.c.document).where(roles.c.name == bindparam("key"))
_ROLES = select(roles.c.document).order_by(roles.c.name)
_ADD_ROLE = insert(roles).values(name=bindparam("key"), document=bindparam("body"))
_PUT_ROLE = update(roles).where(roles.c.name == bindparam("key")).values(document=bindparam("body"))
_DELETE_ROLE = delete(roles).where(roles.c.name == bindparam("key"))

_ASSIGNMENT = select(assignments.c.document).where(assignments.c.name == bindparam("key"))
_ASSIGNMENTS = select(assignments.c.document).order_by(assignments.c.name)
_ASSIGNMENTS_OF = _ASSIGNMENTS.where(assignments.c.identity_name == bindparam("identity"))
_ADD_ASSIGNMENT = insert(assignments).values(
    name=bindparam("key"), identity_name=bindparam("identity"), document=bindparam("body")
)
_PUT_ASSIGNMENT = (
    update(assignments)
    .where(assignments.c.name == bindparam("key"))
    .values(identity_name=bindparam("identity"), document=bindparam("body"))
)
_DELETE_ASSIGNMENT = delete(assignments).where(assignments.c.name == bindparam("key"))


class SqlRoles:
    """`port.Roles` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def put(self, role: Role) -> None:
        """Write it, new or known."""
        values = {"key": role.name, "body": to_document(role)}
        if not self._work.write(_PUT_ROLE, values):
            self._work.write(_ADD_ROLE, values)

    def find(self, name: str) -> Role | None:
        """Return the one with that name, if any."""
        row = self._work.row(_ROLE, {"key": name})
        return None if row is None else from_document(Role, row[0])

    def all(self) -> Sequence[Role]:
        """Return every custom role, by name."""
        return [from_document(Role, document) for (document,) in self._work.rows(_ROLES)]

    def delete(self, name: str) -> None:
        """Remove it; raise `NotFound`."""
        if not self._work.write(_DELETE_ROLE, {"key": name}):
            raise NotFound(f"there is no custom role {name}")


class SqlAssignments:
    """`port.Assignments` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def put(self, assignment: RoleAssignment) -> None:
        """Write it, new or known."""
        values = {"key": assignment.name, "identity": assignment.identity_name, "body": to_document(assignment)}
        if not self._work.write(_PUT_ASSIGNMENT, values):
            self._work.write(_ADD_ASSIGNMENT, values)

    def find(self, name: str) -> RoleAssignment | None:
        """Return the one with that name, if any."""
        row = self._work.row(_ASSIGNMENT, {"key": name})
        return None if row is None else from_document(RoleAssignment, row[0])

    def of(self, identity_name: str) -> Sequence[RoleAssignment]:
        """Return those of one identity, by name."""
        rows = self._work.rows(_ASSIGNMENTS_OF, {"identity": identity_name})
        return [from_document(RoleAssignment, document) for (document,) in rows]

    def all(self) -> Sequence[RoleAssignment]:
        """Return every assignment, by name."""
        return [from_document(RoleAssignment, document) for (document,) in self._work.rows(_ASSIGNMENTS)]

    def delete(self, name: str) -> None:
        """Remove it; raise `NotFound`."""
        if not self._work.write(_DELETE_ASSIGNMENT, {"key": name}):
            raise NotFound(f"there is no role assignment {name}")
