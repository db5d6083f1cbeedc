"""The operator's calls to MOC's own directory services: identities, roles, assignments and the agent itself.

They carry MOC's messages as the Go clients do. Verbs with an empty name, which MOC reads as "all", are refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from backend.client.session import Session
from backend.core.errors import InvalidInput, NotFound
from backend.wire.moc import (
    common_pb2,
    identity_pb2,
    role_pb2,
    roleassignment_pb2,
    version_pb2,
)

if TYPE_CHECKING:
    from backend.wire.moc.common_pb2 import Operation, ProviderAccessOperation

T = TypeVar("T")


class IdentityCalls:
    """Identities: made, read, deleted, revoked, their tokens rotated."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def identities(self) -> Sequence[identity_pb2.Identity]:
        """Return all identities.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection; so do all calls here.
        """
        return await self._identities(identity_pb2.Identity(), common_pb2.GET)

    async def get_identity(self, name: str) -> identity_pb2.Identity:
        """Return one identity."""
        return _one(await self._identities(identity_pb2.Identity(name=_named(name)), common_pb2.GET), name)

    async def put_identity(self, identity: identity_pb2.Identity) -> identity_pb2.Identity:
        """Make or change an identity; a new one's answer carries its token."""
        _named(identity.name)
        return _one(await self._identities(identity, common_pb2.POST), identity.name)

    async def delete_identity(self, name: str) -> None:
        """Delete an identity, with its certificates and assignments."""
        await self._identities(identity_pb2.Identity(name=_named(name)), common_pb2.DELETE)

    async def revoke_identity(self, name: str) -> identity_pb2.Identity:
        """End an identity's certificates and tokens at once."""
        return await self._operate(name, common_pb2.Identity_Revoke)

    async def rotate_identity(self, name: str) -> identity_pb2.Identity:
        """Give an identity a fresh token; the answer carries it."""
        return await self._operate(name, common_pb2.Identity_Rotate)

    async def _identities(
        self, identity: identity_pb2.Identity, operation: Operation
    ) -> Sequence[identity_pb2.Identity]:
        request = identity_pb2.IdentityRequest(Identitys=[identity], OperationType=operation)
        answer = await self._session.call("IdentityAgent", "Invoke", request, identity_pb2.IdentityResponse)
        return list(answer.Identitys)

    async def _operate(self, name: str, operation: ProviderAccessOperation) -> identity_pb2.Identity:
        request = identity_pb2.IdentityOperationRequest(
            Identities=[identity_pb2.Identity(name=_named(name))], OperationType=operation
        )
        answer = await self._session.call("IdentityAgent", "Operate", request, identity_pb2.IdentityResponse)
        return _one(list(answer.Identitys), name)


class RoleCalls:
    """Roles and who holds them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def roles(self) -> Sequence[role_pb2.Role]:
        """Return all roles, built-in ones too."""
        return await self._roles(role_pb2.Role(), common_pb2.GET)

    async def get_role(self, name: str) -> role_pb2.Role:
        """Return one role."""
        return _one(await self._roles(role_pb2.Role(name=_named(name)), common_pb2.GET), name)

    async def put_role(self, role: role_pb2.Role) -> role_pb2.Role:
        """Make or change a role."""
        _named(role.name)
        return _one(await self._roles(role, common_pb2.POST), role.name)

    async def delete_role(self, name: str) -> None:
        """Delete a role that nobody holds."""
        await self._roles(role_pb2.Role(name=_named(name)), common_pb2.DELETE)

    async def assignments(self, *, identity: str = "", role: str = "") -> Sequence[roleassignment_pb2.RoleAssignment]:
        """Return assignments, of one identity or role if named."""
        wanted = roleassignment_pb2.RoleAssignment(identityName=identity, roleName=role)
        return await self._assignments(wanted, common_pb2.GET)

    async def put_assignment(self, assignment: roleassignment_pb2.RoleAssignment) -> roleassignment_pb2.RoleAssignment:
        """Give an identity a role; without a name of its own the agent chooses one."""
        _named(assignment.identityName)
        _named(assignment.roleName)
        return _one(await self._assignments(assignment, common_pb2.POST), assignment.identityName)

    async def delete_assignment(self, *, name: str = "", identity: str = "", role: str = "") -> None:
        """Take a role away: by the assignment's name, or by identity and role."""
        if not name and not (identity and role):
            raise InvalidInput("name the assignment, or the identity and the role")
        gone = roleassignment_pb2.RoleAssignment(name=name, identityName=identity, roleName=role)
        await self._assignments(gone, common_pb2.DELETE)

    async def _roles(self, role: role_pb2.Role, operation: Operation) -> Sequence[role_pb2.Role]:
        request = role_pb2.RoleRequest(Roles=[role], OperationType=operation)
        answer = await self._session.call("RoleAgent", "Invoke", request, role_pb2.RoleResponse)
        return list(answer.Roles)

    async def _assignments(
        self, assignment: roleassignment_pb2.RoleAssignment, operation: Operation
    ) -> Sequence[roleassignment_pb2.RoleAssignment]:
        request = roleassignment_pb2.RoleAssignmentRequest(roleAssignments=[assignment], OperationType=operation)
        kind = roleassignment_pb2.RoleAssignmentResponse
        answer = await self._session.call("RoleAssignmentAgent", "Invoke", request, kind)
        return list(answer.roleAssignments)


class AgentCalls:
    """The agent itself."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def agent_version(self) -> version_pb2.VersionResponse:
        """Return the agent's version."""
        return await self._session.call(
            "VersionAgent", "Get", version_pb2.VersionRequest(), version_pb2.VersionResponse
        )


def _named(name: str) -> str:
    if not name:
        raise InvalidInput("a name is needed here: MOC reads an empty one as all of them")
    return name


def _one(found: Sequence[T], name: str) -> T:
    if not found:
        raise NotFound(f"the agent's answer about {name} is empty")
    return found[0]
