"""A terminal's screen as a picture: one cell after the other, in a font of our own choice, with a line of caption."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pyte
from PIL import Image, ImageColor, ImageDraw, ImageFont

CELL: Final = (9, 19)
_SIZE: Final = 15
_MARGIN: Final = 8
_CAPTION: Final = 34
_GROUND: Final = "#14181d"
_INK: Final = "#d8dee9"
_FONTS: Final = {(False, False): "cascadia", (True, False): "cascadiab", (False, True): "cascadiai"}
_FALLBACK: Final = "symbol2"  # signs that the first font does not have
_WHITE: Final = "#ffffff"
_BAR: Final = "#2b3038"
_BLENDS: Final = (1.0, 0.0, 0.5, 0.75, 0.25)  # how much of the ink: whole first, for they may not all fit
_PAIRS: Final = 60
_NAMED: Final = {"black": "#000000", "red": "#cd3131", "green": "#0dbc79", "brown": "#e5e510", "blue": "#2472c8"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One character with its colours."""

    data: str
    ink: str
    ground: str
    bold: bool
    italic: bool
    underlined: bool


Frame = tuple[tuple[Cell, ...], ...]


def frame_of(screen: pyte.Screen) -> Frame:
    """Return the screen as a value: two that are equal look the same."""
    return tuple(tuple(_cell(screen.buffer[y][x]) for x in range(screen.columns)) for y in range(screen.lines))


def _cell(char: Any) -> Cell:
    ink, ground = _colour(char.fg, _INK), _colour(char.bg, _GROUND)
    if char.reverse:
        ink, ground = ground, ink
    return Cell(char.data or " ", ink, ground, bool(char.bold), bool(char.italics), bool(char.underscore))


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return _NAMED.get(name) or (f"#{name}" if len(name) == 6 else default)


def palette_of(frames: Iterable[Frame]) -> Image.Image:
    """Return the colours that these frames are painted with, and those of the letters' edges, for a picture of few."""
    pairs = Counter((cell.ink, cell.ground) for frame in frames for row in frame for cell in row)
    pairs[_WHITE, _BAR] += 1
    chosen: dict[tuple[int, int, int], None] = {}
    for share in _BLENDS:
        for (ink, ground), _ in pairs.most_common(_PAIRS):
            first, second = ImageColor.getrgb(ink)[:3], ImageColor.getrgb(ground)[:3]
            chosen[_blend(first, second, share)] = None
    flat = [part for colour in list(chosen)[:256] for part in colour]
    palette = Image.new("P", (1, 1))
    palette.putpalette(flat + flat[:3] * (256 - len(flat) // 3))
    return palette


def _blend(first: Sequence[int], second: Sequence[int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(first, second, strict=True))
    return red, green, blue


def paint(frame: Frame, caption: str) -> Image.Image:
    """Draw a frame under its caption."""
    width, height = CELL
    picture = Image.new("RGB", (width * len(frame[0]) + 2 * _MARGIN, height * len(frame) + _CAPTION + _MARGIN), _BAR)
    pen = ImageDraw.Draw(picture)
    pen.text((_MARGIN, 8), caption, font=_font("cascadiab"), fill=_WHITE)
    pen.rectangle((0, _CAPTION, picture.width, picture.height), fill=_GROUND)
    for y, row in enumerate(frame):
        for x, cell in enumerate(row):
            left, top = _MARGIN + x * width, _CAPTION + y * height
            if cell.ground != _GROUND:
                pen.rectangle((left, top, left + width - 1, top + height - 1), fill=cell.ground)
            if cell.data != " ":
                font, drop = _font_for(cell)
                pen.text((left, top + drop), cell.data, font=font, fill=cell.ink)
            if cell.underlined:
                pen.line((left, top + height - 2, left + width - 1, top + height - 2), fill=cell.ink)
    return picture


def _font_for(cell: Cell) -> tuple[Any, int]:
    """The font of a cell, and how far below the cell's edge it is drawn."""
    name = _FONTS.get((cell.bold, cell.italic), "cascadiab")
    return (_font(name), 1) if _has(name, cell.data) else (_font(_FALLBACK, _SIZE - 3), 0)


@lru_cache(maxsize=1024)
def _has(name: str, data: str) -> bool:
    """Tell whether a font draws a character otherwise than one that it does not have."""
    return bytes(_font(name).getmask(data)) != bytes(_font(name).getmask("\U0010ffff"))


@lru_cache(maxsize=8)
def _font(name: str, size: int = _SIZE) -> Any:
    import pymupdf_fonts  # type: ignore[import-untyped]  # it ships no types

    return ImageFont.truetype(io.BytesIO(pymupdf_fonts.fontbuffers[name]()), size)
