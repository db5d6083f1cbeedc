"""Why a client is judged as it is: full sentences with the dates and what happens if nothing is done.

Owns the wording only; the facts are `backend.core.evidence`'s and the verdict is `backend.core.health`'s. Sentences
hold instants, never durations, so that a text stays true while it is being read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from backend.core.evidence import Evidence, TokenLife
from backend.core.facts import CertificateFacts, State
from backend.core.lifecycle import Validity
from backend.core.token_policy import RotatedBy

# The way out of "renew there"; the planner's refusal names the same two.
NOT_TOLD: Final = (
    "It sends no heartbeats, so the agent cannot tell it to: renew it where it runs, with its own program, or repair "
    "it from here, which gives it a login file to sign in with."
)


def at(instant: datetime) -> str:
    """Return an instant as "2026-11-22 16:52:55Z"."""
    return f"{instant.isoformat(' ')[:19]}Z"


def explain(e: Evidence, state: State) -> tuple[str, ...]:
    """Return the sentences, worst first: the state's own, then what else holds, then what lies over it."""
    sentences = [_VERDICTS[state](e)] if state in _VERDICTS else []
    sentences.extend(write(e) for holds, write in _BESIDE if holds(e, state))
    return tuple(sentences)


def authority_reason(state: str, validity: Validity, longest_leaf: timedelta) -> str:
    """Return the sentence for a CA that is not well; `state` is the word `assess_authority` chose."""
    end = at(validity.not_after)
    if state == "EXPIRED":
        return f"The CA ended at {end}: nobody can connect or be issued a certificate until it is rotated."
    if state == "NOT YET VALID":
        return f"The CA is not valid before {at(validity.not_before)}: check the agent's clock."
    days = longest_leaf // timedelta(days=1)
    return (
        f"The CA ends at {end}. Certificates of {days} days issued from now on may be cut short at that instant, "
        "and every client stops working there; plan a CA rotation."
    )


def _broken_loop(e: Evidence) -> str:
    return (
        "It renews by itself, and says that its loop is broken: until that is mended nothing renews its certificate, "
        f"which ends at {end_of(e)}. Look at its log and restart it."
    )


def end_of(e: Evidence) -> str:
    """Return the certificate's effective end as text; empty without a certificate."""
    return "" if e.effective_not_after is None else at(e.effective_not_after)


def _token_end(e: Evidence) -> str:
    return "" if e.token_expires_at is None else at(e.token_expires_at)


def _not_before(certificate: CertificateFacts | None) -> str:
    return "" if certificate is None else at(certificate.validity.not_before)


def _revoked(e: Evidence) -> str:
    if e.facts.identity_revoked:
        return "The identity is revoked: neither its token nor its certificates are accepted. It needs a new identity."
    return (
        "Its certificate is revoked and every call with it is refused. "
        "Rotate the token and sign in again to get another."
    )


def _trust_broken(e: Evidence) -> str:
    if e.distrusted:
        return (
            "Its certificate chains to a CA that is no longer trusted, so every call is refused. Renewing cannot help: "
            "it needs a login file with the present CA and must sign in."
        )
    return f"The CA that signed its certificate ended at {end_of(e)}, so no call succeeds until the CA is rotated."


def _skew(e: Evidence) -> str:
    return (
        f"Its certificate is not valid before {_not_before(e.certificate)}: a clock is wrong, here or where it was "
        f"issued. Until that instant it cannot connect. Compare the agent's clock and its own, and set the wrong one."
    )


def _locked_out(e: Evidence) -> str:
    token = f"its token ended at {_token_end(e)}" if e.token is TokenLife.ENDED else "it holds no token"
    if e.certificate is None:
        return f"It has no certificate and {token}: it cannot sign in until it gets a login file with a fresh token."
    return (
        f"Its certificate ended at {end_of(e)} and {token}: it can neither connect nor sign in until it gets a login "
        "file with a fresh token."
    )


