"""What text and numbers from the wire must be before any other room sees them.

Every refusal is `InvalidInput` with the field, what is wrong with it and what would be right. The offending text is
quoted escaped and cut, so that a refusal can be logged and shown as it is. Nothing here looks anything up.
"""

from __future__ import annotations

import unicodedata
from pathlib import PurePath
from typing import Final

from backend.core.errors import InvalidInput
from backend.core.inert import inert
from backend.core.limits import CSR_BYTES, NAME_LENGTH

TEXT_LENGTH: Final = 256  # tag values and the like; a DNS name needs 253 (RFC 1035, section 2.3.4)
TAG_KEY_LENGTH: Final = 128
TAG_COUNT: Final = 50
PATH_BYTES: Final = 4096  # PATH_MAX of Linux
VERSION_DIGITS: Final = 20  # nanoseconds since 1970 have 19 digits until the year 2286
PEM_BYTES: Final = CSR_BYTES
_QUOTED: Final = 40


def quoted(text: str) -> str:
    """`text` as it may stand in a refusal: at most 40 characters, everything unprintable escaped."""
    cut = text if len(text) <= _QUOTED else text[:_QUOTED] + "..."
    return ascii(cut)


def check_text(text: str, what: str, *, limit: int = TEXT_LENGTH) -> str:
    """Return `text`, which may be empty, when it has at most `limit` characters and all of them are printable.

    Printable is what `backend.core.inert` shows as it is: no control characters, line breaks, bidirectional or
    invisible marks, and no space but U+0020; so the text breaks no terminal line, log line or comparison by eye.

    Raises:
        InvalidInput: it is too long or holds such a character.
    """
    if len(text) > limit:
        raise InvalidInput(f"{what} {quoted(text)} has {len(text)} characters; at most {limit} are allowed")
    if inert(text, limit) != text:
        raise InvalidInput(f"{what} {quoted(text)} holds a control or invisible character; use printable text only")
    return text


def check_name(text: str, what: str = "name") -> str:
    """Return `text` when it can name a thing: 1 to 64 characters that are safe in a certificate, a path and a terminal.

    64 is the longest common name (RFC 5280, appendix A). Beyond `check_text`: no slash or backslash, no space at an
    end, not `.` or `..`, and in Unicode's composed form (NFC), so that equal-looking spellings are the same name.

    Raises:
        InvalidInput: one of these does not hold.
    """
    if not text:
        raise InvalidInput(f"{what} is empty; it needs 1 to {NAME_LENGTH} characters")
    check_text(text, what, limit=NAME_LENGTH)
    if "/" in text or "\\" in text or text in {".", ".."}:
        raise InvalidInput(f"{what} {quoted(text)} looks like a path; use a name without '/' and '\\'")
    if text != text.strip():
        raise InvalidInput(f"{what} {quoted(text)} begins or ends with a space; remove it")
    if not unicodedata.is_normalized("NFC", text):
        raise InvalidInput(f"{what} {quoted(text)} is not in composed Unicode form (NFC); send the composed characters")
    return text


def check_optional_name(text: str, what: str) -> str:
    """As `check_name`, but an empty text stands for "none" and is returned as it is."""
    return check_name(text, what) if text else text


def check_port(number: int, what: str) -> int:
    """Return a TCP port, or 0 where the sender left it out.

    Raises:
        InvalidInput: it is not within 0 to 65535.
    """
    if not 0 <= number <= 65535:
        raise InvalidInput(f"{what} is {number}; a port is between 1 and 65535")
    return number


def check_login_file_path(path: str) -> str:
    """Return `path` when the agent can write a login file there: empty (none), or absolute and without `..`.

    The path is one of the agent's own host, so the host's rules say what absolute means (moc/protocol.md 5.3).

    Raises:
        InvalidInput: it is relative, climbs with `..`, names a folder, is too long or holds unprintable characters.
    """
    if not path:
        return path
    check_text(path, "loginFilePath", limit=PATH_BYTES)
    if len(path.encode()) > PATH_BYTES:
        raise InvalidInput(f"loginFilePath {quoted(path)} is longer than {PATH_BYTES} bytes")
    pure = PurePath(path)
    if not pure.is_absolute():
        raise InvalidInput(f"loginFilePath {quoted(path)} must be absolute: a path on the agent's host, from its root")
    if ".." in pure.parts:
        raise InvalidInput(f"loginFilePath {quoted(path)} must not hold '..'; write the folder it leads to")
    if path.endswith(("/", "\\")) or not pure.name:
        raise InvalidInput(f"loginFilePath {quoted(path)} names a folder; add the file's name")
    return path


def check_version(text: str) -> str:
    """Return a `status.version.number` as it was read from an answer: decimal digits, or empty for "whatever is there".

    Raises:
        InvalidInput: it is something else.
    """
    if text and not (text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS):
        raise InvalidInput(
            f"status.version.number {quoted(text)} is not a version; send back the one you read, or leave it out"
        )
    return text


def check_pem(text: str, what: str, *, label: str) -> str:
    """Return `text` when it is of a sane size and begins as PEM of the kind `label`; its contents are read later.

    Raises:
        InvalidInput: it is empty, larger than 16 kB, not ASCII, or of another kind.
    """
    if not text.strip():
        raise InvalidInput(f"{what} is empty; send a PEM block of type {label}")
    if len(text) > PEM_BYTES:
        raise InvalidInput(f"{what} has {len(text)} bytes; at most {PEM_BYTES} are read")
    if not text.isascii() or f"-----BEGIN {label}-----" not in text:
        raise InvalidInput(f"{what} is not PEM text of type {label}")
    return text
