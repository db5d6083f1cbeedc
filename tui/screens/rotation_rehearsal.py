"""A rehearsal of the CA rotation as lines: who would have blocked it, and how long each client took to be seen.

Pure; a rehearsal changes no client, so there is nothing to decide but to end it early.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from backend.core.overlap import Route
from tui.format import count, fit, shorten, span, wrapped
from tui.glyphs import Glyphs
from tui.lines import BLANK, Line, plain
from tui.rotating import RotationClientView, RotationView
from tui.screens.rotation_overlap import head_lines, proof_lines
from tui.screens.rotation_rows import Row, texts

_PROVED = frozenset({"E3", "E4", "E5"})


def blocking(rotation: RotationView) -> list[RotationClientView]:
    """Return the clients that report and were not recognised at the canary, or accept what nobody should."""
    return [one for one in rotation.clients if one.careless or (_reports(one) and one.level not in _PROVED)]


def passing(rotation: RotationView) -> list[RotationClientView]:
    """Return the clients that would not have blocked, the slowest first."""
    found = [one for one in rotation.clients if not one.careless and one.level in _PROVED]
    return sorted(found, key=lambda one: (one.level_at is None, one.level_at and -one.level_at.timestamp(), one.name))


def _reports(client: RotationClientView) -> bool:
    return client.route == Route.ITSELF.value


def rehearsal_rows(rotation: RotationView, now: datetime, width: int, glyphs: Glyphs) -> list[Row]:
    """Return where the rehearsal stands, or what came out of it."""
    lines = head_lines(rotation, now, width, glyphs)
    blocked, passed = blocking(rotation), passing(rotation)
    told = {one.name for one in (*blocked, *passed)}
    apart = [one for one in rotation.clients if one.name not in told]
    lines.extend([BLANK, *_verdict(rotation, blocked, passed, apart, width)])
    lines.extend([BLANK, *proof_lines(rotation, now, width, glyphs)])
    would = "WOULD HAVE BLOCKED the rotation" if rotation.ended_at else "NOT SEEN YET"
    return [
        *texts(lines),
        *_group(would, blocked, rotation, width, "critical"),
        *_group("PASSED, the slowest first", passed, rotation, width, "text"),
        *_group("NOT ASKED: they do not report, or were out", apart, rotation, width, "dim"),
    ]


def _verdict(
    rotation: RotationView,
    blocked: Sequence[RotationClientView],
    passed: Sequence[RotationClientView],
    apart: Sequence[RotationClientView],
    width: int,
) -> list[Line]:
    counted = (
        f"{len(passed)} passed + {len(blocked)} {'would have blocked' if rotation.ended_at else 'to come'} + "
        f"{len(apart)} not asked = {rotation.total}"
    )
    took = [one.level_at - rotation.started_at for one in passed if one.level_at is not None]
    times = f"; the slowest took {span(max(took))}" if took else ""
    if rotation.ended_at is None:
        return [plain(part, "title") for part in wrapped(f"{counted}{times}", width)]
    would = "nobody would have blocked the rotation"
    if blocked:
        would = f"{count(len(blocked), 'client')} would have blocked the rotation"
    text = f"RESULT: {would}. {counted}{times}"
    return [plain(part, "critical" if blocked else "title") for part in wrapped(text, width)]


def _group(
    title: str, members: Sequence[RotationClientView], rotation: RotationView, width: int, role: str
) -> list[Row]:
    if not members:
        return []
    heads = texts([BLANK, plain(f"{title} ({len(members)})", "head")])
    return [*heads, *(("", partial(_row, client, rotation.started_at, width, role)) for client in members)]


def _row(client: RotationClientView, started_at: datetime, width: int, role: str) -> Line:
    seen = client.level in _PROVED and client.level_at is not None
    took = span(client.level_at - started_at) if seen and client.level_at is not None else "-"
    note = client.careless or client.last_error or client.level_source
    return (
        (f"  {fit(client.level if client.level.startswith('E') else '-', 3)}", role),
        (f"{took:>8}  ", "text"),
        (fit(shorten(client.name, 23), 24), role),
        (fit(shorten(client.owner or "no owner", 11), 12), "text"),
        (shorten(note, max(4, width - 51)), "dim"),
    )
