"""What the canary proves in a rotation and in a rehearsal, and what proves nothing (pki.md 4.1, 4.2, 4.11; R76)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from backend.core.canary import ANOTHER_NAME, CARELESS, SERVER_NAMES, CanaryKind, CanaryReport, CanaryResult
from backend.core.overlap import Level
from backend.pki.trust import split_bundle
from backend.service.canary import LIFETIME, CanaryKit, canary_kit, nonce_for, note_sighting, task_for
from backend.service.overlap_plan import REHEARSAL
from backend.service.rotation_moves import Move
from backend.store.records import OverlapClientRow
from tests.service.conftest import der
from tests.service.live.overlap.conftest import MANUAL, Overlapping

if TYPE_CHECKING:
    from tests.service.live.conftest import Client, Live

PORT = 55001


@pytest.fixture
def fleet(live: Live) -> Overlapping:
    """Three clients that report to an agent with a canary; nobody goes there unless a test says so."""
    world = replace(live.site.world, canary_port=PORT)
    object.__setattr__(live.site, "world", world)
    site = Overlapping(live, blind={"kva", "csi", "kms"})
    for name in ("kva", "csi", "kms"):
        live.client(name)
    return site


@pytest.fixture
def trusted(fleet: Overlapping) -> Overlapping:
    fleet.start(fleet.plan(MANUAL))
    fleet.until("staged")
    fleet.decide(Move.ADVANCE)
    fleet.until("trusted")
    for _ in range(2):  # the roots are taken home with one heartbeat and acknowledged with the next
        fleet.pass_interval()
    return fleet


def client_of(site: Overlapping, name: str) -> Client:
    return site.live.clients[name]


def visit(
    site: Overlapping, name: str, kind: CanaryKind = CanaryKind.TRUST, *, nonce: str = "", leaf: str = ""
) -> bool:
    """A client goes through a door, with another one's leaf where that is named."""
    certificate = client_of(site, leaf or name).certificate
    assert certificate is not None
    with site.site.transaction() as tx:
        rotation = tx.rotations.find_open()
        assert rotation is not None
        said = nonce or nonce_for(site.site.world, rotation.id, client_of(site, name).number)
        return note_sighting(tx, site.site.world, kind=kind, nonce=said, leaf_der=der(certificate), address="192.0.2.9")


def row_of(site: Overlapping, name: str) -> OverlapClientRow:
    return next(client.row for client in site.look().clients if client.row.name == name)


def kit_of(site: Overlapping, held: CanaryKit | None = None) -> CanaryKit | None:
    with site.site.transaction() as tx:
        return canary_kit(tx, site.site.world, held)


def leaf_of(kit: CanaryKit, kind: CanaryKind) -> x509.Certificate:
    return split_bundle(kit.chains[kind])[0]


def careful(site: Overlapping, *opened: CanaryKind) -> CanaryReport:
    with site.site.transaction() as tx:
        rotation = tx.rotations.find_open()
    assert rotation is not None
    results = tuple(CanaryResult(kind=kind, opened=kind in opened, failure="x") for kind in CanaryKind)
    return CanaryReport(rotation_id=rotation.id, results=results)


def test_a_client_is_asked_while_its_proof_is_missing_and_not_before_or_after(fleet: Overlapping) -> None:
    kva = client_of(fleet, "kva")
    assert kva.beat().canary_task is None
    fleet.start(fleet.plan(MANUAL))
    fleet.until("staged")
    assert kva.beat().canary_task is None
    fleet.decide(Move.ADVANCE)
    fleet.until("trusted")
    task = kva.beat().canary_task
    assert task is not None
    assert (task.port, task.rehearsal_root_pem) == (PORT, "")
    assert visit(fleet, "kva", nonce=task.nonce)
    assert kva.beat().canary_task is None
    assert client_of(fleet, "csi").beat().canary_task is not None


