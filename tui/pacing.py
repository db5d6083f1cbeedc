"""Letting the screen breathe between slices of long work on its own event loop."""

from __future__ import annotations

import asyncio
from typing import Final

_TURNS: Final = 10  # a key passes through so many turns of the loop until what it changes is drawn


async def breathe() -> None:
    """Let keys that have come be handled and drawn before the next slice."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
