"""Deny by default: every served method has a handler and a row, and an identity without roles gets past almost none."""

from __future__ import annotations

import contextlib
import hashlib
import ssl
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message

from backend.core.errors import (
    AccessDenied,
    AgentError,
    CertificateExpired,
    InvalidInput,
    NotSupported,
    Unauthenticated,
)
from backend.core.rbac import PERMISSIONS
from backend.server.calls import Call, Peer
from backend.server.dispatch import DATA_UNARY, LOGIN_UNARY, READS, WATCHES
from backend.server.servicers import TABLE
from backend.wire.convert import fleet_request
from backend.wire.methods import DATA_METHODS, METHODS, get_method
from backend.wire.moc import certificate_pb2, common_pb2, identity_pb2, role_pb2, roleassignment_pb2
from backend.wire.mocdeck.v1 import audit_pb2, authority_pb2, fleet_pb2, operation_pb2

FOR_EVERYBODY = {"VersionAgent/Get", "ClientAgent/Beat"}
VERBS = {
    "Invoke": (common_pb2.GET, common_pb2.POST, common_pb2.DELETE),
    "Operate": (common_pb2.Identity_Revoke, common_pb2.Identity_Rotate),
    "OperateCertificates": (common_pb2.IdentityCertificate_Create, common_pb2.IdentityCertificate_Renew),
}


def short(path: str) -> str:
    service, _, name = path.rpartition("/")
    return f"{service.rpartition('.')[2]}/{name}"


def requests_of(path: str) -> list[Message]:
    """An empty request for each thing that a method can be asked to do."""
    method = METHODS[path]
    if method.name in VERBS:
        return [method.request(OperationType=verb) for verb in VERBS[method.name]]
    return [method.request()]


def filled(path: str, request: Any, about: str) -> Any:
    """The same request about an identity of that name."""
    match short(path):
        case "IdentityAgent/Invoke":
            request.Identitys.append(identity_pb2.Identity(name=about))
        case "IdentityAgent/Operate":
            request.Identities.append(identity_pb2.Identity(name=about))
        case "IdentityAgent/OperateCertificates":
            request.IdentityName = about
        case "CertificateAgent/Renew":
            request.CSRs.append(certificate_pb2.CertificateSigningRequest(name=about))
        case "FleetAgent/Describe":
            request.name = about
        case "ClientAgent/Beat":
            request.clock = 1
    return request


def ask(site: Any, path: str, request: Message, leaf: bytes | None) -> None:
    with site.store.transaction() as tx, tx.savepoint():
        site.dispatcher.answer(tx, Call(path, request.SerializeToString(), Peer(leaf, "192.0.2.7")))


def test_every_served_method_has_a_handler_a_permission_row_and_one_kind_of_answer() -> None:
    assert set(TABLE) == set(METHODS)
    assert set(PERMISSIONS) == set(METHODS)
    kinds = [DATA_UNARY, LOGIN_UNARY, READS, WATCHES]
    assert sum(map(len, kinds)) == len(METHODS)
    assert set().union(*kinds) == set(METHODS)


def test_an_identity_without_roles_is_refused_everything_about_the_site(site: Any) -> None:
    admin = site.admin()
    leaf = site.member(admin, "nobody-1")
    site.member(admin, "csi-1")
    plan = site.call(
        "OperationAgent",
        "Plan",
        operation_pb2.PlanRequest(action=operation_pb2.ROTATE_TOKEN, names=["csi-1"], force=True, reason="drill"),
        admin,
    )
    special = {
        "OperationAgent/Start": operation_pb2.StartRequest(plan_id=plan.id, hash=plan.hash),
        "OperationAgent/Stop": operation_pb2.OperationRequest(
            id=site.call(
                "OperationAgent", "Start", operation_pb2.StartRequest(plan_id=plan.id, hash=plan.hash), admin
            ).id
        ),
    }
    passed, texts = set(), []
    for path in DATA_METHODS:
        for request in [special[short(path)]] if short(path) in special else requests_of(path):
            try:
                ask(site, path, filled(path, request, about="admin"), leaf)
            except AccessDenied as refusal:
                texts.append(str(refusal))
            else:
                passed.add(short(path))
    assert passed == FOR_EVERYBODY
    assert all("nobody-1" in text for text in texts)
    assert not [text for text in texts if "expired" in text.lower()]  # Go clients would sign in again (6.4)


def test_an_empty_request_is_judged_too(site: Any) -> None:
    leaf = site.member(site.admin(), "nobody-1")
    for path in set(DATA_METHODS) - {get_method("OperationAgent", name).path for name in ("Start", "Stop")}:
        if short(path) in FOR_EVERYBODY:
            continue
        for request in requests_of(path):
            with pytest.raises(AccessDenied):
                ask(site, path, request, leaf)


