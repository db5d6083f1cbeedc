from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientFlag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NONE: _ClassVar[ClientFlag]
    AUTO_RENEW: _ClassVar[ClientFlag]
    AUTO_RENEW_UNKNOWN: _ClassVar[ClientFlag]
    AUTO_ROTATE: _ClassVar[ClientFlag]
    IDENTITY_REVOKED: _ClassVar[ClientFlag]
    CERTIFICATE_REVOKED: _ClassVar[ClientFlag]
    CERTIFICATE_UNTRUSTED: _ClassVar[ClientFlag]
    TOKEN_EMPTY: _ClassVar[ClientFlag]
    TOKEN_UNKNOWN: _ClassVar[ClientFlag]
    ORPHAN: _ClassVar[ClientFlag]
    FILE_ROUTE: _ClassVar[ClientFlag]
    LOOP_BROKEN: _ClassVar[ClientFlag]
    ROTATES_BY_POLICY: _ClassVar[ClientFlag]
    ROTATION_FAILS: _ClassVar[ClientFlag]
NONE: ClientFlag
AUTO_RENEW: ClientFlag
AUTO_RENEW_UNKNOWN: ClientFlag
AUTO_ROTATE: ClientFlag
IDENTITY_REVOKED: ClientFlag
CERTIFICATE_REVOKED: ClientFlag
CERTIFICATE_UNTRUSTED: ClientFlag
TOKEN_EMPTY: ClientFlag
TOKEN_UNKNOWN: ClientFlag
ORPHAN: ClientFlag
FILE_ROUTE: ClientFlag
LOOP_BROKEN: ClientFlag
ROTATES_BY_POLICY: ClientFlag
ROTATION_FAILS: ClientFlag

class FleetRequest(_message.Message):
    __slots__ = ("since", "form")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    since: int
    form: int
    def __init__(self, since: _Optional[int] = ..., form: _Optional[int] = ...) -> None: ...

class FleetChunk(_message.Message):
    __slots__ = ("change", "agent_time", "full", "last", "deployment", "deployment_id", "removed", "authorities", "clusters", "bundle_epoch", "agent_version", "simulated", "rotation_phase", "form", "clients", "rotation_held")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    AGENT_TIME_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    AUTHORITIES_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_EPOCH_FIELD_NUMBER: _ClassVar[int]
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    ROTATION_PHASE_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    ROTATION_HELD_FIELD_NUMBER: _ClassVar[int]
    change: int
    agent_time: int
    full: bool
    last: bool
    deployment: str
    deployment_id: str
    removed: _containers.RepeatedScalarFieldContainer[int]
    authorities: _containers.RepeatedCompositeFieldContainer[AuthorityRow]
    clusters: _containers.RepeatedCompositeFieldContainer[ClusterRow]
    bundle_epoch: int
    agent_version: str
    simulated: bool
    rotation_phase: str
    form: int
    clients: ClientColumns
    rotation_held: bool
    def __init__(self, change: _Optional[int] = ..., agent_time: _Optional[int] = ..., full: _Optional[bool] = ..., last: _Optional[bool] = ..., deployment: _Optional[str] = ..., deployment_id: _Optional[str] = ..., removed: _Optional[_Iterable[int]] = ..., authorities: _Optional[_Iterable[_Union[AuthorityRow, _Mapping]]] = ..., clusters: _Optional[_Iterable[_Union[ClusterRow, _Mapping]]] = ..., bundle_epoch: _Optional[int] = ..., agent_version: _Optional[str] = ..., simulated: _Optional[bool] = ..., rotation_phase: _Optional[str] = ..., form: _Optional[int] = ..., clients: _Optional[_Union[ClientColumns, _Mapping]] = ..., rotation_held: _Optional[bool] = ...) -> None: ...

