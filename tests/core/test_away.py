"""While nobody is there: the list, whom it names, and that what is to be run empties it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.core.away import Absence, Matter, absence
from backend.core.facts import CertificateFacts, ClientFacts, TokenFacts
from backend.core.lifecycle import Validity
from backend.core.limits import BACKDATE
from backend.core.model import TokenStanding
from backend.core.planrules import ActionKind
from backend.core.subjects import SiteView

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MakeClient = Callable[..., ClientFacts]
MakeSite = Callable[..., SiteView]


def matters(found: Absence) -> list[tuple[str, Matter]]:
    return [(item.name, item.matter) for item in found.items]


def test_a_healthy_fleet_has_an_empty_list_and_counts_what_renews_by_itself(
    make_client: MakeClient, make_site: MakeSite
) -> None:
    auto = replace(make_client(28 * DAY, 28 * DAY, auto_renew=True, auto_rotate=True), has_heartbeat=True)
    site = make_site(auto, owners={"csi-001": "anna"})
    found = absence(site, site.now + 3 * DAY)
    assert found.items == ()
    assert found.by_itself == (("anna", 2),)
    assert found.commands == ()


def test_an_end_in_the_window_is_on_the_list_to_the_second(make_client: MakeClient, make_site: MakeSite) -> None:
    site = make_site(make_client(3 * DAY, 60 * DAY), owners={"csi-001": "ben"})
    (item,) = absence(site, site.now + 3 * DAY + SECOND).items
    assert (item.matter, item.at, item.owner) == (Matter.CERTIFICATE_ENDS, site.now + 3 * DAY + SECOND, "ben")
    (item,) = absence(site, site.now + 3 * DAY).items
    assert (item.matter, item.at) == (Matter.RENEWAL_DUE, site.now), "in its last second it still works"


def test_a_renewal_that_falls_due_is_a_matter_only_where_nobody_renews(
    make_client: MakeClient, make_site: MakeSite
) -> None:
    site = make_site(make_client(29 * DAY, 60 * DAY))
    assert absence(site, site.now + 2 * DAY - SECOND).items == ()
    (item,) = absence(site, site.now + 2 * DAY).items
    assert (item.matter, item.at) == (Matter.RENEWAL_DUE, site.now + 2 * DAY)


def test_a_broken_promise_is_not_counted_on(make_client: MakeClient, make_site: MakeSite) -> None:
    facts = replace(make_client(33 * DAY, 60 * DAY, auto_renew=True), has_heartbeat=True)
    site = make_site(replace(facts, renew_until=make_site().now - 5 * DAY))
    assert matters(absence(site, site.now + 14 * DAY)) == [("csi-001", Matter.RENEWAL_DUE)]


def test_who_is_stranded_is_named_with_the_second_from_which(make_client: MakeClient, make_site: MakeSite) -> None:
    site = make_site(make_client(3 * DAY, 5 * DAY))
    found = absence(site, site.now + 7 * DAY)
    assert [(item.matter, item.at - site.now) for item in found.items] == [
        (Matter.CERTIFICATE_ENDS, 3 * DAY + SECOND),
        (Matter.STRANDED, 5 * DAY),
        (Matter.TOKEN_ENDS, 5 * DAY),
    ]


def test_what_to_run_is_one_command_for_each_action_forced_where_it_is_not_due(
    make_client: MakeClient, make_site: MakeSite
) -> None:
    clients = [
        replace(make_client(-DAY, -DAY, name="out"), has_heartbeat=True),
        replace(make_client(20 * DAY, 60 * DAY, name="due"), has_heartbeat=True),
        replace(make_client(40 * DAY, 60 * DAY, name="soon"), has_heartbeat=True),
        replace(make_client(60 * DAY, 2 * DAY, name="token"), has_heartbeat=True),
    ]
    site = make_site(*clients)
    found = absence(site, site.now + 14 * DAY)
    assert found.commands == (
        "mocdeck repair out",
        "mocdeck rotate-token token",
        "mocdeck renew due",
        'mocdeck renew --force --reason "before an absence" soon',
    )


def test_a_ca_that_ends_in_the_window_is_one_line_for_everybody(make_client: MakeClient, make_site: MakeSite) -> None:
    clients = [make_client(5 * DAY, 90 * DAY, authority_left=5 * DAY, name=f"csi-{n}") for n in range(3)]
    site = make_site(*clients, ca_left=5 * DAY)
    found = absence(site, site.now + 7 * DAY)
    assert matters(found) == [("CA g3", Matter.AUTHORITY_ENDS)]
    assert found.commands == ("mocdeck rotate-ca",)


def test_a_window_longer_than_a_certificate_lasts_cannot_be_emptied_and_says_when_to_come_back(
    make_client: MakeClient, make_site: MakeSite
) -> None:
    site = make_site(make_client(3 * DAY, 60 * DAY, lifetime=10 * DAY))
    (item,) = [i for i in absence(site, site.now + 8 * DAY).items if i.matter is Matter.CERTIFICATE_ENDS]
    assert item.again_at == site.now - BACKDATE + 7 * DAY
    assert not absence(site, site.now + 8 * DAY).can_be_emptied
    assert absence(site, site.now + 6 * DAY).can_be_emptied


def test_a_window_in_the_past_is_refused(make_client: MakeClient, make_site: MakeSite) -> None:
    site = make_site(make_client())
    with pytest.raises(ValueError, match="not after the agent's time"):
        absence(site, site.now)


def cured(site: SiteView, found: Absence) -> list[ClientFacts]:
    """The clients after what the list says was run: what each action gives, at the site's instant."""
    now = site.now
    remedies: dict[str, set[ActionKind | None]] = {}
    for item in found.items:
        if item.remedy is not None:
            remedies.setdefault(item.name, set()).add(item.remedy.action)
    clients = []
    for subject in site.subjects:
        facts = subject.facts
        done = remedies.get(facts.name, set())
        if done & {ActionKind.RENEW, ActionKind.REPAIR}:
            life = 90 * DAY if facts.certificate is None else facts.certificate.validity.lifetime
            validity = Validity(not_before=now - BACKDATE, not_after=now - BACKDATE + life)
            facts = replace(
                facts,
                certificate=CertificateFacts(validity=validity, authority_not_after=now + 300 * DAY),
                renew_until=None,
            )
        if done & {ActionKind.ROTATE_TOKEN, ActionKind.REPAIR}:
            token = TokenFacts(standing=TokenStanding.KNOWN, issued_at=now, expires_at=now + 90 * DAY)
            facts = replace(facts, token=token)
        clients.append(facts)
    return clients


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_is_to_be_run_empties_the_list(make_client: MakeClient, make_site: MakeSite, data: st.DataObject) -> None:
    clients = []
    for number in range(data.draw(st.integers(1, 4))):
        facts = make_client(
            data.draw(st.integers(-5, 89)) * DAY,
            data.draw(st.integers(-5, 89)) * DAY,
            name=f"csi-{number}",
            auto_renew=data.draw(st.sampled_from([True, False, None])),
            auto_rotate=data.draw(st.booleans()),
            observed_ago=data.draw(st.sampled_from([timedelta(0), DAY])),
        )
        clients.append(replace(facts, has_heartbeat=data.draw(st.booleans()), has_file_route=data.draw(st.booleans())))
    site = make_site(*clients)
    until = site.now + data.draw(st.integers(1, 60)) * DAY
    found = absence(site, until)
    assert found.can_be_emptied
    after = absence(make_site(*cured(site, found)), until)
    assert after.items == ()
