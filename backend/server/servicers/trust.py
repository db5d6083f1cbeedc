"""mocdeck.v1 TrustAgent: the signed chain of trust bundles, told to anybody on the login port (pki.md 4.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from backend.pki.epochs import Link
from backend.server.servicer import Context, Served, Table
from backend.service.epochs import links_since
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import trust_pb2


def _chain(context: Context, request: trust_pb2.BundleChainRequest) -> trust_pb2.BundleChain:
    context.world.rates.chain(context.call.peer.address, context.world.clock.now())
    return trust_pb2.BundleChain(links=link_messages(links_since(context.tx, request.since_epoch)))


def link_messages(links: Iterable[Link]) -> Sequence[trust_pb2.BundleLink]:
    """The links as they travel, here and with heartbeats."""
    return [
        trust_pb2.BundleLink(
            statement=link.statement,
            signature=link.signature,
            previous_signature=link.previous_signature,
            bundle_pem=link.bundle_pem,
        )
        for link in links
    ]


TABLE: Final[Table] = {get_method("TrustAgent", "GetBundleChain").path: Served(_chain)}
