"""`mocdeck token-policy show | plan`: whose tokens the agent rotates by itself, and a dry run client by client.

Looks and tells; the rules are a file of the agent (`tokens.yaml` in its directory), read at its start.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from backend.cli.console import facts, put, say, table
from backend.cli.exits import Exit
from backend.cli.params import output_option
from backend.cli.root import Root
from backend.cli.words import day, moment, span_words

if TYPE_CHECKING:
    from backend.cli.tokenplan import TokenLine
    from backend.client.operator import Operator
    from backend.core.token_policy import TokenPolicy
    from backend.wire.mocdeck.v1.fleet_pb2 import TokenPolicy as TokenPolicyMessage
    from backend.wire.mocdeck.v1.fleet_pb2 import TokenRule

SHOW_SCHEMA: Final = "mocdeck.token-policy/1"
PLAN_SCHEMA: Final = "mocdeck.token-policy-plan/1"


@click.group("token-policy")
def command() -> None:
    """See whose tokens the agent rotates by itself: by the identity's flag, by its policy, or nobody's.

    The policy is tokens.yaml in the agent's directory, mode 0600, read when the agent starts; the first rule that fits
    a client counts. Identities with autoRotate are rotated in any case.
    """


@command.command("show")
@output_option("text", "json")
@click.pass_context
def show(ctx: click.Context, output: str) -> None:
    """Show the rules in force, how many clients each is for, and whose rotation fails and why.

    Exit code 1 when a rotation fails.
    """
    found = _ask(ctx.obj, ())[0]
    put(json.dumps(_show_values(found), indent=2, ensure_ascii=False) if output == "json" else _show_text(found))
    if found.faults:
        ctx.exit(int(Exit.WARNING))


@command.command("plan")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="As if this tokens.yaml were in place; nothing is changed.",
)
@output_option("table", "json", "csv", "markdown")
@click.pass_context
def plan(ctx: click.Context, names: tuple[str, ...], path: Path | None, output: str) -> None:
    """Say of each client who rotates its token, from when on and by which way. A dry run: nothing is changed.

    With --file it is also a check of that file, and what would change is marked. Exit code 1 when a token is due and
    its rotation cannot work.
    """
    tried = None if path is None else _read(path)
    _, lines = _ask(ctx.obj, names, tried)
    missing = sorted(set(names) - {line.name for line in lines})
    if missing:
        raise click.UsageError(f"there is no client {missing[0]!r}; `mocdeck status` names them.", ctx)
    put(_FORMS[output](ctx.obj, lines))
    changed = sum(line.before != line.by for line in lines)
    if path is not None:
        rules = len(tried.rules) if tried is not None else 0
        say(
            f"{path}: {rules} rule{'' if rules == 1 else 's'}. With it {changed} of {len(lines)} clients would be "
            "rotated by somebody else than now. Put it into the agent's directory as tokens.yaml, mode 0600, and "
            "restart the agent."
        )
    if any(line.is_stuck for line in lines):
        ctx.exit(int(Exit.WARNING))


def _read(path: Path) -> TokenPolicy:
    from backend.core.errors import NotFound
    from backend.service.token_file import parse_token_policy

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    return parse_token_policy(data, path)


def _ask(
    root: Root, names: tuple[str, ...], tried: TokenPolicy | None = None
) -> tuple[TokenPolicyMessage, list[TokenLine]]:
    from backend.cli.session import run_with_operator
    from backend.cli.status import read_fleet
    from backend.cli.tokenplan import policy_of, token_lines

    async def look(operator: Operator) -> tuple[TokenPolicyMessage, list[TokenLine]]:
        message = await operator.token_policy()
        fleet, ways = await read_fleet(operator), await operator.delivery()
        routes = {one.name: one.places[0].route for one in ways.clients if one.places}
        faults = {one.name: one.why for one in message.faults}
        policy = policy_of(message) if tried is None else tried
        return message, token_lines(fleet, policy, routes, faults, names)

    return run_with_operator(root, look)


def _show_text(found: TokenPolicyMessage) -> str:
    parts = [facts([("old token lives on", f"{span_words(found.overlap_seconds)} where a rule says nothing else")]), ""]
    if found.rules:
        rows = [[rule.name, _whom(rule), _does(rule), str(rule.clients)] for rule in found.rules]
        parts.append(table(["RULE", "FOR", "DOES", "CLIENTS"], rows))
    else:
        parts.append("No rules: only identities with autoRotate are rotated. See `mocdeck token-policy --help`.")
    if found.faults:
        rows = [[fault.name, day(fault.since), fault.why] for fault in found.faults]
        parts += ["", "Rotations that fail", table(["CLIENT", "SINCE", "BECAUSE"], rows)]
    return "\n".join(parts)


def _whom(rule: TokenRule) -> str:
    named = (("kind", rule.kinds), ("cluster", rule.clusters), ("identity", rule.identities))
    return "; ".join(f"{word} {', '.join(values)}" for word, values in named if values) or "all clients"


def _does(rule: TokenRule) -> str:
    if not rule.rotates:
        return "leaves to a person"
    return "rotates" if rule.overlap_seconds < 0 else f"rotates, overlap {span_words(rule.overlap_seconds)}"


def _show_values(found: TokenPolicyMessage) -> dict[str, Any]:
    return {
        "schema": SHOW_SCHEMA,
        "observed_at": moment(found.agent_time),
        "overlap_seconds": found.overlap_seconds,
        "rules": [
            {
                "name": rule.name,
                "kinds": list(rule.kinds),
                "clusters": list(rule.clusters),
                "identities": list(rule.identities),
                "rotates": rule.rotates,
                "overlap_seconds": None if rule.overlap_seconds < 0 else rule.overlap_seconds,
                "clients": rule.clients,
            }
            for rule in found.rules
        ],
        "faults": [{"name": one.name, "why": one.why, "since": moment(one.since)} for one in found.faults],
    }


def _table(_: Root, lines: list[TokenLine]) -> str:
    return table(
        ["CLIENT", "KIND", "CLUSTER", "ROTATED BY", "RULE", "DUE FROM", "WAY", "NOW"],
        [
            [one.name, one.kind, one.cluster or "-", one.who, one.rule or "-", one.due or "-", one.way, one.now]
            for one in lines
        ],
    )


def _json(_: Root, lines: list[TokenLine]) -> str:
    document = {"schema": PLAN_SCHEMA, "clients": [line.values() for line in lines]}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _exported(form: str) -> Any:
    def make(root: Root, lines: list[TokenLine]) -> str:
        from backend.cli.session import run_with_operator
        from backend.cli.sighting import read_head
        from backend.core.export import FORMS, Table

        names = ("name", "kind", "cluster", "rotated_by", "before", "rule", "due_from", "way", "now")
        values = [line.values() for line in lines]
        made = Table(
            kind="token-policy",
            title="whose tokens the agent rotates",
            names=names,
            rows=[[one[name] for name in names] for one in values],
        )
        return FORMS[form](made, run_with_operator(root, read_head))

    return make


_FORMS: Final = {"table": _table, "json": _json, "csv": _exported("csv"), "markdown": _exported("markdown")}
