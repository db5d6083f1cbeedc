"""Which operation a call means, with the fallback for clients that set only the obsolete field.

The obsolete enums begin with a meaning at 0, so "both fields 0" could be a revocation or nothing at all
(moc/protocol.md, section 2). It is refused: guessing would revoke.
"""

from __future__ import annotations

from backend.core.errors import InvalidInput, NotSupported
from backend.wire.moc import common_pb2, identity_pb2, security_pb2

_IDENTITY_VERBS = frozenset({common_pb2.Identity_Revoke, common_pb2.Identity_Rotate})
_CERTIFICATE_VERBS = frozenset({common_pb2.IdentityCertificate_Create, common_pb2.IdentityCertificate_Renew})


def identity_verb(request: identity_pb2.IdentityOperationRequest) -> int:
    """`Identity_Revoke` or `Identity_Rotate`.

    Raises:
        InvalidInput: neither field says which.
        NotSupported: it is another operation.
    """
    if request.OperationType == common_pb2.Unspecified:
        if request.OBSOLETE_OperationType == security_pb2.ROTATE:
            return common_pb2.Identity_Rotate
        raise InvalidInput("OperationType is not set; say Identity_Revoke (302) or Identity_Rotate (303)")
    if request.OperationType not in _IDENTITY_VERBS:
        raise NotSupported(
            f"Operate knows Identity_Revoke (302) and Identity_Rotate (303), not {request.OperationType}"
        )
    return request.OperationType


def certificate_verb(
    request: identity_pb2.IdentityCertificateRequest,
) -> int:
    """`IdentityCertificate_Create` or `IdentityCertificate_Renew`.

    Raises:
        InvalidInput: neither field says which.
        NotSupported: it is another operation, such as IdentityCertificate_Update, which no client sends.
    """
    if request.OperationType == common_pb2.Unspecified:
        if request.OBSOLETE_OperationType == security_pb2.RENEW_CERTIFICATE:
            return common_pb2.IdentityCertificate_Renew
        raise InvalidInput(
            "OperationType is not set; say IdentityCertificate_Create (400) or IdentityCertificate_Renew (402)"
        )
    if request.OperationType not in _CERTIFICATE_VERBS:
        raise NotSupported(
            "OperateCertificates knows IdentityCertificate_Create (400) and IdentityCertificate_Renew (402), "
            f"not {request.OperationType}"
        )
    return request.OperationType
