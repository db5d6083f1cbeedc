"""Roles of text and how each theme draws them: colour, word and place, never colour alone.

A role is a meaning (`expired`, `dim`, `cursor`); widgets name roles and never colours. Four palettes: `DARK` for
true-colour terminals and `LIGHT` for those with a light background, `ANSI` for the terminal's own sixteen colours,
`MONO` for none at all (attributes only).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.style import Style

from backend.core.facts import Severity

Palette = Mapping[str, Style]

SEVERITY_ROLES: Final[Mapping[Severity, str]] = {
    Severity.EXPIRED: "expired",
    Severity.CRITICAL: "critical",
    Severity.UNKNOWN: "unknown",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
    Severity.OK: "ok",
}

DARK: Final[Palette] = {
    "text": Style(),
    "dim": Style.parse("#8a939e"),
    "title": Style.parse("bold #e6edf3"),
    "head": Style.parse("bold #9fb3c8"),
    "accent": Style.parse("#7cb7ff"),
    "expired": Style.parse("bold #ff7b72"),
    "expired.glyph": Style.parse("bold #14181d on #ff7b72"),
    "critical": Style.parse("bold #ff9b8e"),
    "warning": Style.parse("#e3b341"),
    "info": Style.parse("#76c7d9"),
    "ok": Style(),
    "unknown": Style.parse("#d2a8ff"),
    "running": Style.parse("#7cb7ff"),
    "cursor": Style.parse("on #2d3743"),
    "mark": Style.parse("bold #7cb7ff"),
    "tag": Style.parse("bold #14181d on #e3b341"),
    "key": Style.parse("bold #c9d6e4"),
    "error": Style.parse("bold #ff9b8e"),
    "match": Style.parse("reverse"),
    "sorted": Style.parse("underline"),
}
LIGHT: Final[Palette] = {
    "text": Style(),
    "dim": Style.parse("#57606a"),
    "title": Style.parse("bold #0b1016"),
    "head": Style.parse("bold #34495e"),
    "accent": Style.parse("#0550ae"),
    "expired": Style.parse("bold #a40e26"),
    "expired.glyph": Style.parse("bold #ffffff on #a40e26"),
    "critical": Style.parse("bold #b3261e"),
    "warning": Style.parse("#7a4f01"),
    "info": Style.parse("#1b6478"),
    "ok": Style(),
    "unknown": Style.parse("#6f42c1"),
    "running": Style.parse("#0550ae"),
    "cursor": Style.parse("on #d3dfec"),
    "mark": Style.parse("bold #0550ae"),
    "tag": Style.parse("bold #ffffff on #7a4f01"),
    "key": Style.parse("bold #1f2933"),
    "error": Style.parse("bold #a40e26"),
    "match": Style.parse("reverse"),
    "sorted": Style.parse("underline"),
}
ANSI: Final[Palette] = {
    "text": Style(),
    "dim": Style.parse("dim"),
    "title": Style.parse("bold"),
    "head": Style.parse("bold"),
    "accent": Style.parse("cyan"),
    "expired": Style.parse("bold red"),
    "expired.glyph": Style.parse("bold red reverse"),
    "critical": Style.parse("bold red"),
    "warning": Style.parse("yellow"),
    "info": Style.parse("cyan"),
    "ok": Style(),
    "unknown": Style.parse("magenta"),
    "running": Style.parse("blue"),
    "cursor": Style.parse("reverse"),
    "mark": Style.parse("bold cyan"),
    "tag": Style.parse("bold yellow reverse"),
    "key": Style.parse("bold"),
    "error": Style.parse("bold red"),
    "match": Style.parse("reverse"),
    "sorted": Style.parse("underline"),
}
MONO: Final[Palette] = {
    "text": Style(),
    "dim": Style(),
    "title": Style.parse("bold"),
    "head": Style.parse("bold"),
    "accent": Style(),
    "expired": Style.parse("bold"),
    "expired.glyph": Style.parse("bold reverse"),
    "critical": Style.parse("bold"),
    "warning": Style.parse("underline"),
    "info": Style(),
    "ok": Style(),
    "unknown": Style.parse("italic"),
    "running": Style(),
    "cursor": Style.parse("reverse"),
    "mark": Style.parse("bold"),
    "tag": Style.parse("bold reverse"),
    "key": Style.parse("bold"),
    "error": Style.parse("bold"),
    "match": Style.parse("reverse"),
    "sorted": Style.parse("underline"),
}


THEMES: Final[Mapping[str, Palette]] = {"dark": DARK, "light": LIGHT, "ansi": ANSI, "mono": MONO}


def fitting(*, colour: bool, true_colour: bool) -> str:
    """Return the name of the theme for what the terminal can do."""
    if not colour:
        return "mono"
    return "dark" if true_colour else "ansi"
