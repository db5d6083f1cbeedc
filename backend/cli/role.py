"""`mocdeck role list | show | create | delete | assign | unassign`: who may do what, in MOC's model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from backend.cli.console import facts, put, say, table
from backend.cli.params import confirmation_options, output_option
from backend.cli.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from backend.client.operator import Operator
    from backend.core.rbac import Action
    from backend.wire.moc.role_pb2 import Role
    from backend.wire.moc.roleassignment_pb2 import RoleAssignment


@click.group("role")
def command() -> None:
    """Look at roles, make them, and assign them to identities.

    An action is written PROVIDER:OPERATION, e.g. identity:read, any:read, cluster:write, or PROVIDER:VERB for a
    provider's own verb, e.g. identity:identity-rotate.
    """


@command.command("list")
@output_option("table", "json")
@click.pass_obj
def list_(root: Root, output: str) -> None:
    """List roles and who holds them."""
    from backend.cli.session import run_with_operator

    async def look(operator: Operator) -> tuple[list[Role], list[RoleAssignment]]:
        return list(await operator.roles()), list(await operator.assignments())

    roles, assignments = run_with_operator(root, look)
    holders: dict[str, list[str]] = {}
    for one in assignments:
        holders.setdefault(one.roleName, []).append(one.identityName)
    values = [{**_values(role), "holders": sorted(holders.get(role.name, []))} for role in roles]
    if output == "json":
        put(json.dumps(values, indent=2, ensure_ascii=False))
        return
    rows = [[one["name"], " ".join(one["actions"]), ", ".join(one["holders"]) or "-"] for one in values]
    put(table(["ROLE", "ACTIONS", "HELD BY"], rows))


@command.command("show")
@click.argument("name")
@output_option("text", "json")
@click.pass_obj
def show(root: Root, name: str, output: str) -> None:
    """Show one role with its actions."""
    from backend.cli.session import run_with_operator

    values = _values(run_with_operator(root, lambda operator: operator.get_role(name)))
    if output == "json":
        put(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        put(facts((key.replace("_", " "), " ".join(v) if isinstance(v, list) else str(v)) for key, v in values.items()))


@command.command("create")
@click.argument("name")
@click.option("--action", "actions", multiple=True, required=True, help="What it allows; may be repeated.")
@click.option("--not-action", "not_actions", multiple=True, help="What it does not allow; wins over --action.")
@confirmation_options("name")
@click.pass_obj
def create(
    root: Root,
    name: str,
    actions: tuple[str, ...],
    not_actions: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    confirm: str,
) -> None:
    """Create a role. Nobody can make one that allows more than they may do themselves."""
    from backend.core.rbac import Permission
    from backend.core.rbac import Role as CoreRole
    from backend.wire.convert import role_message

    permission = Permission(
        actions=tuple(parse_action(text) for text in actions),
        not_actions=tuple(parse_action(text) for text in not_actions),
    )
    message = role_message(CoreRole(name=name, permissions=(permission,)))

    async def make(operator: Operator) -> None:
        from backend.core.errors import AlreadyExists, NotFound

        try:
            await operator.get_role(name)
        except NotFound:
            await operator.put_role(message)
            return
        raise AlreadyExists(f"there is a role {name!r} already; choose another name, or delete it first")

    say(f"Role {name}: {' '.join(actions)}" + (f" without {' '.join(not_actions)}" if not_actions else ""))
    _change(root, make, f"Create role {name}?", name, dry_run=dry_run, yes=yes, confirm=confirm)


@command.command("delete")
@click.argument("name")
@confirmation_options("name")
@click.pass_obj
def delete(root: Root, name: str, dry_run: bool, yes: bool, confirm: str) -> None:
    """Delete a role that nobody holds."""

    async def end(operator: Operator) -> None:
        await operator.delete_role(name)

    say(f"Role {name} would be deleted.")
    _change(root, end, f"Delete role {name}?", name, dry_run=dry_run, yes=yes, confirm=confirm)


@command.command("assign")
@click.argument("role")
@click.argument("identity")
@click.option("--location", default="", help="Only in this location.")
@click.option("--group", default="", help="Only in this resource group; wants --location.")
@confirmation_options("identity")
@click.pass_obj
def assign(
    root: Root, role: str, identity: str, location: str, group: str, dry_run: bool, yes: bool, confirm: str
) -> None:
    """Give an identity a role."""
    from backend.core.rbac import RoleAssignment as CoreAssignment
    from backend.core.rbac import Scope
    from backend.wire.convert import assignment_message

    scope = Scope(location=location, group=group)
    message = assignment_message(CoreAssignment(name="", role_name=role, identity_name=identity, scope=scope))

    async def give(operator: Operator) -> None:
        await operator.put_assignment(message)

    say(f"{identity} would get the role {role}{f' in {location} {group}'.rstrip() if location else ''}.")
    _change(root, give, f"Assign {role} to {identity}?", identity, dry_run=dry_run, yes=yes, confirm=confirm)


@command.command("unassign")
@click.argument("role")
@click.argument("identity")
@confirmation_options("identity")
@click.pass_obj
def unassign(root: Root, role: str, identity: str, dry_run: bool, yes: bool, confirm: str) -> None:
    """Take a role from an identity."""

    async def take(operator: Operator) -> None:
        await operator.delete_assignment(identity=identity, role=role)

    say(f"{identity} would lose the role {role}.")
    _change(root, take, f"Take {role} from {identity}?", identity, dry_run=dry_run, yes=yes, confirm=confirm)


def parse_action(text: str) -> Action:
    """Return the action of "identity:read" or "identity:identity-rotate".

    Raises:
        click.BadParameter: with the words that are known.
    """
    from backend.core.rbac import Action, GeneralOperation, Provider, ProviderOperation

    provider_word, _, operation_word = text.partition(":")
    providers = {_word(provider.name): provider for provider in Provider}
    operations = {_word(one.name): one for one in GeneralOperation if one.value in {1, 2, 3, 4}}
    verbs = {_word(verb.name): verb for verb in ProviderOperation if verb}
    provider = providers.get(provider_word.lower())
    if provider is None:
        raise click.BadParameter(f"{text!r}: the provider is one of {', '.join(providers)}.")
    word = operation_word.lower()
    if word in operations:
        return Action(provider=provider, operation=operations[word])
    own = {name: verb for name, verb in verbs.items() if name.startswith(f"{provider_word.lower()}-")}
    if word in own:
        return Action(provider=provider, operation=GeneralOperation.PROVIDER_ACTION, provider_operation=own[word])
    raise click.BadParameter(f"{text!r}: the operation is one of {', '.join([*operations, *own])}.")


def _change(
    root: Root,
    work: Callable[[Operator], Coroutine[Any, Any, None]],
    question: str,
    word: str,
    *,
    dry_run: bool,
    yes: bool,
    confirm: str,
) -> None:
    from backend.cli.confirm import confirm_change
    from backend.cli.session import run_with_operator, sole_change

    if dry_run:
        say("Dry run: nothing was changed.")
        return
    confirm_change(question, word, yes=yes, confirm=confirm)
    with sole_change(root):
        run_with_operator(root, work)
    put("done")


def _values(role: Role) -> dict[str, Any]:
    actions = [_action_words(one) for permission in role.permissions for one in permission.actions]
    without = [_action_words(one) for permission in role.permissions for one in permission.notActions]
    return {"name": role.name, "id": role.id, "actions": actions, "not_actions": without}


def _action_words(action: Any) -> str:
    """An action of the wire in the notation of `parse_action`; numbers where we have no word."""
    from backend.core.rbac import GeneralOperation, Provider, ProviderOperation

    def named(kind: Any, number: int) -> str:
        return _word(kind(number).name) if number in set(kind) else str(number)

    provider = named(Provider, action.providerType)
    if action.generalOperation == GeneralOperation.PROVIDER_ACTION:
        return f"{provider}:{named(ProviderOperation, action.providerOperation)}"
    return f"{provider}:{named(GeneralOperation, action.generalOperation)}"


def _word(name: str) -> str:
    return name.lower().replace("_", "-")
