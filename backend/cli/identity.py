"""`mocdeck identity create | list | show | login-file | revoke | delete`: accounts of clients at the agent."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backend.cli.console import facts, put, say, table
from backend.cli.params import check_out, confirmation_options, duration, output_option
from backend.cli.root import Root
from backend.core.model import TAG_TOKEN, ClientKind, ClientType

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.core.drafts import IdentityDraft
    from backend.wire.moc.identity_pb2 import Identity

_OUT = click.Path(path_type=Path, dir_okay=False)
_KINDS = {kind.value.lower(): kind for kind in ClientKind}
_TYPES = {kind.name.lower(): kind for kind in ClientType}


@click.group("identity")
def command() -> None:
    """Create, list, revoke and delete identities, and make login files."""


@command.command("list")
@output_option("table", "json")
@click.pass_obj
def list_(root: Root, output: str) -> None:
    """List all identities."""
    from backend.cli.session import run_with_operator

    found = sorted(run_with_operator(root, lambda operator: operator.identities()), key=lambda one: one.name)
    values = [_values(one) for one in found]
    if output == "json":
        put(json.dumps(values, indent=2, ensure_ascii=False))
        return
    rows = [
        [one["name"], one["kind"], one["cluster"] or "-", one["client_type"], "revoked" if one["revoked"] else "-"]
        for one in values
    ]
    put(table(["IDENTITY", "KIND", "CLUSTER", "TYPE", "REVOKED"], rows))


@command.command("show")
@click.argument("name")
@output_option("text", "json")
@click.pass_obj
def show(root: Root, name: str, output: str) -> None:
    """Show one identity as the agent keeps it; `mocdeck describe` shows its credentials too."""
    from backend.cli.session import run_with_operator

    values = _values(run_with_operator(root, lambda operator: operator.get_identity(name)))
    if output == "json":
        put(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        put(facts((key.replace("_", " "), _plain(value)) for key, value in values.items()))


@command.command("create")
@click.argument("name")
@click.option("--kind", type=click.Choice(list(_KINDS), case_sensitive=False), default="other", show_default=True)
@click.option("--client-type", type=click.Choice(list(_TYPES), case_sensitive=False), default="externalclient")
@click.option("--cluster", default="", help="The cluster it belongs to.")
@click.option("--host", default="", help="The computer it runs on.")
@click.option("--owner", default="", help="Who to ask about it.")
@click.option("--location", default="", help="MOC location.")
@click.option("--token-lifetime", type=duration, default=timedelta(days=90), help="[default: 90d]")
@click.option("--auto-rotate", is_flag=True, help="The agent rotates its token by itself.")
@click.option("--login-file-path", default="", help="Where the agent itself writes its login file.")
@click.option("--auto-renew", type=click.Choice(["yes", "no"]), help="Whether it renews by itself, if that is known.")
@click.option(
    "--token",
    type=click.Choice(["elsewhere", "none"]),
    help="Make no token: it was made elsewhere, or there is to be none yet.",
)
@click.option("--role", "roles", multiple=True, help="A role to give it; may be repeated.")
@click.option("--out", type=_OUT, help="Write its login file here, mode 0600.")
@confirmation_options("name")
@click.pass_obj
def create(root: Root, /, name: str, **options: Any) -> None:
    """Create an identity, and write its login file if --out says where."""
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator, sole_change
    from backend.core.drafts import IdentityDraft

    if options["token"] and options["out"]:
        raise click.UsageError(f"--token {options['token']} makes no token, so there is no login file to write.")
    check_out(options["out"])
    draft = IdentityDraft(
        name=name,
        kind=_KINDS[options["kind"].lower()],
        client_type=_TYPES[options["client_type"].lower()],
        cluster=options["cluster"],
        host=options["host"],
        owner=options["owner"],
        location=options["location"],
        token_lifetime=options["token_lifetime"],
        auto_rotate=options["auto_rotate"],
        login_file_path=options["login_file_path"],
        auto_renew={"yes": True, "no": False}.get(options["auto_renew"] or ""),
        tags={TAG_TOKEN: options["token"]} if options["token"] else {},
    )
    roles: tuple[str, ...] = options["roles"]
    say(f"Identity {name}: {draft.kind.value}, roles {', '.join(roles) or 'none'}, cluster {draft.cluster or 'none'}")
    if options["dry_run"]:
        say("Dry run: nothing was changed.")
        return
    confirm_change(f"Create identity {name}?", name, yes=options["yes"], confirm=options["confirm"])
    with sole_change(root):
        run_with_operator(root, lambda operator: _create(operator, draft, roles, options["out"]))
    put(f"identity {name} is created")


@command.command("login-file")
@click.argument("name")
@click.option("--out", type=_OUT, required=True, help="Where to write it, mode 0600.")
@confirmation_options("name")
@click.pass_obj
def login_file(root: Root, name: str, out: Path, dry_run: bool, yes: bool, confirm: str) -> None:
    """Rotate an identity's token and write a login file with the new one.

    The old token goes on working for the agent's overlap. To bring clients back use `mocdeck repair`.
    """
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator, sole_change

    check_out(out)

    async def rotate(operator: Operator) -> None:
        await _write_login_file(operator, await operator.rotate_identity(name), out)

    run_with_operator(root, lambda operator: operator.get_identity(name))
    say(f"The token of {name} would be rotated, and a login file with the new one written to {out}.")
    if dry_run:
        say("Dry run: nothing was changed.")
        return
    confirm_change(f"Rotate the token of {name}?", name, yes=yes, confirm=confirm)
    with sole_change(root):
        run_with_operator(root, rotate)
    put(str(out))


@command.command("revoke")
@click.argument("name")
@confirmation_options("name")
@click.pass_obj
def revoke(root: Root, name: str, dry_run: bool, yes: bool, confirm: str) -> None:
    """End an identity's certificates and tokens at once; it cannot be taken back."""
    _end(root, name, "revoke", "revoked", dry_run=dry_run, yes=yes, confirm=confirm)


