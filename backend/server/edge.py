"""The RPC edge: grpc.aio generic handlers that pass bytes and the peer on, and bytes or a status back.

It decodes nothing and decides nothing. A method that is not in the table is answered UNIMPLEMENTED, in our own words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio

from backend.core.errors import AgentError
from backend.server.calls import Call, Peer, Reply
from backend.server.notify import Changed
from backend.server.status import InternalFault, NotServed, code_of, text_of, trailers_of

log = logging.getLogger("mocdeck.edge")
Submit = Callable[[Call], Awaitable[Reply]]
ServicerContext = grpc.aio.ServicerContext[Any, Any]
_SIGN_OF_LIFE = 5.0  # seconds: an empty chunk, so that a reader tells a quiet fleet from a dead agent
_COALESCE = 0.2  # seconds: changes that come together travel together


def _metadata(context: ServicerContext) -> dict[str, str]:
    pairs = context.invocation_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def _peer(context: ServicerContext) -> Peer:
    leaf = next(iter(context.auth_context().get("x509_pem_cert", ())), None)
    return Peer(leaf, _address(context.peer()))


def _address(peer: str) -> str:
    """`ipv4:10.0.0.4:51234` -> `10.0.0.4`; `ipv6:%5B::1%5D:51234` -> `::1`."""
    family, _, rest = peer.partition(":")
    if family not in {"ipv4", "ipv6"}:
        return peer
    return rest.rpartition(":")[0].replace("%5B", "").replace("%5D", "").strip("[]")


async def _refuse(context: ServicerContext, refusal: AgentError) -> None:
    context.set_trailing_metadata(trailers_of(refusal))
    await context.abort(code_of(refusal), text_of(refusal))


def _next_part(call: Call, reply: Reply) -> Call:
    return replace(call, is_continued=True, progress=reply.rest)


def _not_serving(path: str) -> Callable[[object, ServicerContext], Awaitable[None]]:
    async def refuse(_requests: object, context: ServicerContext) -> None:
        await _refuse(context, NotServed(path))

    return refuse


class Edge(grpc.GenericRpcHandler):
    """Serves the given paths: `unary` ones with one answer, `reads` with several, `watches` without end."""

    def __init__(
        self,
        submit: Submit,
        *,
        unary: Collection[str],
        reads: Collection[str] = (),
        watches: Collection[str] = (),
        changed: Changed | None = None,
    ) -> None:
        self._submit = submit
        self._unary = frozenset(unary)
        self._reads = frozenset(reads)
        self._watches = frozenset(watches)
        self._changed = changed or Changed()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the handler for a path; for one that is not in the table, a handler that says so."""
        path = handler_call_details.method
        if path in self._unary:
            return grpc.unary_unary_rpc_method_handler(self._answering(path))
        if path in self._reads:
            return grpc.unary_stream_rpc_method_handler(self._reading(path))
        if path in self._watches:
            return grpc.unary_stream_rpc_method_handler(self._watching(path))
        return grpc.stream_stream_rpc_method_handler(_not_serving(path))  # fits a caller of any shape

    def _answering(self, path: str) -> Callable[[bytes, ServicerContext], Awaitable[bytes]]:
        async def answer(body: bytes, context: ServicerContext) -> bytes:
            reply = await self._ask(Call(path, body, _peer(context), _metadata(context)), context)
            return reply.bodies[0]

        return answer

    def _reading(self, path: str) -> Callable[[bytes, ServicerContext], AsyncIterator[bytes]]:
        async def read(body: bytes, context: ServicerContext) -> AsyncIterator[bytes]:
            call: Call | None = Call(path, body, _peer(context), _metadata(context))
            while call is not None:
                reply = await self._ask(call, context)
                for chunk in reply.bodies:
                    yield chunk  # waits for a slow reader, and so does the next page
                call = None if reply.rest is None or reply.change else _next_part(call, reply)

        return read

    def _watching(self, path: str) -> Callable[[bytes, ServicerContext], AsyncIterator[bytes]]:
        async def watch(body: bytes, context: ServicerContext) -> AsyncIterator[bytes]:
            call = Call(path, body, _peer(context), _metadata(context))
            while not self._changed.is_closed:
                reply = await self._ask(call, context)
                for chunk in reply.bodies:
                    yield chunk
                call = _next_part(call, reply)
                if reply.change:
                    await self._changed.wait_beyond(reply.change, timeout_seconds=_SIGN_OF_LIFE)
                    await asyncio.sleep(_COALESCE)

        return watch

    async def _ask(self, call: Call, context: ServicerContext) -> Reply:
        try:
            reply = await self._submit(call)
        except AgentError as refusal:
            reply = Reply(refusal=refusal)
        except asyncio.CancelledError:
            raise
        except Exception:  # the edge's last line: the caller gets a status, the log gets the cause
            log.exception("call failed", extra={"fields": {"path": call.path}})
            reply = Reply(refusal=InternalFault())
        if reply.refusal is not None:
            await _refuse(context, reply.refusal)
        return reply
