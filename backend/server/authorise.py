"""May this caller make this call: reads from the request what the permission table asks about.

The rows are `backend.core.permissions`; here a request becomes the code, the place and the "about oneself" of a row.
What is not understood is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from backend.core.errors import AccessDenied
from backend.core.grants import ANYWHERE, Scope
from backend.core.plan import ActionKind
from backend.core.rbac import PERMISSIONS, allows
from backend.server.servicer import Context
from backend.wire.convert import verbs
from backend.wire.convert.actions import NUMBERS
from backend.wire.methods import get_method


def _path(service: str, name: str) -> str:
    return get_method(service, name).path


def _action_of_plan(context: Context, request: Any) -> int:
    return NUMBERS[ActionKind(json.loads(context.tx.plans.get(request.plan_id).body)["action"])]


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

# The repeated field that holds the things a call is about; their places bound what a scoped role reaches.
_ENTRIES: Final[Mapping[str, str]] = {
    _path("IdentityAgent", "Invoke"): "Identitys",
    _path("IdentityAgent", "Operate"): "Identities",
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
    for place in _places(path, request):
        if not allows(rule, caller.grants, code=code, is_self=is_self, on=place):
            raise AccessDenied(
                f"{caller.name} may not call {path.rpartition('.')[2]}: Access is denied; no role assigned to it allows"
                " this, an owner can assign one"
            )


def _places(path: str, request: Any) -> Sequence[Scope]:
    """Return where the things in question are; at least one place, so that an empty request is judged too."""
    field = _ENTRIES.get(path)
    entries = getattr(request, field) if field is not None else ()
    places = [Scope(location=getattr(entry, "locationName", ""), resource=entry.name) for entry in entries]
    return places or [ANYWHERE]
