"""The audit trail: an append-only chain in which each event names the digest of the one before it.

The digest is SHA-256 over canonical JSON of the previous digest and every field of the event, so that no event can be
changed, dropped or slipped in without breaking the chain from there on. Details never hold secrets: tokens appear by
id, certificates by serial. Texts that came from a client are cut, and stay data: JSON escapes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from backend.core.errors import AgentError
from backend.core.model import AuditEvent, Outcome
from backend.store.port import Transaction

FIRST_PREVIOUS: Final = "0" * 64  # what the first link names as its predecessor
TEXT_LENGTH: Final = 512  # characters kept of each text
SLICE: Final = 250  # links looked at in one go: some ten milliseconds, which others wait for
_BEFORE_ALL: Final = -1  # a forged link of number 0 must be met too


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Result of walking the chain; `first_bad` is 0 and `why` empty when it is intact."""

    intact: bool
    count: int
    first_bad: int
    head: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A walk under way: `count` links fit, `head` is the digest of the last of them, `until` the last to look at."""

    until: int
    head: str = FIRST_PREVIOUS
    count: int = 0


def record(
    tx: Transaction,
    now: datetime,
    *,
    actor: str,
    origin: str,
    action: str,
    subject: str,
    outcome: Outcome = Outcome.DONE,
    detail: Mapping[str, str] | None = None,
) -> AuditEvent:
    """Append one event; it commits or rolls back with the transaction it is written in."""
    head = tx.audit.head()
    event = AuditEvent(
        index=1 if head is None else head.index + 1,
        at=now,
        actor=_cut(actor),
        origin=origin,
        action=action,
        subject=_cut(subject),
        outcome=outcome,
        detail={key: _cut(value) for key, value in (detail or {}).items()},
        previous=FIRST_PREVIOUS if head is None else head.digest,
        digest="",
    )
    event = replace(event, digest=digest_of(event))
    tx.audit.append(event)
    return event


def record_refusal(
    tx: Transaction,
    now: datetime,
    *,
    actor: str,
    origin: str,
    action: str,
    subject: str,
    error: AgentError,
    address: str = "",
) -> AuditEvent:
    """Append a refusal. Called after the refused call's savepoint was rolled back, so that this row stays.

    `actor` is empty when nobody was authenticated; then the address is all that is known of the caller.
    """
    detail = {"reason": error.reason, "why": str(error)}
    if address:
        detail["address"] = address
    return record(
        tx, now, actor=actor, origin=origin, action=action, subject=subject, outcome=Outcome.REFUSED, detail=detail
    )


def digest_of(event: AuditEvent) -> str:
    """Hex SHA-256 of an event's link, whatever its `digest` field says."""
    document = {
        "index": event.index,
        "at": int(event.at.timestamp()),
        "actor": event.actor,
        "origin": event.origin,
        "action": event.action,
        "subject": event.subject,
        "outcome": event.outcome.value,
        "detail": dict(event.detail),
        "previous": event.previous,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def verify(tx: Transaction) -> Verdict:
    """Walk the whole chain in one go and name the first link that does not fit."""
    walk: Walk | Verdict = begin_walk(tx)
    while isinstance(walk, Walk):
        walk = walk_on(tx, walk)
    return walk


def begin_walk(tx: Transaction) -> Walk:
    """Begin a walk over the links that there are now; those that come meanwhile are the next walk's."""
    head = tx.audit.head()
    return Walk(until=0 if head is None else head.index)


def walk_on(tx: Transaction, walk: Walk, most: int = SLICE) -> Walk | Verdict:
    """Look at `most` links more; the verdict when a link does not fit or the end is reached."""
    previous, count = walk.head, walk.count
    for event in tx.audit.after(count or _BEFORE_ALL, min(most, walk.until - count)):
        why = _misfit(event, count + 1, previous)
        if why:
            return Verdict(intact=False, count=count, first_bad=event.index, head=previous, why=why)
        previous, count = event.digest, count + 1
    if count == walk.until:
        return Verdict(intact=True, count=count, first_bad=0, head=previous, why="")
    if count == walk.count:
        why = f"link {count + 1} is missing: there were {walk.until} when the walk began"
        return Verdict(intact=False, count=count, first_bad=count + 1, head=previous, why=why)
    return replace(walk, head=previous, count=count)


def _misfit(event: AuditEvent, index: int, previous: str) -> str:
    if event.index != index:
        return f"link {index} is missing: link {event.index} follows link {index - 1}"
    if event.previous != previous:
        return f"link {index} does not name link {index - 1} as its predecessor"
    if event.digest != digest_of(event):
        return f"link {index} was changed after it was written"
    return ""


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else text[: TEXT_LENGTH - 1] + "…"
