"""Whom `update certificates` is about at this site, and the order rules without which no such plan is made.

The rules are domain.md 16.6: a login that outlives the plan (1), management before any workload cluster (2), and no
other change while a CA rotation is open (7). What each client needs is `backend.core.update`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from backend.core.errors import InconsistentState, InvalidInput, NotFound
from backend.core.facts import Overlay, Severity
from backend.core.health import assess
from backend.core.model import ClientKind, Identity
from backend.core.plan import Decision, PlanDraft, PlanFacts, absent_line
from backend.core.reasons import at
from backend.core.update import KUBELET, LEFT_ALONE, SHUT_OUT, UpdateScope, management_first, planned_off
from backend.service.caller import Caller
from backend.service.contact import patience
from backend.service.fence import forbids_operations
from backend.service.plan_facts import facts_of
from backend.service.token_line import find_current
from backend.service.world import World
from backend.store.port import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Everything an update's plan is made from: its clients, the lines of those never seen, and what it cannot do."""

    facts: Sequence[PlanFacts]
    absent: Sequence[Decision]
    notes: Sequence[str]


def select(tx: Transaction, world: World, scope: UpdateScope) -> Selection:
    """Find the clients of a scope; who is to be left alone carries the reason with its facts.

    Raises:
        NotFound: there is no such cluster.
        InvalidInput: it is a management cluster, which has its own command.
    """
    _refuse_cluster(tx, scope)
    identities = tx.identities.all()
    facts = [_set_aside(client, world.clock.now()) for client in facts_of(tx, world, _members(tx, scope, identities))]
    seen = {client.kind for client in facts}
    absent = [absent_line(kind, scope.cluster) for kind in scope.expected if kind not in seen]
    if scope.is_management:
        return Selection(facts=facts, absent=absent, notes=())
    first = management_first(_broken(tx, world, _members(tx, UpdateScope(), identities)))
    if first is not None:
        facts = [replace(client, barred=client.barred or first) for client in facts]
    if not scope.patch_load_balancer:
        facts = [replace(c, barred=LEFT_ALONE) if c.kind is ClientKind.LB_AGENT else c for c in facts]
    return Selection(facts=facts, absent=absent, notes=(KUBELET,))


def refuse_plan(tx: Transaction, world: World, caller: Caller, draft: PlanDraft) -> None:
    """Refuse an update's plan that must not be carried out now, before it is shown to anybody.

    Raises:
        InconsistentState: a CA rotation is open, or the caller's login ends before the plan could have.
    """
    forbidden = forbids_operations(tx)
    if forbidden:
        raise InconsistentState(forbidden)
    now = world.clock.now()
    token = find_current(tx, caller.identity.number)
    login_ends = caller.certificate.validity.not_after
    if token is not None and token.is_alive(now):
        login_ends = max(login_ends, token.expires_at)
    rounds = -(-draft.runs // draft.parallel)
    plan_ends = now + world.policy.plan_lifetime + rounds * patience(None)
    if login_ends <= plan_ends:
        raise InconsistentState(
            f"your own login ends at {at(login_ends)}, and this plan may take until {at(plan_ends)}; "
            "rotate your own token first, so that you can see how it ends"
        )


def _refuse_cluster(tx: Transaction, scope: UpdateScope) -> None:
    if scope.is_management:
        return
    cluster = tx.clusters.find(scope.cluster)
    if cluster is None or cluster.removed_at is not None:
        raise NotFound(f"there is no cluster {scope.cluster!r} at this site; `mocdeck cluster list` names them")
    if cluster.is_management:
        raise InvalidInput(f"{scope.cluster!r} is a management cluster; `mocdeck update certificates` is for it")


def _members(tx: Transaction, scope: UpdateScope, identities: Sequence[Identity]) -> list[Identity]:
    management = {cluster.name for cluster in tx.clusters.all() if cluster.is_management}
    return [one for one in identities if scope.has(one.kind, one.cluster, management)]


def _set_aside(client: PlanFacts, now: datetime) -> PlanFacts:
    """Mark a client that is out on purpose, so that it neither stands in the way nor counts as refused."""
    until = client.facts.planned_off_until
    if client.facts.identity_revoked:
        return replace(client, barred=SHUT_OUT)
    return replace(client, barred=planned_off(until)) if until is not None and now < until else client


def _broken(tx: Transaction, world: World, management: Sequence[Identity]) -> list[str]:
    """Name the clients of management that cannot get in, of those that are not out on purpose."""
    now = world.clock.now()
    found = []
    for client in facts_of(tx, world, management):
        judged = assess(client.facts, now)
        is_out = _set_aside(client, now).barred is not None or Overlay.ORPHAN in judged.overlays
        if judged.severity is Severity.EXPIRED and not is_out:
            found.append(client.name)
    return found
