from backend.wire.moc import common_pb2 as _common_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubPostOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CREATE: _ClassVar[SubPostOperation]
    UPDATE: _ClassVar[SubPostOperation]
    LOCK: _ClassVar[SubPostOperation]
CREATE: SubPostOperation
UPDATE: SubPostOperation
LOCK: SubPostOperation

class GroupRequest(_message.Message):
    __slots__ = ("Groups", "OperationType", "PostOperationType")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    POSTOPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    Groups: _containers.RepeatedCompositeFieldContainer[Group]
    OperationType: _common_pb2.Operation
    PostOperationType: SubPostOperation
    def __init__(self, Groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ..., OperationType: _Optional[_Union[_common_pb2.Operation, str]] = ..., PostOperationType: _Optional[_Union[SubPostOperation, str]] = ...) -> None: ...

class GroupResponse(_message.Message):
    __slots__ = ("Groups", "Result", "Error")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Groups: _containers.RepeatedCompositeFieldContainer[Group]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("name", "id", "status", "locationName", "tags")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LOCATIONNAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    status: _common_pb2.Status
    locationName: str
    tags: _common_pb2.Tags
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.Status, _Mapping]] = ..., locationName: _Optional[str] = ..., tags: _Optional[_Union[_common_pb2.Tags, _Mapping]] = ...) -> None: ...
