"""What the dashboard remembers for each site: order, columns, width, theme, and the filter that was asked to be kept.

Owns `dashboard.json` in the state directory, readable by its owner only. Whatever cannot be understood in it counts as
never written; a file that cannot be written is no reason to bother anybody who looks at a burning site.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from backend.core.errors import AgentError
from backend.pki.files import write_atomic

FILE_NAME: Final = "dashboard.json"
_MAX_BYTES: Final = 1024 * 1024
_MAX_SITES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """One site. An empty text or tuple: nothing was chosen."""

    sort: str = ""
    columns: tuple[str, ...] = ()
    wide: bool = False
    theme: str = ""
    filter: str = ""


class Memory:
    """The file; `None` as its path remembers nothing beyond this session."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._sites: dict[str, Remembered] | None = None

    def of(self, site: str) -> Remembered:
        """Return what is remembered of a site."""
        return self._read().get(site, Remembered())

    def keep(self, site: str, remembered: Remembered) -> None:
        """Remember a site; written at once when something differs."""
        sites = self._read()
        if not site or sites.get(site) == remembered:
            return
        sites.pop(site, None)
        sites[site] = remembered
        while len(sites) > _MAX_SITES:
            del sites[next(iter(sites))]
        if self._path is not None:
            data = json.dumps({name: asdict(one) for name, one in sites.items()}, indent=1, ensure_ascii=False)
            with contextlib.suppress(AgentError, OSError):
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_atomic(self._path, data.encode())

    def _read(self) -> dict[str, Remembered]:
        if self._sites is None:
            self._sites = {} if self._path is None else _load(self._path)
        return self._sites


def _load(path: Path) -> dict[str, Remembered]:
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {site: _remembered(one) for site, one in list(values.items())[:_MAX_SITES] if isinstance(one, dict)}


def _remembered(values: Mapping[str, Any]) -> Remembered:
    columns = values.get("columns")
    named = columns if isinstance(columns, list) else []
    return Remembered(
        sort=_text(values, "sort"),
        columns=tuple(name[:40] for name in named[:40] if isinstance(name, str)),
        wide=values.get("wide") is True,
        theme=_text(values, "theme"),
        filter=_text(values, "filter"),
    )


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return value[:500] if isinstance(value, str) and value.isprintable() else ""
