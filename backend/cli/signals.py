"""SIGTERM and ctrl-c for programs that run until they are told to end: an event instead of an exception."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def asked_to_end() -> Iterator[asyncio.Event]:
    """Yield an event that either signal sets; what is in flight can then finish. Restores what was there."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    try:
        yield asked
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
