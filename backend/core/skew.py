"""If a clock were off: what would break on a client whose clock is ahead of the agent's, or behind it (pki.md 4.12).

Owns the what-if for one client; nothing is measured or changed. A client judges by its own clock what it holds and
what the agent shows it; the agent judges by its own what the client presents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.core.fleet import AuthorityInfo
from backend.core.limits import BACKDATE, SKEW_UNCERTAIN, SKEW_WARNING
from backend.core.reasons import at
from backend.core.subjects import SiteView, Subject

_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkewEffect:
    """What a clock that is `skew` off does to one client: what `breaks`, and what merely is `noted`."""

    name: str
    cluster: str
    host: str
    breaks: tuple[str, ...]
    noted: tuple[str, ...]


def skew_effects(site: SiteView, subjects: Iterable[Subject], skew: timedelta) -> tuple[SkewEffect, ...]:
    """Answer for some clients; `skew` is their clock less the agent's, positive when they are ahead."""
    return tuple(
        SkewEffect(
            name=subject.name,
            cluster=subject.cluster,
            host=subject.host,
            breaks=tuple(_breaks(subject, site.now, skew, site.issuing)),
            noted=tuple(_noted(subject, skew)),
        )
        for subject in subjects
    )


def _breaks(subject: Subject, now: datetime, skew: timedelta, issuing: AuthorityInfo | None) -> Iterable[str]:
    theirs = now + skew
    if issuing is not None and issuing.validity.is_expired(theirs):
        yield f"it takes the CA for ended ({at(issuing.validity.not_after)}) and refuses the agent"
    if issuing is not None and issuing.validity.is_pending(theirs):
        yield f"it takes the CA for not yet valid ({at(issuing.validity.not_before)}) and refuses the agent"
    certificate = subject.facts.certificate
    if certificate is not None and not certificate.validity.is_expired(now):
        validity = certificate.validity
        if validity.is_expired(theirs):
            yield f"it takes its certificate for ended ({at(validity.not_after)}) and falls back on its token"
        if validity.is_pending(theirs):
            yield f"it takes its certificate for not yet valid ({at(validity.not_before)})"
        yield from _late_renewal(subject, skew)
    expires_at = subject.facts.token.expires_at
    if expires_at is not None and now < expires_at <= theirs:
        yield f"it takes its token for ended ({at(expires_at)}) and does not sign in"
    if -skew > BACKDATE:
        wait = int((-skew - BACKDATE).total_seconds())
        yield f"every new certificate is from its future: it cannot use one for the first {wait} s"


def _late_renewal(subject: Subject, skew: timedelta) -> Iterable[str]:
    certificate, slot_end = subject.facts.certificate, subject.facts.renew_until
    if certificate is None or slot_end is None or skew >= _NOTHING or subject.facts.auto_renew is not True:
        return
    if slot_end - skew > certificate.validity.not_after:
        yield (
            f"its slot comes {int(-skew.total_seconds())} s late, when its certificate has ended "
            f"({at(certificate.validity.not_after)})"
        )


def _noted(subject: Subject, skew: timedelta) -> Iterable[str]:
    if abs(skew) > SKEW_UNCERTAIN:
        yield "more than five minutes: its verdict is uncertain, and changes are refused without --force"
    elif abs(skew) > SKEW_WARNING:
        yield "more than thirty seconds: a warning, and the verdict stands"
    if skew > _NOTHING and subject.facts.auto_renew is True and subject.facts.certificate is not None:
        yield f"it renews {int(skew.total_seconds())} s early, which harms nothing"
