"""Defaults and thresholds, each with its source; fractions are exact so that boundaries fall on whole seconds."""

from datetime import timedelta
from fractions import Fraction
from typing import Final

CLIENT_LIFETIME: Final = timedelta(days=90)  # domain.md 5.1: client token and certificate
AUTHORITY_LIFETIME: Final = timedelta(days=365)  # domain.md 5.1: cloud agent CA
SERVER_LIFETIME: Final = timedelta(days=60)  # pki.md 7.1: 30 to 90 days
BACKDATE: Final = timedelta(minutes=5)  # pki.md 7.1: a client whose clock is behind still accepts

DUE: Final = Fraction(30, 100)  # domain.md 5.2: renew from 30 % of the lifetime left
OVERDUE: Final = Fraction(28, 100)  # domain.md A-1: one 2 % retry missed
CRITICAL: Final = Fraction(10, 100)  # domain.md 16.3
RETRY: Final = Fraction(2, 100)  # domain.md 5.2
SLOT_GRACE: Final = Fraction(1, 100)  # pki.md 4.9: past its slot by half a retry, a renewal was missed
ABSOLUTE_DUE: Final = timedelta(days=27)  # domain.md 16.1: token without iat
ABSOLUTE_CRITICAL: Final = timedelta(days=9)

AUTHORITY_WARNING: Final = timedelta(days=90)  # domain.md 16.3: or the longest leaf lifetime, if that is longer
AUTHORITY_CRITICAL: Final = timedelta(days=30)

SKEW_WARNING: Final = timedelta(seconds=30)  # domain.md 16.1: warn above this
SKEW_UNCERTAIN: Final = timedelta(minutes=5)  # domain.md 16.1: verdicts above this are uncertain
STALE_INTERVALS: Final = 2  # domain.md 16.2: stale after two missed polls

HEARTBEAT: Final = timedelta(seconds=30)
SAME_KEY_WINDOW: Final = timedelta(minutes=10)  # a retry with the same key gets the same certificate
TOKEN_OVERLAP: Final = timedelta(days=1)  # how long a rotated-away token still signs in, at most (ADR 0006)
PROBE_INTERVAL: Final = timedelta(seconds=10)  # pki.md 4.4: a broken cell holds the rotation within one of these
PLAN_LIFETIME: Final = timedelta(minutes=15)  # domain.md US-15.3
CSR_BYTES: Final = 16 * 1024  # pki.md 7.2
MESSAGE_BYTES: Final = 1024 * 1024
NAME_LENGTH: Final = 64  # RFC 5280, appendix A: ub-common-name
