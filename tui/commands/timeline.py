"""Commands of the Timeline: moving and widening the selection, and what the grid counts."""

from __future__ import annotations

from typing import Final

from tui.commands.command import FLEET, TIMELINE, Command, Group


def _grid(command_id: str, keys: tuple[str, ...], key: str, label: str, text: str, *, footer: bool = False) -> Command:
    return Command(
        id=command_id,
        keys=keys,
        key=key,
        label=label,
        help=text,
        group=Group.LOOK,
        scope=frozenset({TIMELINE}),
        footer=footer,
    )


GRID: Final[tuple[Command, ...]] = (
    _grid("period_back", ("less_than_sign", "left"), "<", "earlier", "move the selection one period back", footer=True),
    _grid("period_on", ("greater_than_sign", "right"), ">", "later", "move the selection one period on", footer=True),
    _grid("widen", ("plus", "shift+right"), "+", "widen", "select one period more", footer=True),
    _grid("narrow", ("minus", "shift+left"), "-", "narrow", "select one period less"),
    _grid("what", ("i",), "i", "what ends", "count the ends of certificates, of tokens or of CAs"),
    _grid("scale", ("z",), "z", "zoom", "weeks, days or hours"),
    _grid("group_by", ("b",), "b", "group by", "a row for each cluster, kind, way of renewing, or site"),
    Command(
        id="pane",
        keys=("tab",),
        key="tab",
        label="pane",
        help="the other part of the screen: the grid or its clients; on the Runway the list of clusters",
        group=Group.MOVE,
        scope=frozenset({FLEET, TIMELINE}),
    ),
)
