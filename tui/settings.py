"""What an operator sets once: `dashboard.yaml` beside the contexts file, with theme, mouse, confirmation and keys.

Owns its format. The file is the operator's: it is read and never written. A mistake in it never keeps the dashboard
from starting; each one is told at the start and the rest holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tui.keymap import DEFAULT, Keymap, parse_keymap
from tui.palette import THEMES

FILE_NAME: Final = "dashboard.yaml"
_MAX_BYTES: Final = 256 * 1024
_KEYS: Final = ("theme", "mouse", "confirm", "keymap")
ASK, UNDO_ONLY = "ask", "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings. `theme` "": what suits the terminal. `asks_for_one`: one client is confirmed in a dialog."""

    theme: str = ""
    mouse: bool = True
    asks_for_one: bool = True
    keymap: Keymap = DEFAULT
    problems: Sequence[str] = ()


def read_settings(path: Path) -> Settings:
    """Read the settings; a missing file holds none, and one that cannot be read is a problem that is told."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        return Settings(problems=(f"{path}: cannot be read ({error.strerror}); nothing of it holds",))
    if len(data) > _MAX_BYTES:
        return Settings(problems=(f"{path}: larger than {_MAX_BYTES} bytes; nothing of it holds",))
    return parse_settings(data, path)


def parse_settings(data: bytes, path: Path) -> Settings:
    """Parse the bytes of a settings file."""
    import yaml

    try:
        values = yaml.safe_load(data.decode("utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError):
        return Settings(problems=(f"{path}: not valid YAML in UTF-8; nothing of it holds",))
    if values is None:
        return Settings()
    if not isinstance(values, dict):
        return Settings(problems=(f"{path}: expected a mapping with {', '.join(_KEYS)}; nothing of it holds",))
    problems = [
        f"there is no setting {str(key)[:40]!r}; known are {', '.join(_KEYS)}" for key in values if key not in _KEYS
    ]
    keymap, wrong = parse_keymap(values.get("keymap"))
    return Settings(
        theme=_choice(values, "theme", ("", *THEMES), problems),
        mouse=_switch(values, "mouse", problems),
        asks_for_one=_choice(values, "confirm", (ASK, UNDO_ONLY), problems) != UNDO_ONLY,
        keymap=keymap,
        problems=tuple(f"{path.name}: {problem}" for problem in (*problems, *wrong)),
    )


def _choice(values: dict[Any, Any], key: str, known: Sequence[str], problems: list[str]) -> str:
    value = values.get(key, known[0])
    if isinstance(value, str) and value in known:
        return value
    problems.append(f"{key}: {str(value)[:40]!r} is none of {', '.join(word for word in known if word)}")
    return known[0]


def _switch(values: dict[Any, Any], key: str, problems: list[str]) -> bool:
    value = values.get(key, True)
    if isinstance(value, bool):
        return value
    problems.append(f"{key}: {str(value)[:40]!r} is neither true nor false")
    return True
