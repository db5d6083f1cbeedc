"""The application's side of the link: frames leave as changes, wait for a link that is behind, spare a slow one.

Owns when a frame is written and what a slow link means: the terminal's own colours, no mouse, a tick every five
seconds, and words in the header. What stands in a frame is the screens' work.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.color import ColorSystem
from textual import events
from textual.driver import Driver
from textual.geometry import Offset
from textual.screen import Screen
from textual.widgets import Input

from backend.clock import Clock
from tui import wire_diff
from tui.leaving import LeavingApp
from tui.link_meter import PROBE, LinkMeter, rounded_ms
from tui.link_options import LinkOptions

BLURRED_TICKS: Final = 30  # nobody looks: one tick in thirty seconds
SLOW_TICKS: Final = 5
CURSOR_SHOWN: Final = "\x1b[?25h"
SYNC_FROM: Final = 1000  # bytes from which a frame is shown at once, by terminals that can (mode 2026)
SLOW_LOOK: Final = "ansi"  # halves what a frame costs
COLOR_SYSTEMS: Final[Mapping[str | None, ColorSystem]] = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "windows": ColorSystem.WINDOWS,
}


def driver_class() -> type[Driver] | None:
    """Return the driver that watches the link; None where the platform has only Textual's own."""
    if sys.platform == "win32":
        return None
    from tui.wire_driver import WireDriver

    return WireDriver


