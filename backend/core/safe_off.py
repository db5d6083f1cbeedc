"""Until when a cluster may be switched off, and whether it may be rebooted now (domain.md 16.7, US-13).

Owns the rule: the earliest end of everything that cannot renew while off, less a tenth of that thing's lifetime. The
answer never is a date that has passed. Certificates inside a cluster (the four-day class) count where their dates are
given; this product's agent does not observe them, and an answer without them says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from backend.core.evidence import Evidence, TokenLife, thresholds
from backend.core.facts import ClientFacts
from backend.core.fleet import AuthorityInfo
from backend.core.lifecycle import Validity, share
from backend.core.limits import ABSOLUTE_CRITICAL, DUE, STALE_INTERVALS
from backend.core.model import ClientKind
from backend.core.reasons import at

IN_CLUSTER_LIFE: Final = timedelta(days=4)  # domain.md 5.1: the leaves that a cluster renews itself
OFF_AFTER: Final = timedelta(minutes=30)  # shorter silence is a restart or a network, and no verdict is hung on it
NOT_OBSERVED: Final = (
    "In-cluster certificates (about 4 days each) are not observed by this agent, so this holds for the cloud agent's "
    "layer alone: after more than a day off, check them on return."
)
# They sign in with their token when they start, so a dead one shows at the next start (domain.md 13, P5 and P6).
STARTS_WITH_TOKEN: Final = frozenset({ClientKind.KMS, ClientKind.NODE_AGENT})


class Thing(Enum):
    """What ends."""

    LEAF = "in-cluster certificate"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - a word of the answer
    AUTHORITY = "CA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One thing that ends while a cluster is off. `lifetime` None: not known (a token without its time of issue)."""

    thing: Thing
    name: str
    ends_at: datetime
    lifetime: timedelta | None

    @property
    def safe_until(self) -> datetime:
        """Its end less the margin: 10 % of its lifetime, 9 days where that is not known; a whole second."""
        margin = ABSOLUTE_CRITICAL if self.lifetime is None else thresholds(self.lifetime)[2]
        return (self.ends_at - margin).replace(microsecond=0)

    @property
    def words(self) -> str:
        """The thing with its name: "token of kms-1"; "CA g3"."""
        return f"CA {self.name}" if self.thing is Thing.AUTHORITY else f"{self.thing.value} of {self.name}"

    def is_due(self, now: datetime) -> bool:
        """Tell whether renewing it first would gain time."""
        return self.lifetime is not None and self.ends_at - now <= share(self.lifetime, DUE)


class Verdict(Enum):
    """What is said of switching off; OFF and OVERDUE are of a cluster that already is."""

    SAFE = "safe"
    NOT_SAFE = "not safe"
    OFF = "off"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeOff:
    """The answer for one cluster or for the fleet (`name` "").

    `until` is a date in the future, or None. `limiting` names what sets it, or what forbids it. `reasons` are
    sentences, worst first. `otherwise_until` is the date once every reason against it is cured. `advice` is what to
    run, before or on return. `off_since` is set for a cluster from which nothing is heard.
    """

    name: str
    verdict: Verdict
    until: datetime | None
    limiting: Entity | None
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    notes: tuple[str, ...]
    otherwise_until: datetime | None = None
    off_since: datetime | None = None
    renew_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot:
    """Whether a restart now is safe; `reasons` say why not, `unknown` what nobody knows."""

    name: str
    is_safe: bool
    reasons: tuple[str, ...]
    unknown: tuple[str, ...]


