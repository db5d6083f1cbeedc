"""The current view as a file in the state directory: which form, under which name, and what is said of it.

Nothing is asked of the agent and nothing is changed there, so this works in read-only mode and while the agent is away.
Files are readable by their owner only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import backend
from backend.core.errors import AgentError
from backend.core.export import FORMS, SUFFIXES, Head, Table
from backend.core.icalendar import as_ics, ends_of
from backend.core.planexport import PLAN_FORMS, PlanSheet
from backend.pki.files import write_atomic
from tui import commands, exports
from tui.format import count
from tui.picture import picture
from tui.plansheets import rotation_sheet
from tui.screens.clusters import ClustersScreen
from tui.screens.detail import DetailScreen
from tui.screens.forecast import FLEET_ROW
from tui.screens.menu import Entry, Menu
from tui.screens.rotation_before import PlanningScreen
from tui.screens.rotation_clients import ordered
from tui.screens.scroll import ListScreen
from tui.screens.timeline import TimelineScreen

if TYPE_CHECKING:
    from tui.app import MocdeckApp

DIRECTORY: Final = "exports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of an export. `make` None: it makes no sense on this screen, and `note` says why."""

    key: str
    name: str
    suffix: str
    note: str
    make: Callable[[], str] | None


def export_menu(app: MocdeckApp) -> None:
    """Ask for the form, and write the view as it was when this was called."""
    head = head_of(app)
    if isinstance(app.deck, PlanningScreen) and app.deck.rotation is None:
        _plan_on_screen(app, app.deck)
        return
    table = None if head is None else table_of(app, head.observed_at)
    if head is None or table is None:
        app.notice("export: nothing has been heard from the agent yet", "warning")
        return
    _offer(app, table, head, [*_forms(app, table, head), *_pictures(app, table, head)])


def _plan_on_screen(app: MocdeckApp, deck: PlanningScreen) -> None:
    plan = deck.plan
    if plan is None:
        app.notice("export: no plan is shown yet", "warning")
    else:
        export_plan(app, rotation_sheet(plan))


def export_plan(app: MocdeckApp, sheet: PlanSheet) -> None:
    """Ask for the form, and write a plan as it was shown, for whoever approves it."""
    head = head_of(app)
    if head is None:
        return
    head = replace(head, filter="")
    notes = {"m": ("markdown", "to be approved: facts, clients, signature"), "j": ("json", "for a program")}
    notes["c"] = ("csv", "its clients, for a spreadsheet")
    entries = [Entry(key=key, label=name, note=note, open=True) for key, (name, note) in notes.items()]

    def chosen(key: str | None) -> None:
        if key not in notes:
            return
        name = notes[key][0]
        path = path_for(app.state_dir, sheet.kind, head.observed_at, SUFFIXES[name])
        if written(app, "export", path, f"{PLAN_FORMS[name](sheet, head)}\n"):
            app.notice(f"the plan is in {path}", "title")

    app.push_screen(Menu("export the plan, for approval", entries), chosen)


def export_client(app: MocdeckApp, number: int) -> None:
    """Ask for the form, and write one client as it was when this was called."""
    head = head_of(app)
    if head is not None:
        head = replace(head, filter="")
        table = exports.client_table(app.model, number, head.observed_at)
        _offer(app, table, head, [*_forms(app, table, head), _calendar(app, [number], head)])


def _offer(app: MocdeckApp, table: Table, head: Head, offered: Sequence[Form]) -> None:
    forms = {form.key: form for form in offered}
    entries = [
        Entry(key=form.key, label=form.name, note=form.note, open=form.make is not None) for form in forms.values()
    ]

    def chosen(key: str | None) -> None:
        form = forms.get(key or "")
        if form is None:
            return
        if form.make is None:
            app.notice(f"export: {form.note}", "warning")
            return
        path = path_for(app.state_dir, table.kind, head.observed_at, form.suffix)
        if written(app, "export", path, form.make()):
            app.notice(f"{count(len(table.rows), 'row')} in {path}", "title")

    app.push_screen(Menu(f"export {count(len(table.rows), 'row')}", entries), chosen)


def _forms(app: MocdeckApp, table: Table, head: Head) -> list[Form]:
    texts = {"c": ("csv", "for a spreadsheet; formulas are made harmless"), "j": ("json", "for a program")}
    texts["m"] = ("markdown", "for a ticket")
    return [
        Form(key=key, name=name, suffix=SUFFIXES[name], note=note, make=partial(_text, name, table, head))
        for key, (name, note) in texts.items()
    ]