def test_without_roles_one_may_read_oneself_and_nobody_else(site: Any) -> None:
    leaf = site.member(site.admin(), "nobody-1")
    own = identity_pb2.IdentityRequest(Identitys=[identity_pb2.Identity(name="nobody-1")])
    assert site.call("IdentityAgent", "Invoke", own, leaf).Identitys[0].name == "nobody-1"
    assert site.call("FleetAgent", "Describe", fleet_pb2.DescribeRequest(name="nobody-1"), leaf).name == "nobody-1"
    both = identity_pb2.IdentityRequest(
        Identitys=[identity_pb2.Identity(name="nobody-1"), identity_pb2.Identity(name="admin")]
    )
    with pytest.raises(AccessDenied):
        site.call("IdentityAgent", "Invoke", both, leaf)


@pytest.mark.parametrize("verb", [common_pb2.POST, common_pb2.DELETE])
def test_without_roles_one_may_not_change_even_oneself(site: Any, verb: Any) -> None:
    leaf = site.member(site.admin(), "nobody-1")
    entry = identity_pb2.Identity(name="nobody-1", autoRotate=True)
    with pytest.raises(AccessDenied):
        site.call("IdentityAgent", "Invoke", identity_pb2.IdentityRequest(Identitys=[entry], OperationType=verb), leaf)


def test_nothing_on_the_data_port_is_answered_without_a_certificate(site: Any) -> None:
    for path in DATA_METHODS:
        for request in requests_of(path):
            with pytest.raises(Unauthenticated):
                ask(site, path, request, None)


def test_a_reader_reads_the_fleet_and_changes_nothing(site: Any) -> None:
    leaf = site.member(site.admin(), "auditor-1", role="Reader")
    chunks = site.call("FleetAgent", "Read", fleet_request(), leaf)
    assert chunks[-1].last
    for service, name, request in (
        ("IdentityAgent", "Invoke", identity_pb2.IdentityRequest(OperationType=common_pb2.POST)),
        ("IdentityAgent", "Operate", identity_pb2.IdentityOperationRequest(OperationType=common_pb2.Identity_Revoke)),
        ("AuthorityAgent", "StartRotation", authority_pb2.StartRotationRequest()),
    ):
        with pytest.raises(AccessDenied):
            site.call(service, name, request, leaf)


def test_a_contributor_can_neither_rotate_the_ca_nor_write_roles(site: Any) -> None:
    leaf = site.member(site.admin(), "deployer-1", role="Contributor")
    site.identity(leaf, "made-by-deployer")
    grant = roleassignment_pb2.RoleAssignment(roleName="Owner", identityName="deployer-1")
    for service, name, request in (
        ("AuthorityAgent", "StartRotation", authority_pb2.StartRotationRequest()),
        ("AuthorityAgent", "MoveRotation", authority_pb2.MoveRotationRequest()),
        ("AuthorityAgent", "DestroyAuthority", authority_pb2.DestroyAuthorityRequest(generation=1)),
        ("RoleAgent", "Invoke", role_pb2.RoleRequest(OperationType=common_pb2.POST)),
        (
            "RoleAssignmentAgent",
            "Invoke",
            roleassignment_pb2.RoleAssignmentRequest(roleAssignments=[grant], OperationType=common_pb2.POST),
        ),
    ):
        with pytest.raises(AccessDenied):
            site.call(service, name, request, leaf)


@pytest.mark.parametrize("number", [3, 99, -1])
def test_an_operation_that_is_not_offered_is_refused(site: Any, number: int) -> None:
    leaf = site.admin()
    for path in DATA_METHODS:
        if not short(path).endswith("/Invoke"):
            continue
        request = METHODS[path].request(OperationType=number)
        with pytest.raises((AccessDenied, NotSupported, InvalidInput)):
            ask(site, path, request, leaf)


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\xff\xff\xff\xff\x7f", b"\x08"])
def test_bytes_that_are_no_message_are_refused_with_the_message_that_was_expected(site: Any, body: bytes) -> None:
    path = get_method("IdentityAgent", "Invoke").path
    with (
        pytest.raises(InvalidInput, match=r"moc\.cloudagent\.security\.IdentityRequest"),
        site.store.transaction() as tx,
    ):
        site.dispatcher.answer(tx, Call(path, body, Peer(site_leaf(site), "192.0.2.7")))


def site_leaf(_: Any) -> bytes:
    return b"not looked at before the request could be read"


