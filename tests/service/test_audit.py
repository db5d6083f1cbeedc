"""The audit chain (R72; US-15.5)."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backend.core.errors import AccessDenied, AgentError, TokenRejected
from backend.core.model import AuditEvent, Outcome, Secret
from backend.service import audit
from backend.service.audit import TEXT_LENGTH, digest_of, record, record_refusal, verify

if TYPE_CHECKING:
    from tests.service.conftest import Site


def add(site: Site, subject: str, **detail: str) -> AuditEvent:
    with site.transaction() as tx:
        return record(tx, site.clock.now(), actor="admin", origin="cli", action="test", subject=subject, detail=detail)


def tamper(site: Site, statement: str, *values: object) -> None:
    """Change the file behind the program's back, its guards taken off first."""
    with sqlite3.connect(site.directory / "store.db") as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name LIKE 'audit%'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


def test_the_chain_is_intact_from_the_agents_birth_on(site: Site) -> None:
    last = add(site, "kva")
    with site.transaction() as tx:
        events = list(tx.audit.walk())
        verdict = verify(tx)
    assert events[0].action == "init_agent"
    assert events[0].previous == audit.FIRST_PREVIOUS
    assert [event.index for event in events] == list(range(1, len(events) + 1))
    assert verdict.intact
    assert (verdict.count, verdict.head, verdict.first_bad, verdict.why) == (len(events), last.digest, 0, "")


@pytest.mark.parametrize(
    ("field", "value"), [("actor", "x"), ("subject", "y"), ("outcome", Outcome.REFUSED), ("detail", {"a": "c"})]
)
def test_every_field_is_in_the_digest(site: Site, field: str, value: object) -> None:
    event = add(site, "kva", a="b")
    assert digest_of(event) == event.digest
    assert digest_of(replace(event, **{field: value})) != event.digest  # type: ignore[arg-type]


def test_a_changed_link_is_named(site: Site) -> None:
    event = add(site, "kva")
    add(site, "csi")
    tamper(site, "UPDATE audit SET subject = 'nobody' WHERE \"index\" = ?", event.index)
    with site.transaction() as tx:
        verdict = verify(tx)
    assert not verdict.intact
    assert verdict.first_bad == event.index
    assert "changed" in verdict.why


def test_a_removed_link_is_named(site: Site) -> None:
    event = add(site, "kva")
    add(site, "csi")
    tamper(site, 'DELETE FROM audit WHERE "index" = ?', event.index)
    with site.transaction() as tx:
        verdict = verify(tx)
    assert not verdict.intact
    assert verdict.first_bad == event.index + 1
    assert "missing" in verdict.why


def test_the_chain_is_walked_in_slices_up_to_where_it_ended_at_the_beginning(site: Site) -> None:
    for number in range(5):
        add(site, f"client-{number}")
    with site.transaction() as tx:
        before = verify(tx)
        walk: audit.Walk | audit.Verdict = audit.begin_walk(tx)
    steps = 0
    while isinstance(walk, audit.Walk):
        with site.transaction() as tx:
            walk = audit.walk_on(tx, walk, most=2)
        add(site, "while it is walked")  # else a busy agent's chain would never be walked to its end
        steps += 1
    assert walk == before
    assert steps == -(-before.count // 2)


def test_a_walk_in_slices_finds_what_a_walk_in_one_finds(site: Site) -> None:
    events = [add(site, f"client-{number}") for number in range(6)]
    tamper(site, "UPDATE audit SET subject = 'nobody' WHERE \"index\" = ?", events[4].index)
    with site.transaction() as tx:
        walk: audit.Walk | audit.Verdict = audit.begin_walk(tx)
        while isinstance(walk, audit.Walk):
            walk = audit.walk_on(tx, walk, most=3)
        assert walk == verify(tx)
    assert walk.first_bad == events[4].index


def test_a_chain_that_gets_shorter_while_it_is_walked_is_not_intact(site: Site) -> None:
    last = add(site, "kva")
    with site.transaction() as tx:
        walk: audit.Walk | audit.Verdict = audit.walk_on(tx, audit.begin_walk(tx), most=1)
    tamper(site, 'DELETE FROM audit WHERE "index" = ?', last.index)
    with site.transaction() as tx:
        while isinstance(walk, audit.Walk):
            walk = audit.walk_on(tx, walk, most=1)
    assert (walk.intact, walk.first_bad) == (False, last.index)


def test_a_refusal_outlives_the_rollback_of_what_was_refused(site: Site) -> None:
    with site.transaction() as tx:
        try:
            with tx.savepoint():
                record(tx, site.clock.now(), actor="kva", origin="rpc", action="half done", subject="x")
                raise AccessDenied("no")
        except AgentError as error:
            record_refusal(
                tx,
                site.clock.now(),
                actor="kva",
                origin="rpc",
                action="rotate",
                subject="x",
                error=error,
                address="a:1",
            )
    with site.transaction() as tx:
        newest = tx.audit.newest(2)
        assert verify(tx).intact
    assert newest[0].outcome is Outcome.REFUSED
    assert newest[0].detail == {"reason": "access_denied", "why": "no", "address": "a:1"}
    assert newest[1].action != "half done"


def test_hostile_texts_stay_one_cut_record(site: Site) -> None:
    hostile = 'x\n{"index": 1}\x1b[31m\u202e' + "A" * 10_000
    event = add(site, hostile, why=hostile)
    assert len(event.subject) == len(event.detail["why"]) == TEXT_LENGTH
    with site.transaction() as tx:
        assert tx.audit.newest(1) == [event]
        assert verify(tx).intact


def test_no_secret_is_in_the_text_of_a_refusal(site: Site) -> None:
    token = site.admin_token
    with site.transaction() as tx:
        refusal = record_refusal(
            tx, site.clock.now(), actor="", origin="rpc", action="sign_in", subject="admin", error=TokenRejected()
        )
    assert token.reveal() not in repr(refusal)
    assert isinstance(token, Secret)
