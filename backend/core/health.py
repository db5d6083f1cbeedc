"""The judgement of a client and of a CA: state, severity, next action and worst-first order (domain.md, section 16).

The one place that decides any of them; the agent, the command line and the screen all ask here. A state comes from a
chain of named checks in the order of precedence, of which the first that holds is the state. The dates are compared in
`backend.core.evidence`, and the sentences are written in `backend.core.reasons`.

Not looking makes nothing better: a row that cannot be confirmed is at least as bad as UNKNOWN, and one that is known to
be expired or critical stays so, because a client whose certificate has ended cannot send a heartbeat either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.core.evidence import Evidence, TokenLife
from backend.core.facts import Assessment, ClientFacts, Limit, NextAction, Overlay, Severity, State
from backend.core.lifecycle import Validity
from backend.core.limits import AUTHORITY_CRITICAL, AUTHORITY_WARNING
from backend.core.model import ClientKind
from backend.core.reasons import authority_reason, explain

NO_END: Final = 2**62  # seconds left of a client that has no certificate: after every client that has one

_SECOND: Final = timedelta(seconds=1)
_NO_OVERLAYS: Final[frozenset[Overlay]] = frozenset()


def _is_revoked(e: Evidence) -> bool:
    return e.facts.identity_revoked or (e.certificate is not None and e.certificate.is_revoked)


def _is_trust_broken(e: Evidence) -> bool:
    return e.distrusted or (e.authority_ended and not e.expired)


def _is_pending(e: Evidence) -> bool:
    return e.pending


def _is_locked_out(e: Evidence) -> bool:
    return (e.expired and e.token_is_dead) or (e.certificate is None and e.token is TokenLife.ENDED)


def _is_repairable(e: Evidence) -> bool:
    return e.expired and e.token is TokenLife.ALIVE


def _is_expired_unknown(e: Evidence) -> bool:
    return e.expired


def _is_empty(e: Evidence) -> bool:
    return e.certificate is None and e.token is TokenLife.EMPTY


def _has_never_signed_in(e: Evidence) -> bool:
    return e.certificate is None and e.token is TokenLife.ALIVE


def _is_latent(e: Evidence) -> bool:
    return e.certificate is not None and e.token_is_dead


def _is_overdue(e: Evidence) -> bool:
    return e.late and e.facts.auto_renew is True


def _is_token_due(e: Evidence) -> bool:
    return e.token_due


def _is_due(e: Evidence) -> bool:
    return e.due and e.token is not TokenLife.UNKNOWN


def _is_due_unknown(e: Evidence) -> bool:
    return e.due


def _is_ok(e: Evidence) -> bool:
    return e.certificate is not None and e.token is not TokenLife.UNKNOWN


def _is_ok_unknown(e: Evidence) -> bool:
    return e.certificate is not None


# In the order of precedence of domain.md 16.2; the first check that holds names the state, and none of them: UNKNOWN.
CHECKS: Final[tuple[tuple[State, Callable[[Evidence], bool]], ...]] = (
    (State.REVOKED, _is_revoked),
    (State.TRUST_BROKEN, _is_trust_broken),
    (State.SKEW, _is_pending),
    (State.LOCKED_OUT, _is_locked_out),
    (State.REPAIRABLE, _is_repairable),
    (State.EXPIRED_UNKNOWN, _is_expired_unknown),
    (State.EMPTY, _is_empty),
    (State.NEVER_SIGNED_IN, _has_never_signed_in),
    (State.LATENT, _is_latent),
    (State.OVERDUE, _is_overdue),
    (State.TOKEN_DUE, _is_token_due),
    (State.DUE, _is_due),
    (State.DUE_UNKNOWN, _is_due_unknown),
    (State.OK, _is_ok),
    (State.OK_UNKNOWN, _is_ok_unknown),
)

_EXPIRED: Final = frozenset(
    {State.REVOKED, State.TRUST_BROKEN, State.LOCKED_OUT, State.REPAIRABLE, State.EXPIRED_UNKNOWN}
)
_LIVE: Final = frozenset(  # the certificate opens the data port, so silence is news
    {
        State.LATENT,
        State.OVERDUE,
        State.TOKEN_DUE,
        State.DUE,
        State.DUE_UNKNOWN,
        State.OK,
        State.OK_UNKNOWN,
        State.UNKNOWN,
    }
)
# Without these nothing else is repaired or started, so one lapse away from a lock-out is already critical.
_VITAL: Final = frozenset({ClientKind.KMS, ClientKind.NODE_AGENT, ClientKind.MOCCTL, ClientKind.KVACTL})
_SIMPLE_WARNINGS: Final = frozenset({State.LATENT, State.OVERDUE, State.EMPTY, State.NEVER_SIGNED_IN})
_SIMPLE_INFOS: Final = frozenset({State.DUE, State.DUE_UNKNOWN, State.TOKEN_DUE, State.OK_UNKNOWN})


def assess(facts: ClientFacts, now: datetime) -> Assessment:
    """Judge one client at `now`."""
    e = Evidence(facts, now)
    state = _state(e)
    overlays = _overlays(e)
    severity = _severity(e, state)
    if e.stale or e.uncertain:
        severity = min(severity, Severity.UNKNOWN)
    left = NO_END if e.effective_left is None else e.effective_left // _SECOND
    return Assessment(
        state=state,
        severity=severity,
        overlays=overlays,
        next_action=_next_action(e, state),
        effective_not_after=e.effective_not_after,
        limited_by=None if e.certificate is None else Limit.AUTHORITY if e.limited else Limit.CERTIFICATE,
        token_expires_at=e.token_expires_at,
        reasons=() if state is State.OK and severity is Severity.OK and not overlays else explain(e, state),
        sort_key=(int(severity), left, -blast_radius(facts.kind), facts.name),
    )


def blast_radius(kind: ClientKind) -> int:
    """Return how much else is lost with a client of this kind; larger is worse (domain.md 16.3)."""
    if kind.is_admin_tool:
        return 3
    if kind is ClientKind.NODE_AGENT:
        return 2
    return 1 if kind is ClientKind.KMS else 0


def _state(e: Evidence) -> State:
    for state, holds in CHECKS:
        if holds(e):
            return state
    return State.UNKNOWN


def _overlays(e: Evidence) -> frozenset[Overlay]:
    facts = e.facts
    found: list[Overlay] = []
    if e.stale:
        found.append(Overlay.STALE)
    if facts.is_orphan:
        found.append(Overlay.ORPHAN)
    if e.planned_off:
        found.append(Overlay.PLANNED_OFF)
    if facts.action_running:
        found.append(Overlay.ACTION_RUNNING)
    if e.uncertain:
        found.append(Overlay.UNCERTAIN)
    elif e.skew_is_notable:
        found.append(Overlay.SKEW_WARNING)
    if e.slot_missed:
        found.append(Overlay.MISSED_SLOT)
    if facts.rotation_fails:
        found.append(Overlay.ROTATION_FAILS)
    return frozenset(found) if found else _NO_OVERLAYS


def _severity(e: Evidence, state: State) -> Severity:
    if state in _EXPIRED:
        return Severity.EXPIRED
    if _is_critical(e, state):
        return Severity.CRITICAL
    if state is State.UNKNOWN:
        return Severity.UNKNOWN
    if _is_warning(e, state):
        return Severity.WARNING
    if state in _SIMPLE_INFOS or e.facts.is_orphan or e.planned_off:
        return Severity.INFO
    return Severity.OK


def _is_critical(e: Evidence, state: State) -> bool:
    if e.effective_critical or e.token_critical or state is State.SKEW:
        return True
    if e.facts.loop_broken and e.certificate is not None:
        return True
    return state is State.LATENT and e.facts.kind in _VITAL


def _is_warning(e: Evidence, state: State) -> bool:
    if state in _SIMPLE_WARNINGS or e.slot_missed or e.facts.rotation_fails:
        return True
    if e.effective_due and (e.limited or not e.facts.auto_renew):
        return True
    return e.token_due and not e.rotates


def _next_action(e: Evidence, state: State) -> NextAction:
    """Choose the step of domain.md 16.5; what lies over the state comes first where it forbids the state's own step."""
    facts = e.facts
    if facts.action_running:
        return NextAction.WAIT
    if e.uncertain:
        return NextAction.FIX_CLOCK
    if facts.is_orphan:
        return NextAction.EXPLAIN_ORPHAN
    if e.stale and state in _LIVE:
        return NextAction.PROBE
    action = _step(e, state)
    if e.planned_off and action in {NextAction.NONE, NextAction.AUTO, NextAction.RENEW}:
        return NextAction.WAIT
    if action is NextAction.NONE and e.skew_is_notable:
        return NextAction.FIX_CLOCK
    return action


