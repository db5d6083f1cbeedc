"""A role that holds in one location reaches the identities that are there, and a plan starts only what it is for."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.errors import AccessDenied, InvalidInput
from backend.wire.moc import common_pb2, identity_pb2, roleassignment_pb2, security_pb2
from backend.wire.mocdeck.v1 import authority_pb2, operation_pb2


def keeper_of(site: Any, location: str, role: str = "IdentityContributor") -> tuple[bytes, bytes]:
    """The administrator, and an identity that holds a role within one location only."""
    admin = site.admin()
    leaf = site.member(admin, "keeper")
    entry = roleassignment_pb2.RoleAssignment(
        roleName=role, identityName="keeper", scope=security_pb2.Scope(location=location)
    )
    request = roleassignment_pb2.RoleAssignmentRequest(roleAssignments=[entry], OperationType=common_pb2.POST)
    site.call("RoleAssignmentAgent", "Invoke", request, admin)
    return admin, leaf


def invoke(site: Any, leaf: bytes, verb: common_pb2.Operation, *entries: identity_pb2.Identity) -> Any:
    return site.call(
        "IdentityAgent", "Invoke", identity_pb2.IdentityRequest(Identitys=entries, OperationType=verb), leaf
    )


@pytest.mark.parametrize("claimed", ["north", "south", ""])
@pytest.mark.parametrize("verb", [common_pb2.GET, common_pb2.POST, common_pb2.DELETE])
def test_claiming_that_an_identity_is_in_ones_location_opens_nothing(site: Any, verb: Any, claimed: str) -> None:
    admin, keeper = keeper_of(site, "north")
    site.identity(admin, "far", locationName="south")
    with pytest.raises(AccessDenied):
        invoke(site, keeper, verb, identity_pb2.Identity(name="far", locationName=claimed))
    (still,) = invoke(site, admin, common_pb2.GET, identity_pb2.Identity(name="far")).Identitys
    assert still.locationName == "south"


@pytest.mark.parametrize("verb", [common_pb2.Identity_Revoke, common_pb2.Identity_Rotate])
def test_no_verb_reaches_an_identity_of_another_location(site: Any, verb: Any) -> None:
    admin, keeper = keeper_of(site, "north")
    site.identity(admin, "far", locationName="south")
    entry = identity_pb2.Identity(name="far", locationName="north")
    request = identity_pb2.IdentityOperationRequest(Identities=[entry], OperationType=verb)
    with pytest.raises(AccessDenied):
        site.call("IdentityAgent", "Operate", request, keeper)


def test_a_scoped_role_works_on_the_identities_of_its_location_as_clients_name_them(site: Any) -> None:
    admin, keeper = keeper_of(site, "north")
    made = site.identity(keeper, "near", locationName="north")
    assert made.token
    for claimed in ("north", ""):  # some clients leave the location out
        entry = identity_pb2.Identity(name="near", locationName=claimed)
        assert invoke(site, keeper, common_pb2.GET, entry).Identitys[0].id == made.id
    with pytest.raises(AccessDenied):  # out of the location that the role holds in
        invoke(site, keeper, common_pb2.POST, identity_pb2.Identity(name="near", locationName="south"))
    invoke(site, keeper, common_pb2.DELETE, identity_pb2.Identity(name="near"))
    with pytest.raises(AccessDenied):  # whether it is anywhere is not told to whoever may not read everywhere
        invoke(site, keeper, common_pb2.GET, identity_pb2.Identity(name="nowhere"))
    assert len(invoke(site, admin, common_pb2.GET).Identitys) == 2


def test_a_list_of_everything_needs_a_role_everywhere(site: Any) -> None:
    _, keeper = keeper_of(site, "north", role="IdentityReader")
    with pytest.raises(AccessDenied):
        invoke(site, keeper, common_pb2.GET, identity_pb2.Identity(locationName="north"))


def test_the_plan_of_a_ca_rotation_starts_no_operation(site: Any) -> None:
    admin = site.admin()
    plan = site.call("AuthorityAgent", "PlanRotation", authority_pb2.PlanRotationRequest(), admin)
    with pytest.raises(InvalidInput, match="another kind"):
        site.call("OperationAgent", "Start", operation_pb2.StartRequest(plan_id=plan.id, hash=plan.hash), admin)
