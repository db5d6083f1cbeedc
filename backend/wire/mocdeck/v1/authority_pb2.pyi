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
    ADVANCE: _ClassVar[RotationMove]
    AUTOMATIC: _ClassVar[RotationMove]
    HOLD: _ClassVar[RotationMove]
    ROLL_BACK: _ClassVar[RotationMove]
    WAIVE: _ClassVar[RotationMove]
    WRITE_OFF: _ClassVar[RotationMove]
MOVE_UNSPECIFIED: RotationMove
PROCEED: RotationMove
ABORT: RotationMove
FINISH: RotationMove
ADVANCE: RotationMove
AUTOMATIC: RotationMove
HOLD: RotationMove
ROLL_BACK: RotationMove
WAIVE: RotationMove
WRITE_OFF: RotationMove

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
    __slots__ = ("kind", "automatic", "shadow_seconds", "quiet_seconds", "stop_percent")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    SHADOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    QUIET_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STOP_PERCENT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    automatic: bool
    shadow_seconds: int
    quiet_seconds: int
    stop_percent: int
    def __init__(self, kind: _Optional[str] = ..., automatic: _Optional[bool] = ..., shadow_seconds: _Optional[int] = ..., quiet_seconds: _Optional[int] = ..., stop_percent: _Optional[int] = ...) -> None: ...

class RotationPlan(_message.Message):
    __slots__ = ("id", "hash", "made_at", "expires_at", "deployment", "from_generation", "to_generation", "checks", "clients", "duration", "by_itself", "by_file", "by_hand", "already_out", "kind", "by_cross", "silent", "automatic", "shadow_seconds", "quiet_seconds", "stop_percent", "wants_approval")
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
    KIND_FIELD_NUMBER: _ClassVar[int]
    BY_CROSS_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    SHADOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    QUIET_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STOP_PERCENT_FIELD_NUMBER: _ClassVar[int]
    WANTS_APPROVAL_FIELD_NUMBER: _ClassVar[int]
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
    kind: str
    by_cross: int
    silent: int
    automatic: bool
    shadow_seconds: int
    quiet_seconds: int
    stop_percent: int
    wants_approval: bool
    def __init__(self, id: _Optional[str] = ..., hash: _Optional[str] = ..., made_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., deployment: _Optional[str] = ..., from_generation: _Optional[int] = ..., to_generation: _Optional[int] = ..., checks: _Optional[_Iterable[_Union[ReadinessCheck, _Mapping]]] = ..., clients: _Optional[_Iterable[_Union[RotationClient, _Mapping]]] = ..., duration: _Optional[str] = ..., by_itself: _Optional[int] = ..., by_file: _Optional[int] = ..., by_hand: _Optional[int] = ..., already_out: _Optional[int] = ..., kind: _Optional[str] = ..., by_cross: _Optional[int] = ..., silent: _Optional[int] = ..., automatic: _Optional[bool] = ..., shadow_seconds: _Optional[int] = ..., quiet_seconds: _Optional[int] = ..., stop_percent: _Optional[int] = ..., wants_approval: _Optional[bool] = ...) -> None: ...

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
    __slots__ = ("name", "cluster", "kind", "route", "why", "state", "since", "lost_at", "returned_at", "last_error", "owner", "after", "level", "level_at", "level_source", "wave", "awaited", "waived", "written_off", "careless", "generation", "would_fail_at", "would_fail_from")
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
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    LEVEL_AT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_SOURCE_FIELD_NUMBER: _ClassVar[int]
    WAVE_FIELD_NUMBER: _ClassVar[int]
    AWAITED_FIELD_NUMBER: _ClassVar[int]
    WAIVED_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_OFF_FIELD_NUMBER: _ClassVar[int]
    CARELESS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    WOULD_FAIL_AT_FIELD_NUMBER: _ClassVar[int]
    WOULD_FAIL_FROM_FIELD_NUMBER: _ClassVar[int]
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
    after: str
    level: str
    level_at: int
    level_source: str
    wave: int
    awaited: bool
    waived: str
    written_off: str
    careless: str
    generation: int
    would_fail_at: int
    would_fail_from: str
    def __init__(self, name: _Optional[str] = ..., cluster: _Optional[str] = ..., kind: _Optional[str] = ..., route: _Optional[str] = ..., why: _Optional[str] = ..., state: _Optional[str] = ..., since: _Optional[int] = ..., lost_at: _Optional[int] = ..., returned_at: _Optional[int] = ..., last_error: _Optional[str] = ..., owner: _Optional[str] = ..., after: _Optional[str] = ..., level: _Optional[str] = ..., level_at: _Optional[int] = ..., level_source: _Optional[str] = ..., wave: _Optional[int] = ..., awaited: _Optional[bool] = ..., waived: _Optional[str] = ..., written_off: _Optional[str] = ..., careless: _Optional[str] = ..., generation: _Optional[int] = ..., would_fail_at: _Optional[int] = ..., would_fail_from: _Optional[str] = ...) -> None: ...

