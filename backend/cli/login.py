"""`mocdeck login`: sign an operator in with a login file, and remember the agent as a context."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from backend.cli.console import put, say
from backend.cli.root import Root

if TYPE_CHECKING:
    from backend.client.contexts import Context
    from backend.client.credential import CredentialFacts

_PORT = click.IntRange(1, 65535)


@click.command("login")
@click.option(
    "--login-file", type=click.Path(path_type=Path), required=True, help="The login YAML that was handed over."
)
@click.option(
    "--context", "name", metavar="NAME", default="", help="Name of the context.  [default: the agent's address]"
)
@click.option("--address", default="", help="Where the agent is, if not where the login file says.")
@click.option("--port", type=_PORT, help="Data port, if not the login file's.")
@click.option("--auth-port", type=_PORT, help="Sign-in port, if not the login file's.")
@click.option("--server-name", default="", help="Name in the agent's certificate, if not the address.")
@click.pass_obj
def command(
    root: Root, login_file: Path, name: str, address: str, port: int | None, auth_port: int | None, server_name: str
) -> None:
    """Sign in, and make the context the current one.

    The login file stays where it is and is used again when the certificate cannot be renewed any more.
    """
    from backend.cli.session import find_own_places, quiet_library, run
    from backend.client.contexts import Context, read_contexts, write_contexts
    from backend.client.errors import FileInvalid
    from backend.client.login_file import read_login_file
    from backend.client.settings import DATA_PORT, LOGIN_PORT

    quiet_library(debug=root.debug)
    places = find_own_places()
    contexts = read_contexts(places.config_file)  # a mistake in it is told before anything is made
    login = read_login_file(login_file)
    address = address or login.cloud_fqdn
    if not address:
        raise FileInvalid(login_file, "cloudfqdn", "the agent's address, or --address on the command line")
    name = name or root.context or address
    check_context_name(name)
    context = Context(
        name=name,
        address=address,
        port=port or login.cloud_port or DATA_PORT,
        auth_port=auth_port or login.cloud_auth_port or LOGIN_PORT,
        cloudconfig=places.data / "contexts" / name / "cloudconfig",
        login_file=login_file.absolute(),
        server_name=server_name,
        tag=next((known.tag for known in contexts.contexts if known.name == name), ""),
    )
    signed_in = run(_sign_in(context))
    write_contexts(places.config_file, contexts.put(context))
    end = f", certificate until {signed_in.not_after:%Y-%m-%dT%H:%M:%SZ}" if signed_in.not_after else ""
    put(f"signed in to {signed_in.agent} as {signed_in.identity}{end}")
    say(f"Context {context.name} is now the current one ({places.config_file}). Next: mocdeck status")


def check_context_name(name: str) -> None:
    """Refuse a name that could not be a folder's."""
    if not name or name in {".", ".."} or len(name) > 64 or not all(c.isalnum() or c in "-_.:" for c in name):
        raise click.BadParameter(
            f"{name!r} cannot name a context; use letters, digits, '-', '_' and '.', at most 64.",
            param_hint="--context",
        )


async def _sign_in(context: Context) -> CredentialFacts:
    from backend.client.credential import Credential
    from backend.clock import SystemClock

    credential = Credential(context.settings(), SystemClock())
    try:
        credential.refresh()
        await credential.sign_in()
        return credential.facts()
    finally:
        await credential.close()
