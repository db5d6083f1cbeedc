"""Who may do what: roles, actions, notActions and scopes in MOC's model (moc/protocol.md, section 7).

Owns the evaluation, and fails closed wherever the public protocol leaves a choice (the choices are in an ADR):

- deny by default: only an action that names an operation grants it; an unspecified operation grants nothing;
- within one permission notActions win over actions; permissions and assignments are a union;
- an empty member of a scope is unrestricted; a location contains its groups, a group its resources;
- an excluded part of an operation excludes the whole, because a POST does not say whether it creates or updates.

Which RPC needs what is `backend.core.rbac`; the built-in roles are `backend.core.roles`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import product
from typing import Final

_OTHER: Final = -1  # stands for every provider or provider operation that no role in question mentions


class Provider(IntEnum):
    """`moc.ProviderType`, as far as this agent serves it; the numbers are the wire's."""

    ANY = 0
    CERTIFICATE = 9
    IDENTITY = 13
    ROLE = 14
    ROLE_ASSIGNMENT = 15
    CLUSTER = 17
    GROUP = 19
    NODE = 20
    LOCATION = 21
    CREDENTIAL_MONITOR = 31
    AUTHENTICATION = 36
    HEALTH_MONITOR = 37


class GeneralOperation(IntEnum):
    """`moc.cloudagent.security.GeneralAccessOperation`; the numbers are the wire's."""

    UNSPECIFIED = 0
    READ = 1
    WRITE = 2
    DELETE = 3
    ALL = 4
    PROVIDER_ACTION = 5


