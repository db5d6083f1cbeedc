"""The three ways to rotate a CA, one line each, and the settings of the one with overlap.

Owns what a kind does to clients in words, the key that plans it, and the dialog in which settings are edited; planning
changes nothing, so neither needs write mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from rich.cells import cell_len

from backend.core.durations import parse_duration
from backend.core.overlap_gates import OverlapSettings
from tui.format import fit, span, wrapped
from tui.lines import Line, plain
from tui.rotating import RotationKind
from tui.screens.form import Field, FormDialog

KINDS: Final = (
    ("o", RotationKind.OVERLAP, "overlap", "nobody loses the agent; a way back until you destroy the old key"),
    ("d", RotationKind.DISRUPTIVE, "disruptive", "EVERY client loses the agent; no way back after the cutover"),
    ("c", RotationKind.COMPROMISE, "compromise", "as disruptive, at once: the CA's key is in other hands"),
    ("r", RotationKind.REHEARSAL, "rehearsal", "changes nothing; says who would block, and how long they took"),
)
_MODES: Final = {"manual": False, "auto": True}


def kind_lines(kind: RotationKind, width: int, cursor: str) -> list[Line]:
    """Return the three kinds with their keys, the planned one marked."""
    lines: list[Line] = [plain("HOW: a key plans another way", "head")]
    for key, one, name, effect in KINDS:
        here = one is kind
        advice = "  recommended" if one is RotationKind.OVERLAP else ""
        first: Line = (
            (f"{cursor if here else ' '} ", "mark"),
            (f"{key} ", "key"),
            (fit(name, 12), "title" if here else "text"),
        )
        role = "text" if here else "dim"
        if 16 + cell_len(effect + advice) > width:
            advice = ""
        lines.append((*first, (effect, role), (advice, "accent")))
    return lines


def settings_lines(settings: OverlapSettings) -> list[Line]:
    """Return the settings of a plan with overlap in words."""
    mode = (
        "each phase is left as soon as its gates are met"
        if settings.automatic
        else "each phase is left when you say so"
    )
    told = [
        ("mode", f"{'automatic' if settings.automatic else 'manual'}: {mode}"),
        ("shadow", f"the second judging lasts at least {_length(settings.shadow_for)}"),
        ("quiet", f"no refusal for at least {_length(settings.quiet_for)}"),
        ("stop rule", f"it holds when more than {settings.stop_percent} % of a wave fail"),
    ]
    lines: list[Line] = [(("SETTINGS", "head"), ("   s changes them and plans anew", "dim"))]
    lines.extend((("  ", "dim"), (fit(label, 11), "dim"), (text, "text")) for label, text in told)
    return lines


def _length(length: timedelta) -> str:
    return span(length) if length else "one heartbeat of the slowest client"


def _written(length: timedelta) -> str:
    """A length as it is typed."""
    seconds = int(length.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else ""


class SettingsDialog(FormDialog[OverlapSettings]):
    """Mode, lengths of observation and stop rule; what comes out is planned anew."""

    def __init__(self, settings: OverlapSettings) -> None:
        fields = [
            Field(
                label="Mode, manual or auto:",
                lacks=lambda text: "" if text.strip().lower() in _MODES else "manual or auto",
                limit=6,
                text="auto" if settings.automatic else "manual",
            ),
            Field(
                label="Second judging at least:",
                lacks=_lacks_length,
                limit=12,
                text=_written(settings.shadow_for),
            ),
            Field(
                label="Without a refusal at least:", lacks=_lacks_length, limit=12, text=_written(settings.quiet_for)
            ),
            Field(
                label="Hold when more of a wave fail, %:",
                lacks=_lacks_percent,
                limit=3,
                text=str(settings.stop_percent),
            ),
        ]
        super().__init__("Settings of the rotation with overlap", "Plan with these", fields)

    def locked_by(self) -> str:
        """A plan changes nothing; whoever only looks may ask for another."""
        away = self.app.situation().away
        return f"the agent has not answered for {away}" if away else ""

    def body(self, width: int) -> Sequence[Line]:
        text = (
            "In manual mode a phase is left when you say so, in auto mode as soon as its gates are met; both wait for "
            "proof. Lengths are those of observations in which nothing failed, as 30m, 12h or 2d; empty: one heartbeat "
            "of the slowest client."
        )
        return [plain(part) for part in wrapped(text, width)]

    def result(self) -> OverlapSettings:
        mode, shadow, quiet, percent = (field.text.strip().lower() for field in self.fields)
        return OverlapSettings(
            automatic=_MODES[mode],
            shadow_for=_parsed(shadow),
            quiet_for=_parsed(quiet),
            stop_percent=int(percent),
        )


def _parsed(text: str) -> timedelta:
    return parse_duration(text) if text else timedelta(0)


def _lacks_length(text: str) -> str:
    try:
        _parsed(text.strip())
    except ValueError:
        return "a length such as 30m, 12h or 2d"
    return ""


def _lacks_percent(text: str) -> str:
    digits = text.strip()
    return "" if digits.isascii() and digits.isdecimal() and int(digits) <= 100 else "a share from 0 to 100"
