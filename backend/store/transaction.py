"""One transaction's repositories, put together; the same for every engine."""

from __future__ import annotations

from contextlib import AbstractContextManager

from backend.store.access import SqlAssignments, SqlRoles
from backend.store.changes import SqlChanges
from backend.store.credentials import SqlCertificates, SqlTokens
from backend.store.identities import SqlClusters, SqlIdentities
from backend.store.inventory import SqlResources
from backend.store.journal import SqlAudit, SqlMeta
from backend.store.operations import SqlOperations
from backend.store.orders import SqlOrders, SqlPlans
from backend.store.presence import SqlHeartbeats, SqlSeen
from backend.store.rotations import SqlRotations
from backend.store.trust import SqlAuthorities, SqlBundles
from backend.store.work import Work


class SqlTransaction:
    """`port.Transaction` over one connection's open transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._changes = SqlChanges(work)
        self.changes = self._changes
        self.identities = SqlIdentities(work, self._changes)
        self.certificates = SqlCertificates(work, self._changes)
        self.tokens = SqlTokens(work, self._changes)
        self.authorities = SqlAuthorities(work, self._changes)
        self.bundles = SqlBundles(work, self._changes)
        self.clusters = SqlClusters(work, self._changes)
        self.roles = SqlRoles(work)
        self.assignments = SqlAssignments(work)
        self.resources = SqlResources(work)
        self.heartbeats = SqlHeartbeats(work, self._changes)
        self.seen = SqlSeen(work, self._changes)
        self.orders = SqlOrders(work)
        self.plans = SqlPlans(work)
        self.operations = SqlOperations(work, self._changes)
        self.rotations = SqlRotations(work, self._changes)
        self.audit = SqlAudit(work)
        self.meta = SqlMeta(work)

    def savepoint(self) -> AbstractContextManager[None]:
        """A part that can fail alone: an exception inside undoes only what was written inside."""
        return self._work.savepoint(self._changes.undone)

    def finish(self) -> None:
        """Write what was gathered; the last thing before the commit."""
        self._work.refuse_if_lost()
        self._changes.flush()
