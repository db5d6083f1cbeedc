from backend.wire.mocdeck.v1 import fleet_pb2 as _fleet_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeliveryListRequest(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class DeliveryList(_message.Message):
    __slots__ = ("clients", "owed", "agent_time")
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    AGENT_TIME_FIELD_NUMBER: _ClassVar[int]
    clients: _containers.RepeatedCompositeFieldContainer[DeliveryClient]
    owed: _containers.RepeatedCompositeFieldContainer[OwedDelivery]
    agent_time: int
    def __init__(self, clients: _Optional[_Iterable[_Union[DeliveryClient, _Mapping]]] = ..., owed: _Optional[_Iterable[_Union[OwedDelivery, _Mapping]]] = ..., agent_time: _Optional[int] = ...) -> None: ...

class DeliveryClient(_message.Message):
    __slots__ = ("name", "cluster", "kind", "route", "places")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    name: str
    cluster: str
    kind: str
    route: str
    places: _containers.RepeatedCompositeFieldContainer[_fleet_pb2.DeliveryPlace]
    def __init__(self, name: _Optional[str] = ..., cluster: _Optional[str] = ..., kind: _Optional[str] = ..., route: _Optional[str] = ..., places: _Optional[_Iterable[_Union[_fleet_pb2.DeliveryPlace, _Mapping]]] = ...) -> None: ...

class OwedDelivery(_message.Message):
    __slots__ = ("name", "route", "place", "created_at", "attempts", "tried_at", "last_error", "operation_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    TRIED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    route: str
    place: str
    created_at: int
    attempts: int
    tried_at: int
    last_error: str
    operation_id: str
    def __init__(self, name: _Optional[str] = ..., route: _Optional[str] = ..., place: _Optional[str] = ..., created_at: _Optional[int] = ..., attempts: _Optional[int] = ..., tried_at: _Optional[int] = ..., last_error: _Optional[str] = ..., operation_id: _Optional[str] = ...) -> None: ...
