"""LocationAgent, GroupAgent and NodeAgent: named resources with one set of verbs (moc/protocol.md 2.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BoolValue

from backend.core.errors import NotSupported
from backend.server.servicer import Context, Handler, Served, Table
from backend.service import inventory
from backend.store.records import Resource
from backend.wire.convert.resources import group_from, location_from, node_from
from backend.wire.convert.statuses import status_message, tags_from, version_from
from backend.wire.methods import get_method
from backend.wire.moc import common_pb2, group_pb2, location_pb2, node_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How one kind of resource is called on the wire, and how its entries are checked."""

    kind: str
    entries: str  # the repeated field of request and response
    message: type[Message]
    response: type[Message]
    check: Callable[[Any], Any]


_KINDS: Final = {
    "LocationAgent": _Kind(
        kind=inventory.LOCATION,
        entries="Locations",
        message=location_pb2.Location,
        response=location_pb2.LocationResponse,
        check=location_from,
    ),
    "GroupAgent": _Kind(
        kind=inventory.GROUP,
        entries="Groups",
        message=group_pb2.Group,
        response=group_pb2.GroupResponse,
        check=group_from,
    ),
    "NodeAgent": _Kind(
        kind=inventory.NODE,
        entries="Nodes",
        message=node_pb2.Node,
        response=node_pb2.NodeResponse,
        check=node_from,
    ),
}


def _location_of(entry: Any) -> str:
    return str(getattr(entry, "locationName", ""))


def _draft(kind: _Kind, entry: Any) -> inventory.ResourceDraft:
    return inventory.ResourceDraft(
        kind=kind.kind,
        name=entry.name,
        location=_location_of(entry),
        version=version_from(entry),
        body=entry.SerializeToString(),
        tags=tags_from(entry.tags),
    )


def _shown(kind: _Kind, resource: Resource) -> Any:
    message: Any = kind.message()
    message.ParseFromString(resource.body)
    message.id = resource.id
    message.status.CopyFrom(status_message(resource.version))
    return message


def _get(context: Context, kind: _Kind, entries: list[Any]) -> list[Any]:
    named = [entry for entry in entries if entry.name]
    if named:
        found = [inventory.get(context.tx, kind.kind, entry.name, _location_of(entry)) for entry in named]
    else:
        location = _location_of(entries[0]) if entries else ""
        found = list(inventory.list_all(context.tx, kind.kind, location))
    return [_shown(kind, resource) for resource in found]


def _invoking(kind: _Kind) -> Handler:
    def invoke(context: Context, request: Any) -> Message:
        entries = list(getattr(request, kind.entries))
        tx, world, caller = context.tx, context.world, context.caller
        if request.OperationType == common_pb2.GET:
            shown = _get(context, kind, entries)
        elif request.OperationType == common_pb2.POST:
            drafts = [_draft(kind, kind.check(entry)) for entry in entries]
            shown = [_shown(kind, inventory.put(tx, world, caller, draft)) for draft in drafts]
        elif request.OperationType == common_pb2.DELETE:
            for entry in entries:
                inventory.delete(tx, world, caller, _draft(kind, entry))
            shown = []
        else:
            raise NotSupported(f"{kind.kind}s know GET, POST and DELETE, not operation {request.OperationType}")
        return kind.response(**{kind.entries: shown, "Result": BoolValue(value=True)})

    return invoke


TABLE: Final[Table] = {get_method(service, "Invoke").path: Served(_invoking(kind)) for service, kind in _KINDS.items()}
