"""Routes of a login file end to end: looked at, planned, delivered once, and what an API server that is down means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.core.delivery import TAG_SECRET, ReachState, Route
from backend.core.errors import InvalidInput
from backend.core.model import ClientKind, Secret
from backend.core.plan import ActionKind
from backend.pki.files import UnsafeFile
from backend.service import deliveries, operations
from backend.service.delivery_file import read_delivery_file
from backend.service.delivery_view import overview
from backend.service.description import describe
from backend.store.records import Delivery

ROTATE = ActionKind.ROTATE_TOKEN


def owed(site: Any) -> list[Delivery]:
    return list(site.now(lambda tx: tx.orders.open_deliveries()))


def tokens(site: Any, name: str) -> list[str]:
    return [token.id for token in site.now(lambda tx: tx.tokens.of(tx.identities.get(name).number))]


async def test_a_caphs_secret_is_known_looked_at_planned_and_applied(site: Any, api: Any) -> None:
    site.client("caph", kind=ClientKind.CAPH, cluster="wl1")
    made = await site.plan(ROTATE, "caph")
    [decision] = made.draft.decisions
    assert decision.route is Route.KUBERNETES
    assert decision.route_why == (
        "Secret default/caphlogintoken/value in wl1: can be written, looked at 2026-03-01 12:00:00 UTC"
    )
    operation = site.start(made)
    await site.deliver()
    document = yaml.safe_load(api.value("default", "caphlogintoken", "value"))
    assert document["name"] == "caph"
    record = site.now(lambda tx: tx.tokens.of(tx.identities.get("caph").number))[0]
    assert site.world.tokens.recognises(Secret(document["token"]), record)
    site.now(lambda tx: operations.tick(tx, site.world))
    [target] = site.now(lambda tx: tx.operations.targets(operation))
    assert (target.state, target.route) == ("done", "kubernetes")
    assert "Secret default/caphlogintoken/value in wl1" in target.result
    assert owed(site) == []


async def test_a_tag_and_then_the_identitys_own_line_win_over_its_kind(site: Any) -> None:
    site.client("caph", kind=ClientKind.CAPH, cluster="wl1", tags={TAG_SECRET: "caph-system/moclogintoken/value"})
    [one] = site.now(lambda tx: overview(tx, site.world, ["caph"])).clients
    assert [way.place.where for way in one.ways] == ["caph-system/moclogintoken/value"]
    with pytest.raises(InvalidInput, match="NAMESPACE/NAME/KEY"):
        site.client("csi", cluster="wl1", tags={TAG_SECRET: "../../etc"})


async def test_a_kms_behind_a_dead_api_server_goes_out_of_band_and_first(
    site: Any, api: Any, refused_status: Any, tmp_path: Path
) -> None:
    """domain.md 16.6-4: what the API server needs to come up cannot go through the API server."""
    path = tmp_path / "cloudlogin.yaml"
    for name, kind, fields in (
        ("a-caph", ClientKind.CAPH, {}),
        ("kms-file", ClientKind.KMS, {"login_file_path": str(path)}),
        ("kms-hand", ClientKind.KMS, {}),
    ):
        site.client(name, kind=kind, cluster="wl1", **fields)
    api.broken = refused_status(500, "InternalError", "kmsPlugin.sock: no such file")
    made = await site.plan(ROTATE, "a-caph", "kms-file", "kms-hand")
    found = {decision.name: decision for decision in made.draft.decisions}
    assert [decision.name for decision in made.draft.decisions] == ["kms-file", "kms-hand", "a-caph"]
    assert {name: one.route for name, one in found.items()} == {
        "kms-file": Route.FILE,
        "kms-hand": Route.MANUAL,
        "a-caph": Route.MANUAL,
    }
    assert "KMS plug-in is locked out" in found["kms-file"].route_why
    assert any("kms-file is reached out of band, by its login file" in said for said in made.draft.warnings)
    assert any("kms-hand is reached out of band, by hand" in said for said in made.draft.warnings)
    api.broken = None
    site.clock.advance(timedelta(minutes=2))
    again = await site.plan(ROTATE, "kms-hand")
    assert again.draft.decisions[0].route is Route.KUBERNETES
    assert again.hash != made.hash


async def test_nothing_is_minted_while_the_api_server_is_down(site: Any, api: Any, refused_status: Any) -> None:
    site.client("caph", kind=ClientKind.CAPH, cluster="wl1")
    before = tokens(site, "caph")
    site.start(await site.plan(ROTATE, "caph"))
    api.broken = refused_status(503, "ServiceUnavailable", "")
    for wait in (0, 29, 1, 59, 1):
        site.clock.advance(timedelta(seconds=wait))
        await site.deliver()
    [delivery] = owed(site)
    assert delivery.attempts == 3  # at once, after 30 s, after 60 s more
    assert "not ready" in delivery.last_error
    assert tokens(site, "caph") == before
    api.broken = None
    site.clock.advance(timedelta(minutes=2))
    await site.deliver()
    assert owed(site) == []
    assert len(tokens(site, "caph")) == len(before) + 1


@pytest.mark.parametrize("route", ["kubernetes", "file"])
async def test_a_crash_between_delivery_and_its_mark_mints_no_second_token(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    where = {"cluster": "wl1"} if route == "kubernetes" else {"login_file_path": str(tmp_path / "login.yaml")}
    site.client("caph", kind=ClientKind.CAPH, **where)
    before = tokens(site, "caph")
    site.now(lambda tx: deliveries.owe(tx, site.world, tx.identities.get("caph"), site.clock.now()))

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "mark_written", die)
        with pytest.raises(Killed):
            await site.deliver()
    [delivery] = owed(site)
    assert (delivery.route, delivery.attempts) == (route, 1)
    site.clock.advance(timedelta(seconds=30))
    await site.deliver()
    assert owed(site) == []
    assert len(tokens(site, "caph")) == len(before) + 1


async def test_the_last_look_is_part_of_a_clients_description(site: Any, tmp_path: Path) -> None:
    site.client("caph", kind=ClientKind.CAPH, cluster="wl1", login_file_path=str(tmp_path / "none" / "login.yaml"))
    described = site.now(lambda tx: describe(tx, site.world, "caph"))
    assert [way.state for way in described.ways] == [ReachState.UNKNOWN, ReachState.UNKNOWN]
    await site.deliverer.look(None)
    described = site.now(lambda tx: describe(tx, site.world, "caph"))
    assert [way.state for way in described.ways] == [ReachState.READY, ReachState.MISSING]
    assert described.delivery_route == "kubernetes"
    site.clock.advance(timedelta(minutes=1))
    assert site.now(lambda tx: describe(tx, site.world, "caph")).delivery_route == "kubernetes"
    site.clock.advance(timedelta(seconds=1))  # too old to be counted on, and still shown
    described = site.now(lambda tx: describe(tx, site.world, "caph"))
    assert described.delivery_route != "kubernetes"
    assert described.ways[0].looked_at is not None


async def test_a_path_is_looked_at_too(site: Any, tmp_path: Path, make_login: Callable[..., str]) -> None:
    good, foreign = tmp_path / "good.yaml", tmp_path / "foreign.yaml"
    foreign.write_text("somebody's notes")
    good.write_text(make_login("good"))
    site.client("good", login_file_path=str(good))
    site.client("foreign", login_file_path=str(foreign))
    made = await site.plan(ROTATE, "good", "foreign")
    found = {decision.name: decision for decision in made.draft.decisions}
    assert (found["good"].route, found["foreign"].route) == (Route.FILE, Route.MANUAL)
    assert "something else than a login file" in found["foreign"].route_why
    assert foreign.read_text() == "somebody's notes"


async def test_a_cluster_that_left_the_file_is_said_to_have(site: Any) -> None:
    site.client("caph", kind=ClientKind.CAPH, cluster="wl1")
    site.now(lambda tx: deliveries.owe(tx, site.world, tx.identities.get("caph"), site.clock.now()))
    site.world.delivery.clusters.clear()
    await site.deliver()
    assert "names no Secret for it any more" in owed(site)[0].last_error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "not YAML"),
        ("clusters: 1", "must be a list"),
        ("clusters: [{name: a}]", r"clusters\[0\].kubeconfig must be a text"),
        ("clusters: [{name: a, kubeconfig: rel}]", "absolute"),
        ("clusters: [{name: a, kubeconfig: /k, colour: red}]", "unknown key 'colour'"),
        ("clusters: [{name: a, kubeconfig: /k, take_over: 1}]", "true or false"),
        ("clusters: [{name: a, kubeconfig: /k, kinds: {Csi: a/b/c}}]", "kinds are NodeAgent"),
        ("clusters: [{name: a, kubeconfig: /k, kinds: {CSI: a/b}}]", r"kinds.CSI must be NAMESPACE/NAME/KEY"),
        ("clusters: [{name: a, kubeconfig: /k}, {name: a, kubeconfig: /k}]", "taken by an earlier"),
    ],
)
def test_delivery_yaml_is_refused_with_the_place_and_what_was_expected(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "delivery.yaml"
    file.touch(mode=0o600)
    file.write_text(text)
    with pytest.raises(InvalidInput, match=words) as caught:
        read_delivery_file(tmp_path)
    assert str(file) in str(caught.value)


def test_delivery_yaml_is_for_its_owner_and_may_be_missing(tmp_path: Path) -> None:
    assert not read_delivery_file(tmp_path).clusters
    (tmp_path / "delivery.yaml").write_text("clusters: []")
    (tmp_path / "delivery.yaml").chmod(0o644)
    with pytest.raises(UnsafeFile):
        read_delivery_file(tmp_path)