class ClientColumns(_message.Message):
    __slots__ = ("count", "texts", "number", "name", "kind", "cluster", "host", "owner", "certificate_not_before", "certificate_not_after", "generation", "serial_low", "used_serial_low", "token_issued_at", "token_expires_at", "last_seen_at", "heartbeat_at", "heartbeat_interval", "skew", "flags", "planned_off_until", "activity", "renew_until")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    SERIAL_LOW_FIELD_NUMBER: _ClassVar[int]
    USED_SERIAL_LOW_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_AT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SKEW_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    PLANNED_OFF_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    RENEW_UNTIL_FIELD_NUMBER: _ClassVar[int]
    count: int
    texts: bytes
    number: Column
    name: Column
    kind: Column
    cluster: Column
    host: Column
    owner: Column
    certificate_not_before: Column
    certificate_not_after: Column
    generation: Column
    serial_low: Column
    used_serial_low: Column
    token_issued_at: Column
    token_expires_at: Column
    last_seen_at: Column
    heartbeat_at: Column
    heartbeat_interval: Column
    skew: Column
    flags: Column
    planned_off_until: Column
    activity: Column
    renew_until: Column
    def __init__(self, count: _Optional[int] = ..., texts: _Optional[bytes] = ..., number: _Optional[_Union[Column, _Mapping]] = ..., name: _Optional[_Union[Column, _Mapping]] = ..., kind: _Optional[_Union[Column, _Mapping]] = ..., cluster: _Optional[_Union[Column, _Mapping]] = ..., host: _Optional[_Union[Column, _Mapping]] = ..., owner: _Optional[_Union[Column, _Mapping]] = ..., certificate_not_before: _Optional[_Union[Column, _Mapping]] = ..., certificate_not_after: _Optional[_Union[Column, _Mapping]] = ..., generation: _Optional[_Union[Column, _Mapping]] = ..., serial_low: _Optional[_Union[Column, _Mapping]] = ..., used_serial_low: _Optional[_Union[Column, _Mapping]] = ..., token_issued_at: _Optional[_Union[Column, _Mapping]] = ..., token_expires_at: _Optional[_Union[Column, _Mapping]] = ..., last_seen_at: _Optional[_Union[Column, _Mapping]] = ..., heartbeat_at: _Optional[_Union[Column, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[Column, _Mapping]] = ..., skew: _Optional[_Union[Column, _Mapping]] = ..., flags: _Optional[_Union[Column, _Mapping]] = ..., planned_off_until: _Optional[_Union[Column, _Mapping]] = ..., activity: _Optional[_Union[Column, _Mapping]] = ..., renew_until: _Optional[_Union[Column, _Mapping]] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("base", "offsets", "values")
    BASE_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    base: int
    offsets: bytes
    values: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, base: _Optional[int] = ..., offsets: _Optional[bytes] = ..., values: _Optional[_Iterable[int]] = ...) -> None: ...

class Texts(_message.Message):
    __slots__ = ("texts",)
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, texts: _Optional[_Iterable[str]] = ...) -> None: ...

