"""Dialogs over the dashboard: a frame, a text that scrolls, and keys that only count when somebody means them.

Owns the guards of every confirmation: the keyboard has to have been still for 400 ms before a key starts anything, a
burst of keys is a paste, and pasted text never acts. What a dialog says and decides is its subclass's. Times are the
app's monotonic clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from tui.lines import BLANK, Line, boxed, plain
from tui.messages import FleetChanged, LinkChanged, Ticked
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.app import MocdeckApp

DWELL_SECONDS: Final = 0.4  # so long nothing may have been pressed before a key that starts something
BURST_SECONDS: Final = 0.05
BURST_KEYS: Final = 3  # more keys than this within 50 ms were pasted, not typed
MARGIN: Final = 2

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """A framed text with its keys at the foot; esc leaves without doing anything."""

    ALLOW_SELECT: ClassVar[bool] = False
    app: MocdeckApp  # the one app that uses these screens
    wide: ClassVar[int] = 78  # cells, where there is room
    confirms: ClassVar[bool] = False  # whether something is started from here: then the site's tag stands in the title

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title_text = title
        self.hint = ""
        self.top = 0
        self._still_since = 0.0
        self._burst: deque[float] = deque(maxlen=BURST_KEYS + 1)
        self._room = 1
        self._length = 0

    def compose(self) -> ComposeResult:
        yield Lines(id="dialog")

    # What a subclass says

    def body(self, width: int) -> Sequence[Line]:
        """Return the text, which scrolls when it is longer than the screen."""
        return ()

    def foot(self, width: int) -> Sequence[Line]:
        """Return the lines that are always seen: what is typed, and the keys."""
        return ()

    def pressed(self, event: events.Key, *, still: bool) -> None:
        """Act on a key; `still` says that nothing was pressed for long enough to mean it."""

    def pasted(self, text: str) -> None:
        """Refuse pasted text, unless a subclass has a field for it."""
        self.hint = "pasted text is ignored here: type it"

    # Drawing

    def on_mount(self) -> None:
        """Begin to wait for a still keyboard."""
        self._still_since = self.app.clock.monotonic()
        self.draw()

    def on_resize(self) -> None:
        """Fit the new size."""
        self.draw()

    def draw(self) -> None:
        """Bring the text to the app's present second."""
        if not self.size.width:
            return
        width = min(self.wide, self.size.width - MARGIN)
        inner = max(10, width - 4)
        body, foot = list(self.body(inner)), list(self.foot(inner))
        if self.hint:
            foot.insert(0, plain(self.hint[:inner], "warning"))
        room = max(1, self.size.height - 3 - len(foot))
        self._length, self._room = len(body), room
        if len(body) > room:
            self._room = room = room - 1
            self.top = max(0, min(self.top, len(body) - room))
            last = self.top + room
            shown = [*body[self.top : last], plain(f"lines {self.top + 1}-{last} of {len(body)}   pgup pgdn", "dim")]
        else:
            self.top, shown = 0, body
        lines = [*shown, BLANK, *foot]
        frame = self.app.glyphs.frame
        box = self.query_one("#dialog", Lines)
        box.styles.width = width
        box.set_lines(boxed(self._title(), lines, width, min(len(lines) + 2, self.size.height), *frame))

    def _title(self) -> str:
        tag = self.app.site_tag if self.confirms else ""
        return f"{self.title_text}  {tag}" if tag and tag not in self.title_text.split() else self.title_text

    def on_ticked(self, _: Ticked) -> None:
        """Show the present second."""
        self.draw()

    def on_link_changed(self, _: LinkChanged) -> None:
        """Show whether the agent answers."""
        self.draw()

    def on_fleet_changed(self, _: FleetChanged) -> None:
        """Show what the agent now says."""
        self.draw()

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Look at every key before the subclass does; esc always leaves."""
        event.stop()
        event.prevent_default()
        self.app.note_key(event.time)
        now = self.app.clock.monotonic()
        still = now - self._still_since >= DWELL_SECONDS
        self._still_since = now
        self._burst.append(now)
        self.hint = ""
        if event.key == "escape":
            self.dismiss(None)
            return
        if not self._scrolled(event.key):
            self.pressed(event, still=still)
        if self.is_attached and self.is_current:
            self.draw()

    @property
    def is_burst(self) -> bool:
        """Tell whether the last keys came faster than anyone types."""
        return len(self._burst) > BURST_KEYS and self._burst[-1] - self._burst[0] < BURST_SECONDS

    def on_paste(self, event: events.Paste) -> None:
        """Keep pasted text from becoming keys."""
        event.stop()
        event.prevent_default()
        self._still_since = self.app.clock.monotonic()
        self.pasted(event.text)
        self.draw()

    def _scrolled(self, key: str) -> bool:
        step = {"pagedown": self._room, "pageup": -self._room, "down": 1, "up": -1}.get(key)
        if step is None:
            return False
        self.top = max(0, min(self.top + step, self._length - self._room))
        return True

    def too_soon(self) -> None:
        """Say why a key that starts something was not taken."""
        self.hint = "not taken: it counts when no key was pressed for a moment before it"

    def locked_by(self) -> str:
        """Return why nothing may be changed now, or an empty text."""
        if not self.app.write_mode:
            return "read-only"
        away = self.app.situation().away
        return f"the agent has not answered for {away}" if away else ""


def field_line(label: str, typed: str, width: int, *, active: bool) -> Line:
    """Return one line of a form: its label, what was typed, and a cursor where typing goes."""
    room = max(4, width - len(label) - 2)
    shown = typed[-(room - 1) :]
    role = "title" if active else "text"
    cursor: Line = (("_", "key"),) if active else ()
    return ((f"{label} ", "text" if active else "dim"), (shown, role), *cursor)


def button_line(action: str, *, locked: str, focused: bool = True, key: str = "y") -> Line:
    """Return Cancel, which has the focus, and the key that acts, dimmed with the reason while it is locked."""
    cancel = ("( Cancel )", "title+cursor" if focused else "text")
    if locked:
        return (cancel, ("   ", "text"), (f"[{key}] {action}", "dim"), (f"   locked: {locked}", "warning"))
    return (cancel, ("   ", "text"), (f"[{key}]", "key"), (f" {action}", "title"), ("   esc leaves", "dim"))


def edited(typed: str, event: events.Key, limit: int) -> str | None:
    """Return the text of a field after a key, None when the key does not edit."""
    if event.key == "backspace":
        return typed[:-1]
    if event.key == "ctrl+u":
        return ""
    if event.character is not None and event.is_printable and len(typed) < limit:
        return typed + event.character
    return None
