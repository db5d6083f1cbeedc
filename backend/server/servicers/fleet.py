"""mocdeck.v1 FleetAgent: the fleet in column chunks, one client in full, and the clusters."""

from __future__ import annotations

from typing import Final

from backend.core.model import Certificate, Cluster, Heartbeat, Token
from backend.core.token_policy import TokenRule
from backend.server.servicer import Context, Part, Served, Table
from backend.service import fleet
from backend.service.description import CertificateDescription, ClientDescription
from backend.service.token_view import TokenRotation, policy_view
from backend.wire.convert.audit import audit_record
from backend.wire.convert.checks import check_name
from backend.wire.convert.delivery import delivery_place
from backend.wire.convert.fleet import check_form, fleet_chunks
from backend.wire.convert.instants import instant, unix
from backend.wire.methods import get_method
from backend.wire.mocdeck.v1 import fleet_pb2


def _read(context: Context, request: fleet_pb2.FleetRequest) -> Part:
    """One page: the agent keeps no more of a fleet than what is on its way, and signs clients in between pages."""
    at = context.call.progress
    if not isinstance(at, fleet.Position):
        check_form(request)
        at = fleet.Position.after(request.since)
    page, rest = fleet.read_page(context.tx, context.world, at, mirror=context.world.mirror)
    return Part(list(fleet_chunks(page)), rest, change=page.change)


def _describe(context: Context, request: fleet_pb2.DescribeRequest) -> fleet_pb2.Description:
    return _description(fleet.describe(context.tx, context.world, check_name(request.name)))


def _put_cluster(context: Context, request: fleet_pb2.PutClusterRequest) -> fleet_pb2.PutClusterResponse:
    row = request.cluster
    cluster = Cluster(
        name=check_name(row.name, "cluster name"),
        is_management=row.management,
        removed_at=None,
        planned_off_until=instant(row.planned_off_until),
    )
    fleet.put_cluster(context.tx, context.world, context.caller, cluster)
    return fleet_pb2.PutClusterResponse()


def _remove_cluster(context: Context, request: fleet_pb2.RemoveClusterRequest) -> fleet_pb2.RemoveClusterResponse:
    fleet.remove_cluster(context.tx, context.world, context.caller, check_name(request.name, "cluster name"))
    return fleet_pb2.RemoveClusterResponse()


def _description(client: ClientDescription) -> fleet_pb2.Description:
    seen = client.last_seen
    return fleet_pb2.Description(
        name=client.name,
        id=client.id,
        number=client.number,
        kind=client.kind.value,
        client_type=client.client_type.name,
        cluster=client.cluster,
        host=client.host,
        owner=client.owner,
        location=client.location,
        roles=client.roles,
        login_file_path=client.login_file_path,
        token_lifetime_seconds=int(client.token_lifetime.total_seconds()),
        created_at=unix(client.created_at),
        revoked_at=unix(client.revoked_at),
        revoked_by=client.revoked_by,
        certificates=[_certificate(entry) for entry in client.certificates],
        tokens=[_token(token) for token in client.tokens],
        last_seen_at=unix(seen.at) if seen else 0,
        last_seen_from=seen.address if seen else "",
        last_seen_serial=f"{seen.serial:x}" if seen else "",
        heartbeat=_heartbeat(client.heartbeat) if client.heartbeat else None,
        history=[audit_record(event) for event in client.history],
        delivery_route=client.delivery_route,
        tags=dict(client.tags),
        places=[delivery_place(way) for way in client.ways],
        token_rotation=_token_rotation(client.token_rotation),
    )


def _token_rotation(found: TokenRotation) -> fleet_pb2.TokenRotation:
    return fleet_pb2.TokenRotation(
        by=found.by.value,
        rule=found.rule,
        due_at=unix(found.due_at),
        overlap_seconds=int(found.overlap.total_seconds()),
        fault="" if found.fault is None else found.fault.why,
        fault_since=0 if found.fault is None else unix(found.fault.since_at),
    )


def _token_policy(context: Context, _: fleet_pb2.TokenPolicyRequest) -> fleet_pb2.TokenPolicy:
    view = policy_view(context.tx, context.world)
    return fleet_pb2.TokenPolicy(
        rules=[_token_rule(rule, clients) for rule, clients in view.rules],
        faults=[
            fleet_pb2.TokenFault(name=name, why=fault.why, since=unix(fault.since_at)) for name, fault in view.faults
        ],
        overlap_seconds=int(view.overlap.total_seconds()),
        agent_time=unix(context.world.clock.now()),
    )


def _token_rule(rule: TokenRule, clients: int) -> fleet_pb2.TokenRule:
    return fleet_pb2.TokenRule(
        name=rule.name,
        kinds=sorted(kind.value for kind in rule.kinds),
        clusters=sorted(rule.clusters),
        identities=sorted(rule.identities),
        rotates=rule.rotates,
        overlap_seconds=-1 if rule.overlap is None else int(rule.overlap.total_seconds()),
        clients=clients,
    )


def _certificate(entry: CertificateDescription) -> fleet_pb2.CertificateRecord:
    certificate: Certificate = entry.certificate
    return fleet_pb2.CertificateRecord(
        serial=f"{certificate.serial:x}",
        generation=certificate.generation,
        issuer=entry.issuer,
        not_before=unix(certificate.validity.not_before),
        not_after=unix(certificate.validity.not_after),
        fingerprint=certificate.fingerprint,
        issued_at=unix(certificate.issued_at),
        renew_from=unix(certificate.renew_from),
        renew_until=unix(certificate.renew_until),
        first_used_at=unix(certificate.first_used_at),
        last_used_at=unix(certificate.last_used_at),
        revoked_at=unix(certificate.revoked_at),
        revoke_reason=certificate.revoke_reason.value if certificate.revoke_reason else "",
        renew_count=certificate.renew_count,
        current=entry.current,
        shortened=entry.shortened,
        pem=certificate.pem,
    )


def _token(token: Token) -> fleet_pb2.TokenRecord:
    return fleet_pb2.TokenRecord(
        id=token.id,
        issued_at=unix(token.issued_at),
        expires_at=unix(token.expires_at),
        state=token.state.value,
        dies_at=unix(token.dies_at),
        first_used_at=unix(token.first_used_at),
        delivered_at=unix(token.delivered_at),
    )


def _heartbeat(heartbeat: Heartbeat) -> fleet_pb2.HeartbeatRecord:
    return fleet_pb2.HeartbeatRecord(
        heard_at=unix(heartbeat.heard_at),
        interval=int(heartbeat.interval.total_seconds()),
        address=heartbeat.address,
        serial=f"{heartbeat.serial:x}",
        epoch=heartbeat.epoch,
        skew=int(heartbeat.skew.total_seconds()),
        loop_alive=heartbeat.loop_alive,
        last_error=heartbeat.last_error,
        version=heartbeat.version,
    )


TABLE: Final[Table] = {
    get_method("FleetAgent", "Read").path: Served(_read),
    get_method("FleetAgent", "Watch").path: Served(_read),
    get_method("FleetAgent", "Describe").path: Served(_describe),
    get_method("FleetAgent", "GetTokenPolicy").path: Served(_token_policy),
    get_method("FleetAgent", "PutCluster").path: Served(_put_cluster),
    get_method("FleetAgent", "RemoveCluster").path: Served(_remove_cluster),
}
