"""What must hold after every move of a CA rotation (pki.md 5.2), and what must hold before one may begin (US-14).

The invariants raise: a move that breaks one is undone whole. The readiness checks report, and a failed one blocks.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.core.errors import AgentError, InconsistentState
from backend.core.limits import SKEW_UNCERTAIN
from backend.core.model import AuthorityStatus, Token
from backend.service.backup import BACKUP_KEY
from backend.service.caller import Caller
from backend.service.clock_trust import is_doubted
from backend.service.contact import BY_HAND, is_living
from backend.service.rotation_steps import require_key
from backend.service.token_line import find_current
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import RotationRow

OUTLIVES: Final = timedelta(hours=1)  # what the administrator's own credentials must still last
LEAST_SPACE: Final = 50 * 1024 * 1024
LITTLE_SPACE: Final = 500 * 1024 * 1024
FRESH_BACKUP: Final = timedelta(hours=24)

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessCheck:
    """One line of the readiness table; `result` is ok, warn or fail."""

    test: str
    category: str
    result: str
    details: str
    recommendation: str = ""


def require_invariants(tx: Transaction, rotation: RotationRow) -> None:
    """Check I1, I2, I3 and I9 on the rows as a move leaves them; I4 and the one issuer are the store's own guards.

    Raises:
        InconsistentState: one does not hold; the transaction must not commit.
    """
    bundle = tx.bundles.current()
    status = {authority.generation: authority.status for authority in tx.authorities.all()}
    issuing = [generation for generation, now in status.items() if now is AuthorityStatus.ISSUING]
    if len(issuing) != 1:
        raise InconsistentState(f"invariant I9: {len(issuing)} CA generations are issuing; nothing was changed")
    if issuing[0] not in bundle.generations:
        raise InconsistentState(f"invariant I1: the issuing CA generation {issuing[0]} is not in the bundle")
    if len(bundle.generations) > 2:
        raise InconsistentState(f"invariant I3: the bundle trusts {len(bundle.generations)} CA generations")
    distrusted = {AuthorityStatus.DISTRUSTED, AuthorityStatus.DESTROYED}
    stale = [generation for generation in bundle.generations if status.get(generation) in distrusted]
    if stale:
        raise InconsistentState(f"invariant I2: the bundle still trusts the given up CA generation {stale[0]}")
    opened = tx.rotations.find_open()
    if rotation.ended_at is None and (opened is None or opened.id != rotation.id):
        raise InconsistentState(f"invariant I3: CA rotation {rotation.id} is not the open one")


def check_readiness(tx: Transaction, world: World, caller: Caller, now: datetime) -> tuple[ReadinessCheck, ...]:
    """Everything that can be observed here and must be right before the CA is rotated."""
    return (
        _issuing_key(tx, world),
        _own_certificate(caller, now),
        _own_token(tx, caller, now),
        _no_operation(tx),
        _no_rotation(tx),
        _clock(tx, now),
        _skews(tx, now),
        _space(world),
        _backup(tx, now),
    )


def _check(test: str, category: str, result: str, details: str, recommendation: str = "") -> ReadinessCheck:
    return ReadinessCheck(test=test, category=category, result=result, details=details, recommendation=recommendation)


def _issuing_key(tx: Transaction, world: World) -> ReadinessCheck:
    test, authority = "the issuing CA's key can be used", tx.authorities.issuing()
    try:
        require_key(world, authority)
        world.signer.of(authority)
    except AgentError as error:
        return _check(test, "agent", FAIL, str(error), "restore the key vault from a backup")
    return _check(test, "agent", OK, f"CA generation {authority.generation}, {authority.key_file}")


def _own_certificate(caller: Caller, now: datetime) -> ReadinessCheck:
    test, ends = "your certificate outlives the rotation's start", caller.certificate.validity.not_after
    if ends - now > OUTLIVES:
        return _check(test, "you", OK, f"it ends at {ends}")
    return _check(test, "you", FAIL, f"it ends at {ends}", "renew your own certificate first")


def _own_token(tx: Transaction, caller: Caller, now: datetime) -> ReadinessCheck:
    test, token = "you can sign in again afterwards", find_current(tx, caller.identity.number)
    if token is not None and _outlives(token, now):
        return _check(test, "you", OK, f"your token ends at {token.expires_at}")
    why = (
        "you have no token that the agent knows" if token is None else f"your token ended or ends at {token.expires_at}"
    )
    return _check(test, "you", FAIL, why, "rotate your own token and keep its login file, then plan again")


def _outlives(token: Token, now: datetime) -> bool:
    return token.is_alive(now) and token.is_alive(now + OUTLIVES)


def _no_operation(tx: Transaction) -> ReadinessCheck:
    """An operation at work forbids it; one that only waits for a person's hands does not (ADR 0002)."""
    test = "no operation is running"
    busy: list[str] = []
    taken: list[str] = []
    waiting = 0
    for operation in tx.operations.running():
        unended = [target for target in tx.operations.targets(operation.id) if target.ended_at is None]
        others = [target.name for target in unended if target.route != BY_HAND]
        if others:
            busy.append(f"{operation.action} of {_some(others)} (operation {operation.id})")
        waiting += len(unended) - len(others)
        taken += [target.name for target in unended if target.route == BY_HAND and target.state == "delivered"]
    if busy:
        stop = "wait for it, or stop it: 5 Jobs, then K on it, or `mocdeck operations stop ID`"
        return _check(test, "agent", FAIL, f"at work: {'; '.join(busy)}", stop)
    if taken:
        details = f"the login files taken for {_some(taken)} hold the present CA only"
        return _check(test, "agent", WARN, details, "let them be used first, or take them again after the cutover")
    by_hand = "client waits" if waiting == 1 else "clients wait"
    return _check(test, "agent", OK, f"{waiting} {by_hand} for a login file by hand" if waiting else "none")


