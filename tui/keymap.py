"""The operator's own keys: overrides of the registry's, by command id, and what is wrong with them.

Pure. Nothing is taken over silently: an unknown command, a key that no terminal sends, and two commands of one screen
on one key are named, and the commands concerned keep their own keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from tui.commands import BY_ID, COMMANDS, Command

RESERVED: Final = frozenset({"ctrl+c", "ctrl+q"})  # they end the program, whatever else is wrong
_NAMES: Final = frozenset(
    {
        *("escape", "enter", "space", "tab", "backspace", "delete", "insert"),
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
        *(f"f{number}" for number in range(1, 25)),
    }
)
_MODIFIED: Final = re.compile(r"((?:ctrl\+|shift\+|alt\+)*)(.+)", re.DOTALL)
_RENAMED: Final = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}


class Keymap:
    """The registry with the operator's keys in it."""

    def __init__(self, overrides: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.overrides = dict(overrides or {})
        self._commands = tuple(self._with_keys(command) for command in COMMANDS)
        self._by_id = {command.id: command for command in self._commands}

    def _with_keys(self, command: Command) -> Command:
        keys = self.overrides.get(command.id)
        return command if keys is None else replace(command, keys=keys, key=shown(keys[0]))

    @property
    def commands(self) -> tuple[Command, ...]:
        """Every command, in the registry's order."""
        return self._commands

    def of_screen(self, scope: str) -> tuple[Command, ...]:
        """Return the commands of a screen."""
        return tuple(command for command in self._commands if scope in command.scope)

    def key(self, command: Command) -> str:
        """Return the key that is shown for a command."""
        return self._by_id[command.id].key

    def is_own(self, command: Command) -> bool:
        """Tell whether the operator chose this command's keys."""
        return command.id in self.overrides

    @property
    def bindings(self) -> dict[str, str]:
        """The overrides as Textual takes them: binding id (`screen.command`) to keys."""
        return {
            f"{scope}.{name}": ",".join(keys) for name, keys in self.overrides.items() for scope in BY_ID[name].scope
        }


DEFAULT: Final = Keymap()


def shown(key: str) -> str:
    """Return a key as a person writes it: `/` for `slash`; other names stay."""
    for code in range(33, 127):
        if key_name(chr(code)) == key:
            return chr(code)
    return {"escape": "esc", "pagedown": "pgdn", "pageup": "pgup"}.get(key, key)


def key_name(text: str) -> str | None:
    """Return Textual's name of a key that is written as a name or as its character; None when there is no such key."""
    found = _MODIFIED.fullmatch(text.strip())
    if found is None:
        return None
    modifiers, key = found.groups()
    if len(key) == 1:
        if key.isalnum() and key.isascii():
            return f"{modifiers}{key}"
        name = unicodedata.name(key, "").lower().replace("-", "_").replace(" ", "_")
        return f"{modifiers}{_RENAMED.get(name, name)}" if name and key.isprintable() else None
    lower = key.lower()
    lower = {"esc": "escape", "pgdn": "pagedown", "pgup": "pageup"}.get(lower, lower)
    known = lower in _NAMES or any(key_name(chr(code)) == lower for code in range(33, 127) if not chr(code).isalnum())
    return f"{modifiers}{lower}" if known else None


def parse_keymap(values: object) -> tuple[Keymap, list[str]]:
    """Read the `keymap` section; return the keymap and a sentence for everything in it that was not taken."""
    if values is None:
        return DEFAULT, []
    if not isinstance(values, dict):
        return DEFAULT, ["keymap: expected a mapping of command names to keys, such as `renew: f5`; it was not taken"]
    problems: list[str] = []
    overrides: dict[str, tuple[str, ...]] = {}
    for name, wanted in values.items():
        command_id = str(name).replace("-", "_")
        keys = _keys(wanted)
        if command_id not in BY_ID:
            problems.append(f"keymap: there is no command {str(name)[:40]!r}; `?` lists the names")
        elif isinstance(keys, str):
            problems.append(f"keymap: {command_id}: {keys}; it keeps {BY_ID[command_id].key}")
        else:
            overrides[command_id] = keys
    return _without_clashes(overrides, problems), problems


def _keys(wanted: object) -> tuple[str, ...] | str:
    """Return the keys, or what is wrong with them."""
    texts = wanted if isinstance(wanted, list) else [wanted]
    found: list[str] = []
    for text in texts:
        name = key_name(str(text)) if isinstance(text, str | int) and not isinstance(text, bool) else None
        if name is None:
            return f"{str(text)[:20]!r} is no key; write one such as R, f5, ctrl+r or pgdn"
        if name in RESERVED:
            return f"{text} always ends the program"
        found.append(name)
    return tuple(found) or "no key is given"


def _without_clashes(overrides: dict[str, tuple[str, ...]], problems: list[str]) -> Keymap:
    """Give up every override that puts two commands of a screen on one key; giving one up may uncover another."""
    while True:
        keymap = Keymap(overrides)
        clash = _find_clash(keymap)
        if clash is None:
            return keymap
        key, scope, pair = clash
        for command in pair:
            if overrides.pop(command.id, None) is not None:
                other = next(one for one in pair if one is not command)
                problems.append(
                    f"keymap: {command.id}: {shown(key)} is {other.id} on the {scope} screen; "
                    f"it keeps {BY_ID[command.id].key}"
                )


def _find_clash(keymap: Keymap) -> tuple[str, str, Sequence[Command]] | None:
    for scope in sorted({scope for command in keymap.commands for scope in command.scope}):
        taken: dict[str, Command] = {}
        for command in keymap.of_screen(scope):
            for key in command.keys:
                before = taken.setdefault(key, command)
                if before is not command:
                    return key, scope, (before, command)
    return None
