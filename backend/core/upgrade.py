"""Ready to upgrade? What must hold for the planned duration and a margin, client by client (domain.md US-30, P7).

Owns the table: a test, its result, and who fails it. A version policy is not judged beyond what the agent states of
itself: clients' versions are no part of the fleet's columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.evidence import Evidence, TokenLife
from backend.core.facts import Overlay, Severity, State
from backend.core.reasons import at
from backend.core.subjects import SiteView, Subject


class Result(Enum):
    """Worst first, in the order of domain.md 17: 2 before 3 before 1 before 0."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    WARN = "warn"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the table. `clients` are those it is about, `advice` what to run; "" when all is well."""

    test: str
    result: Result
    details: str
    clients: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether everything lasts from `now` to `needed_until`."""

    now: datetime
    needed_until: datetime
    checks: tuple[Check, ...]

    @property
    def result(self) -> Result:
        """The worst result."""
        order = list(Result)
        return min((check.result for check in self.checks), key=order.index, default=Result.OK)


def readiness(site: SiteView, *, duration: timedelta, margin: timedelta, tool_version: str = "") -> Readiness:
    """Check the site for an upgrade of `duration`, which may take `margin` longer."""
    until = site.now + duration + margin
    counted = [s for s in site.subjects if not s.facts.is_orphan and not s.facts.identity_revoked]
    clients = [(s, Evidence(s.facts, site.now)) for s in counted]
    return Readiness(
        now=site.now,
        needed_until=until,
        checks=(
            _quiet(site, counted),
            _authority(site, until),
            _named(clients, "signed in", _is_out, Result.FAIL, "cannot call the cloud agent", "mocdeck repair"),
            _named(
                clients,
                "certificates",
                lambda s, e: e.effective_left is not None and not _is_out(s, e) and _ends(e, until),
                Result.FAIL,
                f"end before {at(until)}",
                "mocdeck renew",
            ),
            _named(
                clients, "tokens", lambda s, e: not _is_out(s, e) and _token_ends(e, until),
                Result.FAIL, f"end before {at(until)}", "mocdeck rotate-token",
            ),
            _named(
                clients, "latent", lambda s, e: s.found.state is State.LATENT,
                Result.FAIL, "work on a dead token: one restart that outlasts the certificate locks them out",
                "mocdeck rotate-token",
            ),
            _named(
                clients, "renewal", _has_stopped,
                Result.WARN, "have stopped renewing by themselves", "look at them: mocdeck describe",
            ),
            _named(
                clients, "observed", _is_unseen,
                Result.UNKNOWN, "are silent, or their token or clock cannot be trusted to be what it seems",
                "reach them first: mocdeck describe",
            ),
            _version(site, tool_version),
        ),
    )  # fmt: skip


Clients = Iterable[tuple[Subject, Evidence]]


def _named(
    clients: Clients,
    test: str,
    fails: Callable[[Subject, Evidence], bool],
    result: Result,
    words: str,
    advice: str,
) -> Check:
    """One check that names the clients which fail it."""
    names = tuple(sorted(s.name for s, e in clients if fails(s, e)))
    if not names:
        return Check(test=test, result=Result.OK, details="every client")
    return Check(test=test, result=result, details=f"{len(names)} {words}", clients=names, advice=advice)


_OUT: Final = frozenset(
    {
        State.REVOKED,
        State.TRUST_BROKEN,
        State.SKEW,
        State.LOCKED_OUT,
        State.REPAIRABLE,
        State.EXPIRED_UNKNOWN,
        State.EMPTY,
        State.NEVER_SIGNED_IN,
    }
)


def _is_out(subject: Subject, _: Evidence) -> bool:
    return subject.found.state in _OUT


def _ends(e: Evidence, until: datetime) -> bool:
    return e.effective_not_after is not None and e.effective_not_after < until


def _token_ends(e: Evidence, until: datetime) -> bool:
    alive = e.token is TokenLife.ALIVE and e.token_expires_at is not None
    return alive and e.token_expires_at is not None and e.token_expires_at <= until


def _has_stopped(subject: Subject, e: Evidence) -> bool:
    return e.slot_missed or (e.late and subject.facts.auto_renew is True and not e.expired)


def _is_unseen(subject: Subject, e: Evidence) -> bool:
    if _is_out(subject, e):
        return False
    is_silent = subject.found.severity is Severity.UNKNOWN or bool(
        subject.found.overlays & {Overlay.STALE, Overlay.UNCERTAIN}
    )
    return is_silent or e.token is TokenLife.UNKNOWN


def _quiet(site: SiteView, subjects: Iterable[Subject]) -> Check:
    """Nothing else may be at work (domain.md 16.6-7)."""
    if site.rotation_phase:
        return Check(
            test="nothing else runs",
            result=Result.FAIL,
            details=f"a CA rotation is open ({site.rotation_phase})",
            advice="end it first: mocdeck rotate-ca",
        )
    busy = tuple(sorted(s.name for s in subjects if s.facts.action_running))
    if busy:
        return Check(
            test="nothing else runs",
            result=Result.FAIL,
            details=f"an operation works on {len(busy)}",
            clients=busy,
            advice="wait for it: mocdeck operations",
        )
    return Check(test="nothing else runs", result=Result.OK, details="no operation and no CA rotation is open")


def _authority(site: SiteView, until: datetime) -> Check:
    if site.issuing is None:
        return Check(test="CA", result=Result.UNKNOWN, details="the agent names no CA that issues")
    end = site.issuing.validity.not_after
    details = f"g{site.issuing.generation} ends at {at(end)}"
    if end < until:
        return Check(test="CA", result=Result.FAIL, details=details, advice="mocdeck rotate-ca")
    return Check(test="CA", result=Result.OK, details=details)


def _version(site: SiteView, tool_version: str) -> Check:
    if not tool_version or not site.agent_version or site.agent_version == tool_version:
        return Check(test="version", result=Result.OK, details=f"agent {site.agent_version or 'unknown'}")
    return Check(
        test="version",
        result=Result.WARN,
        details=f"agent {site.agent_version}, this program {tool_version}",
        advice="use the same version of both",
    )
