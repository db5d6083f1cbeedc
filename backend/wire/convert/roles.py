"""Roles, role assignments and scopes on the wire (moc/protocol.md, section 7).

Only what can be meant is taken: an action without an operation would grant nothing in silence, so it is refused. The
functions that end in `_from` are for what a caller creates or changes; a deletion needs no more than a name, and the
Go SDK sends an incomplete copy with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Final

from backend.core.errors import InvalidInput
from backend.core.rbac import Action, GeneralOperation, Permission, Role, RoleAssignment, Scope
from backend.wire.convert.checks import check_name, check_optional_name
from backend.wire.convert.statuses import status_message, tags_from, tags_message, version_from
from backend.wire.moc import common_pb2, role_pb2, roleassignment_pb2, security_pb2

MOST_PERMISSIONS: Final = 32
MOST_ACTIONS: Final = 256  # in one permission; there are 43 providers with at most a dozen operations each
MOST_SCOPES: Final = 64

_PROVIDERS: Final = frozenset(common_pb2.ProviderType.values())
_PROVIDER_OPERATIONS: Final = frozenset(common_pb2.ProviderAccessOperation.values())

# Clients from before GeneralAccessOperation set only the obsolete field. Its 0 is Read and also "not set": no entry.
_OBSOLETE: Final[Mapping[int, GeneralOperation]] = {
    role_pb2.OBSOLETE_Write: GeneralOperation.WRITE,
    role_pb2.OBSOLETE_Delete: GeneralOperation.DELETE,
    role_pb2.OBSOLETE_All: GeneralOperation.ALL,
}


def role_from(message: role_pb2.Role) -> Role:
    """A role as a caller wants it; its id is the agent's to give.

    Raises:
        InvalidInput: a name, tag or scope is wrong, it has no permission or too many, or an action says nothing.
    """
    name = check_name(message.name, "role name")
    if not message.permissions:
        raise InvalidInput(f"role {name} has no permissions; give it at least one")
    _check_count(message.permissions, MOST_PERMISSIONS, f"permissions of role {name}")
    _check_count(message.assignableScopes, MOST_SCOPES, f"assignable scopes of role {name}")
    return Role(
        name=name,
        permissions=tuple(_permission_from(permission, name) for permission in message.permissions),
        assignable_scopes=tuple(scope_from(scope) for scope in message.assignableScopes),
        tags=tags_from(message.tags),
        version=version_from(message),
    )


def role_message(role: Role) -> role_pb2.Role:
    """A role as an answer. Every action shows a general operation, or the Go SDK fails to read it."""
    return role_pb2.Role(
        name=role.name,
        id=role.id,
        assignableScopes=[scope_message(scope) for scope in role.assignable_scopes],
        permissions=[
            role_pb2.Permission(
                actions=[_action_message(action) for action in permission.actions],
                notActions=[_action_message(action) for action in permission.not_actions],
            )
            for permission in role.permissions
        ],
        status=status_message(role.version),
        tags=tags_message(role.tags),
    )


def assignment_from(message: roleassignment_pb2.RoleAssignment) -> RoleAssignment:
    """An assignment as a caller wants it; an empty name leaves the choice to the agent.

    Raises:
        InvalidInput: the role or the identity is not named, or a name, tag or the scope is wrong.
    """
    return RoleAssignment(
        name=check_optional_name(message.name, "role assignment name"),
        role_name=check_name(message.roleName, "roleName"),
        identity_name=check_name(message.identityName, "identityName"),
        scope=scope_from(message.scope),
        tags=tags_from(message.tags),
        version=version_from(message),
    )


def assignment_message(assignment: RoleAssignment) -> roleassignment_pb2.RoleAssignment:
    """An assignment as an answer."""
    return roleassignment_pb2.RoleAssignment(
        name=assignment.name,
        id=assignment.id,
        roleName=assignment.role_name,
        scope=scope_message(assignment.scope),
        identityName=assignment.identity_name,
        status=status_message(assignment.version),
        tags=tags_message(assignment.tags),
    )


def scope_from(message: security_pb2.Scope) -> Scope:
    """A scope; an empty member does not restrict.

    Raises:
        InvalidInput: a name is wrong or the provider is none of MOC's.
    """
    return Scope(
        location=check_optional_name(message.location, "location of the scope"),
        group=check_optional_name(message.resourceGroup, "resourceGroup of the scope"),
        provider=_provider(message.providerType),
        resource=check_optional_name(message.resource, "resource of the scope"),
    )


def scope_message(scope: Scope) -> security_pb2.Scope:
    """A scope as a message."""
    return security_pb2.Scope(
        location=scope.location,
        resourceGroup=scope.group,
        providerType=common_pb2.ProviderType.Name(scope.provider),
        resource=scope.resource,
    )


def _permission_from(message: role_pb2.Permission, role: str) -> Permission:
    _check_count(message.actions, MOST_ACTIONS, f"actions of role {role}")
    _check_count(message.notActions, MOST_ACTIONS, f"notActions of role {role}")
    if not message.actions:
        raise InvalidInput(f"role {role} has a permission without actions; it would allow nothing")
    return Permission(
        actions=tuple(_action_from(action, role, is_granting=True) for action in message.actions),
        not_actions=tuple(_action_from(action, role, is_granting=False) for action in message.notActions),
    )


def _action_from(message: role_pb2.Action, role: str, *, is_granting: bool) -> Action:
    if message.providerOperation not in _PROVIDER_OPERATIONS:
        raise InvalidInput(f"role {role}: providerOperation {message.providerOperation} is none of MOC's")
    operation = _operation(message, role)
    # A notAction without one takes every verb away, which is safe; an action without one would do nothing.
    if is_granting and operation is GeneralOperation.PROVIDER_ACTION and not message.providerOperation:
        raise InvalidInput(f"role {role}: an action of kind ProviderAction does not say which; set providerOperation")
    return Action(
        provider=_provider(message.providerType),
        operation=operation,
        provider_operation=message.providerOperation,
    )


def _operation(message: role_pb2.Action, role: str) -> GeneralOperation:
    if message.generalOperation:
        try:
            return GeneralOperation(message.generalOperation)
        except ValueError:
            raise InvalidInput(
                f"role {role}: generalOperation {message.generalOperation} is unknown; use 1 to {max(GeneralOperation)}"
            ) from None
    operation = _OBSOLETE.get(message.operation)
    if operation is None:
        raise InvalidInput(
            f"role {role}: an action has no generalOperation; say Read, Write, Delete, All or ProviderAction"
        )
    return operation


def _action_message(action: Action) -> role_pb2.Action:
    return role_pb2.Action(
        providerType=common_pb2.ProviderType.Name(action.provider),
        generalOperation=role_pb2.GeneralAccessOperation.Name(action.operation),
        providerOperation=common_pb2.ProviderAccessOperation.Name(action.provider_operation),
    )


def _provider(number: int) -> int:
    if number not in _PROVIDERS:
        raise InvalidInput(f"providerType {number} is none of MOC's; use 0 (any) to {max(_PROVIDERS)}")
    return number


def _check_count(things: Sized, most: int, what: str) -> None:
    if len(things) > most:
        raise InvalidInput(f"{len(things)} {what}; at most {most} are allowed")
