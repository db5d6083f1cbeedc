"""`mocdeck delivery list | probe`: where login files can be put, what was found there, and which are owed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from backend.cli.console import put, say, table
from backend.cli.exits import Exit
from backend.cli.params import output_option
from backend.cli.root import Root
from backend.cli.words import day, moment

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1.delivery_pb2 import DeliveryList
    from backend.wire.mocdeck.v1.fleet_pb2 import DeliveryPlace

SCHEMA: Final = "mocdeck.delivery/1"


@click.group("delivery")
def command() -> None:
    """See by which way a fresh login file reaches each client: heartbeat, Secret, file or by hand.

    Through which API servers the agent may write Secrets stands in delivery.yaml in its directory.
    """


@command.command("list")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@output_option("table", "json")
@click.pass_obj
def list_(root: Root, names: tuple[str, ...], output: str) -> None:
    """List clients with a place for their login file, the last look at it, and what is owed."""
    _show(root, names, output, probe=False)


@command.command("probe")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@output_option("table", "json")
@click.pass_context
def probe(ctx: click.Context, names: tuple[str, ...], output: str) -> None:
    """Look now whether login files could be put in their places; nothing is written there."""
    found = _show(ctx.obj, names, output, probe=True)
    unready = sum(place.state != "ready" for client in found.clients for place in client.places)
    if unready:
        ctx.exit(int(Exit.PARTLY))


def _show(root: Root, names: tuple[str, ...], output: str, *, probe: bool) -> DeliveryList:
    from backend.cli.session import run_with_operator

    found = run_with_operator(root, lambda operator: operator.delivery(names, probe=probe))
    if output == "json":
        put(json.dumps(_values(found), indent=2, ensure_ascii=False))
    elif not found.clients:
        put("No client has a place for its login file; give it a loginFilePath, or name its cluster in delivery.yaml.")
    else:
        put(_text(found))
    for owed in found.owed:
        say(f"Owed to {owed.name}: {owed.place}, {owed.attempts} tries{_why(owed.last_error)}")
    return found


def _text(found: DeliveryList) -> str:
    rows = []
    for client in found.clients:
        for index, place in enumerate(client.places):
            first = [client.name, client.cluster or "-", client.route] if not index else ["", "", ""]
            rows.append([*first, where(place), place.state, day(place.looked_at), place.sentence])
        if not client.places:
            rows.append([client.name, client.cluster or "-", client.route, "-", "-", "-", "no place for a login file"])
    return table(["CLIENT", "CLUSTER", "ROUTE NOW", "PLACE", "STATE", "LOOKED AT", "FOUND"], rows)


def where(place: DeliveryPlace) -> str:
    """A place in an operator's words."""
    return f"Secret {place.place} in {place.cluster}" if place.route == "kubernetes" else place.place


def place_values(place: DeliveryPlace) -> dict[str, Any]:
    """A place as plain values."""
    return {
        "route": place.route,
        "place": place.place,
        "cluster": place.cluster,
        "state": place.state,
        "sentence": place.sentence,
        "looked_at": moment(place.looked_at) or None,
    }


def _why(error: str) -> str:
    return f": {error}" if error else ""


def _values(found: DeliveryList) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "observed_at": moment(found.agent_time),
        "clients": [
            {
                "name": client.name,
                "cluster": client.cluster,
                "kind": client.kind,
                "route": client.route,
                "places": [place_values(place) for place in client.places],
            }
            for client in found.clients
        ],
        "owed": [
            {
                "name": owed.name,
                "route": owed.route,
                "place": owed.place,
                "created_at": moment(owed.created_at),
                "attempts": owed.attempts,
                "tried_at": moment(owed.tried_at) or None,
                "last_error": owed.last_error,
                "operation_id": owed.operation_id,
            }
            for owed in found.owed
        ],
    }
