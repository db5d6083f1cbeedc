"""The core's promises: one commit for a crowd, nobody harmed by a neighbour, nothing kept of a commit that failed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from backend.core.errors import InvalidInput, StoreUnavailable
from backend.server.core import Core
from backend.server.status import InternalFault
from backend.store.port import Store, Transaction


class WatchedStore:
    """The real store behind its port: counts transactions, and can lose one at its commit as a full disk would."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.transactions = 0
        self.lost = 0  # which transaction fails at its commit, counted from 1

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        self.transactions += 1
        with self._store.transaction() as tx:
            yield tx
            if self.transactions == self.lost:
                raise StoreUnavailable("the disk is full; nothing was changed")

    def close(self) -> None:
        self._store.close()


class Bench:
    """A running core and what it told its surroundings."""

    def __init__(self, store: Store) -> None:
        self.store = WatchedStore(store)
        self.changes: list[int] = []
        self.losses = 0
        self.core = Core(self.store, on_change=self.changes.append, on_lost=self._lost)
        self._gate = threading.Event()

    def _lost(self) -> None:
        self.losses += 1

    async def held(self) -> asyncio.Task[None]:
        """A job that keeps the thread busy until `release`; what is submitted meanwhile is a crowd."""
        busy = threading.Event()

        def hold(_: Transaction) -> None:
            busy.set()
            self._gate.wait(10)

        task = asyncio.create_task(self.core.submit(hold))
        await asyncio.to_thread(busy.wait, 10)
        return task

    def release(self) -> None:
        self._gate.set()

    def kept(self, key: str) -> str | None:
        with self.store._store.transaction() as tx:
            return tx.meta.find(key)


@pytest.fixture
async def bench(store: Store) -> AsyncIterator[Bench]:
    made = Bench(store)
    made.core.start()
    yield made
    made.release()
    await made.core.stop()


def keeps(key: str) -> Callable[[Transaction], str]:
    def work(tx: Transaction) -> str:
        tx.meta.put(key, "kept")
        return key

    return work


def refuses(key: str) -> Callable[[Transaction], str]:
    def work(tx: Transaction) -> str:
        tx.meta.put(key, "kept")
        raise InvalidInput(f"{key} is wrong")

    return work


def breaks(tx: Transaction) -> str:
    tx.meta.put("broken", "kept")
    raise ZeroDivisionError


async def crowd(bench: Bench, *work: Callable[[Transaction], str]) -> list[str | BaseException]:
    """Submit all of it behind a busy thread, so that it is one batch; return results in the order given."""
    held = await bench.held()
    tasks = [asyncio.create_task(bench.core.submit(one)) for one in work]
    await asyncio.sleep(0)
    bench.release()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    await held
    return answers


async def test_a_crowd_shares_one_commit(bench: Bench) -> None:
    answers = await crowd(bench, *(keeps(f"key-{number}") for number in range(20)))
    assert answers == [f"key-{number}" for number in range(20)]
    assert bench.store.transactions == 2  # the one that kept the thread busy, and the crowd's


@pytest.mark.parametrize(("size", "commits"), [(31, 1), (32, 1), (33, 2)])
async def test_a_batch_has_at_most_32_calls(bench: Bench, size: int, commits: int) -> None:
    await crowd(bench, *(keeps(f"key-{number}") for number in range(size)))
    assert bench.store.transactions == 1 + commits


async def test_a_refused_job_undoes_only_itself(bench: Bench) -> None:
    answers = await crowd(bench, keeps("before"), refuses("wrong"), keeps("after"))
    assert isinstance(answers[1], InvalidInput)
    assert [bench.kept(key) for key in ("before", "wrong", "after")] == ["kept", None, "kept"]


async def test_a_broken_job_is_an_internal_fault_and_does_not_take_its_batch_along(bench: Bench) -> None:
    answers = await crowd(bench, keeps("before"), breaks, keeps("after"))
    assert isinstance(answers[1], InternalFault)
    assert [bench.kept(key) for key in ("before", "broken", "after")] == ["kept", None, "kept"]
    assert bench.losses == 1  # what was cached from the undone part is dropped


