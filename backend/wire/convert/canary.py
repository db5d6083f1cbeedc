"""The canary's task and report between values and `mocdeck.v1`, both ways."""

from __future__ import annotations

from typing import Final

from backend.core.canary import NONCE_DIGITS, ORDER, SERVER_NAMES, CanaryKind, CanaryReport, CanaryResult, CanaryTask
from backend.core.inert import inert
from backend.wire.convert.checks import check_text
from backend.wire.mocdeck.v1 import client_pb2

_NUMBERS: Final = {
    CanaryKind.TRUST: client_pb2.CANARY_TRUST,
    CanaryKind.NEGATIVE: client_pb2.CANARY_NEGATIVE,
    CanaryKind.NAME: client_pb2.CANARY_NAME,
}
_KINDS: Final = {number: kind for kind, number in _NUMBERS.items()}
_FAILURE_LENGTH: Final = 200


def task_message(task: CanaryTask | None) -> client_pb2.CanaryTask | None:
    """The task as it goes out; None: no task."""
    if task is None:
        return None
    doors = [client_pb2.CanaryDoor(kind=_NUMBERS[kind], server_name=SERVER_NAMES[kind]) for kind in ORDER]
    return client_pb2.CanaryTask(
        rotation_id=task.rotation_id,
        port=task.port,
        nonce=task.nonce,
        doors=doors,
        rehearsal_root_pem=task.rehearsal_root_pem,
    )


def task_of(message: client_pb2.CanaryTask) -> CanaryTask | None:
    """The task as a client reads it; None when it is not one that this program understands."""
    understood = {kind for door in message.doors if (kind := _KINDS.get(door.kind)) and _is_ours(door, kind)}
    is_line = 0 < len(message.nonce) <= NONCE_DIGITS and message.nonce.isascii() and message.nonce.isalnum()
    if understood != set(ORDER) or not is_line or not 0 < message.port <= 65535:
        return None
    return CanaryTask(
        rotation_id=message.rotation_id,
        port=message.port,
        nonce=message.nonce,
        rehearsal_root_pem=message.rehearsal_root_pem,
    )


def report_message(report: CanaryReport | None) -> client_pb2.CanaryReport | None:
    """The report as it goes out; None: nothing to report."""
    if report is None:
        return None
    results = [
        client_pb2.CanaryResult(kind=_NUMBERS[one.kind], opened=one.opened, failure=one.failure)
        for one in report.results
    ]
    return client_pb2.CanaryReport(rotation_id=report.rotation_id, results=results)


def report_of(message: client_pb2.CanaryReport) -> CanaryReport:
    """The report as it came in; kinds that this program does not know are left out.

    Raises:
        InvalidInput: the rotation's id is too long or holds control characters.
    """
    results = [
        CanaryResult(kind=_KINDS[one.kind], opened=one.opened, failure=inert(one.failure, _FAILURE_LENGTH))
        for one in message.results[: len(_KINDS)]
        if one.kind in _KINDS
    ]
    return CanaryReport(rotation_id=check_text(message.rotation_id, "rotation_id"), results=tuple(results))


def _is_ours(door: client_pb2.CanaryDoor, kind: CanaryKind) -> bool:
    return door.server_name == SERVER_NAMES[kind]
