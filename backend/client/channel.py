"""gRPC channels to an agent's two ports, with MOC's own settings (moc/protocol.md 1.2 to 1.4).

Owns dialling, deadlines and redialling: TLS judges a certificate once per connection, so a new certificate or bundle
needs a new one. Refuses nothing and decides nothing; failures come out as `backend.core.errors`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Final

import grpc
from google.protobuf.message import Message

from backend.client.access_file import AccessFile
from backend.client.errors import Unreachable
from backend.client.statuses import Line, translate
from backend.clock import Clock
from backend.core.model import Secret
from backend.wire.methods import Method

CALL_DEADLINE: Final = timedelta(seconds=20)
SILENCE_DEADLINE: Final = timedelta(seconds=30)  # the agent sends an empty chunk every few seconds as a sign of life
_CLOSING_GRACE_SECONDS: Final = 5.0
_ANSWER_BYTES: Final = 32 * 1024 * 1024  # a plan over ten thousand clients has about 3 MB

_COMMON: Final = (
    ("grpc.use_local_subchannel_pool", 1),  # a redialled channel must not find the old connection again
    ("grpc.enable_http_proxy", 0),  # agents are in the local network; a proxy in the environment is for elsewhere
    ("grpc.enable_retries", 0),  # retrying is decided here, not below
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5000),  # the callers' own backoff paces the tries
    ("grpc.max_receive_message_length", _ANSWER_BYTES),
)
_KEEPALIVE: Final = (
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)


def dial_login(line: Line) -> grpc.aio.Channel:
    """Open a channel to the login port: the agent shows its certificate, we show a token per call."""
    credentials = grpc.ssl_channel_credentials(line.trust_pem.encode())
    return grpc.aio.secure_channel(line.where, credentials, options=_options(line))


def dial_data(line: Line, access: AccessFile, *, plaintext: bool) -> grpc.aio.Channel:
    """Open a channel to the data port, both sides showing certificates; `plaintext` is MOC's debug mode."""
    options = [*_options(line), *_KEEPALIVE]
    if plaintext:
        return grpc.aio.insecure_channel(line.where, options=options)
    credentials = grpc.ssl_channel_credentials(
        line.trust_pem.encode(), access.key_pem.reveal().encode(), access.certificate_pem.encode()
    )
    return grpc.aio.secure_channel(line.where, credentials, options=options)


def _options(line: Line) -> list[tuple[str, str | int]]:
    options: list[tuple[str, str | int]] = list(_COMMON)
    if line.server_name != line.host:
        options.append(("grpc.ssl_target_name_override", line.server_name))
        options.append(("grpc.default_authority", line.server_name))
    return options


async def call_login(line: Line, method: Method, request: Message, token: Secret, clock: Clock) -> Message:
    """Make one call on the login port; the metadata is the bare token, without "Bearer" (moc/protocol.md 1.3)."""
    channel = dial_login(line)
    try:
        metadata = (("authorization", token.reveal()),)
        return await _unary(channel, method, request, CALL_DEADLINE, metadata)
    except grpc.aio.AioRpcError as error:
        raise await translate(error, line, clock.now()) from None
    finally:
        await channel.close()


class DataLink:
    """The data port's channel for the credential of the moment: opened at need, dropped when the credential changes."""

    def __init__(self, clock: Clock, *, plaintext: bool = False) -> None:
        self._clock = clock
        self._plaintext = plaintext
        self._line: Line | None = None
        self._channel: grpc.aio.Channel | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def use(self, line: Line) -> None:
        """Speak over `line` from now on. Calls in flight on another line end within some seconds."""
        if line != self._line:
            self.drop()
            self._line = line

    def drop(self) -> None:
        """Forget the connection; the next call dials again."""
        if self._channel is not None:
            task = asyncio.get_running_loop().create_task(self._channel.close(_CLOSING_GRACE_SECONDS))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._channel = None
        self._line = None

    async def call(
        self,
        method: Method,
        request: Message,
        *,
        deadline: timedelta = CALL_DEADLINE,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> Message:
        """Make one call.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection.
        """
        line, channel = self._open()
        try:
            return await _unary(channel, method, request, deadline, metadata)
        except grpc.aio.AioRpcError as error:
            self._lost(error, line)
            raise await translate(error, line, self._clock.now()) from None
        except asyncio.CancelledError:
            raise _meant_or_closed(line) from None

    async def stream(
        self, method: Method, request: Message, *, silence: timedelta = SILENCE_DEADLINE
    ) -> AsyncIterator[Message]:
        """Yield the answers of a streaming call; silence longer than `silence` is a lost connection.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection.
        """
        line, channel = self._open()
        stub: grpc.aio.UnaryStreamMultiCallable[Message, Message] = channel.unary_stream(
            method.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=method.response.FromString,
        )
        call = stub(request)
        try:
            while True:
                async with asyncio.timeout(silence.total_seconds()):
                    answer = await call.read()
                if not isinstance(answer, Message):
                    return
                yield answer
        except TimeoutError:
            self.drop()
            raise Unreachable(f"the agent at {line.where} fell silent; it is asked again") from None
        except grpc.aio.AioRpcError as error:
            self._lost(error, line)
            raise await translate(error, line, self._clock.now()) from None
        except asyncio.CancelledError:
            raise _meant_or_closed(line) from None
        finally:
            call.cancel()

    async def close(self) -> None:
        """Close what is open, now."""
        channel, self._channel, self._line = self._channel, None, None
        closing = list(self._closing)
        for task in closing:
            task.cancel()
        await asyncio.gather(*closing, return_exceptions=True)
        if channel is not None:
            await channel.close()

    def _lost(self, error: grpc.aio.AioRpcError, line: Line) -> None:
        """Dial anew at the next call: a broken channel would go on failing for as long as gRPC's own pause lasts."""
        if error.code() is grpc.StatusCode.UNAVAILABLE and line == self._line:
            self.drop()

    def _open(self) -> tuple[Line, grpc.aio.Channel]:
        if self._line is None or self._line.access is None:
            raise RuntimeError("no line to speak over; call use() first")
        if self._channel is None:
            self._channel = dial_data(self._line, self._line.access, plaintext=self._plaintext)
        return self._line, self._channel


async def _unary(
    channel: grpc.aio.Channel,
    method: Method,
    request: Message,
    deadline: timedelta,
    metadata: Sequence[tuple[str, str]],
) -> Message:
    stub: grpc.aio.UnaryUnaryMultiCallable[Message, Message] = channel.unary_unary(
        method.path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=method.response.FromString,
    )
    answer = await stub(request, timeout=deadline.total_seconds(), metadata=tuple(metadata))
    assert isinstance(answer, Message)  # noqa: S101 - the deserializer above makes nothing else
    return answer


def _meant_or_closed(line: Line) -> BaseException:
    """Tell a cancelled task from a channel that was closed under a call: gRPC raises CancelledError for both."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return asyncio.CancelledError()
    return Unreachable(f"the connection to the agent at {line.where} was renewed; the call is made again")
