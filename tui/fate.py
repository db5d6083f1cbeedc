"""What becomes of a client if nobody does anything: one sentence from its judgement.

Pure; states and dates are core's, only the wording is decided here.
"""

from __future__ import annotations

from datetime import datetime

from backend.core.facts import Assessment, NextAction, State
from tui.format import instant

_OUT = {
    State.REVOKED: "it stays out: it was revoked and nothing brings it back by itself.",
    State.TRUST_BROKEN: "it stays out: nobody trusts its CA, and it does not trust the present one.",
    State.LOCKED_OUT: "it stays out: neither its certificate nor its token is accepted any more.",
    State.EXPIRED_UNKNOWN: "it stays out unless it still holds a token that the agent has never seen.",
    State.EMPTY: "it never comes in: it has neither a certificate nor a token.",
    State.SKEW: "it stays out until its certificate's first second by the agent's clock.",
    State.UNKNOWN: "nobody can say: nothing is known of its credentials.",
}


def if_nothing_is_done(judged: Assessment, now: datetime) -> str:
    """Return what happens, and when."""
    return f"If nothing is done: {_fate(judged, now)}"


def _fate(judged: Assessment, now: datetime) -> str:
    fixed = _OUT.get(judged.state)
    if fixed is not None:
        return fixed
    end, token = instant(judged.effective_not_after), judged.token_expires_at
    alive = token is not None and token > now
    if judged.state is State.REPAIRABLE:
        return f"it stays out; its token can still sign it in until {instant(token)}."
    if judged.state is State.NEVER_SIGNED_IN:
        return f"its token ends unused at {instant(token)}."
    if judged.state is State.LATENT:
        return f"it works until {end} and is then locked out, because no token can sign it in again."
    if (
        judged.next_action in {NextAction.AUTO, NextAction.NONE, NextAction.AUTO_ROTATE}
        and judged.state is not State.DUE_UNKNOWN
    ):
        return f"it should renew by itself before {end}." if judged.next_action is NextAction.AUTO else _later(judged)
    if alive and token is not None and judged.effective_not_after is not None and token > judged.effective_not_after:
        return f"it loses the agent at {end} and must sign in with its token, which lasts until {instant(token)}."
    return f"it loses the agent at {end}, and no token is known that could sign it in after that."


def _later(judged: Assessment) -> str:
    return f"nothing for now; its certificate lasts until {instant(judged.effective_not_after)}."
