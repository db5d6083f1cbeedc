from backend.wire.mocdeck.v1 import trust_pb2 as _trust_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CanaryKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANARY_NONE: _ClassVar[CanaryKind]
    CANARY_TRUST: _ClassVar[CanaryKind]
    CANARY_NEGATIVE: _ClassVar[CanaryKind]
    CANARY_NAME: _ClassVar[CanaryKind]

class OrderKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_NONE: _ClassVar[OrderKind]
    RENEW_NOW: _ClassVar[OrderKind]
    SIGN_IN_NOW: _ClassVar[OrderKind]
    TAKE_TOKEN: _ClassVar[OrderKind]
CANARY_NONE: CanaryKind
CANARY_TRUST: CanaryKind
CANARY_NEGATIVE: CanaryKind
CANARY_NAME: CanaryKind
ORDER_NONE: OrderKind
RENEW_NOW: OrderKind
SIGN_IN_NOW: OrderKind
TAKE_TOKEN: OrderKind

class BeatRequest(_message.Message):
    __slots__ = ("serial", "epoch", "clock", "loop_alive", "last_error", "interval", "version", "token_id", "can_store_token", "done_order", "canary_report", "renews_itself")
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    LOOP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    CAN_STORE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DONE_ORDER_FIELD_NUMBER: _ClassVar[int]
    CANARY_REPORT_FIELD_NUMBER: _ClassVar[int]
    RENEWS_ITSELF_FIELD_NUMBER: _ClassVar[int]
    serial: str
    epoch: int
    clock: int
    loop_alive: bool
    last_error: str
    interval: int
    version: str
    token_id: str
    can_store_token: bool
    done_order: str
    canary_report: CanaryReport
    renews_itself: bool
    def __init__(self, serial: _Optional[str] = ..., epoch: _Optional[int] = ..., clock: _Optional[int] = ..., loop_alive: _Optional[bool] = ..., last_error: _Optional[str] = ..., interval: _Optional[int] = ..., version: _Optional[str] = ..., token_id: _Optional[str] = ..., can_store_token: _Optional[bool] = ..., done_order: _Optional[str] = ..., canary_report: _Optional[_Union[CanaryReport, _Mapping]] = ..., renews_itself: _Optional[bool] = ...) -> None: ...

class BeatReply(_message.Message):
    __slots__ = ("agent_time", "interval", "epoch", "bundle_pem", "order", "login_token", "canary_task", "chain")
    AGENT_TIME_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_PEM_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    LOGIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CANARY_TASK_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    agent_time: int
    interval: int
    epoch: int
    bundle_pem: str
    order: Order
    login_token: str
    canary_task: CanaryTask
    chain: _containers.RepeatedCompositeFieldContainer[_trust_pb2.BundleLink]
    def __init__(self, agent_time: _Optional[int] = ..., interval: _Optional[int] = ..., epoch: _Optional[int] = ..., bundle_pem: _Optional[str] = ..., order: _Optional[_Union[Order, _Mapping]] = ..., login_token: _Optional[str] = ..., canary_task: _Optional[_Union[CanaryTask, _Mapping]] = ..., chain: _Optional[_Iterable[_Union[_trust_pb2.BundleLink, _Mapping]]] = ...) -> None: ...

class CanaryTask(_message.Message):
    __slots__ = ("rotation_id", "port", "nonce", "doors", "rehearsal_root_pem")
    ROTATION_ID_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    DOORS_FIELD_NUMBER: _ClassVar[int]
    REHEARSAL_ROOT_PEM_FIELD_NUMBER: _ClassVar[int]
    rotation_id: str
    port: int
    nonce: str
    doors: _containers.RepeatedCompositeFieldContainer[CanaryDoor]
    rehearsal_root_pem: str
    def __init__(self, rotation_id: _Optional[str] = ..., port: _Optional[int] = ..., nonce: _Optional[str] = ..., doors: _Optional[_Iterable[_Union[CanaryDoor, _Mapping]]] = ..., rehearsal_root_pem: _Optional[str] = ...) -> None: ...

class CanaryDoor(_message.Message):
    __slots__ = ("kind", "server_name")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    kind: CanaryKind
    server_name: str
    def __init__(self, kind: _Optional[_Union[CanaryKind, str]] = ..., server_name: _Optional[str] = ...) -> None: ...

class CanaryReport(_message.Message):
    __slots__ = ("rotation_id", "results")
    ROTATION_ID_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    rotation_id: str
    results: _containers.RepeatedCompositeFieldContainer[CanaryResult]
    def __init__(self, rotation_id: _Optional[str] = ..., results: _Optional[_Iterable[_Union[CanaryResult, _Mapping]]] = ...) -> None: ...

class CanaryResult(_message.Message):
    __slots__ = ("kind", "opened", "failure")
    KIND_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    kind: CanaryKind
    opened: bool
    failure: str
    def __init__(self, kind: _Optional[_Union[CanaryKind, str]] = ..., opened: _Optional[bool] = ..., failure: _Optional[str] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("id", "kind")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: OrderKind
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[OrderKind, str]] = ...) -> None: ...
