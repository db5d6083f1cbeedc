"""Ready to upgrade, the clock what-if and the CA's cliff: what fails whom, at which second (US-30; pki.md 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from backend.core.cliff import cliff
from backend.core.facts import ClientFacts
from backend.core.limits import BACKDATE
from backend.core.model import AuthorityStatus
from backend.core.skew import skew_effects
from backend.core.subjects import SiteView
from backend.core.upgrade import Readiness, Result, readiness

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
MakeClient = Callable[..., ClientFacts]
MakeSite = Callable[..., SiteView]


def ask(site: SiteView) -> Readiness:
    return readiness(site, duration=6 * HOUR, margin=2 * HOUR)


def failing(found: Readiness) -> dict[str, tuple[Result, tuple[str, ...]]]:
    return {check.test: (check.result, check.clients) for check in found.checks if check.result is not Result.OK}


def test_a_fleet_that_lasts_is_ready(make_client: MakeClient, make_site: MakeSite) -> None:
    found = ask(make_site(make_client()))
    assert found.result is Result.OK
    assert failing(found) == {}


def test_time_left_must_reach_the_end_of_duration_and_margin(make_client: MakeClient, make_site: MakeSite) -> None:
    assert failing(ask(make_site(make_client(8 * HOUR, 8 * HOUR + SECOND)))) == {}
    found = ask(make_site(make_client(8 * HOUR - SECOND, 8 * HOUR)))
    assert failing(found) == {
        "certificates": (Result.FAIL, ("csi-001",)),
        "tokens": (Result.FAIL, ("csi-001",)),
    }


def test_every_latent_client_is_listed(make_client: MakeClient, make_site: MakeSite) -> None:
    assert failing(ask(make_site(make_client(60 * DAY, -DAY)))) == {"latent": (Result.FAIL, ("csi-001",))}


def test_who_is_out_fails_once_and_is_not_listed_again(make_client: MakeClient, make_site: MakeSite) -> None:
    assert failing(ask(make_site(make_client(-DAY, -DAY)))) == {"signed in": (Result.FAIL, ("csi-001",))}


def test_stopped_renewals_warn_and_silence_is_unknown(make_client: MakeClient, make_site: MakeSite) -> None:
    late = make_client(25 * DAY, 60 * DAY, auto_renew=True, name="late")
    silent = make_client(60 * DAY, 60 * DAY, observed_ago=HOUR, name="silent")
    found = ask(make_site(late, silent))
    assert failing(found) == {"renewal": (Result.WARN, ("late",)), "observed": (Result.UNKNOWN, ("silent",))}
    assert found.result is Result.UNKNOWN, "3 goes before 1 (domain.md 17)"


def test_nothing_else_may_run(make_client: MakeClient, make_site: MakeSite) -> None:
    assert ask(make_site(make_client(action_running=True))).result is Result.FAIL
    assert failing(ask(make_site(make_client(), rotation_phase="cutover"))) == {"nothing else runs": (Result.FAIL, ())}


def test_a_ca_that_ends_during_the_upgrade_fails(make_client: MakeClient, make_site: MakeSite) -> None:
    assert "CA" in failing(ask(make_site(make_client(authority_left=7 * HOUR), ca_left=7 * HOUR)))


# If a clock were off


def effects(site: SiteView, skew: timedelta) -> tuple[tuple[str, ...], tuple[str, ...]]:
    (found,) = skew_effects(site, site.subjects, skew)
    return found.breaks, found.noted


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_half_a_minute_breaks_nothing(make_client: MakeClient, make_site: MakeSite, seconds: int) -> None:
    assert effects(make_site(make_client()), timedelta(seconds=seconds)) == ((), ())


def test_a_clock_behind_by_more_than_the_backdating_cannot_use_a_new_certificate(
    make_client: MakeClient, make_site: MakeSite
) -> None:
    site = make_site(make_client())
    assert effects(site, -BACKDATE)[0] == ()
    breaks, noted = effects(site, -BACKDATE - SECOND)
    assert "first 1 s" in breaks[0]
    assert "changes are refused" in noted[0]


def test_a_clock_ahead_ends_certificate_token_and_ca_before_their_time(
    make_client: MakeClient, make_site: MakeSite
) -> None:
    site = make_site(make_client(10 * DAY, 20 * DAY), ca_left=30 * DAY)
    assert len(effects(site, 10 * DAY)[0]) == 0
    assert len(effects(site, 10 * DAY + SECOND)[0]) == 1
    assert len(effects(site, 20 * DAY)[0]) == 2
    assert len(effects(site, 30 * DAY + SECOND)[0]) == 3


def test_a_slow_clock_may_bring_the_slot_after_the_end(make_client: MakeClient, make_site: MakeSite) -> None:
    facts = make_client(20 * DAY, 60 * DAY, auto_renew=True)
    site = make_site(replace(facts, renew_until=make_site().now + 5 * DAY))
    assert not any("slot" in text for text in effects(site, -15 * DAY)[0])
    assert any("slot" in text for text in effects(site, -15 * DAY - SECOND)[0])


# The CA's cliff


def test_the_first_shortened_leaf_is_issued_the_second_after_the_last_whole_one(
    make_client: MakeClient, make_site: MakeSite
) -> None:
    site = make_site(make_client(), make_client(lifetime=60 * DAY, name="short"))
    assert site.issuing is not None
    found = cliff(site.issuing, site.subjects)
    assert found.longest_leaf == 90 * DAY
    last_whole = found.shortened_from - SECOND
    assert last_whole - BACKDATE + 90 * DAY == site.issuing.validity.not_after
    assert not found.is_over(last_whole)
    assert found.is_over(found.shortened_from)
    assert found.limited == ()


def test_leaves_that_end_with_the_ca_are_named(make_client: MakeClient, make_site: MakeSite) -> None:
    site = make_site(make_client(20 * DAY, authority_left=20 * DAY), ca_left=20 * DAY)
    assert site.issuing is not None
    assert cliff(site.issuing, site.subjects).limited == ("csi-001",)
    with pytest.raises(ValueError, match="not issuing"):
        cliff(replace(site.issuing, status=AuthorityStatus.TRUSTED), ())
