"""The story of one demo client: who it is, what happened to it and when, and what has become of it.

Pure values and their arithmetic. A story is told backwards: it states how long certificate and token still live when
the demo begins, and the instants at which they were issued follow from their lifetimes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from fractions import Fraction
from typing import Final

from backend.core.facts import Overlay, Severity, State
from backend.core.lifecycle import share
from backend.core.limits import BACKDATE
from backend.core.model import ClientKind, ClientType

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
HEARTBEAT: Final = timedelta(seconds=5)

BIRTH: Final = 330 * DAY  # how long before the demo the site was made; every `ago` counts back from the demo's start
CA_ROTATION: Final = 120 * DAY
NEVER_CAME_BACK: Final = 119 * DAY  # when those that were still away were written off
_SIGN_IN_AFTER: Final = MINUTE  # from an identity's making to its first certificate
_LEARNED_AFTER: Final = 10 * MINUTE  # from the cutover to the fresh token of a client that came back
_RENEWED_AT: Final = Fraction(2, 3)  # of a certificate's life: where the renewals of the past lie

_TYPES: Final = {
    ClientKind.NODE_AGENT: ClientType.NODE,
    ClientKind.LB_AGENT: ClientType.LOADBALANCER,
    ClientKind.MOCCTL: ClientType.ADMIN,
    ClientKind.KVACTL: ClientType.ADMIN,
    ClientKind.ADMIN: ClientType.ADMIN,
    ClientKind.KVA: ClientType.CONTROLPLANE,
    ClientKind.CAPH: ClientType.CONTROLPLANE,
}


class Deed(Enum):
    """What can happen to a client; each is one ordinary use case."""

    CREATE = "create"
    ROTATE = "rotate its token and bring it"
    SIGN_IN = "sign in"
    CERTIFY = "get a certificate without a token"
    CERTIFY_EARLY = "get a certificate that is not valid yet"
    RENEW = "renew"
    CALL = "call the agent"
    BEAT = "send a heartbeat"
    REVOKE = "be revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """A client that runs during the demo. `clock_offset` is how far its clock is ahead."""

    renews_itself: bool = True
    clock_offset: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One client. `certificate_left` and `token_left` count from the demo's start and are negative once past.

    None for `certificate_left`: it never had one. `unminted` "elsewhere" or "none": the agent makes no token, as with
    the tag `mocdeck.token`. Lifetimes are what was asked for; a leaf of an old CA may have been cut to its end.
    `is_veteran`: it is older than the last CA rotation and came back from it. `last_call` is how long ago a silent
    client was last seen. `early_by` is how far the clock was ahead that issued its certificate. `at_rest`: its files
    lie in the demo's directory although no program runs on them.
    """

    name: str
    kind: ClientKind
    expect: State
    severity: Severity
    overlays: frozenset[Overlay] = frozenset()
    cluster: str = "mgmt"
    host: str = ""
    owner: str = "platform"
    roles: tuple[str, ...] = ()
    certificate_left: timedelta | None = 60 * DAY
    token_left: timedelta = 60 * DAY
    lifetime: timedelta = 90 * DAY
    token_lifetime: timedelta = 90 * DAY
    unminted: str = ""
    auto_renew: bool | None = True
    auto_rotate: bool = False
    has_login_path: bool = False
    is_veteran: bool = False
    created_ago: timedelta | None = None
    last_call: timedelta | None = None
    beats_until: timedelta | None = None
    revoked_ago: timedelta | None = None
    early_by: timedelta | None = None
    living: Living | None = None
    at_rest: bool = False

    @property
    def client_type(self) -> ClientType:
        """MOC's type of a client of this kind."""
        return _TYPES.get(self.kind, ClientType.EXTERNALCLIENT)

    def deeds(self) -> Iterator[tuple[timedelta, Deed]]:
        """What happened, as (how long before the demo, what); in no particular order."""
        born = self._born_ago()
        yield born, Deed.CREATE
        if self.early_by is not None:
            yield 30 * MINUTE, Deed.CERTIFY_EARLY
        elif self.certificate_left is not None:
            yield from self._certificates(born)
        token_ago = self.token_lifetime - self.token_left
        if not self.unminted and token_ago < born:
            yield token_ago, Deed.ROTATE
        if self.last_call is not None:
            yield self.last_call, Deed.CALL
        if self.beats_until is not None:
            yield self.beats_until + HEARTBEAT, Deed.BEAT
            yield self.beats_until, Deed.BEAT
        if self.revoked_ago is not None:
            yield self.revoked_ago, Deed.REVOKE

    def _born_ago(self) -> timedelta:
        """When the identity was made: early enough for its token and for its certificate."""
        if self.created_ago is not None:
            return self.created_ago
        token_ago = timedelta(0) if self.unminted else self.token_lifetime - self.token_left
        if self.certificate_left is None or self.early_by is not None:
            return token_ago or DAY
        return max(token_ago, self._certified_ago(self.certificate_left) + _SIGN_IN_AFTER)

    def _certified_ago(self, left: timedelta) -> timedelta:
        return self.lifetime - BACKDATE - left

    def _certificates(self, born: timedelta) -> Iterator[tuple[timedelta, Deed]]:
        """The first certificate, its renewals, and the one of the demo's start, each while the one before lived."""
        assert self.certificate_left is not None  # noqa: S101 - asked by the caller
        last = self._certified_ago(self.certificate_left)
        first = born - _SIGN_IN_AFTER
        if self.unminted:
            yield last, Deed.CERTIFY
            return
        if first - last < DAY:
            yield last, Deed.SIGN_IN
            return
        yield first, Deed.SIGN_IN
        if self.is_veteran:
            yield CA_ROTATION - _LEARNED_AFTER, Deed.ROTATE
            first = CA_ROTATION - 2 * _LEARNED_AFTER
            yield first, Deed.SIGN_IN
        step = share(self.lifetime, _RENEWED_AT)
        while first - step > last:
            first -= step
            yield first, Deed.RENEW
        if first > last:
            yield last, Deed.RENEW
