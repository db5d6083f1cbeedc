"""The fleet view's source: one statement that joins what a row of the dashboard is made of.

A whole fleet is read whenever a reader starts, so the columns come as they are stored, in Unix seconds and hex, and no
value is built that would be taken apart again at once. It is read in pages, by number: nothing here grows with the
fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, case, literal_column, select

from backend.store.records import FleetRow
from backend.store.tables import certificates, heartbeats, identities, seen, tokens
from backend.store.work import Row, Work


def _newest(table: Table, condition: str = "") -> ColumnElement[int]:
    """Make the position of an identity's newest row in `table`: one index step for each identity."""
    rows = table.alias("latest")
    chosen = select(rows.c.position).where(rows.c.identity_number == identities.c.number)
    if condition:
        chosen = chosen.where(literal_column(condition))  # literal, to fit the partial index
    chosen = chosen.order_by(rows.c.issued_at.desc(), rows.c.position.desc()).limit(1)
    return chosen.correlate(identities).scalar_subquery()


def _statement() -> Select[Any]:
    newest, used = certificates.alias("newest"), certificates.alias("used")
    sources = {"newest": newest, "used": used, "token": tokens, "heartbeat": heartbeats, "seen": seen}
    columns: list[Any] = []
    for name in FleetRow._fields:
        prefix, _, rest = name.partition("_")
        source = sources.get(prefix) if name != "token_standing" else None
        columns.append(identities.c[name] if source is None else source.c[rest].label(name))
    # Most clients last called with their newest certificate: for those the search ends before it begins.
    other = case((seen.c.serial != newest.c.serial, seen.c.serial))
    joined = (
        identities.outerjoin(newest, newest.c.position == _newest(certificates))
        .outerjoin(tokens, tokens.c.position == _newest(tokens, "latest.state = 'current'"))
        .outerjoin(heartbeats, heartbeats.c.identity_number == identities.c.number)
        .outerjoin(seen, seen.c.identity_number == identities.c.number)
        .outerjoin(used, used.c.serial == other)
    )
    return select(*columns).select_from(joined).order_by(identities.c.number)


_ALL = _statement()
_SOME = _ALL.where(identities.c.number.in_(bindparam("numbers", expanding=True)))
_PAGE = _ALL.where(identities.c.number > bindparam("after")).limit(bindparam("limit"))


class SqlFleet:
    """`port.Fleet` over one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def rows(self, numbers: Iterable[int] | None = None) -> Sequence[Row]:
        """Return the values of `FleetRow` of all identities, or of those given, by number."""
        return self._work.rows(_ALL) if numbers is None else list(self._work.rows_for(_SOME, numbers))

    def page(self, after: int, limit: int) -> Sequence[Row]:
        """Return the values of `FleetRow` of at most `limit` identities whose numbers follow `after`, by number."""
        return self._work.rows(_PAGE, {"after": after, "limit": limit})