_STEPS: Final = {
    State.SKEW: NextAction.FIX_CLOCK,
    State.EMPTY: NextAction.REPAIR,
    State.NEVER_SIGNED_IN: NextAction.FIRST_SIGN_IN,
    State.LATENT: NextAction.ROTATE_TOKEN,
    State.UNKNOWN: NextAction.PROBE,
}


def _step(e: Evidence, state: State) -> NextAction:
    fixed = _STEPS.get(state)
    if fixed is not None:
        return fixed
    if state is State.REVOKED:
        return NextAction.NEW_IDENTITY if e.facts.identity_revoked else NextAction.REPAIR
    if state in _EXPIRED:
        return _way_out(e, state)
    if (state is State.TOKEN_DUE and not e.rotates) or (state is State.OK and e.facts.rotation_fails):
        return NextAction.ROTATE_TOKEN
    return _renewal(e, state)


def _way_out(e: Evidence, state: State) -> NextAction:
    """The step out of a certificate that no longer works; nothing can be issued under a CA that has ended."""
    if state is State.TRUST_BROKEN:
        return NextAction.REISSUE_LOGIN if e.distrusted else NextAction.ROTATE_CA
    if e.authority_ended:
        return NextAction.ROTATE_CA
    return NextAction.SIGN_IN if state is State.REPAIRABLE else NextAction.REPAIR