class AuthorityRow(_message.Message):
    __slots__ = ("generation", "subject", "not_before", "not_after", "status", "fingerprint")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    generation: int
    subject: str
    not_before: int
    not_after: int
    status: str
    fingerprint: str
    def __init__(self, generation: _Optional[int] = ..., subject: _Optional[str] = ..., not_before: _Optional[int] = ..., not_after: _Optional[int] = ..., status: _Optional[str] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class ClusterRow(_message.Message):
    __slots__ = ("name", "management", "removed", "planned_off_until")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MANAGEMENT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    PLANNED_OFF_UNTIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    management: bool
    removed: bool
    planned_off_until: int
    def __init__(self, name: _Optional[str] = ..., management: _Optional[bool] = ..., removed: _Optional[bool] = ..., planned_off_until: _Optional[int] = ...) -> None: ...

class PutClusterRequest(_message.Message):
    __slots__ = ("cluster",)
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    cluster: ClusterRow
    def __init__(self, cluster: _Optional[_Union[ClusterRow, _Mapping]] = ...) -> None: ...

class PutClusterResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RemoveClusterRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RemoveClusterResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class Description(_message.Message):
    __slots__ = ("name", "id", "number", "kind", "client_type", "cluster", "host", "owner", "location", "roles", "login_file_path", "token_lifetime_seconds", "created_at", "revoked_at", "revoked_by", "certificates", "tokens", "last_seen_at", "last_seen_from", "last_seen_serial", "heartbeat", "history", "delivery_route", "tags", "places", "token_rotation")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CLIENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FILE_PATH_FIELD_NUMBER: _ClassVar[int]
    TOKEN_LIFETIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_BY_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FROM_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_SERIAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_ROUTE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ROTATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    number: int
    kind: str
    client_type: str
    cluster: str
    host: str
    owner: str
    location: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    login_file_path: str
    token_lifetime_seconds: int
    created_at: int
    revoked_at: int
    revoked_by: str
    certificates: _containers.RepeatedCompositeFieldContainer[CertificateRecord]
    tokens: _containers.RepeatedCompositeFieldContainer[TokenRecord]
    last_seen_at: int
    last_seen_from: str
    last_seen_serial: str
    heartbeat: HeartbeatRecord
    history: _containers.RepeatedCompositeFieldContainer[AuditRecord]
    delivery_route: str
    tags: _containers.ScalarMap[str, str]
    places: _containers.RepeatedCompositeFieldContainer[DeliveryPlace]
    token_rotation: TokenRotation
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., number: _Optional[int] = ..., kind: _Optional[str] = ..., client_type: _Optional[str] = ..., cluster: _Optional[str] = ..., host: _Optional[str] = ..., owner: _Optional[str] = ..., location: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., login_file_path: _Optional[str] = ..., token_lifetime_seconds: _Optional[int] = ..., created_at: _Optional[int] = ..., revoked_at: _Optional[int] = ..., revoked_by: _Optional[str] = ..., certificates: _Optional[_Iterable[_Union[CertificateRecord, _Mapping]]] = ..., tokens: _Optional[_Iterable[_Union[TokenRecord, _Mapping]]] = ..., last_seen_at: _Optional[int] = ..., last_seen_from: _Optional[str] = ..., last_seen_serial: _Optional[str] = ..., heartbeat: _Optional[_Union[HeartbeatRecord, _Mapping]] = ..., history: _Optional[_Iterable[_Union[AuditRecord, _Mapping]]] = ..., delivery_route: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., places: _Optional[_Iterable[_Union[DeliveryPlace, _Mapping]]] = ..., token_rotation: _Optional[_Union[TokenRotation, _Mapping]] = ...) -> None: ...

class TokenRotation(_message.Message):
    __slots__ = ("by", "rule", "due_at", "overlap_seconds", "fault", "fault_since")
    BY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    FAULT_SINCE_FIELD_NUMBER: _ClassVar[int]
    by: str
    rule: str
    due_at: int
    overlap_seconds: int
    fault: str
    fault_since: int
    def __init__(self, by: _Optional[str] = ..., rule: _Optional[str] = ..., due_at: _Optional[int] = ..., overlap_seconds: _Optional[int] = ..., fault: _Optional[str] = ..., fault_since: _Optional[int] = ...) -> None: ...

class TokenPolicyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TokenPolicy(_message.Message):
    __slots__ = ("rules", "faults", "overlap_seconds", "agent_time")
    RULES_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    AGENT_TIME_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[TokenRule]
    faults: _containers.RepeatedCompositeFieldContainer[TokenFault]
    overlap_seconds: int
    agent_time: int
    def __init__(self, rules: _Optional[_Iterable[_Union[TokenRule, _Mapping]]] = ..., faults: _Optional[_Iterable[_Union[TokenFault, _Mapping]]] = ..., overlap_seconds: _Optional[int] = ..., agent_time: _Optional[int] = ...) -> None: ...

class TokenRule(_message.Message):
    __slots__ = ("name", "kinds", "clusters", "identities", "rotates", "overlap_seconds", "clients")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    ROTATES_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kinds: _containers.RepeatedScalarFieldContainer[str]
    clusters: _containers.RepeatedScalarFieldContainer[str]
    identities: _containers.RepeatedScalarFieldContainer[str]
    rotates: bool
    overlap_seconds: int
    clients: int
    def __init__(self, name: _Optional[str] = ..., kinds: _Optional[_Iterable[str]] = ..., clusters: _Optional[_Iterable[str]] = ..., identities: _Optional[_Iterable[str]] = ..., rotates: _Optional[bool] = ..., overlap_seconds: _Optional[int] = ..., clients: _Optional[int] = ...) -> None: ...

class TokenFault(_message.Message):
    __slots__ = ("name", "why", "since")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    why: str
    since: int
    def __init__(self, name: _Optional[str] = ..., why: _Optional[str] = ..., since: _Optional[int] = ...) -> None: ...