def safe_off(
    name: str,
    clients: Sequence[ClientFacts],
    now: datetime,
    *,
    issuing: AuthorityInfo | None,
    leaves: Sequence[tuple[str, Validity]] = (),
) -> SafeOff:
    """Answer for one cluster, or the fleet; `leaves` are the in-cluster certificates whose dates somebody knows."""
    counted = [facts for facts in clients if not facts.is_orphan and not facts.identity_revoked]
    off_since = _off_since(counted, now)
    dead_tokens = _dead_tokens(counted, now)
    dead = {client for client, _ in dead_tokens}
    every = list(_entities(counted, issuing, leaves))
    ended = [e for e in every if e.thing is Thing.TOKEN and e.name in dead]
    entities = [e for e in every if e not in ended]
    timed = [(e.safe_until, e) for e in entities]
    used_up = sorted((e for until, e in timed if until <= now), key=lambda e: (e.ends_at, e.words))
    otherwise = min((until for until, _ in timed if until > now), default=None)
    limiting = min((e for until, e in timed if until == otherwise), key=lambda e: e.words, default=None)
    notes = () if leaves else (NOT_OBSERVED,)
    if off_since is not None:
        return _already_off(name, now, off_since, used_up, limiting, has_leaves=bool(leaves), notes=notes)
    reasons = [*(f"{client}: {why}" for client, why in dead_tokens), *(_used_up(e, now) for e in used_up)]
    if reasons:
        return SafeOff(
            name=name,
            verdict=Verdict.NOT_SAFE,
            until=None,
            limiting=next(iter([*ended, *used_up]), None),
            reasons=tuple(f"not safe to power off{' or reboot' * bool(dead_tokens)}: {reason}" for reason in reasons),
            advice=_cures(dead, used_up, now, frozenset(f.name for f in counted if _is_out(f, now))),
            notes=notes,
            otherwise_until=otherwise,
        )
    unseen = tuple(f"the token of {f.name} was never seen" for f in counted if _is_unseen(f, now))
    if limiting is None or unseen:
        return SafeOff(
            name=name,
            verdict=Verdict.UNKNOWN,
            until=None,
            limiting=limiting,
            reasons=unseen or ("nothing is known that could end",),
            advice=(),
            notes=notes,
            otherwise_until=otherwise,
        )
    first = limiting.is_due(now)
    return SafeOff(
        name=name,
        verdict=Verdict.SAFE,
        until=limiting.safe_until,
        limiting=limiting,
        reasons=(f"the {limiting.words} ends at {at(limiting.ends_at)}",),
        advice=(f"renew first to gain time: {_cure(limiting, now)}",) if first else (),
        notes=notes,
        renew_first=first,
    )


def safe_to_reboot(name: str, clients: Iterable[ClientFacts], now: datetime) -> Reboot:
    """Tell whether what restarts now comes back: a KMS or node agent without a live token does not (US-13.4)."""
    counted = [facts for facts in clients if not facts.is_orphan and not facts.identity_revoked]
    reasons = tuple(f"{client}: {why}" for client, why in _dead_tokens(counted, now))
    unknown = tuple(f"the token of {facts.name} was never seen" for facts in counted if _is_unseen(facts, now))
    return Reboot(name=name, is_safe=not reasons, reasons=reasons, unknown=unknown)


def _entities(
    clients: Iterable[ClientFacts], issuing: AuthorityInfo | None, leaves: Sequence[tuple[str, Validity]]
) -> Iterable[Entity]:
    for name, validity in leaves:
        yield Entity(thing=Thing.LEAF, name=name, ends_at=validity.not_after, lifetime=validity.lifetime)
    for facts in clients:
        certificate, token = facts.certificate, facts.token
        if certificate is not None and certificate.is_trusted and not certificate.is_revoked:
            ends_at = min(certificate.validity.not_after, certificate.authority_not_after)
            yield Entity(
                thing=Thing.CERTIFICATE, name=facts.name, ends_at=ends_at, lifetime=certificate.validity.lifetime
            )
        if token.expires_at is not None and facts.kind in STARTS_WITH_TOKEN:
            lifetime = None if token.issued_at is None else token.expires_at - token.issued_at
            yield Entity(thing=Thing.TOKEN, name=facts.name, ends_at=token.expires_at, lifetime=lifetime)
    if issuing is not None:
        validity = issuing.validity
        yield Entity(
            thing=Thing.AUTHORITY,
            name=f"g{issuing.generation}",
            ends_at=validity.not_after,
            lifetime=validity.lifetime,
        )


def _dead_tokens(clients: Iterable[ClientFacts], now: datetime) -> list[tuple[str, str]]:
    """(name, sentence) for each client that needs a token to start and has none that works."""
    found = []
    for facts in clients:
        if facts.kind not in STARTS_WITH_TOKEN:
            continue
        e = Evidence(facts, now)
        if e.token is TokenLife.ENDED and e.token_expires_at is not None:
            found.append((facts.name, f"{facts.kind.value} token expired at {at(e.token_expires_at)}"))
        elif e.token is TokenLife.EMPTY:
            found.append((facts.name, f"{facts.kind.value} token is empty"))
    return found


