"""What `update certificates` means: which kinds of client, in which order, and what each of them needs.

The two cmdlets behind it take one action for all (domain.md 6.1, 6.2); here each client gets the least that puts it
right: a token, a certificate, both, or a repair. Refusals of the single actions are `backend.core.planrules`'; dates,
routes and the hash are `backend.core.plan`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.core.evidence import Evidence
from backend.core.facts import Assessment, Overlay
from backend.core.model import ClientKind
from backend.core.planrules import BROKEN, NOT_DUE, ActionKind, Verdict, judge
from backend.core.reasons import at, end_of

# The order of domain.md 6.1 and 16.6-2: node agents first, because everything else runs on their hosts.
MANAGEMENT_KINDS: Final = (
    ClientKind.NODE_AGENT,
    ClientKind.KVA,
    ClientKind.KMS,
    ClientKind.CLOUD_OPERATOR,
    ClientKind.CSI,
    ClientKind.CERT_MANAGER,
    ClientKind.CAPH,
    ClientKind.CLOUD_PROVIDER,
)
# KMS first: without it the cluster's API server does not come back, and nothing can be delivered through it (16.6-4).
CLUSTER_KINDS: Final = (
    ClientKind.KMS,
    ClientKind.CSI,
    ClientKind.CERT_MANAGER,
    ClientKind.CLOUD_PROVIDER,
    ClientKind.LB_AGENT,
)
LEFT_ALONE: Final = Verdict(
    runs=False, why="left alone: load balancer agents, active and passive, are updated with --patch-load-balancer only"
)
# Forcing means regardless of expiry and of nothing else: what is issued now is worth nothing to a clock a day behind.
CLOCK_OFF: Final = Verdict(
    runs=False,
    why="refused: its clock is off by more than five minutes; fix the clock first, then update it (--force does not "
    "lift this)",
)
SHUT_OUT: Final = Verdict(runs=False, why="left alone: its identity is revoked; a new identity would let it in")
KUBELET: Final = (
    "Certificates of control plane and kubelets are made and renewed inside the cluster, out of this agent's reach: "
    "they stay as they are. x509 errors inside the cluster need -fixKubeletCredentials on a host, and before this."
)
_RANK: Final = {kind: rank for rank, kind in enumerate((*MANAGEMENT_KINDS, ClientKind.LB_AGENT))}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateScope:
    """Whose certificates are updated: of the workload cluster `cluster`, or of management when it is empty."""

    cluster: str = ""
    patch_load_balancer: bool = False

    @property
    def is_management(self) -> bool:
        """Tell whether it is `Update-AksHciCertificates` rather than `Update-AksHciClusterCertificates`."""
        return not self.cluster

    @property
    def kinds(self) -> tuple[ClientKind, ...]:
        """The kinds that belong to it, in the order in which they are updated."""
        return MANAGEMENT_KINDS if self.is_management else CLUSTER_KINDS

    @property
    def expected(self) -> tuple[ClientKind, ...]:
        """The kinds of which at least one client is expected."""
        if self.is_management or self.patch_load_balancer:
            return self.kinds
        return tuple(kind for kind in self.kinds if kind is not ClientKind.LB_AGENT)

    def has(self, kind: ClientKind, cluster: str, management: Collection[str]) -> bool:
        """Tell whether a client belongs to it; `management` names the management clusters.

        A node agent belongs to its host and so to management, wherever it is listed; so does a client of no cluster.
        """
        if kind not in self.kinds:
            return False
        if not self.is_management:
            return cluster == self.cluster
        return kind is ClientKind.NODE_AGENT or not cluster or cluster in management


def rank_of(kind: ClientKind) -> int:
    """Return a kind's place in the order of an update; those that are no part of one come last."""
    return _RANK.get(kind, len(_RANK))


def must_wait(kind: ClientKind, under_way: Collection[ClientKind]) -> bool:
    """Tell whether a client has to wait for others that are under way (domain.md 16.6-2, 16.6-5).

    Node agents are finished before anything else begins, a cluster's own clients before its load balancers, and there
    is one KMS at a time: it stands for a control plane node.
    """
    if any(_stage(other) < _stage(kind) for other in under_way):
        return True
    return kind is ClientKind.KMS and kind in under_way


def _stage(kind: ClientKind) -> int:
    if kind is ClientKind.NODE_AGENT:
        return 0
    return 2 if kind is ClientKind.LB_AGENT else 1