def test_a_visit_proves_trust_and_is_in_the_audit_once(trusted: Overlapping) -> None:
    assert trusted.level("kva") is Level.ACKNOWLEDGED
    assert visit(trusted, "kva")
    assert trusted.level("kva") is Level.PROVED
    assert row_of(trusted, "kva").proved_from == "192.0.2.9"
    with trusted.site.transaction() as tx:
        head = tx.audit.head()
    assert head is not None
    assert (head.action, head.subject, head.detail["door"]) == ("canary_seen", "kva", "trust")
    assert visit(trusted, "kva")
    with trusted.site.transaction() as tx:
        assert tx.audit.head() == head


def test_an_identitys_nonce_is_its_own_in_one_rotation(trusted: Overlapping) -> None:
    world, kva, csi = trusted.site.world, client_of(trusted, "kva"), client_of(trusted, "csi")
    with trusted.site.transaction() as tx:
        rotation = tx.rotations.find_open()
    assert rotation is not None
    mine = nonce_for(world, rotation.id, kva.number)
    assert mine == nonce_for(world, rotation.id, kva.number)
    others = {nonce_for(world, rotation.id, csi.number), nonce_for(world, "another", kva.number)}
    assert len({mine, *others}) == 3
    for wrong in (*others, "", mine.upper(), mine[:-1]):
        assert not visit(trusted, "kva", nonce=wrong or "-")
    assert not visit(trusted, "kva", leaf="csi"), "a nonce counts with its own identity's leaf only"
    assert row_of(trusted, "kva").proved_at is None
    assert row_of(trusted, "csi").proved_at is None


def test_a_revoked_leaf_proves_nothing(trusted: Overlapping) -> None:
    kva = client_of(trusted, "kva")
    with trusted.site.transaction() as tx:
        identity = tx.identities.get("kva")
        tx.identities.put(replace(identity, revoked_at=trusted.site.clock.now(), revoked_by="admin"))
    trusted.site.world.peers.clear()
    assert kva.certificate is not None
    assert not visit(trusted, "kva")


@pytest.mark.parametrize("kind", [CanaryKind.NEGATIVE, CanaryKind.NAME])
def test_a_careless_client_is_named_and_never_counted_as_proved(trusted: Overlapping, kind: CanaryKind) -> None:
    """R76: trust that is not verified is none."""
    assert visit(trusted, "kva", kind)
    assert visit(trusted, "kva")
    assert row_of(trusted, "kva").careless == CARELESS[kind]
    assert trusted.level("kva") is Level.ACKNOWLEDGED
    assert (
        client_of(trusted, "kva").beat(canary_report=careful(trusted, kind, CanaryKind.TRUST)).canary_task is not None
    )
    assert row_of(trusted, "kva").careless


def test_a_client_that_was_mended_is_proved_anew_and_says_so(trusted: Overlapping) -> None:
    kva = client_of(trusted, "kva")
    visit(trusted, "kva")
    visit(trusted, "kva", CanaryKind.NEGATIVE)
    kva.beat(canary_report=careful(trusted))
    assert row_of(trusted, "kva").careless, "its word alone counts for nothing"
    visit(trusted, "kva")
    other = replace(careful(trusted), rotation_id="another")
    for no_word in (other, CanaryReport(rotation_id=careful(trusted).rotation_id, results=())):
        kva.beat(canary_report=no_word)
        assert row_of(trusted, "kva").careless
    assert kva.beat(canary_report=careful(trusted, CanaryKind.TRUST)).canary_task is None
    assert trusted.level("kva") is Level.PROVED


def test_why_a_client_did_not_recognise_the_agent_is_told_with_its_heartbeat(trusted: Overlapping) -> None:
    kva = client_of(trusted, "kva")
    kva.beat(canary_report=careful(trusted))
    assert next(one.row for one in trusted.look().clients if one.row.name == "kva").proved_at is None
    with trusted.site.transaction() as tx:
        beat = tx.heartbeats.find(kva.number)
        assert beat is not None
        assert beat.last_error == "canary: x"
    kva.beat(canary_report=careful(trusted), last_error="disk full")
    with trusted.site.transaction() as tx:
        beat = tx.heartbeats.find(kva.number)
        assert beat is not None
        assert beat.last_error == "disk full"


