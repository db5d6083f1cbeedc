"""How often the agent lets something happen: sign-ins, wrong tokens and chains by address, issues by identity.

Failures count against the address that they came from, never against the name that was tried: nobody can shut another
out by failing in its name (pki.md, R73). An IPv6 network of 64 bits counts as one address, because its owner has them
all. Everything is in memory; used by the core thread only.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from backend.core.buckets import Buckets, Rate
from backend.core.errors import LimitReached, TokenRejected

_NETWORK_BITS: Final = 64
_SIGN_INS: Final = Rate(count=100, per=timedelta(seconds=1), burst=500)
_FAILURES: Final = Rate(count=1, per=timedelta(seconds=1), burst=30)
_CHAINS: Final = Rate(count=100, per=timedelta(seconds=1), burst=500)  # a whole site may wake up at once
_ISSUES: Final = Rate(count=10, per=timedelta(minutes=1), burst=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """The rates; None for one that is not limited.

    The defaults leave a site behind one translated address room to come back as a whole: 500 clients at once and 6,000
    a minute. `issues` counts new certificates of an identity; an open order to renew or to sign in is let through.
    """

    sign_ins: Rate | None = _SIGN_INS
    failed_sign_ins: Rate | None = _FAILURES
    chains: Rate | None = _CHAINS
    issues: Rate | None = _ISSUES


UNLIMITED: Final = RateLimits(sign_ins=None, failed_sign_ins=None, chains=None, issues=None)


class Rates:
    """The buckets of a running agent."""

    def __init__(self, limits: RateLimits | None = None) -> None:
        limits = limits or RateLimits()
        self._sign_ins = Buckets(limits.sign_ins)
        self._failures = Buckets(limits.failed_sign_ins)
        self._chains = Buckets(limits.chains)
        self._issues = Buckets(limits.issues)

    @contextmanager
    def sign_in(self, address: str, now: datetime) -> Iterator[None]:
        """Let a sign-in from `address` happen inside, and count a rejected token against it.

        Raises:
            LimitReached: too many sign-ins, or too many wrong tokens, came from there.
        """
        key = _key(address)
        if wait := self._failures.wait(key, now):
            raise LimitReached(f"too many sign-ins from {address} were rejected", wait)
        if wait := self._sign_ins.take(key, now):
            raise LimitReached(f"too many sign-ins come from {address} at once", wait)
        try:
            yield
        except TokenRejected:
            self._failures.take(key, now)
            raise

    def chain(self, address: str, now: datetime) -> None:
        """Count a request for the signed chain of trust bundles, which asks for no credential.

        Raises:
            LimitReached: too many came from there.
        """
        if wait := self._chains.take(_key(address), now):
            raise LimitReached(f"too many clients at {address} ask for the chain of trust bundles at once", wait)

    def wait_for_issue(self, identity_number: int, now: datetime) -> timedelta:
        """Count a new certificate of an identity; how long it has to wait instead, or zero."""
        return self._issues.take(str(identity_number), now)


def _key(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