def _repairable(e: Evidence) -> str:
    return (
        f"Its certificate ended at {end_of(e)}, and an ended certificate cannot be renewed. "
        f"It can sign in with its token until {_token_end(e)}; after that it is locked out."
    )


def _expired_unknown(e: Evidence) -> str:
    return (
        f"Its certificate ended at {end_of(e)}, and the agent has never seen its token, so whether it can sign in is "
        "not known. A rotated token and a new login file always help."
    )


def _empty(_: Evidence) -> str:
    return "It has neither a certificate nor a token: it was created and never equipped. Give it a login file."


def _never_signed_in(e: Evidence) -> str:
    return (
        f"It has a token and has never signed in. The token works until {_token_end(e)}; after that it is locked out. "
        "On its computer, start it with its login file; `mocdeck identity login-file` makes another one."
    )


def _latent(e: Evidence) -> str:
    token = f"its token ended at {_token_end(e)}" if e.token is TokenLife.ENDED else "its token is empty"
    return (
        f"It works, but {token}: once its certificate lapses ({end_of(e)} unless renewed) it is locked out. "
        "Rotate the token now, while the certificate still works."
    )


def _overdue(e: Evidence) -> str:
    return (
        "It should have renewed by itself and has not: at least one retry was missed. "
        f"If that goes on, it loses the cloud agent at {end_of(e)}."
    )


_BY_ITSELF: Final = {
    RotatedBy.FLAG: "The agent rotates it by itself: the identity says so (autoRotate).",
    RotatedBy.POLICY: "The agent rotates it by itself: its policy says so.",
    RotatedBy.NOBODY: "",
}


def _token_due(e: Evidence) -> str:
    who = _BY_ITSELF[e.facts.rotated_by] if e.rotates else "Rotate it."
    return f"Its token ends at {_token_end(e)}; from then on a lapsed certificate means a lock-out. {who}"


def _due(e: Evidence) -> str:
    if e.facts.auto_renew:
        return f"Its certificate is due and it renews by itself; the present one works until {end_of(e)}."
    who = "nobody knows whether it renews by itself" if e.facts.auto_renew is None else "it does not renew by itself"
    told = "" if e.facts.has_heartbeat else f" {NOT_TOLD}"
    return f"Its certificate is due and {who}. If nothing is done, it loses the cloud agent at {end_of(e)}.{told}"


def _unknown(_: Evidence) -> str:
    return "The agent has issued it no certificate and has never seen its token: nothing can be said of it."


_VERDICTS: Final[dict[State, Callable[[Evidence], str]]] = {
    State.REVOKED: _revoked,
    State.TRUST_BROKEN: _trust_broken,
    State.SKEW: _skew,
    State.LOCKED_OUT: _locked_out,
    State.REPAIRABLE: _repairable,
    State.EXPIRED_UNKNOWN: _expired_unknown,
    State.EMPTY: _empty,
    State.NEVER_SIGNED_IN: _never_signed_in,
    State.LATENT: _latent,
    State.OVERDUE: _overdue,
    State.TOKEN_DUE: _token_due,
    State.DUE: _due,
    State.DUE_UNKNOWN: _due,
    State.UNKNOWN: _unknown,
}


def _has_dead_token_too(e: Evidence, state: State) -> bool:
    return e.token_is_dead and state in {State.TRUST_BROKEN, State.SKEW}


def _dead_token(e: Evidence) -> str:
    token = f"Its token ended at {_token_end(e)}" if e.token is TokenLife.ENDED else "It holds no token either"
    return f"{token}, so it cannot sign in: rotate the token as well."


def _is_late_too(e: Evidence, state: State) -> bool:
    return state is State.LATENT and e.late and e.facts.auto_renew is True


def _is_due_too(e: Evidence, state: State) -> bool:
    return e.due and state in {State.LATENT, State.TOKEN_DUE} and not _is_late_too(e, state)


def _has_due_token_too(e: Evidence, state: State) -> bool:
    return e.token_due and state in {State.OVERDUE, State.NEVER_SIGNED_IN}