def test_the_doors_show_the_new_root_a_throwaway_one_and_another_name(trusted: Overlapping) -> None:
    kit = kit_of(trusted)
    assert kit is not None
    with trusted.site.transaction() as tx:
        new, bundle = split_bundle(tx.authorities.get(2).pem)[0], tx.bundles.current()
    for kind in (CanaryKind.TRUST, CanaryKind.NAME):
        leaf_of(kit, kind).verify_directly_issued_by(new)
    assert leaf_of(kit, CanaryKind.NEGATIVE).issuer not in {root.subject for root in split_bundle(bundle.pem)}
    shown = {
        kind: leaf_of(kit, kind)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value.get_values_for_type(x509.DNSName)
        for kind in CanaryKind
    }
    assert shown == {kind: [SERVER_NAMES[kind]] for kind in CanaryKind} | {CanaryKind.NAME: [ANOTHER_NAME]}
    assert all(len(split_bundle(pem)) == 1 for pem in kit.chains.values()), "no cross certificate helps anybody in"
    assert kit.roots == bundle.pem


def test_the_doors_are_shown_while_they_are_of_use_and_made_anew_before_they_end(fleet: Overlapping) -> None:
    assert kit_of(fleet) is None
    fleet.start(fleet.plan(MANUAL))
    fleet.until("staged")
    assert kit_of(fleet) is None
    fleet.decide(Move.ADVANCE)
    fleet.until("trusted")
    kit = kit_of(fleet)
    assert kit is not None
    fleet.site.clock.advance(LIFETIME / 2)
    assert kit_of(fleet, kit) is kit
    fleet.site.clock.advance(fleet.site.clock.now().resolution * 1_000_000)
    assert kit_of(fleet, kit) is not kit
    fleet.decide(Move.ROLL_BACK)
    fleet.live.tick()
    assert kit_of(fleet, kit) is None
    assert client_of(fleet, "kva").beat().canary_task is None


def test_a_rehearsal_brings_a_throwaway_root_that_no_bundle_holds(fleet: Overlapping) -> None:
    fleet.start(fleet.plan(kind=REHEARSAL))
    kva = client_of(fleet, "kva")
    assert kva.beat().canary_task is None, "the doors are not there yet"
    kit = kit_of(fleet)
    assert kit is not None
    task = kva.beat().canary_task
    assert task is not None
    root = split_bundle(task.rehearsal_root_pem)[0]
    leaf_of(kit, CanaryKind.TRUST).verify_directly_issued_by(root)
    with fleet.site.transaction() as tx:
        assert root not in split_bundle(tx.bundles.current().pem)
    for name in ("kva", "csi", "kms"):
        assert visit(fleet, name)
    report = fleet.live.tick()
    assert report.errors == ()
    assert fleet.look().row.outcome == "rehearsed"
    assert kit_of(fleet, kit) is None


def test_what_an_earlier_rehearsal_left_is_not_shown_in_the_next(fleet: Overlapping) -> None:
    fleet.start(fleet.plan(kind=REHEARSAL))
    kit_of(fleet)
    for name in ("kva", "csi", "kms"):
        visit(fleet, name)
    fleet.live.tick()
    fleet.start(fleet.plan(kind=REHEARSAL))
    assert client_of(fleet, "kva").beat().canary_task is None
    first = kit_of(fleet)
    task = client_of(fleet, "kva").beat().canary_task
    assert first is not None
    assert task is not None
    leaf_of(first, CanaryKind.TRUST).verify_directly_issued_by(split_bundle(task.rehearsal_root_pem)[0])


def test_without_a_listener_nobody_is_sent_to_it(trusted: Overlapping) -> None:
    deaf = replace(trusted.site.world, canary_port=0)
    with trusted.site.transaction() as tx:
        assert task_for(tx, deaf, tx.identities.get("kva")) is None
