"""One heartbeat: what the client says of itself, and what it takes home (moc/protocol.md has none; `mocdeck.v1`).

Owns the exchange and the storing of a new bundle. Orders are handed on: obeying them is the caller's decision.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

import backend
from backend.client.chain import links_of
from backend.client.credential import Credential
from backend.client.material import Material
from backend.clock import Clock
from backend.core.errors import AgentError
from backend.core.inert import inert
from backend.core.model import Secret
from backend.pki.epochs import ChainBroken, ChainCut, read_statement, walk
from backend.wire.convert.canary import report_message, task_of
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import client_pb2

log = logging.getLogger(__name__)

BEAT_DEADLINE: Final = timedelta(seconds=10)
_ERROR_LENGTH: Final = 300


class OrderKind(Enum):
    """What an agent can ask for; it holds no client's key, so it can only ask."""

    RENEW_NOW = "renew now"
    SIGN_IN_NOW = "sign in now"
    TAKE_TOKEN = "take the fresh token"  # noqa: S105 - an order's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order; `token` comes with TAKE_TOKEN. The agent repeats it until it hears that `id` is done."""

    id: str
    kind: OrderKind
    token: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a client says of itself beside its credential. `interval` zero: no regular heartbeats are to be expected.

    `renews_itself` None: a program that has no loop of its own.
    """

    interval: timedelta
    loop_alive: bool
    last_error: str
    renews_itself: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `skew` is our clock less the agent's; `interval` None: as before.

    `bundle_error` says why a new bundle was not stored; `bundle_behind`: the agent has one and did not send it.
    """

    skew: timedelta
    interval: timedelta | None
    order: Order | None
    bundle_stored: bool
    bundle_behind: bool
    bundle_error: str


_KINDS: Final = {
    client_pb2.RENEW_NOW: OrderKind.RENEW_NOW,
    client_pb2.SIGN_IN_NOW: OrderKind.SIGN_IN_NOW,
    client_pb2.TAKE_TOKEN: OrderKind.TAKE_TOKEN,
}


async def beat(credential: Credential, report: Report, clock: Clock) -> Answer:
    """Send one heartbeat; a success proves the certificate in use and the roots in force.

    Raises:
        AgentError: the agent's refusal, or what is wrong with the connection; the credential has noted it.
    """
    link = credential.open_link()
    shown = credential.material.access
    request = _request(credential, report, clock.now())
    try:
        reply = await link.call(get_method("ClientAgent", "Beat"), request, deadline=BEAT_DEADLINE)
    except AgentError as error:
        if credential.material.access is shown:  # another task may have renewed meanwhile
            credential.note_failure(error)
        raise
    assert isinstance(reply, client_pb2.BeatReply)  # noqa: S101 - the method's own type
    if credential.material.access is shown:
        credential.note_success()
    stored, problem = _take_bundle(credential, reply)
    credential.take_canary(task_of(reply.canary_task) if reply.HasField("canary_task") else None)
    return Answer(
        skew=clock.now() - datetime.fromtimestamp(reply.agent_time, UTC),
        interval=timedelta(seconds=reply.interval) if reply.interval else None,
        order=_order(reply),
        bundle_stored=stored,
        bundle_behind=reply.epoch > credential.material.epoch and not problem,
        bundle_error=problem,
    )


def _request(credential: Credential, report: Report, now: datetime) -> client_pb2.BeatRequest:
    material = credential.material
    return client_pb2.BeatRequest(
        serial=material.access.serial_hex if material.access is not None else "",
        epoch=material.epoch,
        clock=int(now.timestamp()),
        loop_alive=report.loop_alive,
        last_error=inert(report.last_error, limit=_ERROR_LENGTH),
        interval=int(report.interval.total_seconds()),
        version=backend.__version__,
        token_id=credential.claims.id,
        can_store_token=material.can_store_token(),
        done_order=material.memory.done_order,
        renews_itself=report.renews_itself,
        canary_report=report_message(credential.canary.report),
    )


def _take_bundle(credential: Credential, reply: client_pb2.BeatReply) -> tuple[bool, str]:
    """Store a newer bundle and redial with it. An older epoch is never taken: epochs only grow (pki.md 5.1).

    Where the signed chain from the epoch held came along, it must lead to this very bundle; the word of the agent alone
    counts only for a client that no chain has led before.
    """
    if not reply.bundle_pem or reply.epoch <= credential.material.epoch:
        return False, ""
    try:
        chained = _is_chained(credential.material, reply)
        credential.material.store_bundle(reply.epoch, reply.bundle_pem, chained=chained)
    except (AgentError, OSError) as error:
        log.warning("bundle not stored", extra={"epoch": reply.epoch, "why": str(error)})
        if isinstance(error, ChainCut):
            credential.chain.note_refusal(error)
        return False, f"the roots of epoch {reply.epoch} are not stored: {error}"
    credential.open_link()
    log.info("bundle stored", extra={"epoch": reply.epoch})
    return True, ""


def _is_chained(material: Material, reply: client_pb2.BeatReply) -> bool:
    """Check the bundle against the signed chain; tell whether the chain proves it.

    Raises:
        ChainRefused: it leads somewhere else, or is missing where there was one before.
    """
    if material.access is None or not material.epoch:
        return False  # only a login file's roots are held: the first bundle is the agent's word
    links = links_of(reply.chain)
    if not links or read_statement(links[0].statement).epoch > material.epoch:
        if material.memory.chained:
            raise ChainBroken(f"epoch {reply.epoch} came without its signatures since epoch {material.epoch}")
        return False  # what is held is older than the first signature
    walked = walk(material.access.trust_pem, links, epoch=material.epoch)
    if (walked.epoch, walked.bundle_pem) != (reply.epoch, reply.bundle_pem):
        raise ChainBroken(f"the chain leads to epoch {walked.epoch}, and another bundle came as epoch {reply.epoch}")
    return True


def _order(reply: client_pb2.BeatReply) -> Order | None:
    kind = _KINDS.get(reply.order.kind)
    if kind is None or not reply.order.id:
        return None
    token = Secret(reply.login_token) if kind is OrderKind.TAKE_TOKEN else None
    return Order(id=reply.order.id, kind=kind, token=token)
