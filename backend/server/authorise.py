"""May this caller make this call: reads from the request what the permission table asks about.

The rows are `backend.core.rbac`; here a request becomes the code, the place and the "about oneself" of a row.
What is not understood is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from backend.core.errors import AccessDenied, InvalidInput
from backend.core.grants import ANYWHERE, Scope
from backend.core.plan import ActionKind
from backend.core.rbac import PERMISSIONS, POST, allows
from backend.server.servicer import Context
from backend.service.planning import OPERATION
from backend.wire.convert import verbs
from backend.wire.convert.actions import NUMBERS
from backend.wire.methods import get_method


def _path(service: str, name: str) -> str:
    return get_method(service, name).path


def _action_of_plan(context: Context, request: Any) -> int:
    stored = context.tx.plans.get(request.plan_id)
    if stored.kind != OPERATION:
        raise InvalidInput(f"plan {stored.id} is a plan for another kind of action; make a new plan")
    return NUMBERS[ActionKind(json.loads(stored.body)["action"])]


def _action_of_operation(context: Context, request: Any) -> int:
    return NUMBERS[ActionKind(context.tx.operations.get(request.id).action)]


_CODES: Final[Mapping[str, Callable[[Context, Any], int]]] = {
    **{
        _path(service, "Invoke"): lambda _, request: int(request.OperationType)
        for service in ("IdentityAgent", "RoleAgent", "RoleAssignmentAgent", "LocationAgent", "GroupAgent", "NodeAgent")
    },
    _path("IdentityAgent", "Operate"): lambda _, request: verbs.identity_verb(request),
    _path("IdentityAgent", "OperateCertificates"): lambda _, request: verbs.certificate_verb(request),
    _path("OperationAgent", "Start"): _action_of_plan,
    _path("OperationAgent", "Stop"): _action_of_operation,
}

# Which identities a call is about: when all are the caller's own, it is about itself.
_NAMED: Final[Mapping[str, Callable[[Any], Sequence[str]]]] = {
    _path("IdentityAgent", "Invoke"): lambda request: [entry.name for entry in request.Identitys],
    _path("IdentityAgent", "OperateCertificates"): lambda request: [request.IdentityName],
    _path("CertificateAgent", "Renew"): lambda request: [order.name for order in request.CSRs],
    _path("FleetAgent", "Describe"): lambda request: [request.name],
}

# The repeated field that holds the identities a call is about. A request says where it wants one to be; where it is,
# and so who may touch it, is its row's to say.
_IDENTITIES: Final[Mapping[str, str]] = {
    _path("IdentityAgent", "Invoke"): "Identitys",
    _path("IdentityAgent", "Operate"): "Identities",
}

# The same for things that are looked up by name and location together, so that the request's location is the true one.
_ENTRIES: Final[Mapping[str, str]] = {
    _path("LocationAgent", "Invoke"): "Locations",
    _path("GroupAgent", "Invoke"): "Groups",
    _path("NodeAgent", "Invoke"): "Nodes",
    _path("CertificateAgent", "Get"): "Certificates",
}


def authorise(context: Context, request: Any) -> None:
    """Let the call pass.

    Raises:
        AccessDenied: no row allows it to this caller; the sentence names both.
        InvalidInput, NotSupported: the request does not say which operation it means.
    """
    path, caller = context.call.path, context.caller
    rule = PERMISSIONS.get(path)
    find_code = _CODES.get(path)
    code = find_code(context, request) if find_code is not None else None
    named = _NAMED[path](request) if path in _NAMED else ()
    is_self = bool(named) and all(name == caller.name for name in named)
    for place in _places(context, request, is_post=code == POST):
        if not allows(rule, caller.grants, code=code, is_self=is_self, on=place):
            raise AccessDenied(
                f"{caller.name} may not call {path.rpartition('.')[2]}: Access is denied; no role assigned to it allows"
                " this, an owner can assign one"
            )


def _places(context: Context, request: Any, *, is_post: bool) -> Sequence[Scope]:
    """Return where the things in question are; at least one place, so that an empty request is judged too."""
    path = context.call.path
    places: list[Scope] = []
    if path in _IDENTITIES:
        for entry in getattr(request, _IDENTITIES[path]):
            places += _places_of_identity(context, entry, is_post=is_post)
    elif path in _ENTRIES:
        entries = getattr(request, _ENTRIES[path])
        places += [Scope(location=getattr(entry, "locationName", ""), resource=entry.name) for entry in entries]
    return places or [ANYWHERE]


def _places_of_identity(context: Context, entry: Any, *, is_post: bool) -> Sequence[Scope]:
    """Where an identity is and, when it is made or changed, where it is to be; one without a name means all of them."""
    if not entry.name:
        return [ANYWHERE]
    wanted = Scope(location=entry.locationName, resource=entry.name)
    found = context.tx.identities.find(entry.name)
    if found is None:
        return [wanted]
    present = Scope(location=found.location, resource=entry.name)
    return [present, wanted] if is_post else [present]
