"""`mocdeck demo`: a whole simulated site with its dashboard; what it does is `backend.demo`'s."""

from __future__ import annotations

import click


@click.command("demo")
@click.option("--headless", is_flag=True, help="Run without the dashboard, print how to reach it, end with ctrl-c.")
@click.option(
    "--clients", type=click.IntRange(0, 100_000), default=0, show_default=True, help="Silent clients to add, for scale."
)
@click.option("--read-only", is_flag=True, help="Open the dashboard without changes allowed.")
def command(headless: bool, clients: int, read_only: bool) -> None:
    """Run a whole simulated site with its dashboard, offline.

    A real agent on loopback with real clients on real TLS; every state is there, and everything is removed at the end.
    """
    from backend.demo.run import main

    raise SystemExit(main(headless=headless, clients=clients, write=not read_only))
