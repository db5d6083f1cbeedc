"""`mocdeck --plain` and `mocdeck --json`: the dashboard's first screen as lines and as data, for pipes and for readers.

The rows, their order and the words in them are the screen's; there is no colour, no frame and no sign that needs to be
seen. Neither screen library is loaded. Several contexts make one list; one that does not answer is named, and the
others are shown.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from backend.cli.console import put, say, table
from backend.cli.exits import Exit
from backend.core.errors import AgentError
from backend.core.facts import Severity

if TYPE_CHECKING:
    from backend.cli.fleetreport import Line, Report
    from backend.cli.root import Root

SCHEMA: Final = "mocdeck.home/1"
COLUMNS: Final = (
    *("SEVERITY", "STATE", "CERT LEFT", "TOKEN LEFT", "NEXT STEP", "CLUSTER", "CLIENT", "KIND", "RENEWS", "OWNER"),
)
_WORST_EXIT: Final = (Exit.CRITICAL, Exit.UNKNOWN, Exit.WARNING, Exit.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One context: its report, or why there is none."""

    context: str
    address: str
    report: Report | None
    failure: str = ""


def print_home(root: Root, form: str, *, filter_text: str, everywhere: bool) -> int:
    """Print the first screen of the context, or of all of them; return the exit code, as `mocdeck status` would.

    Raises:
        FilterError: the filter cannot be understood; nobody was asked.
        AgentError: the only context that was meant does not answer; of several, all of them.
    """
    gc.disable()  # as in `mocdeck status`: thousands of rows, and a process that ends with them
    if filter_text:
        from backend.core.filter import parse

        parse(filter_text)
    found = _read(root, filter_text, everywhere=everywhere)
    put(FORMS[form](found))
    for one in found:
        if one.failure:
            say(f"mocdeck: context {one.context}: {one.failure}")
    if any(one.report is not None and one.report.fleet.simulated for one in found):
        say("SIMULATED: this is a demo fleet, not a real one.")
    return int(_exit(found))


def _read(root: Root, filter_text: str, *, everywhere: bool) -> list[Seen]:
    from backend.cli.session import find_own_places, get_context, run
    from backend.client.contexts import read_contexts

    known = read_contexts(find_own_places().config_file).contexts if everywhere else ()
    names = [context.name for context in known] or [get_context(root).name]

    async def one(name: str) -> Seen | AgentError:
        try:
            return await _read_one(replace(root, context=name), filter_text)
        except AgentError as error:
            return error

    async def all_of_them() -> list[Seen | AgentError]:
        return list(await asyncio.gather(*(one(name) for name in names)))

    answers = run(all_of_them())
    errors = [answer for answer in answers if isinstance(answer, AgentError)]
    if len(errors) == len(answers):
        raise errors[0]
    addresses = {context.name: f"{context.address}:{context.port}" for context in known}
    return [
        Seen(context=name, address=addresses[name], report=None, failure=str(answer))
        if isinstance(answer, AgentError)
        else answer
        for name, answer in zip(names, answers, strict=True)
    ]


async def _read_one(root: Root, filter_text: str) -> Seen:
    from backend.cli.fleetreport import Selection, make_report
    from backend.cli.session import connected
    from backend.cli.status import read_fleet

    async with connected(root) as operator:
        address = operator.credential.agent
        report = make_report(await read_fleet(operator), address=address, selection=Selection(filter=filter_text))
    return Seen(context=root.context, address=address, report=report)


def rows_of(found: Sequence[Seen]) -> list[tuple[Seen, Line]]:
    """Every line of every context, in the screen's order: worst first, over all of them."""
    rows = [(one, line) for one in found if one.report is not None for line in one.report.lines]
    rows.sort(key=lambda row: (row[1].found.sort_key, row[0].context))
    return rows


def cells(report: Report, line: Line) -> list[str]:
    """One row in the words of the screen."""
    from backend.core.countdown import countdown
    from backend.core.delta import ClientFlag
    from backend.core.facts import Limit

    row, judged = report.fleet.row(line.index), line.found
    end, token = judged.effective_not_after, judged.token_expires_at
    left = "none" if end is None else countdown(end - report.now)
    renews = "unknown" if row.flags & ClientFlag.AUTO_RENEW_UNKNOWN else "by you"
    return [
        judged.severity.name.lower(),
        ", ".join([judged.state.value, *sorted(overlay.value for overlay in judged.overlays)]),
        f"{left} (CA)" if judged.limited_by is Limit.AUTHORITY else left,
        _token_word(row.flags & ClientFlag.TOKEN_EMPTY) if token is None else countdown(token - report.now),
        row.activity or judged.next_step,
        row.cluster or "-",
        row.name,
        row.kind.value,
        "itself" if row.flags & ClientFlag.AUTO_RENEW else renews,
        row.owner or row.host or "-",
    ]


