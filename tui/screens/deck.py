"""What every screen of the dashboard shares: the lines around its body, its keys and its prompt.

A screen has a scope in the command registry; its bindings and key lines come from there and from nowhere else. What is
typed is `tui.screens.prompting`'s, the body is the subclass's; `draw` brings everything to the app's present second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widget import Widget

from tui.banner import WIDE, View, header_line, key_lines, severity_line
from tui.commands import Command, of_screen
from tui.format import wrapped
from tui.lines import Line, cut, plain
from tui.screens.prompting import PromptScreen
from tui.tape_words import tape_words
from tui.widgets.lines import Lines
from tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    pass

MINIMUM_WIDTH = 40
MINIMUM_HEIGHT = 10
SHORT_HEIGHT = 16  # below it one key line has to do


def bindings_of(scope: str) -> list[Binding]:
    """Return the key bindings of a screen, made from the registry."""
    return [
        Binding(
            ",".join(command.keys) or f"<{command.id}>",  # no terminal sends that; the operator's own key replaces it
            f"app.run_command('{command.id}')",
            command.label,
            id=f"{scope}.{command.id}",
            show=False,
        )
        for command in of_screen(scope)
    ]


class DeckScreen(PromptScreen):
    """Header, body, status, notice or prompt, keys."""

    AUTO_FOCUS = ""
    ALLOW_SELECT = False
    is_of_all_sites: ClassVar[bool] = False  # whether it shows every site, not only the current one
    view_id: ClassVar[str] = ""  # the view command that leads here, marked in the key line

    def compose(self) -> ComposeResult:
        yield Lines(id="head")
        yield Lines(id="small")
        yield from self.compose_body()
        yield Lines(id="status")
        yield Lines(id="palette")
        yield Lines(id="notice")
        yield Prompt()
        yield Lines(id="keys")

    def compose_body(self) -> Iterable[Widget]:
        """Return the widgets between header and status; one of them has the id `body`."""
        raise NotImplementedError

    # What the app asks of a screen

    @property
    def current_number(self) -> int | None:
        """The client that commands without a mark are about."""
        return None

    def place(self) -> str:
        """Return the words for where the operator is."""
        return self.app.current_site.name

    def head_lines(self, view: View) -> list[Line]:
        """Return the lines above the body."""
        return [header_line(view), severity_line(view)]

    def status(self, view: View) -> Line:
        """Return the line below the body."""
        return ()

    def draw_body(self, view: View) -> None:
        """Bring the body up to date."""

    def line_clicked(self, part: str, y: int) -> None:
        """Put the cursor where the mouse was pressed: in which part of the body, and on which of its lines."""

    def forget_changes(self) -> None:
        """Mark nothing as just changed: the time has jumped."""

    def refusal(self, command: Command) -> str | None:
        """Return why a command makes no sense on this screen now; the gate has let it through."""
        return None

    # Drawing

    def view(self) -> View:
        """Return what the lines around the body are made from."""
        app = self.app
        return View(
            model=app.model,
            glyphs=app.glyphs,
            width=self.size.width,
            now=app.now,
            monotonic=app.clock.monotonic(),
            shown_at=app.shown_at,
            place=self.place(),
            tag=app.tags,
            write_mode=app.write_mode,
            simulated=app.simulated,
            paused=app.paused_at is not None,
            jobs=app.running_jobs,
            sinks_failing=tuple(sink.name for s in app.sites if s.alerts is not None for sink in s.alerts.failing),
            failure=app.failure,
            keymap=app.keymap,
            failed=frozenset(site.fleet.place for site in app.sites if site.failure),
            is_of_all_sites=self.is_of_all_sites,
            login_not_after=app.gateway.connection.certificate_not_after,
            tape=tape_words(app.gateway, app.replay, app.now, wide=self.size.width >= WIDE),
            link=app.link.words(),
            link_is_slow=app.link.is_slow,
        )

    def draw(self) -> None:
        """Show the present second; what is the same is not written again."""
        if not self.is_mounted or not self.size.width or not self.query("#head"):
            return  # on the way out a screen's lines are gone before it is
        self.app.keep_working()
        view = self.view()
        self.query_one("#head", Lines).set_lines(self.head_lines(view))
        self.draw_body(view)
        self.query_one("#status", Lines).set_lines([self.status(view)])
        self.query_one("#notice", Lines).set_lines([self._notice(view)])
        self.query_one("#keys", Lines).set_lines(self._keys(view))
        self.draw_palette(self.size.width, self.size.height)

    def _notice(self, view: View) -> Line:
        return self._notice_lines(view)[0]

    def _notice_lines(self, view: View) -> list[Line]:
        """The notice, in two lines where one is too narrow; the second one stands in for the action keys."""
        text, role = self.app.notice_text, self.app.notice_role
        if not text and view.failure:
            text, role = f"{view.failure}; trying again", "error"
        if not text and self.app.outbox.holding:
            return [cut(self.app.outbox.holding.line(view.monotonic), view.width)]
        return [plain(part, role) for part in wrapped(text, view.width)][:2]

    def _keys(self, view: View) -> list[Line]:
        commands = self.app.keymap.of_screen(self.scope)
        refused = frozenset(c.id for c in commands if c.footer and c.mutates and self.app.refusal(c) is not None)
        lines = key_lines(commands, view.width, refused=refused, here=self.view_id)
        prompt = self.query_one(Prompt)
        if prompt.is_open:
            lines[0] = self.prompt_help(prompt)
        elif len(notice := self._notice_lines(view)) > 1:
            lines[0] = notice[1]
        return lines[:1] if self.size.height < SHORT_HEIGHT else lines

    def on_mount(self) -> None:
        """Show the first frame at once, whatever is known."""
        self.draw()

    def on_screen_resume(self) -> None:
        """Catch up with what happened behind another screen."""
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size, or say which one is needed."""
        width, height = event.size
        small = width < MINIMUM_WIDTH or height < MINIMUM_HEIGHT
        self.set_class(small, "-small")
        self.set_class(height < SHORT_HEIGHT, "-short")
        needed = f"{MINIMUM_WIDTH}x{MINIMUM_HEIGHT}"
        self.query_one("#small", Lines).set_lines([plain(f"needs {needed},"), plain(f"has {width}x{height}")])
        self.resized(width, height)
        self.call_after_refresh(self.draw)

    def resized(self, width: int, height: int) -> None:
        """Show or hide panes for a new size."""

    def on_key(self, event: events.Key) -> None:
        """Tell the app that somebody types."""
        self.app.note_key(event.time)
