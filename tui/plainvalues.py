"""The screen's values as JSON and back: for recordings, whose file has to be read by a later version too.

Owns the one rule for every frozen value of `tui.gateway` and `backend.core.delta`: a mapping of its fields without
those that have their default, instants as Unix seconds, lengths of time as seconds, enums by value. What is read back
is checked against the types and its texts are made inert again: a recording may come from anybody.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from backend.core.inert import inert

T = TypeVar("T")
_PLAIN: Final = frozenset({int, str, float, bool, types.NoneType})
_TEXT: Final = 4_000  # characters of one text


class NotAValue(ValueError):
    """The JSON is not what the type says; the text names the place."""


def to_json(value: object) -> Any:
    """Return a value as what `json.dumps` takes."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        made = {one.name: (to_json(getattr(value, one.name)), _absent(one)) for one in fields(value)}
        return {name: plain for name, (plain, absent) in made.items() if plain != absent}
    many = list(cast(Sequence[object], value))  # a repeated field of a message is one, though not by its class
    return many if set(map(type, many)) <= _PLAIN else [to_json(one) for one in many]  # columns of 100,000 numbers


def _absent(one: Field[Any]) -> Any:
    """What a field is in JSON when nobody set it: such a field is left out."""
    if one.default is not MISSING:
        return to_json(one.default)
    return NotAValue if one.default_factory is MISSING else to_json(one.default_factory())  # a class: equal to nothing


def from_json(kind: type[T], data: Any) -> T:
    """Return the value that `to_json` made this of.

    Raises:
        NotAValue: it is not one of `kind`.
    """
    return cast(T, _read(kind, data, kind.__name__))


def _read(kind: Any, data: Any, place: str) -> Any:
    origin = get_origin(kind)
    if origin in {types.UnionType, Union}:
        return None if data is None else _read(_some(kind), data, place)
    if origin is tuple or origin is Sequence:
        return _read_many(kind, data, place)
    try:
        return _read_one(kind, data, place)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise error if isinstance(error, NotAValue) else NotAValue(f"{place} is no {_word(kind)}") from None


def _some(kind: Any) -> Any:
    return next(one for one in get_args(kind) if one is not types.NoneType)


def _read_many(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, list):
        raise NotAValue(f"{place} is no list")
    inner = get_args(kind)
    if len(inner) == 2 and inner[1] is not Ellipsis:
        if len(data) != 2:
            raise NotAValue(f"{place} is no pair")
        return tuple(_read(one, value, place) for one, value in zip(inner, data, strict=True))
    if inner[0] is int:  # columns of a hundred thousand numbers
        if not all(type(value) is int for value in data):
            raise NotAValue(f"{place} is no list of numbers")
        return tuple(data)
    return tuple(_read(inner[0], value, place) for value in data)


def _read_one(kind: Any, data: Any, place: str) -> Any:
    if kind is bool or kind is int or kind is str:
        if type(data) is not kind:
            raise NotAValue(f"{place} is no {_word(kind)}")
        return inert(str(data), _TEXT) if kind is str else data
    if kind is datetime:
        return datetime.fromtimestamp(int(data), UTC)
    if kind is timedelta:
        return timedelta(seconds=float(data))
    if kind is Path:
        return Path(inert(str(data), _TEXT))
    if issubclass(kind, Enum):
        return kind(data)
    return _read_fields(kind, data, place)


def _read_fields(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, dict):
        raise NotAValue(f"{place} is no mapping")
    hints = _hints(kind)
    values = {}
    for one in fields(kind):
        if one.name in data:
            values[one.name] = _read(hints[one.name], data[one.name], f"{place}.{one.name}")
        elif one.default is MISSING and one.default_factory is MISSING:
            raise NotAValue(f"{place} has no {one.name}")
    return kind(**values)


@lru_cache(maxsize=64)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _word(kind: Any) -> str:
    return {bool: "yes or no", int: "number", str: "text", datetime: "instant"}.get(kind, "value of its kind")
