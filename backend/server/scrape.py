"""The metrics' own listener: plain HTTP, one path, GET only, on an address of its own and never on the data port.

It shows names and dates of the whole fleet without asking who reads, so it listens on the loopback address unless it
is told otherwise. Slow readers are dropped, and only a few are served at a time (pki.md 7.8).
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from backend.server.ports import PortUnavailable

log = logging.getLogger("mocdeck.metrics")
PATH: Final = "/metrics"
_IDLE_SECONDS: Final = 10.0
_AT_ONCE: Final = 8
_TYPE: Final = "text/plain; charset=utf-8"

Answer = Callable[[dict[str, Any], Any], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(*args, **kwargs)

    def server_bind(self) -> None:
        """Bind without asking the resolver for our own name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve it on a thread, or drop it when all are busy."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection and make its place free again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that broke off or was too slow; the log says so, standard error stays clean."""
        log.debug("metrics reader gone", exc_info=True)


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = _IDLE_SECONDS
    server_version = "mocdeck"
    sys_version = ""

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are not news."""


class Scrapes:
    """A started listener; `url` tells where, `close` ends it."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        """Bind and serve on threads.

        Raises:
            PortUnavailable: the address cannot be bound.
        """
        kind = _Server6 if ":" in host else _Server
        try:
            self._server = make_server(host, port, _only_metrics(registry), server_class=kind, handler_class=_Handler)
        except OSError as failure:
            raise PortUnavailable(
                f"{host}:{port} cannot be bound for metrics: {failure.strerror or failure}; choose another "
                "--metrics-host or --metrics-port (0 picks a free one)"
            ) from failure
        self.port = self._server.server_port
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}{PATH}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="mocdeck-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more; a scrape under way may fail."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _only_metrics(registry: CollectorRegistry) -> Answer:
    metrics: Answer = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            start_response("404 Not Found", [("Content-Type", _TYPE)])
            return [b"Only /metrics is served here.\n"]
        if environ.get("REQUEST_METHOD") != "GET":
            start_response("405 Method Not Allowed", [("Content-Type", _TYPE), ("Allow", "GET")])
            return [b"Only GET is served here.\n"]
        try:
            return metrics(environ, start_response)
        except Exception:  # the listener's edge: a scrape that fails is a status, and the log has the cause
            log.exception("scrape failed")
            start_response("503 Service Unavailable", [("Content-Type", _TYPE)])
            return [b"The agent could not be read; see its log.\n"]

    return answer
