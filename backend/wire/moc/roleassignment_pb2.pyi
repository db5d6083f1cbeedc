from backend.wire.moc import common_pb2 as _common_pb2
from backend.wire.moc import security_pb2 as _security_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RoleAssignmentRequest(_message.Message):
    __slots__ = ("roleAssignments", "OperationType")
    ROLEASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    roleAssignments: _containers.RepeatedCompositeFieldContainer[RoleAssignment]
    OperationType: _common_pb2.Operation
    def __init__(self, roleAssignments: _Optional[_Iterable[_Union[RoleAssignment, _Mapping]]] = ..., OperationType: _Optional[_Union[_common_pb2.Operation, str]] = ...) -> None: ...

class RoleAssignmentResponse(_message.Message):
    __slots__ = ("roleAssignments", "Result", "Error")
    ROLEASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    roleAssignments: _containers.RepeatedCompositeFieldContainer[RoleAssignment]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, roleAssignments: _Optional[_Iterable[_Union[RoleAssignment, _Mapping]]] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class RoleAssignment(_message.Message):
    __slots__ = ("name", "id", "roleName", "scope", "identityName", "status", "tags")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ROLENAME_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    IDENTITYNAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    roleName: str
    scope: _security_pb2.Scope
    identityName: str
    status: _common_pb2.Status
    tags: _common_pb2.Tags
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., roleName: _Optional[str] = ..., scope: _Optional[_Union[_security_pb2.Scope, _Mapping]] = ..., identityName: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.Status, _Mapping]] = ..., tags: _Optional[_Union[_common_pb2.Tags, _Mapping]] = ...) -> None: ...
