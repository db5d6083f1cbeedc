"""What an operation would do, client by client, before anything is done; and the hash that a confirmation repeats.

Pure and repeatable: the same facts give the same plan. The hash covers the targets, the decisions and the facts that
they depend on, and never the time of planning, so that a plan is confirmed as it was shown and refused once any of it
has changed. Which action is right for which state is `backend.core.planrules`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.core.canonical import canonical_hash
from backend.core.delivery import Place, ReachState, Route, Way, first_ready, why_this_way
from backend.core.errors import InvalidInput
from backend.core.evidence import Evidence
from backend.core.facts import Assessment, ClientFacts, Severity
from backend.core.health import assess
from backend.core.model import ClientKind
from backend.core.planrules import NOT_DUE, ActionKind, Verdict, cannot_be_told, judge
from backend.core.reasons import at
from backend.core.update import judge_update, rank_of

__all__ = [
    "NOT_DUE",
    "ActionKind",
    "Decision",
    "PlanDraft",
    "PlanFacts",
    "Route",
    "absent_line",
    "make_plan",
    "renewal_result",
]

MAX_PARALLEL: Final = 4  # domain.md US-09.2
MOST_FAILURES: Final = 100  # more than these is no list of known exceptions, it is a site that is down


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """What the planner needs of one client.

    `facts` are the inputs of its assessment. `serial` is that of its current certificate (0: none) and `token_id` its
    current token's. The lifetimes are those that a new certificate and a new token would get. `heartbeat_alive` says
    that it takes orders now. `ways` are the places where the agent could put its login file, as they were last found
    (empty: its path, if it has one, at which nobody has looked). `barred` is why the terms of the plan leave it alone,
    whatever its state.
    """

    number: int
    facts: ClientFacts
    cluster: str = ""
    is_management: bool = False
    serial: int = 0
    token_id: str = ""
    certificate_lifetime: timedelta
    token_lifetime: timedelta
    heartbeat_alive: bool = False
    can_store_token: bool = True
    login_file_path: str = ""
    ways: tuple[Way, ...] = ()
    barred: Verdict | None = None

    @property
    def name(self) -> str:
        """The identity's name."""
        return self.facts.name

    @property
    def kind(self) -> ClientKind:
        """What program it is."""
        return self.facts.kind

    @property
    def places(self) -> tuple[Way, ...]:
        """`ways`, or its path."""
        if self.ways or not self.login_file_path:
            return self.ways
        return (Way(place=Place(route=Route.FILE, where=self.login_file_path)),)

    @property
    def is_kms_behind_a_dead_api(self) -> bool:
        """Tell whether it is a KMS plug-in without which its API server does not come back (domain.md 16.6-4)."""
        down = {ReachState.DOWN, ReachState.LATE}
        return self.kind is ClientKind.KMS and any(
            way.place.route is Route.KUBERNETES and way.state in down for way in self.ways
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happens to one client. The dates ending in `_then` are predictions, None when nothing changes them.

    `parts` are the single actions that are taken, in their order. `number` 0: a client that is expected and was never
    seen; the line says so and nothing can run. `route_why` is what was found at its places, "" where none was needed.
    """

    name: str
    number: int
    cluster: str
    kind: ClientKind
    runs: bool
    why: str
    route: Route
    steps: tuple[str, ...]
    certificate_now: datetime | None
    certificate_then: datetime | None
    token_now: datetime | None
    token_then: datetime | None
    downtime: str
    parts: tuple[ActionKind, ...] = ()
    route_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDraft:
    """A whole plan: `decisions` in the order of execution, those that run first. `hash` is hex SHA-256.

    `max_failures` is how many clients have to fail before nothing further starts (domain.md 16.6-8: one, unless the
    operator says otherwise).
    """

    action: ActionKind
    decisions: tuple[Decision, ...]
    warnings: tuple[str, ...]
    hash: str
    parallel: int
    force: bool
    reason: str
    max_failures: int = 1

    @property
    def runs(self) -> int:
        """How many clients it touches."""
        return sum(decision.runs for decision in self.decisions)


def make_plan(
    action: ActionKind,
    facts: Sequence[PlanFacts],
    now: datetime,
    *,
    force: bool = False,
    reason: str = "",
    parallel: int = 1,
    max_failures: int = 1,
    authority_not_after: datetime,
    absent: Sequence[Decision] = (),
    notes: Sequence[str] = (),
) -> PlanDraft:
    """Decide what `action` would do to each client; nothing is changed by asking.

    `authority_not_after` is the issuing CA's end. `parallel` and `max_failures` 0 stand for 1. `absent` are lines for
    clients that are expected and were never seen (`absent_line`), `notes` go before the plan's own warnings.

    Raises:
        InvalidInput: no client, a forced plan without a reason, too many at a time or too many failures.
    """
    parallel, max_failures = parallel or 1, max_failures or 1
    if not facts and not absent:
        raise InvalidInput("a plan needs at least one client; name or mark the clients it is for")
    if force and not reason.strip():
        raise InvalidInput("a forced plan needs a reason, which goes into the audit trail; give one")
    if not 1 <= parallel <= MAX_PARALLEL:
        raise InvalidInput(f"{parallel} clients at a time: a plan takes 1 to {MAX_PARALLEL}")
    if not 1 <= max_failures <= MOST_FAILURES:
        raise InvalidInput(f"a plan that stops at {max_failures} failures: it takes 1 to {MOST_FAILURES}")
    unique = {client.number: client for client in facts}.values()
    judged = [(client, assess(client.facts, now)) for client in unique]
    decided = [(c, found, _decide(action, c, found, now, force, authority_not_after)) for c, found in judged]
    decided.sort(key=lambda one: _order(action, one[0], one[2]))
    decisions = (*(decision for _, _, decision in decided), *absent)
    return PlanDraft(
        action=action,
        decisions=decisions,
        warnings=(*notes, *_warnings(action, decided, now, authority_not_after)),
        hash=_hash(action, decided, force, reason, parallel, max_failures, authority_not_after, absent),
        parallel=parallel,
        force=force,
        reason=reason,
        max_failures=max_failures,
    )


def renewal_result(old_serial: int, new_serial: int) -> str:
    """Return what a renewal achieved, by the serials that were observed and never by its exit code (domain.md V19)."""
    return NOT_DUE if new_serial == old_serial else f"renewed: serial {new_serial:x} is in use"


def _decide(
    action: ActionKind, client: PlanFacts, found: Assessment, now: datetime, force: bool, authority_not_after: datetime
) -> Decision:
    # A client whose calls are refused takes no orders, however short ago its last heartbeat was.
    can_be_told = client.heartbeat_alive and found.severity is not Severity.EXPIRED
    verdict = _verdict(action, client, found, now, force, can_be_told, can_issue=now < authority_not_after)
    parts = (verdict.parts or (action,)) if verdict.runs else ()
    route = _route(parts[0], client, can_be_told) if parts else Route.NONE
    if action is ActionKind.RENEW and verdict.runs and route is not Route.HEARTBEAT:
        verdict, parts = cannot_be_told(Evidence(client.facts, now)), ()
    gets_token = any(part is not ActionKind.RENEW for part in parts)
    gets_certificate = any(part is not ActionKind.ROTATE_TOKEN for part in parts)
    certificate = client.facts.certificate
    return Decision(
        name=client.name,
        number=client.number,
        cluster=client.cluster,
        kind=client.kind,
        runs=verdict.runs,
        why=verdict.why,
        route=route,
        steps=tuple(step for part in parts for step in _STEPS[part, route]),
        certificate_now=certificate.validity.not_after if certificate else None,
        certificate_then=min(now + client.certificate_lifetime, authority_not_after) if gets_certificate else None,
        token_now=client.facts.token.expires_at,
        token_then=now + client.token_lifetime if gets_token else None,
        downtime=_downtime(parts[-1], found, now) if parts else "",
        parts=parts,
        route_why=why_this_way(route, client.places) if parts else "",
    )


def _verdict(
    action: ActionKind,
    client: PlanFacts,
    found: Assessment,
    now: datetime,
    force: bool,
    can_be_told: bool,
    *,
    can_issue: bool,
) -> Verdict:
    if client.barred is not None and not (force and client.barred.forced_by_reason):
        return client.barred
    evidence = Evidence(client.facts, now)
    if action is ActionKind.UPDATE:
        told = can_be_told and client.can_store_token
        return judge_update(evidence, found, can_be_told=told, can_issue=can_issue, force=force)
    verdict = judge(action, evidence, found, can_be_told=can_be_told, can_issue=can_issue)
    if force and verdict.forced_by_reason:
        return Verdict(runs=True, why=f"forced, although {verdict.why.removeprefix('refused: ')}")
    return verdict


def absent_line(kind: ClientKind, cluster: str) -> Decision:
    """Return the line of a kind of client that is expected in `cluster` ("": management) and was never seen."""
    where = f"in {cluster}" if cluster else "of management"
    return Decision(
        name=f"{kind.value} {where}",
        number=0,
        cluster=cluster,
        kind=kind,
        runs=False,
        why=f"expected, never seen: no {kind.value} {where} has an identity at this agent",
        route=Route.NONE,
        steps=(),
        certificate_now=None,
        certificate_then=None,
        token_now=None,
        token_then=None,
        downtime="",
    )


def _route(action: ActionKind, client: PlanFacts, can_be_told: bool) -> Route:
    if can_be_told and (action is ActionKind.RENEW or client.can_store_token):
        return Route.HEARTBEAT
    if action is ActionKind.RENEW:
        return Route.ITSELF if client.facts.auto_renew else Route.NONE
    way = first_ready(client.places)
    return Route.MANUAL if way is None else way.place.route


_STEPS: Final[dict[tuple[ActionKind, Route], tuple[str, ...]]] = {
    (ActionKind.RENEW, Route.HEARTBEAT): ("order", "issue", "use"),
    (ActionKind.ROTATE_TOKEN, Route.HEARTBEAT): ("order", "deliver", "store"),
    (ActionKind.ROTATE_TOKEN, Route.KUBERNETES): ("rotate", "apply Secret", "use"),
    (ActionKind.ROTATE_TOKEN, Route.FILE): ("rotate", "write file", "use"),
    (ActionKind.ROTATE_TOKEN, Route.MANUAL): ("rotate", "hand over", "use"),
    (ActionKind.REPAIR, Route.HEARTBEAT): ("order", "deliver", "sign in"),
    (ActionKind.REPAIR, Route.KUBERNETES): ("rotate", "apply Secret", "sign in"),
    (ActionKind.REPAIR, Route.FILE): ("rotate", "write file", "sign in"),
    (ActionKind.REPAIR, Route.MANUAL): ("rotate", "hand over", "sign in"),
}


def _downtime(action: ActionKind, found: Assessment, now: datetime) -> str:
    end = found.effective_not_after
    if end is None or end < now or found.severity is Severity.EXPIRED:
        return "it is down already, until it signs in"
    if action is ActionKind.RENEW:
        return f"none: the present certificate works until {at(end)}"
    return "none: its certificate goes on working"


def _order(action: ActionKind, client: PlanFacts, decision: Decision) -> tuple[bool, int, str, bool, str]:
    """Node agents, management clients, workload clusters (domain.md 16.6); a KMS behind a dead API leads."""
    if action is ActionKind.UPDATE:
        return not decision.runs, rank_of(client.kind), client.cluster, False, client.name
    if client.kind is ClientKind.NODE_AGENT:
        rank = 0
    elif client.is_management or not client.cluster:
        rank = 1
    else:
        rank = 2
    return not decision.runs, rank, client.cluster, not client.is_kms_behind_a_dead_api, client.name


def _warnings(
    action: ActionKind,
    decided: Sequence[tuple[PlanFacts, Assessment, Decision]],
    now: datetime,
    authority_not_after: datetime,
) -> tuple[str, ...]:
    found: list[str] = []
    running = [(client, decision) for client, _, decision in decided if decision.runs]
    cut = [(c, d) for c, d in running if d.certificate_then and now + c.certificate_lifetime > authority_not_after]
    if cut:
        wanted = max(now + client.certificate_lifetime for client, _ in cut)
        found.append(
            f"The CA ends at {at(authority_not_after)}, before the {at(wanted)} that a whole lifetime would reach: "
            f"{_names(d.name for _, d in cut)} will get shorter certificates. Plan a CA rotation."
        )
    by_hand = [decision.name for _, decision in running if decision.route is Route.MANUAL]
    if by_hand:
        found.append(f"A person must carry the login file of {_names(by_hand)}; until then nothing changes for them.")
    found += [_out_of_band(client, decision) for client, decision in running if client.is_kms_behind_a_dead_api]
    weak = [d.name for c, d in running if action is ActionKind.RENEW and _token_is_weak(c, now)]
    if weak:
        found.append(f"Renewing does not help the tokens of {_names(weak)}: rotate those as well.")
    refused = sum(not decision.runs for _, _, decision in decided)
    if refused:
        found.append(f"{refused} of {len(decided)} will not be touched; the reason stands beside each.")
    return tuple(found)


def _out_of_band(client: PlanFacts, decision: Decision) -> str:
    way = {
        Route.HEARTBEAT: "with its own heartbeat",
        Route.FILE: "by its login file on this computer",
    }.get(decision.route, "by hand, onto its control plane machine")
    return (
        f"The API server of {client.cluster} does not answer, and does not come back without its KMS plug-in: "
        f"{client.name} is reached out of band, {way}, and before the others of that cluster."
    )


def _token_is_weak(client: PlanFacts, now: datetime) -> bool:
    e = Evidence(client.facts, now)
    return e.token_is_dead or e.token_due


def _names(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")


def _hash(
    action: ActionKind,
    decided: Sequence[tuple[PlanFacts, Assessment, Decision]],
    force: bool,
    reason: str,
    parallel: int,
    max_failures: int,
    authority_not_after: datetime,
    absent: Sequence[Decision],
) -> str:
    document: dict[str, object] = {
        "action": action.value,
        "force": force,
        "reason": reason,
        "parallel": parallel,
        "authority_not_after": at(authority_not_after),
        "targets": [_target_document(*one) for one in decided],
    }
    if max_failures > 1:
        document["max_failures"] = max_failures
    if absent:
        document["absent"] = [decision.name for decision in absent]
    return canonical_hash(document)


def _target_document(client: PlanFacts, found: Assessment, decision: Decision) -> dict[str, object]:
    return {
        "number": client.number,
        "name": client.name,
        "cluster": client.cluster,
        "kind": client.kind.value,
        "serial": f"{client.serial:x}",
        "token_id": client.token_id,
        "certificate_now": _text(decision.certificate_now),
        "token_now": _text(decision.token_now),
        "certificate_lifetime": client.certificate_lifetime.total_seconds(),
        "token_lifetime": client.token_lifetime.total_seconds(),
        "login_file_path": client.login_file_path,
        "secrets": [str(way.place) for way in client.ways if way.place.route is Route.KUBERNETES],
        "state": found.state.value,
        "runs": decision.runs,
        "why": decision.why,
        "route": decision.route.value,
        "steps": decision.steps,
    }


def _text(moment: datetime | None) -> str:
    return "" if moment is None else at(moment)
