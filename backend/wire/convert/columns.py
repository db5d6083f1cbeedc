"""Columns of whole numbers on the wire: as few bytes as their spread needs, and no step in Python for each number.

Knows nothing of fleets. What comes in is not trusted: a column that does not hold as many numbers as it should, or one
out of the bounds that its reader states, is refused.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Final

from google.protobuf.message import DecodeError

from backend.core.errors import InvalidInput
from backend.core.limits import MESSAGE_BYTES
from backend.wire.mocdeck.v1 import fleet_pb2

MOST_VALUES: Final = 256  # that many indices fit a byte
SIGNED: Final = (-(2**63), 2**63 - 1)
_FEW: Final = 16  # values that are always worth listing: their own bytes are lost in the column's
_TYPES: Final = {1: "B", 2: "H", 4: "I", 8: "q"}
_QUICK: Final = 1  # zlib's level: names of a fleet are alike, and a better search costs five times as much for a tenth


def pack(numbers: Sequence[int]) -> fleet_pb2.Column:
    """Return at least one number as a column; each has to fit 64 bits with a sign."""
    first, count = numbers[0], len(numbers)
    if numbers.count(first) == count:
        return fleet_pb2.Column(base=first)
    low, high = min(numbers), max(numbers)
    width = _width(high - low)
    if width > 1 and (values := _few_values(numbers)):
        place = {value: index for index, value in enumerate(values)}
        return fleet_pb2.Column(offsets=bytes([place[number] for number in numbers]), values=values)
    if width == 8:
        return fleet_pb2.Column(offsets=_little(array("q", numbers)))
    return fleet_pb2.Column(base=low, offsets=_little(array(_TYPES[width], [number - low for number in numbers])))


def unpack(column: fleet_pb2.Column, count: int, bounds: tuple[int, int] = SIGNED) -> list[int]:
    """Return `count` numbers.

    Raises:
        InvalidInput: the column holds another count of them, points at a value that it does not list, or one is out
            of `bounds` (both inclusive).
    """
    base, raw = column.base, column.offsets
    if not raw:
        _require(bounds, base, base)
        return [base] * count
    if column.values:
        values = list(column.values)
        if len(raw) != count or max(raw) >= len(values):
            raise InvalidInput("a column does not fit its count or its values; the sender is broken")
        _require(bounds, min(values), max(values))
        return [values[index] for index in raw]
    offsets = _offsets(raw, count)
    if offsets.typecode == "q":
        base = 0
    _require(bounds, base + min(offsets), base + max(offsets))
    return [base + offset for offset in offsets] if base else offsets.tolist()


def pack_serials(serials: Sequence[int]) -> fleet_pb2.Column:
    """Return at least one number of 64 bits without a sign as a column."""
    return pack(array("q", array("Q", serials).tobytes()))


def unpack_serials(column: fleet_pb2.Column, count: int) -> list[int]:
    """Return `count` numbers of 64 bits without a sign.

    Raises:
        InvalidInput: as of `unpack`.
    """
    return array("Q", array("q", unpack(column, count)).tobytes()).tolist()


def pack_texts(texts: Iterable[str]) -> bytes:
    """Return texts as one block."""
    return zlib.compress(fleet_pb2.Texts(texts=texts).SerializeToString(), _QUICK)


def unpack_texts(block: bytes) -> list[str]:
    """Return the texts of a block.

    Raises:
        InvalidInput: it is no such block, or grows beyond what a message may have.
    """
    opened = zlib.decompressobj()
    try:
        plain = opened.decompress(block, MESSAGE_BYTES)
        if not opened.eof or opened.unused_data:
            raise InvalidInput(f"the texts of a fleet's chunk are cut or exceed {MESSAGE_BYTES} bytes")
        return list(fleet_pb2.Texts.FromString(plain).texts)
    except (zlib.error, DecodeError):
        raise InvalidInput("the texts of a fleet's chunk cannot be unpacked; the sender is broken") from None


def _few_values(numbers: Sequence[int]) -> list[int]:
    """The values in order, if they are few enough to be listed; for most columns the first ones settle it."""
    if len(set(numbers[: 2 * MOST_VALUES])) > MOST_VALUES:
        return []
    distinct = set(numbers)
    return sorted(distinct) if len(distinct) <= min(MOST_VALUES, max(_FEW, len(numbers) // 8)) else []


def _width(spread: int) -> int:
    return 1 if spread < 2**8 else 2 if spread < 2**16 else 4 if spread < 2**32 else 8


def _require(bounds: tuple[int, int], low: int, high: int) -> None:
    if low < bounds[0] or high > bounds[1]:
        raise InvalidInput(f"a column has {low} or {high} beyond {bounds[0]} to {bounds[1]}; the sender is broken")


def _offsets(raw: bytes, count: int) -> array[int]:
    width, rest = divmod(len(raw), count) if count else (0, 1)
    if rest or width not in _TYPES:
        raise InvalidInput(f"a column has {len(raw)} bytes for {count} clients; the sender is broken")
    offsets = array(_TYPES[width])
    offsets.frombytes(raw)
    if sys.byteorder == "big":
        offsets.byteswap()
    return offsets


def _little(offsets: array[int]) -> bytes:
    if sys.byteorder == "big":
        offsets = offsets[:]
        offsets.byteswap()
    return offsets.tobytes()
