"""`mocdeck demo`: a whole simulated site with its dashboard; what it does is `backend.demo`'s."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backend.cli.console import put
from backend.cli.screen_options import screen_options

if TYPE_CHECKING:
    from backend.demo.drills import Drill


@click.command("demo")
@click.option("--headless", is_flag=True, help="Run without the dashboard, print how to reach it, end with ctrl-c.")
@click.option(
    "--clients", type=click.IntRange(0, 100_000), default=0, show_default=True, help="Silent clients to add, for scale."
)
@click.option(
    "--drill", "drill_name", metavar="P1..P19|list", default="", help="A small site in one bad state, and the way out."
)
@click.option(
    "--sites", type=click.IntRange(1, 3), default=1, show_default=True, help="Sites to run; the further ones are small."
)
@click.option("--read-only", is_flag=True, help="Open the dashboard without changes allowed.")
@click.option(
    "--record", "record_to", metavar="FILE", type=click.Path(path_type=Path), help="Record the session to a new file."
)
@screen_options
def command(
    headless: bool,
    clients: int,
    drill_name: str,
    sites: int,
    read_only: bool,
    record_to: Path | None,
    **screen: bool,
) -> None:
    """Run a whole simulated site with its dashboard, offline.

    A real agent on loopback with real clients on real TLS; every state is there, and everything is removed at the end.
    """
    if drill_name and sites > 1:
        raise click.UsageError("a drill is one site in one bad state; leave --sites out.")
    drill = _find_drill(drill_name) if drill_name else None
    if drill_name and drill is None:
        return
    from backend.demo.run import main

    if headless and record_to is not None:
        raise click.UsageError("--record is for the dashboard; without it use `mocdeck --record FILE` from elsewhere.")
    raise SystemExit(
        main(
            headless=headless,
            clients=clients,
            write=not read_only,
            drill=drill,
            sites=sites,
            record_to=record_to,
            screen=screen,
        )
    )


def _find_drill(name: str) -> Drill | None:
    """Return the drill; None when words answer: the list, or why a pain cannot be shown here."""
    from backend.demo.drills import find_explanation, get_drill, overview

    if name == "list":
        put(overview())
        return None
    explained = find_explanation(name)
    if explained is None:
        return get_drill(name)
    put(f"{explained.id}: {explained.title}\n{explained.why}")
    return None
