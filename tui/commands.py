"""The registry of commands: every key, its word, its help, and whether it changes anything.

One list. Bindings, the footer, the help screen, the `:` line and the gate are made from it, so a command that is not
here does not exist, and one that changes something cannot forget to say so. A command's handler is the method
`cmd_<id>` of the screen it is given to, or of the app. It knows no widget and no agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from backend.core.planrules import ActionKind


class Needs(Enum):
    """What must be there before a command makes sense."""

    NOTHING = "nothing"
    ROW = "a client under the cursor"
    SELECTION = "marked clients, or one under the cursor"


class Group(Enum):
    """Headings of the help screen, in its order."""

    ACT = "Act (capitals change something)"
    LOOK = "Look"
    MARK = "Mark"
    MOVE = "Move"
    VIEW = "Views"
    PROGRAM = "Program"


FLEET: Final = "fleet"
DETAIL: Final = "detail"
CLUSTERS: Final = "clusters"
JOBS: Final = "jobs"
EVENTS: Final = "events"
FORECAST: Final = "forecast"
ALERTS: Final = "alerts"
HELP: Final = "help"
OPERATION: Final = "operation"
ROTATION_PLAN: Final = "rotation plan"
ROTATION: Final = "rotation"
EVERYWHERE: Final = frozenset(
    {FLEET, DETAIL, CLUSTERS, JOBS, EVENTS, FORECAST, ALERTS, HELP, OPERATION, ROTATION_PLAN, ROTATION}
)
LISTS: Final = frozenset({FLEET, CLUSTERS, JOBS, EVENTS, FORECAST, ALERTS, OPERATION})
TEXTS: Final = frozenset({DETAIL, HELP, ROTATION_PLAN, ROTATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that an operator can ask for.

    `keys` are Textual key names, the first one is the one shown as `key`. `scope` names the screens that have it.
    `footer` puts it on the key lines; `action` is what it asks of the agent's planner, for the gate's reasons.
    """

    id: str
    keys: tuple[str, ...]
    key: str
    label: str
    help: str
    group: Group
    scope: frozenset[str] = EVERYWHERE
    mutates: bool = False
    needs: Needs = Needs.NOTHING
    footer: bool = False
    action: ActionKind | None = None


def _act(command_id: str, key: str, label: str, text: str, action: ActionKind | None) -> Command:
    return Command(
        id=command_id,
        keys=(key,),
        key=key,
        label=label,
        help=text,
        group=Group.ACT,
        scope=frozenset({FLEET, DETAIL}),
        mutates=True,
        needs=Needs.SELECTION,
        footer=True,
        action=action,
    )


def _move(command_id: str, keys: tuple[str, ...], key: str, text: str) -> Command:
    return Command(
        id=command_id,
        keys=keys,
        key=key,
        label=command_id.replace("_", " "),
        help=text,
        group=Group.MOVE,
        scope=LISTS | TEXTS,
    )


def _mark(command_id: str, keys: tuple[str, ...], key: str, label: str, text: str, *, footer: bool = False) -> Command:
    return Command(
        id=command_id,
        keys=keys,
        key=key,
        label=label,
        help=text,
        group=Group.MARK,
        scope=frozenset({FLEET}),
        footer=footer,
    )


def _view(command_id: str, key: str, label: str, text: str) -> Command:
    return Command(id=command_id, keys=(key,), key=key, label=label, help=text, group=Group.VIEW, footer=True)


