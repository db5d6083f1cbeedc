"""What the app tells a dialog that lies over the dashboard; values only, no widget and no agent.

The dashboard's own screens are redrawn by the app. Any other screen on top of them gets these messages and may redraw
itself.
"""

from __future__ import annotations

from textual.message import Message


class FleetChanged(Message):
    """The agent answered; `touched` holds the clients that changed, came or went: often none, nor of a snapshot."""

    def __init__(self, touched: frozenset[int]) -> None:
        super().__init__()
        self.touched = touched


class LinkChanged(Message):
    """The agent went away or came back."""

    def __init__(self, *, alive: bool) -> None:
        super().__init__()
        self.alive = alive


class Ticked(Message):
    """A second has passed; the time is the app's `now`."""
