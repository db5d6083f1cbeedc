"""The way back for a client whose roots no longer know the agent: the signed chain of trust bundles (pki.md 4.6).

The chain is public and proves itself by its signatures, so the channel that brings it need not be believed: whatever
certificate is shown there is pinned for this one call. Nothing of ours goes over that channel: no token, no client
certificate, only the number of an epoch. When to ask is `backend.client.planner`'s to say.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import grpc
from cryptography import x509

from backend.client.errors import AgentUntrusted, Unreachable
from backend.client.material import Material
from backend.client.record import trust_mark
from backend.client.statuses import Line, find_refusal
from backend.clock import Clock
from backend.core.errors import AgentError, InvalidInput, NotSupported
from backend.pki.epochs import ChainCut, ChainRefused, Link, walk
from backend.pki.trust import common_name_of, split_bundle
from backend.wire.knock import words_of
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import trust_pb2

log = logging.getLogger(__name__)

REFUSED_REST: Final = timedelta(hours=1)  # whoever answered with it may have been somebody else
DEADLINE: Final = timedelta(seconds=10)
_MOST_BYTES: Final = 4 * 1024 * 1024  # a thousand epochs; more is not taken in from a stranger


class TrustChain:
    """What the chain has done for one client: where it led, from which roots it leads no further, where it was cut."""

    def __init__(self, material: Material, clock: Clock) -> None:
        self._material = material
        self._clock = clock
        self._refused: tuple[str, datetime] | None = None  # digest of the roots, and until when

    @property
    def is_refused(self) -> bool:
        """Tell whether the chain was of no use from the present roots a short while ago."""
        if self._refused is None:
            return False
        mark, until = self._refused
        rest = until - self._clock.now()  # longer than it ever is when the clock fell back meanwhile
        return mark == self._mark() and timedelta(0) < rest <= REFUSED_REST

    @property
    def is_cut(self) -> bool:
        """Tell whether the chain was cut for whoever holds the present roots; then it is never asked for again."""
        return self._material.memory.cut_trust == self._mark()

    async def follow(self, line: Line) -> None:
        """Walk from the roots held along the chain that is told at `line`, and take the roots it leads to.

        Raises:
            ChainRefused: it leads nowhere; the roots held stay.
            AgentUntrusted: it proves the roots held to be the newest; then the name, a clock or an attacker is wrong.
            NotSupported, Unreachable, LimitReached: it could not be had.
            OSError, UnsafeFile: the new roots could not be written; the old ones stay.
        """
        epoch = self._material.trust_epoch()
        try:
            walked = walk(line.trust_pem, await fetch_chain(line, epoch), epoch=epoch)
        except (ChainRefused, AgentUntrusted, NotSupported, InvalidInput) as error:
            self.note_refusal(error)
            raise
        if not walked.has_moved:
            newest = AgentUntrusted(
                f"the roots held are the newest, of epoch {walked.epoch}, and the certificate at {line.where} fits none"
                f" of them for {line.server_name!r}; check the name and both clocks"
            )
            self.note_refusal(newest)
            raise newest
        self._material.take_chained(walked.epoch, walked.bundle_pem)
        log.info("chain of trust followed", extra={"from": epoch, "to": walked.epoch})

    def note_refusal(self, error: AgentError) -> None:
        """Remember that no chain leads on from the present roots: for a while, or for good if it was cut."""
        self._refused = (self._mark(), self._clock.now() + REFUSED_REST)
        if isinstance(error, ChainCut):
            self._material.remember(replace(self._material.memory, cut_trust=self._mark()))

    def _mark(self) -> str:
        return trust_mark(self._material.trust_pem())


async def fetch_chain(line: Line, epoch: int) -> tuple[Link, ...]:
    """Ask the login port for the chain from `epoch` on (0: all of it), believing nothing but its later proof.

    Raises:
        Unreachable: nobody answers there.
        NotSupported: the agent does not know this call.
        AgentError: it refuses, as when too many ask at once.
    """
    pinned = await asyncio.to_thread(_shown_certificate, line)
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.max_receive_message_length", _MOST_BYTES),
        ("grpc.ssl_target_name_override", _any_name(pinned, line)),
    ]
    channel = grpc.aio.secure_channel(line.where, grpc.ssl_channel_credentials(pinned.encode()), options=options)
    method = get_method("TrustAgent", "GetBundleChain")
    try:
        stub: grpc.aio.UnaryUnaryMultiCallable[trust_pb2.BundleChainRequest, trust_pb2.BundleChain] = (
            channel.unary_unary(
                method.path,
                request_serializer=trust_pb2.BundleChainRequest.SerializeToString,
                response_deserializer=trust_pb2.BundleChain.FromString,
            )
        )
        answer = await stub(trust_pb2.BundleChainRequest(since_epoch=epoch), timeout=DEADLINE.total_seconds())
    except grpc.aio.AioRpcError as error:
        refusal = find_refusal(error)
        if refusal is not None:
            raise refusal from None
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise NotSupported(
                f"the agent at {line.where} tells no chain of trust bundles; is it an older one?"
            ) from None
        raise Unreachable(f"the chain of trust bundles did not come from {line.where}; it is asked again") from None
    finally:
        await channel.close()
    return links_of(answer.links)


def links_of(messages: Iterable[trust_pb2.BundleLink]) -> tuple[Link, ...]:
    """The links of a chain that came over the wire, here or with a heartbeat; nothing of them is checked yet."""
    return tuple(
        Link(
            statement=message.statement,
            signature=message.signature,
            previous_signature=message.previous_signature,
            bundle_pem=message.bundle_pem,
        )
        for message in messages
    )


def _shown_certificate(line: Line) -> str:
    """Return, as PEM, the certificate that is shown at the port, whosever it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # pinned for one call that trusts nobody; see the head of this file
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((line.host, line.port), timeout=DEADLINE.total_seconds()) as plain,
            context.wrap_socket(plain, server_hostname=line.server_name) as secured,
        ):
            der = secured.getpeercert(binary_form=True)
    except OSError as error:  # ssl.SSLError is one
        raise Unreachable(f"cannot reach the agent at {line.where}: {words_of(error)}; it is tried again") from None
    if not der:
        raise Unreachable(f"no certificate was shown at {line.where}; it is tried again")
    return ssl.DER_cert_to_PEM_cert(der)


def _any_name(pem: str, line: Line) -> str:
    """A name for which the pinned certificate is good: which one says nothing, as it is the pin that counts."""
    certificate = split_bundle(pem)[0]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return common_name_of(certificate.subject) or line.server_name
    found = [str(name) for kind in (x509.DNSName, x509.IPAddress) for name in names.get_values_for_type(kind)]
    if not found:
        raise AgentUntrusted(f"the certificate shown at {line.where} is for no name; it is no agent's")
    return found[0]
