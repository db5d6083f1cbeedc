from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class VersionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VersionResponse(_message.Message):
    __slots__ = ("version", "mocversion", "error")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MOCVERSION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    version: str
    mocversion: str
    error: str
    def __init__(self, version: _Optional[str] = ..., mocversion: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...
