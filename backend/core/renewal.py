"""When a certificate should be renewed: its slot, computed from its dates and its serial, alike by agent and client.

The agent states the slot of every certificate it issues, and the client acts in it, without a word between them: MOC's
answers have no room for it. The spread comes from the serial, so clients that signed in during one minute do not return
during one minute, and a restart moves nobody (pki.md 5.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from backend.core.lifecycle import Validity
from backend.core.limits import DUE

SHORT_LIFE: Final = timedelta(days=10)  # shorter lives get an earlier slot: there is less time for retries
_WIDTH: Final = 5  # percent of life, as the next three
_LONG: Final = (60, 10)  # earliest start of the slot, and its spread
_SHORT: Final = (45, 5)  # the whole slot lies in 45 to 55 % of life
_END: Final = int((1 - DUE) * 100)
_WHOLE: Final = 2**32  # of it, 4 bytes of a digest are a part; whole numbers throughout, so that all sides agree


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalSlot:
    """The slot of one certificate; `renew_at` is the client's own instant in it. Whole seconds, rounded down."""

    renew_from: datetime
    renew_until: datetime
    renew_at: datetime


def renewal_slot(validity: Validity, serial: int) -> RenewalSlot:
    """Return the slot: 5 % of life wide, starting between 60 and 70 % of life (45 to 50 % for lives under ten days).

    A slot ends early where 30 % of life are left: from there on a certificate is due, and nobody is late by plan.
    """
    earliest, spread = _SHORT if validity.lifetime < SHORT_LIFE else _LONG
    digest = sha256(f"renewal slot {serial:x}".encode()).digest()
    start = earliest * _WHOLE + spread * int.from_bytes(digest[:4])
    end = min(start + _WIDTH * _WHOLE, _END * _WHOLE)
    inside = (end - start) * int.from_bytes(digest[4:8])  # of what is left of the slot, so that nobody piles up
    return RenewalSlot(
        renew_from=_instant(validity, start * _WHOLE),
        renew_until=_instant(validity, end * _WHOLE),
        renew_at=_instant(validity, start * _WHOLE + inside),
    )


def _instant(validity: Validity, part: int) -> datetime:
    """The instant after `part` of life, in hundredths of 2**-64."""
    seconds = validity.lifetime // timedelta(seconds=1)  # whole by Validity's own rule
    return validity.not_before + timedelta(seconds=seconds * part // (100 * _WHOLE * _WHOLE))