def _token_word(is_empty: int) -> str:
    return "empty" if is_empty else "unknown"


def as_lines(found: Sequence[Seen]) -> str:
    """A head for each context, then one line a client under one line of titles."""
    rows = rows_of(found)
    several = len(found) > 1
    body = [[*([one.context] if several else []), *cells(_report(one), line)] for one, line in rows]
    heads = [_head(one) for one in found]
    titles = (*(["SITE"] if several else []), *COLUMNS)
    return "\n".join([*heads, "", table(titles, body, are_inert=True) if body else "No client to show."])


def _report(one: Seen) -> Report:
    assert one.report is not None  # noqa: S101 - only contexts with a report have rows
    return one.report


def _head(one: Seen) -> str:
    from backend.core.countdown import countdown
    from backend.core.export import stamp

    report = one.report
    if report is None:
        return f"{one.context}  NO AGENT at {one.address}"
    fleet = report.fleet
    counted = ", ".join(f"{number} {word}" for word, number in report.counts.items() if number) or "no clients"
    shown = f"{len(report.lines)} of {report.total} clients" if report.selection.words else f"{report.total} clients"
    authorities = [
        f"CA g{info.generation} {countdown(info.validity.left(report.now))}"
        for info, judged in report.authorities
        if judged is not None
    ]
    parts = [
        "SIMULATED" if fleet.simulated else "",
        fleet.deployment or one.context,
        stamp(report.now),
        f"{shown}: {counted}",
        *authorities,
        f"CA ROTATION {fleet.rotation_phase}{' HELD' if fleet.rotation_held else ''}" if fleet.rotation_phase else "",
        f"filter {report.selection.words}" if report.selection.words else "",
    ]
    return "  ".join(part for part in parts if part)


def as_json(found: Sequence[Seen]) -> str:
    """The versioned document: what each context is, then the rows of all of them."""
    import backend
    from backend.cli.fleetforms import client_record

    titles = [title.lower().replace(" ", "_") for title in COLUMNS]
    rows = rows_of(found)
    document = {
        "schema": SCHEMA,
        "tool_version": backend.__version__,
        "filter": next((one.report.selection.words for one in found if one.report is not None), ""),
        "contexts": [_context(one) for one in found],
        "count": len(rows),
        "items": [
            {
                "context": one.context,
                **client_record(_report(one), line),
                "shown": dict(zip(titles, cells(_report(one), line), strict=True)),
            }
            for one, line in rows
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _context(one: Seen) -> dict[str, Any]:
    from backend.core.export import stamp

    report = one.report
    if report is None:
        return {"context": one.context, "agent": one.address, "reachable": False, "error": one.failure}
    states = Counter(line.found.state.value for line in report.everyone)
    return {
        "context": one.context,
        "agent": one.address,
        "reachable": True,
        "observed_at": stamp(report.now),
        "deployment": report.fleet.deployment,
        "simulated": report.fleet.simulated,
        "rotation_phase": report.fleet.rotation_phase,
        "severities": {s.name.lower(): sum(line.found.severity is s for line in report.everyone) for s in Severity},
        "states": dict(sorted(states.items())),
        "shown": len(report.lines),
        "total": report.total,
        "authorities": [
            {
                "generation": info.generation,
                "status": info.status.value,
                "not_after": stamp(info.validity.not_after),
                "severity": judged.severity.name.lower() if judged else None,
            }
            for info, judged in report.authorities
        ],
    }


FORMS: Final[Mapping[str, Callable[[Sequence[Seen]], str]]] = {"plain": as_lines, "json": as_json}


def _exit(found: Sequence[Seen]) -> Exit:
    """The worst of all contexts; one that does not answer is unknown."""
    codes = {Exit.UNKNOWN if one.report is None else one.report.exit_code(None) for one in found}
    return next(code for code in _WORST_EXIT if code in codes)
