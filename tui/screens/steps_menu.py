"""A plan for a set of clients, group by group: each group goes the ordinary way through plan and confirmation."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backend.core.facts import NextAction
from tui.commands import BY_ID
from tui.format import count
from tui.marks import ClientId, site_of
from tui.screens.actions import start_action
from tui.screens.menu import Entry, Menu
from tui.steps import Step, steps_of

if TYPE_CHECKING:
    from tui.app import MocdeckApp


def plan_menu(app: MocdeckApp, clients: Sequence[tuple[ClientId, NextAction]]) -> None:
    """Show what the clients need; choosing a group plans it and nothing else. Of several sites one is chosen first."""
    places = sorted({site_of(client) for client, _ in clients})
    if not places:
        app.notice("plan: nothing is selected", "warning")
    elif len(places) == 1:
        _plan_site(app, places[0], clients)
    else:
        _choose_site(app, places, clients)


def _choose_site(app: MocdeckApp, places: Sequence[int], clients: Sequence[tuple[ClientId, NextAction]]) -> None:
    numbers = Counter(site_of(client) for client, _ in clients)
    keys = dict(zip(string.digits[1:] + string.ascii_lowercase, places, strict=False))
    entries = [
        Entry(key=key, label=app.sites[place].name, note=count(numbers[place], "client")) for key, place in keys.items()
    ]

    def chosen(key: str | None) -> None:
        if key in keys:
            _plan_site(app, keys[key], [one for one in clients if site_of(one[0]) == keys[key]])

    app.push_screen(Menu("a plan belongs to one site: which", entries), chosen)


def _plan_site(app: MocdeckApp, place: int, clients: Sequence[tuple[ClientId, NextAction]]) -> None:
    app.enter_site(place)
    groups = steps_of(clients)
    entries = [_entry(app, step, len(numbers)) for step, numbers in groups]

    def chosen(key: str | None) -> None:
        for step, numbers in groups:
            if step.command and app.keymap.key(BY_ID[step.command]) == key:
                _plan(app, step, numbers)

    first = next((entry.key for entry in entries if entry.open), "")
    app.push_screen(Menu(f"plan for {count(len(clients), 'client')}", entries, first), chosen)


def _entry(app: MocdeckApp, step: Step, number: int) -> Entry:
    key = app.keymap.key(BY_ID[step.command]) if step.command else " "
    return Entry(key=key, label=f"{step.words} {number}", note=step.note or "-", open=bool(step.command))


def _plan(app: MocdeckApp, step: Step, numbers: Sequence[int]) -> None:
    if step.action is None:
        app.run_command(BY_ID[step.command])
        return
    found = (app.model.find(number) for number in numbers)
    start_action(app, step.action, [client.row.name for client in found if client is not None])
