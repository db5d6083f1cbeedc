from backend.wire.mocdeck.v1 import fleet_pb2 as _fleet_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RotationMove(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MOVE_UNSPECIFIED: _ClassVar[RotationMove]
    PROCEED: _ClassVar[RotationMove]
    ABORT: _ClassVar[RotationMove]
    FINISH: _ClassVar[RotationMove]
MOVE_UNSPECIFIED: RotationMove
PROCEED: RotationMove
ABORT: RotationMove
FINISH: RotationMove

class AuthorityListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AuthorityList(_message.Message):
    __slots__ = ("authorities", "bundle_epoch", "bundle_pem")
    AUTHORITIES_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_EPOCH_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_PEM_FIELD_NUMBER: _ClassVar[int]
    authorities: _containers.RepeatedCompositeFieldContainer[_fleet_pb2.AuthorityRow]
    bundle_epoch: int
    bundle_pem: str
    def __init__(self, authorities: _Optional[_Iterable[_Union[_fleet_pb2.AuthorityRow, _Mapping]]] = ..., bundle_epoch: _Optional[int] = ..., bundle_pem: _Optional[str] = ...) -> None: ...

class PlanRotationRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RotationPlan(_message.Message):
    __slots__ = ("id", "hash", "made_at", "expires_at", "deployment", "from_generation", "to_generation", "checks", "clients", "duration", "by_itself", "by_file", "by_hand", "already_out")
    ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    FROM_GENERATION_FIELD_NUMBER: _ClassVar[int]
    TO_GENERATION_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    BY_ITSELF_FIELD_NUMBER: _ClassVar[int]
    BY_FILE_FIELD_NUMBER: _ClassVar[int]
    BY_HAND_FIELD_NUMBER: _ClassVar[int]
    ALREADY_OUT_FIELD_NUMBER: _ClassVar[int]
    id: str
    hash: str
    made_at: int
    expires_at: int
    deployment: str
    from_generation: int
    to_generation: int
    checks: _containers.RepeatedCompositeFieldContainer[ReadinessCheck]
    clients: _containers.RepeatedCompositeFieldContainer[RotationClient]
    duration: str
    by_itself: int
    by_file: int
    by_hand: int
    already_out: int
    def __init__(self, id: _Optional[str] = ..., hash: _Optional[str] = ..., made_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., deployment: _Optional[str] = ..., from_generation: _Optional[int] = ..., to_generation: _Optional[int] = ..., checks: _Optional[_Iterable[_Union[ReadinessCheck, _Mapping]]] = ..., clients: _Optional[_Iterable[_Union[RotationClient, _Mapping]]] = ..., duration: _Optional[str] = ..., by_itself: _Optional[int] = ..., by_file: _Optional[int] = ..., by_hand: _Optional[int] = ..., already_out: _Optional[int] = ...) -> None: ...

class ReadinessCheck(_message.Message):
    __slots__ = ("test", "category", "result", "details", "recommendation")
    TEST_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATION_FIELD_NUMBER: _ClassVar[int]
    test: str
    category: str
    result: str
    details: str
    recommendation: str
    def __init__(self, test: _Optional[str] = ..., category: _Optional[str] = ..., result: _Optional[str] = ..., details: _Optional[str] = ..., recommendation: _Optional[str] = ...) -> None: ...

class RotationClient(_message.Message):
    __slots__ = ("name", "cluster", "kind", "route", "why", "state", "since", "lost_at", "returned_at", "last_error", "owner")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    LOST_AT_FIELD_NUMBER: _ClassVar[int]
    RETURNED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    name: str
    cluster: str
    kind: str
    route: str
    why: str
    state: str
    since: int
    lost_at: int
    returned_at: int
    last_error: str
    owner: str
    def __init__(self, name: _Optional[str] = ..., cluster: _Optional[str] = ..., kind: _Optional[str] = ..., route: _Optional[str] = ..., why: _Optional[str] = ..., state: _Optional[str] = ..., since: _Optional[int] = ..., lost_at: _Optional[int] = ..., returned_at: _Optional[int] = ..., last_error: _Optional[str] = ..., owner: _Optional[str] = ...) -> None: ...

class StartRotationRequest(_message.Message):
    __slots__ = ("plan_id", "hash", "deployment", "reason", "origin")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    hash: str
    deployment: str
    reason: str
    origin: str
    def __init__(self, plan_id: _Optional[str] = ..., hash: _Optional[str] = ..., deployment: _Optional[str] = ..., reason: _Optional[str] = ..., origin: _Optional[str] = ...) -> None: ...

class RotationRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class Rotation(_message.Message):
    __slots__ = ("id", "phase", "version", "from_generation", "to_generation", "started_at", "phase_at", "ended_at", "outcome", "clients", "total", "connected", "informed", "lost", "returned", "stuck", "written_off", "gates", "actor", "reason", "deployment", "agent_time", "outage_p50_seconds", "outage_max_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FROM_GENERATION_FIELD_NUMBER: _ClassVar[int]
    TO_GENERATION_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    PHASE_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    INFORMED_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    RETURNED_FIELD_NUMBER: _ClassVar[int]
    STUCK_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_FIELD_NUMBER: _ClassVar[int]
    GATES_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    AGENT_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTAGE_P50_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OUTAGE_MAX_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: str
    phase: str
    version: int
    from_generation: int
    to_generation: int
    started_at: int
    phase_at: int
    ended_at: int
    outcome: str
    clients: _containers.RepeatedCompositeFieldContainer[RotationClient]
    total: int
    connected: int
    informed: int
    lost: int
    returned: int
    stuck: int
    written_off: int
    gates: _containers.RepeatedCompositeFieldContainer[Gate]
    actor: str
    reason: str
    deployment: str
    agent_time: int
    outage_p50_seconds: int
    outage_max_seconds: int
    def __init__(self, id: _Optional[str] = ..., phase: _Optional[str] = ..., version: _Optional[int] = ..., from_generation: _Optional[int] = ..., to_generation: _Optional[int] = ..., started_at: _Optional[int] = ..., phase_at: _Optional[int] = ..., ended_at: _Optional[int] = ..., outcome: _Optional[str] = ..., clients: _Optional[_Iterable[_Union[RotationClient, _Mapping]]] = ..., total: _Optional[int] = ..., connected: _Optional[int] = ..., informed: _Optional[int] = ..., lost: _Optional[int] = ..., returned: _Optional[int] = ..., stuck: _Optional[int] = ..., written_off: _Optional[int] = ..., gates: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., deployment: _Optional[str] = ..., agent_time: _Optional[int] = ..., outage_p50_seconds: _Optional[int] = ..., outage_max_seconds: _Optional[int] = ...) -> None: ...

class Gate(_message.Message):
    __slots__ = ("test", "met", "why")
    TEST_FIELD_NUMBER: _ClassVar[int]
    MET_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    test: str
    met: bool
    why: str
    def __init__(self, test: _Optional[str] = ..., met: _Optional[bool] = ..., why: _Optional[str] = ...) -> None: ...

class MoveRotationRequest(_message.Message):
    __slots__ = ("id", "version", "move", "written_off", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MOVE_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: int
    move: RotationMove
    written_off: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., move: _Optional[_Union[RotationMove, str]] = ..., written_off: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ...) -> None: ...

class DestroyAuthorityRequest(_message.Message):
    __slots__ = ("generation", "deployment")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    generation: int
    deployment: str
    def __init__(self, generation: _Optional[int] = ..., deployment: _Optional[str] = ...) -> None: ...
