"""RoleAgent and RoleAssignmentAgent: MOC's RBAC administration (moc/protocol.md 2.1 and 7)."""

from __future__ import annotations

from typing import Final

from google.protobuf.wrappers_pb2 import BoolValue

from backend.core.errors import NotSupported
from backend.core.rbac import RoleAssignment
from backend.server.servicer import Context, Served, Table
from backend.service import roles
from backend.wire.convert.checks import check_optional_name
from backend.wire.convert.roles import assignment_from, assignment_message, role_from, role_message, scope_from
from backend.wire.convert.statuses import version_from
from backend.wire.methods import get_method
from backend.wire.moc import common_pb2, role_pb2, roleassignment_pb2


def _invoke_role(context: Context, request: role_pb2.RoleRequest) -> role_pb2.RoleResponse:
    tx, world, caller = context.tx, context.world, context.caller
    if request.OperationType == common_pb2.GET:
        names = [entry.name for entry in request.Roles if entry.name]
        found = [roles.get_role(tx, name) for name in names] if names else list(roles.list_roles(tx))
    elif request.OperationType == common_pb2.POST:
        found = [roles.put_role(tx, world, caller, role_from(entry)) for entry in request.Roles]
    elif request.OperationType == common_pb2.DELETE:
        for entry in request.Roles:
            roles.delete_role(tx, world, caller, entry.name, version=version_from(entry))
        found = []
    else:
        raise NotSupported(f"RoleAgent knows GET, POST and DELETE, not operation {request.OperationType}")
    return role_pb2.RoleResponse(Roles=[role_message(role) for role in found], Result=BoolValue(value=True))


def _wanted(entry: roleassignment_pb2.RoleAssignment) -> RoleAssignment:
    """What a GET or DELETE looks for: every member is optional (moc/protocol.md 2.1)."""
    return RoleAssignment(
        name=check_optional_name(entry.name, "assignment name"),
        role_name=check_optional_name(entry.roleName, "roleName"),
        identity_name=check_optional_name(entry.identityName, "identityName"),
        scope=scope_from(entry.scope),
        version=version_from(entry),
    )


def _invoke_assignment(
    context: Context, request: roleassignment_pb2.RoleAssignmentRequest
) -> roleassignment_pb2.RoleAssignmentResponse:
    tx, world, caller = context.tx, context.world, context.caller
    if request.OperationType == common_pb2.GET:
        entries = list(request.roleAssignments) or [roleassignment_pb2.RoleAssignment()]
        found = [one for entry in entries for one in roles.find_assignments(tx, _wanted(entry))]
    elif request.OperationType == common_pb2.POST:
        found = [roles.assign_role(tx, world, caller, assignment_from(entry)) for entry in request.roleAssignments]
    elif request.OperationType == common_pb2.DELETE:
        for entry in request.roleAssignments:
            roles.remove_assignment(tx, world, caller, _wanted(entry))
        found = []
    else:
        raise NotSupported(f"RoleAssignmentAgent knows GET, POST and DELETE, not operation {request.OperationType}")
    shown = [assignment_message(assignment) for assignment in found]
    return roleassignment_pb2.RoleAssignmentResponse(roleAssignments=shown, Result=BoolValue(value=True))


TABLE: Final[Table] = {
    get_method("RoleAgent", "Invoke").path: Served(_invoke_role),
    get_method("RoleAssignmentAgent", "Invoke").path: Served(_invoke_assignment),
}
