"""The seeded past: every state is there, is the one its story ends in, and was reached by the ordinary use cases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from backend.core.blast import ReturnRoute, way_back
from backend.core.facts import Assessment, Overlay, State
from backend.core.health import assess
from backend.core.model import AuthorityStatus, ClientKind, TokenStanding
from backend.demo.cast import CAST
from backend.demo.stories import CA_ROTATION, DAY, Story
from backend.service import audit, rotation
from backend.service.fleet import columns_of

if TYPE_CHECKING:
    from tests.demo.conftest import Past

SOURCE_MANAGEMENT = {
    ClientKind.NODE_AGENT, ClientKind.KVA, ClientKind.KMS, ClientKind.CLOUD_OPERATOR,
    ClientKind.CSI, ClientKind.CERT_MANAGER, ClientKind.CAPH, ClientKind.CLOUD_PROVIDER,
}  # fmt: skip
SOURCE_WORKLOAD = {ClientKind.KMS, ClientKind.CSI, ClientKind.CERT_MANAGER, ClientKind.CLOUD_PROVIDER}


def judged(past: Past) -> dict[str, Assessment]:
    now = past.world.clock.now()
    with past.store.transaction() as tx:
        columns = columns_of(tx, past.world)
    found = {}
    for index in range(len(columns)):
        facts = columns.facts(index, now=now, agent_alive=True, agent_now=now)
        found[facts.name] = assess(facts, now)
    return found


def test_every_client_is_in_the_state_that_its_story_ends_in_and_its_detail_says_why(past: Past) -> None:
    found = judged(past)
    assert set(found) == {*past.stories, "admin"}
    for name, story in past.stories.items():
        seen = found[name]
        assert (seen.state, seen.severity, seen.overlays) == (story.expect, story.severity, story.overlays), name
        assert seen.reasons or (seen.state, story.overlays) == (State.OK, frozenset()), name
    assert (found["admin"].state, found["admin"].reasons) == (State.OK, ())


def test_every_state_and_overlay_of_the_domain_is_present(past: Past) -> None:
    found = judged(past).values()
    assert {seen.state for seen in found} == set(State) - {State.UNKNOWN}  # nothing is unknown without a reason
    present = frozenset().union(*(seen.overlays for seen in found))
    # A wrong clock shows with the first heartbeat of the client that has it, not in the past.
    assert present == set(Overlay) - {Overlay.UNCERTAIN, Overlay.SKEW_WARNING}


def test_the_clients_of_the_source_document_are_there_in_one_management_and_three_workload_clusters() -> None:
    kinds = {cluster: {s.kind for s in CAST if s.cluster == cluster} for cluster in ("mgmt", "shop", "ledger", "lab")}
    assert kinds["mgmt"] >= SOURCE_MANAGEMENT
    for cluster in ("shop", "ledger", "lab"):
        assert kinds[cluster] >= SOURCE_WORKLOAD | {ClientKind.LB_AGENT}
    assert {ClientKind.MOCCTL, ClientKind.KVACTL} <= kinds["mgmt"]
    assert ClientKind.ADMIN in {story.kind for story in CAST}
    assert all(story.owner for story in CAST)


def test_both_shapes_of_latent_are_there_and_one_of_them_is_a_kms(past: Past) -> None:
    with past.store.transaction() as tx:
        standing = {
            story.kind: tx.identities.get(story.name).token_standing for story in CAST if story.expect is State.LATENT
        }
    assert standing[ClientKind.KMS] is TokenStanding.KNOWN
    assert standing[ClientKind.LB_AGENT] is TokenStanding.EMPTY


def test_the_audit_trail_is_whole_and_tells_of_nothing_that_is_still_to_come(past: Past) -> None:
    with past.store.transaction() as tx:
        verdict, head = audit.verify(tx), tx.audit.head()
    assert verdict.intact, verdict.why
    assert head is not None
    assert head.at <= past.world.clock.now()


def test_lifetimes_are_the_real_ones_and_only_the_end_of_a_ca_has_cut_any(past: Past) -> None:
    with past.store.transaction() as tx:
        certificates = [
            certificate for identity in tx.identities.all() for certificate in tx.certificates.of(identity.number)
        ]
    assert {certificate.requested for certificate in certificates} == {60 * DAY, 90 * DAY, 365 * DAY}
    cut = [certificate for certificate in certificates if certificate.validity.lifetime != certificate.requested]
    assert {certificate.generation for certificate in cut} == {1}


def test_the_ca_was_rotated_once_and_the_second_generation_issues(past: Past) -> None:
    with past.store.transaction() as tx:
        first, second = tx.authorities.all()
        view = rotation.get(tx, past.world)
    assert (first.status, second.status) == (AuthorityStatus.DISTRUSTED, AuthorityStatus.ISSUING)
    assert abs(past.world.clock.now() - second.created_at - CA_ROTATION) < timedelta(minutes=5)
    assert view.row.outcome == "completed"
    away = {client.row.name for client in view.clients if client.row.written_off}
    assert away == {story.name for story in CAST if story.expect is State.TRUST_BROKEN}


@pytest.mark.parametrize("story", [story for story in CAST if story.living is not None], ids=lambda story: story.name)
def test_every_living_client_has_a_way_back_from_a_ca_rotation(past: Past, story: Story) -> None:
    now = past.world.clock.now()
    with past.store.transaction() as tx:
        identity = tx.identities.get(story.name)
        columns = columns_of(tx, past.world, [identity.number])
    way = way_back(
        columns.facts(0, now=now, agent_alive=True, agent_now=now),
        now,
        heartbeat_alive=True,
        place=identity.login_file_path,
    )
    assert way.route in {ReturnRoute.ITSELF, ReturnRoute.FILE} or identity.login_file_path, way.why
