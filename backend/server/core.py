"""The synchronous core: one thread, the only writer, that commits once for everything that came meanwhile.

There is no linger: a batch is what arrived while the last commit was on its way to the disk, so a lone call waits for
nobody and a crowd shares its fsync (performance.md 3). A job that fails undoes only itself, through its savepoint.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from backend.core.errors import AgentError, StoreUnavailable
from backend.server.status import InternalFault
from backend.store.port import Store, Transaction

log = logging.getLogger("mocdeck.core")
T = TypeVar("T")
_BATCH = 32  # calls a commit: more adds latency and saves no further fsync worth having (performance.md 2)


@dataclass(slots=True)
class _Job(Generic[T]):
    work: Callable[[Transaction], T]
    refused: Callable[[Transaction, AgentError], None] | None
    done: asyncio.Future[T]
    is_alone: bool
    queued: float = 0.0  # on the pace's clock


_END: Final[_Job[object]] = _Job(lambda tx: None, None, None, True)  # type: ignore[arg-type]  # a mark, never run


class Pace(Protocol):
    """Takes the core's times, for metrics; `committed` is called on the core's thread after each batch."""

    def clock(self) -> float:
        """Seconds on a clock that no administrator can set."""
        ...

    def committed(self, waits: Iterable[float], seconds: float, calls: int) -> None:
        """Take how long each call had waited, how long the batch took, and how many calls it was."""
        ...


class Core:
    """Runs jobs in transactions on its own thread and answers on the event loop that submitted them.

    `on_change(counter)` is called on the loop after a commit that moved the fleet's change counter; `on_lost()` on the
    core's thread after a commit or a savepoint was lost, so that whatever was cached from it is dropped.
    """

    def __init__(
        self,
        store: Store,
        *,
        on_change: Callable[[int], None],
        on_lost: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._pace = pace
        self._on_change = on_change
        self._on_lost = on_lost
        self._queue: queue.SimpleQueue[_Job[object] | None] = queue.SimpleQueue()
        self._change = -1
        self._thread = threading.Thread(target=self._run, name="mocdeck-core", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopping = False

    def start(self) -> None:
        """Start the thread; answers go to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def submit(
        self,
        work: Callable[[Transaction], T],
        *,
        refused: Callable[[Transaction, AgentError], None] | None = None,
        alone: bool = False,
    ) -> T:
        """Run `work` in a savepoint of the next batch and return its value once that batch is on disk.

        `refused` runs after the savepoint was undone, in the same transaction: the refusal's audit row. `alone` gives
        the job a transaction that it shares with nobody: for work that touches files too.

        Raises:
            AgentError: what `work` raised, or `StoreUnavailable` when the commit failed or the core has stopped.
        """
        if self._loop is None:
            raise RuntimeError("the core was not started")
        if self._is_stopping:
            raise StoreUnavailable("the agent is stopping; try again when it runs")
        job: _Job[T] = _Job(work, refused, self._loop.create_future(), alone)
        if self._pace is not None:
            job.queued = self._pace.clock()
        self._queue.put(job)  # type: ignore[arg-type]  # a queue of jobs of every result type
        return await job.done

    @property
    def waiting(self) -> int:
        """How many jobs wait, about."""
        return self._queue.qsize()

    async def stop(self) -> None:
        """Finish what was submitted, then end the thread."""
        self._is_stopping = True  # nothing may be queued behind the end: nobody would answer it
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            batch, after = self._gather(job)
            self._timed(batch)
            if after is _END:
                return
            if after is not None:
                self._timed([after])

    def _timed(self, batch: list[_Job[object]]) -> None:
        pace = self._pace
        if pace is None:
            self._commit(batch)
            return
        begun = pace.clock()
        self._commit(batch)
        pace.committed([begun - job.queued for job in batch], pace.clock() - begun, len(batch))

    def _gather(self, first: _Job[object]) -> tuple[list[_Job[object]], _Job[object] | None]:
        """Return what is there to be committed together, and the lone job (or `_END`) that was met behind it."""
        batch = [first]
        while not first.is_alone and len(batch) < _BATCH:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, _END
            if job.is_alone:
                return batch, job
            batch.append(job)
        return batch, None

    def _commit(self, batch: list[_Job[object]]) -> None:
        results: list[object] = []
        change: int | None = None
        try:
            with self._store.transaction() as tx:
                results = [self._one(tx, job) for job in batch]
                change = tx.changes.current()
        except AgentError as failure:
            results, change = [failure] * len(batch), None
            self._on_lost()
            log.error("commit failed", extra={"fields": {"reason": failure.reason, "why": str(failure)}})  # noqa: TRY400 - the sentence is the log
        except Exception:  # the core outlives any fault; the callers get an InternalFault
            lost = StoreUnavailable("the agent could not commit; nothing of the request took effect")
            results, change = [lost] * len(batch), None
            self._on_lost()
            log.exception("commit failed")
        assert self._loop is not None  # noqa: S101 - start() set it before the thread ran
        self._loop.call_soon_threadsafe(self._answer, batch, results, change)

    def _one(self, tx: Transaction, job: _Job[object]) -> object:
        try:
            with tx.savepoint():
                return job.work(tx)
        except AgentError as refusal:
            self._record(tx, job, refusal)
            return refusal
        except Exception:  # one broken request must not take its batch along
            self._on_lost()
            log.exception("request failed")
            return InternalFault()

    def _record(self, tx: Transaction, job: _Job[object], refusal: AgentError) -> None:
        """Let the job write down its refusal; a record that fails must not take the batch along either."""
        if job.refused is None:
            return
        try:
            with tx.savepoint():
                job.refused(tx, refusal)
        except AgentError as failure:
            self._on_lost()
            log.error("refusal not recorded", extra={"fields": {"reason": failure.reason, "why": str(failure)}})  # noqa: TRY400 - the sentence is the log
        except Exception:
            self._on_lost()
            log.exception("refusal not recorded")

    def _answer(self, batch: list[_Job[object]], results: list[object], change: int | None) -> None:
        for job, result in zip(batch, results, strict=True):
            if job.done.done():  # the caller gave up meanwhile
                continue
            if isinstance(result, AgentError):
                job.done.set_exception(result)
            else:
                job.done.set_result(result)
        if change is not None and change != self._change:  # None: the counter went with the commit that failed
            self._change = change
            self._on_change(change)
