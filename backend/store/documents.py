"""Frozen values as canonical JSON documents, for rows that are read whole and never searched by what is inside.

The shape follows from the dataclasses' own field types. Refuses a document that does not fit them, rather than
guess at rights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from backend.store.codec import to_instant, to_seconds

T = TypeVar("T")


def to_document(value: object) -> str:
    """Return a dataclass value as canonical JSON."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_document(kind: type[T], document: str) -> T:
    """Return the value of `kind` in a document.

    Raises:
        ValueError: the document is not one of that kind.
    """
    try:
        value: T = _build(kind, json.loads(document))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"a stored document is not a {kind.__name__}") from error
    return value


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return to_seconds(value)
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(held) for key, held in value.items()}
    if isinstance(value, frozenset | set):
        return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _build(hint: Any, plain: Any) -> Any:
    if get_origin(hint) in {Union, UnionType}:
        options = [option for option in get_args(hint) if option is not NoneType]
        return None if plain is None else _build(options[0], plain)
    if get_origin(hint) is not None:
        return _build_many(hint, plain)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return hint(**{name: _build(hints[name], held) for name, held in plain.items()})
    if hint is datetime:
        return to_instant(plain)
    if hint is timedelta:
        return timedelta(seconds=plain)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(plain)
    return plain


def _build_many(hint: Any, plain: Any) -> Any:
    origin, inside = get_origin(hint), get_args(hint)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {_build(inside[0], key): _build(inside[1], held) for key, held in plain.items()}
    gather: Callable[[Any], Any] = frozenset if issubclass(origin, frozenset) else tuple
    return gather(_build(inside[0], item) for item in plain)
