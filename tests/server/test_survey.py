"""The agent's own look at the fleet, and what it tells readers that nobody wrote down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from backend.core.fleet import FleetColumns
from backend.server.survey import Submit, Survey
from backend.service import fleet
from backend.store.port import Transaction

T = TypeVar("T")


def rowed(site: Any) -> Submit:
    async def submit(work: Callable[[Transaction], T]) -> T:
        with site.store.transaction() as tx:
            return work(tx)

    return submit


def renewed_and_not_used(site: Any) -> int:
    """The administrator's certificate gets a successor that it never calls with; return the successor's serial."""
    site.roles(site.admin())  # a call, so that the first one is in use
    with site.store.transaction() as tx:
        admin = tx.identities.get("admin")
        (first,) = tx.certificates.of(admin.number)
        later = replace(first.validity, not_after=first.validity.not_after + timedelta(days=30))
        issued_at = first.issued_at + timedelta(hours=1)
        serial = 2**100 + 7
        tx.certificates.add(
            replace(first, serial=serial, validity=later, issued_at=issued_at, fingerprint="ab", first_used_at=None)
        )
    return serial


@pytest.mark.parametrize(("late", "is_told"), [(-1, False), (0, False), (1, True)])
async def test_readers_hear_of_a_certificate_that_ended_while_another_one_lives(
    site: Any, late: int, is_told: bool
) -> None:
    """No row changes at that second, and yet the client holds another certificate from then on, if any."""
    successor = renewed_and_not_used(site)
    survey = Survey(site.world, rowed(site))
    await survey.look()
    held = FleetColumns()
    with site.store.transaction() as tx:
        for delta in fleet.read(tx, site.world, 0):
            held.apply(delta)
    end = held.row(0).certificate_not_after
    assert end is not None
    for moment in (end - timedelta(seconds=20), end + timedelta(seconds=late)):
        site.clock.advance(moment - site.clock.now())
        await survey.look()
    with site.store.transaction() as tx:
        for delta in fleet.read(tx, site.world, held.change):
            held.apply(delta)
    assert (held.row(0).serial_low == successor & (2**64 - 1)) is is_told
    mirrored = site.world.mirror.columns.row(0)
    assert (mirrored.serial_low == successor & (2**64 - 1)) is is_told
