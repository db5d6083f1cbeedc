from backend.wire.moc import certificate_pb2 as _certificate_pb2
from backend.wire.moc import common_pb2 as _common_pb2
from backend.wire.moc import security_pb2 as _security_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IdentityRequest(_message.Message):
    __slots__ = ("Identitys", "OperationType")
    IDENTITYS_FIELD_NUMBER: _ClassVar[int]
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    Identitys: _containers.RepeatedCompositeFieldContainer[Identity]
    OperationType: _common_pb2.Operation
    def __init__(self, Identitys: _Optional[_Iterable[_Union[Identity, _Mapping]]] = ..., OperationType: _Optional[_Union[_common_pb2.Operation, str]] = ...) -> None: ...

class IdentityResponse(_message.Message):
    __slots__ = ("Identitys", "Result", "Error")
    IDENTITYS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Identitys: _containers.RepeatedCompositeFieldContainer[Identity]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Identitys: _Optional[_Iterable[_Union[Identity, _Mapping]]] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class IdentityOperationRequest(_message.Message):
    __slots__ = ("Identities", "OBSOLETE_OperationType", "OperationType")
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    OBSOLETE_OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    Identities: _containers.RepeatedCompositeFieldContainer[Identity]
    OBSOLETE_OperationType: _security_pb2.IdentityOperation
    OperationType: _common_pb2.ProviderAccessOperation
    def __init__(self, Identities: _Optional[_Iterable[_Union[Identity, _Mapping]]] = ..., OBSOLETE_OperationType: _Optional[_Union[_security_pb2.IdentityOperation, str]] = ..., OperationType: _Optional[_Union[_common_pb2.ProviderAccessOperation, str]] = ...) -> None: ...

class IdentityCertificateRequest(_message.Message):
    __slots__ = ("IdentityName", "CSR", "OBSOLETE_OperationType", "OperationType")
    IDENTITYNAME_FIELD_NUMBER: _ClassVar[int]
    CSR_FIELD_NUMBER: _ClassVar[int]
    OBSOLETE_OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    IdentityName: str
    CSR: _containers.RepeatedCompositeFieldContainer[_certificate_pb2.CertificateSigningRequest]
    OBSOLETE_OperationType: _security_pb2.IdentityCertificateOperation
    OperationType: _common_pb2.ProviderAccessOperation
    def __init__(self, IdentityName: _Optional[str] = ..., CSR: _Optional[_Iterable[_Union[_certificate_pb2.CertificateSigningRequest, _Mapping]]] = ..., OBSOLETE_OperationType: _Optional[_Union[_security_pb2.IdentityCertificateOperation, str]] = ..., OperationType: _Optional[_Union[_common_pb2.ProviderAccessOperation, str]] = ...) -> None: ...

class IdentityCertificateResponse(_message.Message):
    __slots__ = ("Certificates", "Result", "Error")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Certificates: _containers.RepeatedCompositeFieldContainer[_certificate_pb2.Certificate]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Certificates: _Optional[_Iterable[_Union[_certificate_pb2.Certificate, _Mapping]]] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class IdentityPrecheckRequest(_message.Message):
    __slots__ = ("Identities",)
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    Identities: _containers.RepeatedCompositeFieldContainer[Identity]
    def __init__(self, Identities: _Optional[_Iterable[_Union[Identity, _Mapping]]] = ...) -> None: ...

class IdentityPrecheckResponse(_message.Message):
    __slots__ = ("Result", "Error")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("name", "id", "resourceGroup", "password", "token", "status", "locationName", "tags", "certificates", "tokenExpiry", "clientType", "cloudFqdn", "cloudPort", "cloudAuthPort", "authType", "revoked", "autoRotate", "loginFilePath", "tokenExpiryInSeconds")
    class CertificatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCEGROUP_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LOCATIONNAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    TOKENEXPIRY_FIELD_NUMBER: _ClassVar[int]
    CLIENTTYPE_FIELD_NUMBER: _ClassVar[int]
    CLOUDFQDN_FIELD_NUMBER: _ClassVar[int]
    CLOUDPORT_FIELD_NUMBER: _ClassVar[int]
    CLOUDAUTHPORT_FIELD_NUMBER: _ClassVar[int]
    AUTHTYPE_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    AUTOROTATE_FIELD_NUMBER: _ClassVar[int]
    LOGINFILEPATH_FIELD_NUMBER: _ClassVar[int]
    TOKENEXPIRYINSECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    resourceGroup: str
    password: str
    token: str
    status: _common_pb2.Status
    locationName: str
    tags: _common_pb2.Tags
    certificates: _containers.ScalarMap[str, str]
    tokenExpiry: int
    clientType: _common_pb2.ClientType
    cloudFqdn: str
    cloudPort: int
    cloudAuthPort: int
    authType: _common_pb2.AuthenticationType
    revoked: bool
    autoRotate: bool
    loginFilePath: str
    tokenExpiryInSeconds: int
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., resourceGroup: _Optional[str] = ..., password: _Optional[str] = ..., token: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.Status, _Mapping]] = ..., locationName: _Optional[str] = ..., tags: _Optional[_Union[_common_pb2.Tags, _Mapping]] = ..., certificates: _Optional[_Mapping[str, str]] = ..., tokenExpiry: _Optional[int] = ..., clientType: _Optional[_Union[_common_pb2.ClientType, str]] = ..., cloudFqdn: _Optional[str] = ..., cloudPort: _Optional[int] = ..., cloudAuthPort: _Optional[int] = ..., authType: _Optional[_Union[_common_pb2.AuthenticationType, str]] = ..., revoked: _Optional[bool] = ..., autoRotate: _Optional[bool] = ..., loginFilePath: _Optional[str] = ..., tokenExpiryInSeconds: _Optional[int] = ...) -> None: ...
