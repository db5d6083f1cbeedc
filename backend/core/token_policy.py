"""Whose tokens the agent rotates by itself: by the identity's own flag, by the site's policy, or nobody's.

Pure: rules and the one function that reads them. Where the rules are kept is `backend.service.token_file`'s; when a
token is due and how the new one gets there is `backend.service.auto_rotation`'s. The flag `autoRotate` is part of MOC's
identity and always counts (domain.md S6); the policy adds to it and never takes from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from backend.core.model import ClientKind


class RotatedBy(Enum):
    """Why the agent rotates a client's token of its own accord, or that it does not."""

    FLAG = "flag"  # the identity says so itself
    POLICY = "policy"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRule:
    """One rule; empty sets fit everybody. `overlap` None: the agent's own; `rotates` False: leave to a person."""

    name: str
    kinds: frozenset[ClientKind] = frozenset()
    clusters: frozenset[str] = frozenset()
    identities: frozenset[str] = frozenset()
    rotates: bool = True
    overlap: timedelta | None = None

    def fits(self, kind: ClientKind, cluster: str, name: str) -> bool:
        """Tell whether the rule is about a client: all that it names has to fit."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.clusters or cluster in self.clusters)
            and (not self.identities or name in self.identities)
        )

    @property
    def words(self) -> str:
        """Whom it is about, in words."""
        parts = [
            f"{word} {', '.join(sorted(values))}"
            for word, values in (
                ("kind", {kind.value for kind in self.kinds}),
                ("cluster", self.clusters),
                ("identity", self.identities),
            )
            if values
        ]
        return "; ".join(parts) or "all clients"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """The rules in their order: the first that fits a client counts. No rule fits: only the flag does."""

    rules: Sequence[TokenRule] = ()

    def rule_for(self, kind: ClientKind, cluster: str, name: str) -> TokenRule | None:
        """Return the rule that counts for a client."""
        return next((rule for rule in self.rules if rule.fits(kind, cluster, name)), None)

    def rotated_by(
        self, kind: ClientKind, cluster: str, name: str, *, has_flag: bool, is_orphan: bool = False
    ) -> RotatedBy:
        """Say who rotates a client's token; what nobody owns any more is no part of a policy."""
        if has_flag:
            return RotatedBy.FLAG
        rule = self.rule_for(kind, cluster, name)
        return RotatedBy.POLICY if rule is not None and rule.rotates and not is_orphan else RotatedBy.NOBODY

    def overlap_for(self, kind: ClientKind, cluster: str, name: str) -> timedelta | None:
        """How long the old token lives on beside a new one that the agent made by itself; None: the agent's own."""
        rule = self.rule_for(kind, cluster, name)
        return None if rule is None or not rule.rotates else rule.overlap
