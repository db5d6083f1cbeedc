"""The passphrase of an agent's keys: from a private file, or from the environment; never from the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.cli.edge import NoPassphrase
from backend.core.errors import InvalidInput
from backend.core.model import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "MOCDECK_PASSPHRASE"
_MAX_BYTES: Final = 4096


def read_passphrase(path: Path | None, environment: Mapping[str, str] = os.environ) -> Secret:
    """Return the passphrase; the file goes before the environment, and its last line end does not count.

    Raises:
        NoPassphrase: neither is given; an agent's keys are never left unwrapped.
        InvalidInput: it is empty or no UTF-8 text.
        UnsafeFile: others can read the file.
        FileNotFoundError: there is no such file.
    """
    if path is not None:
        from backend.pki.files import read_private

        try:
            text = read_private(path, _MAX_BYTES).decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidInput(f"{path}: expected UTF-8 text, one passphrase; is it the right file?") from None
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise InvalidInput(f"{path}: expected a passphrase, but the file is empty; write one into it")
        return Secret(text)
    if environment.get(VARIABLE):
        return Secret(environment[VARIABLE])
    raise NoPassphrase(
        f"the agent's keys are wrapped by a passphrase, and none was given; name a file (mode 0600) with "
        f"--passphrase-file, or set {VARIABLE}"
    )
