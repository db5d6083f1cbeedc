"""The blast radius of a CA rotation: how each client comes back, or why it does not.

At the cutover everybody loses the cloud agent, and a sign-in needs two things: a token that is alive, and the new root
to recognise the agent by. Owns which of the two a client has, and who can bring the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from backend.core.evidence import Evidence, TokenLife
from backend.core.facts import ClientFacts, State
from backend.core.health import assess
from backend.core.reasons import at


class ReturnRoute(Enum):
    """How a client returns; the values are the wire's."""

    ITSELF = "itself"  # it takes the new root home before the cutover, and its token signs it in
    FILE = "file"  # the agent writes a fresh login file to its path or its Secret
    MANUAL = "manual"  # a person carries a fresh login file to it
    OUT = "out"  # it had no connection to lose


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """A route and the sentence that justifies it."""

    route: ReturnRoute
    why: str


OUT_BECAUSE: Final = {
    State.REVOKED: "it is revoked",
    State.TRUST_BROKEN: "its certificate is of a CA that is not trusted",
    State.SKEW: "its certificate is not valid yet",
    State.LOCKED_OUT: "it is locked out",
    State.REPAIRABLE: "its certificate has ended",
    State.EXPIRED_UNKNOWN: "its certificate has ended",
    State.EMPTY: "it was never equipped",
    State.NEVER_SIGNED_IN: "it has never signed in",
    State.UNKNOWN: "nothing is known of it",
}


def way_back(facts: ClientFacts, now: datetime, *, heartbeat_alive: bool, place: str) -> WayBack:
    """Tell how a client returns from a CA rotation that starts now; `place` is where its login file can be put."""
    state = assess(facts, now).state
    e = Evidence(facts, now)
    if state in OUT_BECAUSE:
        return _out(facts, state, place)
    if heartbeat_alive and e.token is TokenLife.ALIVE:
        end = "" if e.token_expires_at is None else f", which works until {at(e.token_expires_at)}"
        return WayBack(
            route=ReturnRoute.ITSELF,
            why=f"Its heartbeats take the new root home before the cutover, and it signs in with its token{end}.",
        )
    lack = _lack(e)
    if place:
        return WayBack(route=ReturnRoute.FILE, why=f"{lack}; the agent writes a fresh login file to {place}.")
    return WayBack(
        route=ReturnRoute.MANUAL,
        why=f"{lack}, and the agent cannot write its login file: somebody must carry one to it.",
    )


def after_compromise(way: WayBack, place: str) -> WayBack:
    """Tell how a client returns when the old CA's key is in other hands: only a fresh login file is worth anything.

    Heartbeats and the signed bundle chain rest on the old CA, so neither may carry the new root (pki.md 4.6 and 5.6).
    """
    if way.route is not ReturnRoute.ITSELF:
        return way
    lack = "Nothing that the old CA vouches for may bring it the new root"
    if place:
        return WayBack(route=ReturnRoute.FILE, why=f"{lack}; the agent writes a fresh login file to {place}.")
    return WayBack(route=ReturnRoute.MANUAL, why=f"{lack}: somebody must carry a login file to it.")


def _lack(e: Evidence) -> str:
    if e.token_is_dead:
        return "Its token is dead, so it cannot sign in (rotating the token first would help)"
    if e.token is TokenLife.UNKNOWN:
        return "The agent has never seen its token, so its sign-in cannot be counted on"
    return "It sends no heartbeats, so the new root does not reach it"


def _out(facts: ClientFacts, state: State, place: str) -> WayBack:
    why = f"It is out already: {OUT_BECAUSE[state]}."
    if place and not facts.identity_revoked:
        why += " The agent writes it a fresh login file all the same, so it may come back."
    return WayBack(route=ReturnRoute.OUT, why=why)
