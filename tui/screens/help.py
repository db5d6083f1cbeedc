"""The keys of the screen that help was asked on, from the registry; then the signs and the filter language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from backend.core.facts import Severity
from tui.banner import View
from tui.columns import OVERLAY_WORDS
from tui.commands import BY_ID, HELP, Command, Group
from tui.format import wrapped
from tui.gate import READ_ONLY
from tui.lines import BLANK, Line, plain
from tui.palette import SEVERITY_ROLES
from tui.screens.deck import bindings_of
from tui.screens.scroll import ScrollScreen

_FILTER = (
    ("word", "anywhere in name, cluster, kind, host or owner; several words must all match"),
    ("5f2a91", "six digits or more: in the serial number too"),
    ("cluster:bonn  !kind:KMS", "in one column; ! turns it round"),
    ("site:bonn", "of the sites that have this in their name"),
    ("state:latent  sev:x!", "by state, by severity signs"),
    ("next:renew", "by next step"),
    ("left<7d  token<30d", "by what is left"),
    ("seen>10m", "by the time since the last call"),
    ("auto:no  marked", "who does not renew by itself; what is marked"),
    ('"two words"', "in quotes everything is text"),
)
_MEANINGS = {
    Severity.EXPIRED: "out, or its CA has ended",
    Severity.CRITICAL: "at most 10 % left, or a repair that cannot wait",
    Severity.UNKNOWN: "not confirmed; what is shown is the last word",
    Severity.WARNING: "at most 30 % left and nobody renews, or late",
    Severity.INFO: "due, and it renews by itself",
    Severity.OK: "nothing to do",
}


class HelpScreen(ScrollScreen):
    """What each key does here."""

    scope = HELP
    view_id: ClassVar[str] = "help"
    BINDINGS: ClassVar[list[object]] = [*bindings_of(HELP)]  # type: ignore[assignment]

    def __init__(self, about: str) -> None:
        super().__init__()
        self.about = about

    def place(self) -> str:
        return f"help: {self.about}"

    def _help_of(self, command: Command) -> str:
        own = self.app.keymap.is_own(command)
        return f"{command.help} (your key; {BY_ID[command.id].key} as shipped)" if own else command.help

    def text_lines(self, view: View) -> Sequence[Line]:
        lines: list[Line] = []
        commands = self.app.keymap.of_screen(self.about)
        if not self.app.write_mode:
            lines.extend([plain(f"Capitals are refused now: {READ_ONLY}", "warning"), BLANK])
        for group in Group:
            members = [command for command in commands if command.group is group]
            if not members or (group is Group.REPLAY and self.app.replay is None):
                continue
            lines.append(plain(group.value, "head"))
            size = max(len(command.label) for command in members) + 1
            for command in members:
                for number, part in enumerate(wrapped(self._help_of(command), max(20, view.width - 14 - size))):
                    key, label = (command.key, command.label) if not number else ("", "")
                    lines.append(((f"  {key:10} ", "key"), (f"{label:{size}}", "text"), (part, "text")))
            lines.append(BLANK)
        lines.append(plain("Signs in STATE", "head"))
        for severity, meaning in _MEANINGS.items():
            role = SEVERITY_ROLES[severity]
            lines.append(((f"  {view.glyphs.severity(severity)} {severity.name.lower():10} ", role), (meaning, "text")))
        words = ", ".join(f"+{word}" for word in OVERLAY_WORDS.values())
        busy = f"an operation is at work; after a state: {words}"
        lines.extend(_entry(f"{view.glyphs.running} busy", 13, busy, view.width, "text"))
        lines.extend([BLANK, plain("Filter", "head")])
        for term, meaning in _FILTER:
            lines.extend(_entry(term, 27, meaning, view.width, "key"))
        return lines


def _entry(name: str, size: int, meaning: str, width: int, role: str) -> list[Line]:
    """Return a name and what it means, in as many lines as that needs."""
    parts = wrapped(meaning, max(20, width - size - 2))
    return [((f"  {name if not number else '':{size}}", role), (part, "text")) for number, part in enumerate(parts)]
