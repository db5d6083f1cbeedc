"""CertificateAgent: named certificates, signing and renewing by name (moc/protocol.md 5.5).

Answers carry PEM text and the dates of the certificate that fills the entry; an entry without content has no dates.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.wrappers_pb2 import BoolValue

from backend.core.errors import AgentError
from backend.core.model import Certificate
from backend.server.servicer import Context, Served, Table
from backend.server.status import text_of
from backend.service import certificates
from backend.service.certificates import NamedCertificate
from backend.service.inventory import CERTIFICATE, ResourceDraft
from backend.wire.convert.certificates import certificate_message, signing_order
from backend.wire.convert.resources import named_certificate_from
from backend.wire.convert.statuses import status_message, tags_from, version_from
from backend.wire.methods import get_method
from backend.wire.moc import certificate_pb2


def _draft(entry: certificate_pb2.Certificate) -> ResourceDraft:
    return ResourceDraft(
        kind=CERTIFICATE,
        name=entry.name,
        version=version_from(entry),
        body=entry.SerializeToString(),
        tags=tags_from(entry.tags),
    )


def _shown(kept: NamedCertificate) -> certificate_pb2.Certificate:
    message = certificate_pb2.Certificate(name=kept.name, status=status_message("1"))
    if kept.entry is not None:
        message.ParseFromString(kept.entry.body)
        message.id = kept.entry.id
        message.status.CopyFrom(status_message(kept.entry.version))
    if kept.certificate is not None:
        content = certificate_message(kept.certificate, name=kept.name)
        message.certificate = content.certificate
        message.notBefore, message.notAfter = content.notBefore, content.notAfter
        if kept.entry is None:
            message.id = content.id
            message.status.CopyFrom(content.status)
    return message


def _answer(shown: list[certificate_pb2.Certificate]) -> certificate_pb2.CertificateResponse:
    return certificate_pb2.CertificateResponse(Certificates=shown, Result=BoolValue(value=True))


def _create_or_update(
    context: Context, request: certificate_pb2.CertificateRequest
) -> certificate_pb2.CertificateResponse:
    drafts = [_draft(named_certificate_from(entry)) for entry in request.Certificates]
    kept = [certificates.create_or_update(context.tx, context.world, context.caller, draft) for draft in drafts]
    return _answer([_shown(one) for one in kept])


def _get(context: Context, request: certificate_pb2.CertificateRequest) -> certificate_pb2.CertificateResponse:
    names = [entry.name for entry in request.Certificates if entry.name]
    kept = [certificates.get(context.tx, name) for name in names] if names else certificates.list_all(context.tx)
    return _answer([_shown(one) for one in kept])


def _delete(context: Context, request: certificate_pb2.CertificateRequest) -> certificate_pb2.CertificateResponse:
    for entry in request.Certificates:
        certificates.delete(context.tx, context.world, context.caller, _draft(entry))
    return _answer([])


def _sign(context: Context, request: certificate_pb2.CSRRequest) -> certificate_pb2.CertificateResponse:
    shown = []
    for order in map(signing_order, request.CSRs):
        issued = certificates.sign(
            context.tx,
            context.world,
            context.caller,
            name=order.name,
            csr_pem=order.csr_pem,
            lifetime=order.lifetime,
        )
        shown.append(_issued(issued, order.name, context))
    return _answer(shown)


def _renew(context: Context, request: certificate_pb2.CSRRequest) -> certificate_pb2.CertificateResponse:
    shown = []
    for order in map(signing_order, request.CSRs):
        issued = certificates.renew(
            context.tx,
            context.world,
            context.caller,
            name=order.name,
            csr_pem=order.csr_pem,
            old_certificate_pem=order.old_certificate_pem,
        )
        shown.append(_issued(issued, order.name, context))
    return _answer(shown)


def _issued(issued: Certificate, name: str, context: Context) -> certificate_pb2.Certificate:
    return certificate_message(issued, name=name or context.caller.name)


def _precheck(
    context: Context, request: certificate_pb2.CertificatePrecheckRequest
) -> certificate_pb2.CertificatePrecheckResponse:
    try:
        certificates.precheck(context.tx, [_draft(named_certificate_from(entry)) for entry in request.Certificates])
    except AgentError as refusal:  # a precheck answers in its body (moc/protocol.md 6.5)
        return certificate_pb2.CertificatePrecheckResponse(Result=BoolValue(value=False), Error=text_of(refusal))
    return certificate_pb2.CertificatePrecheckResponse(Result=BoolValue(value=True))


TABLE: Final[Table] = {
    get_method("CertificateAgent", "CreateOrUpdate").path: Served(_create_or_update),
    get_method("CertificateAgent", "Get").path: Served(_get),
    get_method("CertificateAgent", "Delete").path: Served(_delete),
    get_method("CertificateAgent", "Sign").path: Served(_sign),
    get_method("CertificateAgent", "Renew").path: Served(_renew),
    get_method("CertificateAgent", "Precheck").path: Served(_precheck),
}
