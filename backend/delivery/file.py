"""The file route: a login file written to a path that the client reads, whole and for its owner only.

The caller has committed the intent and mints the token; this room only puts text where it belongs (pki.md 5.7).
"""

from __future__ import annotations

from pathlib import Path

from backend.core.errors import InconsistentState
from backend.core.model import Secret
from backend.pki.files import write_atomic


def write_login_file(target: Path, text: Secret) -> None:
    """Replace the file at `target`: the reader sees the old text or the new one, mode 0600 from the first byte.

    Raises:
        InconsistentState: the path is not absolute, its directory is missing, or the disk refuses; the old file stays.
    """
    if not target.is_absolute():
        raise InconsistentState(f"login file path {target} is not absolute; correct the identity's loginFilePath")
    if not target.parent.is_dir():
        raise InconsistentState(f"the directory of login file {target} does not exist; create it or correct the path")
    try:
        write_atomic(target, text.reveal().encode())
    except OSError as failure:
        raise InconsistentState(f"login file {target} was not written: {failure.strerror or failure}") from failure
