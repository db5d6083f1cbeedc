"""What a confirmation must fit before a plan is carried out: kind, hash, age, and that it was not used before."""

from __future__ import annotations

from datetime import datetime

from backend.core.errors import ConfirmationRefused
from backend.store.records import StoredPlan


def refuse_confirmation(stored: StoredPlan, kind: str, hash_given: str, now: datetime) -> None:
    """Refuse a confirmation that does not fit the plan as it was shown.

    Raises:
        ConfirmationRefused: another kind of plan, another hash, too old, or started before.
    """
    if stored.kind != kind:
        raise ConfirmationRefused(f"plan {stored.id} is a plan for another kind of action; make a new plan")
    if hash_given != stored.hash:
        raise ConfirmationRefused(f"the hash given is not that of plan {stored.id}; look at the plan again")
    if stored.started:
        raise ConfirmationRefused(f"plan {stored.id} was started before; make a new plan")
    if now > stored.expires_at or now < stored.made_at:
        raise ConfirmationRefused(f"plan {stored.id} was good until {stored.expires_at}; make a new plan")
