"""The fleet is told in pages while clients come, change and go; what a reader holds at the end is the fleet."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backend.core.delta import FleetDelta
from backend.core.fleet import FleetColumns
from backend.core.model import Cluster, RevokeReason
from backend.service import fleet, guard
from backend.service.fleet import Position
from backend.service.mirror import FleetMirror
from backend.store.port import Transaction


def page(site: Any, at: Position, limit: int = 4, mirror: FleetMirror | None = None) -> tuple[FleetDelta, Position]:
    """The next page, in a transaction of its own as over the wire."""
    with site.transaction() as tx:
        return fleet.read_page(tx, site.world, at, limit, mirror=mirror)


def follow(
    site: Any,
    columns: FleetColumns,
    at: Position,
    between: Callable[[], object] = int,
    mirror: FleetMirror | None = None,
) -> Position:
    """Read until the answer is complete; `between` happens after each page but the last."""
    while True:
        delta, at = page(site, at, mirror=mirror)
        columns.apply(delta)
        if delta.last:
            return at
        between()


def rows(columns: FleetColumns) -> list[Any]:
    return sorted((columns.row(index) for index in range(len(columns))), key=lambda row: row.number)


def whole(site: Any) -> list[Any]:
    with site.transaction() as tx:
        return rows(fleet.columns_of(tx, site.world))


@pytest.fixture
def crowd(site: Any) -> Any:
    """A site with nine identities beside its administrator."""
    for number in range(9):
        site.identity(f"kms-{number}", cluster="wl-1")
    return site


class Happenings:
    """Clients that come, change and go by chance; and a survey that keeps a mirror, as slowly as chance has it."""

    def __init__(self, site: Any, seed: int) -> None:
        self._site = site
        self._chance = random.Random(seed)  # noqa: S311 - which client is hit
        self._made = iter(range(100, 160))
        self._at = Position.after(0)
        self.mirror = FleetMirror()

    def survey(self, pages: int) -> None:
        for _ in range(pages):
            delta, self._at = page(self._site, self._at, 3)
            self.mirror.take(delta)

    def __call__(self) -> None:
        for _ in range(self._chance.randrange(4)):
            with self._site.transaction() as tx:
                self._one(tx)
        self.survey(self._chance.randrange(3))

    def _one(self, tx: Transaction) -> None:
        everyone = [identity for identity in tx.identities.all() if identity.name != "admin"]
        chosen = self._chance.choice(everyone) if everyone else None
        turn = self._chance.random()
        if chosen is None or (turn < 0.3 and len(everyone) < 14):
            number = next(self._made)
            tx.identities.add(replace(tx.identities.get("admin"), number=0, id=f"i{number}", name=f"n{number}"))
        elif turn < 0.6:
            tx.identities.delete(chosen.number)
        elif turn < 0.65:
            tx.changes.touch_all()
        else:
            tx.identities.put(replace(chosen, owner=f"team-{self._chance.randrange(9)}"))


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_what_changes_while_pages_are_read_is_told_before_the_answer_ends(
    crowd: Any, seed: int, is_mirrored: bool
) -> None:
    happenings = Happenings(crowd, seed)
    mirror = happenings.mirror if is_mirrored else None
    for _ in range(3):
        happenings.survey(pages=6)
        columns = FleetColumns()
        at = follow(crowd, columns, Position.after(0), happenings, mirror)
        assert rows(columns) == whole(crowd)
        happenings()
        follow(crowd, columns, at, happenings, mirror)
        assert rows(columns) == whole(crowd)


def test_a_reader_that_begins_is_served_from_the_mirror_and_reads_only_what_changed_since(
    crowd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    happenings = Happenings(crowd, 0)
    happenings.survey(pages=6)
    with crowd.transaction() as tx:
        tx.identities.put(replace(tx.identities.get("kms-3"), owner="ops"))
        tx.identities.delete(tx.identities.get("kms-4").number)
    told: list[list[str]] = []
    columns, at, is_last = FleetColumns(), Position.after(0), False
    while not is_last:
        with crowd.transaction() as tx:
            monkeypatch.setattr(tx.fleet, "page", None)  # no list is read from rows
            delta, at = fleet.read_page(tx, crowd.world, at, 6, mirror=happenings.mirror)
        columns.apply(delta)
        told.append([delta.names[place] for place in delta.clients.name])
        is_last = delta.last
    assert told == [[f"kms-{number}" for number in range(3, 9)], ["admin", "kms-0", "kms-1", "kms-2"], ["kms-3"]]
    assert rows(columns) == whole(crowd)


def test_a_page_holds_no_more_clients_than_were_asked_for(crowd: Any) -> None:
    at, sizes, last = Position.after(0), [], False
    while not last:
        delta, at = page(crowd, at, 4)
        sizes.append(len(delta.clients))
        last = delta.last
    assert sizes == [4, 4, 2]


def test_a_delta_reads_the_rows_that_changed_and_no_others(crowd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = FleetColumns()
    at = follow(crowd, columns, Position.after(0))
    with crowd.transaction() as tx:
        for name in ("kms-3", "kms-5"):
            tx.identities.put(replace(tx.identities.get(name), owner="ops"))
    read: list[int] = []
    with crowd.transaction() as tx:
        original = tx.fleet.rows

        def counted(numbers: Any = None) -> Any:
            found = original(numbers)
            read.append(len(found))
            return found

        monkeypatch.setattr(tx.fleet, "rows", counted)
        delta, after = fleet.read_page(tx, crowd.world, at)
        assert (read, len(delta.clients), delta.last, delta.full) == ([2], 2, True, False)
        again, _ = fleet.read_page(tx, crowd.world, after)
        assert (read, len(again.clients), again.last, again.change) == ([2], 0, True, delta.change)


def test_authorities_and_clusters_are_told_again_only_when_they_changed(crowd: Any) -> None:
    with crowd.transaction() as tx:
        tx.clusters.put(Cluster(name="wl-1", is_management=False))
    columns = FleetColumns()
    at = follow(crowd, columns, Position.after(0))
    assert (len(columns.authorities), len(columns.clusters)) == (1, 1)
    with crowd.transaction() as tx:
        tx.identities.put(replace(tx.identities.get("kms-3"), owner="ops"))
    delta, at = page(crowd, at, 100)
    assert (len(delta.clients), delta.authorities, delta.clusters) == (1, (), ())
    with crowd.transaction() as tx:
        tx.clusters.put(Cluster(name="wl-2", is_management=False))
    delta, at = page(crowd, at, 100)
    assert (delta.authorities, [info.name for info in delta.clusters]) == ((), ["wl-1", "wl-2"])


def test_one_who_asks_with_a_counter_is_told_authorities_and_clusters_once(crowd: Any) -> None:
    with crowd.transaction() as tx:
        before = tx.changes.current()
        tx.identities.put(replace(tx.identities.get("kms-3"), owner="ops"))
        (delta,) = fleet.read(tx, crowd.world, before)
    assert (len(delta.clients), len(delta.authorities)) == (1, 1)


def test_an_answer_begins_anew_when_something_touches_every_client(crowd: Any) -> None:
    columns = FleetColumns()
    first, at = page(crowd, Position.after(0), 4)
    columns.apply(first)
    with crowd.transaction() as tx:
        tx.changes.touch_all()
    second, at = page(crowd, at, 4)
    assert (first.full, second.full, len(second.clients)) == (True, True, 4)
    columns.apply(second)
    follow(crowd, columns, at)
    assert rows(columns) == whole(crowd)


def test_a_counter_from_the_future_is_answered_in_full(crowd: Any) -> None:
    with crowd.transaction() as tx:
        current = tx.changes.current()
    assert page(crowd, Position.after(current))[0].full is False
    assert page(crowd, Position.after(current + 1))[0].full is True


def test_many_removals_are_told_in_parts(crowd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "REMOVALS", 2)
    columns = FleetColumns()
    at = follow(crowd, columns, Position.after(0))
    with crowd.transaction() as tx:
        for number in range(5):
            tx.identities.delete(tx.identities.get(f"kms-{number}").number)
    follow(crowd, columns, at)
    assert rows(columns) == whole(crowd)
    assert len(columns) == 5


def test_the_certificate_of_the_last_call_is_shown_while_it_counts(crowd: Any) -> None:
    """Renewed and not used yet, the old one is what the client holds; once it is revoked, the new one has to be."""
    _, token = crowd.identity("csi-1", cluster="wl-1")
    old = crowd.certificate("csi-1", token)
    caller = crowd.caller(old)
    with crowd.transaction() as tx:
        guard.mark_used(tx, caller, crowd.clock.now())
    crowd.clock.advance(timedelta(minutes=20))
    new = crowd.certificate("csi-1", token)

    def shown() -> tuple[int, int]:
        (row,) = [row for row in whole(crowd) if row.name == "csi-1"]
        return row.serial_low, row.used_serial_low

    low = 2**64 - 1
    assert shown() == (old.serial & low, old.serial & low)
    with crowd.transaction() as tx:
        tx.certificates.revoke(old.serial, crowd.clock.now(), RevokeReason.CERTIFICATE)
    assert shown() == (new.serial & low, old.serial & low)
