"""The canary's three doors: what each proves of a client that comes in, and what of one that does not (pki.md 4.2).

Owns their names and words. In TLS 1.3 a client judges the server before it shows its own certificate, so only a client
that came in is known; one that turned away leaves no name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class CanaryKind(Enum):
    """Which door."""

    TRUST = "trust"  # under the new root alone: whoever comes in trusts it
    NEGATIVE = "negative"  # under a root that nobody has: whoever comes in does not verify
    NAME = "name"  # under the new root, for another name: whoever comes in does not compare names


# RFC 6761, section 6.4: names that can never be anybody's. They choose the certificate; nobody resolves them.
SERVER_NAMES: Final = {
    CanaryKind.TRUST: "trust-canary.mocdeck.invalid",
    CanaryKind.NEGATIVE: "negative-canary.mocdeck.invalid",
    CanaryKind.NAME: "name-canary.mocdeck.invalid",
}
ANOTHER_NAME: Final = "another-name.mocdeck.invalid"  # what the certificate behind the NAME door is for
# The door that proves trust comes last: who went through another one before is known by then.
ORDER: Final = (CanaryKind.NEGATIVE, CanaryKind.NAME, CanaryKind.TRUST)

CARELESS: Final = {
    CanaryKind.NEGATIVE: "it accepted a certificate of a CA that nobody trusts: it does not verify the agent",
    CanaryKind.NAME: "it accepted a certificate for another name: it does not compare the agent's name",
}
NONCE_DIGITS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryTask:
    """What a client is asked to do: dial each door, with the trust that it uses every day, and hand in the nonce.

    `rehearsal_root_pem` is believed at these doors only and stored nowhere; "" in a real rotation.
    """

    rotation_id: str
    port: int
    nonce: str
    rehearsal_root_pem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryResult:
    """How one door was found: `opened`, or why it was left alone."""

    kind: CanaryKind
    opened: bool
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryReport:
    """What a client says of its last round at the doors; a claim, beside what the doors themselves have seen."""

    rotation_id: str
    results: tuple[CanaryResult, ...]

    def find(self, kind: CanaryKind) -> CanaryResult | None:
        """The result of one door, if it was tried."""
        return next((result for result in self.results if result.kind is kind), None)

    @property
    def is_careful(self) -> bool:
        """Tell whether it says that it left alone both doors that nobody should pass."""
        tried = {result.kind for result in self.results}
        opened = {result.kind for result in self.results if result.opened}
        return tried >= CARELESS.keys() and not opened & CARELESS.keys()
