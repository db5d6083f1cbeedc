"""What lies where a login file is to go: nothing but an older login file of the same client is ever replaced."""

from __future__ import annotations

from typing import Any, Final

import yaml

from backend.core.model import Secret

MOST_BYTES: Final = 256 * 1024  # a login file with a bundle of many roots has a few kilobytes
_NAME: Final = "name"


def held_name(data: bytes) -> str | None:
    """The identity that a login file names; None when `data` is none."""
    document = _login_file(data)
    name = None if document is None else document[_NAME]
    return name if isinstance(name, str) else None


def held_text(data: bytes) -> Secret | None:
    """A login file's own text, by which an interrupted delivery is known to have arrived; None when `data` is none."""
    return None if _login_file(data) is None else Secret(data.decode())


def _login_file(data: bytes) -> dict[str, Any] | None:
    if len(data) > MOST_BYTES:
        return None
    try:
        document = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    if not isinstance(document, dict) or not {_NAME, "token", "certificate"} <= document.keys():
        return None
    return document
