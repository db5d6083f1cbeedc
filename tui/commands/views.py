"""Commands that lead to another view; digits, so that a view is one key away from everywhere."""

from __future__ import annotations

from typing import Final

from tui.commands.command import (
    Command,
    Group,
)


def _view(command_id: str, key: str, label: str, text: str) -> Command:
    return Command(id=command_id, keys=(key,), key=key, label=label, help=text, group=Group.VIEW, footer=True)


VIEWS: Final[tuple[Command, ...]] = (
    _view("view_fleet", "1", "Runway", "all clients, worst first"),
    _view("view_timeline", "2", "Timeline", "when what ends, week by week, and a plan for a part of it"),
    _view("view_clusters", "3", "Clusters", "clusters and CA generations of this site"),
    _view("view_rotation", "4", "Rotation", "the CA rotation that runs, or the last one"),
    _view("view_jobs", "5", "Jobs", "operations with their progress"),
    _view("view_events", "6", "Events", "what was done and refused, newest first"),
    _view("view_forecast", "7", "Forecast", "safe to switch off or reboot, who is stranded, when the CA cuts short"),
    _view("view_alerts", "8", "Alerts", "what is not well, who was told of it, and whether notices arrive"),
    _view("diagnose", "9", "Diagnose", "paste an error message: what it is about, what to do, and what not to do"),
)
