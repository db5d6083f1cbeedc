"""The kinds of columns that every table is made of, so that one thing is stored in one way.

Portable types only: an instant is a whole number of Unix seconds, a duration is whole seconds, a serial is 40 hex
digits (SQLite has no 160-bit integers), a mapping is canonical JSON text. A `position` column keeps the order of
insertion, for rows made within one second.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, Text, text

METADATA: Final = MetaData()

# SQLite gives out row numbers only to a column that is called INTEGER; elsewhere 64 bits must be asked for.
NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")
SERIAL_DIGITS: Final = 40  # 20 octets, the most that RFC 5280, section 4.1.2.2 allows


def position() -> Column[int]:
    """Make the row number that keeps the order of insertion."""
    return Column("position", NUMBER, primary_key=True, autoincrement=True)


def instant(name: str) -> Column[int]:
    """Make an instant, in Unix seconds."""
    return Column(name, BigInteger, nullable=False)


def maybe(name: str) -> Column[int]:
    """Make an instant that has not come, or never will."""
    return Column(name, BigInteger)


def words(name: str, **options: Any) -> Column[str]:
    """Make a text that is never missing; "" says that there is none."""
    return Column(name, Text, nullable=False, **options)


def count(name: str) -> Column[int]:
    """Make a whole number."""
    return Column(name, BigInteger, nullable=False)


def flag(name: str) -> Column[bool]:
    """Make a yes or no."""
    return Column(name, Boolean, nullable=False)


def owner(**options: Any) -> Column[int]:
    """Make the identity whose removal removes the row."""
    return Column(
        "identity_number", NUMBER, ForeignKey("identities.number", ondelete="CASCADE"), nullable=False, **options
    )


def only_one(name: str, *columns: str, where: str) -> Index:
    """Make an index that admits one row among those of `where`."""
    return Index(name, *columns, unique=True, sqlite_where=text(where))


def partial(name: str, *columns: str, where: str) -> Index:
    """Make an index over those rows only that are looked for."""
    return Index(name, *columns, sqlite_where=text(where))
