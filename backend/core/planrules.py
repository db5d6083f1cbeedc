"""Whether an action runs for one client, and if not, why not and what is right instead (domain.md 16.5).

Owns the refusals of the three single actions; an update puts them together in `backend.core.update`. Order, routes,
predictions and the hash are `backend.core.plan`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from backend.core.evidence import Evidence, TokenLife
from backend.core.facts import Assessment, Overlay, Severity, State
from backend.core.reasons import at, end_of

NOT_DUE: Final = "not due: nothing changed"
STORED_NOT_IN_USE: Final = "stored but not in use"  # how such a result begins: its own kind of end (US-17.2)


class ActionKind(Enum):
    """What an operator can order for clients; the numbers of the wire are mocdeck.v1's `ActionKind`."""

    RENEW = "renew"
    ROTATE_TOKEN = "rotate token"  # noqa: S105 - an action's name
    REPAIR = "repair"
    UPDATE = "update"  # whichever of the other three each client needs


SINGLE_ACTIONS: Final = (ActionKind.RENEW, ActionKind.ROTATE_TOKEN, ActionKind.REPAIR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`runs` with why, or not; a refusal that `force` lifts has `forced_by_reason` set.

    `parts` are the single actions that an update takes, in their order; empty for a single action.
    """

    runs: bool
    why: str
    forced_by_reason: bool = False
    parts: tuple[ActionKind, ...] = ()


def judge(action: ActionKind, e: Evidence, found: Assessment, *, can_be_told: bool, can_issue: bool) -> Verdict:
    """Decide on a single action for one client, as if nothing were forced.

    `can_be_told`: it is alive and takes orders with its heartbeats. `can_issue`: the issuing CA has not ended.
    """
    if not can_issue:
        return _no("refused: the CA has ended and nothing can be issued; rotate the CA first")
    barrier = _barrier(action, e, found)
    if barrier is not None:
        return barrier
    if action is ActionKind.RENEW:
        return _renew(e, found)
    return _rotate_token(e, found) if action is ActionKind.ROTATE_TOKEN else _repair(e, found, can_be_told)


def judge_alone(action: ActionKind, e: Evidence, found: Assessment, *, can_issue: bool) -> Verdict:
    """Decide on an action that is to be done by itself, from what a row of the fleet shows, as its plan will decide."""
    told = can_be_told(e, found)
    verdict = judge(action, e, found, can_be_told=told, can_issue=can_issue)
    if action is not ActionKind.RENEW or told or not (verdict.runs or verdict.forced_by_reason):
        return verdict
    return cannot_be_told(e) if verdict.runs else _no(verdict.why)


def can_be_told(e: Evidence, found: Assessment) -> bool:
    """Tell whether a client takes orders now: it lives, sends heartbeats, and its calls are not refused."""
    return e.facts.has_heartbeat and not e.stale and not e.planned_off and found.severity is not Severity.EXPIRED


def cannot_be_told(e: Evidence) -> Verdict:
    """The answer to a renewal of a client that takes no orders."""
    if e.facts.auto_renew:
        return _no("it renews by itself, and sends no heartbeats with which to tell it to do so now")
    return _no(
        "refused: it sends no heartbeats, so it cannot be told to renew; renew it where it runs, or repair it: rotate "
        "the token, deliver, sign in"
    )


def _no(why: str) -> Verdict:
    return Verdict(runs=False, why=why)


def _unless_forced(why: str) -> Verdict:
    return Verdict(runs=False, why=why, forced_by_reason=True)


def _yes(why: str) -> Verdict:
    return Verdict(runs=True, why=why)


def _barrier(action: ActionKind, e: Evidence, found: Assessment) -> Verdict | None:
    """What stands in the way of every action."""
    if Overlay.ACTION_RUNNING in found.overlays:
        return _no("refused: another operation is working on it; wait for that one's result")
    if found.state is State.REVOKED and e.facts.identity_revoked:
        return _no("refused: its identity is revoked; create a new identity")
    if found.state is State.SKEW:
        return _no("refused: its certificate is not valid yet, so a clock is wrong; fix the clock first")
    if Overlay.UNCERTAIN in found.overlays:
        return _unless_forced("refused: its clock is off by more than five minutes; fix the clock first")
    if Overlay.ORPHAN in found.overlays and action is ActionKind.RENEW:
        return _no("refused: nothing owns it any more; remove the identity instead")
    if e.planned_off and e.facts.planned_off_until is not None:
        return _unless_forced(
            f"refused: its cluster is switched off on purpose until {at(e.facts.planned_off_until)}; start it, and end "
            "that with `mocdeck cluster put` first"
        )
    if found.state is State.UNKNOWN or (found.severity is Severity.UNKNOWN and Overlay.STALE in found.overlays):
        return _unless_forced("refused: nothing certain is known of it now; see whether it runs first")
    return None


_NO_RENEWAL: Final = {
    State.REVOKED: "its certificate is revoked; repair it: rotate the token and sign in",
    State.TRUST_BROKEN: "its certificate is of a CA that is no longer trusted; repair it with a new login file",
    State.LOCKED_OUT: "it is locked out; repair it: rotate the token, deliver, sign in",
    State.EXPIRED_UNKNOWN: "its certificate has ended; repair it: rotate the token, deliver, sign in",
    State.REPAIRABLE: "its certificate has ended and cannot be renewed; it must sign in with its token (repair)",
    State.EMPTY: "it has neither certificate nor token; repair it with a login file",
    State.NEVER_SIGNED_IN: "it has no certificate yet; it must sign in first",
}


def _renew(e: Evidence, found: Assessment) -> Verdict:
    reason = _NO_RENEWAL.get(found.state)
    if reason is not None:
        return _no(f"refused: {reason}")
    if e.due and not e.authority_is_the_problem:
        return _yes(f"due: its certificate ends at {end_of(e)}{_but_the_token(e)}")
    if e.authority_is_the_problem:
        return _unless_forced(f"refused: renewing does not help, the CA ends first, at {end_of(e)}; plan a CA rotation")
    if e.token_is_dead or e.token_due:
        return _unless_forced(
            "refused: its certificate is not due, and renewing does not help its token; rotate the token"
        )
    return _unless_forced(NOT_DUE)


def _but_the_token(e: Evidence) -> str:
    return "; renewing does not help its token, rotate that as well" if e.token_is_dead or e.token_due else ""


_NO_ROTATION: Final = {
    State.REVOKED: "its certificate is revoked, so a token alone does not help; repair it",
    State.TRUST_BROKEN: "a token alone does not help, it needs a login file with the present CA; repair it",
    State.LOCKED_OUT: "it cannot fetch a token any more; repair it: rotate, deliver, sign in",
    State.EXPIRED_UNKNOWN: "it cannot fetch a token any more; repair it: rotate, deliver, sign in",
    State.REPAIRABLE: "its token works and is its way back; let it sign in (repair)",
    State.EMPTY: "it has nothing to fetch a token with; repair it with a login file",
}


def _rotate_token(e: Evidence, found: Assessment) -> Verdict:
    reason = _NO_ROTATION.get(found.state)
    if reason is not None:
        return _no(f"refused: {reason}")
    if e.token is TokenLife.UNKNOWN:
        return _yes("the agent has never seen its token; a rotated one is known")
    if e.token_is_dead:
        return _yes(f"its token {_token_end(e)}; now its certificate still works")
    if e.token_due:
        return _yes(f"due: its token {_token_end(e)}")
    return _unless_forced(NOT_DUE)


def _token_end(e: Evidence) -> str:
    if e.token_expires_at is None:
        return "is empty"
    return f"{'ended' if e.token_is_dead else 'ends'} at {at(e.token_expires_at)}"


_REPAIRS: Final = {
    State.REVOKED: "its certificate is revoked; a fresh token and a sign-in give it another",
    State.TRUST_BROKEN: "its certificate is of a CA that is no longer trusted",
    State.LOCKED_OUT: "it is locked out",
    State.EXPIRED_UNKNOWN: "its certificate has ended and its token was never seen",
    State.REPAIRABLE: "its certificate has ended",
    State.EMPTY: "it has neither certificate nor token",
}
BROKEN: Final = frozenset(_REPAIRS)  # states that only a fresh login file ends
_NO_REPAIR: Final = {
    State.NEVER_SIGNED_IN: "it has a token that works; let it sign in for the first time",
    State.LATENT: "its certificate works; rotating the token is enough",
    State.TOKEN_DUE: "its certificate works; rotating the token is enough",
    State.OVERDUE: "its certificate works; renew it",
    State.DUE: "its certificate works; renew it",
    State.DUE_UNKNOWN: "its certificate works; renew it",
}


def _repair(e: Evidence, found: Assessment, can_be_told: bool) -> Verdict:
    if found.state in _REPAIRS:
        return _yes(_REPAIRS[found.state])
    if e.due and not can_be_told:
        return _yes(f"its certificate ends at {end_of(e)} and it cannot be told to renew; signing in gives it another")
    why = _NO_REPAIR.get(found.state)
    return _unless_forced(NOT_DUE if why is None else f"refused: {why}")
