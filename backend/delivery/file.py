"""The file route: a login file written to a path that the client reads, whole and for its owner only.

The caller has committed the intent and mints the token; this room only puts text where it belongs (pki.md 5.7). The
path comes from whoever made the identity, so nothing but an older login file of that same identity is ever replaced.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

import yaml

from backend.core.errors import InconsistentState
from backend.core.model import Secret
from backend.pki.files import write_atomic

_MOST_BYTES: Final = 256 * 1024  # a login file with a bundle of many roots has a few kilobytes
_NAME: Final = "name"


def write_login_file(target: Path, identity_name: str, text: Secret) -> None:
    """Replace the file at `target`: the reader sees the old text or the new one, mode 0600 from the first byte.

    Raises:
        InconsistentState: the path is not absolute, its directory is missing, it holds something else than a login file
            of `identity_name`, or the disk refuses; what lies there stays.
        UnsafeFile: `target` is a link, a directory or a device.
    """
    if not target.is_absolute():
        raise InconsistentState(f"login file path {target} is not absolute; correct the identity's loginFilePath")
    if not target.parent.is_dir():
        raise InconsistentState(f"the directory of login file {target} does not exist; create it or correct the path")
    try:
        _refuse_foreign(target, identity_name)
        write_atomic(target, text.reveal().encode())
    except OSError as failure:
        raise InconsistentState(f"login file {target} was not written: {failure.strerror or failure}") from failure


def _refuse_foreign(target: Path, identity_name: str) -> None:
    """Make sure that nothing is lost with the file that lies at `target`; a link or a device is left to the writer."""
    try:
        if not stat.S_ISREG(target.lstat().st_mode):
            return
        held = _held_name(target)
    except FileNotFoundError:
        return
    if held is None:
        raise InconsistentState(
            f"{target} holds something else than a login file and is not replaced; move it away, or correct the"
            f" loginFilePath of {identity_name}"
        )
    if held != identity_name:
        raise InconsistentState(
            f"{target} is the login file of another identity than {identity_name} and is not replaced; move it away,"
            " or give each identity a loginFilePath of its own"
        )


def _held_name(path: Path) -> str | None:
    """The identity that a login file names; None when the file is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        return None
    try:
        document = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    if not isinstance(document, dict) or not {_NAME, "token", "certificate"} <= document.keys():
        return None
    name = document[_NAME]
    return name if isinstance(name, str) else None