class DeliveryPlace(_message.Message):
    __slots__ = ("route", "place", "cluster", "state", "sentence", "looked_at")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    route: str
    place: str
    cluster: str
    state: str
    sentence: str
    looked_at: int
    def __init__(self, route: _Optional[str] = ..., place: _Optional[str] = ..., cluster: _Optional[str] = ..., state: _Optional[str] = ..., sentence: _Optional[str] = ..., looked_at: _Optional[int] = ...) -> None: ...

class CertificateRecord(_message.Message):
    __slots__ = ("serial", "generation", "issuer", "not_before", "not_after", "fingerprint", "issued_at", "renew_from", "renew_until", "first_used_at", "last_used_at", "revoked_at", "revoke_reason", "renew_count", "current", "shortened", "pem")
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    RENEW_FROM_FIELD_NUMBER: _ClassVar[int]
    RENEW_UNTIL_FIELD_NUMBER: _ClassVar[int]
    FIRST_USED_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_USED_AT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    REVOKE_REASON_FIELD_NUMBER: _ClassVar[int]
    RENEW_COUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    SHORTENED_FIELD_NUMBER: _ClassVar[int]
    PEM_FIELD_NUMBER: _ClassVar[int]
    serial: str
    generation: int
    issuer: str
    not_before: int
    not_after: int
    fingerprint: str
    issued_at: int
    renew_from: int
    renew_until: int
    first_used_at: int
    last_used_at: int
    revoked_at: int
    revoke_reason: str
    renew_count: int
    current: bool
    shortened: bool
    pem: str
    def __init__(self, serial: _Optional[str] = ..., generation: _Optional[int] = ..., issuer: _Optional[str] = ..., not_before: _Optional[int] = ..., not_after: _Optional[int] = ..., fingerprint: _Optional[str] = ..., issued_at: _Optional[int] = ..., renew_from: _Optional[int] = ..., renew_until: _Optional[int] = ..., first_used_at: _Optional[int] = ..., last_used_at: _Optional[int] = ..., revoked_at: _Optional[int] = ..., revoke_reason: _Optional[str] = ..., renew_count: _Optional[int] = ..., current: _Optional[bool] = ..., shortened: _Optional[bool] = ..., pem: _Optional[str] = ...) -> None: ...

class TokenRecord(_message.Message):
    __slots__ = ("id", "issued_at", "expires_at", "state", "dies_at", "first_used_at", "delivered_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DIES_AT_FIELD_NUMBER: _ClassVar[int]
    FIRST_USED_AT_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    issued_at: int
    expires_at: int
    state: str
    dies_at: int
    first_used_at: int
    delivered_at: int
    def __init__(self, id: _Optional[str] = ..., issued_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., state: _Optional[str] = ..., dies_at: _Optional[int] = ..., first_used_at: _Optional[int] = ..., delivered_at: _Optional[int] = ...) -> None: ...

class HeartbeatRecord(_message.Message):
    __slots__ = ("heard_at", "interval", "address", "serial", "epoch", "skew", "loop_alive", "last_error", "version")
    HEARD_AT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SKEW_FIELD_NUMBER: _ClassVar[int]
    LOOP_ALIVE_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    heard_at: int
    interval: int
    address: str
    serial: str
    epoch: int
    skew: int
    loop_alive: bool
    last_error: str
    version: str
    def __init__(self, heard_at: _Optional[int] = ..., interval: _Optional[int] = ..., address: _Optional[str] = ..., serial: _Optional[str] = ..., epoch: _Optional[int] = ..., skew: _Optional[int] = ..., loop_alive: _Optional[bool] = ..., last_error: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class AuditRecord(_message.Message):
    __slots__ = ("index", "at", "actor", "origin", "action", "subject", "outcome", "detail", "previous", "digest")
    class DetailEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INDEX_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    index: int
    at: int
    actor: str
    origin: str
    action: str
    subject: str
    outcome: str
    detail: _containers.ScalarMap[str, str]
    previous: str
    digest: str
    def __init__(self, index: _Optional[int] = ..., at: _Optional[int] = ..., actor: _Optional[str] = ..., origin: _Optional[str] = ..., action: _Optional[str] = ..., subject: _Optional[str] = ..., outcome: _Optional[str] = ..., detail: _Optional[_Mapping[str, str]] = ..., previous: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...
