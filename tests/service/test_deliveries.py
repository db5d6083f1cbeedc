"""Login files and tokens that the agent rotates by itself (US-10; moc/protocol.md 3.4, 5.3)."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import yaml

from backend.core.model import ClientType, Heartbeat, Outcome, Secret, TokenState
from backend.pki.trust import split_bundle
from backend.service import identities
from backend.service.auto_rotation import rotate_due
from backend.service.deliveries import MOST_AT_ONCE, PreparedFile, login_file, mark_failed, mark_written, prepare
from backend.service.fence import clear_fence, set_fence
from backend.store.records import Delivery, OrderKind

if TYPE_CHECKING:
    from tests.service.conftest import Born, Site

SECOND = timedelta(seconds=1)
DUE_AT = timedelta(days=63)  # 70 % of ninety days
PATH = "/srv/login/kva.yaml"


def prepared(site: Site) -> list[PreparedFile]:
    with site.transaction() as tx:
        return prepare(tx, site.world)


def due(site: Site) -> int:
    with site.transaction() as tx:
        return rotate_due(tx, site.world)


def owe(site: Site, name: str = "kva") -> None:
    with site.transaction() as tx:
        identity = tx.identities.get(name)
        tx.orders.put_delivery(
            Delivery(
                id=f"d-{name}", identity_number=identity.number, place=PATH, token_id="", created_at=site.clock.now()
            )
        )


def token_in(file: PreparedFile) -> Secret:
    return Secret(yaml.safe_load(file.content.reveal())["token"])


@pytest.mark.parametrize("kind", list(ClientType))
def test_a_login_file_has_mocs_keys_and_the_present_bundle(site: Site, kind: ClientType) -> None:
    identity, token = site.identity("kva", client_type=kind, location="MocLocation")
    with site.transaction() as tx:
        document = yaml.safe_load(login_file(site.world, tx, identity, token))
        bundle = tx.bundles.current().pem
    assert list(document) == [
        "name",
        "token",
        "certificate",
        "clienttype",
        "cloudfqdn",
        "cloudport",
        "cloudauthport",
        "location",
        "type",
    ]
    assert document["token"] == token.reveal()
    assert split_bundle(base64.b64decode(document["certificate"], validate=True)) == split_bundle(bundle)
    assert (document["cloudfqdn"], document["cloudport"], document["cloudauthport"]) == (
        "ca.example.test",
        55000,
        65000,
    )
    names = {"Admin", "BareMetal", "ControlPlane", "ExternalClient", "LoadBalancer", "Node"}
    assert document["clienttype"] in names


def test_the_identitys_own_address_wins_over_the_agents(site: Site) -> None:
    identity, token = site.identity("kva", cloud_fqdn="vip.example.test", cloud_port=1234, cloud_auth_port=4321)
    with site.transaction() as tx:
        document = yaml.safe_load(login_file(site.world, tx, identity, token))
    assert (document["cloudfqdn"], document["cloudport"], document["cloudauthport"]) == ("vip.example.test", 1234, 4321)


def test_an_owed_file_is_prepared_written_and_marked(site: Site) -> None:
    identity, old = site.identity("kva")
    owe(site)
    [file] = prepared(site)
    assert file.path.as_posix() == PATH
    assert "eyJ" not in repr(file)
    site.certificate("kva", old)  # until the new one is used, the client goes on with what it has
    with site.transaction() as tx:
        mark_written(tx, site.world, file)
        assert not tx.orders.open_deliveries()
        current = next(token for token in tx.tokens.of(identity.number) if token.state is TokenState.CURRENT)
    assert current.delivered_at == site.clock.now()
    site.certificate("kva", token_in(file))
    assert prepared(site) == []


def test_a_crash_between_preparing_and_writing_leaves_the_file_owed_and_the_client_in(site: Site) -> None:
    _, old = site.identity("kva")
    owe(site)
    [lost] = prepared(site)
    assert prepared(site) == []
    site.clock.advance(timedelta(seconds=30))
    [file] = prepared(site)
    assert file.token_id != lost.token_id
    site.certificate("kva", old)
    site.certificate("kva", token_in(file))


def test_the_files_of_a_whole_fleet_are_prepared_some_at_a_time_and_each_once(site: Site) -> None:
    """After a CA cutover thousands may be owed: calls are answered in between."""
    names = [f"kva-{number}" for number in range(MOST_AT_ONCE + 1)]
    for name in names:
        site.identity(name)
        owe(site, name)
    first, second, third = prepared(site), prepared(site), prepared(site)
    assert len(first) == MOST_AT_ONCE
    assert sorted(file.identity_name for file in (*first, *second)) == sorted(names)
    assert not third


def test_a_failed_write_waits_twice_as_long_each_time_up_to_an_hour(site: Site) -> None:
    site.identity("kva")
    owe(site)
    waits = []
    [file] = prepared(site)
    for _ in range(9):
        with site.transaction() as tx:
            mark_failed(tx, site.world, file, "No space left on device")
        failed_at = site.clock.now()
        while not (files := prepared_after(site)):
            pass
        [file] = files
        waits.append((site.clock.now() - failed_at).total_seconds())
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    with site.transaction() as tx:
        failed = [event for event in tx.audit.newest(200) if event.outcome is Outcome.FAILED]
    assert failed[0].detail["why"] == "No space left on device"


def prepared_after(site: Site) -> list[PreparedFile]:
    """Go on by half a minute and look again."""
    site.clock.advance(timedelta(seconds=30))
    return prepared(site)


def test_a_token_rotated_while_its_file_was_written_leaves_the_file_owed(site: Site) -> None:
    site.identity("kva")
    owe(site)
    [file] = prepared(site)
    with site.transaction() as tx:
        identities.rotate(tx, site.world, site.admin, "kva", overlap=timedelta(0))
        mark_written(tx, site.world, file)
        assert len(tx.orders.open_deliveries()) == 1


def test_no_file_is_prepared_while_issuing_is_fenced_because_the_bundle_is_about_to_change(site: Site) -> None:
    site.identity("kva")
    owe(site)
    with site.transaction() as tx:
        set_fence(tx, "ca rotation")
    assert prepared(site) == []
    with site.transaction() as tx:
        clear_fence(tx)
    assert len(prepared(site)) == 1


def test_nothing_is_written_for_a_revoked_identity(site: Site) -> None:
    site.identity("kva")
    owe(site)
    with site.transaction() as tx:
        identities.revoke(tx, site.world, site.admin, "kva")
    assert prepared(site) == []
    with site.transaction() as tx:
        assert not tx.orders.open_deliveries()


def test_a_token_is_rotated_from_its_last_thirty_percent_on_and_once(site: Site) -> None:
    site.identity("kva", auto_rotate=True, login_file_path=PATH)
    site.identity("hand", login_file_path="/srv/login/hand.yaml")
    site.clock.advance(DUE_AT - SECOND)
    with site.transaction() as tx:
        identities.rotate(tx, site.world, site.admin, "admin")  # the administrator's own is not the matter here
    assert due(site) == 0
    site.clock.advance(SECOND)
    assert due(site) == 1
    assert due(site) == 0
    [file] = prepared(site)
    assert file.path.as_posix() == PATH
    with site.transaction() as tx:
        mark_written(tx, site.world, file)
    assert due(site) == 0


def test_a_client_with_heartbeats_is_ordered_to_take_its_token_and_the_old_one_stays_till_then(site: Site) -> None:
    identity, token = site.identity("kva", auto_rotate=True)
    lonely, _ = site.identity("lonely", auto_rotate=True)
    certificate = site.certificate("kva", token)
    with site.transaction() as tx:
        tx.heartbeats.put(
            Heartbeat(
                identity_number=identity.number,
                heard_at=site.clock.now(),
                interval=timedelta(seconds=30),
                address="192.0.2.7:1",
                serial=certificate.serial,
                epoch=1,
                skew=timedelta(0),
                loop_alive=True,
                last_error="",
                version="1",
            )
        )
        identities.rotate(tx, site.world, site.admin, "admin")
    site.clock.advance(DUE_AT)
    assert due(site) == 2  # the administrator's file as well
    assert due(site) == 0
    with site.transaction() as tx:
        assert [order.kind for order in tx.orders.open_of(identity.number)] == [OrderKind.TAKE_TOKEN]
        assert not tx.orders.open_of(lonely.number)
        assert len(tx.tokens.of(identity.number)) == 1


def test_the_administrators_login_file_is_kept_fresh_by_the_agent(site: Site, born: Born) -> None:
    site.clock.advance(DUE_AT)
    assert due(site) == 1
    [file] = prepared(site)
    assert file.path == born.agent.login_file
    site.certificate("admin", token_in(file))
