from backend.wire.moc import common_pb2 as _common_pb2
from backend.wire.moc import nodeinfo_pb2 as _nodeinfo_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HealthRequest(_message.Message):
    __slots__ = ("timeoutSeconds",)
    TIMEOUTSECONDS_FIELD_NUMBER: _ClassVar[int]
    timeoutSeconds: int
    def __init__(self, timeoutSeconds: _Optional[int] = ...) -> None: ...

class HealthResponse(_message.Message):
    __slots__ = ("Result", "Error", "State", "Rebooted")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REBOOTED_FIELD_NUMBER: _ClassVar[int]
    Result: _wrappers_pb2.BoolValue
    Error: str
    State: _common_pb2.HealthState
    Rebooted: bool
    def __init__(self, Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ..., State: _Optional[_Union[_common_pb2.HealthState, str]] = ..., Rebooted: _Optional[bool] = ...) -> None: ...

class AgentInfoResponse(_message.Message):
    __slots__ = ("node", "Result", "Error", "deploymentId")
    NODE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENTID_FIELD_NUMBER: _ClassVar[int]
    node: _nodeinfo_pb2.NodeInfo
    Result: _wrappers_pb2.BoolValue
    Error: str
    deploymentId: str
    def __init__(self, node: _Optional[_Union[_nodeinfo_pb2.NodeInfo, _Mapping]] = ..., Result: _Optional[_Union[_wrappers_pb2.BoolValue, _Mapping]] = ..., Error: _Optional[str] = ..., deploymentId: _Optional[str] = ...) -> None: ...
