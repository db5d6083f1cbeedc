"""What use cases may ask of a store; engines implement it, nothing else knows them.

A transaction belongs to the one writer (the core thread). Lookups are `get_` (raise `NotFound`) or `find_` (may be
None). `add` refuses a duplicate with `AlreadyExists`. A write to anything that the fleet view shows takes a new change
number for that identity through `changes.touch`; the repositories do it themselves where a row belongs to an identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from backend.core.model import (
    AuditEvent,
    Authority,
    AuthorityStatus,
    Bundle,
    Certificate,
    Cluster,
    Heartbeat,
    Identity,
    LastSeen,
    RevokeReason,
    Token,
)
from backend.core.rbac import Role, RoleAssignment
from backend.store.alert_port import Alerts, Notices, Silences, Sinks
from backend.store.records import (
    CrossCertificate,
    Delivery,
    OperationRow,
    Order,
    OrderKind,
    OverlapClientRow,
    ProbeRow,
    Resource,
    RotationClientRow,
    RotationRow,
    SignedStatement,
    StoredPlan,
    TargetRow,
    TokenFault,
)


class Identities(Protocol):
    """Accounts of clients, by number, name or id."""

    def add(self, identity: Identity) -> Identity:
        """Insert it under a new number (the one given is ignored) and return it with that number."""
        ...

    def put(self, identity: Identity) -> None:
        """Overwrite the row with that number."""
        ...

    def get(self, name: str) -> Identity: ...
    def find(self, name: str) -> Identity | None: ...
    def get_by_number(self, number: int) -> Identity: ...
    def find_by_number(self, number: int) -> Identity | None: ...
    def all(self) -> Sequence[Identity]:
        """Every identity, by name."""
        ...

    def some(self, numbers: Iterable[int]) -> Sequence[Identity]: ...
    def delete(self, number: int) -> None:
        """Remove it with its tokens, orders, deliveries and last-seen marks; certificates stay, for the record.

        Raises:
            InconsistentState: one of its certificates is not revoked yet.
        """
        ...


class Certificates(Protocol):
    """Issued client certificates; never deleted."""

    def add(self, certificate: Certificate) -> None: ...
    def find(self, serial: int) -> Certificate | None: ...
    def of(self, identity_number: int) -> Sequence[Certificate]:
        """All of one identity, newest first."""
        ...

    def for_fleet(self, numbers: Iterable[int] | None) -> Iterator[Certificate]:
        """Per identity (all, or those given): the newest, and the newest that was used, newest first."""
        ...

    def find_by_key(self, key_sha256: str) -> Sequence[Certificate]:
        """Certificates over the same public key, newest first."""
        ...

    def mark_used(self, serial: int, at: datetime) -> None:
        """Set `first_used_at` if it is empty, and `last_used_at`."""
        ...

    def revoke(self, serial: int, at: datetime, reason: RevokeReason) -> None: ...
    def revoke_of(self, identity_number: int, at: datetime, reason: RevokeReason) -> int:
        """Revoke every unrevoked one of an identity; return how many."""
        ...

    def revoke_generation(self, generation: int, at: datetime) -> int:
        """Revoke every unrevoked, unexpired one of a generation, because of its distrust; return how many."""
        ...

    def restore_generation(self, generation: int) -> int:
        """Undo `revoke_generation`: what was revoked for another reason stays revoked; return how many came back."""
        ...


class Tokens(Protocol):
    """Token records: id and digest, never the token."""

    def add(self, token: Token) -> None: ...
    def put(self, token: Token) -> None: ...
    def find(self, token_id: str) -> Token | None: ...
    def of(self, identity_number: int) -> Sequence[Token]:
        """All of one identity, newest first."""
        ...

    def due(self, now: datetime, left: Fraction) -> Sequence[Token]:
        """The CURRENT tokens, of one each identity, that have at most the share `left` of their lifetime to go."""
        ...

    def current(self, numbers: Iterable[int] | None) -> Iterator[Token]:
        """The CURRENT token of each identity (all, or those given)."""
        ...


class Authorities(Protocol):
    """CA generations; the store itself refuses a second one in status ISSUING."""

    def add(self, authority: Authority) -> None: ...
    def get(self, generation: int) -> Authority: ...
    def all(self) -> Sequence[Authority]:
        """By generation, ascending."""
        ...

    def issuing(self) -> Authority: ...
    def set_status(self, generation: int, status: AuthorityStatus) -> None: ...


class Bundles(Protocol):
    """Trust bundle epochs."""

    def add(self, bundle: Bundle) -> None:
        """Append the next epoch; refuses one that does not grow."""
        ...

    def current(self) -> Bundle: ...
    def since(self, epoch: int) -> Sequence[Bundle]:
        """That epoch and all later ones, ascending."""
        ...


class Statements(Protocol):
    """Who signed each bundle epoch; epochs of a program that signed none have no row."""

    def add(self, statement: SignedStatement) -> None:
        """Keep an epoch's signatures; refuses an epoch that is not newer than the last one signed."""
        ...

    def find(self, epoch: int) -> SignedStatement | None: ...
    def since(self, epoch: int) -> Sequence[SignedStatement]:
        """Those of that epoch and of all later ones, ascending."""
        ...


