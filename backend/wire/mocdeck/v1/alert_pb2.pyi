from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AlertListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AlertList(_message.Message):
    __slots__ = ("alerts", "silences", "sinks", "agent_time")
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    SILENCES_FIELD_NUMBER: _ClassVar[int]
    SINKS_FIELD_NUMBER: _ClassVar[int]
    AGENT_TIME_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[AlertRow]
    silences: _containers.RepeatedCompositeFieldContainer[AlertSilence]
    sinks: _containers.RepeatedCompositeFieldContainer[AlertSink]
    agent_time: int
    def __init__(self, alerts: _Optional[_Iterable[_Union[AlertRow, _Mapping]]] = ..., silences: _Optional[_Iterable[_Union[AlertSilence, _Mapping]]] = ..., sinks: _Optional[_Iterable[_Union[AlertSink, _Mapping]]] = ..., agent_time: _Optional[int] = ...) -> None: ...

class AlertRow(_message.Message):
    __slots__ = ("entity", "name", "cluster", "severity", "state", "summary", "next_step", "raised_at", "since_at", "told", "told_at", "held")
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_FIELD_NUMBER: _ClassVar[int]
    SINCE_AT_FIELD_NUMBER: _ClassVar[int]
    TOLD_FIELD_NUMBER: _ClassVar[int]
    TOLD_AT_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    entity: str
    name: str
    cluster: str
    severity: str
    state: str
    summary: str
    next_step: str
    raised_at: int
    since_at: int
    told: str
    told_at: int
    held: str
    def __init__(self, entity: _Optional[str] = ..., name: _Optional[str] = ..., cluster: _Optional[str] = ..., severity: _Optional[str] = ..., state: _Optional[str] = ..., summary: _Optional[str] = ..., next_step: _Optional[str] = ..., raised_at: _Optional[int] = ..., since_at: _Optional[int] = ..., told: _Optional[str] = ..., told_at: _Optional[int] = ..., held: _Optional[str] = ...) -> None: ...

class AlertSilence(_message.Message):
    __slots__ = ("subject", "name", "acknowledgement", "until", "ceiling", "actor", "reason", "made_at")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    CEILING_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_FIELD_NUMBER: _ClassVar[int]
    subject: str
    name: str
    acknowledgement: bool
    until: int
    ceiling: str
    actor: str
    reason: str
    made_at: int
    def __init__(self, subject: _Optional[str] = ..., name: _Optional[str] = ..., acknowledgement: _Optional[bool] = ..., until: _Optional[int] = ..., ceiling: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., made_at: _Optional[int] = ...) -> None: ...

class AlertSink(_message.Message):
    __slots__ = ("name", "owed", "deliveries", "failures", "failing_since_at", "last_error", "tried_at", "sent_at", "next_at")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    FAILING_SINCE_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    TRIED_AT_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    owed: int
    deliveries: int
    failures: int
    failing_since_at: int
    last_error: str
    tried_at: int
    sent_at: int
    next_at: int
    def __init__(self, name: _Optional[str] = ..., owed: _Optional[int] = ..., deliveries: _Optional[int] = ..., failures: _Optional[int] = ..., failing_since_at: _Optional[int] = ..., last_error: _Optional[str] = ..., tried_at: _Optional[int] = ..., sent_at: _Optional[int] = ..., next_at: _Optional[int] = ...) -> None: ...

class AcknowledgeRequest(_message.Message):
    __slots__ = ("name", "until", "reason", "origin")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    until: int
    reason: str
    origin: str
    def __init__(self, name: _Optional[str] = ..., until: _Optional[int] = ..., reason: _Optional[str] = ..., origin: _Optional[str] = ...) -> None: ...

class SilenceRequest(_message.Message):
    __slots__ = ("name", "is_cluster", "until", "reason", "origin")
    NAME_FIELD_NUMBER: _ClassVar[int]
    IS_CLUSTER_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    is_cluster: bool
    until: int
    reason: str
    origin: str
    def __init__(self, name: _Optional[str] = ..., is_cluster: _Optional[bool] = ..., until: _Optional[int] = ..., reason: _Optional[str] = ..., origin: _Optional[str] = ...) -> None: ...

class AlertTestRequest(_message.Message):
    __slots__ = ("sink", "origin")
    SINK_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    sink: str
    origin: str
    def __init__(self, sink: _Optional[str] = ..., origin: _Optional[str] = ...) -> None: ...

class AlertTest(_message.Message):
    __slots__ = ("sinks",)
    SINKS_FIELD_NUMBER: _ClassVar[int]
    sinks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sinks: _Optional[_Iterable[str]] = ...) -> None: ...
