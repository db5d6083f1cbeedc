"""The one gate in front of every command: may it run now, and if not, why.

Pure. It knows the mode, whether the agent answers, what is selected and what the selected client's state allows; it
never asks the agent, which refuses again by its own rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.core.planrules import ActionKind, Verdict
from tui.commands import Command, Group, Needs

READ_ONLY = "read-only: `:write` allows changes in this session"
REPLAY = "this is a recording; nothing in it can be changed"
NO_REPLAY = "only while a recording is played (`mocdeck --replay FILE`)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the gate looks at. `away` is empty while the agent answers, else for how long it has not.

    `site` is the name of the site that is meant, "" when there is only one. `selected` counts marks, or the row under
    the cursor. `verdicts` says what core decides for each action when exactly one client is selected; a set is decided
    client by client in the plan.
    """

    write_mode: bool
    away: str = ""
    selected: int = 0
    selected_sites: tuple[str, ...] = ()
    site: str = ""
    has_row: bool = False
    is_replay: bool = False
    verdicts: Mapping[ActionKind, Verdict] = field(default_factory=dict)


def refusal(command: Command, situation: Situation) -> str | None:
    """Return why `command` is refused, as a sentence for the operator, or None when it may run."""
    if situation.is_replay and (command.mutates or command.id == "write"):
        return f"{command.label}: {REPLAY}"
    if command.group is Group.REPLAY and not situation.is_replay:
        return f"{command.label}: {NO_REPLAY}"
    if command.needs is Needs.ROW and not situation.has_row:
        return f"{command.label}: no client is under the cursor"
    if command.needs is Needs.SELECTION and not situation.selected:
        return f"{command.label}: nothing is marked and no client is under the cursor"
    if not command.mutates:
        return None
    if not situation.write_mode:
        return f"{command.label}: {READ_ONLY}"
    if command.needs is Needs.SELECTION and len(situation.selected_sites) > 1:
        sites = ", ".join(situation.selected_sites[:-1]) + f" and {situation.selected_sites[-1]}"
        return f"{command.label}: clients of {sites} are marked; a plan belongs to one site, so mark one site's only"
    if situation.away:
        whose = f"the agent of {situation.site}" if situation.site else "the agent"
        return f"{command.label}: {whose} has not answered for {situation.away}; what is shown is its last word"
    verdict = None if command.action is None else situation.verdicts.get(command.action)
    if verdict is None or verdict.runs or verdict.forced_by_reason:
        return None  # what only a reason can force is shown, and may be forced, in the plan's preview
    return f"{command.label}: {verdict.why}"
