"""A CA whose key is in other hands: nothing of it carries the new root, the chain is cut, and its key goes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.core.blast import ReturnRoute
from backend.core.errors import ConfirmationRefused
from backend.core.model import AuthorityStatus
from backend.core.rotation import ClientStanding
from backend.pki.epochs import ChainCut, walk
from backend.service import rotation
from backend.service.epochs import links_since
from backend.service.rotation import Move, RotationPlanView
from backend.service.rotation_plan import COMPROMISE

if TYPE_CHECKING:
    from tests.service.live.rotation.conftest import Rotating


def plan(fleet: Rotating) -> RotationPlanView:
    with fleet.site.transaction() as tx:
        return rotation.plan_rotation(tx, fleet.site.world, fleet.site.admin, kind=COMPROMISE)


def test_nobody_is_counted_on_to_come_back_by_itself(fleet: Rotating) -> None:
    made = plan(fleet)
    assert made.by(ReturnRoute.ITSELF) == 0
    assert all("must carry a login file" in one.why for one in made.clients if one.route is ReturnRoute.MANUAL)


def test_its_confirmation_starts_nothing_else(fleet: Rotating) -> None:
    with pytest.raises(ConfirmationRefused):
        fleet.start(fleet.plan(), hash=plan(fleet).hash)


def test_no_root_travels_before_the_cutover_and_the_chain_ends_at_it(fleet: Rotating) -> None:
    with fleet.site.transaction() as tx:
        before = tx.bundles.current()
    fleet.start(plan(fleet))
    fleet.until("fenced")
    with fleet.site.transaction() as tx:
        assert tx.bundles.current().epoch == before.epoch
    fleet.until("re-enrolling", "kva", "csi", "kms")
    with fleet.site.transaction() as tx:
        links = links_since(tx, before.epoch)
    with pytest.raises(ChainCut):
        walk(before.pem, links, epoch=before.epoch)
    assert {fleet.standing(name) for name in ("kva", "csi", "kms")} == {ClientStanding.STUCK}


def test_the_old_key_is_given_up_with_the_rotation_s_end(fleet: Rotating) -> None:
    fleet.start(plan(fleet))
    fleet.until("re-enrolling", "kva", "csi", "kms")
    fleet.admin_returns()
    away = [one.row.name for one in fleet.look().clients if one.standing is ClientStanding.STUCK]
    fleet.decide(Move.FINISH, written_off=away, reason="OPS-9")
    fleet.until("done", "kva", "csi", "kms")
    with fleet.site.transaction() as tx:
        assert tx.authorities.get(1).status is AuthorityStatus.DESTROYED
    fleet.live.tick()
    assert "ca-g1.key" not in fleet.site.world.signer.key_files()
