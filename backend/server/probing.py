"""The trust matrix probed through real sockets, all through a rotation with overlap (pki.md 4.4 and 5.5).

Two parts a round: the data port as clients of either CA meet it, and the truth table between two ends of a socket,
where nothing but the certificates can make a difference. It runs in a thread of its own and never twice at once.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Final, TypeVar

from backend.core.trust_matrix import BOTH, GENERATIONS, NEW, OLD, Outcome, Presented, is_accepted, presentations
from backend.pki.contexts import load_pair
from backend.server.credentials import LiveCredentials
from backend.service.probes import PROBE_NAME, Probed, ProbeKit, note_round, probe_kit
from backend.service.world import World
from backend.store.port import Transaction
from backend.wire.knock import Finding, knock

T = TypeVar("T")
Ask = Callable[[Callable[[Transaction], T]], Awaitable[T]]

_SECONDS: Final = 5.0  # for one handshake; a machine under load is no deviation
_OUTCOMES: Final = {
    Finding.ANSWERS: Outcome.OK,
    Finding.UNTRUSTED: Outcome.UNTRUSTED,
    Finding.REFUSED: Outcome.REFUSED,
    Finding.UNREACHABLE: Outcome.UNKNOWN,
}


class Prober:
    """Makes a round whenever one is due; call `look` again and again."""

    def __init__(self, world: World, ask: Ask[ProbeKit | None], live: LiveCredentials, host: str, port: int) -> None:
        self._world = world
        self._ask = ask
        self._live = live
        self._address = ("127.0.0.1" if host in {"0.0.0.0", ""} else "::1" if host == "::" else host, port)  # noqa: S104 - compared, not bound
        self._contexts: Contexts | None = None
        self._due = 0.0

    async def look(self) -> None:
        """Probe every cell once, if it is time and a rotation asks for it, and keep what was found."""
        monotonic = self._world.clock.monotonic()
        if monotonic < self._due:
            return
        held = self._contexts
        kit = await self._ask(lambda tx: probe_kit(tx, self._world, None if held is None else held.kit))
        if kit is None:
            self._contexts = None
            return
        contexts = held if held is not None and held.kit is kit else Contexts(kit)
        self._contexts = contexts
        if not self._live.serves(kit.chain.encode(), kit.roots.encode()):
            return  # the listeners follow the rows within a tick
        self._due = monotonic + self._world.policy.probe_interval.total_seconds()
        cells = await asyncio.to_thread(probe_round, contexts, self._address, self._world.fqdns[0])

        def keep(tx: Transaction) -> None:
            note_round(tx, self._world, kit, cells)

        await self._ask(keep)


def probe_round(contexts: Contexts, address: tuple[str, int], server_name: str) -> list[Probed]:
    """Make one round: four cells of the data port, twenty-four of the truth table."""
    return [*live_cells(contexts, address, server_name), *table_cells(contexts)]


class Contexts:
    """TLS contexts over one kit's leaves, each made once: a round costs handshakes and little else."""

    def __init__(self, kit: ProbeKit) -> None:
        self.kit = kit
        self._made: dict[tuple[int, str, Presented | None, bool], ssl.SSLContext] = {}

    def client(self, trust: str, presented: Presented | None) -> ssl.SSLContext:
        """A client that trusts `trust` and presents a probe leaf, or none."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT, trust, presented, asks=True)

    def server(self, trust: str, presented: Presented, *, asks: bool) -> ssl.SSLContext:
        """A server that presents a probe leaf and, if it `asks`, wants one that chains to `trust`."""
        return self._context(ssl.PROTOCOL_TLS_SERVER, trust, presented, asks=asks)

    def _context(self, side: int, trust: str, presented: Presented | None, *, asks: bool) -> ssl.SSLContext:
        key = (side, trust, presented, asks)
        if key not in self._made:
            self._made[key] = self._make(side, trust, presented, asks=asks)
        return self._made[key]

    def _make(self, side: int, trust: str, presented: Presented | None, *, asks: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(side)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["h2"])
        roots = [self.kit.sides[one].root for one in (GENERATIONS if trust == BOTH else (trust,))]
        context.load_verify_locations(cadata="".join(roots))
        context.verify_mode = ssl.CERT_REQUIRED if asks else ssl.CERT_NONE
        if presented is not None:
            leaves = self.kit.sides[presented.leaf]
            leaf = leaves.server if side == ssl.PROTOCOL_TLS_SERVER else leaves.client
            load_pair(context, leaf + (leaves.cross if presented.with_cross else ""), self.kit.key)
        return context


def live_cells(contexts: Contexts, address: tuple[str, int], server_name: str) -> Iterator[Probed]:
    """Yield the cells of the data port, as clients of either CA that trust one of them meet it."""
    for leaf in GENERATIONS:
        for trust in GENERATIONS:
            context = contexts.client(trust, Presented(leaf=leaf, with_cross=False))
            found = knock(context, *address, server_name, _SECONDS).finding
            cell = f"port: {leaf} leaf, trusts {trust}"
            yield Probed(cell=cell, expected=contexts.kit.live.expected(leaf, trust), observed=_OUTCOMES[found])


def table_cells(contexts: Contexts) -> Iterator[Probed]:
    """Yield the cells of the truth table in both directions, each between two ends of a socket."""
    for presented in presentations():
        for trust in (OLD, BOTH, NEW):
            accepted = is_accepted(presented, trust)
            yield Probed(
                cell=f"agent shows {presented.label}, client trusts {trust}",
                expected=Outcome.OK if accepted else Outcome.UNTRUSTED,
                observed=_shake(
                    contexts.client(trust, None),
                    contexts.server(BOTH, presented, asks=False),
                    failure=Outcome.UNTRUSTED,
                ),
            )
            own = Presented(leaf=presented.leaf, with_cross=False)
            yield Probed(
                cell=f"client shows {presented.label}, agent trusts {trust}",
                expected=Outcome.OK if accepted else Outcome.REFUSED,
                observed=_shake(
                    contexts.client(BOTH, presented),
                    contexts.server(trust, own, asks=True),
                    failure=Outcome.REFUSED,
                ),
            )


def _shake(client: ssl.SSLContext, server: ssl.SSLContext, *, failure: Outcome) -> Outcome:
    """One handshake between two ends of a socket, and one byte back, which only a served client gets."""
    near, far = socket.socketpair()
    near.settimeout(_SECONDS)
    far.settimeout(_SECONDS)
    waiter = threading.Thread(target=_serve, args=(server, far), daemon=True)
    waiter.start()
    try:
        with near, client.wrap_socket(near, server_hostname=PROBE_NAME) as secured:
            return Outcome.OK if secured.recv(1) else failure
    except TimeoutError:
        return Outcome.UNKNOWN
    except OSError:  # a refused certificate is an SSLError here and a closed connection there
        return failure
    finally:
        waiter.join(_SECONDS)


def _serve(context: ssl.SSLContext, plain: socket.socket) -> None:
    with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
        secured.sendall(b".")
