"""The facts of moc/protocol.md, section 0, that are easy to get wrong; those not met in tests/e2e's client are here.

Elsewhere: 3, 4, 5 and 11 in tests/e2e/test_raw_moc_client.py; 10 and 13 in test_tls.py; 9 in test_status.py.
"""

from __future__ import annotations

import base64
import ssl
from datetime import timedelta
from typing import Any

import pytest
import yaml

from backend.cli.agent import run
from backend.core.errors import AgentError, CertificateExpired, TokenRejected
from backend.pki import keys, renewal, requests
from backend.pki.trust import split_bundle
from backend.service import bootstrap, rotation
from backend.service.guard import authenticate
from backend.wire.convert import login_message
from backend.wire.methods import LOGIN_METHODS, METHODS, get_method
from backend.wire.moc import (
    certificate_pb2,
    common_pb2,
    group_pb2,
    identity_pb2,
    location_pb2,
    node_pb2,
    role_pb2,
    roleassignment_pb2,
)

WATCHERS = role_pb2.Role(
    name="Watchers",
    permissions=[
        role_pb2.Permission(
            actions=[role_pb2.Action(providerType=common_pb2.ProviderType.Identity, generalOperation=role_pb2.Read)]
        )
    ],
)


def admin_token(site: Any) -> str:
    return str(yaml.safe_load((site.directory / "admin" / "login.yaml").read_text())["token"])


def renewal_order(name: str, leaf: bytes, key: keys.PrivateKey) -> identity_pb2.IdentityCertificateRequest:
    csr = renewal.make_renewal_csr(keys.generate_key(keys.KeyKind.P256), key, leaf.decode())
    order = certificate_pb2.CertificateSigningRequest(
        name=name, csr=csr, oldCertificate=base64.b64encode(leaf).decode()
    )
    return identity_pb2.IdentityCertificateRequest(
        IdentityName=name, OperationType=common_pb2.IdentityCertificate_Renew, CSR=[order]
    )


def test_1_the_ports_are_55000_for_data_and_65000_for_sign_in() -> None:
    defaults = {parameter.name: parameter.default for parameter in run.params}
    assert (defaults["port"], defaults["auth_port"]) == (55000, 65000)
    assert (bootstrap.DATA_PORT, bootstrap.AUTH_PORT) == (55000, 65000)
    of_moc = [path for path in LOGIN_METHODS if path.startswith("/moc.")]
    assert of_moc == ["/moc.cloudagent.security.AuthenticationAgent/Login"]


def test_2_the_token_is_bare_and_a_bearer_prefix_makes_it_no_token(site: Any) -> None:
    token = admin_token(site)
    assert site.sign_in("admin", token)
    for wrong in (f"Bearer {token}", f"bearer {token}", token + ".", ""):
        with pytest.raises(TokenRejected):
            site.sign_in("admin", wrong)


def test_2_an_empty_authorization_on_a_renewal_is_no_offence(site: Any) -> None:
    key = keys.generate_key(keys.KeyKind.P256)
    leaf = site.sign_in("admin", admin_token(site), key)
    answer = site.call(
        "IdentityAgent", "OperateCertificates", renewal_order("admin", leaf, key), leaf, authorization=""
    )
    assert answer.Certificates[0].certificate.startswith("-----BEGIN CERTIFICATE-----")


def test_6_an_expired_certificate_cannot_be_renewed_and_the_refusal_says_the_word_that_makes_clients_sign_in(
    site: Any,
) -> None:
    key = keys.generate_key(keys.KeyKind.P256)
    leaf = site.sign_in("admin", admin_token(site), key)
    end = split_bundle(leaf.decode())[0].not_valid_after_utc
    site.clock.set(end)
    renewed = site.call("IdentityAgent", "OperateCertificates", renewal_order("admin", leaf, key), leaf)
    assert renewed.Certificates
    site.clock.set(end + timedelta(seconds=1))
    with pytest.raises(CertificateExpired, match="expired") as refused:
        site.call("IdentityAgent", "OperateCertificates", renewal_order("admin", leaf, key), leaf)
    assert refused.value.moc_code == 29


def test_6_an_expired_certificate_named_in_a_renewal_over_a_fresh_one_is_refused_the_same_way(site: Any) -> None:
    key = keys.generate_key(keys.KeyKind.P256)
    old = site.sign_in("admin", admin_token(site), key)
    site.clock.set(split_bundle(old.decode())[0].not_valid_after_utc - timedelta(days=1))
    fresh_answer = site.call("IdentityAgent", "OperateCertificates", renewal_order("admin", old, key), old)
    fresh = fresh_answer.Certificates[0].certificate.encode()
    site.clock.advance(timedelta(days=2))
    with pytest.raises(AgentError, match="expired") as refused:
        site.call("IdentityAgent", "OperateCertificates", renewal_order("admin", old, key), fresh)
    assert refused.value.moc_code == 29


