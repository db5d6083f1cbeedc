"""Locations, groups and nodes: named resources that the agent keeps and returns, without rules of their own.

Only what belongs to the resource's name is judged: that it is new or the version fits, that a group or node stands in a
location that exists, and that a location is not deleted from under them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from backend.core.errors import InconsistentState, InvalidInput, NotFound
from backend.service import audit
from backend.service.caller import Caller
from backend.service.versions import check_version, next_version
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import Resource

LOCATION: Final = "location"
GROUP: Final = "group"
NODE: Final = "node"
CERTIFICATE: Final = "certificate"

_LOCATED: Final = frozenset({GROUP, NODE})  # their names are their own within one location


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDraft:
    """A resource as a create-or-update call describes it; `body` is its message, `version` the one the caller read."""

    kind: str
    name: str
    location: str = ""
    version: str = ""
    body: bytes = b""
    tags: Mapping[str, str] = field(default_factory=dict)


def put(tx: Transaction, world: World, caller: Caller, draft: ResourceDraft) -> Resource:
    """Create the resource, or overwrite its body and tags.

    Raises:
        InvalidInput: a group or node without a location.
        NotFound: the location does not exist.
        OldVersion: the version sent is not the present one.
    """
    what = f"{draft.kind} {draft.name!r}"
    present = tx.resources.find(draft.kind, draft.name, draft.location)
    check_version(draft.version, "" if present is None else present.version, what)
    _check_location(tx, draft)
    now = world.clock.now()
    if present is None:
        resource = Resource(
            kind=draft.kind,
            name=draft.name,
            id=str(uuid.uuid4()),
            location=draft.location,
            version=next_version(now),
            created_at=now,
            body=draft.body,
            tags=dict(draft.tags),
        )
    else:
        resource = replace(present, version=next_version(now, present.version), body=draft.body, tags=dict(draft.tags))
    tx.resources.put(resource)
    _audit(tx, world, caller, f"{'create' if present is None else 'update'}_{draft.kind}", resource)
    return resource


def get(tx: Transaction, kind: str, name: str, location: str = "") -> Resource:
    """Return one resource.

    Raises:
        NotFound: there is none of that name, in that location where one is given.
        InvalidInput: no location is given and several have one of that name.
    """
    found = tx.resources.find(kind, name, location)
    if found is None and kind in _LOCATED and not location:  # some clients leave the location out
        namesakes = [resource for resource in tx.resources.all(kind) if resource.name == name]
        if len(namesakes) > 1:
            raise InvalidInput(f"there are {len(namesakes)} of {kind} {name!r}; say in which location")
        found = namesakes[0] if namesakes else None
    if found is None:
        place = f" in location {location!r}" if location else ""
        raise NotFound(f"{kind} {name!r}{place}: Not Found")
    return found


def list_all(tx: Transaction, kind: str, location: str = "") -> Sequence[Resource]:
    """Return all resources of a kind, of one location where one is given."""
    return [resource for resource in tx.resources.all(kind) if not location or resource.location == location]


def delete(tx: Transaction, world: World, caller: Caller, draft: ResourceDraft) -> None:
    """Remove a resource; only kind, name, location and version of the draft count.

    Raises:
        NotFound: it does not exist.
        OldVersion: the version sent is not the present one.
        InconsistentState: a location still holds groups or nodes.
    """
    resource = get(tx, draft.kind, draft.name, draft.location)
    check_version(draft.version, resource.version, f"{draft.kind} {draft.name!r}")
    if resource.kind == LOCATION:
        for kind in sorted(_LOCATED):
            held = list_all(tx, kind, resource.name)
            if held:
                raise InconsistentState(
                    f"location {resource.name!r} still holds {kind} {held[0].name!r}; delete what is in it first"
                )
    tx.resources.delete(resource.kind, resource.name, resource.location)
    _audit(tx, world, caller, f"delete_{resource.kind}", resource)


def _check_location(tx: Transaction, draft: ResourceDraft) -> None:
    if draft.kind not in _LOCATED:
        return
    if not draft.location:
        raise InvalidInput(f"{draft.kind} {draft.name!r} has no location; name one")
    if tx.resources.find(LOCATION, draft.location) is None:
        raise NotFound(f"location {draft.location!r} of {draft.kind} {draft.name!r}: Not Found; create it first")


def _audit(tx: Transaction, world: World, caller: Caller, action: str, resource: Resource) -> None:
    audit.record(
        tx,
        world.clock.now(),
        actor=caller.name,
        origin=caller.origin,
        action=action,
        subject=resource.name,
        detail={"location": resource.location} if resource.location else {},
    )
