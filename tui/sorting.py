"""Orders of the client list: worst first, and the columns an operator may sort by instead.

Pure. Every order is total (the client's name, then its number break ties) and independent of the passing second, so
that rows move because something happened and not because time went by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from backend.core.facts import Assessment
from backend.core.fleet import ClientRow
from backend.core.health import NO_END

SortKey = tuple[Any, ...]


def _epoch(at: datetime | None) -> int:
    return NO_END if at is None else int(at.timestamp())


def _worst(row: ClientRow, judged: Assessment) -> SortKey:
    severity, _, radius, name = judged.sort_key
    return (severity, _epoch(judged.effective_not_after), radius, name, row.number)


def _certificate(row: ClientRow, judged: Assessment) -> SortKey:
    return (_epoch(judged.effective_not_after), row.name, row.number)


def _token(row: ClientRow, judged: Assessment) -> SortKey:
    return (_epoch(judged.token_expires_at), row.name, row.number)


def _name(row: ClientRow, judged: Assessment) -> SortKey:
    return (row.name, row.number)


def _cluster(row: ClientRow, judged: Assessment) -> SortKey:
    return (row.cluster or "~", *_worst(row, judged))


def _kind(row: ClientRow, judged: Assessment) -> SortKey:
    return (row.kind.value, *_worst(row, judged))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One way to sort the list; `word` stands in the status line."""

    id: str
    key: str
    word: str
    sort_key: Callable[[ClientRow, Assessment], SortKey]


ORDERS: Final = (
    Order(id="worst", key="w", word="worst first", sort_key=_worst),
    Order(id="certificate", key="c", word="by certificate left", sort_key=_certificate),
    Order(id="token", key="t", word="by token left", sort_key=_token),
    Order(id="name", key="n", word="by client", sort_key=_name),
    Order(id="cluster", key="l", word="by cluster, worst first", sort_key=_cluster),
    Order(id="kind", key="i", word="by kind, worst first", sort_key=_kind),
)
WORST_FIRST: Final = ORDERS[0]
