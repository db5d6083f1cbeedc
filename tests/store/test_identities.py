"""Identities and clusters: what is unique, what is kept, what goes with a removal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backend.core.errors import AlreadyExists, InconsistentState, NotFound
from backend.core.model import ClientKind, ClientType, Cluster, RevokeReason, TokenStanding
from backend.store.port import Store
from backend.store.records import Delivery, Order, OrderKind


def test_an_identity_comes_back_as_it_was_put_in(store: Store, make: Any) -> None:
    identity = make.identity(
        "nodeagent-1",
        kind=ClientKind.NODE_AGENT,
        client_type=ClientType.NODE,
        cluster="wl-1",
        host="host-1",
        owner="ops",
        location="here",
        tags={"mocdeck.host": "host-1", "ü": "\x1b[31m"},
        token_lifetime=timedelta(seconds=90),
        auto_rotate=True,
        login_file_path="/etc/login.yaml",
        auto_renew=False,
        token_standing=TokenStanding.UNKNOWN,
        cloud_fqdn="cloud.example",
        cloud_port=55000,
        cloud_auth_port=65000,
        revoked_at=make.now,
        revoked_by="admin",
        planned_off_until=make.now,
        version="1740830400000000000",
    )
    with store.transaction() as tx:
        stored = tx.identities.add(identity)
    with store.transaction() as tx:
        assert stored == replace(identity, number=stored.number)
        assert tx.identities.get("nodeagent-1") == stored
        assert tx.identities.get_by_number(stored.number) == stored
        assert tx.identities.all() == [stored]


def test_nobody_knows_yet_is_not_no(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        number = tx.identities.add(make.identity("kva", auto_renew=None)).number
        assert tx.identities.get_by_number(number).auto_renew is None


def test_a_name_is_taken_once(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        with pytest.raises(AlreadyExists, match="kva"):
            tx.identities.add(make.identity("kva", id="another"))
        with pytest.raises(AlreadyExists, match="csi"):
            tx.identities.put(replace(tx.identities.get("kva"), name="csi"))
        assert [identity.name for identity in tx.identities.all()] == ["csi", "kva"]


def test_a_number_is_never_given_out_again(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.identities.delete(tx.identities.get("csi").number)
    with ready.transaction() as tx:
        assert tx.identities.add(make.identity("csi")).number == 3


def test_what_is_not_there_is_said_by_name(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        assert tx.identities.find("lb") is None
        assert tx.identities.find_by_number(9) is None
        with pytest.raises(NotFound, match="lb"):
            tx.identities.get("lb")
        with pytest.raises(NotFound, match="9"):
            tx.identities.get_by_number(9)
        with pytest.raises(NotFound, match="9"):
            tx.identities.put(make.identity("lb", number=9))
        with pytest.raises(NotFound, match="9"):
            tx.identities.delete(9)


def test_some_returns_those_that_exist(ready: Store) -> None:
    with ready.transaction() as tx:
        assert [identity.name for identity in tx.identities.some([2, 1, 7, 1])] == ["csi", "kva"]
        assert tx.identities.some([]) == []


def test_a_removal_takes_all_but_the_certificates(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1))
        tx.tokens.add(make.token("t1", 1))
        tx.heartbeats.put(make.heartbeat(1))
        tx.seen.put(make.seen(1))
        tx.orders.put(Order(id="o1", identity_number=1, kind=OrderKind.RENEW, created_at=make.now))
        tx.orders.put_delivery(Delivery(id="d1", identity_number=1, place="/p", token_id="", created_at=make.now))
    with ready.transaction() as tx:
        tx.certificates.revoke_of(1, make.now, RevokeReason.IDENTITY)
        tx.identities.delete(1)
    with ready.transaction() as tx:
        assert tx.tokens.find("t1") is None
        assert tx.heartbeats.find(1) is None
        assert tx.seen.find(1) is None
        assert tx.orders.find("o1") is None
        assert tx.orders.open_deliveries() == []
        kept = tx.certificates.find(5)
        assert kept is not None
        assert kept.revoke_reason is RevokeReason.IDENTITY


def test_an_identity_is_not_removed_while_a_certificate_counts(ready: Store, make: Any) -> None:
    with ready.transaction() as tx:
        tx.certificates.add(make.certificate(5, 1))
        with pytest.raises(InconsistentState, match="revoke"):
            tx.identities.delete(1)
        assert tx.identities.find_by_number(1) is not None


def test_a_cluster_is_put_and_put_again(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        tx.clusters.put(Cluster(name="wl-1", is_management=False))
        tx.clusters.put(Cluster(name="mgmt", is_management=True))
        tx.clusters.put(Cluster(name="wl-1", is_management=False, removed_at=make.now))
        assert [cluster.name for cluster in tx.clusters.all()] == ["mgmt", "wl-1"]
        assert tx.clusters.find("wl-1") == Cluster(name="wl-1", is_management=False, removed_at=make.now)
        assert tx.clusters.find("wl-2") is None
