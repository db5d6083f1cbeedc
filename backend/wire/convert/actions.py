"""Kinds of action on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from backend.core.errors import InvalidInput
from backend.core.planrules import ActionKind
from backend.wire.mocdeck.v1 import operation_pb2

NUMBERS: Final[Mapping[ActionKind, operation_pb2.ActionKind]] = {
    ActionKind.RENEW: operation_pb2.RENEW,
    ActionKind.ROTATE_TOKEN: operation_pb2.ROTATE_TOKEN,
    ActionKind.REPAIR: operation_pb2.REPAIR,
}
_KINDS: Final = {int(number): kind for kind, number in NUMBERS.items()}


def action_kind(number: int) -> ActionKind:
    """The kind of action that a request names.

    Raises:
        InvalidInput: it names none of the three.
    """
    try:
        return _KINDS[number]
    except KeyError:
        raise InvalidInput(f"action {number} is none of RENEW (1), ROTATE_TOKEN (2) and REPAIR (3)") from None
