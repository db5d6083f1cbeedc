"""The line that an operator types into, and the command line with its matches, on every screen of the dashboard.

Owns what a typed command means; the commands are the registry's, the gate is the app's. The same list of matches stands
behind `:` and ctrl+p.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.screen import Screen

from tui.commands import BY_ID, COMMANDS, Command, Group, complete
from tui.format import fit, shorten
from tui.gate import REPLAY
from tui.lines import Line, cut, plain
from tui.widgets.lines import Lines
from tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from tui.app import MocdeckApp

MATCHES: Final = 8
FEW_MATCHES: Final = 4  # on a screen below `TALL`
TALL: Final = 20


class PromptScreen(Screen[None]):
    """The prompt of a screen: filter, command, reason."""

    scope: ClassVar[str] = ""
    app: MocdeckApp  # the one app that uses these screens

    def __init__(self) -> None:
        super().__init__()
        self._match = 0

    def draw(self) -> None:
        """Show the present second."""
        raise NotImplementedError

    def focus_body(self) -> None:
        """Let the body have the keys."""
        self.set_focus(None)

    def open_prompt(self, purpose: str, sigil: str, text: str = "", **options: Any) -> None:
        """Let the operator type a line."""
        self.query_one("#notice", Lines).display = False
        self.query_one(Prompt).open(purpose, sigil, text, **options)
        self.draw()

    def close_prompt(self) -> None:
        """End typing and give the keys back to the body."""
        self.query_one(Prompt).close()
        self.query_one("#notice", Lines).display = True
        self.query_one("#palette", Lines).display = False
        self.focus_body()
        self.draw()

    # What is typed

    def prompt_changed(self, purpose: str, text: str) -> None:
        """Follow what is typed."""

    def prompt_closed(self, purpose: str) -> None:
        """Undo what the prompt had changed."""

    def prompt_entered(self, purpose: str, text: str) -> None:
        """Accept what was typed for a purpose of the screen's own."""

    def prompt_help(self, prompt: Prompt) -> Line:
        """Return the line under the prompt."""
        if prompt.purpose == "command":
            if not self._matches(prompt.entry.value):
                return plain("no such command; ? lists them", "error")
            return plain("up down choose   tab completes   enter runs   esc cancels", "dim")
        return plain("enter accepts, esc cancels", "dim")

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """Show completions as they are typed."""
        self._match = 0
        self.prompt_changed(message.purpose, message.text)
        self.draw()

    def on_prompt_closed(self, message: Prompt.Closed) -> None:
        """Leave the prompt without doing anything."""
        self.prompt_closed(message.purpose)
        self.close_prompt()

    def on_prompt_moved(self, message: Prompt.Moved) -> None:
        """Choose another match."""
        found = self._matches(self.query_one(Prompt).entry.value)
        self._match = max(0, min(self._match + message.rows, len(found) - 1))
        self.draw()

    def on_prompt_entered(self, message: Prompt.Entered) -> None:
        """Do what was typed."""
        if message.purpose == "command":
            self.close_prompt()
            self._run_typed(message.text)
        elif message.purpose == "reason":
            self.close_prompt()
            self._switch_write(message.text)
        else:
            self.prompt_entered(message.purpose, message.text)

    # Commands

    def cmd_command_line(self) -> None:
        """Open the `:` line."""
        self._match = 0
        self.open_prompt("command", ":", completer=self._complete)

    def _matches(self, typed: str) -> Sequence[Command]:
        """Return the commands that what was typed may mean; once an argument is typed, the one it belongs to."""
        word, _, rest = typed.strip().partition(" ")
        named = BY_ID.get(word.lower().replace("-", "_"))
        if rest and named is not None and named.argument and self.scope in named.scope:
            return (named,)
        hidden = {"command_line"} | (
            {c.id for c in COMMANDS if c.group is Group.REPLAY} if not self.app.replay else set()
        )
        return tuple(command for command in complete(typed, self.scope) if command.id not in hidden)

    def _complete(self, typed: str) -> str | None:
        found = self._matches(typed)
        if not found:
            return None
        command = found[min(self._match, len(found) - 1)]
        name = command.id.replace("_", "-")
        return f"{name} " if command.argument else name

    def draw_palette(self, width: int, height: int) -> None:
        """Show the matches above the line while a command is typed."""
        pane, prompt = self.query_one("#palette", Lines), self.query_one(Prompt)
        if not (prompt.is_open and prompt.purpose == "command"):
            pane.display = False
            return
        found = self._matches(prompt.entry.value)
        room = MATCHES if height >= TALL else FEW_MATCHES
        top = max(0, self._match - room + 1)
        lines = [
            self._match_line(command, width, here=place == self._match)
            for place, command in enumerate(found[top : top + room], top)
        ]
        more = len(found) - top - len(lines)
        if more > 0:
            lines[-1] = plain(f"    {more + 1} more", "dim")
        if len(lines) != (len(pane.lines) if pane.display else 0):
            self.call_after_refresh(self.draw)  # what lies above has another height then
        pane.display = bool(lines)
        pane.set_lines(lines)

    def _match_line(self, command: Command, width: int, *, here: bool) -> Line:
        over = "+cursor" if here else ""
        refused = self.app.refusal(command)
        name = f"{command.id.replace('_', '-')} {command.argument}".strip()
        key = self.app.keymap.key(command)
        size = 27 if width >= 70 else 20
        role = "dim" if refused else "text"
        what = command.help if refused is None else refused.removeprefix(f"{command.label}: ")
        line: Line = (
            (f"{self.app.glyphs.cursor if here else ' '} ", "mark" + over),
            (fit(shorten(name, size - 1), size), ("dim" if refused else "title") + over),
            (fit("" if key.startswith(":") else key, 7), "key" + over),
            (fit(shorten(what, max(1, width - size - 9)), max(1, width - size - 9)), role + over),
        )
        return cut(line, width)

    def _run_typed(self, text: str) -> None:
        word, _, rest = text.strip().partition(" ")
        if not word:
            return
        found = self._matches(text)
        exact = next((one for one in found if one.id == word.lower().replace("-", "_")), None)
        if exact is None and not found:
            self.app.notice(f"no command {word!r} here; ? lists them", "error")
        else:
            self.app.run_command(exact or found[min(self._match, len(found) - 1)], rest.strip())

    # Write mode

    def cmd_write(self, reason: str) -> None:
        """Switch write mode on; without a reason, ask for one."""
        if self.app.write_mode:
            self.app.notice("write mode is on already; `:readonly` ends it")
        elif reason:
            self._switch_write(reason)
        else:
            self.open_prompt("reason", "reason for changes:")

    def _switch_write(self, reason: str) -> None:
        if self.app.replay is not None:
            self.app.notice(f"write mode: {REPLAY}", "warning")
            return
        if not reason.strip():
            self.app.notice("write mode needs a reason, such as a ticket number; nothing was switched", "warning")
            return
        self.app.set_write_mode(on=True, reason=reason.strip())
        self.app.notice("write mode is on until you leave, or 30 minutes without a key", "title")
