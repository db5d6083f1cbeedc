"""Every RPC that the agent serves, read from the descriptors: the one table that server and client share.

It says what goes over the wire, not who may call: permissions are `backend.core.rbac`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from backend.wire.moc import (
    authentication_pb2,
    certificate_pb2,
    credentialmonitor_pb2,
    group_pb2,
    health_pb2,
    identity_pb2,
    location_pb2,
    node_pb2,
    role_pb2,
    roleassignment_pb2,
    version_pb2,
)
from backend.wire.mocdeck.v1 import (
    alert_pb2,
    audit_pb2,
    authority_pb2,
    client_pb2,
    delivery_pb2,
    fleet_pb2,
    operation_pb2,
    trust_pb2,
)

# The login port asks for no client certificate: there is the service that hands one out (protocol.md 1.1), and the one
# by which whoever no longer trusts the agent finds its way back.
LOGIN_FILES: Final[tuple[FileDescriptor, ...]] = (authentication_pb2.DESCRIPTOR, trust_pb2.DESCRIPTOR)
DATA_FILES: Final[tuple[FileDescriptor, ...]] = (
    identity_pb2.DESCRIPTOR,
    certificate_pb2.DESCRIPTOR,
    role_pb2.DESCRIPTOR,
    roleassignment_pb2.DESCRIPTOR,
    location_pb2.DESCRIPTOR,
    group_pb2.DESCRIPTOR,
    node_pb2.DESCRIPTOR,
    health_pb2.DESCRIPTOR,
    version_pb2.DESCRIPTOR,
    credentialmonitor_pb2.DESCRIPTOR,
    fleet_pb2.DESCRIPTOR,
    operation_pb2.DESCRIPTOR,
    authority_pb2.DESCRIPTOR,
    client_pb2.DESCRIPTOR,
    audit_pb2.DESCRIPTOR,
    alert_pb2.DESCRIPTOR,
    delivery_pb2.DESCRIPTOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One RPC. `service` is the full name; requests are always single messages, answers may be a stream."""

    service: str
    name: str
    request: type[Message]
    response: type[Message]
    streams_answers: bool

    @property
    def path(self) -> str:
        """The gRPC path, as in `/moc.cloudagent.security.IdentityAgent/Invoke`."""
        return f"/{self.service}/{self.name}"


def _methods(files: tuple[FileDescriptor, ...]) -> Iterator[Method]:
    for file in files:
        for service in file.services_by_name.values():
            for method in service.methods:
                yield Method(
                    service=service.full_name,
                    name=method.name,
                    request=GetMessageClass(method.input_type),
                    response=GetMessageClass(method.output_type),
                    streams_answers=method.server_streaming,
                )


def _by_path(files: tuple[FileDescriptor, ...]) -> Mapping[str, Method]:
    return MappingProxyType({method.path: method for method in _methods(files)})


LOGIN_METHODS: Final = _by_path(LOGIN_FILES)
DATA_METHODS: Final = _by_path(DATA_FILES)
METHODS: Final[Mapping[str, Method]] = MappingProxyType({**LOGIN_METHODS, **DATA_METHODS})
_BY_NAME: Final = {(method.service.rpartition(".")[2], method.name): method for method in METHODS.values()}


def get_method(service: str, name: str) -> Method:
    """Return the RPC `name` of the service with the short name `service`, as in `get_method("FleetAgent", "Read")`.

    Raises:
        KeyError: no such service is served, or it has no such RPC.
    """
    return _BY_NAME[service, name]