class ApproveRotationRequest(_message.Message):
    __slots__ = ("plan_id", "hash", "deployment")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    hash: str
    deployment: str
    def __init__(self, plan_id: _Optional[str] = ..., hash: _Optional[str] = ..., deployment: _Optional[str] = ...) -> None: ...

class ApproveRotationReply(_message.Message):
    __slots__ = ("approver",)
    APPROVER_FIELD_NUMBER: _ClassVar[int]
    approver: str
    def __init__(self, approver: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("id", "phase", "version", "from_generation", "to_generation", "started_at", "phase_at", "ended_at", "outcome", "clients", "total", "connected", "informed", "lost", "returned", "stuck", "written_off", "gates", "actor", "reason", "deployment", "agent_time", "outage_p50_seconds", "outage_max_seconds", "kind", "cause", "automatic", "held", "levels", "probes", "waves", "would_fail", "epoch", "next_step", "way_back", "rolled_back_from")
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
    KIND_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    WAVES_FIELD_NUMBER: _ClassVar[int]
    WOULD_FAIL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    WAY_BACK_FIELD_NUMBER: _ClassVar[int]
    ROLLED_BACK_FROM_FIELD_NUMBER: _ClassVar[int]
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
    kind: str
    cause: str
    automatic: bool
    held: str
    levels: _containers.RepeatedCompositeFieldContainer[LevelCount]
    probes: _containers.RepeatedCompositeFieldContainer[ProbeCell]
    waves: _containers.RepeatedCompositeFieldContainer[Wave]
    would_fail: _containers.RepeatedScalarFieldContainer[str]
    epoch: int
    next_step: str
    way_back: str
    rolled_back_from: str
    def __init__(self, id: _Optional[str] = ..., phase: _Optional[str] = ..., version: _Optional[int] = ..., from_generation: _Optional[int] = ..., to_generation: _Optional[int] = ..., started_at: _Optional[int] = ..., phase_at: _Optional[int] = ..., ended_at: _Optional[int] = ..., outcome: _Optional[str] = ..., clients: _Optional[_Iterable[_Union[RotationClient, _Mapping]]] = ..., total: _Optional[int] = ..., connected: _Optional[int] = ..., informed: _Optional[int] = ..., lost: _Optional[int] = ..., returned: _Optional[int] = ..., stuck: _Optional[int] = ..., written_off: _Optional[int] = ..., gates: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., deployment: _Optional[str] = ..., agent_time: _Optional[int] = ..., outage_p50_seconds: _Optional[int] = ..., outage_max_seconds: _Optional[int] = ..., kind: _Optional[str] = ..., cause: _Optional[str] = ..., automatic: _Optional[bool] = ..., held: _Optional[str] = ..., levels: _Optional[_Iterable[_Union[LevelCount, _Mapping]]] = ..., probes: _Optional[_Iterable[_Union[ProbeCell, _Mapping]]] = ..., waves: _Optional[_Iterable[_Union[Wave, _Mapping]]] = ..., would_fail: _Optional[_Iterable[str]] = ..., epoch: _Optional[int] = ..., next_step: _Optional[str] = ..., way_back: _Optional[str] = ..., rolled_back_from: _Optional[str] = ...) -> None: ...

class LevelCount(_message.Message):
    __slots__ = ("level", "count")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    level: str
    count: int
    def __init__(self, level: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class ProbeCell(_message.Message):
    __slots__ = ("cell", "expected", "observed", "made", "deviations", "last_at")
    CELL_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    cell: str
    expected: str
    observed: str
    made: int
    deviations: int
    last_at: int
    def __init__(self, cell: _Optional[str] = ..., expected: _Optional[str] = ..., observed: _Optional[str] = ..., made: _Optional[int] = ..., deviations: _Optional[int] = ..., last_at: _Optional[int] = ...) -> None: ...

class Wave(_message.Message):
    __slots__ = ("number", "total", "moved", "failed")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    number: int
    total: int
    moved: int
    failed: int
    def __init__(self, number: _Optional[int] = ..., total: _Optional[int] = ..., moved: _Optional[int] = ..., failed: _Optional[int] = ...) -> None: ...

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
