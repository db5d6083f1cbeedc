"""Commands about one client or about how the list is shown; none of them asks the agent for a change."""

from __future__ import annotations

from typing import Final

from tui.commands.command import DETAIL, FLEET, TIMELINE, Command, Group, Needs


def _item(command_id: str, key: str, label: str, text: str, needs: Needs) -> Command:
    return Command(
        id=command_id,
        keys=(key,),
        key=key,
        label=label,
        help=text,
        group=Group.LOOK,
        scope=frozenset({FLEET, DETAIL, TIMELINE}),
        needs=needs,
    )


RUNWAY: Final[tuple[Command, ...]] = (
    Command(
        id="wide",
        keys=("w",),
        key="w",
        label="wide",
        help="give the list the whole width, with the columns that are hidden otherwise; w again ends it",
        group=Group.LOOK,
        scope=frozenset({FLEET}),
    ),
    Command(
        id="columns",
        keys=("C",),
        key="C",
        label="columns",
        help="choose the columns of the list; remembered for this site",
        group=Group.LOOK,
        scope=frozenset({FLEET}),
    ),
    Command(
        id="jump",
        keys=("f",),
        key="f",
        label="find row",
        help="show a letter beside each row; pressing it puts the cursor there",
        group=Group.MOVE,
        scope=frozenset({FLEET}),
    ),
    _item("copy", "c", "copy", "copy the names of the marked clients, or of the one under the cursor", Needs.SELECTION),
    _item("yaml", "y", "yaml", "everything known of one client, as YAML", Needs.ROW),
    _item("events_of", "l", "events", "the events of one client", Needs.ROW),
    _item("export_item", "E", "export item", "write one client to a file, as CSV, JSON or Markdown", Needs.ROW),
    Command(
        id="history_back",
        keys=("left_square_bracket",),
        key="[",
        label="before",
        help="the view and the filter before this one",
        group=Group.MOVE,
    ),
    Command(
        id="history_on",
        keys=("right_square_bracket",),
        key="]",
        label="after",
        help="the view and the filter after this one",
        group=Group.MOVE,
    ),
)
