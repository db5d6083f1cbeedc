"""The edge on its own: what it hands to the core for a watch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from backend.server.calls import Call, Reply
from backend.server.edge import Edge
from backend.server.notify import Changed
from backend.wire.methods import get_method

PATH = get_method("FleetAgent", "Watch").path
READ = get_method("FleetAgent", "Read").path


class Line:
    """A connection as gRPC shows it to a handler."""

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("user-agent", "test"),)

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"x509_pem_cert": [b"leaf"]}

    def peer(self) -> str:
        return "ipv4:192.0.2.7:50123"


def watch(edge: Edge, path: str = PATH) -> AsyncIterator[bytes]:
    handler: Any = edge.service(SimpleNamespace(method=path))  # all it reads of the details
    stream: AsyncIterator[bytes] = handler.unary_stream(b"", Line())
    return stream


async def test_every_reading_of_a_watch_but_the_first_is_told_as_its_continuation() -> None:
    """Two dashboards would else mark their use by turns, and each mark would be news to the other."""
    calls: list[Call] = []
    changed = Changed()

    async def submit(call: Call) -> Reply:
        calls.append(call)
        changed.publish(len(calls) + 1)  # there is always something newer, so that the watch reads on
        return Reply((b"chunk",), change=len(calls), rest=len(calls))

    stream = watch(Edge(submit, unary=(), watches=(PATH,), changed=changed))
    for _ in range(3):
        assert await anext(stream) == b"chunk"
    assert [call.is_continued for call in calls] == [False, True, True]
    assert [call.progress for call in calls] == [None, 1, 2]
    assert {call.peer.address for call in calls} == {"192.0.2.7"}


async def test_the_next_part_is_asked_for_once_the_reader_has_taken_the_last() -> None:
    """However large a fleet is and however slow its reader, the agent holds one part of it."""
    calls: list[Call] = []

    async def submit(call: Call) -> Reply:
        calls.append(call)
        return Reply((b"chunk",), change=9 if len(calls) == 3 else 0, rest=len(calls))

    stream = watch(Edge(submit, unary=(), reads=(READ,)), READ)
    for taken in (1, 2, 3):
        assert await anext(stream) == b"chunk"
        assert len(calls) == taken
    assert [call.progress for call in calls] == [None, 1, 2]
    assert [part async for part in stream] == []  # the third was complete


async def test_a_watch_whose_answer_is_not_complete_goes_on_at_once() -> None:
    calls: list[Call] = []

    async def submit(call: Call) -> Reply:
        calls.append(call)
        return Reply((b"chunk",), change=0, rest=len(calls))

    stream = watch(Edge(submit, unary=(), watches=(PATH,)))  # nothing is ever published to wake it
    for _ in range(5):
        assert await anext(stream) == b"chunk"
    assert [call.progress for call in calls] == [None, 1, 2, 3, 4]
