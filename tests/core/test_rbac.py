"""Roles and permissions: deny by default, notActions win, nobody hands out more than they have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.rbac import (
    ANYWHERE,
    PERMISSIONS,
    Action,
    GeneralOperation,
    Grant,
    Grants,
    Need,
    Permission,
    Provider,
    ProviderOperation,
    Role,
    RoleAssignment,
    Rule,
    RuleKind,
    Scope,
    allows,
    covers,
    covers_all,
    grants_of,
    may,
)
from backend.core.roles import BUILT_IN, OWNER

READ, WRITE, DELETE = GeneralOperation.READ, GeneralOperation.WRITE, GeneralOperation.DELETE
ALL, VERB, NONE = GeneralOperation.ALL, GeneralOperation.PROVIDER_ACTION, GeneralOperation.UNSPECIFIED
ROLES = {role.name: role for role in BUILT_IN}
WIRE = Path(__file__).parents[2] / "backend/wire"

SECURITY = "/moc.cloudagent.security."
IDENTITY = f"{SECURITY}IdentityAgent/Invoke"


def action(provider: Provider, operation: GeneralOperation, verb: int = 0) -> Action:
    return Action(provider=provider, operation=operation, provider_operation=verb)


def holding(*roles: Role, scope: Scope = ANYWHERE) -> Grants:
    assignments = [
        RoleAssignment(name=role.name, role_name=role.name, identity_name="anna", scope=scope) for role in roles
    ]
    return grants_of("anna", roles, assignments)


def role(*actions: Action, without: tuple[Action, ...] = ()) -> Role:
    return Role(name="custom", permissions=(Permission(actions=actions, not_actions=without),))


READ_IDENTITY = Need(provider=Provider.IDENTITY, operation=READ)
WRITE_IDENTITY = Need(provider=Provider.IDENTITY, operation=WRITE, parts=(300, 301))
ROTATE = Need(provider=Provider.IDENTITY, operation=VERB, provider_operation=303)


def passes(path: str, *names: str, code: int | None = None, is_self: bool = False) -> bool:
    return allows(PERMISSIONS[path], holding(*(ROLES[name] for name in names)), code=code, is_self=is_self)


def test_every_rpc_that_is_served_has_exactly_one_row() -> None:
    served = set()
    for path in WIRE.glob("**/*.proto"):
        text = path.read_text()
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
        assert package
        for service, body in re.findall(r"^service (\w+) \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            served |= {f"/{package[1]}.{service}/{rpc}" for rpc in re.findall(r"^\s*rpc (\w+)", body, re.MULTILINE)}
    assert served
    assert set(PERMISSIONS) == served


def test_only_the_login_and_the_public_chain_ask_for_no_certificate() -> None:
    open_to_all = [path for path, rule in PERMISSIONS.items() if rule.kind is RuleKind.ANONYMOUS]
    assert open_to_all == [f"{SECURITY}AuthenticationAgent/Login", "/mocdeck.v1.TrustAgent/GetBundleChain"]


def test_every_need_names_an_operation() -> None:
    def rules(rule: Rule) -> list[Rule]:
        return [rule, *(inner for case in rule.cases.values() for inner in rules(case))]

    for rule in (inner for outer in PERMISSIONS.values() for inner in rules(outer)):
        assert (rule.need is not None) is (rule.kind in {RuleKind.NEED, RuleKind.SELF_OR})
        assert rule.need is None or rule.need.operation not in {NONE, ALL}


def test_a_caller_without_roles_may_do_only_what_is_about_itself() -> None:
    assert passes(IDENTITY, code=0, is_self=True)
    assert not passes(IDENTITY, code=0)
    assert not passes(IDENTITY, code=1, is_self=True)
    assert passes(f"{SECURITY}IdentityAgent/OperateCertificates", code=402, is_self=True)
    assert not passes(f"{SECURITY}IdentityAgent/OperateCertificates", code=402)
    assert not passes(f"{SECURITY}IdentityAgent/Operate", code=303, is_self=True)
    assert passes("/moc.common.admin.VersionAgent/Get")
    assert passes("/mocdeck.v1.ClientAgent/Beat")


def test_a_number_without_a_case_and_a_method_without_a_row_are_refused_even_to_the_owner() -> None:
    owner = holding(OWNER)
    assert not passes(IDENTITY, "Owner", code=4)
    assert not passes(IDENTITY, "Owner", code=None)
    assert not allows(PERMISSIONS.get("/moc.cloudagent.security.KeyAgent/Invoke"), owner, code=0, is_self=True)


@pytest.mark.parametrize("path", [path for path, rule in PERMISSIONS.items() if rule.kind is not RuleKind.ANONYMOUS])
def test_the_owner_may_do_everything(path: str) -> None:
    for code in PERMISSIONS[path].cases or [None]:
        assert passes(path, "Owner", code=code)


def test_a_contributor_changes_everything_but_rights_and_the_ca() -> None:
    assert passes(IDENTITY, "Contributor", code=1)
    assert passes("/mocdeck.v1.OperationAgent/Start", "Contributor", code=3)
    assert passes("/mocdeck.v1.FleetAgent/PutCluster", "Contributor")
    for agent in ("RoleAgent", "RoleAssignmentAgent"):
        assert passes(f"{SECURITY}{agent}/Invoke", "Contributor", code=0)
        assert not passes(f"{SECURITY}{agent}/Invoke", "Contributor", code=1)
        assert not passes(f"{SECURITY}{agent}/Invoke", "Contributor", code=2)
    for rpc in ("StartRotation", "MoveRotation", "DestroyAuthority"):
        assert not passes(f"/mocdeck.v1.AuthorityAgent/{rpc}", "Contributor")


def test_a_reader_reads_all_and_changes_nothing() -> None:
    assert passes("/mocdeck.v1.FleetAgent/Watch", "Reader")
    assert passes("/mocdeck.v1.AuthorityAgent/PlanRotation", "Reader")
    assert passes("/moc.common.admin.HealthAgent/CheckHealth", "Reader")
    assert not passes("/mocdeck.v1.OperationAgent/Start", "Reader", code=1)
    assert not passes(f"{SECURITY}CertificateAgent/Sign", "Reader")


def test_starting_an_operation_needs_the_right_to_its_action() -> None:
    renewer = role(action(Provider.IDENTITY, VERB, ProviderOperation.IDENTITY_CERTIFICATE_RENEW))
    start = PERMISSIONS["/mocdeck.v1.OperationAgent/Start"]
    assert [allows(start, holding(renewer), code=code, is_self=False) for code in (0, 1, 2, 3)] == [
        False,
        True,
        False,
        False,
    ]


def test_a_certificate_signer_signs_and_renews_and_no_more() -> None:
    assert passes(f"{SECURITY}CertificateAgent/Sign", "CertificateSigner")
    assert passes(f"{SECURITY}CertificateAgent/Renew", "CertificateSigner")
    assert not passes(f"{SECURITY}CertificateAgent/Get", "CertificateSigner")


def test_not_actions_win_within_a_permission_and_a_second_permission_adds_to_it() -> None:
    limited = Permission(actions=(action(Provider.IDENTITY, ALL),), not_actions=(action(Provider.IDENTITY, VERB, 303),))
    more = Permission(actions=(action(Provider.IDENTITY, VERB, 303),))
    assert not may(holding(Role(name="r", permissions=(limited,))), ROTATE)
    assert may(holding(Role(name="r", permissions=(limited,))), READ_IDENTITY)
    assert may(holding(Role(name="r", permissions=(limited, more))), ROTATE)


@pytest.mark.parametrize(
    ("line", "is_granted", "is_excluded"),
    [
        (action(Provider.IDENTITY, VERB, 303), True, True),
        (action(Provider.ANY, VERB, 303), True, True),
        (action(Provider.IDENTITY, ALL), True, True),
        (action(Provider.IDENTITY, VERB, 0), False, True),
        (action(Provider.IDENTITY, NONE), False, True),
        (action(Provider.IDENTITY, VERB, 302), False, False),
        (action(Provider.IDENTITY, WRITE), False, False),
        (action(Provider.ROLE, ALL), False, False),
    ],
)
def test_what_a_line_leaves_open_grants_nothing_and_excludes_everything(
    line: Action, is_granted: bool, is_excluded: bool
) -> None:
    assert may(holding(role(line)), ROTATE) is is_granted
    assert may(holding(role(action(Provider.ANY, ALL), without=(line,))), ROTATE) is not is_excluded


def test_both_halves_of_a_write_are_worth_the_whole_and_one_excluded_half_excludes_it() -> None:
    create, update = action(Provider.IDENTITY, VERB, 300), action(Provider.IDENTITY, VERB, 301)
    assert may(holding(role(create, update)), WRITE_IDENTITY)
    assert not may(holding(role(create)), WRITE_IDENTITY)
    assert not may(holding(role(action(Provider.IDENTITY, ALL), without=(create,))), WRITE_IDENTITY)


@pytest.mark.parametrize(
    ("scope", "on", "is_inside"),
    [
        (Scope(), Scope(location="l", group="g", resource="r"), True),
        (Scope(location="l"), Scope(location="l", group="g", resource="r"), True),
        (Scope(location="l", group="g"), Scope(location="l"), False),
        (Scope(location="l"), Scope(), False),
        (Scope(location="l"), Scope(location="m"), False),
        (Scope(provider=Provider.IDENTITY), Scope(location="l"), True),
        (Scope(provider=Provider.ROLE), Scope(location="l"), False),
        (Scope(resource="r"), Scope(location="l", resource="r"), True),
        (Scope(resource="r"), Scope(location="l", resource="s"), False),
    ],
)
def test_a_location_contains_groups_contain_resources(scope: Scope, on: Scope, is_inside: bool) -> None:
    assert may(holding(OWNER, scope=scope), READ_IDENTITY, on) is is_inside


def test_an_assignment_of_another_or_of_a_role_that_is_gone_grants_nothing() -> None:
    other = RoleAssignment(name="a", role_name="Owner", identity_name="ben")
    gone = RoleAssignment(name="b", role_name="Vanished", identity_name="anna")
    assert grants_of("anna", BUILT_IN, [other, gone]).grants == ()


def test_a_role_is_assignable_only_within_its_scopes() -> None:
    bound = Role(name="r", assignable_scopes=(Scope(location="l"),))
    assert bound.is_assignable_at(Scope(location="l", group="g"))
    assert not bound.is_assignable_at(ANYWHERE)
    assert OWNER.is_assignable_at(ANYWHERE)


@pytest.mark.parametrize("name", ROLES)
def test_the_owner_may_hand_out_every_role_and_everybody_their_own(name: str) -> None:
    assert covers(holding(OWNER), ROLES[name])
    assert covers(holding(ROLES[name]), ROLES[name])
    assert covers(holding(ROLES[name]), OWNER) is (name == "Owner")


def test_nobody_hands_out_more_than_they_have() -> None:
    assert covers(holding(ROLES["Reader"]), ROLES["NodeReader"])
    assert not covers(holding(ROLES["NodeReader"]), ROLES["Reader"])
    assert not covers(holding(ROLES["Contributor"]), ROLES["RoleContributor"])
    assert covers(holding(ROLES["Contributor"]), ROLES["IdentityContributor"])
    assert not covers(holding(OWNER, scope=Scope(location="l")), ROLES["NodeReader"])
    assert covers(holding(OWNER, scope=Scope(location="l")), ROLES["NodeReader"], Scope(location="l", group="g"))
    assert covers(holding(), Role(name="empty"))


def test_whoever_is_denied_a_part_of_an_operation_cannot_hand_out_the_whole() -> None:
    partly = holding(role(action(Provider.IDENTITY, ALL), without=(action(Provider.IDENTITY, VERB, 300),)))
    assert not covers(partly, role(action(Provider.IDENTITY, WRITE)))
    assert not covers(partly, ROLES["IdentityContributor"])


def test_a_scope_of_one_provider_bounds_what_is_handed_out() -> None:
    identities = holding(ROLES["IdentityContributor"])
    assert covers(identities, OWNER, Scope(provider=Provider.IDENTITY))
    assert not covers(identities, OWNER, Scope(provider=Provider.ROLE))


def test_acting_in_anothers_name_needs_all_its_rights() -> None:
    assert covers_all(holding(OWNER), holding(ROLES["Contributor"]))
    assert not covers_all(holding(ROLES["IdentityContributor"]), holding(OWNER))


def test_the_built_in_roles_have_names_and_ids_of_their_own() -> None:
    assert len({r.id for r in BUILT_IN}) == len({r.name for r in BUILT_IN}) == len(BUILT_IN)
    assert all(r.is_built_in for r in BUILT_IN)


PROVIDERS = st.sampled_from([Provider.ANY, Provider.IDENTITY, Provider.ROLE])
OPERATIONS = st.sampled_from(GeneralOperation)
LINES = st.lists(
    st.builds(Action, provider=PROVIDERS, operation=OPERATIONS, provider_operation=st.sampled_from([0, 300, 301, 303])),
    max_size=3,
).map(tuple)
SCOPES = st.builds(
    Scope,
    location=st.sampled_from(["", "l"]),
    group=st.sampled_from(["", "g"]),
    provider=PROVIDERS,
    resource=st.just(""),
)
GRANTS = st.lists(
    st.builds(Grant, permission=st.builds(Permission, actions=LINES, not_actions=LINES), scope=SCOPES), max_size=3
).map(lambda grants: Grants(identity_name="x", grants=tuple(grants)))
NEEDS = st.sampled_from(
    [
        *(Need(provider=p, operation=o) for p in Provider if p for o in (READ, WRITE, DELETE)),
        *(Need(provider=p, operation=VERB, provider_operation=v) for p in Provider if p for v in (300, 303, 402)),
        WRITE_IDENTITY,
    ]
)
PLACES = st.builds(Scope, location=st.sampled_from(["", "l", "m"]), group=st.sampled_from(["", "g"]))


@settings(derandomize=True, deadline=None, max_examples=600)
@given(having=GRANTS, given_away=GRANTS, need=NEEDS, place=PLACES)
def test_what_is_covered_never_allows_more_than_its_giver_may(
    having: Grants, given_away: Grants, need: Need, place: Scope
) -> None:
    if covers_all(having, given_away) and may(given_away, need, place):
        assert may(having, need, place)
