"""`mocdeck status`: every client, worst first, as text or data; the exit code tells how bad it is."""

from __future__ import annotations

import gc
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from backend.cli.console import put, say
from backend.cli.params import duration, output_option
from backend.cli.root import Root
from backend.core.facts import Severity, State

if TYPE_CHECKING:
    from backend.cli.fleetreport import Report, Selection
    from backend.client.operator import Operator
    from backend.core.fleet import FleetColumns

_STATES = {state.value.lower().replace(" ", "-"): state for state in State}
_SEVERITIES = {severity.name.lower(): severity for severity in Severity}


@click.command("status")
@output_option("table", "json", "yaml", "csv", "markdown", "ics")
@click.option(
    "--filter", "filter_text", metavar="EXPR", default="", help="As in the dashboard: words, col:value, left<7d."
)
@click.option("--cluster", "clusters", metavar="NAME", multiple=True, help="Only this cluster; may be repeated.")
@click.option("--client", "clients", metavar="NAME", multiple=True, help="Only this client; * and ? stand for letters.")
@click.option("--state", "states", type=click.Choice(list(_STATES)), multiple=True, help="Only this state.")
@click.option(
    "--severity", "severities", type=click.Choice(list(_SEVERITIES)), multiple=True, help="Only this severity."
)
@click.option("--fail-within", type=duration, help="Exit 2 if anything shown ends within this time, e.g. 14d.")
@click.pass_context
def command(
    ctx: click.Context,
    output: str,
    filter_text: str,
    clusters: tuple[str, ...],
    clients: tuple[str, ...],
    states: tuple[str, ...],
    severities: tuple[str, ...],
    fail_within: timedelta | None,
) -> None:
    """Show every client, worst first.

    The exit code is that of the worst client shown, or of the CA: 2 critical or expired, 3 unknown, 1 warning, 0
    otherwise.
    """
    gc.disable()  # short-lived, and ten thousand rows would be walked again and again: a third of the time
    from backend.cli.fleetforms import FORMS
    from backend.cli.fleetreport import Selection

    selection = Selection(
        filter=filter_text.strip(),
        clusters=frozenset(clusters),
        clients=clients,
        states=frozenset(_STATES[word] for word in states),
        severities=frozenset(_SEVERITIES[word] for word in severities),
    )
    report = read_report(ctx.obj, selection)
    put(FORMS[output](report))
    if report.fleet.simulated and output in {"table", "markdown"}:
        say("SIMULATED: this is a demo fleet, not a real one.")
    ctx.exit(int(report.exit_code(fail_within)))


def read_report(root: Root, selection: Selection) -> Report:
    """Read the context's fleet and judge it."""
    from backend.cli.fleetreport import make_report
    from backend.cli.session import run_with_operator

    if selection.filter:
        from backend.core.filter import parse

        parse(selection.filter)  # a mistake in it is told before an agent is asked

    async def read(operator: Operator) -> Report:
        return make_report(await read_fleet(operator), address=operator.credential.agent, selection=selection)

    return run_with_operator(root, read)


async def read_fleet(operator: Operator) -> FleetColumns:
    """Read the whole fleet once."""
    from backend.core.fleet import FleetColumns

    fleet = FleetColumns()
    async for chunk in operator.fleet():
        fleet.apply(chunk)
    return fleet