class CrossCertificates(Protocol):
    """One generation's CA certified by another's; public, and made once for each pair."""

    def add(self, certificate: CrossCertificate) -> None: ...
    def find(self, subject_generation: int, issuer_generation: int) -> CrossCertificate | None: ...
    def all(self) -> Sequence[CrossCertificate]:
        """By subject and issuer, ascending."""
        ...


class Clusters(Protocol):
    def put(self, cluster: Cluster) -> None: ...
    def find(self, name: str) -> Cluster | None: ...
    def all(self) -> Sequence[Cluster]: ...


class Roles(Protocol):
    """Roles by name; built-in ones are not stored."""

    def put(self, role: Role) -> None: ...
    def find(self, name: str) -> Role | None: ...
    def all(self) -> Sequence[Role]: ...
    def delete(self, name: str) -> None: ...


class Assignments(Protocol):
    def put(self, assignment: RoleAssignment) -> None: ...
    def find(self, name: str) -> RoleAssignment | None: ...
    def of(self, identity_name: str) -> Sequence[RoleAssignment]: ...
    def all(self) -> Sequence[RoleAssignment]: ...
    def delete(self, name: str) -> None: ...


class Resources(Protocol):
    def put(self, resource: Resource) -> None: ...
    def find(self, kind: str, name: str, location: str = "") -> Resource | None: ...
    def all(self, kind: str) -> Sequence[Resource]: ...
    def delete(self, kind: str, name: str, location: str = "") -> None: ...


class Heartbeats(Protocol):
    """The last heartbeat of each identity."""

    def put(self, heartbeat: Heartbeat) -> None: ...
    def find(self, identity_number: int) -> Heartbeat | None: ...
    def all(self, numbers: Iterable[int] | None = None) -> Iterator[Heartbeat]: ...


class Seen(Protocol):
    """The last authenticated call of each identity."""

    def put(self, seen: LastSeen) -> None: ...
    def find(self, identity_number: int) -> LastSeen | None: ...
    def all(self, numbers: Iterable[int] | None = None) -> Iterator[LastSeen]: ...


class Orders(Protocol):
    """Standing orders and owed login files."""

    def put(self, order: Order) -> None: ...
    def find(self, order_id: str) -> Order | None: ...
    def open_of(self, identity_number: int) -> Sequence[Order]:
        """Orders not yet done, oldest first."""
        ...

    def open_by_agent(self) -> Sequence[Order]:
        """Orders not yet done that are part of no operation, oldest first."""
        ...

    def cancel(self, identity_number: int, kind: OrderKind) -> None: ...
    def put_delivery(self, delivery: Delivery) -> None: ...
    def open_deliveries(self) -> Sequence[Delivery]: ...
    def deliveries_of(self, operation_id: str) -> Sequence[Delivery]: ...


class Plans(Protocol):
    def add(self, plan: StoredPlan) -> None: ...
    def get(self, plan_id: str) -> StoredPlan: ...
    def mark_started(self, plan_id: str) -> None: ...
    def trim(self, actor: str, keep: int) -> None:
        """Forget all but the newest `keep` plans of one caller that were never started."""
        ...

    def purge(self, before: datetime) -> None:
        """Forget plans that were never started and whose time ran out before `before`."""
        ...


class Operations(Protocol):
    def add(self, operation: OperationRow, targets: Sequence[TargetRow]) -> None: ...
    def put(self, operation: OperationRow) -> None: ...
    def put_target(self, target: TargetRow) -> None: ...
    def get(self, operation_id: str) -> OperationRow: ...
    def targets(self, operation_id: str) -> Sequence[TargetRow]:
        """In order of execution."""
        ...

    def running(self) -> Sequence[OperationRow]: ...
    def recent(self, limit: int) -> Sequence[OperationRow]:
        """Newest first."""
        ...

    def activities(self, numbers: Iterable[int] | None = None) -> Iterator[tuple[int, str]]:
        """(identity number, step text) of every target that is under way."""
        ...


