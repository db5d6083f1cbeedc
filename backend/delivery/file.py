"""The file route: a login file written to a path that the client reads, whole and for its owner only.

The caller has committed the intent and mints the token; this room only puts text where it belongs (pki.md 5.7). The
path comes from whoever made the identity, so nothing but an older login file of that same identity is ever replaced.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from backend.core.delivery import DeliveryRefused, ReachState
from backend.core.errors import InconsistentState
from backend.core.model import Secret
from backend.delivery.held import MOST_BYTES, held_name, held_text
from backend.pki.files import write_atomic


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


def look_at_path(target: Path, identity_name: str) -> Secret | None:
    """See whether a login file could be written there now, and change nothing; return the login file that lies there.

    Raises:
        DeliveryRefused: it could not, with the state and a sentence.
    """
    directory = target.parent
    try:
        if not target.is_absolute() or not directory.is_dir():
            why = f"the directory of login file {target} does not exist; create it or correct the path"
            raise DeliveryRefused(ReachState.MISSING, why)
        if target.is_symlink() or (target.exists() and not target.is_file()):
            raise DeliveryRefused(ReachState.FOREIGN, f"{target} is no regular file and is not replaced; move it away")
        if not os.access(directory, os.W_OK | os.X_OK):
            why = f"the agent may not write into {directory}; give its user that right"
            raise DeliveryRefused(ReachState.FORBIDDEN, why)
        if os.statvfs(directory).f_flag & os.ST_RDONLY:  # root may write everywhere but there
            raise DeliveryRefused(ReachState.REFUSED, f"{directory} is mounted read-only; mount it writable")
        _refuse_foreign(target, identity_name)
        return held_text(_read(target)) if target.exists() else None
    except InconsistentState as foreign:
        raise DeliveryRefused(ReachState.FOREIGN, str(foreign)) from foreign
    except OSError as failure:
        why = f"login file {target} cannot be looked at: {failure.strerror or failure}"
        raise DeliveryRefused(ReachState.REFUSED, why) from failure


def _refuse_foreign(target: Path, identity_name: str) -> None:
    """Make sure that nothing is lost with the file that lies at `target`; a link or a device is left to the writer."""
    try:
        if not stat.S_ISREG(target.lstat().st_mode):
            return
        held = held_name(_read(target))
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


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MOST_BYTES + 1)
