"""How a frozen value becomes a row and comes back; the one place that knows both shapes.

The conversion of each field follows from its type, once, when the codec is made: instants to Unix seconds, durations
to seconds, enums to their values, mappings to canonical JSON, serials to hex digits, `Validity` to its two ends.
It refuses naive instants: local time must not slip into a row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from sqlalchemy import Column, String, Table

from backend.core.lifecycle import Validity
from backend.store.columns import SERIAL_DIGITS

T = TypeVar("T")
Row = Sequence[Any]
Convert = Callable[[Any], Any]


def to_seconds(at: datetime) -> int:
    """Return an instant as Unix seconds.

    Raises:
        ValueError: it is naive.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return int(at.timestamp())


def to_instant(seconds: int) -> datetime:
    """Return Unix seconds as an aware UTC instant."""
    return datetime.fromtimestamp(seconds, UTC)


def to_hex(serial: int) -> str:
    """Return a serial as fixed-width hex, so that text order is number order."""
    return f"{serial:0{SERIAL_DIGITS}x}"


def to_serial(digits: str) -> int:
    """Return hex digits as the serial."""
    return int(digits, 16)


def to_json(mapping: Mapping[str, str]) -> str:
    """Return a mapping as canonical JSON: sorted, without spaces."""
    return json.dumps(dict(mapping), sort_keys=True, separators=(",", ":"), ensure_ascii=False) if mapping else "{}"


def from_json(document: str) -> Mapping[str, str]:
    """Return the mapping in a JSON document."""
    return {} if document == "{}" else dict(json.loads(document))


def _to_duration_seconds(duration: timedelta) -> int:
    return round(duration.total_seconds())


def _to_duration(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def _to_list(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _from_list(listed: str) -> tuple[int, ...]:
    return tuple(int(number) for number in listed.split(",")) if listed else ()


def _value(member: Enum) -> Any:
    return member.value


_BY_TYPE: Mapping[Any, tuple[Convert, Convert]] = {
    datetime: (to_seconds, to_instant),
    timedelta: (_to_duration_seconds, _to_duration),
    bool: (bool, bool),
    Mapping: (to_json, from_json),
    tuple: (_to_list, _from_list),
}


def _conversion(hint: Any, column: Column[Any]) -> tuple[Convert, Convert] | None:
    """Choose how a field of that type is written and read; None: as it is."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _value, {member.value: member for member in hint}.__getitem__
    if hint is int and isinstance(column.type, String):
        return to_hex, to_serial
    return _BY_TYPE.get(get_origin(hint) or hint)


def _unless_none(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


class Codec(Generic[T]):
    """Rows of `table` as values of `kind`; columns that the value does not have stay the engine's own."""

    def __init__(self, kind: type[T], table: Table) -> None:
        self._kind = kind
        self._has_validity = False
        self._encode: list[tuple[str, Convert | None]] = []
        self._decode: list[tuple[str, Convert]] = []
        self.names: list[str] = []
        hints = get_type_hints(kind)
        for field in fields(kind):  # type: ignore[arg-type]  # every kind stored is a dataclass
            if hints[field.name] is Validity:
                self._has_validity = True
                self.names += ["not_before", "not_after"]
            else:
                self.names.append(field.name)
                self._add(field.name, hints[field.name], table.c[field.name])
        self.columns: list[Column[Any]] = [table.c[name] for name in self.names]

    def _add(self, name: str, hint: Any, column: Column[Any]) -> None:
        options = get_args(hint) if NoneType in get_args(hint) else ()
        plain = next((option for option in options if option is not NoneType), hint)
        conversion = _conversion(plain, column)
        if conversion is None:
            self._encode.append((name, None))
            return
        encode, decode = conversion
        self._encode.append((name, _unless_none(encode) if options else encode))
        self._decode.append((name, decode))

    def to_row(self, value: T) -> dict[str, Any]:
        """Return the value as named column values."""
        row: dict[str, Any] = {}
        for name, encode in self._encode:
            held = getattr(value, name)
            row[name] = held if encode is None else encode(held)
        if self._has_validity:
            validity: Validity = value.validity  # type: ignore[attr-defined]  # established from its type hints
            row["not_before"] = to_seconds(validity.not_before)
            row["not_after"] = to_seconds(validity.not_after)
        return row

    def from_row(self, row: Row) -> T:
        """Return the value in a row that was selected by `columns`."""
        held: dict[str, Any] = dict(zip(self.names, row, strict=True))
        for name, decode in self._decode:
            value = held[name]
            if value is not None:  # the schema lets no other field be empty
                held[name] = decode(value)
        if self._has_validity:
            held["validity"] = Validity(
                not_before=to_instant(held.pop("not_before")), not_after=to_instant(held.pop("not_after"))
            )
        return self._kind(**held)
