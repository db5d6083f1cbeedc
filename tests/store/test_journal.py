"""The audit chain only grows; roles, resources and small texts come back as they were."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import AlreadyExists, InconsistentState, NotFound
from backend.core.rbac import Action, GeneralOperation, Permission, Role, RoleAssignment, Scope
from backend.store.port import Store
from backend.store.records import Resource


def test_the_audit_is_read_from_both_ends(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        assert tx.audit.head() is None
        for index in range(1, 8):
            tx.audit.append(make.event(index, subject="csi" if index % 2 else "kva"))
    with store.transaction() as tx:
        assert tx.audit.head() == make.event(7, subject="csi")
        assert [event.index for event in tx.audit.newest(3)] == [7, 6, 5]
        assert [event.index for event in tx.audit.newest(3, "kva")] == [6, 4, 2]
        assert [event.index for event in tx.audit.after(4, 2)] == [5, 6]
        assert [event.index for event in tx.audit.after(4, 9, "csi")] == [5, 7]
        assert [event.index for event in tx.audit.walk()] == [1, 2, 3, 4, 5, 6, 7]


def test_a_long_audit_is_walked_whole(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        for index in range(2_001):
            tx.audit.append(make.event(index))
        assert [event.index for event in tx.audit.walk()] == list(range(2_001))


@pytest.mark.parametrize("index", [1, 2, 4])
def test_an_event_must_follow_the_newest(store: Store, make: Any, index: int) -> None:
    with store.transaction() as tx:
        tx.audit.append(make.event(1))
        tx.audit.append(make.event(2))
        with pytest.raises((InconsistentState, AlreadyExists), match="no gaps"):
            tx.audit.append(make.event(index))


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_the_audit_is_append_only_even_by_hand(store: Store, make: Any, path: Path, change: str) -> None:
    with store.transaction() as tx:
        tx.audit.append(make.event(1))
    by_hand = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        by_hand.execute(change)
    by_hand.close()


ROLE = Role(
    name="LoadBalancerReader",
    id="role-id",
    permissions=(
        Permission(
            actions=(
                Action(provider=31, operation=GeneralOperation.READ),
                Action(provider=12, operation=GeneralOperation.PROVIDER_ACTION, provider_operation=4),
            ),
            not_actions=(Action(provider=12, operation=GeneralOperation.DELETE),),
        ),
    ),
    assignable_scopes=(Scope(), Scope(location="here", group="g", provider=31, resource="r")),
    tags={"a": "ü"},
    version="7",
)


def test_roles_come_back_whole(store: Store) -> None:
    with store.transaction() as tx:
        tx.roles.put(Role(name=ROLE.name))
        tx.roles.put(ROLE)
    with store.transaction() as tx:
        assert tx.roles.find(ROLE.name) == ROLE
        assert tx.roles.all() == [ROLE]
        tx.roles.delete(ROLE.name)
        assert tx.roles.find(ROLE.name) is None
        with pytest.raises(NotFound, match=ROLE.name):
            tx.roles.delete(ROLE.name)


def test_assignments_are_found_by_identity(store: Store) -> None:
    first = RoleAssignment(name="a1", role_name="Owner", identity_name="admin", scope=Scope(location="here"))
    second = RoleAssignment(name="a2", role_name="Reader", identity_name="kva", version="3")
    with store.transaction() as tx:
        tx.assignments.put(first)
        tx.assignments.put(second)
    with store.transaction() as tx:
        assert tx.assignments.of("admin") == [first]
        assert tx.assignments.find("a2") == second
        assert tx.assignments.all() == [first, second]
        tx.assignments.put(RoleAssignment(name="a1", role_name="Owner", identity_name="kva"))
        assert tx.assignments.of("admin") == []
        tx.assignments.delete("a1")
        with pytest.raises(NotFound, match="a1"):
            tx.assignments.delete("a1")


def test_a_document_that_does_not_fit_is_refused(store: Store, path: Path) -> None:
    with store.transaction() as tx:
        tx.roles.put(ROLE)
    by_hand = sqlite3.connect(path)
    by_hand.execute('UPDATE roles SET document = \'{"name":"x","rights":"all"}\'')
    by_hand.commit()
    by_hand.close()
    with store.transaction() as tx, pytest.raises(ValueError, match="not a Role"):
        tx.roles.find(ROLE.name)


def test_resources_are_told_apart_by_kind_and_location(store: Store, make: Any) -> None:
    def resource(kind: str, location: str, body: bytes = b"\x00\xff") -> Resource:
        return Resource(
            kind=kind, name="n", id="i", location=location, version="1", created_at=make.now, body=body, tags={"k": "v"}
        )

    with store.transaction() as tx:
        for kind, location in (("group", "a"), ("group", "b"), ("node", "a")):
            tx.resources.put(resource(kind, location))
        tx.resources.put(resource("group", "b", b"new"))
    with store.transaction() as tx:
        assert tx.resources.all("group") == [resource("group", "a"), resource("group", "b", b"new")]
        assert tx.resources.find("node", "n", "a") == resource("node", "a")
        assert tx.resources.find("node", "n") is None
        tx.resources.delete("group", "n", "b")
        with pytest.raises(NotFound, match="group n at b"):
            tx.resources.delete("group", "n", "b")


def test_small_texts_are_kept(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.meta.find("deployment") is None
        tx.meta.put("deployment", "demo")
        tx.meta.put("deployment", "demo 2")
        assert tx.meta.find("deployment") == "demo 2"


def test_the_newest_event_is_known_after_a_part_was_undone(store: Store, make: Any) -> None:
    """A chain that went on behind a link that never came to be would be broken for good."""
    with store.transaction() as tx:
        tx.audit.append(make.event(1))
        with contextlib.suppress(NotFound), tx.savepoint():
            tx.audit.append(make.event(2, subject="undone"))
            assert tx.audit.head() == make.event(2, subject="undone")
            tx.identities.get("nobody")
        assert tx.audit.head() == make.event(1)
        tx.audit.append(make.event(2))
        assert tx.audit.head() == make.event(2)
