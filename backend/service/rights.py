"""What an identity may do, read from rows, and the two rules that no permission overrides.

Nobody gets more rights than they have by way of another identity, nor takes them away: whoever obtains its token or its
certificate, alters it, revokes or deletes it must hold all that it holds. And one enabled owner always remains (pki.md
7.5).
"""

from __future__ import annotations

from typing import Final

from backend.core import rbac
from backend.core.errors import AccessDenied, InconsistentState
from backend.core.model import Identity
from backend.core.rbac import ANYWHERE, Grants, Role, RoleAssignment
from backend.core.roles import BUILT_IN, OWNER
from backend.service.caller import Caller
from backend.store.port import Transaction

_BUILT_IN: Final = {role.name: role for role in BUILT_IN}


def find_role(tx: Transaction, name: str) -> Role | None:
    """A role by name; a built-in one cannot be shadowed by a row."""
    return _BUILT_IN.get(name) or tx.roles.find(name)


def grants_of(tx: Transaction, identity: Identity) -> Grants:
    """All that an identity may do now; empty for a revoked one's rows too, as its calls are refused before."""
    assignments = tx.assignments.of(identity.name)
    names = {assignment.role_name for assignment in assignments}
    roles = [role for name in sorted(names) if (role := find_role(tx, name)) is not None]
    return rbac.grants_of(identity.name, roles, assignments)


def refuse_wider(tx: Transaction, caller: Caller, identity: Identity) -> None:
    """Refuse a caller who would get rights through `identity` that it has not, or would take them from it.

    Raises:
        AccessDenied: the identity is another one and holds something that the caller does not.
    """
    if identity.number == caller.identity.number:
        return
    if not rbac.covers_all(caller.grants, grants_of(tx, identity)):
        raise AccessDenied(
            f"{caller.name!r} has not all the rights of {identity.name!r}, so it cannot act in its name or change it; "
            "let an administrator with these rights do it"
        )


def refuse_last_owner(tx: Transaction, identity: Identity, *, besides: RoleAssignment | None = None) -> None:
    """Refuse to take `identity` from the owners when it is the only enabled one.

    `besides` limits this to one assignment: an owner by a second assignment stays one.

    Raises:
        InconsistentState: no owner would remain.
    """
    remaining = False
    is_owner = False
    for assignment in tx.assignments.all():
        if not is_ownership(assignment):
            continue
        if assignment.identity_name == identity.name and (besides is None or assignment.name == besides.name):
            is_owner = True
            continue
        holder = tx.identities.find(assignment.identity_name)
        remaining |= holder is not None and holder.revoked_at is None
    if is_owner and not remaining and identity.revoked_at is None:
        raise InconsistentState(
            f"{identity.name!r} is the last owner of this deployment; "
            f"give the role {OWNER.name} to another identity first"
        )


def is_ownership(assignment: RoleAssignment) -> bool:
    """Tell whether an assignment makes an owner of everything."""
    return assignment.role_name == OWNER.name and assignment.scope == ANYWHERE
