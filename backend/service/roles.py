"""Roles and their assignments: who may do what, from the next call on.

Built-in roles are data of the program and cannot be changed. Nobody grants what they do not hold, whether by making a
role, by changing one that is assigned, or by assigning one. How rights are evaluated is `backend.core.rbac`'s.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from backend.core.errors import AccessDenied, InconsistentState, InvalidInput, NotFound
from backend.core.rbac import ANYWHERE, GeneralOperation, Role, RoleAssignment, Scope, covers
from backend.core.roles import BUILT_IN
from backend.service import audit
from backend.service.caller import Caller
from backend.service.rights import find_role, is_ownership, refuse_last_owner
from backend.service.versions import check_version, next_version
from backend.service.world import World
from backend.store.port import Transaction


def get_role(tx: Transaction, name: str) -> Role:
    """Return one role, built-in or not.

    Raises:
        NotFound: there is none of that name.
    """
    found = find_role(tx, name)
    if found is None:
        raise NotFound(f"role {name!r}: Not Found")
    return found


def list_roles(tx: Transaction) -> Sequence[Role]:
    """Return the built-in roles and then the deployment's own, by name."""
    return [*BUILT_IN, *tx.roles.all()]


def put_role(tx: Transaction, world: World, caller: Caller, draft: Role) -> Role:
    """Create or change a role; a change acts on everybody who holds it, from their next call on.

    Raises:
        AccessDenied: it is built in, or grants what the caller does not hold.
        InvalidInput: it has no permissions, or an action names no operation.
        OldVersion: the version sent is not the present one.
        InconsistentState: it is assigned where it could no longer be.
    """
    _refuse_built_in(draft.name)
    present = tx.roles.find(draft.name)
    check_version(draft.version, "" if present is None else present.version, f"role {draft.name!r}")
    _check_actions(draft)
    held = [assignment for assignment in tx.assignments.all() if assignment.role_name == draft.name]
    outside = next((assignment for assignment in held if not draft.is_assignable_at(assignment.scope)), None)
    if outside is not None:
        raise InconsistentState(
            f"role {draft.name!r} is assigned to {outside.identity_name!r} outside the new assignable scopes; "
            "remove that assignment first"
        )
    for scope in {*(draft.assignable_scopes or (ANYWHERE,)), *(assignment.scope for assignment in held)}:
        _refuse_beyond(caller, draft, scope)
    now = world.clock.now()
    role = replace(
        draft,
        id=str(uuid.uuid4()) if present is None else present.id,
        is_built_in=False,
        version=next_version(now, "" if present is None else present.version),
    )
    tx.roles.put(role)
    _audit(tx, world, caller, "create_role" if present is None else "update_role", role.name, {})
    world.peers.clear()
    return role


def delete_role(tx: Transaction, world: World, caller: Caller, name: str, *, version: str = "") -> None:
    """Remove a role.

    Raises:
        AccessDenied: it is built in.
        NotFound: there is none of that name.
        OldVersion: the version sent is not the present one.
        InconsistentState: it is assigned.
    """
    _refuse_built_in(name)
    role = get_role(tx, name)
    check_version(version, role.version, f"role {name!r}")
    holder = next((assignment for assignment in tx.assignments.all() if assignment.role_name == name), None)
    if holder is not None:
        raise InconsistentState(f"role {name!r} is assigned to {holder.identity_name!r}; remove its assignments first")
    tx.roles.delete(name)
    _audit(tx, world, caller, "delete_role", name, {})
    world.peers.clear()


def assign_role(tx: Transaction, world: World, caller: Caller, draft: RoleAssignment) -> RoleAssignment:
    """Give a role to an identity within a scope, or change the assignment of that name.

    Without a name the agent chooses one; the same role for the same identity and scope again is the same assignment.

    Raises:
        NotFound: the identity or the role does not exist.
        InvalidInput: the role cannot be assigned within this scope.
        AccessDenied: the role grants what the caller does not hold there.
        OldVersion: the version sent is not the present one.
        InconsistentState: the change would take the role from the last owner.
    """
    identity = tx.identities.find(draft.identity_name)
    if identity is None:
        raise NotFound(f"identity {draft.identity_name!r} of the role assignment: Not Found")
    role = get_role(tx, draft.role_name)
    if not role.is_assignable_at(draft.scope):
        raise InvalidInput(f"role {role.name!r} is not assignable {scope_text(draft.scope)}; see its assignable scopes")
    _refuse_beyond(caller, role, draft.scope)
    present = tx.assignments.find(draft.name) if draft.name else _find_same(tx, draft)
    check_version(draft.version, "" if present is None else present.version, f"role assignment {draft.name!r}")
    if present is not None and is_ownership(present) and not _is_same(present, draft):
        _refuse_last(tx, present)
    now = world.clock.now()
    assignment = replace(
        draft,
        name=draft.name or (str(uuid.uuid4()) if present is None else present.name),
        id=str(uuid.uuid4()) if present is None else present.id,
        version=next_version(now, "" if present is None else present.version),
    )
    tx.assignments.put(assignment)
    _audit(tx, world, caller, "assign_role", assignment.identity_name, _detail(assignment))
    world.peers.clear()
    return assignment


