from backend.wire.moc import common_pb2 as _common_pb2
from backend.wire.moc import security_pb2 as _security_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GeneralAccessOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Unspecified: _ClassVar[GeneralAccessOperation]
    Read: _ClassVar[GeneralAccessOperation]
    Write: _ClassVar[GeneralAccessOperation]
    Delete: _ClassVar[GeneralAccessOperation]
    All: _ClassVar[GeneralAccessOperation]
    ProviderAction: _ClassVar[GeneralAccessOperation]

class AccessOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBSOLETE_Read: _ClassVar[AccessOperation]
    OBSOLETE_Write: _ClassVar[AccessOperation]
    OBSOLETE_Delete: _ClassVar[AccessOperation]
    OBSOLETE_All: _ClassVar[AccessOperation]
Unspecified: GeneralAccessOperation
Read: GeneralAccessOperation
Write: GeneralAccessOperation
Delete: GeneralAccessOperation
All: GeneralAccessOperation
ProviderAction: GeneralAccessOperation
OBSOLETE_Read: AccessOperation
OBSOLETE_Write: AccessOperation
OBSOLETE_Delete: AccessOperation
OBSOLETE_All: AccessOperation

class RoleRequest(_message.Message):
    __slots__ = ("Roles", "OperationType")
    ROLES_FIELD_NUMBER: _ClassVar[int]
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    Roles: _containers.RepeatedCompositeFieldContainer[Role]
    OperationType: _common_pb2.Operation
    def __init__(self, Roles: _Optional[_Iterable[_Union[Role, _Mapping]]] = ..., OperationType: _Optional[_Union[_common_pb2.Operation, str]] = ...) -> None: ...

class RoleResponse(_message.Message):
    __slots__ = ("Roles", "Result", "Error")
    ROLES_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Roles: _containers.RepeatedCompositeFieldContainer[Role]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Roles: _Optional[_Iterable[_Union[Role, _Mapping]]] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class Action(_message.Message):
    __slots__ = ("operation", "providerType", "generalOperation", "providerOperation")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PROVIDERTYPE_FIELD_NUMBER: _ClassVar[int]
    GENERALOPERATION_FIELD_NUMBER: _ClassVar[int]
    PROVIDEROPERATION_FIELD_NUMBER: _ClassVar[int]
    operation: AccessOperation
    providerType: _common_pb2.ProviderType
    generalOperation: GeneralAccessOperation
    providerOperation: _common_pb2.ProviderAccessOperation
    def __init__(self, operation: _Optional[_Union[AccessOperation, str]] = ..., providerType: _Optional[_Union[_common_pb2.ProviderType, str]] = ..., generalOperation: _Optional[_Union[GeneralAccessOperation, str]] = ..., providerOperation: _Optional[_Union[_common_pb2.ProviderAccessOperation, str]] = ...) -> None: ...

class Permission(_message.Message):
    __slots__ = ("actions", "notActions")
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    NOTACTIONS_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    notActions: _containers.RepeatedCompositeFieldContainer[Action]
    def __init__(self, actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., notActions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ...) -> None: ...

class Role(_message.Message):
    __slots__ = ("name", "id", "assignableScopes", "permissions", "status", "tags")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSIGNABLESCOPES_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    assignableScopes: _containers.RepeatedCompositeFieldContainer[_security_pb2.Scope]
    permissions: _containers.RepeatedCompositeFieldContainer[Permission]
    status: _common_pb2.Status
    tags: _common_pb2.Tags
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., assignableScopes: _Optional[_Iterable[_Union[_security_pb2.Scope, _Mapping]]] = ..., permissions: _Optional[_Iterable[_Union[Permission, _Mapping]]] = ..., status: _Optional[_Union[_common_pb2.Status, _Mapping]] = ..., tags: _Optional[_Union[_common_pb2.Tags, _Mapping]] = ...) -> None: ...
