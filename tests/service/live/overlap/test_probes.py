"""The trust matrix: what the prober finds between two real sockets, and what becomes of what it found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from backend.clock import SystemClock
from backend.core.errors import CertificateUntrusted
from backend.core.trust_matrix import NEW, OLD, Outcome
from backend.pki.trust import split_bundle
from backend.server.probing import Contexts, table_cells
from backend.service.guard import authenticate
from backend.service.probes import LIFETIME, Probed, ProbeKit, note_round, probe_kit
from backend.service.rotation_moves import Move
from tests.service.live.overlap.conftest import MANUAL, Overlapping


@pytest.fixture
def trusted(fleet: Overlapping) -> Overlapping:
    fleet.start(fleet.plan(MANUAL))
    fleet.until("staged")
    fleet.decide(Move.ADVANCE)
    fleet.until("trusted")
    return fleet


def kit_of(site: Overlapping, held: ProbeKit | None = None) -> ProbeKit:
    with site.site.transaction() as tx:
        kit = probe_kit(tx, site.site.world, held)
    assert kit is not None
    return kit


def kit_of_today(site: Overlapping) -> ProbeKit:
    """OpenSSL goes by this computer's clock, so these leaves must live by it."""
    site.site.clock.advance(SystemClock().now() - site.site.clock.now())
    return kit_of(site)


def table(kit: ProbeKit) -> list[Probed]:
    return list(table_cells(Contexts(kit)))


def test_every_cell_of_the_truth_table_is_as_it_says_in_both_directions(trusted: Overlapping) -> None:
    cells = table(kit_of_today(trusted))
    assert len(cells) == 24
    assert [one for one in cells if one.observed is not one.expected] == []
    assert sum(one.expected is not Outcome.OK for one in cells) == 4, "two forbidden cells, each in two directions"


def test_without_a_cross_certificate_the_cells_that_need_it_are_found_out(trusted: Overlapping) -> None:
    kit = kit_of_today(trusted)
    broken = replace(kit, sides={**kit.sides, NEW: replace(kit.sides[NEW], cross="")})
    off = {one.cell for one in table(broken) if one.observed is not one.expected}
    assert off == {
        "agent shows new leaf with cross, client trusts old",
        "client shows new leaf with cross, agent trusts old",
    }


def test_a_leaf_of_the_wrong_ca_is_found_out_where_it_passes_and_where_it_fails(
    trusted: Overlapping,
) -> None:
    kit = kit_of_today(trusted)
    swapped = replace(kit.sides[NEW], client=kit.sides[OLD].client, server=kit.sides[OLD].server)
    off = {one.cell for one in table(replace(kit, sides={**kit.sides, NEW: swapped})) if _is_off(one)}
    assert "agent shows new leaf, client trusts old" in off
    assert "agent shows new leaf, client trusts new" in off


def _is_off(one: Probed) -> bool:
    return one.observed is not one.expected


def test_a_round_counts_and_a_deviation_is_named(trusted: Overlapping) -> None:
    kit = kit_of(trusted)
    fine = Probed(cell="a", expected=Outcome.OK, observed=Outcome.OK)
    off = Probed(cell="b", expected=Outcome.REFUSED, observed=Outcome.OK)
    unknown = Probed(cell="c", expected=Outcome.OK, observed=Outcome.UNKNOWN)
    for _ in range(2):
        with trusted.site.transaction() as tx:
            assert note_round(tx, trusted.site.world, kit, [fine, off, unknown]) == "b: ok"
    view = trusted.look()
    rows = {probe.cell: (probe.made, probe.deviations) for probe in view.probes if probe.cell in {"a", "b", "c"}}
    assert rows == {"a": (2, 0), "b": (2, 2)}, "what was not reached proves nothing"


def test_a_round_made_before_a_move_is_dropped(trusted: Overlapping) -> None:
    kit = kit_of(trusted)
    trusted.decide(Move.HOLD)
    off = Probed(cell="b", expected=Outcome.REFUSED, observed=Outcome.OK)
    with trusted.site.transaction() as tx:
        assert note_round(tx, trusted.site.world, kit, [off]) == ""


def test_a_kit_serves_half_its_lifetime_and_one_move_at_most(trusted: Overlapping) -> None:
    kit = kit_of(trusted)
    trusted.site.clock.advance(LIFETIME / 2)
    assert kit_of(trusted, kit) is kit
    trusted.site.clock.advance(timedelta(seconds=1))
    assert kit_of(trusted, kit) is not kit


def test_probe_leaves_are_in_the_audit_and_open_no_call(trusted: Overlapping) -> None:
    kit = kit_of(trusted)
    leaf = split_bundle(kit.sides[OLD].client)[0]
    with trusted.site.transaction() as tx:
        made = next(event for event in tx.audit.newest(5) if event.action == "issue_probe_certificates")
        assert f"{leaf.serial_number:x}" in made.detail["serials"]
        with pytest.raises(CertificateUntrusted):
            authenticate(tx, trusted.site.world, leaf.public_bytes(Encoding.DER), "192.0.2.1:1")
