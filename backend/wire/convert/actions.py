"""Kinds of action, and whom an update is about, on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from backend.core.errors import InvalidInput
from backend.core.planrules import ActionKind
from backend.core.update import UpdateScope
from backend.wire.convert.checks import check_name
from backend.wire.mocdeck.v1 import operation_pb2

NUMBERS: Final[Mapping[ActionKind, operation_pb2.ActionKind]] = {
    ActionKind.RENEW: operation_pb2.RENEW,
    ActionKind.ROTATE_TOKEN: operation_pb2.ROTATE_TOKEN,
    ActionKind.REPAIR: operation_pb2.REPAIR,
    ActionKind.UPDATE: operation_pb2.UPDATE,
}
_KINDS: Final = {int(number): kind for kind, number in NUMBERS.items()}


def action_kind(number: int) -> ActionKind:
    """The kind of action that a request names.

    Raises:
        InvalidInput: it names none of the four.
    """
    try:
        return _KINDS[number]
    except KeyError:
        raise InvalidInput(f"action {number} is none of RENEW (1), ROTATE_TOKEN (2), REPAIR (3), UPDATE (4)") from None


def update_scope(message: operation_pb2.UpdateScope) -> UpdateScope:
    """Whom an update is about.

    Raises:
        InvalidInput: neither management nor a cluster is named, or both; an empty name never means "all of them".
    """
    if message.management == bool(message.cluster):
        raise InvalidInput("an update is about management or about one named cluster; give one of the two")
    if message.management and message.patch_load_balancer:
        raise InvalidInput("load balancer agents belong to workload clusters; name the cluster")
    if message.management:
        return UpdateScope()
    return UpdateScope(
        cluster=check_name(message.cluster, "cluster name"), patch_load_balancer=message.patch_load_balancer
    )


def update_scope_message(scope: UpdateScope) -> operation_pb2.UpdateScope:
    """The same in the client's direction."""
    return operation_pb2.UpdateScope(
        management=scope.is_management, cluster=scope.cluster, patch_load_balancer=scope.patch_load_balancer
    )