COMMANDS: Final[tuple[Command, ...]] = (
    _act("renew", "R", "renew", "renew the certificate: same identity, new certificate", ActionKind.RENEW),
    _act("rotate_token", "T", "token", "rotate the token and bring the new one to the client", ActionKind.ROTATE_TOKEN),
    _act("repair", "S", "repair", "repair: rotate, deliver a login file, sign in again", ActionKind.REPAIR),
    Command(
        id="update_cluster_certificates",
        keys=("N",),
        key="N",
        label="update",
        help="update the certificates of this cluster: each client gets the token, certificate or repair it needs",
        group=Group.ACT,
        scope=frozenset({CLUSTERS}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="update_certificates",
        keys=("M",),
        key="M",
        label="update management",
        help="update the certificates of node agents and management cluster, in that order",
        group=Group.ACT,
        scope=frozenset({FLEET, CLUSTERS}),
        mutates=True,
    ),
    Command(
        id="rotate_ca",
        keys=("X",),
        key="X",
        label="rotate CA",
        help="plan a CA rotation; every client must sign in again",
        group=Group.ACT,
        scope=frozenset({FLEET, DETAIL, CLUSTERS}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="stop",
        keys=("K",),
        key="K",
        label="stop",
        help="stop the operation after the steps that are under way",
        group=Group.ACT,
        scope=frozenset({JOBS, OPERATION}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="take_file",
        keys=("F",),
        key="F",
        label="take login file",
        help="take the login file of the client under the cursor, to carry it there; each call makes a new token",
        group=Group.ACT,
        scope=frozenset({OPERATION}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="confirm_rotation",
        keys=("C",),
        key="C",
        label="confirm",
        help="confirm this plan: type the deployment's name and give a reason",
        group=Group.ACT,
        scope=frozenset({ROTATION_PLAN}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="proceed",
        keys=("P",),
        key="P",
        label="proceed",
        help="wait no longer for the clients that a gate names; they need another way back then",
        group=Group.ACT,
        scope=frozenset({ROTATION}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="abort",
        keys=("A",),
        key="A",
        label="abort",
        help="end the rotation before its cutover; nobody has lost anything until then",
        group=Group.ACT,
        scope=frozenset({ROTATION}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="acknowledge",
        keys=("A",),
        key="A",
        label="acknowledge",
        help="be quiet about this alert until an end that you name; worse breaks it",
        group=Group.ACT,
        scope=frozenset({ALERTS}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="write_off",
        keys=("W",),
        key="W",
        label="write off",
        help="finish without the clients that are not back; each is written off by name, with a reason",
        group=Group.ACT,
        scope=frozenset({ROTATION}),
        mutates=True,
        footer=True,
    ),
    Command(
        id="last_rotation",
        keys=("l",),
        key="l",
        label="last one",
        help="show how the last CA rotation ended",
        group=Group.LOOK,
        scope=frozenset({ROTATION_PLAN}),
        footer=True,
    ),
    Command(
        id="filter",
        keys=("slash",),
        key="/",
        label="filter",
        help="filter as you type: words, col:value, !col:value, left<7d, token<30d, sev:x!, marked",
        group=Group.LOOK,
        scope=frozenset({FLEET}),
        footer=True,
    ),
    Command(
        id="detail",
        keys=("d", "enter"),
        key="d",
        label="detail",
        help="one client in full",
        group=Group.LOOK,
        scope=frozenset({FLEET}),
        needs=Needs.ROW,
        footer=True,
    ),
    Command(
        id="actions",
        keys=("a",),
        key="a",
        label="actions",
        help="every action for this client, and why one is refused",
        group=Group.LOOK,
        scope=frozenset({FLEET, DETAIL}),
        needs=Needs.ROW,
        footer=True,
    ),
    Command(
        id="sort",
        keys=("s",),
        key="s",
        label="sort",
        help="choose the order of the list",
        group=Group.LOOK,
        scope=frozenset({FLEET}),
        footer=True,
    ),
    Command(
        id="open",
        keys=("enter",),
        key="enter",
        label="open",
        help="open what is under the cursor",
        group=Group.LOOK,
        scope=frozenset({CLUSTERS, JOBS, EVENTS, FORECAST, ALERTS}),
        footer=True,
    ),
    Command(
        id="weeks",
        keys=("t",),
        key="t",
        label="weeks",
        help="use the week ribbon as a filter: left and right move, t again ends it",
        group=Group.LOOK,
        scope=frozenset({FLEET}),
    ),
    Command(
        id="week_back",
        keys=("left",),
        key="left",
        label="week before",
        help="one week earlier on the ribbon",
        group=Group.LOOK,
        scope=frozenset({FLEET}),
    ),
    Command(
        id="week_on",
        keys=("right",),
        key="right",
        label="week after",
        help="one week later on the ribbon",
        group=Group.LOOK,
        scope=frozenset({FLEET}),
    ),
    Command(
        id="export",
        keys=("e",),
        key="e",
        label="export",
        help="write what this screen lists to a file, as CSV, JSON or Markdown; changes nothing at the agent",
        group=Group.LOOK,
        scope=frozenset({FLEET, DETAIL, CLUSTERS, JOBS, EVENTS, FORECAST, ALERTS}),
    ),
    Command(
        id="reload",
        keys=("full_stop",),
        key=".",
        label="refresh",
        help="ask the agent again and sort anew",
        group=Group.LOOK,
    ),
    Command(
        id="pause",
        keys=("p",),
        key="p",
        label="pause",
        help="stop the countdowns, to read or to copy; p again goes on",
        group=Group.LOOK,
    ),
    _mark("mark", ("space",), "space", "mark", "mark or unmark this client", footer=True),
    _mark("mark_range", ("V",), "V", "range", "mark everything from the last mark to here"),
    _mark("mark_all", ("asterisk",), "*", "mark all", "mark every client that the filter shows"),
    _mark("unmark", ("U",), "U", "unmark", "remove every mark"),
    _move("down", ("j", "down"), "j", "next line"),
    _move("up", ("k", "up"), "k", "line before"),
    _move("page_down", ("pagedown",), "pgdn", "next page"),
    _move("page_up", ("pageup",), "pgup", "page before"),
    _move("top", ("g", "home"), "g", "first line"),
    _move("bottom", ("G", "end"), "G", "last line"),
    _view("view_fleet", "1", "Runway", "all clients, worst first"),
    _view("view_clusters", "3", "Clusters", "clusters and CA generations of this site"),
    _view("view_rotation", "4", "Rotation", "the CA rotation that runs, or the last one"),
    _view("view_jobs", "5", "Jobs", "operations with their progress"),
    _view("view_events", "6", "Events", "what was done and refused, newest first"),
    _view("view_forecast", "7", "Forecast", "safe to switch off or reboot, who is stranded, when the CA cuts short"),
    _view("view_alerts", "8", "Alerts", "what is not well, who was told of it, and whether notices arrive"),
    Command(
        id="help",
        keys=("question_mark",),
        key="?",
        label="help",
        help="the keys of this screen",
        group=Group.PROGRAM,
        footer=True,
    ),
    Command(
        id="command_line",
        keys=("colon", "ctrl+p"),
        key=":",
        label="command",
        help="type a command by name; tab completes",
        group=Group.PROGRAM,
        footer=True,
    ),
    Command(
        id="write",
        keys=(),
        key=":write",
        label="write mode",
        help="allow changes in this session; asks for a reason",
        group=Group.PROGRAM,
    ),
    Command(
        id="readonly",
        keys=(),
        key=":readonly",
        label="read-only",
        help="refuse every change again",
        group=Group.PROGRAM,
    ),
    Command(
        id="suspend",
        keys=("ctrl+z",),
        key="ctrl+z",
        label="suspend",
        help="back to the shell; fg returns",
        group=Group.PROGRAM,
    ),
    Command(
        id="back",
        keys=("escape",),
        key="esc",
        label="back",
        help="close, clear the filter, or go back",
        group=Group.PROGRAM,
    ),
    Command(
        id="quit",
        keys=("q",),
        key="q",
        label="quit",
        help="leave this screen; on the first one, the program",
        group=Group.PROGRAM,
        footer=True,
    ),
)

BY_ID: Final = {command.id: command for command in COMMANDS}


def of_screen(scope: str) -> tuple[Command, ...]:
    """Return the commands that a screen has, in the registry's order."""
    return tuple(command for command in COMMANDS if scope in command.scope)


def complete(typed: str, scope: str) -> tuple[Command, ...]:
    """Return the commands of a screen whose name begins with what was typed, then those that contain it."""
    word = typed.strip().lower().replace("-", "_").replace(" ", "_")
    commands = of_screen(scope)
    first = [command for command in commands if command.id.startswith(word)]
    return (*first, *(command for command in commands if word in command.id and command not in first))