class Rotations(Protocol):
    """CA rotations; the store itself refuses a second open one."""

    def add(self, rotation: RotationRow, clients: Sequence[RotationClientRow]) -> None: ...
    def put(self, rotation: RotationRow) -> None:
        """Overwrite; refuses (`InconsistentState`) unless `version` is the stored one plus 1."""
        ...

    def find_open(self) -> RotationRow | None: ...
    def find_last(self) -> RotationRow | None: ...
    def get(self, rotation_id: str) -> RotationRow: ...
    def clients(self, rotation_id: str) -> Sequence[RotationClientRow]: ...
    def put_client(self, client: RotationClientRow) -> None: ...
    def put_clients(self, clients: Sequence[RotationClientRow]) -> None: ...
    def overlap_clients(self, rotation_id: str) -> Sequence[OverlapClientRow]:
        """Those of a rotation with overlap or a rehearsal, in the order they were given."""
        ...

    def find_overlap_client(self, rotation_id: str, identity_number: int) -> OverlapClientRow | None: ...
    def put_overlap_clients(self, clients: Sequence[OverlapClientRow]) -> None: ...
    def probes(self, rotation_id: str) -> Sequence[ProbeRow]:
        """One a cell, by cell."""
        ...

    def put_probes(self, probes: Sequence[ProbeRow]) -> None: ...
    def intent(self, rotation_id: str, step: str, at: datetime) -> None:
        """Record that a step begins; idempotent."""
        ...

    def finish(self, rotation_id: str, step: str, at: datetime) -> None: ...
    def steps(self, rotation_id: str) -> Sequence[tuple[str, datetime, datetime | None]]: ...


class Audit(Protocol):
    """The append-only chain; the store itself refuses updates and deletes."""

    def append(self, event: AuditEvent) -> None: ...
    def head(self) -> AuditEvent | None: ...
    def newest(self, limit: int, subject: str = "") -> Sequence[AuditEvent]: ...
    def after(self, index: int, limit: int, subject: str = "") -> Sequence[AuditEvent]: ...
    def walk(self) -> Iterator[AuditEvent]:
        """Every event, ascending."""
        ...


class Changes(Protocol):
    """The change counter of the fleet view."""

    def touch(self, identity_number: int) -> None: ...
    def touch_many(self, numbers: Iterable[int]) -> None: ...
    def touch_all(self) -> None:
        """Something that every row depends on changed (a generation's trust): readers get all rows again."""
        ...

    def current(self) -> int: ...
    def knows(self, counter: int) -> bool:
        """Whether what changed after `counter` can be told; if not, a reader has to read everything."""
        ...

    def marks(self, change: int, number: int, limit: int) -> Sequence[tuple[int, int]]:
        """(change, identity number) of at most `limit` changes that follow this one, in their order."""
        ...

    def removals(self, change: int, limit: int) -> Sequence[tuple[int, int]]:
        """(change, identity number) of at most `limit` removals after `change`, in their order."""
        ...


class TokenFaults(Protocol):
    """What keeps the agent from rotating tokens by itself, one a client."""

    def put(self, fault: TokenFault) -> None: ...
    def delete(self, identity_number: int) -> None: ...
    def all(self) -> Sequence[TokenFault]: ...


class Fleet(Protocol):
    """What the fleet view is made of, joined."""

    def rows(self, numbers: Iterable[int] | None = None) -> Sequence[tuple[Any, ...]]:
        """The values of `FleetRow`, in its order, of all identities, or of those given that exist, by number."""
        ...

    def page(self, after: int, limit: int) -> Sequence[tuple[Any, ...]]:
        """The same of at most `limit` identities whose numbers follow `after`."""
        ...


class Meta(Protocol):
    """Small named texts of the deployment."""

    def find(self, key: str) -> str | None: ...
    def put(self, key: str, value: str) -> None: ...


class Transaction(Protocol):
    """One unit of work: it commits whole or not at all."""

    identities: Identities
    certificates: Certificates
    tokens: Tokens
    authorities: Authorities
    bundles: Bundles
    statements: Statements
    cross: CrossCertificates
    clusters: Clusters
    roles: Roles
    assignments: Assignments
    resources: Resources
    heartbeats: Heartbeats
    seen: Seen
    orders: Orders
    token_faults: TokenFaults
    plans: Plans
    operations: Operations
    rotations: Rotations
    audit: Audit
    changes: Changes
    fleet: Fleet
    meta: Meta
    alerts: Alerts
    silences: Silences
    notices: Notices
    sinks: Sinks

    def savepoint(self) -> AbstractContextManager[None]:
        """A part that can fail alone: an exception inside undoes only what was written inside."""
        ...


class Store(Protocol):
    """A durable store with one writer."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Commit on leaving, roll back on an exception.

        Raises:
            StoreUnavailable: the commit failed (disk full, read-only, locked); nothing was changed.
        """
        ...

    def close(self) -> None: ...


class StoreOpener(Protocol):
    """How an engine is opened: creates or upgrades the schema."""

    def __call__(self, path: Path) -> Store: ...
