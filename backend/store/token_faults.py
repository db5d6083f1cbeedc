"""Rows of what keeps the agent from rotating a client's token by itself: one a client, gone once it is over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select, update

from backend.store.changes import SqlChanges
from backend.store.codec import Codec
from backend.store.records import TokenFault
from backend.store.tables import token_faults
from backend.store.work import Work

_FAULT = Codec(TokenFault, token_faults)
_OWNER = token_faults.c.identity_number
_ADD = insert(token_faults).values({name: bindparam(name) for name in _FAULT.names})
_PUT = (
    update(token_faults)
    .where(bindparam("number") == _OWNER)
    .values({name: bindparam(name) for name in _FAULT.names if name != "identity_number"})
)
_DELETE = delete(token_faults).where(bindparam("number") == _OWNER)
_ALL = select(*_FAULT.columns).order_by(_OWNER)


class SqlTokenFaults:
    """`port.TokenFaults` over one transaction."""

    def __init__(self, work: Work, changes: SqlChanges) -> None:
        self._work = work
        self._changes = changes

    def put(self, fault: TokenFault) -> None:
        """Write it over the one that the client had."""
        row = _FAULT.to_row(fault)
        if not self._work.write(_PUT, row | {"number": fault.identity_number}):
            self._work.write(_ADD, row)
        self._changes.touch(fault.identity_number)

    def delete(self, identity_number: int) -> None:
        """Note that nothing stands against it any more."""
        if self._work.write(_DELETE, {"number": identity_number}):
            self._changes.touch(identity_number)

    def all(self) -> Sequence[TokenFault]:
        """Return them by identity number."""
        return [_FAULT.from_row(row) for row in self._work.rows(_ALL)]
