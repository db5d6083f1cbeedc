"""IdentityAgent: identities, their tokens and the renewal of their certificates (moc/protocol.md 2.1, 4.7, 5)."""

from __future__ import annotations

from typing import Final

from google.protobuf.wrappers_pb2 import BoolValue

from backend.core.errors import AgentError, NotSupported
from backend.server.servicer import Context, Served, Table
from backend.server.status import text_of
from backend.service import identities, renewal
from backend.wire.convert import certificates, verbs
from backend.wire.convert.identities import identity_draft, identity_message
from backend.wire.convert.statuses import version_from
from backend.wire.methods import get_method
from backend.wire.moc import common_pb2, identity_pb2


def _invoke(context: Context, request: identity_pb2.IdentityRequest) -> identity_pb2.IdentityResponse:
    handlers = {common_pb2.GET: _get, common_pb2.POST: _post, common_pb2.DELETE: _delete}
    handler = handlers.get(request.OperationType)
    if handler is None:
        raise NotSupported(f"IdentityAgent knows GET, POST and DELETE, not operation {request.OperationType}")
    return identity_pb2.IdentityResponse(Identitys=handler(context, request), Result=BoolValue(value=True))


def _get(context: Context, request: identity_pb2.IdentityRequest) -> list[identity_pb2.Identity]:
    names = [entry.name for entry in request.Identitys if entry.name]
    if not names:  # no entry, or one with an empty name: a list (moc/protocol.md 2.1)
        return [identity_message(identity) for identity in identities.list_all(context.tx)]
    return [identity_message(identities.get(context.tx, name)) for name in names]


def _post(context: Context, request: identity_pb2.IdentityRequest) -> list[identity_pb2.Identity]:
    drafts = [identity_draft(entry) for entry in request.Identitys]
    done = [identities.create_or_update(context.tx, context.world, context.caller, draft) for draft in drafts]
    return [identity_message(identity, token) for identity, token in done]


def _delete(context: Context, request: identity_pb2.IdentityRequest) -> list[identity_pb2.Identity]:
    for entry in request.Identitys:
        identities.delete(context.tx, context.world, context.caller, entry.name, version=version_from(entry))
    return []


def _operate(context: Context, request: identity_pb2.IdentityOperationRequest) -> identity_pb2.IdentityResponse:
    verb = verbs.identity_verb(request)
    done = []
    for entry in request.Identities:
        if verb == common_pb2.Identity_Revoke:
            done.append(identity_message(identities.revoke(context.tx, context.world, context.caller, entry.name)))
        else:
            identity, token = identities.rotate(context.tx, context.world, context.caller, entry.name)
            done.append(identity_message(identity, token))
    return identity_pb2.IdentityResponse(Identitys=done, Result=BoolValue(value=True))


def _operate_certificates(
    context: Context, request: identity_pb2.IdentityCertificateRequest
) -> identity_pb2.IdentityCertificateResponse:
    verb = verbs.certificate_verb(request)
    done = []
    for order in map(certificates.signing_order, request.CSR):
        if verb == common_pb2.IdentityCertificate_Renew:
            issued = renewal.renew(
                context.tx,
                context.world,
                context.caller,
                identity_name=request.IdentityName,
                csr_pem=order.csr_pem,
                old_certificate_pem=order.old_certificate_pem,
            )
        else:
            issued = renewal.create_certificate(
                context.tx,
                context.world,
                context.caller,
                identity_name=request.IdentityName,
                csr_pem=order.csr_pem,
                lifetime=order.lifetime,
            )
        done.append(certificates.certificate_message(issued, name=request.IdentityName))
    return identity_pb2.IdentityCertificateResponse(Certificates=done, Result=BoolValue(value=True))


def _precheck(context: Context, request: identity_pb2.IdentityPrecheckRequest) -> identity_pb2.IdentityPrecheckResponse:
    try:
        drafts = [identity_draft(entry) for entry in request.Identities]
        identities.precheck(context.tx, context.world, context.caller, drafts)
    except AgentError as refusal:  # a precheck answers in its body, the one place where Go clients read it (6.5)
        return identity_pb2.IdentityPrecheckResponse(Result=BoolValue(value=False), Error=text_of(refusal))
    return identity_pb2.IdentityPrecheckResponse(Result=BoolValue(value=True))


TABLE: Final[Table] = {
    get_method("IdentityAgent", "Invoke").path: Served(_invoke),
    get_method("IdentityAgent", "Operate").path: Served(_operate),
    get_method("IdentityAgent", "OperateCertificates").path: Served(_operate_certificates),
    get_method("IdentityAgent", "Precheck").path: Served(_precheck),
}
