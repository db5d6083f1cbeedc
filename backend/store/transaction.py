"""One transaction's repositories, put together; the same for every engine."""

from __future__ import annotations

from contextlib import AbstractContextManager

from backend.store import alert_port, port
from backend.store.access import SqlAssignments, SqlRoles
from backend.store.alerts import SqlAlerts, SqlNotices, SqlSilences, SqlSinks
from backend.store.changes import SqlChanges
from backend.store.credentials import SqlCertificates, SqlTokens
from backend.store.fleet import SqlFleet
from backend.store.identities import SqlClusters, SqlIdentities
from backend.store.inventory import SqlResources
from backend.store.journal import SqlAudit, SqlMeta
from backend.store.operations import SqlOperations
from backend.store.orders import SqlOrders, SqlPlans
from backend.store.presence import SqlHeartbeats, SqlSeen
from backend.store.rotations import SqlRotations
from backend.store.token_faults import SqlTokenFaults
from backend.store.trust import SqlAuthorities, SqlBundles, SqlCrossCertificates, SqlStatements
from backend.store.work import Work


class SqlTransaction:
    """`port.Transaction` over one connection's open transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._changes = SqlChanges(work)
        self.changes: port.Changes = self._changes
        self.identities: port.Identities = SqlIdentities(work, self._changes)
        self.certificates: port.Certificates = SqlCertificates(work, self._changes)
        self.tokens: port.Tokens = SqlTokens(work, self._changes)
        self._authorities = SqlAuthorities(work, self._changes)
        self.authorities: port.Authorities = self._authorities
        self.bundles: port.Bundles = SqlBundles(work, self._changes)
        self.statements: port.Statements = SqlStatements(work)
        self.cross: port.CrossCertificates = SqlCrossCertificates(work)
        self.clusters: port.Clusters = SqlClusters(work, self._changes)
        self.roles: port.Roles = SqlRoles(work)
        self.assignments: port.Assignments = SqlAssignments(work)
        self.resources: port.Resources = SqlResources(work)
        self.heartbeats: port.Heartbeats = SqlHeartbeats(work, self._changes)
        self.seen: port.Seen = SqlSeen(work, self._changes)
        self.orders: port.Orders = SqlOrders(work)
        self.token_faults: port.TokenFaults = SqlTokenFaults(work, self._changes)
        self.plans: port.Plans = SqlPlans(work)
        self.operations: port.Operations = SqlOperations(work, self._changes)
        self.rotations: port.Rotations = SqlRotations(work, self._changes)
        self._audit = SqlAudit(work)
        self.audit: port.Audit = self._audit
        self.fleet: port.Fleet = SqlFleet(work)
        self.meta: port.Meta = SqlMeta(work)
        self.alerts: alert_port.Alerts = SqlAlerts(work)
        self.silences: alert_port.Silences = SqlSilences(work)
        self.notices: alert_port.Notices = SqlNotices(work)
        self.sinks: alert_port.Sinks = SqlSinks(work)

    def savepoint(self) -> AbstractContextManager[None]:
        """A part that can fail alone: an exception inside undoes only what was written inside."""
        return self._work.savepoint(self._undone)

    def _undone(self) -> None:
        self._changes.undone()
        self._audit.undone()
        self._authorities.undone()

    def finish(self) -> None:
        """Write what was gathered; the last thing before the commit."""
        self._work.refuse_if_lost()
        self._changes.flush()
