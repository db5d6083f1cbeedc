"""The second person of a CA rotation: another identity, with another certificate, confirms the same plan (pki.md 7.5).

An approval is bound to the plan's hash, lives as long as the plan, and is worth nothing from whoever starts it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from backend.core.errors import ConfirmationRefused
from backend.core.rbac import PERMISSIONS, allows
from backend.service import audit
from backend.service.caller import Caller
from backend.service.confirmation import refuse_confirmation
from backend.service.rights import grants_of
from backend.service.serving import OVERLAP
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import StoredPlan

_START: Final = "/mocdeck.v1.AuthorityAgent/StartRotation"
_KEY: Final = "rotation.approval"  # one plan at a time is about to be carried out


def approve(tx: Transaction, world: World, caller: Caller, *, plan_id: str, hash: str, deployment: str) -> str:
    """Approve a rotation's plan that somebody else made; return the approver's name.

    Raises:
        NotFound: there is no such plan.
        ConfirmationRefused: name, hash or age do not fit, or the plan is the caller's own.
    """
    now = world.clock.now()
    stored = tx.plans.get(plan_id)
    if deployment != world.deployment:
        raise ConfirmationRefused("the name typed is not the deployment's; type it exactly as the plan shows it")
    refuse_confirmation(stored, OVERLAP, hash, now)
    if stored.actor == caller.name:
        raise ConfirmationRefused(f"plan {plan_id} is your own; somebody else has to approve it")
    serial = f"{caller.certificate.serial:x}"
    tx.meta.put(_KEY, json.dumps({"plan": plan_id, "by": caller.name, "serial": serial, "at": int(now.timestamp())}))
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action="approve_ca_rotation",
        subject=world.deployment,
        detail={"plan": plan_id, "plan_hash": hash, "serial": serial},
    )
    return caller.name


def approver_of(tx: Transaction, plan_id: str) -> str:
    """Return who has approved a plan, "" when nobody has."""
    held = tx.meta.find(_KEY)
    document = json.loads(held) if held else {}
    return str(document["by"]) if document.get("plan") == plan_id else ""


def require_approval(tx: Transaction, world: World, caller: Caller, stored: StoredPlan, now: datetime) -> None:
    """Refuse a start that the policy wants a second person for and that has none.

    The approver's rights are looked at again now: whoever has lost them since cannot vouch for anything (R70).

    Raises:
        ConfirmationRefused: no approval, one by the caller, or one whose giver is gone or revoked.
    """
    if not world.policy.second_approver:
        return
    name = approver_of(tx, stored.id)
    if not name:
        raise ConfirmationRefused(
            f"this deployment wants a second person: somebody else runs `mocdeck rotate-ca approve --plan {stored.id}`"
        )
    document = json.loads(tx.meta.find(_KEY) or "{}")
    certificate = tx.certificates.find(int(document["serial"], 16))
    if name == caller.name or certificate is None or certificate.serial == caller.certificate.serial:
        raise ConfirmationRefused("the approval is your own; somebody else has to approve the plan")
    approver = tx.identities.find(name)
    if approver is None or approver.revoked_at is not None or not _may_rotate(tx, approver.name):
        raise ConfirmationRefused(f"{name} has approved the plan and may no longer; somebody else has to approve it")


def _may_rotate(tx: Transaction, name: str) -> bool:
    grants = grants_of(tx, tx.identities.get(name))
    return allows(PERMISSIONS[_START], grants, code=None, is_self=False)
