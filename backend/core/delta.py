"""What an agent tells a reader of its fleet: one snapshot or change, as plain columns.

Mirrors `FleetChunk` of fleet.proto without knowing protobuf; `backend.wire` makes it from the message. Instants are
Unix seconds, 0 for none, until `backend.core.fleet` hands them out as datetimes. Texts are raw here and become inert
when they are applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import IntFlag
from typing import Final

from backend.core.errors import InvalidInput
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280 4.1.2.5: "no well-defined end"
LAST_SECOND: Final = 253_402_300_799

TEXT_COLUMNS: Final = ("name", "kind", "cluster", "host", "owner", "activity")
INSTANT_COLUMNS: Final = (
    "certificate_not_before",
    "certificate_not_after",
    "token_issued_at",
    "token_expires_at",
    "last_seen_at",
    "heartbeat_at",
    "planned_off_until",
    "renew_until",
)
LATER_COLUMNS: Final = ("renew_until",)  # an agent of an earlier version does not send them: none is known


def instant(seconds: int) -> datetime | None:
    """Return the instant of a column's Unix seconds; None for 0.

    Raises:
        InvalidInput: the number is negative or beyond the year 9999.
    """
    if not seconds:
        return None
    if not 0 < seconds <= LAST_SECOND:
        raise InvalidInput(f"{seconds} is not an instant in Unix seconds; the sender is broken")
    return EPOCH + timedelta(seconds=seconds)


def unix(moment: datetime | None) -> int:
    """Return a column's Unix seconds of an instant; 0 for None."""
    return 0 if moment is None else int((moment - EPOCH).total_seconds())


class ClientFlag(IntFlag):
    """The yes-or-no facts of a client; the numbers are those of fleet.proto's `ClientFlag`."""

    NONE = 0
    AUTO_RENEW = 1
    AUTO_RENEW_UNKNOWN = 2
    AUTO_ROTATE = 4
    IDENTITY_REVOKED = 8
    CERTIFICATE_REVOKED = 16
    CERTIFICATE_UNTRUSTED = 32
    TOKEN_EMPTY = 64
    TOKEN_UNKNOWN = 128
    ORPHAN = 256
    FILE_ROUTE = 512
    LOOP_BROKEN = 1024
    ROTATES_BY_POLICY = 2048
    ROTATION_FAILS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityInfo:
    """One CA generation as a reader sees it."""

    generation: int
    subject: str
    validity: Validity
    status: AuthorityStatus
    fingerprint: str

    @property
    def is_trusted(self) -> bool:
        """Tell whether the agent still accepts leaves of this generation."""
        return self.status not in {AuthorityStatus.DISTRUSTED, AuthorityStatus.DESTROYED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterInfo:
    """One cluster as a reader sees it."""

    name: str
    is_management: bool
    is_removed: bool = False
    planned_off_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientColumns:
    """Clients, one entry each in every column; the columns are those of fleet.proto's `ClientColumns`.

    `name`, `kind`, `cluster`, `host`, `owner` and `activity` are indices into the delta's `names`. A column that an
    earlier version did not have may be empty.

    Raises:
        InvalidInput: the columns differ in length.
    """

    number: Sequence[int] = ()
    name: Sequence[int] = ()
    kind: Sequence[int] = ()
    cluster: Sequence[int] = ()
    host: Sequence[int] = ()
    owner: Sequence[int] = ()
    certificate_not_before: Sequence[int] = ()
    certificate_not_after: Sequence[int] = ()
    generation: Sequence[int] = ()
    serial_low: Sequence[int] = ()
    used_serial_low: Sequence[int] = ()
    token_issued_at: Sequence[int] = ()
    token_expires_at: Sequence[int] = ()
    last_seen_at: Sequence[int] = ()
    heartbeat_at: Sequence[int] = ()
    heartbeat_interval: Sequence[int] = ()
    skew: Sequence[int] = ()
    flags: Sequence[int] = ()
    planned_off_until: Sequence[int] = ()
    activity: Sequence[int] = ()
    renew_until: Sequence[int] = ()

    def __post_init__(self) -> None:
        for name in LATER_COLUMNS:
            if not len(getattr(self, name)) and len(self.number):
                object.__setattr__(self, name, (0,) * len(self.number))
        lengths = {column.name: len(getattr(self, column.name)) for column in fields(self)}
        odd = sorted(name for name, length in lengths.items() if length != lengths["number"])
        if odd:
            raise InvalidInput(f"fleet columns of unequal length: {', '.join(odd)}; the sender is broken")

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDelta:
    """One chunk of a snapshot or of a change; see fleet.proto for when which field is set.

    `authorities` and `clusters` are complete whenever one of them changed, and empty otherwise. `change`,
    `bundle_epoch`, `simulated`, `rotation_phase` and `rotation_held` count on the chunk that has `last` set.

    Raises:
        InvalidInput: it contradicts itself: a text or an instant that is not there, or a certificate that ends before
            it begins.
    """

    change: int = 0
    agent_time: int = 0
    full: bool = False
    last: bool = False
    deployment: str = ""
    deployment_id: str = ""
    names: Sequence[str] = ()
    clients: ClientColumns = field(default_factory=ClientColumns)
    removed: Sequence[int] = ()
    authorities: tuple[AuthorityInfo, ...] = ()
    clusters: tuple[ClusterInfo, ...] = ()
    bundle_epoch: int = 0
    agent_version: str = ""
    simulated: bool = False
    rotation_phase: str = ""
    rotation_held: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.agent_time <= LAST_SECOND:
            raise InvalidInput(f"the agent says that its time is {self.agent_time}; its clock or its answer is broken")
        for name in TEXT_COLUMNS:
            column = getattr(self.clients, name)
            if min(column, default=0) < 0 or max(column, default=-1) >= len(self.names):
                raise InvalidInput(f"fleet column {name} points at a text that was not sent; the sender is broken")
        for name in INSTANT_COLUMNS:
            column = getattr(self.clients, name)
            if min(column, default=0) < 0 or max(column, default=0) > LAST_SECOND:
                raise InvalidInput(
                    f"fleet column {name} has an instant before 1970 or after 9999; the sender is broken"
                )
        self._check_certificates()

    def _check_certificates(self) -> None:
        clients = self.clients
        ends = zip(clients.certificate_not_before, clients.certificate_not_after, clients.number, strict=True)
        for not_before, not_after, number in ends:
            if not_after <= not_before and not_after:
                raise InvalidInput(f"client {number}: its certificate ends before it begins; the sender is broken")
