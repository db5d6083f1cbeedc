from backend.wire.moc import common_pb2 as _common_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Algorithm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    A_UNKNOWN: _ClassVar[Algorithm]
    RSA15: _ClassVar[Algorithm]
    RSAOAEP: _ClassVar[Algorithm]
    RSAOAEP256: _ClassVar[Algorithm]
    A256KW: _ClassVar[Algorithm]
    A256CBC: _ClassVar[Algorithm]

class JSONWebKeySignatureAlgorithm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RSNULL: _ClassVar[JSONWebKeySignatureAlgorithm]
    ES256: _ClassVar[JSONWebKeySignatureAlgorithm]
    ES256K: _ClassVar[JSONWebKeySignatureAlgorithm]
    ES384: _ClassVar[JSONWebKeySignatureAlgorithm]
    ES512: _ClassVar[JSONWebKeySignatureAlgorithm]
    PS256: _ClassVar[JSONWebKeySignatureAlgorithm]
    PS384: _ClassVar[JSONWebKeySignatureAlgorithm]
    PS512: _ClassVar[JSONWebKeySignatureAlgorithm]
    RS256: _ClassVar[JSONWebKeySignatureAlgorithm]
    RS384: _ClassVar[JSONWebKeySignatureAlgorithm]
    RS512: _ClassVar[JSONWebKeySignatureAlgorithm]

class KeyOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCRYPT: _ClassVar[KeyOperation]
    DECRYPT: _ClassVar[KeyOperation]
    WRAPKEY: _ClassVar[KeyOperation]
    UNWRAPKEY: _ClassVar[KeyOperation]
    SIGN: _ClassVar[KeyOperation]
    VERIFY: _ClassVar[KeyOperation]

class JsonWebKeyType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EC: _ClassVar[JsonWebKeyType]
    EC_HSM: _ClassVar[JsonWebKeyType]
    RSA: _ClassVar[JsonWebKeyType]
    RSA_HSM: _ClassVar[JsonWebKeyType]
    OCT: _ClassVar[JsonWebKeyType]
    AES: _ClassVar[JsonWebKeyType]

class JsonWebKeyCurveName(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    P_256: _ClassVar[JsonWebKeyCurveName]
    P_256K: _ClassVar[JsonWebKeyCurveName]
    P_384: _ClassVar[JsonWebKeyCurveName]
    P_521: _ClassVar[JsonWebKeyCurveName]

class KeySize(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    K_UNKNOWN: _ClassVar[KeySize]
    _256: _ClassVar[KeySize]
    _2048: _ClassVar[KeySize]
    _3072: _ClassVar[KeySize]
    _4096: _ClassVar[KeySize]

class IdentityOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVOKE: _ClassVar[IdentityOperation]
    ROTATE: _ClassVar[IdentityOperation]

class IdentityCertificateOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CREATE_CERTIFICATE: _ClassVar[IdentityCertificateOperation]
    RENEW_CERTIFICATE: _ClassVar[IdentityCertificateOperation]

class KeyWrappingAlgorithm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CKM_RSA_AES_KEY_WRAP: _ClassVar[KeyWrappingAlgorithm]
    RSA_AES_KEY_WRAP_256: _ClassVar[KeyWrappingAlgorithm]
    RSA_AES_KEY_WRAP_384: _ClassVar[KeyWrappingAlgorithm]
    NO_KEY_WRAP: _ClassVar[KeyWrappingAlgorithm]
A_UNKNOWN: Algorithm
RSA15: Algorithm
RSAOAEP: Algorithm
RSAOAEP256: Algorithm
A256KW: Algorithm
A256CBC: Algorithm
RSNULL: JSONWebKeySignatureAlgorithm
ES256: JSONWebKeySignatureAlgorithm
ES256K: JSONWebKeySignatureAlgorithm
ES384: JSONWebKeySignatureAlgorithm
ES512: JSONWebKeySignatureAlgorithm
PS256: JSONWebKeySignatureAlgorithm
PS384: JSONWebKeySignatureAlgorithm
PS512: JSONWebKeySignatureAlgorithm
RS256: JSONWebKeySignatureAlgorithm
RS384: JSONWebKeySignatureAlgorithm
RS512: JSONWebKeySignatureAlgorithm
ENCRYPT: KeyOperation
DECRYPT: KeyOperation
WRAPKEY: KeyOperation
UNWRAPKEY: KeyOperation
SIGN: KeyOperation
VERIFY: KeyOperation
EC: JsonWebKeyType
EC_HSM: JsonWebKeyType
RSA: JsonWebKeyType
RSA_HSM: JsonWebKeyType
OCT: JsonWebKeyType
AES: JsonWebKeyType
P_256: JsonWebKeyCurveName
P_256K: JsonWebKeyCurveName
P_384: JsonWebKeyCurveName
P_521: JsonWebKeyCurveName
K_UNKNOWN: KeySize
_256: KeySize
_2048: KeySize
_3072: KeySize
_4096: KeySize
REVOKE: IdentityOperation
ROTATE: IdentityOperation
CREATE_CERTIFICATE: IdentityCertificateOperation
RENEW_CERTIFICATE: IdentityCertificateOperation
CKM_RSA_AES_KEY_WRAP: KeyWrappingAlgorithm
RSA_AES_KEY_WRAP_256: KeyWrappingAlgorithm
RSA_AES_KEY_WRAP_384: KeyWrappingAlgorithm
NO_KEY_WRAP: KeyWrappingAlgorithm

class Scope(_message.Message):
    __slots__ = ("location", "resourceGroup", "providerType", "resource")
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    RESOURCEGROUP_FIELD_NUMBER: _ClassVar[int]
    PROVIDERTYPE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    location: str
    resourceGroup: str
    providerType: _common_pb2.ProviderType
    resource: str
    def __init__(self, location: _Optional[str] = ..., resourceGroup: _Optional[str] = ..., providerType: _Optional[_Union[_common_pb2.ProviderType, str]] = ..., resource: _Optional[str] = ...) -> None: ...

class PrivateKeyWrappingInfo(_message.Message):
    __slots__ = ("WrappingKeyName", "WrappingKeyPublic", "WrappingAlgorithm")
    WRAPPINGKEYNAME_FIELD_NUMBER: _ClassVar[int]
    WRAPPINGKEYPUBLIC_FIELD_NUMBER: _ClassVar[int]
    WRAPPINGALGORITHM_FIELD_NUMBER: _ClassVar[int]
    WrappingKeyName: str
    WrappingKeyPublic: bytes
    WrappingAlgorithm: KeyWrappingAlgorithm
    def __init__(self, WrappingKeyName: _Optional[str] = ..., WrappingKeyPublic: _Optional[bytes] = ..., WrappingAlgorithm: _Optional[_Union[KeyWrappingAlgorithm, str]] = ...) -> None: ...

class SignVerifyParams(_message.Message):
    __slots__ = ("algorithm", "signature")
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    algorithm: JSONWebKeySignatureAlgorithm
    signature: str
    def __init__(self, algorithm: _Optional[_Union[JSONWebKeySignatureAlgorithm, str]] = ..., signature: _Optional[str] = ...) -> None: ...
