"""Reading our own credential files although somebody loosened their mode: tighten, say so, go on.

The Go clients leave their files at 0644 until they sign in (moc/protocol.md 3.5), so refusing such a file would refuse
the very files that this client is meant to share with them.
"""

from __future__ import annotations

import logging
import stat
from pathlib import Path

from backend.pki.files import read_private

log = logging.getLogger(__name__)


def read_own_file(path: Path, max_bytes: int) -> bytes:
    """Return a private file's bytes; a mode that lets others in is set to 0600 first, with a warning.

    Raises:
        FileNotFoundError: there is no such file.
        UnsafeFile: it is no regular file, another user's, too large, or its mode cannot be tightened.
    """
    facts = path.stat()
    loose = stat.S_IMODE(facts.st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    if stat.S_ISREG(facts.st_mode) and loose:
        try:
            path.chmod(0o600)
        except OSError:
            log.warning(
                "%s can be reached by other accounts and its mode cannot be changed; run: chmod 600 %s", path, path
            )
        else:
            mode = f"{stat.S_IMODE(facts.st_mode):04o}"
            log.warning("%s could be reached by other accounts (mode %s); its mode was set to 0600", path, mode)
    return read_private(path, max_bytes)
