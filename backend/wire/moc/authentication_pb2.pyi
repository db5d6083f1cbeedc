from backend.wire.moc import identity_pb2 as _identity_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuthenticationRequest(_message.Message):
    __slots__ = ("Identity",)
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    Identity: _identity_pb2.Identity
    def __init__(self, Identity: _Optional[_Union[_identity_pb2.Identity, _Mapping]] = ...) -> None: ...

class AuthenticationResponse(_message.Message):
    __slots__ = ("Token", "Result", "Error")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Token: str
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Token: _Optional[str] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...
