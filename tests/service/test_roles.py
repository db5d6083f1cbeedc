"""Roles and assignments: nobody grants beyond their own rights, an owner remains (R69; ADR 0008)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.core.errors import AccessDenied, InconsistentState, InvalidInput, NotFound, OldVersion
from backend.core.rbac import (
    Action,
    GeneralOperation,
    Need,
    Permission,
    Provider,
    ProviderOperation,
    Role,
    RoleAssignment,
    Scope,
    may,
)
from backend.core.roles import BUILT_IN
from backend.service import roles
from backend.service.caller import Caller

if TYPE_CHECKING:
    from tests.service.conftest import Site

READ_NODES = Action(provider=Provider.NODE, operation=GeneralOperation.READ)
WRITE_NODES = Action(provider=Provider.NODE, operation=GeneralOperation.WRITE)
EVERYTHING = Action(provider=Provider.ANY, operation=GeneralOperation.ALL)


def role(name: str, *actions: Action, without: tuple[Action, ...] = (), version: str = "", **more: object) -> Role:
    permissions = (Permission(actions=actions, not_actions=without),) if actions else ()
    return Role(name=name, permissions=permissions, version=version, **more)  # type: ignore[arg-type]


def put(site: Site, draft: Role, caller: Caller | None = None) -> Role:
    with site.transaction() as tx:
        return roles.put_role(tx, site.world, caller or site.admin, draft)


def assign(
    site: Site, role_name: str, to: str, caller: Caller | None = None, scope: Scope | None = None
) -> RoleAssignment:
    draft = RoleAssignment(name="", role_name=role_name, identity_name=to, scope=scope or Scope())
    with site.transaction() as tx:
        return roles.assign_role(tx, site.world, caller or site.admin, draft)


def remove(site: Site, wanted: RoleAssignment, caller: Caller | None = None) -> None:
    with site.transaction() as tx:
        roles.remove_assignment(tx, site.world, caller or site.admin, wanted)


def test_built_in_roles_are_listed_first_and_stay_as_they_are(site: Site) -> None:
    put(site, role("watcher", READ_NODES))
    with site.transaction() as tx:
        assert [found.name for found in roles.list_roles(tx)] == [*(found.name for found in BUILT_IN), "watcher"]
        for call in (
            lambda: roles.put_role(tx, site.world, site.admin, role("Owner", READ_NODES)),
            lambda: roles.delete_role(tx, site.world, site.admin, "Reader"),
        ):
            with pytest.raises(AccessDenied, match="built in"):
                call()


def test_a_role_gets_an_id_and_a_growing_version_and_two_edits_do_not_both_win(site: Site) -> None:
    made = put(site, role("watcher", READ_NODES))
    changed = put(site, role("watcher", WRITE_NODES, version=made.version))
    assert (changed.id, int(changed.version)) == (made.id, int(made.version) + 1)
    with pytest.raises(OldVersion):
        put(site, role("watcher", READ_NODES, version=made.version))


@pytest.mark.parametrize(
    "draft",
    [
        role("empty"),
        role("vague", Action(provider=Provider.NODE, operation=GeneralOperation.UNSPECIFIED)),
        role("vague", Action(provider=Provider.NODE, operation=GeneralOperation.PROVIDER_ACTION)),
    ],
)
def test_a_role_that_says_nothing_is_refused(site: Site, draft: Role) -> None:
    """Go clients cannot read back an action without an operation (moc/protocol.md 2.1)."""
    with pytest.raises(InvalidInput):
        put(site, draft)


def test_nobody_makes_or_assigns_a_role_beyond_their_own_rights(site: Site) -> None:
    keeper = site.signed_in("keeper", "RoleContributor", "NodeReader")
    site.identity("kva")
    put(site, role("fine", READ_NODES), keeper)
    assign(site, "fine", "kva", keeper)
    for draft in (role("more", WRITE_NODES), role("all", EVERYTHING), role("fine", WRITE_NODES)):
        with pytest.raises(AccessDenied, match="beyond"):
            put(site, draft, keeper)
    for name in ("Owner", "Contributor", "Reader", "NodeContributor"):
        for to in ("kva", "keeper"):
            with pytest.raises(AccessDenied, match="beyond"):
                assign(site, name, to, keeper)


def test_nobody_drops_their_own_exception_or_widens_their_own_scope(site: Site) -> None:
    keeper = site.signed_in("keeper", "RoleContributor")
    put(site, role("most", EVERYTHING, without=(WRITE_NODES,)))
    assign(site, "most", "keeper")
    put(site, role("local", WRITE_NODES))
    north = assign(site, "local", "keeper", scope=Scope(location="north"))
    keeper = site.caller(keeper.certificate)
    with pytest.raises(AccessDenied):
        put(site, role("most", EVERYTHING), keeper)
    for scope in (Scope(), Scope(location="south")):
        draft = RoleAssignment(name=north.name, role_name="local", identity_name="keeper", scope=scope)
        with site.transaction() as tx, pytest.raises(AccessDenied):
            roles.assign_role(tx, site.world, keeper, draft)


def test_a_changed_role_acts_on_its_holders_next_call(site: Site) -> None:
    put(site, role("watcher", READ_NODES))
    caller = site.signed_in("kva", "watcher")
    writing = Need(provider=Provider.NODE, operation=GeneralOperation.WRITE)
    assert not may(caller.grants, writing)
    put(site, role("watcher", READ_NODES, WRITE_NODES))
    assert may(site.caller(caller.certificate).grants, writing)


def test_a_role_in_use_is_not_deleted_nor_moved_out_from_under_its_holders(site: Site) -> None:
    put(site, role("watcher", READ_NODES))
    site.identity("kva")
    held = assign(site, "watcher", "kva", scope=Scope(location="north"))
    with site.transaction() as tx, pytest.raises(InconsistentState, match="assigned"):
        roles.delete_role(tx, site.world, site.admin, "watcher")
    with pytest.raises(InconsistentState, match="outside"):
        put(site, role("watcher", READ_NODES, assignable_scopes=(Scope(location="south"),)))
    remove(site, held)
    with site.transaction() as tx:
        roles.delete_role(tx, site.world, site.admin, "watcher")
        with pytest.raises(NotFound):
            roles.get_role(tx, "watcher")


def test_a_role_is_assigned_only_within_its_assignable_scopes(site: Site) -> None:
    put(site, role("watcher", READ_NODES, assignable_scopes=(Scope(location="north"),)))
    site.identity("kva")
    assign(site, "watcher", "kva", scope=Scope(location="north", group="g"))
    for scope in (Scope(), Scope(location="south")):
        with pytest.raises(InvalidInput, match="not assignable"):
            assign(site, "watcher", "kva", scope=scope)


def test_the_same_assignment_again_is_the_same_one(site: Site) -> None:
    site.identity("kva")
    first, again = assign(site, "Reader", "kva"), assign(site, "Reader", "kva")
    assert (first.name, first.id) == (again.name, again.id)
    assert assign(site, "Reader", "kva", scope=Scope(location="north")).name != first.name


def test_an_assignment_needs_a_known_identity_and_role(site: Site) -> None:
    site.identity("kva")
    for role_name, to in (("Reader", "nobody"), ("nothing", "kva")):
        with pytest.raises(NotFound):
            assign(site, role_name, to)


def test_an_assignment_is_removed_by_name_or_by_identity_and_role(site: Site) -> None:
    site.identity("kva")
    north = Scope(location="north")
    assign(site, "Reader", "kva", scope=north)
    by_pair = RoleAssignment(name="", role_name="Reader", identity_name="kva")
    remove(site, by_pair)  # the only one that fits
    everywhere = assign(site, "Reader", "kva")
    assign(site, "Reader", "kva", scope=north)
    assign(site, "Reader", "kva", scope=Scope(location="south"))
    remove(site, by_pair)  # the one whose scope is as empty as the request's
    with pytest.raises(NotFound):
        remove(site, everywhere)
    with pytest.raises(InvalidInput, match="2 role assignments"):
        remove(site, by_pair)
    with pytest.raises(InvalidInput, match="not named"):
        remove(site, RoleAssignment(name="", role_name="Reader", identity_name=""))


def test_the_last_owner_keeps_the_role_until_another_enabled_one_is_there(site: Site) -> None:
    """R69: neither removed, nor narrowed, nor turned into another role."""
    with site.transaction() as tx:
        [ownership] = tx.assignments.of("admin")
    for change in (
        RoleAssignment(name=ownership.name, role_name="Owner", identity_name="admin", scope=Scope(location="north")),
        RoleAssignment(name=ownership.name, role_name="Reader", identity_name="admin"),
    ):
        with site.transaction() as tx, pytest.raises(InconsistentState, match="last owner"):
            roles.assign_role(tx, site.world, site.admin, change)
    with pytest.raises(InconsistentState, match="last owner"):
        remove(site, ownership)
    site.identity("second")
    assign(site, "Owner", "second", scope=Scope(location="north"))
    with pytest.raises(InconsistentState, match="last owner"):
        remove(site, ownership)
    assign(site, "Owner", "second")
    remove(site, ownership)


def test_a_signer_signs_and_nothing_else(site: Site) -> None:
    caller = site.signed_in("signer", "CertificateSigner")
    verb = GeneralOperation.PROVIDER_ACTION
    for code, allowed in (
        (ProviderOperation.CERTIFICATE_SIGN, True),
        (ProviderOperation.CERTIFICATE_RENEW, True),
        (ProviderOperation.CERTIFICATE_DELETE, False),
    ):
        need = Need(provider=Provider.CERTIFICATE, operation=verb, provider_operation=code)
        assert may(caller.grants, need) is allowed