class LinkedApp(LeavingApp):
    """An application whose frames go through a picture of the terminal and a meter of the link."""

    def __init__(self, clock: Clock, state_dir: Path, options: LinkOptions, *, ansi_color: bool | None) -> None:
        super().__init__(clock, state_dir, driver_class=driver_class(), ansi_color=ansi_color)
        self.options = options
        self.link = LinkMeter(forced=options.slow)
        self.looked_at: float | None = None  # the monotonic instant that stands still for who reads by ear or finger
        self.frames_sent = 0
        self._unwatched = 0  # ticks since the window lost the focus
        self._picture = wire_diff.Picture() if options.diff and not wire_diff.missing() else None
        self._is_lost = False
        self._is_urgent = False
        self._is_eased = False
        self._look_before = ""
        self._mouse_before = False
        self._cursor_sent: tuple[int, int] | None = None

    # What the driver tells

    def wire_was_lost(self) -> None:
        """Note that the terminal's picture is unknown; may be called between any two statements (SIGCONT)."""
        self._is_lost = True

    def wire_is_free(self) -> None:
        """Send what has waited for the terminal's side."""
        self._send()

    def wire_answered(self, at: float) -> None:
        """Take the terminal's answer, and send what has waited for it."""
        self.link.answered(at)
        if self.link.must_ask and self._driver is not None:
            self.link.asked(at)
            self._driver.write(PROBE)
        self._send()
        self.follow_link()

    # Frames

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        driver = self._driver
        can_draw = self._running and not self._closed and not self.is_headless and driver is not None
        if self._picture is None or renderable is None or self._batch_count or not can_draw:
            before = getattr(driver, "bytes_written", 0)
            place = self.cursor_place() if can_draw else None
            self.cursor_position = self.cursor_position if place is None else Offset(*place)
            super()._display(screen, renderable)
            self._count(getattr(driver, "bytes_written", 0) - before)
            return
        try:
            width, height = self.size
            if (self._picture.width, self._picture.height) != (width, height):
                self._picture.resize(width, height)
            if self._picture.paint(renderable, COLOR_SYSTEMS.get(self.console.color_system, ColorSystem.TRUECOLOR)):
                self._send()
            else:
                super()._display(screen, renderable)
                self._picture.forget()
        except Exception as error:  # as Textual does: a frame that cannot be drawn ends the program in order
            self._handle_exception(error)
        finally:
            self.post_display_hook()

    def _set_pointer_shape(self, shape: str) -> None:
        """Leave the mouse's pointer as the terminal has it: its shape (OSC 22) says nothing here and costs bytes."""

    def _count(self, size: int) -> None:
        """Count a frame that Textual wrote itself, and ask the terminal to say when it has arrived."""
        if size > 0 and self._driver is not None:
            self.frames_sent += 1
            if self.options.accessible and self._is_lost:
                self._is_lost = False
                self._driver.write(CURSOR_SHOWN)
            now = self.real_clock.monotonic()
            probe = self.link.wants_probe(now)
            self.link.sent(size, now, probe=probe)
            if probe:
                self._driver.write(PROBE)

    def _send(self) -> None:
        """Write what the terminal does not show yet, unless the link is behind; it is asked again when it is not."""
        picture, driver = self._picture, self._driver
        if picture is None or driver is None or not self._running or self._closed or self.is_headless:
            return
        if self._is_lost:
            self._is_lost = False
            self._cursor_sent = None
            picture.forget()
        place = self.cursor_place()
        if picture.is_settled and place == self._cursor_sent:
            return
        now = self.real_clock.monotonic()
        if getattr(driver, "is_behind", False) or not self._may_send(now):
            self.link.held(now)
            self.follow_link()
            return
        text = picture.changes()
        if self.options.accessible and self._cursor_sent is None:
            text += CURSOR_SHOWN
        if place is not None and (text or place != self._cursor_sent):
            text += f"\x1b[{place[1] + 1};{place[0] + 1}H"
        self._cursor_sent = place
        self._write(text, now)

    def _may_send(self, now: float) -> bool:
        return self.link.may_send(now) if self._is_urgent else self.link.may_tick(now)

    def _write(self, text: str, now: float) -> None:
        assert self._driver is not None  # noqa: S101 - its caller has looked
        self._is_urgent = False
        self.frames_sent += 1
        probe = self.link.wants_probe(now)
        if len(text) >= SYNC_FROM and self._sync_available:
            text = f"\x1b[?2026h{text}\x1b[?2026l"
        text += PROBE if probe else ""
        self.link.sent(len(text.encode("utf-8", "replace")), now, probe=probe)
        self._driver.write(text)
        self._driver.flush()

    def cursor_place(self) -> tuple[int, int] | None:
        """Return where the terminal's cursor is to stand after a frame; None while nobody needs it there."""
        if self.options.accessible and self.screen_stack and not isinstance(self.screen.focused, Input):
            from tui.accessible import cursor_place

            return cursor_place(self.screen)
        is_typing = bool(self.screen_stack) and isinstance(self.screen.focused, Input)
        return (self.cursor_position.x, self.cursor_position.y) if is_typing else None

    def redraw_all(self) -> None:
        """Write the whole screen again, for a terminal that something else has written to."""
        if self._picture is None:
            self.screen.refresh(layout=True)
            self.refresh(layout=True)
        else:
            self.wire_was_lost()
            self._is_urgent = True
            self._send()

    async def on_event(self, event: events.Event) -> None:
        """Let what answers the operator go first, and take nothing for known after a change of size."""
        if isinstance(event, events.InputEvent | events.Paste):
            self._is_urgent = True
        elif isinstance(event, events.Resize):
            self._is_urgent = True
            self.wire_was_lost()
            if self._picture is not None and (self._picture.width, self._picture.height) == event.size:
                self._send()  # another terminal of the same size, as after attaching: nothing else would draw there
        await super().on_event(event)

    # Going easy

    def is_tick_due(self, ticks: int) -> bool:
        """Tell whether this second is to be drawn: not every one for nobody, nor for a link that is slow or behind."""
        self._unwatched = 0 if self.app_focus else self._unwatched + 1
        if self.looked_at is not None or self._unwatched % BLURRED_TICKS:
            return False
        if self.link.is_slow and ticks % SLOW_TICKS:
            return False
        self._send()
        is_behind = getattr(self._driver, "is_behind", False)
        if is_behind or not self.link.may_tick(self.real_clock.monotonic()):
            self.link.held(self.real_clock.monotonic())
            self.follow_link()
            return False
        return True

    def follow_link(self) -> None:
        """Go easy on a link that has become slow, and be oneself again on one that is good."""
        if self.link.is_slow != self._is_eased and self._running and self.screen_stack:
            self._is_eased = self.link.is_slow
            self._ease() if self._is_eased else self._unease()

    def _ease(self) -> None:
        self._look_before = self.look
        if self.look != "mono":
            self.use_look(SLOW_LOOK)
        self._mouse_before = getattr(self._driver, "has_mouse", False)
        self._set_mouse(on=False)
        known = "" if self.link.delay is None else f", {rounded_ms(self.link.delay)} ms for an answer"
        self.tell_link(f"slow link{known}: plain colours, no mouse, a tick every {SLOW_TICKS} seconds")

    def _unease(self) -> None:
        if self.look == SLOW_LOOK != self._look_before:  # unless the operator has chosen another one meanwhile
            self.use_look(self._look_before)
        self._set_mouse(on=True)
        self.tell_link("the link is good again")

    def _set_mouse(self, *, on: bool) -> None:
        set_mouse = getattr(self._driver, "set_mouse", None)
        if set_mouse is not None and self._mouse_before:
            set_mouse(on=on)

    # What the session does about it

    @property
    def look(self) -> str:
        """The name of the theme that is drawn with."""
        return SLOW_LOOK

    def use_look(self, name: str) -> None:
        """Draw with another theme from now on."""

    def tell_link(self, sentence: str) -> None:
        """Say what has changed about the link."""
