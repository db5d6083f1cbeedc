"""The canary: one more TLS port with three doors, by which clients prove what they trust and how well they verify.

Owns the listener and nothing of what a sighting means (`backend.service.canary`). The certificate is chosen by the name
in the client's hello; without material every handshake is refused. TLS 1.3 without tickets, so that each visit is a
full mutual handshake (pki.md 4.2 and 7.6). A visitor says one line, the nonce, and hears whether it was recognised.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from backend.core.canary import NONCE_DIGITS, SERVER_NAMES, CanaryKind
from backend.core.model import Secret
from backend.pki.contexts import load_pair
from backend.server.ports import PortUnavailable

log = logging.getLogger("mocdeck.canary")

SECONDS: Final = 10.0  # for a whole visit
VISITORS: Final = 128  # at once; others wait in the system's queue
_PAUSE: Final = 0.004  # after each visitor: 250 a second take a quarter of the event loop, and a flood no more
_LINE_BYTES: Final = NONCE_DIGITS + 2
_KIND_OF: Final = {name: kind for kind, name in SERVER_NAMES.items()}
SEEN: Final = b"seen\n"
UNKNOWN: Final = b"unknown\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryMaterial:
    """What the doors show, leaf first, over one key; `roots` are those that visitors' certificates must chain to."""

    chains: Mapping[CanaryKind, str]
    key: Secret
    roots: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Somebody came in: through which door, with which nonce, and the leaf with which TLS verified him."""

    kind: CanaryKind
    nonce: str
    leaf_der: bytes = field(repr=False)
    address: str


class _Door(ssl.SSLContext):
    """A context that knows which door it is; None: the hall, from which the client's hello leads on."""

    kind: CanaryKind | None = None


Recognise = Callable[[Sighting], Awaitable[bool]]


class Canary:
    """The listener. `recognise` is told of every visitor that came in and handed in a line, and of nobody else."""

    def __init__(self, recognise: Recognise) -> None:
        self._recognise = recognise
        self._material: CanaryMaterial | None = None
        self._doors: dict[CanaryKind, _Door] = {}
        self._hall = _context()
        self._hall.sni_callback = self._choose
        self._room = asyncio.Semaphore(VISITORS)
        self._visits: set[asyncio.Task[None]] = set()
        self._porter: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen on host:port (0: a free one); return the port.

        Raises:
            PortUnavailable: with the address and what to do.
        """
        self._socket = _listen(host, port)
        self._porter = asyncio.create_task(self._let_in(self._socket))
        return int(self._socket.getsockname()[1])

    def set_material(self, material: CanaryMaterial | None) -> None:
        """Show this to whoever comes from now on; None: refuse everybody, as outside of a rotation."""
        if material == self._material:
            return
        doors: dict[CanaryKind, _Door] = {}
        if material is not None:
            for kind, chain in material.chains.items():
                doors[kind] = _context()
                doors[kind].kind = kind
                doors[kind].load_verify_locations(cadata=material.roots)
                load_pair(doors[kind], chain, material.key)
        self._doors, self._material = doors, material

    async def stop(self) -> None:
        """Close the port and end the visits."""
        tasks = [*self._visits, *([self._porter] if self._porter is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    def _choose(self, hello: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        kind = _KIND_OF.get(name or "")
        door = None if kind is None else self._doors.get(kind)
        if door is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        hello.context = door  # its certificate and its trust: both are read after this
        return None

    async def _let_in(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                visitor, address = await loop.sock_accept(listener)
            except OSError as failure:  # too many open files, or a visitor that left the queue
                self._room.release()
                log.warning("visitor not let in", extra={"fields": {"why": str(failure)}})
                await asyncio.sleep(1.0)
                continue
            visit = asyncio.create_task(self._meet(visitor, str(address[0])))
            self._visits.add(visit)
            visit.add_done_callback(self._left)
            await asyncio.sleep(_PAUSE)

    def _left(self, visit: asyncio.Task[None]) -> None:
        self._visits.discard(visit)
        self._room.release()

    async def _meet(self, visitor: socket.socket, address: str) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await self._hear(visitor, address)
        except (OSError, ValueError, TimeoutError) as failure:  # ssl.SSLError is an OSError; ValueError: a long line
            log.debug("turned away", extra={"fields": {"from": address, "why": str(failure)}})
        except Exception:  # a visitor must not end the listener
            log.exception("visit failed")

    async def _hear(self, visitor: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LINE_BYTES)
        transport = None
        try:
            transport, protocol = await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader),
                visitor,
                ssl=self._hall,
                ssl_handshake_timeout=SECONDS,
                ssl_shutdown_timeout=1.0,
            )
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            line = (await reader.readline()).decode("ascii").strip()
            sighting = _sighting(transport.get_extra_info("ssl_object"), line, address)
            if sighting is None:
                return
            writer.write(SEEN if await self._recognise(sighting) else UNKNOWN)
            await writer.drain()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        finally:
            if transport is None:
                visitor.close()
            else:
                transport.abort()


def _sighting(tls: ssl.SSLObject, nonce: str, address: str) -> Sighting | None:
    leaf = tls.getpeercert(binary_form=True)
    kind = tls.context.kind if isinstance(tls.context, _Door) else None
    if leaf is None or kind is None or not nonce:
        return None
    return Sighting(kind=kind, nonce=nonce, leaf_der=leaf, address=address)


def _context() -> _Door:
    context = _Door(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0  # a resumed session would prove nothing (pki.md 7.6)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind(address)
            listener.listen(VISITORS)
        except BaseException:
            listener.close()
            raise
    except OSError as failure:
        raise PortUnavailable(
            f"{host}:{port} cannot be bound for the canary: {failure.strerror or failure}; stop the other program, or"
            " choose another --canary-port (0 picks a free one)"
        ) from failure
    return listener
