"""`mocdeck diagnose`: from a pasted message to what it is about and what to do; needs no agent and no network."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from backend.cli.console import put, say
from backend.cli.exits import Exit
from backend.cli.params import output_option

if TYPE_CHECKING:
    from backend.core.diagnosis import Diagnosis

SCHEMA: Final = "mocdeck.diagnosis/1"
NO_MATCH: Final = (
    "No known message fits. Paste the line with the error itself, as the program printed it; "
    "`mocdeck status` shows what the agent knows, and `mocdeck describe NAME` one client with its last error."
)


@click.command("diagnose")
@click.argument("text", nargs=-1)
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Read the text from a file; - is standard input.",
)
@output_option("text", "json")
@click.pass_context
def command(ctx: click.Context, text: tuple[str, ...], path: Path | None, output: str) -> None:
    """Paste an error message, or a part of it: what it is about, what to do, and what not to do.

    Without TEXT it reads standard input. It works offline and prints nothing of what was pasted. The exit code is 0
    when something fits and 66 when nothing does.
    """
    from backend.core.diagnosis import diagnose

    pasted = _read(text, path)
    if not pasted.strip():
        raise click.UsageError("there is no text to look at; paste the message, as an argument or on standard input.")
    found = diagnose(pasted)
    put(_FORMS[output](found))
    if not found:
        if output == "json":
            say(NO_MATCH)
        ctx.exit(int(Exit.NOT_FOUND))


def _read(words: tuple[str, ...], path: Path | None) -> str:
    from backend.core.diagnosis import MAX_TEXT

    if words:
        if path is not None:
            raise click.UsageError("give the text or --file, not both.")
        return " ".join(words)
    if path is not None and str(path) != "-":
        with path.open("rb") as file:  # four bytes a letter at most; the end of a long log is what happened last
            file.seek(max(0, path.stat().st_size - 4 * MAX_TEXT))
            return file.read(4 * MAX_TEXT).decode("utf-8", "replace")
    if sys.stdin.isatty():
        say("Paste the message, then press ctrl-d on a line of its own.")
    return sys.stdin.read(4 * MAX_TEXT)


def as_text(found: tuple[Diagnosis, ...]) -> str:
    """The candidates, numbered, best first."""
    if not found:
        return NO_MATCH
    head = "One message fits." if len(found) == 1 else f"{len(found)} messages fit, the best first."
    blocks = [head]
    for place, one in enumerate(found, 1):
        row = one.ailment
        fits = " ... ".join(one.found)
        lines = [
            f"{place}. {row.meaning}",
            f"   fits     {'' if one.is_whole else 'a part of: '}{fits}",
            f"   where    {row.where}",
            f"   do       {row.action}",
            *([f"   do not   {row.avoid}"] if row.avoid else []),
            f"   look     {row.look}",
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def as_json(found: tuple[Diagnosis, ...]) -> str:
    """The versioned document."""
    import backend

    document = {
        "schema": SCHEMA,
        "tool_version": backend.__version__,
        "count": len(found),
        "diagnoses": [_values(place, one) for place, one in enumerate(found, 1)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _values(place: int, one: Diagnosis) -> dict[str, Any]:
    row = one.ailment
    return {
        "rank": place,
        "id": row.id,
        "fits": list(one.found),
        "whole": one.is_whole,
        "where": row.where,
        "diagnosis": row.meaning,
        "action": row.action,
        "avoid": row.avoid,
        "look": row.look,
    }


_FORMS: Final[Mapping[str, Callable[[tuple[Diagnosis, ...]], str]]] = {"text": as_text, "json": as_json}
