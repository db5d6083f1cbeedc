"""`mocdeck client login | run | status`: hold one identity, or many, and keep them usable."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backend.cli.console import put
from backend.cli.params import duration

if TYPE_CHECKING:
    from backend.cli.manifest import ManagedClient
    from backend.client.credential import CredentialFacts
    from backend.client.settings import ClientSettings

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("client")
def command() -> None:
    """Hold an identity: sign in, keep renewing, tell how it goes.

    Without --login-file and --config, the files of MOC's own clients are used:
    WSSD_CLIENT_TOKEN, WSSD_CONFIG_PATH and ACCESSFILE_DIR_PATH, else below ~/.wssd.
    """


def _connection(function: F) -> F:
    for option in reversed(
        [
            click.option("--address", default="", help="Where the agent is, if not where the login file says."),
            click.option(
                "--port", type=click.IntRange(0, 65535), default=0, help="Data port, if not the login file's."
            ),
            click.option("--auth-port", type=click.IntRange(0, 65535), default=0, help="Sign-in port, likewise."),
            click.option("--server-name", default="", help="Name in the agent's certificate, if not the address."),
            click.option(
                "--key", type=click.Choice(["p256", "rsa2048"]), default="p256", show_default=True, help="Kind of key."
            ),
        ]
    ):
        function = option(function)
    return function


@command.command("login")
@click.option("--login-file", type=_FILE, help="The login YAML.")
@click.option("--config", type=_FILE, help="The cloudconfig to write.")
@_connection
def login(login_file: Path | None, config: Path | None, **connection: Any) -> None:
    """Sign in once and write the cloudconfig."""
    from backend.cli.session import quiet_library, run

    quiet_library(debug=False)
    (settings,) = _settings([login_file] if login_file else [], [config] if config else [], connection)
    signed_in = run(_sign_in(settings))
    end = f", until {signed_in.not_after:%Y-%m-%dT%H:%M:%SZ}" if signed_in.not_after else ""
    put(f"signed in to {signed_in.agent} as {signed_in.identity}: certificate {signed_in.serial}{end}")


@command.command("run")
@click.option("--login-file", "login_files", type=_FILE, multiple=True, help="A login YAML; once for each client.")
@click.option("--config", "configs", type=_FILE, multiple=True, help="Its cloudconfig; as many as login files.")
@_connection
@click.option("--interval", type=duration, default=timedelta(seconds=30), help="Between heartbeats.  [default: 30s]")
@click.option("--manifest", type=_FILE, help="YAML with many clients, each with its own settings.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def run(
    login_files: tuple[Path, ...],
    configs: tuple[Path, ...],
    interval: timedelta,
    manifest: Path | None,
    log_format: str,
    **connection: Any,
) -> None:
    """Keep identities usable until SIGTERM or ctrl-c: sign in, renew, send heartbeats, obey orders."""
    import asyncio

    from backend.cli.clientlog import configure_client_log

    if manifest is not None:
        if login_files or configs:
            raise click.UsageError("--manifest names its own files; leave --login-file and --config out.")
        from backend.cli.manifest import read_manifest

        clients = read_manifest(manifest)
    else:
        clients = _clients(_settings(list(login_files), list(configs), connection), interval)
    configure_client_log("json" if log_format == "json" else "text")
    asyncio.run(_run(clients))


@command.command("status")
@click.option("--config", type=_FILE, help="The cloudconfig of the client.")
def status(config: Path | None) -> None:
    """Print how the client on this computer is doing, as JSON."""
    from backend.client.record import record_path
    from backend.core.errors import NotFound

    (settings,) = _settings([], [config] if config else [], {"address": "", "port": 0, "auth_port": 0})
    path = record_path(settings.access_file)
    values = _read_status(path)
    if not values.get("state"):  # nothing there, or an operator's credential on which nobody runs
        raise NotFound(
            f"{path}: no client has run with this cloudconfig; name another with --config, or start it with "
            "`mocdeck client run`"
        )
    put(json.dumps(values, indent=2, ensure_ascii=False))


def _read_status(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())["status"]
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, RecursionError):
        values = None
    if not isinstance(values, dict):
        from backend.client.errors import FileInvalid

        raise FileInvalid(path, "status", "what a running client writes; delete the file, the next pass writes it anew")
    return values


def _settings(login_files: list[Path], configs: list[Path], connection: dict[str, Any]) -> list[ClientSettings]:
    import os

    from backend.cli.manifest import KEY_KINDS
    from backend.client.settings import ClientSettings, runner_settings_from_environment

    if login_files and len(login_files) != len(configs):
        raise click.UsageError("give as many --config as --login-file: each client has both.")
    standard = runner_settings_from_environment(os.environ, Path.home(), "mocdeck")
    pairs: list[tuple[Path | None, Path]] = [(None, path) for path in configs]
    if login_files:
        pairs = list(zip(login_files, configs, strict=True))
    if not pairs:
        pairs = [(standard.login_file, standard.access_file)]
    if len({path.absolute() for _, path in pairs}) < len(pairs):
        raise click.UsageError("two clients cannot share one --config.")
    return [
        ClientSettings(
            access_file=path,
            login_file=login,
            address=connection["address"],
            port=connection["port"],
            auth_port=connection["auth_port"],
            server_name=connection.get("server_name", ""),
            key_kind=KEY_KINDS[connection.get("key", "p256")],
            plaintext=standard.plaintext,
        )
        for login, path in pairs
    ]


def _clients(settings: list[ClientSettings], interval: timedelta) -> tuple[ManagedClient, ...]:
    from dataclasses import asdict

    from backend.cli.manifest import ManagedClient
    from backend.client.settings import RunnerSettings

    if interval < timedelta(seconds=1):
        raise click.BadParameter("a heartbeat more often than every second is too often.", param_hint="--interval")
    return tuple(ManagedClient(settings=RunnerSettings(**asdict(one), heartbeat=interval)) for one in settings)


async def _sign_in(settings: ClientSettings) -> CredentialFacts:
    from backend.client.credential import Credential
    from backend.clock import SystemClock

    credential = Credential(settings, SystemClock())
    try:
        credential.refresh()
        await credential.sign_in()
        return credential.facts()
    finally:
        await credential.close()


async def _run(clients: tuple[ManagedClient, ...]) -> None:
    import asyncio

    from backend.cli.signals import asked_to_end
    from backend.client.runner import Runner
    from backend.clock import SystemClock

    with asked_to_end() as ending:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(Runner(client.settings, SystemClock(client.clock_offset)).run()) for client in clients
            ]
            await ending.wait()
            for task in tasks:
                task.cancel()
