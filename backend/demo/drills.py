"""The pains that operators reported (domain.md 13, P1 to P19), each as a small site in its bad state and the way out.

A drill is a table row: who lives there, which command lines put it right, and what every client has to be afterwards.
What cannot be true at this agent has no site; it is explained instead, with the document or command that helps. The
sites themselves are in `backend.demo.drillsites`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from backend.core.errors import NotFound
from backend.core.facts import State
from backend.demo.stories import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command line of a recipe. `code` is the exit code it ends with; `why` what it is for.

    A line may name `{clients}`, the directory with one folder a client, and for an agent that is away `{agent}`,
    `{passphrase}`, `{data}` and `{login}`. One that ends in `&` goes on running, as a service would.
    """

    line: str
    why: str
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One pain. `ends` names clients that end in another state than OK; None: the client is gone."""

    id: str
    title: str
    symptom: str
    stories: tuple[Story, ...]
    recipe: tuple[Step, ...]
    ends: Mapping[str, State | None] = field(default_factory=dict)
    agent_is_away: bool = False

    def lines(self, places: Mapping[str, str]) -> list[str]:
        """The recipe for this computer, a comment before each line."""
        found = []
        for step in self.recipe:
            code = f" (exit {step.code})" if step.code else ""
            found += [f"# {step.why}{code}", step.line.format_map(places)]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A pain that this agent cannot show. `why` is one paragraph: what it is, why not here, and what helps."""

    id: str
    title: str
    why: str


EXPLAINED: Final = (
    Explanation(
        id="P1",
        title="a cluster was off for more than four days",
        why=(
            "The leaves of the control plane live about four days and are renewed inside the cluster, so a cluster "
            "that was off for longer comes back with 'x509: certificate has expired or is not yet valid'. This agent "
            "neither issues nor sees those leaves, so it cannot put a site into that state. On a host run Update- "
            "AksHciClusterCertificates -fixKubeletCredentials, fetch new kubeconfigs with Get-AksHciCredential, and "
            "then `mocdeck update cluster-certificates NAME --fix-cloud-credentials`. Before switching off, `mocdeck "
            "forecast safe-off` tells how long this agent's clients can be away; drill P18 shows the return."
        ),
    ),
    Explanation(
        id="P9",
        title="renewal pods crash-loop after an upgrade",
        why=(
            "The pods certificate-renewal-* renew the leaves inside a cluster, and crash-loop when a definition file "
            "is missing on the workers. They run in Kubernetes and report nothing to this agent, so it can neither "
            "break nor watch them. Look at them with `kubectl get pods -A`, and at the vendor's known issues for "
            "upgrades; the time that is left is the shortest leaf, four days at most. What this agent does see is a "
            "client of its own that stopped renewing: drill P12."
        ),
    ),
    Explanation(
        id="P10",
        title="kubectl logs: you must be logged in",
        why=(
            "After a rotation the API server goes on using the kubelet client certificate that it has in memory. That "
            "certificate is Kubernetes' own; this agent did not issue it and sees no handshake with it. Restart the "
            "API server's container, or try until it has reloaded, and fetch a new kubeconfig. The same question "
            "about this agent's clients, whether what is stored is also in use, is drill P19 and the last line of "
            "every operation."
        ),
    ),
)


def find_explanation(name: str) -> Explanation | None:
    """Return why a pain cannot be shown; None when it can be, or is not known."""
    return next((one for one in EXPLAINED if one.id == name.upper()), None)


def get_drill(name: str) -> Drill:
    """Return a drill by its name, in either case.

    Raises:
        NotFound: there is none of that name.
    """
    from backend.demo.drillsites import DRILLS

    for drill in DRILLS:
        if drill.id == name.upper():
            return drill
    raise NotFound(f"there is no drill {name!r}; `mocdeck demo --drill list` names them")


def overview() -> str:
    """All pains in their order, one a line, with what kind of answer there is."""
    from backend.demo.drillsites import DRILLS

    found = {drill.id: ("drill", drill.title) for drill in DRILLS}
    found |= {one.id: ("explained", one.title) for one in EXPLAINED}
    return "\n".join(f"{name:<4} {kind:<10} {title}" for name, (kind, title) in sorted(found.items(), key=_number))


def _number(item: tuple[str, tuple[str, str]]) -> int:
    return int(item[0].removeprefix("P"))