def _pictures(app: MocdeckApp, table: Table, head: Head) -> list[Form]:
    drawn = picture(app, head, table.title)  # now, before a menu lies over the screen
    screen = Form(key="s", name="svg", suffix="svg", note="this screen as a picture", make=lambda: drawn)
    return [screen, _calendar(app, _dated(app), head)]


def _calendar(app: MocdeckApp, numbers: Sequence[int] | None, head: Head) -> Form:
    if numbers is None:
        note = "only a list of clients has dates for a calendar"
        return Form(key="i", name="ics", suffix="ics", note=note, make=None)
    note = "for a calendar: one entry a cluster and week"
    return Form(key="i", name="ics", suffix="ics", note=note, make=lambda: calendar_of(app, numbers, head))


def _text(form: str, table: Table, head: Head) -> str:
    return f"{FORMS[form](table, head)}\n"


def _dated(app: MocdeckApp) -> Sequence[int] | None:
    """The clients whose ends this screen is about; None where it is about something else."""
    deck = app.deck
    if isinstance(deck, DetailScreen):
        return [deck.number]
    if isinstance(deck, TimelineScreen):
        return list(deck.selection.clients)
    return list(app.model.order) if deck.scope == commands.FLEET else None


def calendar_of(app: MocdeckApp, numbers: Sequence[int], head: Head) -> str:
    """The ends of clients as a calendar."""
    clients = [client for number in numbers if (client := app.model.find(number)) is not None]
    several = len(app.sites) > 1
    ends = [
        end
        for one in clients
        for end in ends_of(one.row.name, f"{one.site}/{one.row.cluster}" if several else one.row.cluster, one.judged)
    ]
    return as_ics(ends, head)


def head_of(app: MocdeckApp, *, of_site: bool = False) -> Head | None:
    """When, where and how this screen is seen; None while nothing was heard.

    `of_site`: of the current site as a whole, whatever the screen shows of it.
    """
    now = app.now
    if now is None:
        return None
    is_of_all = not of_site and app.deck.scope in {commands.FLEET, commands.TIMELINE}
    sites = app.sites if is_of_all else [app.current_site]
    return Head(
        observed_at=now,
        agent=", ".join(site.gateway.connection.address for site in sites),
        deployment=", ".join(site.name for site in sites),
        filter="" if of_site else _filter(app),
        tool_version=backend.__version__,
        simulated=app.simulated,
    )


def written(app: MocdeckApp, what: str, path: Path, text: str) -> bool:
    """Write a file that only its owner reads; say so where that fails."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(path, text.encode())
    except (AgentError, OSError) as error:
        app.notice(f"{what}: nothing was written to {path}: {error}", "error")
        return False
    return True


def path_for(state_dir: Path, kind: str, at: datetime, suffix: str) -> Path:
    """Return where an export goes; its name sorts by time."""
    return state_dir / DIRECTORY / f"{kind}-{at:%Y%m%dT%H%M%SZ}.{suffix}"


def _filter(app: MocdeckApp) -> str:
    if app.deck.scope not in {commands.FLEET, commands.TIMELINE}:
        return ""
    week = app.model.week
    return " ".join(part for part in (app.model.filter_text, "" if week is None else f"week:{week}") if part)


def _order(app: MocdeckApp) -> list[str]:
    """The keys of the rows that a list shows."""
    deck = app.deck
    return [key for key, _ in deck.rows(deck.view())] if isinstance(deck, ListScreen) else []


def table_of(app: MocdeckApp, now: datetime) -> Table | None:
    """What the present screen exports; None while the agent has not said it, or where it is no table."""
    deck = app.deck
    match deck.scope:
        case commands.FLEET:
            return exports.fleet_table(app.model, now)
        case commands.TIMELINE if isinstance(deck, TimelineScreen):
            return exports.selection_table(app.model, list(deck.selection.clients), now)
        case commands.CLUSTERS if isinstance(deck, ClustersScreen):
            return exports.cluster_table(deck.sums)
        case commands.JOBS:
            return exports.operation_table(app.operations)
        case commands.EVENTS:
            return exports.event_table(app.audit)
        case commands.FORECAST:
            return exports.forecast_table(app.model, now, _order(app), FLEET_ROW)
        case commands.ALERTS:
            return None if app.alerts is None else exports.alert_table(app.alerts)
    if isinstance(deck, PlanningScreen):
        found = deck.rotation
        return None if found is None else exports.rotation_table(found, ordered(found))
    return exports.client_table(app.model, deck.number, now) if isinstance(deck, DetailScreen) else None
