"""From the command line to an agent: which context is meant, one event loop, and one changing run at a time.

Owns the choice of the context and the lock against overlapping runs. Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from backend.cli.console import say
from backend.cli.edge import Busy, NoContext
from backend.cli.root import Root
from backend.core.errors import NotFound

if TYPE_CHECKING:
    from backend.client.contexts import Context, Places
    from backend.client.operator import Operator

T = TypeVar("T")


def find_own_places() -> Places:
    """Return where this computer's configuration, data and state lie."""
    from backend.client.contexts import find_places

    return find_places(os.environ)


def get_context(root: Root) -> Context:
    """Return the context that is meant.

    Raises:
        NoContext: there is none, or not that one; the sentence says which there are.
        FileInvalid: the configuration is wrong.
    """
    from backend.client.contexts import read_contexts

    path = find_own_places().config_file
    try:
        return read_contexts(path).get(root.context)
    except NotFound as error:
        raise NoContext(f"{error} (configuration: {path})") from None


def run_with_operator(root: Root, work: Callable[[Operator], Awaitable[T]]) -> T:
    """Connect to the context's agent, do `work` with it, and close the connection."""
    return run(_connected(root, work))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; SIGTERM ends it like ctrl-c does.

    The answer goes past asyncio's task: `signal` makes the `repr` of the task, and so of its result, when asyncio takes
    its handler away, which costs half a second for a fleet of ten thousand.
    """
    answers: list[T] = []
    asyncio.run(_ended_by_sigterm(work, answers))
    return answers[0]


@contextlib.asynccontextmanager
async def connected(root: Root) -> AsyncIterator[Operator]:
    """An operator for the context that is meant; closed at the end."""
    from backend.client.operator import Operator

    quiet_library(debug=root.debug)
    async with await Operator.connect(get_context(root)) as operator:
        yield operator


@contextlib.contextmanager
def sole_change(root: Root) -> Iterator[None]:
    """Hold the context's lock: of two changing runs the second ends at once (domain.md, US-20.6).

    Raises:
        Busy: another run holds it; the sentence names its process.
    """
    context = get_context(root)
    state = find_own_places().state
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state / f"change-{context.name.replace('/', '_')}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            raise Busy(
                f"another mocdeck (process {process}) is changing things in context {context.name}; nothing was done, "
                "run this again when it has ended"
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)  # the lock goes with it; the empty file may stay


def quiet_library(*, debug: bool) -> None:
    """Keep the client library's log out of a command's messages, unless it is asked for."""
    if debug:
        logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")
    else:
        logging.getLogger().addHandler(logging.NullHandler())
        files = logging.getLogger("backend.client.private")  # what was changed on the user's disk is the user's to know
        if not any(isinstance(handler, _Sentences) for handler in files.handlers):
            files.addHandler(_Sentences(logging.WARNING))


class _Sentences(logging.Handler):
    """Log records that are sentences for whoever typed the command."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it on standard error."""
        say(f"mocdeck: {record.getMessage()}")


async def _connected(root: Root, work: Callable[[Operator], Awaitable[T]]) -> T:
    async with connected(root) as operator:
        return await work(operator)


async def _ended_by_sigterm(work: Coroutine[Any, Any, T], answers: list[T]) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine that runs
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        answers.append(await work)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
