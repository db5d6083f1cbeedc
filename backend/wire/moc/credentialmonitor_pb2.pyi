from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CertificateStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Single: _ClassVar[CertificateStatus]
    Overlap: _ClassVar[CertificateStatus]
Single: CertificateStatus
Overlap: CertificateStatus

class CredentialMonitorRequest(_message.Message):
    __slots__ = ("CredentialMonitor",)
    CREDENTIALMONITOR_FIELD_NUMBER: _ClassVar[int]
    CredentialMonitor: CredentialMonitor
    def __init__(self, CredentialMonitor: _Optional[_Union[CredentialMonitor, _Mapping]] = ...) -> None: ...

class CredentialMonitorResponse(_message.Message):
    __slots__ = ("CredentialMonitor", "Error")
    CREDENTIALMONITOR_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CredentialMonitor: CredentialMonitor
    Error: str
    def __init__(self, CredentialMonitor: _Optional[_Union[CredentialMonitor, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class CredentialMonitor(_message.Message):
    __slots__ = ("certificate", "status")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    certificate: str
    status: CertificateStatus
    def __init__(self, certificate: _Optional[str] = ..., status: _Optional[_Union[CertificateStatus, str]] = ...) -> None: ...
