"""The agent's live TLS: what it serves and whom it trusts, derived from rows and swapped without a restart.

gRPC asks `fetch` before each handshake, so a swap is a clean cut for new connections; open ones are re-checked by the
guard on every call (architecture.md, decision 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """PEM texts: the served chain, its private key, and the roots that client certificates must chain to."""

    chain: bytes
    key: bytes
    roots: bytes

    def __repr__(self) -> str:
        return "TlsMaterial(...)"  # the key must not reach a log


class LiveCredentials:
    """Server credentials whose certificate and trust follow the last `swap`."""

    def __init__(self, material: TlsMaterial) -> None:
        self._material = material
        self._login = self._configuration(with_roots=False)
        self._data = self._configuration(with_roots=True)

    def swap(self, material: TlsMaterial) -> bool:
        """Use `material` for every handshake from now on; tell whether it differs from what was used."""
        if material == self._material:
            return False
        self._material = material
        self._login = self._configuration(with_roots=False)
        self._data = self._configuration(with_roots=True)
        return True

    def serves(self, chain: bytes, roots: bytes) -> bool:
        """Tell whether this chain and these roots are what the next handshake meets."""
        return (self._material.chain, self._material.roots) == (chain, roots)

    def login_port(self) -> grpc.ServerCredentials:
        """Server TLS only: no client certificate is asked for."""
        return self._dynamic(lambda: self._login, ask_client=False)

    def data_port(self) -> grpc.ServerCredentials:
        """Mutual TLS: a client certificate is required and verified."""
        return self._dynamic(lambda: self._data, ask_client=True)

    def _configuration(self, *, with_roots: bool) -> Any:
        pair = (self._material.key, self._material.chain)
        roots = self._material.roots if with_roots else None
        return grpc.ssl_server_certificate_configuration([pair], root_certificates=roots)

    @staticmethod
    def _dynamic(current: Callable[[], Any], *, ask_client: bool) -> grpc.ServerCredentials:
        served = current()

        def fetch() -> Any:
            """Return what to serve from now on, or None for no change; gRPC asks for one port by one thread at a time.

            Handing out the same again would build a new context for every connection, and pull the old one away under
            handshakes that are on their way: many clients that come at once would lose some.
            """
            nonlocal served
            wanted = current()
            if wanted is served:
                return None
            served = wanted
            return wanted

        credentials: grpc.ServerCredentials = grpc.dynamic_ssl_server_credentials(
            served, fetch, require_client_authentication=ask_client
        )
        return credentials
