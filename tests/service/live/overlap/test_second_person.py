"""The second person of a rotation with overlap: who counts as one, and how the dashboard sees that they approved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.core.errors import ConfirmationRefused
from backend.server.servicers.overlap import overlap_plan_message
from backend.service import approval, identities
from backend.service.caller import Caller
from backend.service.overlap_plan import OverlapPlan
from backend.wire.convert.audit import audit_record
from tests.service.live.overlap.conftest import Overlapping
from tui.gateway import EventView
from tui.received import event_view
from tui.received_rotation import rotation_plan_view
from tui.rotating import RotationPlanView
from tui.screens.rotation_approval import find_approval


@pytest.fixture
def strict(fleet: Overlapping) -> Overlapping:
    """A site whose policy asks for a second person, with one at hand."""
    world = fleet.site.world
    object.__setattr__(fleet.site, "world", replace(world, policy=replace(world.policy, second_approver=True)))
    return fleet


def approve(fleet: Overlapping, caller: Caller, made: OverlapPlan, **changes: str) -> str:
    given = {"plan_id": made.id, "hash": made.hash, "deployment": "north", **changes}
    with fleet.site.transaction() as tx:
        return approval.approve(tx, fleet.site.world, caller, **given)


def shown(made: OverlapPlan) -> RotationPlanView:
    return rotation_plan_view(overlap_plan_message(made, []))


def trail(fleet: Overlapping) -> list[EventView]:
    with fleet.site.transaction() as tx:
        return [event_view(audit_record(event)) for event in tx.audit.newest(200)]


def test_without_an_approval_the_start_is_refused_and_the_trail_has_none(strict: Overlapping) -> None:
    made = strict.plan()
    assert find_approval(trail(strict), shown(made)) is None
    with pytest.raises(ConfirmationRefused, match=f"somebody else runs `mocdeck rotate-ca approve --plan {made.id}`"):
        strict.start(made)


def test_another_person_s_approval_is_seen_in_the_trail_and_lets_the_plan_start(strict: Overlapping) -> None:
    ben = strict.site.signed_in("ben", "Owner")
    made, other = strict.plan(), strict.plan()
    assert approve(strict, ben, made) == "ben"
    seen = find_approval(trail(strict), shown(made))
    assert seen is not None
    assert seen.actor == "ben"
    assert find_approval(trail(strict), shown(other)) is None  # of this plan, not of one like it
    assert strict.start(made).row.plan_id == made.id


def test_the_maker_cannot_be_the_second_person(strict: Overlapping) -> None:
    made = strict.plan()
    with pytest.raises(ConfirmationRefused, match="is your own"):
        approve(strict, strict.site.admin, made)


@pytest.mark.parametrize("changes", [{"hash": "0" * 64}, {"deployment": "North"}])
def test_what_is_not_typed_as_it_stands_approves_nothing(strict: Overlapping, changes: dict[str, str]) -> None:
    ben = strict.site.signed_in("ben", "Owner")
    made = strict.plan()
    with pytest.raises(ConfirmationRefused):
        approve(strict, ben, made, **changes)
    with pytest.raises(ConfirmationRefused):
        strict.start(made)


def test_whoever_was_revoked_since_vouches_for_nothing(strict: Overlapping) -> None:
    ben = strict.site.signed_in("ben", "Owner")
    made = strict.plan()
    approve(strict, ben, made)
    with strict.site.transaction() as tx:
        identities.revoke(tx, strict.site.world, strict.site.admin, "ben")
    with pytest.raises(ConfirmationRefused, match="may no longer"):
        strict.start(made)
