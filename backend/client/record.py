"""The small JSON file beside a cloudconfig: how the client is doing, and what it must remember. No secrets.

`status` is for people and `mocdeck client status`; `memory` is for the next start. Losing the file costs one sign-in
at most, so an unreadable one counts as none and is simply written again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from backend.core.model import Secret
from backend.pki.files import write_atomic

_MAX_BYTES: Final = 64 * 1024
T = TypeVar("T", bound="Memory | Status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the next start has to know.

    `login_token` and `login_trust` are digests of the login file's parts as this client last used or wrote them; a file
    that differs was brought by somebody. `bundle_trust` is the digest of the roots that `epoch` stands for; `chained`
    that the signed chain led to them. `cut_trust` is the digest of roots from which no chain leads on any more.
    """

    login_token: str = ""
    login_trust: str = ""
    epoch: int = 0
    bundle_trust: str = ""
    chained: bool = False
    cut_trust: str = ""
    done_order: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the client is doing, at `written_at`. Instants None: unknown or never."""

    state: str = ""
    identity: str = ""
    agent: str = ""
    serial: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    renew_at: datetime | None = None
    token_id: str = ""
    token_expires_at: datetime | None = None
    next_step: str = ""
    next_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    last_contact_at: datetime | None = None
    failures: int = 0
    skew_seconds: int = 0
    version: str = ""
    written_at: datetime | None = None

    def says_the_same_as(self, other: Status) -> bool:
        """Tell whether nothing but the time of writing differs."""
        return replace(self, written_at=None) == replace(other, written_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Both halves of the file."""

    status: Status = Status()
    memory: Memory = Memory()


def record_path(access_file: Path) -> Path:
    """Where the record lies: `<cloudconfig>.status.json`."""
    return access_file.with_name(f"{access_file.name}.status.json")


def read_record(path: Path) -> Record:
    """Return the record; an empty one when there is none or it cannot be understood."""
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_MAX_BYTES))
        return Record(status=_parsed(Status, values["status"]), memory=_parsed(Memory, values["memory"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Record()


def write_record(path: Path, record: Record) -> None:
    """Replace the record whole.

    Raises:
        OSError, UnsafeFile: it could not be written; the old one stays.
    """
    values = {"status": _plain(asdict(record.status)), "memory": _plain(asdict(record.memory))}
    write_atomic(path, json.dumps(values, indent=2, ensure_ascii=False).encode() + b"\n")


def token_mark(token: Secret) -> str:
    """Digest by which a token is recognised again; it says nothing about a text that long and random."""
    return hashlib.sha256(b"mocdeck token\0" + token.reveal().encode()).hexdigest()


def trust_mark(trust_pem: str) -> str:
    """Digest of a bundle's text without its white space, so that line ends do not make a difference."""
    return hashlib.sha256(b"mocdeck trust\0" + "".join(trust_pem.split()).encode()).hexdigest()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value for key, value in values.items()
    }


def _parsed(kind: type[T], values: object) -> T:
    if not isinstance(values, dict):
        raise TypeError(kind.__name__)
    known: dict[str, Any] = {}
    defaults = kind()
    for field in fields(kind):
        value = values.get(field.name)
        if value is None:
            continue
        if field.name.endswith("_at") or field.name.startswith("not_"):
            known[field.name] = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        elif type(value) is type(getattr(defaults, field.name)):
            known[field.name] = value
        else:
            raise TypeError(field.name)
    return kind(**known)