class ProviderOperation(IntEnum):
    """`moc.ProviderAccessOperation`, as far as this agent serves it; the numbers are the wire's."""

    UNSPECIFIED = 0
    AUTHENTICATION_LOGIN = 100
    CERTIFICATE_CREATE = 200
    CERTIFICATE_UPDATE = 201
    CERTIFICATE_GET = 202
    CERTIFICATE_DELETE = 203
    CERTIFICATE_SIGN = 204
    CERTIFICATE_RENEW = 205
    IDENTITY_CREATE = 300
    IDENTITY_UPDATE = 301
    IDENTITY_REVOKE = 302
    IDENTITY_ROTATE = 303
    IDENTITY_CERTIFICATE_CREATE = 400
    IDENTITY_CERTIFICATE_UPDATE = 401
    IDENTITY_CERTIFICATE_RENEW = 402
    CLUSTER_CREATE = 700
    CLUSTER_UPDATE = 701
    GROUP_CREATE = 1500
    GROUP_UPDATE = 1501
    LOCATION_CREATE = 1900
    LOCATION_UPDATE = 1901
    NODE_CREATE = 2200
    NODE_UPDATE = 2201
    ROLE_CREATE = 2400
    ROLE_UPDATE = 2401
    ROLE_ASSIGNMENT_CREATE = 2500
    ROLE_ASSIGNMENT_UPDATE = 2501


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a call asks for. `parts` are the provider operations that together are worth the general one."""

    provider: int
    operation: GeneralOperation
    provider_operation: int = 0
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One line of a role. `provider` 0 is every provider; `provider_operation` counts with PROVIDER_ACTION only."""

    provider: int
    operation: GeneralOperation
    provider_operation: int = 0

    def grants(self, provider: int, operation: GeneralOperation, provider_operation: int) -> bool:
        """Tell whether the line, as an action, names this operation."""
        if self.provider not in (Provider.ANY, provider):
            return False
        if self.operation is GeneralOperation.ALL:
            return True
        if self.operation is not operation:
            return False
        return operation is not GeneralOperation.PROVIDER_ACTION or self.provider_operation == provider_operation != 0

    def excludes(self, provider: int, operation: GeneralOperation, provider_operation: int) -> bool:
        """Tell whether the line, as a notAction, takes this operation away; what it leaves open it takes away whole."""
        if self.provider not in (Provider.ANY, provider):
            return False
        if self.operation in (GeneralOperation.UNSPECIFIED, GeneralOperation.ALL):
            return True
        if self.operation is not operation:
            return False
        return operation is not GeneralOperation.PROVIDER_ACTION or self.provider_operation in (0, provider_operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Some actions, less some others."""

    actions: tuple[Action, ...] = ()
    not_actions: tuple[Action, ...] = ()

    def permits(self, need: Need) -> bool:
        """Tell whether this permission alone allows what `need` asks for."""
        wanted = (need.provider, need.operation, need.provider_operation)
        parts = [(need.provider, GeneralOperation.PROVIDER_ACTION, part) for part in need.parts]
        if any(line.excludes(*one) for line in self.not_actions for one in (wanted, *parts)):
            return False
        if any(line.grants(*wanted) for line in self.actions):
            return True
        return bool(parts) and all(any(line.grants(*part) for line in self.actions) for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Where something holds, or where something is; an empty member is unrestricted (or not known)."""

    location: str = ""
    group: str = ""
    provider: int = 0
    resource: str = ""

    def contains(self, other: Scope) -> bool:
        """Tell whether all of `other` lies within; a place that is not known lies within no restriction."""
        return (
            self.location in ("", other.location)
            and self.group in ("", other.group)
            and self.provider in (Provider.ANY, other.provider)
            and self.resource in ("", other.resource)
        )


ANYWHERE: Final = Scope()
_GENERAL: Final = (GeneralOperation.READ, GeneralOperation.WRITE, GeneralOperation.DELETE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of permissions, assignable within `assignable_scopes` (none: anywhere)."""

    name: str
    id: str = ""
    permissions: tuple[Permission, ...] = ()
    assignable_scopes: tuple[Scope, ...] = ()
    is_built_in: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def is_assignable_at(self, scope: Scope) -> bool:
        """Tell whether an assignment may have this scope."""
        return not self.assignable_scopes or any(allowed.contains(scope) for allowed in self.assignable_scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """A role given to an identity within a scope."""

    name: str
    role_name: str
    identity_name: str
    scope: Scope = ANYWHERE
    id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One permission and where it holds."""

    permission: Permission
    scope: Scope = ANYWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """All that one identity may do."""

    identity_name: str
    grants: tuple[Grant, ...] = ()


def grants_of(identity_name: str, roles: Iterable[Role], assignments: Iterable[RoleAssignment]) -> Grants:
    """Collect an identity's grants; an assignment of a role that does not exist grants nothing."""
    by_name = {role.name: role for role in roles}
    return Grants(
        identity_name=identity_name,
        grants=tuple(
            Grant(permission=permission, scope=assignment.scope)
            for assignment in assignments
            if assignment.identity_name == identity_name and assignment.role_name in by_name
            for permission in by_name[assignment.role_name].permissions
        ),
    )


def may(grants: Grants, need: Need, on: Scope = ANYWHERE) -> bool:
    """Tell whether `grants` allow `need` on the thing at `on`; a call on everything asks `ANYWHERE`."""
    place = on if on.provider else replace(on, provider=need.provider)
    return any(grant.scope.contains(place) and grant.permission.permits(need) for grant in grants.grants)


def covers(grants: Grants, role: Role, scope: Scope = ANYWHERE) -> bool:
    """Tell whether everything that `role` would allow within `scope` is allowed to `grants` already.

    Nobody hands out more than they have: this guards creating, changing and assigning roles.
    """
    given = tuple(Grant(permission=permission, scope=scope) for permission in role.permissions)
    return _cover(grants.grants, given)


def covers_all(grants: Grants, other: Grants) -> bool:
    """Tell whether `grants` hold everything that `other` holds.

    This guards acting in another's name: whoever gets an identity's token or certificate gets its rights.
    """
    return _cover(grants.grants, other.grants)


def _cover(having: tuple[Grant, ...], given: tuple[Grant, ...]) -> bool:
    """Compare by trying each operation once: those that are mentioned, and one that stands for all the others."""
    new = [grant for grant in given if not any(_is_same_or_wider(held, grant) for held in having)]
    permissions = [grant.permission for grant in (*having, *new)]
    lines = [line for permission in permissions for line in (*permission.actions, *permission.not_actions)]
    scoped = {grant.scope.provider for grant in (*having, *new)}
    providers = ({line.provider for line in lines} | scoped | {_OTHER}) - {Provider.ANY}
    codes = tuple(({line.provider_operation for line in lines} | {_OTHER}) - {0})
    verbs = [Need(provider=0, operation=GeneralOperation.PROVIDER_ACTION, provider_operation=code) for code in codes]
    # A general operation is only held whole: whoever is denied a part of it must not hand out all of it.
    general = [Need(provider=0, operation=operation, parts=codes) for operation in _GENERAL]
    for provider, need in product(providers, (*general, *verbs)):
        held_need = replace(need, provider=provider)
        if any(_exceeds(grant, held_need, having) for grant in new):
            return False
    return True


def _is_same_or_wider(held: Grant, grant: Grant) -> bool:
    return held.permission == grant.permission and held.scope.contains(grant.scope)


def _exceeds(grant: Grant, need: Need, having: tuple[Grant, ...]) -> bool:
    """Tell whether `grant` allows the whole or any part of `need` and nothing in `having` allows all of it there."""
    if grant.scope.provider not in (Provider.ANY, need.provider) or not grant.permission.permits(
        replace(need, parts=())
    ):
        return False
    place = replace(grant.scope, provider=need.provider)
    return not any(held.scope.contains(place) and held.permission.permits(need) for held in having)
