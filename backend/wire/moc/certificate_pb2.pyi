from backend.wire.moc import common_pb2 as _common_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CertificateType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Client: _ClassVar[CertificateType]
    Server: _ClassVar[CertificateType]
Client: CertificateType
Server: CertificateType

class CertificateRequest(_message.Message):
    __slots__ = ("Certificates",)
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    Certificates: _containers.RepeatedCompositeFieldContainer[Certificate]
    def __init__(self, Certificates: _Optional[_Iterable[_Union[Certificate, _Mapping]]] = ...) -> None: ...

class CSRRequest(_message.Message):
    __slots__ = ("CSRs",)
    CSRS_FIELD_NUMBER: _ClassVar[int]
    CSRs: _containers.RepeatedCompositeFieldContainer[CertificateSigningRequest]
    def __init__(self, CSRs: _Optional[_Iterable[_Union[CertificateSigningRequest, _Mapping]]] = ...) -> None: ...

class CertificateResponse(_message.Message):
    __slots__ = ("Certificates", "Result", "Error")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Certificates: _containers.RepeatedCompositeFieldContainer[Certificate]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Certificates: _Optional[_Iterable[_Union[Certificate, _Mapping]]] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class CertificatePrecheckRequest(_message.Message):
    __slots__ = ("Certificates",)
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    Certificates: _containers.RepeatedCompositeFieldContainer[Certificate]
    def __init__(self, Certificates: _Optional[_Iterable[_Union[Certificate, _Mapping]]] = ...) -> None: ...

class CertificatePrecheckResponse(_message.Message):
    __slots__ = ("Result", "Error")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class CertificateSigningRequest(_message.Message):
    __slots__ = ("name", "csr", "oldCertificate", "status", "caName", "groupName", "vaultName", "locationName", "identity", "validity", "isCA")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CSR_FIELD_NUMBER: _ClassVar[int]
    OLDCERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CANAME_FIELD_NUMBER: _ClassVar[int]
    GROUPNAME_FIELD_NUMBER: _ClassVar[int]
    VAULTNAME_FIELD_NUMBER: _ClassVar[int]
    LOCATIONNAME_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    VALIDITY_FIELD_NUMBER: _ClassVar[int]
    ISCA_FIELD_NUMBER: _ClassVar[int]
    name: str
    csr: str
    oldCertificate: str
    status: _common_pb2.Status
    caName: str
    groupName: str
    vaultName: str
    locationName: str
    identity: str
    validity: int
    isCA: _wrappers_pb2.BoolValue
    def __init__(self, name: _Optional[str] = ..., csr: _Optional[str] = ..., oldCertificate: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.Status, _Mapping]] = ..., caName: _Optional[str] = ..., groupName: _Optional[str] = ..., vaultName: _Optional[str] = ..., locationName: _Optional[str] = ..., identity: _Optional[str] = ..., validity: _Optional[int] = ..., isCA: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ...) -> None: ...

class Certificate(_message.Message):
    __slots__ = ("name", "id", "notBefore", "notAfter", "certificate", "status", "type", "groupName", "vaultName", "locationName", "tags")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NOTBEFORE_FIELD_NUMBER: _ClassVar[int]
    NOTAFTER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    GROUPNAME_FIELD_NUMBER: _ClassVar[int]
    VAULTNAME_FIELD_NUMBER: _ClassVar[int]
    LOCATIONNAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    notBefore: int
    notAfter: int
    certificate: str
    status: _common_pb2.Status
    type: CertificateType
    groupName: str
    vaultName: str
    locationName: str
    tags: _common_pb2.Tags
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., notBefore: _Optional[int] = ..., notAfter: _Optional[int] = ..., certificate: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.Status, _Mapping]] = ..., type: _Optional[_Union[CertificateType, str]] = ..., groupName: _Optional[str] = ..., vaultName: _Optional[str] = ..., locationName: _Optional[str] = ..., tags: _Optional[_Union[_common_pb2.Tags, _Mapping]] = ...) -> None: ...