def refuse(site: Any, call: Call) -> AgentError:
    """One call as the core makes it: answer, or undo and record."""
    with site.store.transaction() as tx:
        try:
            with tx.savepoint():
                site.dispatcher.answer(tx, call)
        except AgentError as refusal:
            site.dispatcher.record(tx, call, refusal)
            return refusal
    raise AssertionError("the call was answered")


def audited(site: Any, admin: bytes) -> list[Any]:
    return list(site.call("AuditAgent", "List", audit_pb2.AuditListRequest(limit=500), admin).records)


def test_a_refusal_is_a_link_of_the_audit_chain_once_a_minute_and_names_who_tried_what(site: Any) -> None:
    admin = site.admin()
    leaf = site.member(admin, "nobody-1")
    call = Call(get_method("FleetAgent", "Read").path, b"", Peer(leaf, "192.0.2.7"))
    before = len(audited(site, admin))
    refuse(site, call)
    refuse(site, call)
    assert len(audited(site, admin)) == before + 1
    site.clock.advance(timedelta(seconds=59))
    refuse(site, call)
    assert len(audited(site, admin)) == before + 1
    site.clock.advance(timedelta(seconds=1))
    refuse(site, call)
    newest = audited(site, admin)[0]
    assert len(audited(site, admin)) == before + 2
    assert newest.actor == "nobody-1"
    assert newest.subject == "FleetAgent/Read"


def test_a_client_whose_calls_are_refused_was_seen_all_the_same(site: Any) -> None:
    admin = site.admin()
    leaf = site.member(admin, "nobody-1")
    site.clock.advance(timedelta(hours=1))
    refuse(site, Call(get_method("FleetAgent", "Read").path, b"", Peer(leaf, "192.0.2.7")))
    seen = site.call("FleetAgent", "Describe", fleet_pb2.DescribeRequest(name="nobody-1"), admin)
    assert seen.last_seen_at == int(site.clock.now().timestamp())
    assert seen.last_seen_from == "192.0.2.7"


def test_a_refusal_costs_nobody_else_a_look_into_the_rows(site: Any) -> None:
    """Whoever may do nothing could else make the agent read everybody anew, at each of its calls."""
    admin = site.admin()
    stranger = site.member(admin, "nobody-1")
    site.roles(admin)  # reading may go through a call that can also write; it changes nothing that was remembered
    for service, name in (("FleetAgent", "Read"), ("IdentityAgent", "Operate"), ("RoleAgent", "Invoke")):
        refuse(site, Call(get_method(service, name).path, b"", Peer(stranger, "192.0.2.7")))
        assert site.world.peers.find(fingerprint_of(admin)) is not None


def test_what_a_refused_call_had_noted_of_its_caller_is_forgotten_with_it(site: Any) -> None:
    admin = site.admin()
    stranger = site.member(admin, "nobody-1")
    call = Call(get_method("FleetAgent", "Read").path, b"", Peer(stranger, "192.0.2.7"))
    with site.store.transaction() as tx:
        with contextlib.suppress(AgentError), tx.savepoint():
            site.dispatcher.answer(tx, call)
        site.dispatcher.record(tx, call, AccessDenied("no"))
    with site.store.transaction() as tx:
        seen = tx.seen.find(tx.identities.get("nobody-1").number)
    assert seen is not None
    assert seen.at == site.clock.now()


def fingerprint_of(leaf: bytes) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(leaf.decode())).hexdigest()


def test_a_watch_that_goes_on_is_judged_again_and_is_no_new_use(site: Any) -> None:
    admin = site.admin()
    first = Call(get_method("FleetAgent", "Watch").path, fleet_request().SerializeToString(), Peer(admin, "192.0.2.7"))
    with site.store.transaction() as tx:
        before = site.dispatcher.answer(tx, first).change
    site.clock.advance(timedelta(hours=1))
    with site.store.transaction() as tx:
        assert site.dispatcher.answer(tx, replace(first, is_continued=True)).change == before
        assert site.dispatcher.answer(tx, first).change > before
    site.clock.advance(timedelta(days=91))
    assert isinstance(refuse(site, replace(first, is_continued=True)), CertificateExpired)


def test_a_wrong_token_is_audited_without_the_token(site: Any) -> None:
    admin = site.admin()
    secret = "eyJhbGciOiJSUzI1NiJ9.a-token-somebody-tried.signature"
    path = get_method("AuthenticationAgent", "Login").path
    refusal = refuse(site, Call(path, b"", Peer(None, "192.0.2.66"), {"authorization": secret}))
    assert str(refusal) == "Valid Token Required."
    newest = audited(site, admin)[0]
    assert "192.0.2.66" in str(newest)
    assert "a-token-somebody-tried" not in str(newest)
