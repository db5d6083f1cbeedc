"""Client by client: who rotates its token, from when on, by which way, and what that means now.

Pure; made from the fleet's columns and a policy, the agent's own or one that is only tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from backend.core.evidence import thresholds
from backend.core.export import stamp
from backend.core.facts import ClientFacts
from backend.core.fleet import FleetColumns
from backend.core.limits import ABSOLUTE_DUE
from backend.core.model import ClientKind
from backend.core.token_policy import RotatedBy, TokenPolicy, TokenRule

if TYPE_CHECKING:
    from backend.wire.mocdeck.v1.fleet_pb2 import TokenPolicy as TokenPolicyMessage

_WAYS: Final = {"kubernetes": "Secret", "file": "login file", "heartbeat": "heartbeat", "": "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """One client. `before` is who rotates it as things are, `by` who would by the policy in question."""

    name: str
    kind: str
    cluster: str
    by: RotatedBy
    before: RotatedBy
    rule: str
    due: str
    way: str
    now: str
    is_stuck: bool

    @property
    def who(self) -> str:
        """Who rotates it, and who does so far where that is another."""
        return self.by.value if self.by is self.before else f"{self.by.value} (now {self.before.value})"

    def values(self) -> dict[str, Any]:
        """The line as plain values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "cluster": self.cluster,
            "rotated_by": self.by.value,
            "before": self.before.value,
            "rule": self.rule,
            "due_from": self.due or None,
            "way": self.way,
            "now": self.now,
        }


def policy_of(message: TokenPolicyMessage) -> TokenPolicy:
    """Return the policy that an agent told."""
    known = {kind.value: kind for kind in ClientKind}
    return TokenPolicy(
        rules=tuple(
            TokenRule(
                name=rule.name,
                kinds=frozenset(known[kind] for kind in rule.kinds if kind in known),
                clusters=frozenset(rule.clusters),
                identities=frozenset(rule.identities),
                rotates=rule.rotates,
                overlap=None if rule.overlap_seconds < 0 else timedelta(seconds=rule.overlap_seconds),
            )
            for rule in message.rules
        )
    )


def token_lines(
    fleet: FleetColumns,
    policy: TokenPolicy,
    routes: Mapping[str, str],
    faults: Mapping[str, str],
    names: Iterable[str] = (),
) -> list[TokenLine]:
    """Return these clients (none: all), those whose token is due first; `routes` are their places, by name."""
    now = fleet.agent_time
    if now is None:
        return []
    wanted = frozenset(names)
    gone = {cluster.name for cluster in fleet.clusters if cluster.is_removed}
    found = []
    for index in range(len(fleet)):
        facts = fleet.facts(index, now=now, agent_alive=True, agent_now=now)
        if not wanted or facts.name in wanted:
            cluster = fleet.text("cluster", index)
            found.append(_line(facts, cluster, cluster in gone, policy, routes, faults, now))
    return sorted(found, key=lambda line: (line.due or "9", line.name))


def _line(
    facts: ClientFacts,
    cluster: str,
    is_orphan: bool,
    policy: TokenPolicy,
    routes: Mapping[str, str],
    faults: Mapping[str, str],
    now: datetime,
) -> TokenLine:
    before = facts.rotated_by
    has_flag = before is RotatedBy.FLAG
    by = policy.rotated_by(facts.kind, cluster, facts.name, has_flag=has_flag, is_orphan=is_orphan)
    rule = policy.rule_for(facts.kind, cluster, facts.name)
    due_at = _due_at(facts)
    way = routes.get(facts.name) or ("heartbeat" if facts.has_heartbeat else "")
    words, is_stuck = _now(by, due_at, way, faults.get(facts.name, ""), now)
    return TokenLine(
        name=facts.name,
        kind=facts.kind.value,
        cluster=cluster,
        by=by,
        before=before,
        rule="" if rule is None else rule.name,
        due=stamp(due_at),
        way=_WAYS.get(way, way),
        now=words,
        is_stuck=is_stuck,
    )


def _due_at(facts: ClientFacts) -> datetime | None:
    token = facts.token
    if token.expires_at is None:
        return None
    due = ABSOLUTE_DUE if token.issued_at is None else thresholds(token.expires_at - token.issued_at)[0]
    return token.expires_at - due


def _now(by: RotatedBy, due_at: datetime | None, way: str, fault: str, now: datetime) -> tuple[str, bool]:
    if due_at is None:
        return "no token is known", False
    is_due = now >= due_at
    if by is RotatedBy.NOBODY:
        return ("due: a person rotates it" if is_due else "waits; then a person rotates it"), False
    if fault:
        return f"fails: {fault}", True
    if not way:
        return ("due, and there is no way to it" if is_due else "waits; there is no way to it yet"), is_due
    return ("begins now" if is_due else "waits"), False
