"""Roles and assignments on the wire, and that core's numbers are the protocol's."""

from __future__ import annotations

from enum import IntEnum

import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.delta import ClientColumns, ClientFlag
from backend.core.errors import InvalidInput
from backend.core.model import ClientType
from backend.core.rbac import (
    PERMISSIONS,
    Action,
    GeneralOperation,
    Permission,
    Provider,
    ProviderOperation,
    Role,
    RoleAssignment,
    Scope,
)
from backend.core.roles import BUILT_IN
from backend.wire import convert
from backend.wire.methods import METHODS
from backend.wire.moc import common_pb2, role_pb2, roleassignment_pb2, security_pb2
from backend.wire.mocdeck.v1 import fleet_pb2

quick = settings(derandomize=True, deadline=None, max_examples=60)

names = st.text("abcZ09-", min_size=1, max_size=20)
optional = st.one_of(st.just(""), names)
providers = st.sampled_from(sorted(common_pb2.ProviderType.values()))
verbs = st.sampled_from(sorted(common_pb2.ProviderAccessOperation.values()))
plain = st.sampled_from([GeneralOperation.READ, GeneralOperation.WRITE, GeneralOperation.DELETE, GeneralOperation.ALL])
actions = st.one_of(
    st.builds(Action, provider=providers, operation=plain),
    st.builds(
        Action,
        provider=providers,
        operation=st.just(GeneralOperation.PROVIDER_ACTION),
        provider_operation=verbs.filter(bool),
    ),
)
scopes = st.builds(Scope, location=optional, group=optional, provider=providers, resource=optional)
tags = st.dictionaries(names, names, max_size=3)
versions = st.one_of(st.just(""), st.integers(1, 10**19).map(str))
permissions = st.builds(
    Permission,
    actions=st.lists(actions, min_size=1, max_size=4).map(tuple),
    not_actions=st.lists(actions, max_size=3).map(tuple),
)


@quick
@given(
    st.builds(
        Role,
        name=names,
        permissions=st.lists(permissions, min_size=1, max_size=3).map(tuple),
        assignable_scopes=st.lists(scopes, max_size=3).map(tuple),
        tags=tags,
        version=versions,
    )
)
def test_a_role_survives_the_wire(role: Role) -> None:
    sent = convert.role_message(role).SerializeToString()
    assert convert.role_from(role_pb2.Role.FromString(sent)) == role


@quick
@given(
    st.builds(
        RoleAssignment,
        name=optional,
        role_name=names,
        identity_name=names,
        scope=scopes,
        tags=tags,
        version=versions,
    )
)
def test_an_assignment_survives_the_wire(assignment: RoleAssignment) -> None:
    sent = convert.assignment_message(assignment).SerializeToString()
    assert convert.assignment_from(roleassignment_pb2.RoleAssignment.FromString(sent)) == assignment


def test_every_built_in_role_can_be_shown_and_read_by_the_go_sdk() -> None:
    for role in BUILT_IN:
        message = convert.role_message(role)
        assert message.id == role.id
        assert message.status.HasField("version")
        shown = [action for permission in message.permissions for action in permission.actions]
        assert shown
        assert all(action.generalOperation for action in shown)


def role(*actions: role_pb2.Action, without: tuple[role_pb2.Action, ...] = ()) -> role_pb2.Role:
    return role_pb2.Role(name="r", permissions=[role_pb2.Permission(actions=actions, notActions=without)])


READ = role_pb2.Action(generalOperation=role_pb2.Read)
VERB = role_pb2.Action(generalOperation=role_pb2.ProviderAction)


def raw(message: bytes) -> role_pb2.Action:
    """An action with numbers that this release does not know."""
    return role_pb2.Action.FromString(message)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (role_pb2.Role(name="r"), "no permissions"),
        (role_pb2.Role(name="a/b"), "looks like a path"),
        (role(), "without actions"),
        (role(role_pb2.Action()), "no generalOperation"),
        (role(role_pb2.Action(operation=role_pb2.OBSOLETE_Read)), "no generalOperation"),
        (role(VERB), "set providerOperation"),
        (role(raw(b"\x18\x09")), "generalOperation 9 is unknown"),
        (role(raw(b"\x10\x63\x18\x01")), "providerType 99"),
        (role(raw(b"\x18\x05\x20\x63")), "providerOperation 99"),
        (role(*[READ] * 257), "257 actions of role r"),
        (role(READ, without=(READ,) * 257), "257 notActions of role r"),
        (role_pb2.Role(name="r", permissions=[role_pb2.Permission()] * 33), "33 permissions"),
        (
            role_pb2.Role(name="r", permissions=role(READ).permissions, assignableScopes=[security_pb2.Scope()] * 65),
            "65 assignable scopes",
        ),
    ],
)
def test_a_role_that_says_nothing_or_too_much_is_refused(message: role_pb2.Role, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        convert.role_from(message)


def test_a_not_action_may_take_every_verb_away() -> None:
    taken = convert.role_from(role(READ, without=(VERB,))).permissions[0].not_actions[0]
    assert taken == Action(provider=0, operation=GeneralOperation.PROVIDER_ACTION)


@pytest.mark.parametrize(
    ("obsolete", "operation"),
    [
        (role_pb2.OBSOLETE_Write, GeneralOperation.WRITE),
        (role_pb2.OBSOLETE_Delete, GeneralOperation.DELETE),
        (role_pb2.OBSOLETE_All, GeneralOperation.ALL),
    ],
)
def test_an_old_client_is_understood_where_its_field_is_not_ambiguous(
    obsolete: role_pb2.AccessOperation, operation: GeneralOperation
) -> None:
    read = convert.role_from(role(role_pb2.Action(operation=obsolete)))
    assert read.permissions[0].actions[0].operation is operation


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (roleassignment_pb2.RoleAssignment(identityName="i"), "roleName is empty"),
        (roleassignment_pb2.RoleAssignment(roleName="r"), "identityName is empty"),
        (
            roleassignment_pb2.RoleAssignment(
                roleName="r", identityName="i", scope=security_pb2.Scope(resourceGroup="a/b")
            ),
            "resourceGroup of the scope",
        ),
    ],
)
def test_an_assignment_names_a_role_and_an_identity(message: roleassignment_pb2.RoleAssignment, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        convert.assignment_from(message)


def as_proto(name: str) -> str:
    return name.replace("_", "").lower()


@pytest.mark.parametrize(
    ("words", "published"),
    [
        (Provider, common_pb2.ProviderType),
        (ProviderOperation, common_pb2.ProviderAccessOperation),
        (GeneralOperation, role_pb2.GeneralAccessOperation),
        (ClientType, common_pb2.ClientType),
        (ClientFlag, fleet_pb2.ClientFlag),
    ],
)
def test_the_numbers_that_core_writes_down_are_the_protocols(words: type[IntEnum], published: EnumTypeWrapper) -> None:
    by_number = {number: as_proto(name) for name, number in published.items()}
    by_number[common_pb2.AnyProvider] = "any" if words is Provider else by_number[0]
    assert {word.value: as_proto(word.name) for word in words.__members__.values()}.items() <= by_number.items()


def test_the_columns_that_core_writes_down_are_the_messages() -> None:
    fields = fleet_pb2.ClientColumns.DESCRIPTOR.fields
    columns = [field.name for field in fields if field.message_type is fleet_pb2.Column.DESCRIPTOR]
    assert columns == list(ClientColumns.__dataclass_fields__)


def test_every_served_method_has_a_permission_row_and_no_row_is_left_over() -> None:
    assert PERMISSIONS.keys() == METHODS.keys()