def planned_off(until: datetime) -> Verdict:
    """Leave a client alone that is off on purpose; a reason lifts it."""
    return Verdict(runs=False, why=f"left alone: it is planned off until {at(until)}", forced_by_reason=True)


def management_first(broken: Sequence[str]) -> Verdict | None:
    """Refuse a workload cluster while clients that it depends on cannot get in; None when there are none.

    A reason lifts it, because a host that is gone for good must not stand in the way for ever.
    """
    if not broken:
        return None
    names = ", ".join(broken[:3]) + (f" and {len(broken) - 3} more" if len(broken) > 3 else "")
    return Verdict(
        runs=False,
        why=f"refused: management comes before any workload cluster, and {names} cannot get in; "
        "run `mocdeck update certificates` first",
        forced_by_reason=True,
    )


def judge_update(e: Evidence, found: Assessment, *, can_be_told: bool, can_issue: bool, force: bool = False) -> Verdict:
    """Decide what one client needs; `parts` of the verdict says it in the order in which it is done.

    `can_be_told`: it is alive, takes orders with its heartbeats and can store a token. The token comes first, while the
    certificate that carries it still works. A client that cannot be told gets a login file and signs in, which renews
    both.
    """
    if Overlay.ORPHAN in found.overlays:
        return Verdict(runs=False, why="refused: nothing owns it any more; remove the identity instead")
    if Overlay.UNCERTAIN in found.overlays:
        return CLOCK_OFF
    rotate, renew, repair = (
        judge(action, e, found, can_be_told=can_be_told, can_issue=can_issue)
        for action in (ActionKind.ROTATE_TOKEN, ActionKind.RENEW, ActionKind.REPAIR)
    )
    if found.state in BROKEN:
        return _repaired(repair, force=force)
    wants_token = rotate.runs or (force and rotate.forced_by_reason)
    wants_certificate = renew.runs or (force and renew.forced_by_reason)
    itself = ""
    if wants_certificate and not can_be_told and not force and _renews_itself(e):
        wants_certificate, itself = False, "it renews by itself, and sends no heartbeats with which to tell it to"
    if not wants_token and not wants_certificate:
        why = itself or _left_alone(e, rotate, renew)
        return Verdict(runs=False, why=why, forced_by_reason=rotate.forced_by_reason or renew.forced_by_reason)
    why = _why(e, rotate, renew if wants_certificate else None) + (f"; {itself}" if itself else "")
    if not can_be_told:
        why += "; it cannot be told, so it gets a login file and signs in"
        return Verdict(runs=True, why=why, parts=(ActionKind.REPAIR,))
    parts = (ActionKind.ROTATE_TOKEN,) * wants_token + (ActionKind.RENEW,) * wants_certificate
    return Verdict(runs=True, why=why, parts=parts)


def _repaired(repair: Verdict, *, force: bool) -> Verdict:
    if repair.runs:
        return Verdict(runs=True, why=repair.why, parts=(ActionKind.REPAIR,))
    if force and repair.forced_by_reason:
        why = f"forced, although {repair.why.removeprefix('refused: ')}"
        return Verdict(runs=True, why=why, parts=(ActionKind.REPAIR,))
    return repair


def _renews_itself(e: Evidence) -> bool:
    return e.facts.auto_renew is True and not e.late and not e.slot_missed


def _left_alone(e: Evidence, rotate: Verdict, renew: Verdict) -> str:
    if rotate.why == NOT_DUE and not e.due and e.authority_is_the_problem:
        return f"{NOT_DUE}; its CA ends first, at {end_of(e)}, which only a CA rotation moves"
    return renew.why if renew.why != NOT_DUE else rotate.why


def _why(e: Evidence, rotate: Verdict, renew: Verdict | None) -> str:
    """Say what is due; what is not, and goes along only because it was forced; and what stays unsolved."""
    said = [rotate.why.removeprefix("due: ")] if rotate.runs else []
    if renew is not None and renew.runs:
        said.append(f"its certificate ends at {end_of(e)}")
    if said:
        why = ("due: " if rotate.why.startswith("due: ") or not rotate.runs else "") + "; ".join(said)
    else:
        forced = rotate if renew is None or renew.why == NOT_DUE else renew
        why = f"forced, although {forced.why.removeprefix('refused: ')}"
    if e.authority_is_the_problem:
        why += f"; not fixed: its CA ends at {end_of(e)}, which only a CA rotation moves"
    return why
