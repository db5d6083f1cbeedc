"""Rows about telling people: notices that are owed to a sink, and how each sink is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backend.core.alerts import AlertEvent
from backend.core.facts import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """One notice owed to one sink; at most one is owed for an entity, and it is removed once the sink has taken it.

    `before` is what the sink knew, `after` what it is to know; None: that all is well. `attempts` is counted before
    each try, so that one that may have arrived is known as such after a crash.
    """

    id: str
    sink: str
    entity: str
    name: str
    cluster: str
    event: AlertEvent
    before: Severity | None
    after: Severity | None
    state: str
    summary: str
    next_step: str
    since_at: datetime
    created_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkRow:
    """How one sink is doing. `failing_since_at` None: its last try went well, or there was none."""

    name: str
    attempts: int = 0  # failed in a row
    failures: int = 0  # ever
    deliveries: int = 0  # notices taken, ever
    next_at: datetime | None = None  # no try before this
    failing_since_at: datetime | None = None
    last_error: str = ""
    tried_at: datetime | None = None
    sent_at: datetime | None = None
    alive_at: datetime | None = None  # last sign of life that it took
