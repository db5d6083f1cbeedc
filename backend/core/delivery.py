"""Where a login file can be put so that its client reads it, and what was found when somebody looked at that place.

Owns the words of delivery: a place in a Kubernetes Secret, a route with its place, the state of a route, and the order
in which routes are preferred. Looking at a place is the server's work, with `backend.delivery`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Self

from backend.core.errors import AgentError, InvalidInput
from backend.core.model import ClientKind

TAG_SECRET: Final = "mocdeck.secret"  # noqa: S105 - a tag; NAMESPACE/NAME/KEY, in place of delivery.yaml's
LOOKED_FOR: Final = timedelta(minutes=1)  # for so long a plan counts on what was found
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")


class ReachState(Enum):
    """What a look at a place found; all but READY mean that nothing can be put there now."""

    READY = "ready"
    FOREIGN = "foreign"  # something else than this client's login file lies there
    CONFLICT = "conflict"  # another program manages the key
    MISSING = "missing"  # the directory, namespace or kubeconfig is not there
    FORBIDDEN = "forbidden"
    DOWN = "down"  # nobody answers, or the server cannot serve Secrets
    UNTRUSTED = "untrusted"  # TLS: the other end is not who it should be, or does not accept us
    LATE = "late"  # no answer in time
    REFUSED = "refused"
    UNUSABLE = "unusable"  # what delivery.yaml or the kubeconfig says cannot be used
    UNKNOWN = "unknown"  # nobody has looked yet


class DeliveryRefused(AgentError):
    """A login file could not be put in its place; `state` says in one word why, the text in a sentence."""

    reason = "delivery_refused"
    moc_code = 24  # InconsistentState

    def __init__(self, state: ReachState, sentence: str) -> None:
        super().__init__(sentence)
        self.state = state


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPlace:
    """One key of one Secret (RFC 1123 names; a key as Kubernetes has it)."""

    namespace: str
    name: str
    key: str

    def __post_init__(self) -> None:
        fits = _LABEL.fullmatch(self.namespace) and _NAME.fullmatch(self.name) and _KEY.fullmatch(self.key)
        if not fits or self.key in {".", ".."} or self.key.startswith(".."):
            raise InvalidInput("a Secret's place is NAMESPACE/NAME/KEY, as in default/caphlogintoken/value")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAMESPACE/NAME/KEY`; raise `InvalidInput`."""
        parts = text.split("/")
        if len(parts) != 3:
            raise InvalidInput("a Secret's place is NAMESPACE/NAME/KEY, as in default/caphlogintoken/value")
        return cls(namespace=parts[0], name=parts[1], key=parts[2])

    def __str__(self) -> str:
        """As it is written in delivery.yaml and in the tag."""
        return f"{self.namespace}/{self.name}/{self.key}"


# Only what is public: CAPH's source names its Secret; the other clients are closed (moc/protocol.md 8.1, 8.2).
KNOWN_SECRETS: Final = {ClientKind.CAPH: SecretPlace(namespace="default", name="caphlogintoken", key="value")}


class Route(Enum):
    """How an action reaches its client."""

    HEARTBEAT = "heartbeat"  # an order, and a token, with the answer to its next heartbeat
    KUBERNETES = "kubernetes"  # the agent applies a Secret that its pod reads
    FILE = "file"  # the agent writes a fresh login file to its path
    MANUAL = "manual"  # a person carries the login file
    ITSELF = "itself"  # it acts without being told
    NONE = ""  # it is not reached, because nothing runs


DELIVERED: Final = frozenset({Route.KUBERNETES, Route.FILE, Route.MANUAL})  # those that carry a login file


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one client's login file goes: a path for FILE, `cluster` and NAMESPACE/NAME/KEY for KUBERNETES."""

    route: Route
    where: str
    cluster: str = ""

    def __str__(self) -> str:
        """In an operator's words."""
        if self.route is Route.KUBERNETES:
            return f"Secret {self.where} in {self.cluster}"
        return self.where


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A place, and what the last look at it found and when; None: nobody has looked."""

    place: Place
    state: ReachState = ReachState.UNKNOWN
    sentence: str = "not looked at yet"
    looked_at: datetime | None = None

    @property
    def is_ready(self) -> bool:
        """Tell whether a plan may count on it."""
        return self.state is ReachState.READY

    def said(self) -> str:
        """State and sentence of the last look, as a plan shows them."""
        at = "" if self.looked_at is None else f", looked at {self.looked_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.place}: {self.sentence}{at}"


def first_ready(ways: Sequence[Way]) -> Way | None:
    """Return the way to take, by the fixed order Secret, then file; None: somebody must carry the file.

    A path at which nobody has looked is counted on, because writing there says at once what is wrong with it.
    """
    ranked = sorted(ways, key=lambda way: way.place.route is not Route.KUBERNETES)
    return next((way for way in ranked if way.is_ready or _is_untried_path(way)), None)


def _is_untried_path(way: Way) -> bool:
    return way.place.route is Route.FILE and way.state is ReachState.UNKNOWN


def why_this_way(route: Route, ways: Sequence[Way]) -> str:
    """Say which way is taken and what was wrong with the others; "" where nothing had to be looked at."""
    if route not in DELIVERED:
        return ""
    taken = [way for way in ways if way.place.route is route]
    before = [way for way in ways if way.place.route is not route and not way.is_ready]
    return "; ".join(way.said() for way in (*taken, *before))