def find_assignments(tx: Transaction, wanted: RoleAssignment) -> Sequence[RoleAssignment]:
    """Return the assignments that fit: by name, identity, role and scope, each only where it is given."""
    return [
        assignment
        for assignment in tx.assignments.all()
        if wanted.name in ("", assignment.name)
        and wanted.identity_name in ("", assignment.identity_name)
        and wanted.role_name in ("", assignment.role_name)
        and wanted.scope in (ANYWHERE, assignment.scope)
    ]


def remove_assignment(tx: Transaction, world: World, caller: Caller, wanted: RoleAssignment) -> None:
    """Take a role away: the assignment of that name, or that of an identity and a role, and a scope where several fit.

    Raises:
        InvalidInput: neither a name nor identity and role are given, or several assignments fit.
        NotFound: none fits.
        OldVersion: the version sent is not the present one.
        InconsistentState: it is the last owner's.
    """
    if not wanted.name and not (wanted.identity_name and wanted.role_name):
        raise InvalidInput("the role assignment to remove is not named; give its name, or its identity and role")
    fitting = find_assignments(tx, wanted)
    exact = [assignment for assignment in fitting if assignment.scope == wanted.scope]
    chosen = exact if len(fitting) > 1 else fitting
    if len(chosen) != 1:
        what = wanted.name or f"{wanted.role_name} of {wanted.identity_name}"
        if not fitting:
            raise NotFound(f"role assignment {what!r}: Not Found")
        raise InvalidInput(f"{len(fitting)} role assignments fit {what!r}; give the name or the scope of one")
    assignment = chosen[0]
    check_version(wanted.version, assignment.version, f"role assignment {assignment.name!r}")
    if is_ownership(assignment):
        _refuse_last(tx, assignment)
    tx.assignments.delete(assignment.name)
    _audit(tx, world, caller, "remove_role", assignment.identity_name, _detail(assignment))
    world.peers.clear()


def scope_text(scope: Scope) -> str:
    """A scope in words, for messages and the audit trail."""
    parts = [
        f"{name} {value!r}"
        for name, value in (("location", scope.location), ("group", scope.group), ("resource", scope.resource))
        if value
    ]
    if scope.provider:
        parts.append(f"provider {scope.provider}")
    return "in " + ", ".join(parts) if parts else "everywhere"


def _refuse_built_in(name: str) -> None:
    if any(role.name == name for role in BUILT_IN):
        raise AccessDenied(f"role {name!r} is built in and stays as it is; make a role of your own")


def _check_actions(role: Role) -> None:
    if not role.permissions:
        raise InvalidInput(f"role {role.name!r} has no permissions; name at least one action")
    for permission in role.permissions:
        for action in (*permission.actions, *permission.not_actions):
            if action.operation is GeneralOperation.UNSPECIFIED:
                raise InvalidInput(
                    f"an action of role {role.name!r} names no operation; say read, write, delete or all"
                )
            if action.operation is GeneralOperation.PROVIDER_ACTION and not action.provider_operation:
                raise InvalidInput(f"a provider action of role {role.name!r} does not say which; name the operation")


def _refuse_beyond(caller: Caller, role: Role, scope: Scope) -> None:
    if not covers(caller.grants, role, scope):
        raise AccessDenied(
            f"role {role.name!r} {scope_text(scope)} grants what {caller.name!r} does not hold; "
            "nobody grants beyond their own rights"
        )


def _refuse_last(tx: Transaction, assignment: RoleAssignment) -> None:
    holder = tx.identities.find(assignment.identity_name)
    if holder is not None:
        refuse_last_owner(tx, holder, besides=assignment)


def _find_same(tx: Transaction, draft: RoleAssignment) -> RoleAssignment | None:
    return next((found for found in tx.assignments.of(draft.identity_name) if _is_same(found, draft)), None)


def _is_same(first: RoleAssignment, second: RoleAssignment) -> bool:
    return (first.identity_name, first.role_name, first.scope) == (second.identity_name, second.role_name, second.scope)


def _detail(assignment: RoleAssignment) -> dict[str, str]:
    return {"role": assignment.role_name, "assignment": assignment.name, "scope": scope_text(assignment.scope)}


def _audit(tx: Transaction, world: World, caller: Caller, action: str, subject: str, detail: dict[str, str]) -> None:
    audit.record(
        tx,
        world.clock.now(),
        actor=caller.name,
        origin=caller.origin,
        action=action,
        subject=subject,
        detail=detail,
    )
