"""The last word of each agent on this computer's disk, so that the first frame has rows before any agent answers.

Owns the files of the `snapshots` folder in the state directory: one a site, readable by its owner only, with what the
list shows and no key, token or serial that could open anything. A file that cannot be understood, was cut, or was
written by another version counts as none. What comes out of it is checked as an agent's answer is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from backend.core.delta import AuthorityInfo, ClientColumns, ClusterInfo, FleetDelta, instant, unix
from backend.core.errors import AgentError
from backend.core.fleet import FleetColumns
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus
from backend.core.packed import BLOCK
from backend.pki.files import write_atomic

FOLDER: Final = "snapshots"
MAX_CLIENTS: Final = 300_000  # some 25 MB; a larger fleet is read from its agent
_MAGIC: Final = b"mocdeck snapshot 1\n"
_MAX_BYTES: Final = 64 * 1024 * 1024
_CHUNK: Final = 2000
_LEFT_OUT: Final = frozenset({"used_serial_low"})
_NAMES: Final = tuple(column.name for column in fields(ClientColumns) if column.name != "name")
_TEXTS: Final = ("kind", "cluster", "host", "owner", "activity")
BROKEN: Final = (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError, AgentError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What an agent said at `heard_at`, its own time; `written_at` is this computer's time then."""

    heard_at: datetime
    written_at: datetime
    head: dict[str, Any]
    columns: dict[str, array[int]]
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def deltas(self) -> Iterator[FleetDelta]:
        """Yield it as an agent would send it; raises one of `BROKEN` at what no agent would send."""
        return _deltas(self.head, self.columns, self.names)

    def age(self, now: datetime) -> timedelta:
        """Return how old it is by this computer's clock; zero when that was set back meanwhile."""
        return max(timedelta(0), now - self.written_at)


