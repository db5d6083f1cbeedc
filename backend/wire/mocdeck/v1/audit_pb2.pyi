from backend.wire.mocdeck.v1 import fleet_pb2 as _fleet_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuditListRequest(_message.Message):
    __slots__ = ("after", "limit", "subject")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    after: int
    limit: int
    subject: str
    def __init__(self, after: _Optional[int] = ..., limit: _Optional[int] = ..., subject: _Optional[str] = ...) -> None: ...

class AuditList(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_fleet_pb2.AuditRecord]
    def __init__(self, records: _Optional[_Iterable[_Union[_fleet_pb2.AuditRecord, _Mapping]]] = ...) -> None: ...

class AuditVerifyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AuditVerdict(_message.Message):
    __slots__ = ("intact", "count", "first_bad", "head", "why")
    INTACT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_BAD_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    intact: bool
    count: int
    first_bad: int
    head: str
    why: str
    def __init__(self, intact: _Optional[bool] = ..., count: _Optional[int] = ..., first_bad: _Optional[int] = ..., head: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...
