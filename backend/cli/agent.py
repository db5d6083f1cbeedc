"""`mocdeck agent init | run | backup`: make a cloud agent, run it, and keep a copy of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backend.cli.console import facts, put, say
from backend.cli.passphrase import VARIABLE, read_passphrase

if TYPE_CHECKING:
    from backend.core.model import Secret
    from backend.server.app import MetricsAddress

DATA_PORT = 55000
CANARY_PORT = 55001
_DIRECTORY = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where the agent keeps keys, store and names.",
)
_PASSPHRASE = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"File with the passphrase of the keys; else ${VARIABLE}.",
)


@click.group("agent")
def command() -> None:
    """Make a cloud agent, run it, and back it up."""


@command.command("init")
@_DIRECTORY
@click.option(
    "--fqdn", "fqdns", multiple=True, required=True, help="Name or address that clients dial; may be repeated."
)
@click.option(
    "--deployment", default="", help="The site's name, typed to confirm a CA rotation.  [default: from --fqdn]"
)
@click.option("--administrator", default="admin", show_default=True, help="Identity of the first administrator.")
@_PASSPHRASE
def init(
    directory: Path, fqdns: tuple[str, ...], deployment: str, administrator: str, passphrase_file: Path | None
) -> None:
    """Make the CA, the keys, the store and the first administrator.

    The directory must be new or empty. The first --fqdn is the one in login files.
    """
    passphrase = read_passphrase(passphrase_file)
    from backend.clock import SystemClock
    from backend.service.bootstrap import init_agent
    from backend.store.sqlite import open_store

    made = init_agent(
        directory,
        passphrase=passphrase,
        fqdns=fqdns,
        deployment=deployment,
        administrator=administrator,
        clock=SystemClock(),
        open_store=open_store,
    )
    end = f"{made.authority.validity.not_after:%Y-%m-%dT%H:%M:%SZ}"
    put(
        facts(
            [
                ("directory", str(made.directory)),
                ("deployment", f"{made.names.deployment} ({made.names.deployment_id})"),
                ("names", ", ".join(made.names.fqdns)),
                ("CA", made.authority.subject),
                ("CA fingerprint", made.authority.fingerprint),
                ("CA ends", end),
                ("administrator", made.administrator),
                ("login file", str(made.login_file)),
                ("token ends", f"{made.token_expires_at:%Y-%m-%dT%H:%M:%SZ}"),
            ]
        )
    )
    say(f"\nNext: mocdeck agent run --directory {made.directory}")
    say(f"Then: mocdeck login --login-file {made.login_file}")


@command.command("run")
@_DIRECTORY
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104 - clients are elsewhere
@click.option("--port", type=click.IntRange(0, 65535), default=55000, show_default=True, help="Data port; 0 picks one.")
@click.option(
    "--auth-port", type=click.IntRange(0, 65535), default=65000, show_default=True, help="Sign-in port; 0 picks one."
)
@click.option(
    "--canary-port",
    type=click.IntRange(0, 65535),
    help="Where clients prove, in a CA rotation, what they trust; 0 picks one.  [default: 55001 beside data port 55000,"
    " else 0]",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Serve metrics for Prometheus on it; 0 picks one.  [default: no]",
)
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    show_default=True,
    help="Address for metrics; whoever reaches it reads names.",
)
@_PASSPHRASE
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--simulated", is_flag=True, hidden=True, help="Mark the fleet as a demo.")
def run(
    directory: Path,
    host: str,
    port: int,
    auth_port: int,
    canary_port: int | None,
    metrics_port: int | None,
    metrics_host: str,
    passphrase_file: Path | None,
    log_format: str,
    simulated: bool,
) -> None:
    """Serve until SIGTERM or ctrl-c: data port, sign-in port, and the canary's, which is of use in a CA rotation only.

    One line on standard output tells the ports once clients can come, a second one where metrics are if they were asked
    for; the log goes to standard error. Whom to tell of alerts stands in alerts.yaml in the directory.
    """
    passphrase = read_passphrase(passphrase_file)
    import asyncio

    from backend.server.app import MetricsAddress
    from backend.server.logs import configure

    configure("json" if log_format == "json" else "text")
    metrics = None if metrics_port is None else MetricsAddress(host=metrics_host, port=metrics_port)
    if canary_port is None:
        canary_port = CANARY_PORT if port == DATA_PORT else 0  # clients are told it with their heartbeats
    asyncio.run(_serve(directory, passphrase, host, (port, auth_port, canary_port), simulated, metrics))


@command.command("backup")
@_DIRECTORY
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The tar file to write, mode 0600; it must not exist yet.",
)
def backup(directory: Path, output: Path) -> None:
    """Copy store, keys and names into one tar file, all from one moment; the agent may run meanwhile.

    Run it on the agent's computer, as its user. The keys in it stay sealed with the passphrase, which is not in it. To
    restore: stop the agent, move its directory away, make a new one, `tar -xpf FILE -C DIRECTORY`, start the agent.
    """
    from backend.clock import SystemClock
    from backend.service.backup import note_backup, write_backup
    from backend.service.bootstrap import STORE_FILE
    from backend.store.snapshot import copy_store
    from backend.store.sqlite import open_store

    now = SystemClock().now()  # of the copy's beginning: what is written later is not in it
    made = write_backup(directory, output, copy_store=copy_store, open_store=open_store)
    store = open_store(directory / STORE_FILE)
    try:
        with store.transaction() as tx:
            note_backup(tx, now, made)
    finally:
        store.close()
    put(str(made.path))
    say(f"{made.files} files, {made.size_bytes:,} bytes. Keep the passphrase elsewhere: together they are the CA.")


async def _serve(
    directory: Path,
    passphrase: Secret,
    host: str,
    ports: tuple[int, int, int],
    simulated: bool,
    metrics: MetricsAddress | None,
) -> None:
    import gc

    from backend.cli.signals import asked_to_end
    from backend.server.app import Agent
    from backend.service.agent_file import read_agent_file

    read_agent_file(directory)  # a wrong directory is told before a lock file is left in it
    with asked_to_end() as ending:
        agent = Agent(directory, passphrase, simulated=simulated)
        port, auth_port, canary_port = ports
        listening = await agent.start(
            host=host, port=port, auth_port=auth_port, canary_port=canary_port, metrics=metrics
        )
        try:
            shown = f"[{listening.host}]" if ":" in listening.host else listening.host
            put(f"listening on {shown}:{listening.port} (data) and :{listening.auth_port} (sign-in)")
            if listening.metrics_url:
                put(f"metrics on {listening.metrics_url}")
            gc.freeze()  # what the start has made stays: a collector that walks it stops every call for some 50 ms
            await ending.wait()
        finally:
            await agent.stop()
