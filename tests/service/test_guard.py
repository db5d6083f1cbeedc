"""Who is let in on each call (R61, R67; architecture.md, decision 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from backend.core.errors import CertificateExpired, CertificateUntrusted, Revoked
from backend.core.model import AuthorityStatus, Certificate, RevokeReason
from backend.core.rbac import RoleAssignment
from backend.pki.keys import KeyKind, generate_key
from backend.pki.trust import split_bundle
from backend.service import identities, roles
from backend.service.guard import authenticate, mark_used

if TYPE_CHECKING:
    from tests.service.conftest import Site

SECOND = timedelta(seconds=1)


def leaf_of(certificate: Certificate) -> bytes:
    return split_bundle(certificate.pem)[0].public_bytes(Encoding.DER)


@pytest.fixture
def certificate(site: Site) -> Certificate:
    _, token = site.identity("kva")
    return site.certificate("kva", token)


def test_a_certificate_lets_its_identity_in_to_its_last_second_even_on_an_open_connection(
    site: Site, certificate: Certificate
) -> None:
    assert site.caller(certificate).name == "kva"
    site.clock.set(certificate.validity.not_after)
    assert site.caller(certificate).certificate.serial == certificate.serial
    site.clock.set(certificate.validity.not_after + SECOND)
    with pytest.raises(CertificateExpired, match="expired"):
        site.caller(certificate)


def test_a_certificate_is_not_valid_before_its_first_second(site: Site, certificate: Certificate) -> None:
    site.clock.set(certificate.validity.not_before)
    site.caller(certificate)
    site.clock.set(certificate.validity.not_before - SECOND)
    with pytest.raises(CertificateUntrusted, match="not valid before"):
        site.caller(certificate)


def test_revoking_the_identity_acts_on_the_next_call(site: Site, certificate: Certificate) -> None:
    site.caller(certificate)
    with site.transaction() as tx:
        identities.revoke(tx, site.world, site.admin, "kva")
    with pytest.raises(Revoked):
        site.caller(certificate)


def test_revoking_a_certificate_spares_the_identitys_others(site: Site) -> None:
    _, token = site.identity("kva")
    first, second = site.certificate("kva", token), site.certificate("kva", token)
    with site.transaction() as tx:
        tx.certificates.revoke(first.serial, site.clock.now(), RevokeReason.CERTIFICATE)
    with pytest.raises(Revoked):
        site.caller(first)
    site.caller(second)


def test_deleting_the_identity_ends_its_certificates_and_a_namesake_does_not_inherit_them(
    site: Site, certificate: Certificate
) -> None:
    site.caller(certificate)
    with site.transaction() as tx:
        identities.delete(tx, site.world, site.admin, "kva")
    site.identity("kva")
    with pytest.raises(Revoked):
        site.caller(certificate)


def test_a_distrusted_generation_lets_nobody_in(site: Site, certificate: Certificate) -> None:
    with site.transaction() as tx:
        tx.authorities.add(site.world.signer.stage(2, "north", site.clock.now(), timedelta(days=365)))
        tx.authorities.set_status(1, AuthorityStatus.DISTRUSTED)
        tx.authorities.set_status(2, AuthorityStatus.ISSUING)
        tx.certificates.revoke_generation(1, site.clock.now())
    site.world.peers.clear()
    with pytest.raises(CertificateUntrusted, match="no longer trusted"):
        site.caller(certificate)


def test_a_certificate_with_the_right_names_and_a_wrong_signature_is_nobody(
    site: Site, certificate: Certificate
) -> None:
    """R61: rights hang on the row of that very certificate, not on its serial or its names."""
    leaf = split_bundle(certificate.pem)[0]
    key = generate_key(KeyKind.P256)
    forged = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(leaf.issuer)
        .serial_number(leaf.serial_number)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .public_key(key.public_key())
        .sign(key, hashes.SHA256())
    )
    der = leaf_of(certificate)
    for one in (forged.public_bytes(Encoding.DER), der[:-1] + bytes([der[-1] ^ 1]), b"", b"\x30\x00", der + b"\x00"):
        with site.transaction() as tx, pytest.raises(CertificateUntrusted):
            authenticate(tx, site.world, one, "192.0.2.9:1")


def test_the_root_itself_is_nobody(site: Site) -> None:
    with site.transaction() as tx:
        root = split_bundle(tx.authorities.issuing().pem)[0].public_bytes(Encoding.DER)
        with pytest.raises(CertificateUntrusted):
            authenticate(tx, site.world, root, "192.0.2.9:1")


def test_a_role_change_acts_on_the_next_call_without_a_new_sign_in(site: Site, certificate: Certificate) -> None:
    assert site.caller(certificate).grants.grants == ()
    with site.transaction() as tx:
        made = roles.assign_role(
            tx, site.world, site.admin, RoleAssignment(name="", role_name="Reader", identity_name="kva")
        )
    assert len(site.caller(certificate).grants.grants) == 1
    with site.transaction() as tx:
        roles.remove_assignment(tx, site.world, site.admin, made)
    assert site.caller(certificate).grants.grants == ()


def test_a_remembered_peer_costs_no_query_and_sign_ins_of_others_do_not_evict_it(
    site: Site, certificate: Certificate
) -> None:
    peer = site.caller(certificate).peer
    _, token = site.identity("csi")
    peer = site.caller(certificate).peer
    site.certificate("csi", token)
    assert site.caller(certificate).peer is peer


def test_use_is_noted_with_instant_and_address(site: Site, certificate: Certificate) -> None:
    caller = site.caller(certificate)
    first = site.clock.now()
    with site.transaction() as tx:
        mark_used(tx, caller, first)
    site.clock.advance(SECOND)
    moved = replace(site.caller(certificate), address="192.0.2.8:1")
    with site.transaction() as tx:
        mark_used(tx, moved, site.clock.now())
        row, seen = tx.certificates.find(certificate.serial), tx.seen.find(caller.identity.number)
    assert row is not None
    assert (row.first_used_at, row.last_used_at) == (first, site.clock.now())
    assert seen is not None
    assert (seen.at, seen.address, seen.serial) == (site.clock.now(), "192.0.2.8:1", certificate.serial)


def test_calls_within_one_second_are_noted_once(site: Site, certificate: Certificate) -> None:
    caller = site.caller(certificate)
    with site.transaction() as tx:
        mark_used(tx, caller, site.clock.now())
        before = tx.changes.current()
        mark_used(tx, caller, site.clock.now())
        assert tx.changes.current() == before
