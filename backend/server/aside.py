"""Work that may hang for ever, on a thread that nobody waits for: a path on a dead share blocks whoever touches it.

The threads of `asyncio.to_thread` are waited for when the program ends, and so a hung one keeps it alive. These are
daemons: the program ends without them, and what they had not done is found undone at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T], *, name: str) -> T:
    """Run `work` on a thread of its own and return its value, or raise what it raised.

    Cancelled, it returns at once; the thread goes on, and what comes of it is dropped.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, failure: BaseException | None) -> None:
        if done.done():  # nobody waits any more
            return
        if failure is None:
            done.set_result(value)  # type: ignore[arg-type]  # without a failure it is what `work` returned
        else:
            done.set_exception(failure)

    def run() -> None:
        value: T | None = None
        failure: BaseException | None = None
        try:
            value = work()
        except Exception as error:  # whoever waits gets it
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, value, failure)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done
