"""The MOC messages are those of the public protocol, field by field; `moc_tables.txt` holds the facts."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

from backend.wire.methods import DATA_METHODS, LOGIN_METHODS, METHODS
from backend.wire.moc import (
    authentication_pb2,
    certificate_pb2,
    common_pb2,
    computecommon_pb2,
    credentialmonitor_pb2,
    group_pb2,
    health_pb2,
    identity_pb2,
    location_pb2,
    node_pb2,
    nodeinfo_pb2,
    role_pb2,
    roleassignment_pb2,
    security_pb2,
    version_pb2,
)
from backend.wire.mocdeck.v1 import client_pb2, operation_pb2

Table = dict[str, list[str]]  # "message moc.Tag" -> ["1 key string", "2 value string"]

FILES: tuple[FileDescriptor, ...] = tuple(
    module.DESCRIPTOR
    for module in (
        authentication_pb2,
        certificate_pb2,
        common_pb2,
        computecommon_pb2,
        credentialmonitor_pb2,
        group_pb2,
        health_pb2,
        identity_pb2,
        location_pb2,
        node_pb2,
        nodeinfo_pb2,
        role_pb2,
        roleassignment_pb2,
        security_pb2,
        version_pb2,
    )
)
TYPES = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
}


def published() -> Table:
    table: Table = {}
    rows: list[str] = []
    for line in (Path(__file__).parent / "moc_tables.txt").read_text().splitlines():
        if line.startswith("  "):
            rows.append(line.strip())
        elif not line.startswith("#"):
            assert line not in table, f"{line} stands twice in the tables"
            table[line] = rows = []
    return {name: sorted(rows) for name, rows in table.items()}


def type_of(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        return f"map<{type_of(key)}, {type_of(value)}>"
    described = field.message_type or field.enum_type
    name = described.full_name if described is not None else TYPES[field.type]
    return f"repeated {name}" if field.is_repeated else name


def field_row(field: FieldDescriptor) -> str:
    options = field.GetOptions()
    flags = {"sensitive": options.debug_redact, "deprecated": options.deprecated}
    return " ".join(
        [str(field.number), field.name, type_of(field), *(flag for flag, is_set in flags.items() if is_set)]
    )


def message_rows(message: Descriptor) -> list[str]:
    return sorted(field_row(field) for field in message.fields)


def enum_rows(enum: EnumDescriptor) -> list[str]:
    return sorted(f"{value.number} {value.name}" for value in enum.values)


def served() -> Table:
    table: Table = {}
    for file in FILES:
        table |= {f"message {m.full_name}": message_rows(m) for m in file.message_types_by_name.values()}
        table |= {f"enum {e.full_name}": enum_rows(e) for e in file.enum_types_by_name.values()}
        for service in file.services_by_name.values():
            for method in service.methods:
                names = f"{method.input_type.full_name} {method.output_type.full_name}"
                table[f"rpc /{service.full_name}/{method.name} {names}"] = []
    return table


@pytest.mark.parametrize("name", sorted(published()))
def test_each_message_enum_and_rpc_is_the_published_one(name: str) -> None:
    assert served()[name] == published()[name]


def test_nothing_is_added_to_the_published_messages() -> None:
    assert served().keys() == published().keys()


def test_every_moc_file_is_compared() -> None:
    folder = Path(common_pb2.__file__).parent
    assert {file.name.rpartition("/")[2] for file in FILES} == {path.name for path in folder.glob("*.proto")}


def test_the_method_table_has_exactly_the_published_rpcs_of_moc() -> None:
    paths = {name.split()[1] for name in published() if name.startswith("rpc ")}
    assert {path for path in METHODS if path.startswith("/moc.")} == paths


def test_the_method_table_names_the_published_requests_and_responses() -> None:
    for name in published():
        if name.startswith("rpc "):
            _, path, request, response = name.split()
            method = METHODS[path]
            assert (method.request.DESCRIPTOR.full_name, method.response.DESCRIPTOR.full_name) == (request, response)
            assert not method.streams_answers


def test_only_sign_in_and_the_public_chain_are_on_the_login_port() -> None:
    assert set(LOGIN_METHODS) == {
        "/moc.cloudagent.security.AuthenticationAgent/Login",
        "/mocdeck.v1.TrustAgent/GetBundleChain",
    }
    assert not LOGIN_METHODS.keys() & DATA_METHODS.keys()


@pytest.mark.parametrize("name", ["BeatReply.login_token", "LoginFile.yaml"])
def test_a_secret_of_our_own_messages_is_marked_too(name: str) -> None:
    message, _, field = name.partition(".")
    file = {"BeatReply": client_pb2, "LoginFile": operation_pb2}[message].DESCRIPTOR
    assert file.message_types_by_name[message].fields_by_name[field].GetOptions().debug_redact
