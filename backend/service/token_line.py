"""An identity's tokens, one after the other: minting, rotating away, first use, ending.

At most two tokens of an identity sign in at a time, the CURRENT one and the PREVIOUS one, and there is no moment in
which neither does (pki.md 5.9). The previous one dies at its own end, at the end of the stated overlap, or when its
successor is first used, whichever comes first. Clients that keep their first token for the life of the process
(moc/protocol.md 8.1) therefore go on with it during the overlap, until something uses the new one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from backend.core.model import Identity, Secret, Token, TokenStanding, TokenState
from backend.service.world import World
from backend.store.port import Transaction


def rotate_token(
    tx: Transaction, world: World, identity: Identity, *, overlap: timedelta | None = None
) -> tuple[Token, Secret]:
    """Make a new CURRENT token; also the way to the first one. The caller audits.

    The token that the client is known to hold becomes PREVIOUS and dies at the earlier of its own end and `overlap`
    from now (None: the policy's; nothing: it ends at once). When the present one was neither used nor known to have
    arrived and its predecessor still lives, it is the predecessor that is kept: otherwise two rotations in a row
    would lock out a client that has seen neither result.
    """
    now = world.clock.now()
    overlap = world.policy.token_overlap if overlap is None else overlap
    live = [token for token in tx.tokens.of(identity.number) if token.state is not TokenState.ENDED]
    kept = _held_by_the_client(live, now) if overlap > timedelta(0) else None
    for token in live:
        if kept is not None and token.id == kept.id:
            tx.tokens.put(replace(token, state=TokenState.PREVIOUS, dies_at=min(token.expires_at, now + overlap)))
        else:
            tx.tokens.put(replace(token, state=TokenState.ENDED, dies_at=_earlier(token.dies_at, now)))
    record, secret = world.tokens.mint(identity, now)
    tx.tokens.add(record)
    if identity.token_standing is not TokenStanding.KNOWN:
        # Read again: the caller's value may be older than the row.
        tx.identities.put(replace(tx.identities.get_by_number(identity.number), token_standing=TokenStanding.KNOWN))
    return record, secret


def mark_token_used(tx: Transaction, token: Token, now: datetime) -> None:
    """Note a sign-in; the use of the CURRENT token ends its predecessor."""
    if token.state is not TokenState.CURRENT:
        if token.first_used_at is None:
            tx.tokens.put(replace(token, first_used_at=now, delivered_at=token.delivered_at or now))
        return
    if token.first_used_at is not None:
        return
    tx.tokens.put(replace(token, first_used_at=now, delivered_at=token.delivered_at or now))
    for other in tx.tokens.of(token.identity_number):
        if other.state is TokenState.PREVIOUS:
            tx.tokens.put(replace(other, state=TokenState.ENDED, dies_at=_earlier(other.dies_at, now)))


def mark_token_delivered(tx: Transaction, token_id: str, now: datetime) -> bool:
    """Note that a token is known to have reached its client; tell whether it still signs in."""
    token = tx.tokens.find(token_id)
    if token is None or not token.is_alive(now):
        return False
    if token.delivered_at is None:
        tx.tokens.put(replace(token, delivered_at=now))
    return True


def end_tokens(tx: Transaction, identity_number: int, now: datetime) -> int:
    """End every token of an identity at once; return how many still lived."""
    ended = 0
    for token in tx.tokens.of(identity_number):
        if token.state is not TokenState.ENDED:
            ended += token.is_alive(now)
            tx.tokens.put(replace(token, state=TokenState.ENDED, dies_at=_earlier(token.dies_at, now)))
    return ended


def find_current(tx: Transaction, identity_number: int) -> Token | None:
    """The token that new login files carry; it may be past its end."""
    return next((token for token in tx.tokens.of(identity_number) if token.state is TokenState.CURRENT), None)


def _held_by_the_client(live: list[Token], now: datetime) -> Token | None:
    """Of the tokens that still sign in, the one that the client holds as far as is known: the newest seen there."""
    alive = [token for token in live if token.is_alive(now)]
    seen = [token for token in alive if token.first_used_at is not None or token.delivered_at is not None]
    previous = [token for token in alive if token.state is TokenState.PREVIOUS]
    for candidates in (seen, previous, alive):
        if candidates:
            return max(candidates, key=lambda token: token.issued_at)
    return None


def _earlier(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else min(first, second)
