"""Text that came from somebody else, made harmless for a terminal.

Owns the one rule for what may be shown as it is. Every text of a client, a cluster or a certificate passes through
`inert` where it enters the model, so that no view has to remember it. It never interprets markup.
"""

from __future__ import annotations

from typing import Final

REPLACEMENT: Final = "\ufffd"
ELLIPSIS: Final = "\u2026"
DEFAULT_LIMIT: Final = 128

# Printable by Unicode's rules and still drawn as nothing: joiners, fillers and variation selectors.
_BLANK: Final = frozenset(
    [
        "\u034f",  # combining grapheme joiner
        "\u115f",  # Hangul fillers: letters that leave an empty cell
        "\u1160",
        "\u3164",
        "\uffa0",
        "\u17b4",  # Khmer inherent vowels
        "\u17b5",
        "\u180b",  # Mongolian variation selectors
        "\u180c",
        "\u180d",
        "\u180f",
        "\u2800",  # Braille blank
        *map(chr, range(0xFE00, 0xFE10)),  # variation selectors
        *map(chr, range(0xE0100, 0xE01F0)),
    ]
)


def inert(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Return `text` with every control, direction and invisible character replaced by U+FFFD, at most `limit` long.

    Replaced are C0 and C1 controls with ESC among them, line and paragraph separators, bidirectional controls,
    zero-width and other format characters, lone surrogates, and spaces other than U+0020. A cut shows as an ellipsis.
    """
    if len(text) > limit:
        text = text[: limit - 1] + ELLIPSIS
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() and c not in _BLANK else REPLACEMENT for c in text)
