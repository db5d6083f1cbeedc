"""mocdeck.v1 AuditAgent: the audit chain, newest first or after an index, and its verdict."""

from __future__ import annotations

from typing import Final

from backend.server.servicer import Context, Served, Table, Unfinished
from backend.service import audit
from backend.wire.convert.audit import audit_record
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import audit_pb2

_DEFAULT: Final = 200
_MOST: Final = 5_000


def _list(context: Context, request: audit_pb2.AuditListRequest) -> audit_pb2.AuditList:
    limit = min(request.limit or _DEFAULT, _MOST)
    if request.after:
        events = context.tx.audit.after(request.after, limit, request.subject)
    else:
        events = context.tx.audit.newest(limit, request.subject)
    return audit_pb2.AuditList(records=[audit_record(event) for event in events])


def _verify(context: Context, request: audit_pb2.AuditVerifyRequest) -> audit_pb2.AuditVerdict | Unfinished:
    """A slice a turn: the chain of a year takes seconds, and every sign-in would wait for it."""
    walk = context.call.progress
    verdict = audit.walk_on(context.tx, walk if isinstance(walk, audit.Walk) else audit.begin_walk(context.tx))
    if isinstance(verdict, audit.Walk):
        return Unfinished(verdict)
    return audit_pb2.AuditVerdict(
        intact=verdict.intact,
        count=verdict.count,
        first_bad=verdict.first_bad,
        head=verdict.head,
        why=verdict.why,
    )


TABLE: Final[Table] = {
    get_method("AuditAgent", "List").path: Served(_list),
    get_method("AuditAgent", "Verify").path: Served(_verify),
}
