"""One POST to one sink: made on a thread that nobody waits for, over the standard library's HTTP, with a deadline.

Follows no redirect (the new place was not configured, and the authorization must not travel there), reads no more of
the answer than its status, and never lets a URL into a message: whoever knows it can post. urllib suffices for one
small request at a time, so no HTTP library is depended on.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import urllib.error
import urllib.request
from datetime import datetime
from typing import IO, Any, Final

import backend
from backend.core.errors import AgentError
from backend.server.aside import aside
from backend.service.alert_file import Sink
from backend.service.outbox import Parcel
from backend.service.world import World
from backend.store.alert_records import NoticeRow

SCHEMA: Final = "mocdeck.alerts/1"
_SOCKET_SECONDS: Final = 8.0  # a single wait for the other end
_DEADLINE_SECONDS: Final = 15.0  # the whole request, however slowly the other end drips


class NotDelivered(AgentError):
    """A sink did not take what it was sent; the sentence says why, without its URL."""

    reason = "not_delivered"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:
        return None


class Webhook:
    """The way to one sink. One request at a time, also when the one before has run out of time and still hangs."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect(), urllib.request.HTTPSHandler(context=_tls(sink))]
        if sink.is_loopback:
            handlers.append(urllib.request.ProxyHandler({}))  # otherwise as the environment says
        self._opener = urllib.request.build_opener(*handlers)
        self._is_busy = False

    async def post(self, body: bytes) -> None:
        """Send it; return when the sink has answered with a 2xx.

        Raises:
            NotDelivered: it has not, or not in time.
        """
        if self._is_busy:
            raise NotDelivered(f"{self._sink.place} has still not ended the request before; it is tried again later")
        self._is_busy = True
        try:
            await asyncio.wait_for(
                aside(lambda: self._ended(body), name=f"mocdeck-sink-{self._sink.name}"), _DEADLINE_SECONDS
            )
        except TimeoutError:
            raise NotDelivered(f"{self._sink.place} did not answer within {_DEADLINE_SECONDS:.0f} s") from None

    def _ended(self, body: bytes) -> None:
        try:
            self._send(body)
        finally:
            self._is_busy = False

    def _send(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": f"mocdeck/{backend.__version__}"}
        if self._sink.authorization is not None:
            headers["Authorization"] = self._sink.authorization.reveal()
        url = self._sink.url.reveal()
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - checked when read
        try:
            with self._opener.open(request, timeout=_SOCKET_SECONDS) as answer:
                status = answer.status
        except urllib.error.HTTPError as refusal:
            status = refusal.code
            refusal.close()
        except urllib.error.URLError as failure:
            raise NotDelivered(f"{self._sink.place} cannot be reached: {_why(failure.reason)}") from None
        except (OSError, http.client.HTTPException) as failure:
            raise NotDelivered(f"{self._sink.place} broke the request off: {_why(failure)}") from None
        if not 200 <= status < 300:
            raise NotDelivered(f"{self._sink.place} answered with status {status}")


def document(world: World, sink: Sink, parcel: Parcel, now: datetime) -> bytes:
    """Return the body: notices of one deployment, or a sign of life when there are none."""
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "notices" if parcel.notices else "alive",
        "deployment": world.deployment,
        "deployment_id": world.deployment_id,
        "simulated": world.simulated,
        "sink": sink.name,
        "sent_at": _stamp(now),
        "notices": [_notice(notice) for notice in parcel.notices],
    }
    if not parcel.notices:
        body["next_within_seconds"] = int(sink.alive_every.total_seconds())
    return json.dumps(body, ensure_ascii=False).encode()


def _notice(notice: NoticeRow) -> dict[str, Any]:
    return {
        "id": notice.id,
        "event": notice.event.value,
        "entity": notice.entity,
        "name": notice.name,
        "cluster": notice.cluster,
        "severity": "ok" if notice.after is None else notice.after.name.lower(),
        "severity_before": "ok" if notice.before is None else notice.before.name.lower(),
        "state": notice.state,
        "summary": notice.summary,
        "next_step": notice.next_step,
        "since": _stamp(notice.since_at),
        "at": _stamp(notice.created_at),
    }


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _tls(sink: Sink) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if sink.ca_file is None else str(sink.ca_file))


def _why(failure: object) -> str:
    """A failure in words that hold no URL: the system's, or the kind of failure."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({failure.verify_message})"
    if isinstance(failure, TimeoutError):
        return "it did not answer in time"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return type(failure).__name__
