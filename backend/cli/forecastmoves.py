"""Which dates moved between an earlier `mocdeck status -o json` and now (domain.md US-30): read, matched by name, told.

The earlier document may come from anywhere, so it is read as hostile text: its size, its schema and every date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from backend.cli.exits import Exit
from backend.cli.fleetforms import SCHEMA
from backend.cli.forecastforms import WORDS, Sheet, worst
from backend.core.errors import InvalidInput, NotFound
from backend.core.export import stamp
from backend.core.inert import inert
from backend.core.subjects import SiteView

_MOST_BYTES: Final = 64 * 1024 * 1024  # ten thousand clients are some 15 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """What one client's ends were, or are."""

    state: str
    certificate: datetime | None
    token: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The earlier document: when it was read, of which deployment, and each client's dates by name."""

    observed_at: str
    deployment_id: str
    clients: Mapping[str, Dates]


def read_before(path: Path) -> Earlier:
    """Read the earlier document.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is not what `mocdeck status -o json` writes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}; write one with `mocdeck status -o json`") from None
    except OSError as problem:
        raise InvalidInput(f"{path} cannot be read: {problem.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise InvalidInput(f"{path} is longer than {_MOST_BYTES // 2**20} MB, so it is no such document")
    try:
        return _earlier(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidInput(f"{path} is not a document of `mocdeck status -o json` ({SCHEMA})") from None


def _earlier(found: Any) -> Earlier:
    if found["schema"] != SCHEMA or found["filter"]:
        raise ValueError("another schema, or not the whole fleet")
    return Earlier(
        observed_at=stamp(_instant(found["observed_at"])),
        deployment_id=str(found["deployment_id"]),
        clients={
            inert(str(one["name"])): Dates(
                state=inert(str(one["state"])),
                certificate=_instant((one["certificate"] or {}).get("not_after")),
                token=_instant(one["token"]["expires_at"]),
            )
            for one in found["clients"]
        },
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def compare_sheet(before: Earlier, site: SiteView) -> Sheet:
    """Tell for each client whether its dates moved; those that did not come first, because they are the question.

    Raises:
        InvalidInput: the document is of another deployment.
    """
    if before.deployment_id != site.deployment_id:
        raise InvalidInput("that document is of another deployment; choose its context with --context")
    now = {
        subject.name: Dates(
            state=subject.found.state.value,
            certificate=None if subject.facts.certificate is None else subject.facts.certificate.validity.not_after,
            token=subject.facts.token.expires_at,
        )
        for subject in site.subjects
    }
    lines = [_line(name, before.clients.get(name), now.get(name)) for name in sorted(before.clients.keys() | now)]
    lines.sort(key=lambda line: _ORDER.index(line["moved"]))
    codes = [_CODES.get(line["moved"], Exit.OK) for line in lines]
    return Sheet(
        kind="compare",
        title=f"What moved since {before.observed_at}",
        columns=("MOVED", "CERTIFICATE BEFORE", "NOW", "TOKEN BEFORE", "NOW", "STATE BEFORE", "NOW", "CLIENT"),
        rows=[tuple(str(line[name] or "-") for name in _CELLS) for line in lines],
        words=[WORDS[code] for code in codes],
        records=lines,
        values={"before": before.observed_at, "counts": {word: _count(lines, word) for word in _ORDER}},
        code=worst(codes),
        nothing="Neither then nor now is there a client.",
    )


_ORDER: Final = ("gone", "earlier", "nothing", "certificate", "token", "both", "new")
_CODES: Final = {"gone": Exit.WARNING, "earlier": Exit.WARNING}
_CELLS: Final = (
    *("moved", "certificate_before", "certificate_now", "token_before", "token_now"),
    *("state_before", "state_now", "client"),
)


def _count(lines: list[dict[str, Any]], word: str) -> int:
    return sum(line["moved"] == word for line in lines)


def _line(name: str, before: Dates | None, now: Dates | None) -> dict[str, Any]:
    return {
        "moved": _moved(before, now),
        "client": name,
        "certificate_before": stamp(before.certificate) or None if before else None,
        "certificate_now": stamp(now.certificate) or None if now else None,
        "token_before": stamp(before.token) or None if before else None,
        "token_now": stamp(now.token) or None if now else None,
        "state_before": before.state if before else None,
        "state_now": now.state if now else None,
    }


def _moved(before: Dates | None, now: Dates | None) -> str:
    if before is None or now is None:
        return "new" if before is None else "gone"
    ends = ((before.certificate, now.certificate), (before.token, now.token))
    if any(was is not None and (end is None or end < was) for was, end in ends):
        return "earlier"
    certificate, token = (was != end for was, end in ends)
    return "both" if certificate and token else "certificate" if certificate else "token" if token else "nothing"
