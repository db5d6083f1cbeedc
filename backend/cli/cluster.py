"""`mocdeck cluster list | put | remove`: the clusters of the site."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import click

from backend.cli.console import put, say, table
from backend.cli.params import confirmation_options, output_option
from backend.cli.root import Root


@click.group("cluster")
def command() -> None:
    """List the clusters of the site, add and remove them."""


@command.command("list")
@output_option("table", "json", "csv", "markdown")
@click.pass_obj
def list_(root: Root, output: str) -> None:
    """List the clusters with the number of their clients."""
    from backend.cli.sighting import read_sighting
    from backend.core.export import FORMS, Table

    fleet, head = read_sighting(root)
    counted = Counter(fleet.text("cluster", index) for index in range(len(fleet)))
    values: list[dict[str, Any]] = [
        {
            "name": cluster.name,
            "management": cluster.is_management,
            "removed": cluster.is_removed,
            "planned_off_until": f"{cluster.planned_off_until:%Y-%m-%dT%H:%M:%SZ}"
            if cluster.planned_off_until
            else None,
            "clients": counted[cluster.name],
        }
        for cluster in fleet.clusters
    ]
    if output == "json":
        put(json.dumps(values, indent=2, ensure_ascii=False))
        return
    if output in FORMS:
        names = ("name", "management", "removed", "clients", "planned_off_until")
        cells = [[one[name] for name in names] for one in values]
        put(FORMS[output](Table(kind="clusters", title="clusters", names=names, rows=cells), head))
        return
    rows = [
        [
            one["name"],
            "removed" if one["removed"] else "management" if one["management"] else "workload",
            str(one["clients"]),
            one["planned_off_until"] or "-",
        ]
        for one in values
    ]
    put(table(["CLUSTER", "KIND", "CLIENTS", "PLANNED OFF UNTIL"], rows))


@command.command("put")
@click.argument("name")
@click.option("--management", is_flag=True, help="It is the management cluster.")
@click.option(
    "--planned-off-until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="It is switched off on purpose until then (UTC).",
)
@confirmation_options("name")
@click.pass_obj
def put_(
    root: Root,
    name: str,
    management: bool,
    planned_off_until: datetime | None,
    dry_run: bool,
    yes: bool,
    confirm: str,
) -> None:
    """Add a cluster, or change it."""
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator, sole_change

    until = planned_off_until.replace(tzinfo=UTC) if planned_off_until else None
    kind = "management" if management else "workload"
    off = f", planned off until {until:%Y-%m-%dT%H:%M:%SZ}" if until else ""
    say(f"Cluster {name}: {kind}{off}")
    if dry_run:
        say("Dry run: nothing was changed.")
        return
    confirm_change(f"Put {kind} cluster {name}{off}?", name, yes=yes, confirm=confirm)
    with sole_change(root):
        run_with_operator(
            root, lambda operator: operator.put_cluster(name, management=management, planned_off_until=until)
        )
    put(f"cluster {name} is known")


@command.command("remove")
@click.argument("name")
@confirmation_options("name")
@click.pass_obj
def remove(root: Root, name: str, dry_run: bool, yes: bool, confirm: str) -> None:
    """Mark a cluster as gone; its clients stay as orphans until their identities are deleted."""
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator, sole_change
    from backend.cli.status import read_fleet
    from backend.core.errors import NotFound

    fleet = run_with_operator(root, read_fleet)
    if not any(cluster.name == name and not cluster.is_removed for cluster in fleet.clusters):
        raise NotFound(f"there is no cluster {name!r}; list them with `mocdeck cluster list`")
    clients = sum(fleet.text("cluster", index) == name for index in range(len(fleet)))
    say(f"Cluster {name} would be marked as gone; {clients} clients would become orphans.")
    if dry_run:
        say("Dry run: nothing was changed.")
        return
    confirm_change(f"Remove cluster {name} and leave {clients} orphans?", name, yes=yes, confirm=confirm)
    with sole_change(root):
        run_with_operator(root, lambda operator: operator.remove_cluster(name))
    put(f"cluster {name} is removed")