def test_7_every_resource_that_comes_back_has_a_version_number(site: Any) -> None:
    """Go clients dereference it without a look."""
    leaf = site.admin()
    post, get = common_pb2.POST, common_pb2.GET
    places: tuple[tuple[str, Any, str, Any], ...] = (
        ("LocationAgent", location_pb2.LocationRequest, "Locations", location_pb2.Location(name="MocLocation")),
        ("GroupAgent", group_pb2.GroupRequest, "Groups", group_pb2.Group(name="g", locationName="MocLocation")),
        (
            "NodeAgent",
            node_pb2.NodeRequest,
            "Nodes",
            node_pb2.Node(name="n", locationName="MocLocation", fqdn="n.example", port=45000, authorizerPort=45001),
        ),
        ("IdentityAgent", identity_pb2.IdentityRequest, "Identitys", identity_pb2.Identity(name="kms-1")),
        ("RoleAgent", role_pb2.RoleRequest, "Roles", WATCHERS),
        (
            "RoleAssignmentAgent",
            roleassignment_pb2.RoleAssignmentRequest,
            "roleAssignments",
            roleassignment_pb2.RoleAssignment(roleName="Reader", identityName="kms-1"),
        ),
    )
    for service, request, field, entry in places:
        made = site.call(service, "Invoke", request(**{field: [entry]}, OperationType=post), leaf)
        listed = site.call(service, "Invoke", request(OperationType=get), leaf)
        shown = [*getattr(made, field), *getattr(listed, field)]
        assert len(shown) >= 2, service
        assert all(one.status.version.number for one in shown), service
    named = certificate_pb2.Certificate(name="cert-1")
    for name in ("CreateOrUpdate", "Get"):
        answer = site.call("CertificateAgent", name, certificate_pb2.CertificateRequest(Certificates=[named]), leaf)
        assert all(one.status.version.number for one in answer.Certificates)


def test_8_location_group_and_node_have_their_own_packages_and_assignments_start_at_field_2() -> None:
    for service, package in (("LocationAgent", "location"), ("GroupAgent", "group"), ("NodeAgent", "node")):
        assert get_method(service, "Invoke").path == f"/moc.cloudagent.{package}.{service}/Invoke"
    assert not [path for path in METHODS if path.startswith("/moc.cloudagent.cloud")]
    fields = roleassignment_pb2.RoleAssignmentRequest.DESCRIPTOR.fields_by_name
    assert (fields["roleAssignments"].number, fields["OperationType"].number) == (2, 3)


def test_11_a_process_that_keeps_its_first_token_still_signs_in_inside_the_overlap(site: Any) -> None:
    admin = site.admin()
    token = site.identity(admin, "caph-1").token
    entry = identity_pb2.Identity(name="caph-1")
    request = identity_pb2.IdentityOperationRequest(Identities=[entry], OperationType=common_pb2.Identity_Rotate)
    site.call("IdentityAgent", "Operate", request, admin)
    assert site.sign_in("caph-1", token)
    site.clock.advance(site.world.policy.token_overlap - timedelta(seconds=1))
    assert site.sign_in("caph-1", token)
    site.clock.advance(timedelta(seconds=1))
    with pytest.raises(TokenRejected):
        site.sign_in("caph-1", token)


def test_12_a_renewal_brings_no_trust_and_a_login_file_brings_the_whole_bundle(site: Any) -> None:
    admin_key = keys.generate_key(keys.KeyKind.P256)
    leaf = site.sign_in("admin", admin_token(site), admin_key)
    with site.store.transaction() as tx:
        caller = authenticate(tx, site.world, ssl.PEM_cert_to_DER_cert(leaf.decode()), "192.0.2.7")
        plan = rotation.plan_rotation(tx, site.world, caller)
        rotation.start_rotation(
            tx, site.world, caller, plan_id=plan.id, hash=plan.hash, deployment="north", reason="drill"
        )
    moved = [tick(site) for _ in range(3)]
    assert any("epoch" in step for step in moved)
    answer = site.call("IdentityAgent", "OperateCertificates", renewal_order("admin", leaf, admin_key), leaf)
    assert len(split_bundle(answer.Certificates[0].certificate)) == 1  # the leaf and nothing else
    with site.store.transaction() as tx:
        bundle = tx.bundles.current()
    assert len(split_bundle(bundle.pem)) == 2


def tick(site: Any) -> str:
    with site.store.transaction() as tx:
        return rotation.tick(tx, site.world)


def test_a_sign_in_for_another_name_than_the_tokens_is_refused_with_the_same_words(site: Any) -> None:
    admin = site.admin()
    token = site.identity(admin, "kms-1").token
    csr = requests.make_csr(keys.generate_key(keys.KeyKind.P256), "csi-1")
    for name in ("csi-1", "kms-1", "no-such-identity"):
        with pytest.raises(TokenRejected, match=r"^Valid Token Required\.$"):
            site.call("AuthenticationAgent", "Login", login_message(name, csr), authorization=token)
