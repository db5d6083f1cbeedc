"""Tables of alerts, silences, owed notices and sinks; the same conventions as `backend.store.tables`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from backend.store.tables import METADATA

_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _whole(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _maybe(name: str) -> Column[int]:
    return Column(name, BigInteger)


alerts: Final = Table(
    "alerts",
    METADATA,
    Column("entity", Text, primary_key=True),
    _text("name"),
    _text("cluster"),
    _whole("severity"),
    _text("state"),
    _text("summary"),
    _text("next_step"),
    _whole("raised_at"),
    _whole("since_at"),
    _maybe("told"),
    _maybe("told_at"),
    _text("held"),
)

silences: Final = Table(
    "silences",
    METADATA,
    Column("subject", Text, primary_key=True),
    _text("name"),
    Column("is_acknowledgement", Boolean, nullable=False),
    _whole("until"),
    _whole("ceiling"),
    _text("actor"),
    _text("reason"),
    _whole("made_at"),
)

notices: Final = Table(
    "notices",
    METADATA,
    Column("position", _NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    _text("sink"),
    _text("entity"),
    _text("name"),
    _text("cluster"),
    _text("event"),
    _maybe("before"),
    _maybe("after"),
    _text("state"),
    _text("summary"),
    _text("next_step"),
    _whole("since_at"),
    _whole("created_at"),
    _whole("attempts"),
    Index("one_notice_of_an_entity", "sink", "entity", unique=True),
    sqlite_autoincrement=True,
)

sinks: Final = Table(
    "sinks",
    METADATA,
    Column("name", Text, primary_key=True),
    _whole("attempts"),
    _whole("failures"),
    _whole("deliveries"),
    _maybe("next_at"),
    _maybe("failing_since_at"),
    _text("last_error"),
    _maybe("tried_at"),
    _maybe("sent_at"),
    _maybe("alive_at"),
)