def _some(names: Sequence[str]) -> str:
    """Up to three names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _no_rotation(tx: Transaction) -> ReadinessCheck:
    test, rotation = "no CA rotation is open", tx.rotations.find_open()
    if rotation is None:
        return _check(test, "agent", OK, "none")
    return _check(test, "agent", FAIL, f"rotation {rotation.id} is in {rotation.phase}", "finish or abort it")


def _clock(tx: Transaction, now: datetime) -> ReadinessCheck:
    test, head, doubted = "the agent's clock is believed", tx.audit.head(), is_doubted(tx)
    if doubted:
        return _check(test, "time", FAIL, doubted, "set the clock right, and wait until the clients agree with it")
    if head is not None and head.at > now:
        details = f"it says {now}, before the last recorded event of {head.at}"
        return _check(test, "time", FAIL, details, "set the clock right")
    return _check(test, "time", OK, "not before the last recorded event")


def _skews(tx: Transaction, now: datetime) -> ReadinessCheck:
    test = "the clients' clocks agree with the agent's"
    living = [beat for beat in tx.heartbeats.all() if is_living(beat, now)]
    off = sum(abs(beat.skew) > SKEW_UNCERTAIN for beat in living)
    details = f"{off} of {len(living)} living clients differ by more than five minutes"
    if not off:
        return _check(test, "time", OK, details)
    if off * 2 > len(living):
        return _check(test, "time", FAIL, details, "check the agent's own clock first: most clients disagree with it")
    return _check(test, "time", WARN, details, "fix their clocks: they may refuse the new certificates")


def _space(world: World) -> ReadinessCheck:
    test, free = "the disk has room", shutil.disk_usage(world.agent_directory).free
    details = f"{free // (1024 * 1024):,} MB free at {world.agent_directory}"
    if free < LEAST_SPACE:
        return _check(test, "agent", FAIL, details, "free some space: keys and rows must be written")
    if free < LITTLE_SPACE:
        return _check(test, "agent", WARN, details, "free some space soon")
    return _check(test, "agent", OK, details)


def _backup(tx: Transaction, now: datetime) -> ReadinessCheck:
    test, noted = "keys and store are backed up", tx.meta.find(BACKUP_KEY)
    advice = "run `mocdeck agent backup` on the agent's computer, and keep its file elsewhere"
    if noted is None or not noted.isdecimal():
        return _check(test, "agent", WARN, "the agent knows of no backup", advice)
    age = now - datetime.fromtimestamp(int(noted), now.tzinfo)
    result = WARN if age > FRESH_BACKUP else OK
    return _check(test, "agent", result, f"{_age(age)} old", advice if result == WARN else "")


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds()) // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if age <= FRESH_BACKUP else f"{max(1, age.days)} d {minutes // 60 % 24} h"