def _is_unseen(facts: ClientFacts, now: datetime) -> bool:
    return facts.kind in STARTS_WITH_TOKEN and Evidence(facts, now).token is TokenLife.UNKNOWN


def _used_up(entity: Entity, now: datetime) -> str:
    if entity.ends_at < now:
        return f"the {entity.words} ended at {at(entity.ends_at)}"
    return f"the {entity.words} ends at {at(entity.ends_at)}, which leaves less than the margin"


def _is_out(facts: ClientFacts, now: datetime) -> bool:
    """Tell whether no certificate of its works: then a token alone does not reach it, only a login file does."""
    e = Evidence(facts, now)
    usable = e.effective_not_after is not None and now <= e.effective_not_after and not e.distrusted
    return not usable or (e.certificate is not None and e.certificate.is_revoked)


def _cures(dead: Iterable[str], used_up: Sequence[Entity], now: datetime, out: frozenset[str]) -> tuple[str, ...]:
    """What to run; a client that is out is repaired, which brings a token with it."""
    tokens = [f"mocdeck {'repair' if name in out else 'rotate-token'} {name}" for name in sorted(dead)]
    return tuple(dict.fromkeys([*tokens, *(_cure(entity, now) for entity in used_up)]))


def _cure(entity: Entity, now: datetime) -> str:
    if entity.thing is Thing.AUTHORITY:
        return "mocdeck rotate-ca"
    if entity.thing is Thing.TOKEN:
        return f"mocdeck rotate-token {entity.name}"
    if entity.thing is Thing.LEAF:
        return f"renew {entity.name} inside the cluster"
    return f"mocdeck {'repair' if entity.ends_at < now else 'renew'} {entity.name}"


def _off_since(clients: Sequence[ClientFacts], now: datetime) -> datetime | None:
    """Since when nothing at all is heard of a cluster, where silence means something; None otherwise.

    It does where at least half of its clients send heartbeats, and after longer than a restart takes.
    """
    beating = [facts for facts in clients if facts.has_heartbeat]
    if 2 * len(beating) < len(clients):
        return None
    heard = [facts.observed_at for facts in beating if facts.observed_at is not None]
    if not heard or not all(facts.agent_alive and _is_silent(facts, now) for facts in beating):
        return None
    return max(heard) if now - max(heard) >= OFF_AFTER else None


def _is_silent(facts: ClientFacts, now: datetime) -> bool:
    return facts.observed_at is None or now - facts.observed_at > facts.poll_interval * STALE_INTERVALS


def _already_off(
    name: str,
    now: datetime,
    off_since: datetime,
    used_up: Sequence[Entity],
    limiting: Entity | None,
    *,
    has_leaves: bool,
    notes: tuple[str, ...],
) -> SafeOff:
    """A cluster that is off: back in time it has a date, otherwise the way back and no date (W5)."""
    reasons = [_used_up(entity, now) for entity in used_up]
    if not has_leaves and now - off_since > IN_CLUSTER_LIFE:
        reasons.insert(0, "it has been off for longer than the life of its in-cluster certificates (4 days)")
    is_overdue = bool(reasons)
    until = None if is_overdue or limiting is None else limiting.safe_until
    return SafeOff(
        name=name,
        verdict=Verdict.OVERDUE if is_overdue else Verdict.OFF,
        until=until,
        limiting=used_up[0] if used_up else limiting,
        reasons=(f"nothing was heard of it since {at(off_since)}", *reasons),
        advice=_RETURN if is_overdue else (),
        notes=notes,
        off_since=off_since,
    )


# domain.md 6.5 and US-12: management first, then control plane leaves, fresh kubeconfig, cloud credentials, proof.
_RETURN: Final = (
    "bring the hosts, the cloud agent and the management cluster back first: mocdeck status",
    "repair the in-cluster certificates of the control plane, then fetch a fresh kubeconfig; older ones are stale",
    "give back what lost its cloud credential: mocdeck repair, for every client that `mocdeck status` names",
    "check that all of them are seen again: mocdeck status",
)
