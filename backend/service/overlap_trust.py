"""Which clients still trust an older root than the present one, as far as the agent can know (moc/protocol.md 10).

A client that sends no heartbeats keeps the roots of its login file, and a login file holds those of the moment in which
its token was made. After a rotation the cross certificate carries such a client to the present CA; no cross certificate
carries it on to the next one (path length 1), so it needs a fresh login file before that one serves (invariant I10).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backend.store.port import Transaction


def behind(tx: Transaction, numbers: Iterable[int], generation: int) -> frozenset[int]:
    """Return those of these identities whose roots are known to be from before `generation` was published.

    What a client names in its heartbeats counts; else the token that it last signed in with. One of whom nothing is
    known is not counted: it has never signed in.
    """
    since = next((one for one in tx.bundles.since(0) if generation in one.generations), None)
    if since is None or since.epoch == 1:
        return frozenset()  # the first CA: nobody can hold an older root
    chosen = list(numbers)
    beats = {beat.identity_number: beat.epoch for beat in tx.heartbeats.all(chosen)}
    return frozenset(
        number
        for number in chosen
        if not (beats[number] >= since.epoch if number in beats else _is_later(tx, number, since.created_at))
    )


def _is_later(tx: Transaction, number: int, published_at: datetime) -> bool:
    used = [token.issued_at for token in tx.tokens.of(number) if token.first_used_at is not None]
    return not used or max(used) >= published_at
