"""Locations, groups, nodes and named certificates: kept as the messages they came as, once checked.

The agent does nothing with these but keep and return them, so it keeps what a client may send, field by field, and
nothing that only the agent decides.
"""

from __future__ import annotations

from backend.core.errors import InvalidInput
from backend.wire.convert.certificates import decoded
from backend.wire.convert.checks import check_name, check_optional_name, check_port, check_text
from backend.wire.convert.statuses import status_message, tags_from, tags_message, version_from
from backend.wire.moc import certificate_pb2, group_pb2, location_pb2, node_pb2


def location_from(message: location_pb2.Location) -> location_pb2.Location:
    """A location as it will be kept: name and tags, with the version that the caller read.

    Raises:
        InvalidInput: a field is wrong.
    """
    return location_pb2.Location(
        name=check_name(message.name, "location name"),
        status=status_message(version_from(message)),
        tags=tags_message(tags_from(message.tags)),
    )


def group_from(message: group_pb2.Group) -> group_pb2.Group:
    """A group as it will be kept: name, location and tags, with the version that the caller read.

    Raises:
        InvalidInput: a field is wrong.
    """
    return group_pb2.Group(
        name=check_name(message.name, "group name"),
        locationName=check_name(message.locationName, "locationName"),
        status=status_message(version_from(message)),
        tags=tags_message(tags_from(message.tags)),
    )


def node_from(message: node_pb2.Node) -> node_pb2.Node:
    """A node as it will be kept: name, address, ports, location, certificate and tags, with the version read.

    Its running state and host description are facts about the host, which a caller cannot declare.

    Raises:
        InvalidInput: a field is wrong, or the address or a port is missing, which MOC's own clients always send.
    """
    if not message.fqdn:
        raise InvalidInput("fqdn of the node is empty; send the name its agent is reached by")
    for port, what in ((message.port, "port"), (message.authorizerPort, "authorizerPort")):
        if not check_port(port, what):
            raise InvalidInput(f"{what} of the node is missing; send the one its agent listens on")
    if message.certificate:
        decoded(message.certificate, "certificate of the node")
    return node_pb2.Node(
        name=check_name(message.name, "node name"),
        fqdn=check_text(message.fqdn, "fqdn"),
        locationName=check_name(message.locationName, "locationName"),
        certificate=message.certificate,
        port=message.port,
        authorizerPort=message.authorizerPort,
        status=status_message(version_from(message)),
        tags=tags_message(tags_from(message.tags)),
    )


def named_certificate_from(message: certificate_pb2.Certificate) -> certificate_pb2.Certificate:
    """A named certificate as CertificateAgent will keep it: name, type, group, vault, location and tags.

    The certificate itself and its dates come from the agent's own signing, never from a caller.

    Raises:
        InvalidInput: a field is wrong or the type is unknown.
    """
    if message.type not in certificate_pb2.CertificateType.values():
        raise InvalidInput(f"certificate type is {message.type}; 0 (Client) and 1 (Server) are known")
    return certificate_pb2.Certificate(
        name=check_name(message.name, "certificate name"),
        type=message.type,
        groupName=check_optional_name(message.groupName, "groupName"),
        vaultName=check_optional_name(message.vaultName, "vaultName"),
        locationName=check_optional_name(message.locationName, "locationName"),
        status=status_message(version_from(message)),
        tags=tags_message(tags_from(message.tags)),
    )
