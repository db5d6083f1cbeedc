"""Binding a gRPC server to an address, with the transport settings MOC's clients need (moc/protocol.md 1.4)."""

from __future__ import annotations

import socket
from typing import Final

import grpc
import grpc.aio

from backend.core.errors import AgentError
from backend.core.limits import MESSAGE_BYTES

# Go clients ping every minute, also without a call; pings may come twice as often before gRPC answers GOAWAY.
_PING_MS: Final = 30_000
OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", _PING_MS),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", _PING_MS),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),  # two agents on one port must be an error, not a coin toss
    ("grpc.server_handshake_timeout_ms", 15_000),  # slow or half-open peers do not hold a socket for ever
)


class PortUnavailable(AgentError):
    """The address cannot be bound: in use, not ours, or not permitted."""

    reason = "port_unavailable"


def bind(
    handler: grpc.GenericRpcHandler, credentials: grpc.ServerCredentials, host: str, port: int
) -> tuple[grpc.aio.Server, int]:
    """Bind a server for `handler` to host:port (0: a free one); return it, not yet started, with the port it got.

    Raises:
        PortUnavailable: with the address and what to do.
    """
    require_free(host, port)
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((handler,))
    literal = f"[{host}]" if ":" in host else host
    try:
        bound = server.add_secure_port(f"{literal}:{port}", credentials)
    except RuntimeError as failure:
        raise PortUnavailable(f"{host}:{port} cannot be bound; is another program serving it?") from failure
    return server, bound


def require_free(host: str, port: int) -> None:
    """Ask the system before gRPC: its reason is better, and nothing is held yet when the second of two ports is taken.

    Raises:
        PortUnavailable: with the address and what to do.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as failure:
        raise PortUnavailable(
            f"{host}:{port} cannot be bound: {failure.strerror or failure}; stop the other program, or choose another"
            " --host, --port or --auth-port (0 picks a free one)"
        ) from failure
