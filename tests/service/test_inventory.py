"""Locations, groups, nodes and named certificates (moc/protocol.md 2.1; ADR 0007)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.core.errors import InconsistentState, InvalidInput, NotFound, OldVersion
from backend.pki.keys import KeyKind, generate_key
from backend.pki.renewal import make_renewal_csr
from backend.pki.requests import make_csr
from backend.service import certificates, inventory
from backend.service.inventory import CERTIFICATE, GROUP, LOCATION, NODE, ResourceDraft

if TYPE_CHECKING:
    from backend.store.records import Resource
    from tests.service.conftest import Site


def put(site: Site, kind: str, name: str, location: str = "", version: str = "", body: bytes = b"1") -> Resource:
    with site.transaction() as tx:
        draft = ResourceDraft(kind=kind, name=name, location=location, version=version, body=body, tags={"a": "b"})
        return inventory.put(tx, site.world, site.admin, draft)


def delete(site: Site, kind: str, name: str, location: str = "", version: str = "") -> None:
    with site.transaction() as tx:
        draft = ResourceDraft(kind=kind, name=name, location=location, version=version)
        inventory.delete(tx, site.world, site.admin, draft)


def test_a_resource_keeps_its_id_and_grows_its_version(site: Site) -> None:
    made = put(site, LOCATION, "north")
    changed = put(site, LOCATION, "north", version=made.version, body=b"2")
    assert (changed.id, changed.created_at, changed.body) == (made.id, made.created_at, b"2")
    assert int(changed.version) == int(made.version) + 1
    with site.transaction() as tx:
        assert inventory.get(tx, LOCATION, "north") == changed
        assert list(inventory.list_all(tx, LOCATION)) == [changed]
        assert tx.audit.newest(1)[0].action == "update_location"


def test_a_post_that_carries_another_version_than_the_present_one_is_refused(site: Site) -> None:
    made = put(site, LOCATION, "north")
    put(site, LOCATION, "north")
    for name in ("north", "south"):
        with pytest.raises(OldVersion):
            put(site, LOCATION, name, version=made.version)
    with pytest.raises(OldVersion):
        delete(site, LOCATION, "north", version=made.version)


def test_groups_and_nodes_stand_in_a_location_that_exists(site: Site) -> None:
    with pytest.raises(InvalidInput):
        put(site, GROUP, "g")
    with pytest.raises(NotFound):
        put(site, NODE, "n", "north")
    put(site, LOCATION, "north")
    put(site, GROUP, "g", "north")
    with pytest.raises(InconsistentState, match="still holds group"):
        delete(site, LOCATION, "north")
    delete(site, GROUP, "g", "north")
    delete(site, LOCATION, "north")
    with site.transaction() as tx, pytest.raises(NotFound):
        inventory.get(tx, LOCATION, "north")


def test_a_group_without_its_location_is_found_while_there_is_one_of_that_name(site: Site) -> None:
    for location in ("north", "south"):
        put(site, LOCATION, location)
    made = put(site, GROUP, "g", "north")
    with site.transaction() as tx:
        assert inventory.get(tx, GROUP, "g") == made
        assert list(inventory.list_all(tx, GROUP, "south")) == []
    put(site, GROUP, "g", "south")
    with site.transaction() as tx, pytest.raises(InvalidInput, match="which location"):
        inventory.get(tx, GROUP, "g")
    with pytest.raises(NotFound):
        delete(site, GROUP, "g", "east")


def test_a_named_certificate_is_an_entry_that_signing_and_renewing_fill(site: Site) -> None:
    key = generate_key(KeyKind.P256)
    draft = ResourceDraft(kind=CERTIFICATE, name="kva", body=b"entry")
    site.identity("kva")
    with site.transaction() as tx:
        certificates.precheck(tx, [draft])
        assert certificates.create_or_update(tx, site.world, site.admin, draft).certificate is None
        signed = certificates.sign(tx, site.world, site.admin, name="kva", csr_pem=make_csr(key, "kva"))
        renewed = certificates.renew(
            tx,
            site.world,
            site.admin,
            name="kva",
            csr_pem=make_renewal_csr(generate_key(KeyKind.P256), key, signed.pem),
            old_certificate_pem=signed.pem,
        )
        assert renewed.renew_count == 1
        kept = certificates.get(tx, "kva")
        assert kept.entry is not None
        assert (kept.entry.body, kept.certificate) == (b"entry", renewed)
        assert [found.name for found in certificates.list_all(tx)] == ["kva"]
        certificates.delete(tx, site.world, site.admin, draft)
        with pytest.raises(NotFound):
            certificates.get(tx, "kva")
        row = tx.certificates.find(renewed.serial)
    assert row is not None
    assert row.revoked_at is None


def test_an_unnamed_signing_request_is_the_callers_own(site: Site) -> None:
    caller = site.signed_in("kva")
    with site.transaction() as tx:
        csr = make_csr(generate_key(KeyKind.P256), "x")
        signed = certificates.sign(tx, site.world, caller, name="", csr_pem=csr)
        assert signed.identity_number == caller.identity.number
        assert certificates.get(tx, "kva").certificate == signed


def test_renewing_needs_the_old_certificate(site: Site) -> None:
    csr = make_csr(generate_key(KeyKind.P256), "x")
    with site.transaction() as tx, pytest.raises(InvalidInput, match="oldCertificate"):
        certificates.renew(tx, site.world, site.admin, name="x", csr_pem=csr, old_certificate_pem="")
