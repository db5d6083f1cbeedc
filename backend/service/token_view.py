"""What is shown of the agent's own token rotations: by whom each is done, when, and what stands against it.

Also notes a changed policy when the agent starts: the audit trail has it, and readers get every row again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.core.canonical import canonical_hash
from backend.core.model import Identity, Token
from backend.core.token_policy import RotatedBy, TokenPolicy, TokenRule
from backend.service import audit
from backend.service.auto_rotation import due_at, gone_clusters, rotated_by
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import TokenFault

_NOTED: Final = "token_policy"  # the key of the digest of the rules that the agent last started with


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRotation:
    """How one client's token is rotated by itself. `rule` "": none fits; `due_at` None: no token is known.

    `overlap` is how long the old one lives on beside the new one; `fault` what stands against it, None: nothing.
    """

    by: RotatedBy
    rule: str
    due_at: datetime | None
    overlap: timedelta
    fault: TokenFault | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """The rules in force with the clients that each is for, and every fault with the client's name.

    A client that says autoRotate itself counts with the first rule that fits it too; the policy changes nothing for it.
    """

    rules: Sequence[tuple[TokenRule, int]]
    faults: Sequence[tuple[str, TokenFault]]
    overlap: timedelta  # where a rule names none


def rotation_of(tx: Transaction, world: World, identity: Identity, token: Token | None) -> TokenRotation:
    """Return how one client's token is rotated."""
    rule = world.token_policy.rule_for(identity.kind, identity.cluster, identity.name)
    overlap = world.token_policy.overlap_for(identity.kind, identity.cluster, identity.name)
    return TokenRotation(
        by=rotated_by(world, identity, gone_clusters(tx)),
        rule="" if rule is None else rule.name,
        due_at=None if token is None else due_at(token),
        overlap=world.policy.token_overlap if overlap is None else overlap,
        fault=next((one for one in tx.token_faults.all() if one.identity_number == identity.number), None),
    )


def policy_view(tx: Transaction, world: World) -> PolicyView:
    """Return the policy in force and what stands against it."""
    identities = {identity.number: identity for identity in tx.identities.all()}
    fitting = [world.token_policy.rule_for(one.kind, one.cluster, one.name) for one in identities.values()]
    return PolicyView(
        rules=[(rule, sum(found is rule for found in fitting)) for rule in world.token_policy.rules],
        faults=[
            (identities[fault.identity_number].name, fault)
            for fault in tx.token_faults.all()
            if fault.identity_number in identities
        ],
        overlap=world.policy.token_overlap,
    )


def note_policy(tx: Transaction, world: World) -> bool:
    """Keep which rules the agent starts with; tell whether they are others than the last time."""
    digest = _digest(world.token_policy)
    before = tx.meta.find(_NOTED)
    if digest == (before or _digest(TokenPolicy())):
        return False
    tx.meta.put(_NOTED, digest)
    tx.changes.touch_all()
    rules = [f"{rule.name}: {rule.words}: {_does(rule)}" for rule in world.token_policy.rules]
    audit.record(
        tx,
        world.clock.now(),
        actor="agent",
        origin="agent",
        action="set_token_policy",
        subject=world.deployment,
        detail={"rules": " | ".join(rules) or "none", "digest": digest, "digest_before": before or ""},
    )
    return True


def _does(rule: TokenRule) -> str:
    if not rule.rotates:
        return "left to a person"
    return "rotated" if rule.overlap is None else f"rotated, overlap {int(rule.overlap.total_seconds())} s"


def _digest(policy: TokenPolicy) -> str:
    return canonical_hash(
        {
            "rules": [
                {
                    "name": rule.name,
                    "kinds": sorted(kind.value for kind in rule.kinds),
                    "clusters": sorted(rule.clusters),
                    "identities": sorted(rule.identities),
                    "rotates": rule.rotates,
                    "overlap": "" if rule.overlap is None else str(int(rule.overlap.total_seconds())),
                }
                for rule in policy.rules
            ]
        }
    )
