"""Why a store file cannot be opened; refusals that an operator, not a caller, can do something about.

Pure: the command line shows these without loading a database library.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from backend.core.errors import AgentError, StoreUnavailable


class StoreTooNew(AgentError):
    """A newer program has already upgraded the file; this one would misread it."""

    reason: ClassVar[str] = "store_too_new"

    def __init__(self, path: Path, version: str, newest: str) -> None:
        super().__init__(
            f"the store {path} has schema version {version}, and this program knows versions up to {newest}; "
            "run the newer program, or restore a copy of the store made before the upgrade"
        )
        self.path = path
        self.version = version
        self.newest = newest


class StoreDamaged(StoreUnavailable):
    """The file is not a store, or its content is broken."""

    reason: ClassVar[str] = "store_damaged"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"the store {path} cannot be read: {why}; it was left as it is, restore it from a copy", place=str(path)
        )
        self.path = path


class StoreUnsafe(AgentError):
    """The file or its directory is open to other accounts of this computer."""

    reason: ClassVar[str] = "store_unsafe"
