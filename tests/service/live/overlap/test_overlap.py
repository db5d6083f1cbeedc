"""A whole rotation with overlap, tick by tick, and the way back from every phase."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.core.errors import CertificateUntrusted, IllegalTransition, InconsistentState
from backend.core.model import AuthorityStatus
from backend.core.overlap import Level
from backend.pki.epochs import walk
from backend.service import audit, rotations
from backend.service.epochs import links_since
from backend.service.rotation_moves import Move
from backend.service.token_line import rotate_token
from tests.service.live.overlap.conftest import AUTOMATIC, MANUAL, Overlapping

if TYPE_CHECKING:
    from tests.service.live.conftest import Live

if TYPE_CHECKING:
    pass


def statuses(site: Overlapping) -> dict[int, str]:
    with site.site.transaction() as tx:
        return {one.generation: one.status.value for one in tx.authorities.all()}


def bundle(site: Overlapping) -> tuple[int, ...]:
    with site.site.transaction() as tx:
        return tx.bundles.current().generations


def test_a_rotation_runs_through_every_phase_and_nobody_loses_the_agent(fleet: Overlapping) -> None:
    fleet.start(fleet.plan())
    fleet.until("trusted")
    assert (statuses(fleet), bundle(fleet)) == ({1: "issuing", 2: "trusted"}, (1, 2))
    fleet.until("issuing")
    assert {fleet.level(name) for name in ("kva", "csi", "kms")} == {Level.PROVED}
    fleet.until("draining")
    assert {fleet.level(name) for name in ("kva", "csi", "kms")} == {Level.MOVED}
    assert statuses(fleet) == {1: "trusted", 2: "issuing"}
    fleet.admin_renews()
    fleet.until("shadow")
    fleet.until("distrusted")
    assert (statuses(fleet), bundle(fleet)) == ({1: "distrusted", 2: "issuing"}, (2,))
    assert {fleet.level(name) for name in ("kva", "csi", "kms")} == {Level.READY}


@pytest.mark.parametrize("phase", ["staged", "trusted", "issuing", "serving", "draining", "shadow", "distrusted"])
def test_from_every_phase_there_is_a_way_back_that_ends_where_it_began(fleet: Overlapping, phase: str) -> None:
    fleet.start(fleet.plan(AUTOMATIC))
    while (view := fleet.look()).row.phase != phase:
        if view.row.phase == "draining":
            fleet.admin_renews()
        fleet.pass_interval()
    fleet.decide(Move.ROLL_BACK)
    while fleet.look().row.ended_at is None:
        if fleet.look().row.phase == "reissuing back":
            fleet.admin_renews()
        fleet.pass_interval()
    ended = fleet.look()
    assert (ended.row.outcome, ended.row.rolled_back_from) == ("rolled_back", phase)
    assert (statuses(fleet), bundle(fleet)) == ({1: "issuing", 2: "destroyed"}, (1,))
    for _ in range(3):
        assert fleet.pass_interval().errors == ()  # every call of every client goes through


def test_nothing_leads_back_once_the_old_key_is_destroyed(fleet: Overlapping) -> None:
    fleet.start(fleet.plan())
    while (view := fleet.look()).row.phase != "distrusted":
        if view.row.phase == "draining":
            fleet.admin_renews()
        fleet.pass_interval()
    with pytest.raises(InconsistentState), fleet.site.transaction() as tx:
        rotations.destroy(tx, fleet.site.world, fleet.site.admin, generation=1, deployment="north")
    for _ in range(3):
        fleet.pass_interval()
    with fleet.site.transaction() as tx:
        rotations.destroy(tx, fleet.site.world, fleet.site.admin, generation=1, deployment="north")
    ended = fleet.look()
    assert (ended.row.phase, ended.row.outcome) == ("retired", "completed")
    assert statuses(fleet)[1] == AuthorityStatus.DESTROYED.value
    fleet.pass_interval()
    assert "ca-g1.key" not in fleet.site.world.signer.key_files()
    with pytest.raises(InconsistentState):
        fleet.decide(Move.ROLL_BACK)


def test_in_manual_mode_no_phase_is_left_before_an_operator_says_so(fleet: Overlapping) -> None:
    fleet.start(fleet.plan(MANUAL))
    for expected in ("staged", "trusted", "issuing", "serving", "draining"):
        fleet.until(expected)
        for _ in range(10):
            fleet.pass_interval()
        assert fleet.look().row.phase == expected
        if expected != "draining":
            fleet.decide(Move.ADVANCE)


def test_what_the_shadow_proved_stays_proved_and_a_later_call_without_the_old_ca_proves_the_same(
    fleet: Overlapping,
) -> None:
    fleet.start(fleet.plan())
    while fleet.look().row.phase != "shadow":
        if fleet.look().row.phase == "draining":
            fleet.admin_renews()
        fleet.pass_interval()
    fleet.decide(Move.WAIVE, written_off=["csi"])
    fleet.until("distrusted", "csi")
    assert (fleet.level("kva"), fleet.level("csi")) == (Level.READY, Level.MOVED)
    fleet.pass_interval()
    assert (fleet.level("kva"), fleet.level("csi")) == (Level.READY, Level.READY)


def test_a_client_that_does_not_recognise_the_canary_holds_the_rotation_by_name(fleet: Overlapping) -> None:
    fleet.blind.add("csi")
    fleet.start(fleet.plan())
    fleet.until("trusted")
    for _ in range(6):
        fleet.pass_interval()
    assert fleet.look().row.phase == "trusted"
    assert [gate.why for gate in fleet.look().gates if not gate.met] == ["without proof: csi"]
    fleet.decide(Move.WAIVE, written_off=["csi"])
    fleet.until("issuing")


def test_one_probe_that_finds_what_it_must_not_holds_everything(fleet: Overlapping) -> None:
    fleet.start(fleet.plan())
    fleet.until("trusted")
    fleet.probe(**{"new leaf, new trust": "refused"})
    fleet.live.tick()
    assert "new leaf, new trust: refused, not ok" in fleet.look().row.held
    for _ in range(5):
        fleet.pass_interval()
    assert fleet.look().row.phase == "trusted"
    fleet.decide(Move.ADVANCE)
    fleet.until("issuing")


def to_the_shadow(fleet: Overlapping) -> None:
    fleet.start(fleet.plan())
    while fleet.look().row.phase != "shadow":
        if fleet.look().row.phase == "draining":
            fleet.admin_renews()
        fleet.pass_interval()


def test_a_credential_from_a_backup_in_the_shadow_takes_the_rotation_back_to_draining(fleet: Overlapping) -> None:
    csi = fleet.live.clients["csi"]
    backup = (csi.certificate, csi.key)
    to_the_shadow(fleet)
    present = (csi.certificate, csi.key)
    csi.certificate, csi.key = backup
    csi.obeys = False
    csi.call()
    fleet.live.tick()
    assert fleet.look().row.phase == "draining"
    for _ in range(4):
        fleet.pass_interval()
    assert fleet.look().row.phase == "draining", "it goes on calling with the old one"
    csi.certificate, csi.key = present
    fleet.until("shadow")
    fleet.until("distrusted")


def test_a_waived_client_is_listed_as_failing_and_holds_nobody_up(fleet: Overlapping) -> None:
    fleet.client("lagging").obeys = False
    fleet.start(fleet.plan())
    fleet.until("issuing")
    for _ in range(3):
        fleet.pass_interval()
    fleet.decide(Move.WAIVE, written_off=["lagging"])
    while fleet.look().row.phase != "shadow":
        fleet.admin_renews()
        fleet.pass_interval()
    fleet.pass_interval()
    view = fleet.look()
    assert view.row.phase in {"shadow", "distrusted"}
    assert view.would_fail == ("lagging",)
    fleet.until("distrusted")
    with pytest.raises(CertificateUntrusted):
        fleet.live.clients["lagging"].call()


NAMES = ["capi", "csi", "kms", "kva", "lb"]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=st.sets(st.sampled_from(NAMES)))
def test_what_the_shadow_lists_is_exactly_what_distrust_refuses(
    new_live: Callable[[Path], Live], tmp_path_factory: pytest.TempPathFactory, old: set[str]
) -> None:
    """Of a random fleet some go back to certificates of the old CA, and are waived so that they hold nobody up."""
    fleet = Overlapping(new_live(tmp_path_factory.mktemp("fleet") / "site"))
    backups = {}
    for name in NAMES:
        one = fleet.client(name)
        backups[name] = (one.certificate, one.key)
    to_the_shadow(fleet)
    if old:
        fleet.decide(Move.WAIVE, written_off=sorted(old))
    for name in old:
        one = fleet.live.clients[name]
        one.certificate, one.key = backups[name]
        one.obeys = False
    for one in fleet.live.clients.values():
        one.call()
    listed = set(fleet.look().would_fail)
    fleet.until("distrusted")
    refused = set()
    for name, one in fleet.live.clients.items():
        try:
            one.call()
        except CertificateUntrusted:
            refused.add(name)
    assert listed == refused == old
    fleet.site.store.close()


def test_ten_generations_in_succession_leave_one_root_and_a_chain_that_leads_to_it(fleet: Overlapping) -> None:
    with fleet.site.transaction() as tx:
        first = tx.bundles.current()
    for generation in range(1, 11):
        to_the_shadow(fleet)
        fleet.until("distrusted")
        fleet.pass_interval()
        fleet.pass_interval()
        with fleet.site.transaction() as tx:
            rotations.destroy(tx, fleet.site.world, fleet.site.admin, generation=generation, deployment="north")
        assert bundle(fleet) == (generation + 1,)
    assert statuses(fleet) == {**dict.fromkeys(range(1, 11), "destroyed"), 11: "issuing"}
    with fleet.site.transaction() as tx:
        walked = walk(first.pem, links_since(tx, first.epoch), epoch=first.epoch)
        assert walked.bundle_pem == tx.bundles.current().pem, "whoever slept through all ten finds the present root"
        assert audit.verify(tx).intact


def test_only_the_table_s_moves_are_possible(fleet: Overlapping) -> None:
    fleet.start(fleet.plan())
    fleet.until("trusted")
    fleet.decide(Move.ROLL_BACK)
    with pytest.raises(IllegalTransition):
        fleet.decide(Move.ROLL_BACK)


def test_a_client_with_an_older_root_holds_the_next_rotation_up_by_name_until_it_has_a_new_login_file(
    fleet: Overlapping,
) -> None:
    """The cross certificate carries it from one CA to the next and no further (invariant I10)."""
    raw = fleet.client("caph", signed_in=False)
    raw.sign_in()
    raw.call()
    fleet.live.clients.pop("caph")  # it sends no heartbeats
    for generation in (1, 2):
        fleet.start(fleet.plan())
        for _ in range(60):
            phase = fleet.look().row.phase
            if phase == "distrusted" or (generation == 2 and phase == "issuing" and fleet.level("kms") is Level.MOVED):
                break
            if phase == "draining":
                fleet.admin_renews()
                raw.renew()
            raw.call()
            fleet.pass_interval()
        if generation == 1:
            for _ in range(3):
                fleet.pass_interval()
            with fleet.site.transaction() as tx:
                rotations.destroy(tx, fleet.site.world, fleet.site.admin, generation=1, deployment="north")
    for _ in range(6):
        fleet.pass_interval()
    view = fleet.look()
    assert view.row.phase == "issuing"
    assert [gate.why.endswith("first: caph") for gate in view.gates if not gate.met] == [True]
    with fleet.site.transaction() as tx:
        _, raw.token = rotate_token(tx, fleet.site.world, tx.identities.get("caph"), overlap=None)
    raw.sign_in()
    raw.call()
    fleet.until("serving")
