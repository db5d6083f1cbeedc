"""`mocdeck context list | show | use | tag | remove`: the agents that this computer knows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from backend.cli.console import facts, put, say, table
from backend.cli.params import output_option
from backend.cli.root import Root

if TYPE_CHECKING:
    from backend.client.contexts import Context, Contexts


@click.group("context")
def command() -> None:
    """List the agents this computer knows, and choose one."""


@command.command("list")
@output_option("table", "json")
def list_(output: str) -> None:
    """List the contexts; a star marks the current one."""
    contexts = _read()
    if output == "json":
        put(json.dumps([_values(context, contexts) for context in contexts.contexts], indent=2))
        return
    if not contexts.contexts:
        say("No context is configured; add one with `mocdeck login --login-file FILE`.")
        return
    rows = [
        ["*" if one.name == contexts.current else "", one.name, f"{one.address}:{one.port}", one.tag]
        for one in contexts.contexts
    ]
    put(table(["", "CONTEXT", "AGENT", "TAG"], rows))


@command.command("show")
@click.argument("name", default="")
@output_option("text", "json")
@click.pass_obj
def show(root: Root, name: str, output: str) -> None:
    """Show one context, by default the current one."""
    contexts = _read()
    values = _values(_get(contexts, name or root.context), contexts)
    put(json.dumps(values, indent=2) if output == "json" else facts((key, str(value)) for key, value in values.items()))


@command.command("use")
@click.argument("name")
def use(name: str) -> None:
    """Make a context the current one."""
    contexts = _read()
    _write(contexts.choose(_get(contexts, name).name))
    say(f"Context {name} is now the current one.")


@command.command("tag")
@click.argument("name")
@click.argument("tag", default="")
def tag(name: str, tag: str) -> None:
    """Put a word such as PROD beside the site wherever it is named; without a word, none.

    What is tagged PROD asks for the number of clients before each change.
    """
    from backend.client.contexts import TAG_LENGTH, is_tag

    if not is_tag(tag):
        raise click.UsageError(f"a tag is one word of at most {TAG_LENGTH} printable characters, such as PROD.")
    contexts = _read()
    context = _get(contexts, name)
    _write(contexts.put(replace(context, tag=tag), use=False))
    say(f"Context {context.name} is tagged {tag}." if tag else f"Context {context.name} has no tag now.")


@command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget a context; its files and the agent stay as they are."""
    contexts = _read()
    gone = _get(contexts, name)
    _write(contexts.remove(gone.name))
    say(f"Context {name} is forgotten; its credential stays in {gone.cloudconfig}.")


def _read() -> Contexts:
    from backend.cli.session import find_own_places
    from backend.client.contexts import read_contexts

    return read_contexts(find_own_places().config_file)


def _get(contexts: Contexts, name: str) -> Context:
    from backend.cli.edge import NoContext
    from backend.core.errors import NotFound

    try:
        return contexts.get(name)
    except NotFound as error:
        raise NoContext(str(error)) from None


def _write(contexts: Contexts) -> None:
    from backend.cli.session import find_own_places
    from backend.client.contexts import write_contexts

    write_contexts(find_own_places().config_file, contexts)


def _values(context: Context, contexts: Contexts) -> dict[str, Any]:
    return {
        "name": context.name,
        "current": context.name == contexts.current,
        "address": context.address,
        "port": context.port,
        "auth_port": context.auth_port,
        "server_name": context.server_name,
        "tag": context.tag,
        "cloudconfig": str(context.cloudconfig),
        "login_file": str(context.login_file) if context.login_file else "",
    }