class Snapshots:
    """The folder; `None` as its path keeps nothing."""

    def __init__(self, state_dir: Path | None) -> None:
        self._folder = None if state_dir is None else state_dir / FOLDER

    @property
    def is_kept(self) -> bool:
        """Tell whether anything is read or written."""
        return self._folder is not None

    def _path(self, context: str, address: str) -> Path:
        name = hashlib.sha256(f"{context}\n{address}".encode()).hexdigest()[:24]
        return (self._folder or Path()) / f"{name}.fleet"

    def read(self, context: str, address: str) -> Snapshot | None:
        """Return the last snapshot of a site, None when there is none that can be understood."""
        if self._folder is None:
            return None
        try:
            with self._path(context, address).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except OSError:
            return None
        try:
            return decode(data)
        except BROKEN:
            return None

    def write(self, context: str, address: str, data: bytes) -> None:
        """Keep a site's snapshot; a disk that takes it not is no reason to bother anybody."""
        if self._folder is None or not data:
            return
        with contextlib.suppress(AgentError, OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(self._path(context, address), data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A store as it was at one moment, quickly copied; `encode` may take its time over it in a thread."""

    head: dict[str, Any]
    columns: list[bytes]
    names: list[str]  # blocks of names


def copy(columns: FleetColumns, heard_at: datetime, written_at: datetime) -> Copy | None:
    """Copy a store; None for one that is too large to be kept."""
    if len(columns) > MAX_CLIENTS:
        return None
    kept = {name: columns.column(name) for name in _NAMES if name not in _LEFT_OUT}
    head = {
        "heard_at": unix(heard_at),
        "written_at": unix(written_at),
        "byteorder": sys.byteorder,
        "clients": len(columns),
        "columns": [[name, column.typecode] for name, column in kept.items()],
        "texts": list(columns.texts),
        "deployment": columns.deployment,
        "deployment_id": columns.deployment_id,
        "agent_version": columns.agent_version,
        "simulated": columns.simulated,
        "rotation_phase": columns.rotation_phase,
        "authorities": [_authority_out(one) for one in columns.authorities],
        "clusters": [[c.name, c.is_management, c.is_removed, unix(c.planned_off_until)] for c in columns.clusters],
    }
    blocks = list(columns.names.blocks(0, len(columns) // BLOCK + 1))
    return Copy(head=head, columns=[column.tobytes() for column in kept.values()], names=blocks)


def encode(taken: Copy) -> bytes:
    """Return a copy as the bytes of its file."""
    names = "\n".join(taken.names).encode()
    body = b"".join([*taken.columns, names])
    line = json.dumps({**taken.head, "names_bytes": len(names)}).encode() + b"\n"
    return b"".join([_MAGIC, hashlib.sha256(line + body).hexdigest().encode(), b"\n", line, body])


def decode(data: bytes) -> Snapshot:
    """Return what bytes hold.

    Raises:
        ValueError, KeyError, TypeError, IndexError, OverflowError, AgentError: they are no snapshot of this version.
    """
    if len(data) > _MAX_BYTES or not data.startswith(_MAGIC):
        raise ValueError("not a snapshot of this version")
    digest, _, rest = data[len(_MAGIC) :].partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        raise ValueError("cut or changed")
    line, _, body = rest.partition(b"\n")
    head = json.loads(line)
    if head["byteorder"] != sys.byteorder:
        raise ValueError("of another kind of computer")
    heard_at, written_at = instant(int(head["heard_at"])), instant(int(head["written_at"]))
    if heard_at is None or written_at is None:
        raise ValueError("without a time")
    columns, names = _columns(head, memoryview(body))
    return Snapshot(heard_at=heard_at, written_at=written_at, head=head, columns=columns, names=names)


def _columns(head: dict[str, Any], body: memoryview) -> tuple[dict[str, array[int]], list[str]]:
    count, begin = int(head["clients"]), 0
    columns: dict[str, array[int]] = {}
    for name, code in head["columns"]:
        if name not in _NAMES or code not in "bhiqBHIQ":
            raise ValueError(f"an unknown column {name!r}")
        column = array(code)
        size = count * column.itemsize
        column.frombytes(body[begin : begin + size])
        columns[name] = column
        begin += size
    text = bytes(body[begin : begin + int(head["names_bytes"])]).decode()
    names = text.split("\n") if count else []
    if len(names) != count or any(len(column) != count for column in columns.values()):
        raise ValueError("cut columns")
    return columns, names


def _deltas(head: dict[str, Any], columns: dict[str, array[int]], names: list[str]) -> Iterator[FleetDelta]:
    texts = [str(text) for text in head["texts"]]
    for begin in range(0, max(1, len(names)), _CHUNK):
        part = names[begin : begin + _CHUNK]
        values: dict[str, list[int]] = {
            name: column[begin : begin + _CHUNK].tolist() for name, column in columns.items()
        }
        for name in _TEXTS:
            values[name] = [place + len(part) for place in values[name]]
        for name in _LEFT_OUT:
            values[name] = [0] * len(part)
        is_last = begin + _CHUNK >= len(names)
        yield FleetDelta(
            full=not begin,
            last=is_last,
            names=[*part, *texts],
            clients=ClientColumns(name=list(range(len(part))), **values),
            deployment=str(head["deployment"]),
            deployment_id=str(head["deployment_id"]),
            agent_version=str(head["agent_version"]),
            simulated=head["simulated"] is True,
            rotation_phase=str(head["rotation_phase"]) if is_last else "",
            authorities=tuple(_authority_in(one) for one in head["authorities"]) if is_last else (),
            clusters=tuple(_cluster_in(one) for one in head["clusters"]) if is_last else (),
        )


def _authority_out(one: AuthorityInfo) -> list[Any]:
    validity = one.validity
    return [
        *(one.generation, one.subject, unix(validity.not_before), unix(validity.not_after)),
        *(one.status.value, one.fingerprint),
    ]


def _authority_in(values: list[Any]) -> AuthorityInfo:
    generation, subject, not_before, not_after, status, fingerprint = values
    return AuthorityInfo(
        generation=int(generation),
        subject=str(subject),
        validity=Validity(
            not_before=datetime.fromtimestamp(int(not_before), UTC),
            not_after=datetime.fromtimestamp(int(not_after), UTC),
        ),
        status=AuthorityStatus(status),
        fingerprint=str(fingerprint),
    )


def _cluster_in(values: list[Any]) -> ClusterInfo:
    name, is_management, is_removed, off_until = values
    return ClusterInfo(
        name=str(name),
        is_management=is_management is True,
        is_removed=is_removed is True,
        planned_off_until=instant(int(off_until)),
    )
