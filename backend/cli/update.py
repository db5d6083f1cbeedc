"""`mocdeck update certificates | cluster-certificates`: the two cmdlets' work, planned, ordered and seen to be true.

Owns what the two commands take from the command line; which clients they mean and what each needs is the agent's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backend.cli.act import OUT, OVERLAP, Wish, act, plan_options
from backend.cli.console import say
from backend.cli.exits import Exit

if TYPE_CHECKING:
    from backend.client.operator import Operator
    from backend.core.update import UpdateScope
    from backend.wire.mocdeck.v1.operation_pb2 import Plan

_NO_HAND = (
    "refused: certificates of control plane and kubelets (-fixKubeletCredentials) are made inside the cluster, and "
    "this agent has no hand on them; run Update-AksHciClusterCertificates -fixKubeletCredentials on a host, fetch new "
    "kubeconfigs with Get-AksHciCredential, then come back with --fix-cloud-credentials. Nothing was changed"
)


@click.group("update")
def command() -> None:
    """Update tokens and certificates: each client gets what it needs, and nothing that is not due.

    Update-AksHciCertificates and Update-AksHciClusterCertificates are the cmdlets whose work the two commands do.
    """


@command.command("certificates")
@plan_options
@OVERLAP
@OUT
@click.pass_context
def certificates(ctx: click.Context, /, **options: Any) -> None:
    """Update-AksHciCertificates: bring the clients of the management cluster up to date.

    Node agents first, then KVA, KMS, CloudOperator, CSI, CertManager, CAPH and CloudProvider. Each gets a fresh token,
    a new certificate, both, or a repair; it is done when the client was seen to use it. What is not due is left alone
    unless --force says so.
    """
    from backend.core.update import UpdateScope

    _update(ctx, UpdateScope(), Wish(**options))


@command.command("cluster-certificates")
@click.argument("name")
@click.option("--fix-cloud-credentials", is_flag=True, help="Update the cluster's clients of the cloud agent.")
@click.option("--patch-load-balancer", is_flag=True, help="Its load balancer agents too, the passive ones as well.")
@click.option("--fix-kubelet-credentials", is_flag=True, help="Refused: not in this agent's hands.")
@plan_options
@OVERLAP
@OUT
@click.pass_context
def cluster_certificates(
    ctx: click.Context,
    /,
    name: str,
    fix_cloud_credentials: bool,
    patch_load_balancer: bool,
    fix_kubelet_credentials: bool,
    **options: Any,
) -> None:
    """Update-AksHciClusterCertificates: bring the clients of one workload cluster up to date.

    With --fix-cloud-credentials KMS, CSI, CertManager and CloudProvider, with --patch-load-balancer the load balancer
    agents too. The management cluster comes first: see `mocdeck update certificates`.
    """
    if fix_cloud_credentials and fix_kubelet_credentials:
        raise click.UsageError("--fix-cloud-credentials and --fix-kubelet-credentials are two runs; give one.", ctx)
    if not name.strip():
        raise click.UsageError("the cluster has to be named; an empty name does not mean all of them.", ctx)
    if fix_kubelet_credentials:
        say(_NO_HAND)
        ctx.exit(int(Exit.REFUSED))
    if not fix_cloud_credentials:
        raise click.UsageError("say what to update: --fix-cloud-credentials [--patch-load-balancer].", ctx)
    from backend.core.update import UpdateScope

    _update(ctx, UpdateScope(cluster=name, patch_load_balancer=patch_load_balancer), Wish(**options))


def _update(ctx: click.Context, scope: UpdateScope, wish: Wish) -> None:
    async def ask_for_plan(operator: Operator) -> Plan:
        from backend.core.planrules import ActionKind

        return await operator.plan(
            ActionKind.UPDATE,
            (),
            force=wish.force,
            reason=wish.reason,
            overlap=wish.overlap,
            parallel=wish.parallel,
            max_failures=wish.max_failures,
            update=scope,
        )

    act(ctx, ask_for_plan, wish, all_named=True)