async def test_a_refusal_is_written_down_in_the_commit_of_its_batch(bench: Bench) -> None:
    def record(tx: Transaction, refusal: Exception) -> None:
        tx.meta.put("refusal", str(refusal))

    with pytest.raises(InvalidInput):
        await bench.core.submit(refuses("wrong"), refused=record)
    assert bench.kept("refusal") == "wrong is wrong"
    assert bench.store.transactions == 1


@pytest.mark.parametrize("failure", [InvalidInput("no room for it"), ZeroDivisionError()])
async def test_a_record_that_fails_harms_neither_the_refusal_nor_the_batch(bench: Bench, failure: Exception) -> None:
    def record(tx: Transaction, _: Exception) -> None:
        tx.meta.put("refusal", "half")
        raise failure

    held = await bench.held()
    refused = asyncio.create_task(bench.core.submit(refuses("wrong"), refused=record))
    other = asyncio.create_task(bench.core.submit(keeps("other")))
    await asyncio.sleep(0)
    bench.release()
    with pytest.raises(InvalidInput, match="wrong is wrong"):
        await refused
    assert await other == "other"
    await held
    assert bench.kept("refusal") is None


async def test_a_commit_that_fails_answers_store_unavailable_to_all_and_nothing_sticks(bench: Bench) -> None:
    held = await bench.held()
    tasks = [asyncio.create_task(bench.core.submit(keeps(key))) for key in ("one", "two")]
    await asyncio.sleep(0)
    bench.store.lost = 2  # the crowd's, behind the busy one's
    bench.release()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    await held
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert bench.kept("one") is None
    assert bench.losses == 1
    assert await bench.core.submit(keeps("one")) == "one"  # the core lives on


async def test_a_job_that_wants_to_be_alone_shares_its_transaction_with_nobody(bench: Bench) -> None:
    held = await bench.held()
    submit = bench.core.submit
    work = [submit(keeps("a")), submit(keeps("b"), alone=True), submit(keeps("c")), submit(keeps("d"))]
    tasks = [asyncio.create_task(one) for one in work]
    await asyncio.sleep(0)
    bench.release()
    assert await asyncio.gather(*tasks) == ["a", "b", "c", "d"]
    await held
    assert bench.store.transactions == 4  # the busy one, a, b alone, c with d


async def test_watchers_hear_of_a_commit_only_when_the_fleet_changed(bench: Bench) -> None:
    await bench.core.submit(keeps("nothing of the fleet"))
    known = list(bench.changes)

    await bench.core.submit(keeps("nothing again"))
    assert bench.changes == known

    await bench.core.submit(lambda tx: tx.changes.touch_all())
    assert len(bench.changes) == len(known) + 1
    assert bench.changes[-1] > max(known, default=-1)


async def test_a_change_whose_commit_failed_is_news_to_nobody(bench: Bench) -> None:
    await bench.core.submit(keeps("nothing of the fleet"))
    known = list(bench.changes)
    bench.store.lost = bench.store.transactions + 1
    with pytest.raises(StoreUnavailable):
        await bench.core.submit(lambda tx: tx.changes.touch_all())
    assert bench.changes == known
    await bench.core.submit(lambda tx: tx.changes.touch_all())
    assert len(bench.changes) == len(known) + 1  # the same counter, and this time it is true


async def test_a_caller_that_gives_up_leaves_the_others_their_answers(bench: Bench) -> None:
    held = await bench.held()
    given_up = asyncio.create_task(bench.core.submit(keeps("given up")))
    waiting = asyncio.create_task(bench.core.submit(keeps("waiting")))
    await asyncio.sleep(0)
    given_up.cancel()
    bench.release()
    assert await waiting == "waiting"
    await held
    assert bench.kept("given up") == "kept"  # it was on its way; a retry finds it


async def test_stopping_finishes_what_was_submitted_and_then_refuses(store: Store) -> None:
    bench = Bench(store)
    bench.core.start()
    held = await bench.held()
    waiting = asyncio.create_task(bench.core.submit(keeps("waiting")))
    alone = asyncio.create_task(bench.core.submit(keeps("alone"), alone=True))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(bench.core.stop())
    bench.release()
    await stopping
    assert (await waiting, await alone) == ("waiting", "alone")
    await held
    with pytest.raises(StoreUnavailable, match="stopping"):
        await bench.core.submit(keeps("late"))