@command.command("delete")
@click.argument("name")
@confirmation_options("name")
@click.pass_obj
def delete(root: Root, name: str, dry_run: bool, yes: bool, confirm: str) -> None:
    """Delete an identity with its credentials and roles; it cannot be taken back."""
    _end(root, name, "delete", "deleted", dry_run=dry_run, yes=yes, confirm=confirm)


def _end(root: Root, name: str, verb: str, done: str, *, dry_run: bool, yes: bool, confirm: str) -> None:
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator, sole_change
    from backend.cli.words import day

    one = run_with_operator(root, lambda operator: operator.describe(name))
    working = sum(record.current for record in one.certificates)
    say(
        f"{name}: {one.kind} of {one.cluster or 'no cluster'}, last seen {day(one.last_seen_at)}; {working} "
        f"certificate and {len(one.tokens)} token records would be {done}, and it could not be taken back."
    )
    if dry_run:
        say("Dry run: nothing was changed.")
        return
    confirm_change(f"{verb.capitalize()} {name}?", name, yes=yes, confirm=confirm)

    async def end(operator: Operator) -> None:
        if verb == "revoke":
            await operator.revoke_identity(name)
        else:
            await operator.delete_identity(name)

    with sole_change(root):
        run_with_operator(root, end)
    put(f"identity {name} is {done}")


async def _create(operator: Operator, draft: IdentityDraft, roles: tuple[str, ...], out: Path | None) -> None:
    from backend.core.errors import AlreadyExists, NotFound
    from backend.wire.convert import draft_message
    from backend.wire.moc.roleassignment_pb2 import RoleAssignment

    try:
        await operator.get_identity(draft.name)
    except NotFound:
        pass
    else:
        raise AlreadyExists(f"there is an identity {draft.name!r} already; choose another name, or delete it first")
    made = await operator.put_identity(draft_message(draft))
    for role in roles:
        await operator.put_assignment(RoleAssignment(identityName=draft.name, roleName=role))
    if TAG_TOKEN in draft.tags:
        return
    if out is None:
        say(f"Its token was not kept; make a login file with `mocdeck identity login-file {draft.name} --out FILE`.")
    else:
        await _write_login_file(operator, made, out)


async def _write_login_file(operator: Operator, identity: Identity, out: Path) -> None:
    """Put the token of an answer into a login file, with the present roots and the way that we reached the agent."""
    from backend.cli.edge import NotWritten
    from backend.client.login_file import CLIENT_TYPES, LoginFile, write_login_file
    from backend.core.model import Secret
    from backend.pki.files import UnsafeFile

    names = {kind: word for word, kind in CLIENT_TYPES.items()}
    roots = await operator.authorities()
    login = LoginFile(
        name=identity.name,
        token=Secret(identity.token),
        trust_pem=roots.bundle_pem,
        client_type=names.get(ClientType(identity.clientType), "ExternalClient"),
        cloud_fqdn=identity.cloudFqdn or operator.context.address,
        cloud_port=identity.cloudPort or operator.context.port,
        cloud_auth_port=identity.cloudAuthPort or operator.context.auth_port,
        location=identity.locationName,
        auth_type="CA-Signed",
    )
    try:
        write_login_file(out, login)
    except (OSError, UnsafeFile) as error:
        why = f"{error.strerror or error}: {out}" if isinstance(error, OSError) else str(error)
        raise NotWritten(
            f"the identity {identity.name} is there with a new token, but its login file was not written ({why}); "
            f"make another one with `mocdeck identity login-file {identity.name} --out FILE`"
        ) from error
    say(f"Login file of {identity.name}: {out} (mode 0600). It holds a token: carry it safely, then delete this copy.")


def _values(message: Identity) -> dict[str, Any]:
    from backend.wire.convert import identity_draft

    draft = identity_draft(message)
    return {
        "name": draft.name,
        "id": message.id,
        "kind": draft.kind.value,
        "client_type": draft.client_type.name.lower(),
        "cluster": draft.cluster,
        "host": draft.host,
        "owner": draft.owner,
        "location": draft.location,
        "token_lifetime_seconds": int(draft.token_lifetime.total_seconds()),
        "auto_rotate": draft.auto_rotate,
        "auto_renew": draft.auto_renew,
        "login_file_path": draft.login_file_path,
        "revoked": message.revoked,
        "tags": dict(draft.tags),
    }


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    if value is None:
        return "unknown"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
