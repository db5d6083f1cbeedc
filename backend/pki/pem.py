"""PEM text, read strictly: blocks of one label with nothing but white space around them.

Lenient readers skip what they do not know, and then two of them disagree on what a file says. Nothing here looks inside
a block (RFC 7468; no headers).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from backend.core.errors import InvalidInput

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s([A-Za-z0-9+/=\s]*)-----END \1-----")
_SPACE: Final = re.compile(r"\s+")


def split_pem(text: str | bytes, label: str, max_bytes: int) -> list[bytes]:
    """Return the DER content of each `label` block; at least one.

    Raises:
        InvalidInput: too long, not ASCII, no block, another label, bad base64, or text outside the blocks.
    """
    if len(text) > max_bytes:
        raise InvalidInput(f"{len(text)} bytes of PEM are more than the {max_bytes} allowed")
    try:
        rest = text.decode("ascii") if isinstance(text, bytes) else text.encode("ascii").decode()
    except UnicodeError:
        raise InvalidInput("the PEM text holds characters outside ASCII") from None
    rest, found = rest.lstrip(), []
    while rest:
        block = _BLOCK.match(rest)
        if block is None or block[1] != label:
            raise InvalidInput(f"expected PEM blocks of type {label} with nothing between them")
        try:
            found.append(base64.b64decode(_SPACE.sub("", block[2]), validate=True))
        except binascii.Error:
            raise InvalidInput(f"a PEM block of type {label} holds bad base64") from None
        rest = rest[block.end() :].lstrip()
    if not found:
        raise InvalidInput(f"expected a PEM block of type {label}, found nothing")
    return found


def join_pem(der: bytes, label: str) -> str:
    """Return one PEM block, lines of 64 characters, ending in a newline."""
    text = base64.b64encode(der).decode()
    lines = (text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n" + "\n".join(lines) + f"\n-----END {label}-----\n"