def _has_missed_slot(e: Evidence, _: State) -> bool:
    return e.slot_missed


def _missed_slot(e: Evidence) -> str:
    slot = "" if e.facts.renew_until is None else f", which ended at {at(e.facts.renew_until)}"
    return (
        f"It should have renewed by itself in its slot{slot}, and no renewal has come: its renewal seems to have "
        f"stopped. Its certificate works until {end_of(e)}."
    )


def _rotation_fails(e: Evidence) -> str:
    whose = "its flag autoRotate says so" if e.facts.rotated_by is RotatedBy.FLAG else "its policy says so"
    return (
        f"The agent is to rotate its token ({whose}), and something stands against it: `mocdeck describe` names it. "
        "Until that is mended nobody renews its token."
    )


def _is_limited(e: Evidence, _: State) -> bool:
    return e.authority_is_the_problem and not e.authority_ended


def _limited(e: Evidence) -> str:
    return f"The CA ends first, at {end_of(e)}: renewing does not help beyond that instant. Plan a CA rotation."


_SET_CLOCK: Final = "Whoever runs that computer sets its clock right there, with time synchronisation."


def _has_unseen_token(e: Evidence, state: State) -> bool:
    return e.token is TokenLife.UNKNOWN and state in {State.OVERDUE, State.DUE_UNKNOWN, State.OK_UNKNOWN}


def _unseen_token(_: Evidence) -> str:
    return "The agent has never seen its token, so whether it could sign in again is not known."


def _stale(e: Evidence) -> str:
    if not e.facts.agent_alive:
        return (
            "The agent does not answer: this is what was last known, and none of it can be confirmed now. Start it, or "
            "look at the network; it is asked again by itself."
        )
    if e.facts.observed_at is None:
        return "Nothing was ever heard from it, so what is shown comes from the agent's records alone."
    return (
        f"It was last heard of at {at(e.facts.observed_at)} and has missed its heartbeats since. On its computer, see "
        "whether it runs and what its log says; its next heartbeat clears this."
    )


def _uncertain(e: Evidence) -> str:
    return (
        f"Its clock is {_skew_text(e)}, more than five minutes: the verdict is uncertain and changes are refused. "
        f"{_SET_CLOCK}"
    )


def _noted_skew(e: Evidence) -> str:
    return f"Its clock is {_skew_text(e)}; beyond five minutes nothing said of it is certain. {_SET_CLOCK}"


def _skew_text(e: Evidence) -> str:
    seconds = int(e.facts.skew.total_seconds())
    return f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} the agent's"


def _planned_off(e: Evidence) -> str:
    until = e.facts.planned_off_until
    when = "" if until is None else at(until)
    if until is not None and e.effective_not_after is not None and e.effective_not_after <= until:
        return f"It is off by plan until {when}, and its certificate ends before that: on its return it must sign in."
    return f"It is off by plan until {when}, so its silence is expected. Nothing renews while it is off."


_BESIDE: Final[tuple[tuple[Callable[[Evidence, State], bool], Callable[[Evidence], str]], ...]] = (
    (lambda e, _: e.facts.loop_broken and e.certificate is not None and not e.expired, _broken_loop),
    (_has_dead_token_too, _dead_token),
    (_is_late_too, _overdue),
    (_has_due_token_too, _token_due),
    (_is_due_too, _due),
    (_has_missed_slot, _missed_slot),
    (lambda e, _: e.facts.rotation_fails, _rotation_fails),
    (_is_limited, _limited),
    (_has_unseen_token, _unseen_token),
    (lambda e, _: e.stale, _stale),
    (lambda e, _: e.uncertain, _uncertain),
    (lambda e, _: e.skew_is_notable and not e.uncertain, _noted_skew),
    (lambda e, _: e.planned_off, _planned_off),
    (lambda e, _: e.facts.is_orphan, lambda _: "Nothing owns this identity any more: remove it once that is certain."),
    (lambda e, _: e.facts.action_running, lambda _: "An operation is working on it; wait for its result."),
)
