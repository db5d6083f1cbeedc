"""Identities: created, updated, revoked, deleted (moc/protocol.md 5; ADR 0007)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from backend.core.drafts import IdentityDraft
from backend.core.errors import AccessDenied, InconsistentState, InvalidInput, NotFound, OldVersion, Revoked
from backend.core.model import ClientKind, ClientType, RevokeReason, TokenStanding
from backend.core.rbac import RoleAssignment
from backend.service import identities, roles
from backend.service.caller import Caller
from backend.service.token_line import end_tokens

if TYPE_CHECKING:
    from tests.service.conftest import Site


def put(site: Site, name: str, caller: Caller | None = None, **fields: Any) -> bool:
    """Create or update; tell whether a token came out."""
    with site.transaction() as tx:
        draft = IdentityDraft(name=name, **fields)
        return identities.create_or_update(tx, site.world, caller or site.admin, draft)[1] is not None


def test_a_new_identity_gets_an_id_a_version_and_one_token(site: Site) -> None:
    identity, _ = site.identity("kva", kind=ClientKind.KVA, cluster="mgmt", owner="ops")
    assert identity.id
    assert identity.version == str(int(site.clock.now().timestamp()) * 10**9)
    with site.transaction() as tx:
        assert len(tx.tokens.of(identity.number)) == 1
        assert identities.get(tx, "kva") == identity
        assert [found.name for found in identities.list_all(tx)] == ["admin", "kva"]
        assert tx.clusters.find("mgmt") is not None
        assert tx.audit.newest(1)[0].action == "create_identity"


def test_an_update_sets_the_updatable_fields_and_mints_nothing(site: Site) -> None:
    before, _ = site.identity("kva")
    with site.transaction() as tx:
        draft = IdentityDraft(
            name="kva",
            kind=ClientKind.KMS,
            client_type=ClientType.CONTROLPLANE,
            cluster="work",
            host="h1",
            owner="ops",
            location="here",
            tags={"a": "b"},
            token_lifetime=timedelta(days=60),
            auto_rotate=True,
            login_file_path="/srv/login.yaml",
            auto_renew=True,
            cloud_fqdn="other.example.test",
            cloud_port=1,
            cloud_auth_port=2,
            version=before.version,
        )
        after, token = identities.create_or_update(tx, site.world, site.admin, draft)
    assert token is None
    assert (after.number, after.id, after.created_at) == (before.number, before.id, before.created_at)
    assert int(after.version) > int(before.version)
    for field in IdentityDraft.__dataclass_fields__:
        if field != "version":
            assert getattr(after, field) == getattr(draft, field), field


def test_an_update_that_says_nothing_of_auto_renewal_keeps_what_is_known(site: Site) -> None:
    site.identity("kva", auto_renew=True)
    put(site, "kva")
    with site.transaction() as tx:
        assert identities.get(tx, "kva").auto_renew is True


def test_an_update_based_on_another_version_is_refused(site: Site) -> None:
    identity, _ = site.identity("kva")
    assert not put(site, "kva", version=identity.version)
    with pytest.raises(OldVersion):
        put(site, "kva", version=identity.version)
    with pytest.raises(OldVersion):
        put(site, "new", version=identity.version)
    assert not put(site, "kva")


def test_an_update_mints_for_an_identity_that_holds_no_token_but_not_for_one_whose_token_was_made_elsewhere(
    site: Site,
) -> None:
    identity, _ = site.identity("kva")
    with site.transaction() as tx:
        end_tokens(tx, identity.number, site.clock.now())
        tx.identities.put(replace(identity, token_standing=TokenStanding.UNKNOWN))
    assert not put(site, "kva")
    with site.transaction() as tx:
        tx.identities.put(replace(identity, token_standing=TokenStanding.EMPTY))
    assert put(site, "kva")


def test_a_revoked_identity_can_be_read_and_deleted_and_nothing_else(site: Site) -> None:
    identity, token = site.identity("kva")
    certificate = site.certificate("kva", token)
    with site.transaction() as tx:
        revoked = identities.revoke(tx, site.world, site.admin, "kva")
        assert identities.revoke(tx, site.world, site.admin, "kva") == revoked
        row = tx.certificates.find(certificate.serial)
    assert (revoked.revoked_at, revoked.revoked_by) == (site.clock.now(), "admin")
    assert row is not None
    assert row.revoke_reason is RevokeReason.IDENTITY
    with site.transaction() as tx:
        assert identities.get(tx, "kva") == revoked
        assert not any(token.is_alive(site.clock.now()) for token in tx.tokens.of(identity.number))
    with pytest.raises(InconsistentState):
        put(site, "kva")
    with site.transaction() as tx:
        identities.delete(tx, site.world, site.admin, "kva")
        assert tx.identities.find("kva") is None


def test_deleting_takes_tokens_and_assignments_with_it_and_keeps_the_certificates_revoked(site: Site) -> None:
    caller = site.signed_in("kva", "Reader")
    with site.transaction() as tx:
        identities.delete(tx, site.world, site.admin, "kva")
        assert not tx.assignments.of("kva")
        assert not tx.tokens.of(caller.identity.number)
        row = tx.certificates.find(caller.certificate.serial)
    assert row is not None
    assert row.revoked_at == site.clock.now()
    with pytest.raises(Revoked):
        site.caller(caller.certificate)
    with site.transaction() as tx, pytest.raises(NotFound):
        identities.get(tx, "kva")


def test_a_stale_delete_is_refused(site: Site) -> None:
    identity, _ = site.identity("kva")
    put(site, "kva")
    with site.transaction() as tx, pytest.raises(OldVersion):
        identities.delete(tx, site.world, site.admin, "kva", version=identity.version)


def test_the_last_owner_and_the_caller_itself_stay(site: Site) -> None:
    """R69."""
    second = site.signed_in("second", "Owner")
    with site.transaction() as tx:
        with pytest.raises(InconsistentState, match="itself"):
            identities.delete(tx, site.world, site.admin, "admin")
        identities.revoke(tx, site.world, site.admin, "second")
        for call in (identities.delete, identities.revoke):
            with pytest.raises(InconsistentState, match="last owner"):
                call(tx, site.world, second, "admin")


def test_nobody_deletes_an_identity_with_more_rights(site: Site) -> None:
    helper = site.signed_in("helper", "IdentityContributor")
    site.signed_in("second", "Owner")
    with site.transaction() as tx, pytest.raises(AccessDenied):
        identities.delete(tx, site.world, helper, "second")


@pytest.mark.parametrize("role", ["IdentityContributor", "Contributor"])
def test_nobody_revokes_or_alters_an_identity_with_more_rights(site: Site, role: str) -> None:
    site.signed_in("boss", "Owner")
    helper = site.signed_in("helper", role)
    site.identity("kva")
    for name in ("boss", "admin"):
        with site.transaction() as tx, pytest.raises(AccessDenied):
            identities.revoke(tx, site.world, helper, name)
        with pytest.raises(AccessDenied):
            put(site, name, helper, tags={"a": "b"})
        with site.transaction() as tx, pytest.raises(AccessDenied):
            identities.precheck(tx, site.world, helper, [IdentityDraft(name=name)])
    assert not put(site, "kva", helper, tags={"a": "b"})
    with site.transaction() as tx:
        assert identities.revoke(tx, site.world, helper, "kva").revoked_by == "helper"


def test_an_identity_may_revoke_itself(site: Site) -> None:
    site.signed_in("boss", "Owner")
    with site.transaction() as tx:
        assert identities.revoke(tx, site.world, site.admin, "admin").revoked_by == "admin"


def test_nobody_leads_the_login_file_of_an_identity_with_more_rights_elsewhere(site: Site) -> None:
    """R69: whoever reads that file signs in as that identity."""
    helper = site.signed_in("helper", "IdentityContributor")
    with pytest.raises(AccessDenied):
        put(site, "admin", helper, login_file_path="/tmp/mine.yaml")  # noqa: S108 - never written
    assert put(site, "kva", helper, login_file_path="/srv/kva.yaml")


def test_a_login_file_among_the_agents_own_files_is_refused(site: Site) -> None:
    for path in ("store.db", "keys/ca-g1.key", "agent.yaml", "admin/deep/login.yaml"):
        with pytest.raises(InvalidInput, match="own files"):
            put(site, "kva", login_file_path=str(site.directory / path))
    assert put(site, "kva", login_file_path=str(site.directory / "admin" / "second.yaml"))


def test_precheck_says_what_a_post_would_and_changes_nothing(site: Site) -> None:
    site.identity("kva")
    with site.transaction() as tx:
        before = len(list(tx.audit.walk()))
        identities.precheck(tx, site.world, site.admin, [IdentityDraft(name="new"), IdentityDraft(name="kva")])
        with pytest.raises(OldVersion):
            identities.precheck(tx, site.world, site.admin, [IdentityDraft(name="kva", version="1")])
        assert len(list(tx.audit.walk())) == before
        assert tx.identities.find("new") is None


def test_an_assignment_of_a_deleted_identity_is_not_inherited_by_a_namesake(site: Site) -> None:
    site.signed_in("kva", "Owner")
    with site.transaction() as tx:
        identities.delete(tx, site.world, site.admin, "kva")
    _, token = site.identity("kva")
    assert site.caller(site.certificate("kva", token)).grants.grants == ()
    with site.transaction() as tx:
        assert not roles.find_assignments(tx, RoleAssignment(name="", role_name="", identity_name="kva"))
