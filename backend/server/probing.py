"""The trust matrix probed through real sockets, all through a rotation with overlap (pki.md 4.4 and 5.5).

Two parts a round: the data port as clients of either CA meet it, and the truth table between two ends of a socket,
where nothing but the certificates can make a difference. It runs in a thread of its own and never twice at once.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from backend.core.trust_matrix import BOTH, GENERATIONS, NEW, OLD, Outcome, Presented, is_accepted, presentations
from backend.pki.keys import load_private_key
from backend.server.credentials import LiveCredentials
from backend.service.probes import PROBE_NAME, Probed, ProbeKit, note_round, probe_kit
from backend.service.world import World
from backend.store.port import Transaction
from backend.wire.knock import Knocked, knock

T = TypeVar("T")
Ask = Callable[[Callable[[Transaction], T]], Awaitable[T]]

_SECONDS: Final = 5.0  # for one handshake; a machine under load is no deviation
_OUTCOMES: Final = {
    Knocked.ANSWERED: Outcome.OK,
    Knocked.UNTRUSTED: Outcome.UNTRUSTED,
    Knocked.REFUSED: Outcome.REFUSED,
    Knocked.UNREACHED: Outcome.UNKNOWN,
}


class Prober:
    """Makes a round whenever one is due; call `look` again and again."""

    def __init__(self, world: World, ask: Ask[ProbeKit | None], live: LiveCredentials, host: str, port: int) -> None:
        self._world = world
        self._ask = ask
        self._live = live
        self._address = ("127.0.0.1" if host in {"0.0.0.0", ""} else "::1" if host == "::" else host, port)  # noqa: S104 - compared, not bound
        self._kit: ProbeKit | None = None
        self._due = 0.0

    async def look(self) -> None:
        """Probe every cell once, if it is time and a rotation asks for it, and keep what was found."""
        monotonic = self._world.clock.monotonic()
        if monotonic < self._due:
            return
        self._kit = await self._ask(lambda tx: probe_kit(tx, self._world, self._kit))
        kit = self._kit
        if kit is None or not self._live.serves(kit.chain.encode(), kit.roots.encode()):
            return  # the listeners follow the rows within a tick
        self._due = monotonic + self._world.policy.probe_interval.total_seconds()
        cells = await asyncio.to_thread(probe_round, kit, self._address, self._world.fqdns[0])

        def keep(tx: Transaction) -> None:
            note_round(tx, self._world, kit, cells)

        await self._ask(keep)


def probe_round(kit: ProbeKit, address: tuple[str, int], server_name: str) -> list[Probed]:
    """Make one round: four cells of the data port, twenty-four of the truth table."""
    with tempfile.TemporaryDirectory(prefix="mocdeck-probe-") as directory:
        keys = _Keys(kit, Path(directory))
        return [*_live_cells(kit, keys, address, server_name), *_table_cells(kit, keys)]


class _Keys:
    """Contexts over the kit's leaves; OpenSSL takes keys from files only, so they lie there sealed for a moment."""

    def __init__(self, kit: ProbeKit, directory: Path) -> None:
        self._kit = kit
        self._directory = directory
        self._password = secrets.token_hex(16)
        key = load_private_key(kit.key.reveal().encode())
        seal = BestAvailableEncryption(self._password.encode())
        self._key = directory / "key.pem"
        self._key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, seal))

    def context(self, side: int, trust: str, presented: Presented | None, *, is_server_leaf: bool) -> ssl.SSLContext:
        """A client's or server's context that trusts `trust` and presents a probe leaf, or none."""
        context = ssl.SSLContext(side)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["h2"])
        roots = [self._kit.sides[one].root for one in (GENERATIONS if trust == BOTH else (trust,))]
        context.load_verify_locations(cadata="".join(roots))
        context.verify_mode = ssl.CERT_REQUIRED
        if presented is not None:
            context.load_cert_chain(self._chain(presented, is_server_leaf=is_server_leaf), self._key, self._password)
        return context

    def _chain(self, presented: Presented, *, is_server_leaf: bool) -> Path:
        leaves = self._kit.sides[presented.leaf]
        path = self._directory / f"{presented.leaf}-{presented.with_cross}-{is_server_leaf}.pem"
        if not path.exists():
            leaf = leaves.server if is_server_leaf else leaves.client
            path.write_text(leaf + (leaves.cross if presented.with_cross else ""))
        return path


def _live_cells(kit: ProbeKit, keys: _Keys, address: tuple[str, int], server_name: str) -> Iterator[Probed]:
    for leaf in GENERATIONS:
        for trust in GENERATIONS:
            presented = Presented(leaf=leaf, with_cross=False)
            context = keys.context(ssl.PROTOCOL_TLS_CLIENT, trust, presented, is_server_leaf=False)
            found, _ = knock(context, *address, server_name, _SECONDS)
            cell = f"port: {leaf} leaf, trusts {trust}"
            yield Probed(cell=cell, expected=kit.live.expected(leaf, trust), observed=_OUTCOMES[found])


def _table_cells(kit: ProbeKit, keys: _Keys) -> Iterator[Probed]:
    for presented in presentations():
        for trust in (OLD, BOTH, NEW):
            accepted = is_accepted(presented, trust)
            server = keys.context(ssl.PROTOCOL_TLS_CLIENT, trust, None, is_server_leaf=False)
            shown = keys.context(ssl.PROTOCOL_TLS_SERVER, BOTH, presented, is_server_leaf=True)
            shown.verify_mode = ssl.CERT_NONE
            yield Probed(
                cell=f"agent shows {presented.label}, client trusts {trust}",
                expected=Outcome.OK if accepted else Outcome.UNTRUSTED,
                observed=_shake(server, shown, failure=Outcome.UNTRUSTED),
            )
            own = Presented(leaf=presented.leaf, with_cross=False)
            client = keys.context(ssl.PROTOCOL_TLS_CLIENT, BOTH, presented, is_server_leaf=False)
            asks = keys.context(ssl.PROTOCOL_TLS_SERVER, trust, own, is_server_leaf=True)
            yield Probed(
                cell=f"client shows {presented.label}, agent trusts {trust}",
                expected=Outcome.OK if accepted else Outcome.REFUSED,
                observed=_shake(client, asks, failure=Outcome.REFUSED),
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
