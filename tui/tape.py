"""The file of a recorded session: a header, then one line for whatever the agent said, each sealed with those before.

A line is sixteen hex digits, a space and JSON. The digits are of SHA-256 over the line and the digits before it, so
that a line that was changed, dropped or put in is noticed; it is no signature: whoever makes a file can make any file.
A last line that was cut off is left out, since the machine that recorded may have lost its power. The file is readable
by its owner only, and nothing on it is a secret.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from backend.core.errors import AgentError

FORMAT: Final = "mocdeck.recording/1"
_DIGITS: Final = 16


class TapeInvalid(AgentError):
    """The file is no recording that this version can play; the sentence names file, line and what is wrong."""

    reason: ClassVar[str] = "file_invalid"


class TapeNotWritten(AgentError):
    """The recording cannot be begun; nothing was written."""

    reason: ClassVar[str] = "not_written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something an agent said. `at` is seconds since the recording began; `key` names whom it is about, "" for all.

    `site` is the agent's place in the head's list.
    """

    at: float
    kind: str
    key: str
    value: Any
    site: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """A whole recording. `is_cut`: its last line was not complete."""

    path: Path
    head: Mapping[str, Any]
    entries: tuple[Entry, ...]
    is_cut: bool

    @property
    def length(self) -> float:
        """Seconds from the first to the last thing on it."""
        return self.entries[-1].at if self.entries else 0.0


class TapeWriter:
    """Writes a recording, line by line. A disk that takes no more ends it with a sentence, never the session."""

    def __init__(self, path: Path, head: Mapping[str, Any], *, users: int = 1) -> None:
        """Make the file; the last of its users closes it.

        Raises:
            TapeNotWritten: it is there already, or cannot be made; names it.
        """
        self.path = path
        self.failure = ""
        self._seal = ""
        self._last: dict[tuple[int, str, str], str] = {}
        self._users = users
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise TapeNotWritten(f"{path} is there already; name a file that is not, recordings are kept") from None
        except OSError as error:
            raise TapeNotWritten(f"cannot record to {path}: {error.strerror}; name another place") from None
        self._put({"format": FORMAT, **head})

    def note(self, at: float, kind: str, value: Any, key: str = "", *, site: int = 0, once: bool = False) -> None:
        """Add a line; `once`: not when it is what the site said last of this kind and key."""
        if once:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            if self._last.get((site, kind, key)) == text:
                return
            self._last[site, kind, key] = text
        where = {**({"site": site} if site else {}), **({"of": key} if key else {})}
        self._put({"t": round(at, 3), "is": kind, **where, "value": value})

    def _put(self, values: Mapping[str, Any]) -> None:
        if self.failure:
            return
        body = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        self._seal = _seal(self._seal, body)
        line = f"{self._seal} {body}\n".encode("utf-8", "replace")
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            self.failure = f"the recording {self.path} ends here: {error.strerror}"

    def close(self) -> None:
        """Let go of the recording; when nobody holds it any more it ends."""
        self._users -= 1
        if self._users <= 0 <= self._file:
            os.close(self._file)
            self._file = -1
            self.failure = self.failure or f"the recording {self.path} is closed"


def read_tape(path: Path) -> Tape:
    """Read a recording whole.

    Raises:
        TapeInvalid: it is none, of a later format, or a line before the last is damaged; names the line.
        OSError: it cannot be read.
    """
    *lines, rest = path.read_bytes().split(b"\n")
    whole = [(number, line) for number, line in enumerate([*lines, rest] if rest else lines, 1)]
    seal, bodies, is_cut = "", [], bool(rest)
    for number, line in whole:
        digits, _, body = line.decode("utf-8", "replace").partition(" ")
        seal = _seal(seal, body)
        if digits != seal:
            if number == len(whole) and number > 1:
                is_cut = True
                break
            raise TapeInvalid(_damage(path, number))
        bodies.append((number, body))
    if not bodies:
        raise TapeInvalid(f"{path} is empty; it is no recording of mocdeck")
    head = _object(path, *bodies[0])
    if head.get("format") != FORMAT:
        raise TapeInvalid(f"{path} is of format {str(head.get('format'))[:40]!r}; this mocdeck plays {FORMAT}")
    return Tape(path=path, head=head, entries=tuple(_entry(path, *body) for body in bodies[1:]), is_cut=is_cut)


def _damage(path: Path, number: int) -> str:
    if number == 1:
        return f"{path} is no recording of mocdeck: its first line is not a recording's"
    return f"{path}, line {number}: it was changed, or one before it is missing; a recording is played whole or not"


def _object(path: Path, number: int, body: str) -> dict[str, Any]:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise TapeInvalid(f"{path}, line {number}: no JSON object; it was not written by mocdeck")
    return values


def _entry(path: Path, number: int, body: str) -> Entry:
    values = _object(path, number, body)
    at, kind, key, site = values.get("t"), values.get("is"), values.get("of", ""), values.get("site", 0)
    is_text = isinstance(kind, str) and isinstance(key, str)
    if not isinstance(at, int | float) or not is_text or not isinstance(site, int):
        raise TapeInvalid(f"{path}, line {number}: it has no time or no kind; it was not written by mocdeck")
    return Entry(at=float(at), kind=str(kind), key=str(key), value=values.get("value"), site=site)


def _seal(before: str, body: str) -> str:
    return hashlib.sha256(f"{FORMAT}\n{before}\n{body}".encode("utf-8", "replace")).hexdigest()[:_DIGITS]
