"""What a command is: a value with its key, its word, its help, and whether it changes anything.

Owns the shape, the headings and the names of the screens; the commands themselves stand in the modules beside it.
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
    REPLAY = "Replay (while a recording is played)"
    PROGRAM = "Program"


FLEET: Final = "fleet"
DETAIL: Final = "detail"
TIMELINE: Final = "timeline"
CLUSTERS: Final = "clusters"
JOBS: Final = "jobs"
EVENTS: Final = "events"
FORECAST: Final = "forecast"
ALERTS: Final = "alerts"
DIAGNOSIS: Final = "diagnose"
NOTE: Final = "note"
HELP: Final = "help"
OPERATION: Final = "operation"
ROTATION_PLAN: Final = "rotation plan"
ROTATION: Final = "rotation"
OVERLAP: Final = "rotation with overlap"
REHEARSAL: Final = "rehearsal"
EVERYWHERE: Final = frozenset(
    {
        *(FLEET, TIMELINE, DETAIL, CLUSTERS, JOBS, EVENTS, FORECAST, ALERTS, DIAGNOSIS, NOTE),
        *(HELP, OPERATION, ROTATION_PLAN, ROTATION, OVERLAP, REHEARSAL),
    }
)
LISTS: Final = frozenset({FLEET, TIMELINE, CLUSTERS, JOBS, EVENTS, FORECAST, ALERTS, OPERATION})
TEXTS: Final = frozenset({DETAIL, DIAGNOSIS, NOTE, HELP, ROTATION_PLAN, ROTATION, OVERLAP, REHEARSAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that an operator can ask for.

    `keys` are Textual key names, the first one is the one shown as `key`. `scope` names the screens that have it.
    `footer` puts it on the key lines; `action` is what it asks of the agent's planner, for the gate's reasons.
    `argument` is the word for what may be typed after it on the `:` line, "" when it takes nothing.
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
    argument: str = ""
