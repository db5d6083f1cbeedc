"""Tables of alerts, silences, owed notices and sinks; the same conventions as `backend.store.tables`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, Table, Text

from backend.store.columns import METADATA, NUMBER, count, maybe, words

alerts: Final = Table(
    "alerts",
    METADATA,
    Column("entity", Text, primary_key=True),
    words("name"),
    words("cluster"),
    count("severity"),
    words("state"),
    words("summary"),
    words("next_step"),
    count("raised_at"),
    count("since_at"),
    maybe("told"),
    maybe("told_at"),
    words("held"),
)

silences: Final = Table(
    "silences",
    METADATA,
    Column("subject", Text, primary_key=True),
    words("name"),
    Column("is_acknowledgement", Boolean, nullable=False),
    count("until"),
    count("ceiling"),
    words("actor"),
    words("reason"),
    count("made_at"),
)

notices: Final = Table(
    "notices",
    METADATA,
    Column("position", NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    words("sink"),
    words("entity"),
    words("name"),
    words("cluster"),
    words("event"),
    maybe("before"),
    maybe("after"),
    words("state"),
    words("summary"),
    words("next_step"),
    count("since_at"),
    count("created_at"),
    count("attempts"),
    Index("one_notice_of_an_entity", "sink", "entity", unique=True),
    sqlite_autoincrement=True,
)

sinks: Final = Table(
    "sinks",
    METADATA,
    Column("name", Text, primary_key=True),
    count("attempts"),
    count("failures"),
    count("deliveries"),
    maybe("next_at"),
    maybe("failing_since_at"),
    words("last_error"),
    maybe("tried_at"),
    maybe("sent_at"),
    maybe("alive_at"),
)