def _renewal(e: Evidence, state: State) -> NextAction:
    if e.authority_is_the_problem:
        return NextAction.ROTATE_CA
    if state is State.OVERDUE or e.slot_missed:
        return NextAction.AUTO_LATE
    if e.due:
        return NextAction.AUTO if e.facts.auto_renew else _by_whom(e)
    if state is State.TOKEN_DUE:
        return NextAction.AUTO_ROTATE
    return NextAction.ROTATE_TOKEN if state is State.OK_UNKNOWN else NextAction.NONE


def _by_whom(e: Evidence) -> NextAction:
    """Who renews a client that does not do it by itself: only one that sends heartbeats can be told from here."""
    return NextAction.RENEW if e.facts.has_heartbeat else NextAction.RENEW_THERE


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityAssessment:
    """The judgement of a CA. `state` is a word for the row; `reason` a sentence, empty only when all is well."""

    state: str
    severity: Severity
    reason: str


def assess_authority(validity: Validity, now: datetime, *, longest_leaf: timedelta) -> AuthorityAssessment:
    """Judge a CA at `now`; `longest_leaf` is the longest lifetime it issues (domain.md 16.3, V27 to V30)."""
    left = validity.left(now)
    if validity.is_expired(now):
        state, severity = "EXPIRED", Severity.EXPIRED
    elif validity.is_pending(now):
        state, severity = "NOT YET VALID", Severity.CRITICAL
    elif left <= AUTHORITY_CRITICAL:
        state, severity = "DUE", Severity.CRITICAL
    elif left <= max(AUTHORITY_WARNING, longest_leaf):
        state, severity = "DUE", Severity.WARNING
    else:
        return AuthorityAssessment(state="OK", severity=Severity.OK, reason="")
    return AuthorityAssessment(state=state, severity=severity, reason=authority_reason(state, validity, longest_leaf))
