from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_UNSPECIFIED: _ClassVar[ActionKind]
    RENEW: _ClassVar[ActionKind]
    ROTATE_TOKEN: _ClassVar[ActionKind]
    REPAIR: _ClassVar[ActionKind]
    UPDATE: _ClassVar[ActionKind]
ACTION_UNSPECIFIED: ActionKind
RENEW: ActionKind
ROTATE_TOKEN: ActionKind
REPAIR: ActionKind
UPDATE: ActionKind

class UpdateScope(_message.Message):
    __slots__ = ("management", "cluster", "patch_load_balancer")
    MANAGEMENT_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    PATCH_LOAD_BALANCER_FIELD_NUMBER: _ClassVar[int]
    management: bool
    cluster: str
    patch_load_balancer: bool
    def __init__(self, management: _Optional[bool] = ..., cluster: _Optional[str] = ..., patch_load_balancer: _Optional[bool] = ...) -> None: ...

class PlanRequest(_message.Message):
    __slots__ = ("action", "names", "force", "reason", "overlap_seconds", "parallel", "update", "max_failures", "resumes")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PARALLEL_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILURES_FIELD_NUMBER: _ClassVar[int]
    RESUMES_FIELD_NUMBER: _ClassVar[int]
    action: ActionKind
    names: _containers.RepeatedScalarFieldContainer[str]
    force: bool
    reason: str
    overlap_seconds: int
    parallel: int
    update: UpdateScope
    max_failures: int
    resumes: str
    def __init__(self, action: _Optional[_Union[ActionKind, str]] = ..., names: _Optional[_Iterable[str]] = ..., force: _Optional[bool] = ..., reason: _Optional[str] = ..., overlap_seconds: _Optional[int] = ..., parallel: _Optional[int] = ..., update: _Optional[_Union[UpdateScope, _Mapping]] = ..., max_failures: _Optional[int] = ..., resumes: _Optional[str] = ...) -> None: ...

class Plan(_message.Message):
    __slots__ = ("id", "action", "hash", "made_at", "expires_at", "targets", "warnings", "runs", "parallel", "force", "reason", "max_failures", "resumes")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    PARALLEL_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILURES_FIELD_NUMBER: _ClassVar[int]
    RESUMES_FIELD_NUMBER: _ClassVar[int]
    id: str
    action: ActionKind
    hash: str
    made_at: int
    expires_at: int
    targets: _containers.RepeatedCompositeFieldContainer[PlanTarget]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    runs: int
    parallel: int
    force: bool
    reason: str
    max_failures: int
    resumes: str
    def __init__(self, id: _Optional[str] = ..., action: _Optional[_Union[ActionKind, str]] = ..., hash: _Optional[str] = ..., made_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., targets: _Optional[_Iterable[_Union[PlanTarget, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ..., runs: _Optional[int] = ..., parallel: _Optional[int] = ..., force: _Optional[bool] = ..., reason: _Optional[str] = ..., max_failures: _Optional[int] = ..., resumes: _Optional[str] = ...) -> None: ...

class PlanTarget(_message.Message):
    __slots__ = ("name", "number", "cluster", "kind", "runs", "why", "route", "steps", "certificate_now", "certificate_then", "token_now", "token_then", "downtime", "route_why")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_NOW_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_THEN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_NOW_FIELD_NUMBER: _ClassVar[int]
    TOKEN_THEN_FIELD_NUMBER: _ClassVar[int]
    DOWNTIME_FIELD_NUMBER: _ClassVar[int]
    ROUTE_WHY_FIELD_NUMBER: _ClassVar[int]
    name: str
    number: int
    cluster: str
    kind: str
    runs: bool
    why: str
    route: str
    steps: _containers.RepeatedScalarFieldContainer[str]
    certificate_now: int
    certificate_then: int
    token_now: int
    token_then: int
    downtime: str
    route_why: str
    def __init__(self, name: _Optional[str] = ..., number: _Optional[int] = ..., cluster: _Optional[str] = ..., kind: _Optional[str] = ..., runs: _Optional[bool] = ..., why: _Optional[str] = ..., route: _Optional[str] = ..., steps: _Optional[_Iterable[str]] = ..., certificate_now: _Optional[int] = ..., certificate_then: _Optional[int] = ..., token_now: _Optional[int] = ..., token_then: _Optional[int] = ..., downtime: _Optional[str] = ..., route_why: _Optional[str] = ...) -> None: ...

class StartRequest(_message.Message):
    __slots__ = ("plan_id", "hash", "origin")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    hash: str
    origin: str
    def __init__(self, plan_id: _Optional[str] = ..., hash: _Optional[str] = ..., origin: _Optional[str] = ...) -> None: ...

class OperationRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class OperationListRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class OperationList(_message.Message):
    __slots__ = ("operations",)
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedCompositeFieldContainer[Operation]
    def __init__(self, operations: _Optional[_Iterable[_Union[Operation, _Mapping]]] = ...) -> None: ...

class Operation(_message.Message):
    __slots__ = ("id", "plan_id", "action", "state", "actor", "started_at", "ended_at", "targets", "total", "done", "failed", "running", "waiting", "skipped", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    plan_id: str
    action: ActionKind
    state: str
    actor: str
    started_at: int
    ended_at: int
    targets: _containers.RepeatedCompositeFieldContainer[OperationTarget]
    total: int
    done: int
    failed: int
    running: int
    waiting: int
    skipped: int
    reason: str
    def __init__(self, id: _Optional[str] = ..., plan_id: _Optional[str] = ..., action: _Optional[_Union[ActionKind, str]] = ..., state: _Optional[str] = ..., actor: _Optional[str] = ..., started_at: _Optional[int] = ..., ended_at: _Optional[int] = ..., targets: _Optional[_Iterable[_Union[OperationTarget, _Mapping]]] = ..., total: _Optional[int] = ..., done: _Optional[int] = ..., failed: _Optional[int] = ..., running: _Optional[int] = ..., waiting: _Optional[int] = ..., skipped: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class OperationTarget(_message.Message):
    __slots__ = ("name", "state", "step", "result", "old_serial", "new_serial", "started_at", "ended_at", "route", "certificate_then", "token_then")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    OLD_SERIAL_FIELD_NUMBER: _ClassVar[int]
    NEW_SERIAL_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_THEN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_THEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: str
    step: str
    result: str
    old_serial: str
    new_serial: str
    started_at: int
    ended_at: int
    route: str
    certificate_then: int
    token_then: int
    def __init__(self, name: _Optional[str] = ..., state: _Optional[str] = ..., step: _Optional[str] = ..., result: _Optional[str] = ..., old_serial: _Optional[str] = ..., new_serial: _Optional[str] = ..., started_at: _Optional[int] = ..., ended_at: _Optional[int] = ..., route: _Optional[str] = ..., certificate_then: _Optional[int] = ..., token_then: _Optional[int] = ...) -> None: ...

class TakeLoginFileRequest(_message.Message):
    __slots__ = ("operation_id", "name")
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    operation_id: str
    name: str
    def __init__(self, operation_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class LoginFile(_message.Message):
    __slots__ = ("name", "yaml", "token_expires_at")
    NAME_FIELD_NUMBER: _ClassVar[int]
    YAML_FIELD_NUMBER: _ClassVar[int]
    TOKEN_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    yaml: str
    token_expires_at: int
    def __init__(self, name: _Optional[str] = ..., yaml: _Optional[str] = ..., token_expires_at: _Optional[int] = ...) -> None: ...
