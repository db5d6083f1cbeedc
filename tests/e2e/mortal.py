"""A store under which an agent dies by SIGKILL at every boundary between two steps of an operation.

A boundary is a transaction that writes what an operation is made of: its rows and those of its targets, orders, and
certificates. At a new one the process ends "before" the commit, with everything written; at one that it met so, it ends
"after" the commit, with nobody answered; one that was met both ways is spared, or a token whose every hand-out is lost
would never arrive. The store itself is the agent's own; nothing of this is known to the program.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.store.sqlite import open_store

BEFORE, AFTER = "before", "after"
_WRITES = {
    "operations": ("add", "put", "put_target"),
    "orders": ("put",),
    "certificates": ("add",),
}


class _Watched:
    """Repositories of one kind; notes what is written through them."""

    def __init__(self, inner: Any, kind: str, note: Callable[[str], None]) -> None:
        self._inner, self._kind, self._note = inner, kind, note

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if name not in _WRITES[self._kind]:
            return attribute

        def write(*values: Any) -> Any:
            self._note(_words(self._kind, name, values[0]))
            return attribute(*values)

        return write


def _words(kind: str, name: str, row: Any) -> str:
    """What is written and to whom, as "WHAT NUMBER"; 0 for the operation itself."""
    if kind == "orders":
        phase = "done" if row.done_at else "told" if row.handed_out_at else "put"
        return f"{row.kind.name.lower()}-{phase} {row.identity_number}"
    if kind == "certificates":
        return f"certificate {row.identity_number}"
    if name == "put_target":
        return f"target-{row.state} {row.identity_number}"
    return f"operation-{name} 0"


class MortalStore:
    """The agent's store, which ends the process at a boundary that it did not meet yet; `tell` hears of it.

    `met` are the boundaries by the moment at which an earlier life ended there.
    """

    def __init__(self, path: Path, met: Mapping[str, Sequence[str]], tell: Callable[..., None]) -> None:
        self._inner = open_store(path)
        self._met, self._tell = met, tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Any]:
        """A transaction as ever, unless it is a boundary."""
        written: list[str] = []
        with self._inner.transaction() as tx:
            for kind in _WRITES:
                setattr(tx, kind, _Watched(getattr(tx, kind), kind, written.append))
            yield tx
            self._die(BEFORE, written)
        self._die(AFTER, written)

    def _die(self, moment: str, written: list[str]) -> None:
        if not set(written) <= set(self._met[moment]):
            self._tell(pid=os.getpid(), died=moment, at=written)
            os.kill(os.getpid(), signal.SIGKILL)
