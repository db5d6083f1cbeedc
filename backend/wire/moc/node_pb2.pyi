from backend.wire.moc import common_pb2 as _common_pb2
from backend.wire.moc import nodeinfo_pb2 as _nodeinfo_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NodeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Unknown: _ClassVar[NodeState]
    Active: _ClassVar[NodeState]
    Inactive: _ClassVar[NodeState]
    Poweroff: _ClassVar[NodeState]
Unknown: NodeState
Active: NodeState
Inactive: NodeState
Poweroff: NodeState

class NodeRequest(_message.Message):
    __slots__ = ("Nodes", "OperationType")
    NODES_FIELD_NUMBER: _ClassVar[int]
    OPERATIONTYPE_FIELD_NUMBER: _ClassVar[int]
    Nodes: _containers.RepeatedCompositeFieldContainer[Node]
    OperationType: _common_pb2.Operation
    def __init__(self, Nodes: _Optional[_Iterable[_Union[Node, _Mapping]]] = ..., OperationType: _Optional[_Union[_common_pb2.Operation, str]] = ...) -> None: ...

class NodeResponse(_message.Message):
    __slots__ = ("Nodes", "Result", "Error")
    NODES_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    Nodes: _containers.RepeatedCompositeFieldContainer[Node]
    Result: _wrappers_pb2.BoolValue
    Error: str
    def __init__(self, Nodes: _Optional[_Iterable[_Union[Node, _Mapping]]] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ...) -> None: ...

class Node(_message.Message):
    __slots__ = ("name", "id", "fqdn", "status", "locationName", "certificate", "port", "authorizerPort", "runningState", "info", "tags")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    FQDN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LOCATIONNAME_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZERPORT_FIELD_NUMBER: _ClassVar[int]
    RUNNINGSTATE_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    fqdn: str
    status: _common_pb2.Status
    locationName: str
    certificate: str
    port: int
    authorizerPort: int
    runningState: NodeState
    info: _nodeinfo_pb2.NodeInfo
    tags: _common_pb2.Tags
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., fqdn: _Optional[str] = ..., status: _Optional[_Union[_common_pb2.Status, _Mapping]] = ..., locationName: _Optional[str] = ..., certificate: _Optional[str] = ..., port: _Optional[int] = ..., authorizerPort: _Optional[int] = ..., runningState: _Optional[_Union[NodeState, str]] = ..., info: _Optional[_Union[_nodeinfo_pb2.NodeInfo, _Mapping]] = ..., tags: _Optional[_Union[_common_pb2.Tags, _Mapping]] = ...) -> None: ...
