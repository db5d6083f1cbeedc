"""HealthAgent, VersionAgent and CredentialMonitorAgent (moc/protocol.md 2.2 and 10)."""

from __future__ import annotations

import platform
from typing import Final

from google.protobuf.empty_pb2 import Empty
from google.protobuf.wrappers_pb2 import BoolValue

from backend import __version__
from backend.core.model import AuthorityStatus
from backend.server.servicer import Context, Served, Table
from backend.wire.convert.statuses import status_message
from backend.wire.methods import get_method
from backend.wire.moc import common_pb2, computecommon_pb2, credentialmonitor_pb2, health_pb2, nodeinfo_pb2, version_pb2

MOC_VERSION: Final = "v0.43.4"  # the release of the public protocol that the messages were written from
_SYSTEMS: Final = {"Windows": computecommon_pb2.WINDOWS, "Linux": computecommon_pb2.LINUX}


def _check_health(context: Context, request: health_pb2.HealthRequest) -> health_pb2.HealthResponse:
    """Healthy means: a transaction could be opened and the issuing CA has a future."""
    issuing = context.tx.authorities.issuing()
    expired = issuing.validity.is_expired(context.world.clock.now())
    rotation = context.tx.rotations.find_open()
    if not expired and rotation is not None and rotation.held:
        return health_pb2.HealthResponse(
            Result=BoolValue(value=True),
            Error=f"CA rotation {rotation.id} is held in {rotation.phase}: {rotation.held}",
            State=common_pb2.WARNING,
        )
    return health_pb2.HealthResponse(
        Result=BoolValue(value=not expired),
        Error=f"CA generation {issuing.generation} is past its end; rotate the CA" if expired else "",
        State=common_pb2.CRITICAL if expired else common_pb2.OK,
    )


def _get_agent_info(context: Context, request: Empty) -> health_pb2.AgentInfoResponse:
    node = nodeinfo_pb2.NodeInfo(
        name=platform.node(),
        id=context.world.deployment_id,
        ostype=_SYSTEMS.get(platform.system(), computecommon_pb2.LINUX),
        status=status_message("1"),
    )
    return health_pb2.AgentInfoResponse(
        node=node, Result=BoolValue(value=True), deploymentId=context.world.deployment_id
    )


def _get_version(context: Context, request: version_pb2.VersionRequest) -> version_pb2.VersionResponse:
    return version_pb2.VersionResponse(version=__version__, mocversion=MOC_VERSION)


def _monitor(
    context: Context, request: credentialmonitor_pb2.CredentialMonitorRequest
) -> credentialmonitor_pb2.CredentialMonitorResponse:
    """The trust that the agent publishes: one CA, or two while a rotation has both in the bundle."""
    trusted = {AuthorityStatus.ISSUING, AuthorityStatus.TRUSTED, AuthorityStatus.STAGED}
    bundle = context.tx.bundles.current()
    alive = [number for number in bundle.generations if context.tx.authorities.get(number).status in trusted]
    status = credentialmonitor_pb2.Overlap if len(alive) > 1 else credentialmonitor_pb2.Single
    monitor = credentialmonitor_pb2.CredentialMonitor(certificate=bundle.pem, status=status)
    return credentialmonitor_pb2.CredentialMonitorResponse(CredentialMonitor=monitor)


TABLE: Final[Table] = {
    get_method("HealthAgent", "CheckHealth").path: Served(_check_health),
    get_method("HealthAgent", "GetAgentInfo").path: Served(_get_agent_info),
    get_method("VersionAgent", "Get").path: Served(_get_version),
    get_method("CredentialMonitorAgent", "Get").path: Served(_monitor),
}
