"""The messages that operators of such a site meet, and what each one is about (domain.md, section 14).

A table and nothing else: `backend.core.diagnosis` finds the rows that fit a text. An entry is about a message, not
about a client; `look` is the command or filter that shows whether the site agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailment:
    """One kind of message. `said` are ways in which it is worded: all pieces of one way must stand near each other.

    `hints` are words around it that speak for this row when several fit. `avoid` "" where no wrong step is known.
    """

    id: str
    said: tuple[tuple[str, ...], ...]
    where: str
    meaning: str
    action: str
    look: str
    avoid: str = ""
    hints: tuple[str, ...] = ()


AILMENTS: Final[tuple[Ailment, ...]] = (
    Ailment(
        id="admin_certificate_expired",
        said=(("Certificate has expired: Expired",),),
        hints=("mocctl", "moclogin", "Get-Moc", "Repair-MocLogin"),
        where="mocctl and the MOC cmdlets",
        meaning=(
            "The administrator's certificate on this host has ended; the cluster's own certificates are another matter."
        ),
        action="Sign the administrator in again: Repair-MocLogin; here: mocdeck login --login-file FILE.",
        look="mocdeck status --filter kind:mocctl",
        avoid="Do not renew certificates of clusters for it.",
    ),
    Ailment(
        id="kvactl_certificate_expired",
        said=(("certificate has expired",), ("Certificate has expired: Expired",)),
        hints=("kvactl", "Get-AksHci", "AksHci"),
        where="kvactl",
        meaning=(
            "The kvactl certificate of this user on this host has ended; each user and each host has one of its own."
        ),
        action="Sign this user in again on this host; mocdeck repair NAME makes the login file for it.",
        look="mocdeck status --filter kind:kvactl",
        avoid="Do not start with other hosts: theirs are other certificates.",
    ),
    Ailment(
        id="token_not_valid",
        said=(("Valid Token Required",), ("token is expired",), ("invalid token",)),
        hints=("login", "identity", "unauthenticated"),
        where="any client that signs in",
        meaning="The identity token has expired, was rotated away, or the login file holds none.",
        action=(
            "Give the client a new token and bring it there: mocdeck rotate-token NAME, or mocdeck repair NAME if "
            "it is out."
        ),
        look="mocdeck status --filter 'token<1d'",
        avoid="Do not renew the certificate: a renewal needs no token, and a sign-in needs a good one.",
    ),
    Ailment(
        id="leaf_expired_or_clock",
        said=(
            ("x509: certificate has expired or is not yet valid",),
            ("x509: certificate has expired or is not yet valid", "is after"),
            ("Unable to connect to the server", "certificate has expired"),
        ),
        hints=("kubectl", "kubeconfig", "kubelet", "6443"),
        where="kubectl and whatever dials an API server",
        meaning=(
            "The server's or the client's certificate has ended, or one of the two clocks is wrong. The text does "
            "not tell which."
        ),
        action=(
            "Compare both clocks first. If they differ, put time right. If not: "
            "Update-AksHciClusterCertificates -fixKubeletCredentials, then fetch a new kubeconfig."
        ),
        look="mocdeck forecast skew",
        avoid="Do not rotate the CA for it.",
    ),
    Ailment(
        id="authority_unknown",
        said=(
            ("signed by unknown authority",),
            ("certificate signed by unknown authority",),
            ("unable to get local issuer certificate",),
            ("self-signed certificate in certificate chain",),
        ),
        hints=("x509", "tls", "wssdagent", "wssdcloudagent"),
        where="any client",
        meaning=(
            "Client and agent trust different CAs: the login file is from before a CA rotation, belongs to "
            "somebody else, or cannot be read."
        ),
        action=(
            "Compare the CA's fingerprint with the one in the client's file, then bring a fresh login file and "
            "sign in: mocdeck repair NAME."
        ),
        look="mocdeck rotate-ca status",
        avoid="Do not renew: a renewal keeps the old trust.",
    ),
    Ailment(
        id="node_agents_out",
        said=(("doesn't expose any nodes",), ("does not expose any nodes",), ("OutOfCapacity",)),
        hints=("location", "create", "scale", "node"),
        where="creating or scaling a cluster",
        meaning="No node agent is signed in to the cloud agent, so there is no host to place a machine on.",
        action="Bring the node agents back: Repair-Moc; here: mocdeck repair with the node agents' names.",
        look="mocdeck status --filter kind:nodeagent",
        avoid="Do not add capacity: the hosts are there, they are not signed in.",
    ),
    Ailment(
        id="caph_out",
        said=(
            ("ControlPlane machines are still upgrading",),
            ("control plane machines are still upgrading",),
        ),
        hints=("upgrade", "Update-AksHci", "caph"),
        where="an update of a cluster",
        meaning=(
            "The machine provider (CAPH) of the management cluster is not signed in, so nobody makes the new machines."
        ),
        action="Look at the management cluster's clients and repair CAPH: mocdeck repair NAME.",
        look="mocdeck status --filter kind:caph",
        avoid="Do not wait for it: it does not come back by itself.",
    ),
    Ailment(
        id="kms_plugin_down",
        said=(("kmsPlugin.sock", "no such file"), ("kmsPlugin.sock", "connection refused"), ("kmsPlugin.sock",)),
        hints=("kube-apiserver", "encryption", "kms"),
        where="the API server's log",
        meaning="The KMS plug-in is not running: it was restarted while its token had expired, so it cannot sign in.",
        action="Repair KMS from outside the cluster: mocdeck repair NAME writes its login file there.",
        look="mocdeck status --filter kind:kms",
        avoid="Do not restart the API server: without KMS it does not come up again.",
    ),
    Ailment(
        id="kms_cannot_decrypt",
        said=(("Internal error", "secret"), ("Internal error occurred",), ("Internal error",)),
        hints=("secrets", "kubectl", "envelope", "transformer", "decrypt"),
        where="kubectl, when only Secrets fail",
        meaning="If everything but Secrets answers, KMS cannot decrypt them: its certificate or its token has ended.",
        action="Look at the cluster's KMS client and follow its next step: mocdeck describe NAME.",
        look="mocdeck status --filter kind:kms",
    ),
    Ailment(
        id="kubelet_or_kubeconfig_stale",
        said=(("You must be logged in to the server",),),
        hints=("logs", "exec", "unauthorized", "kubectl"),
        where="kubectl, above all logs and exec",
        meaning=(
            "The API server still uses an old client certificate towards the kubelets, or this kubeconfig is stale."
        ),
        action="See which certificate is in use, restart what holds the old one, and fetch a new kubeconfig.",
        look="mocdeck describe NAME",
        avoid="Do not rotate again: the new one is there and not used.",
    ),
    Ailment(
        id="node_agent_starting",
        said=(("node agent", "Starting"), ("nodeagent", "Starting"), ("wssdagent", "Starting")),
        hints=("cluster role", "Get-ClusterGroup", "failover", "10 min"),
        where="the failover cluster, for more than ten minutes",
        meaning="The node agent cannot sign in: its token has expired, so its role never gets past Starting.",
        action="Repair it: Repair-Moc; here: mocdeck repair NAME.",
        look="mocdeck status --filter kind:nodeagent",
        avoid="Do not restart the host again and again: the token stays expired.",
    ),
    Ailment(
        id="renewal_engine_down",
        said=(("certificate-renewal-", "CrashLoopBackOff"), ("certificate-renewal-",)),
        hints=("kube-system", "pod", "BackOff"),
        where="pods of a cluster",
        meaning=(
            "Nothing renews there any more. The next certificate to end is the time that is left, often four days "
            "or less."
        ),
        action="Find the earliest end and repair what the engine needs before it.",
        look="mocdeck forecast stranded",
        avoid="Do not leave it because the pods still run: they run until the first end.",
    ),
    Ailment(
        id="not_yet_valid",
        said=(
            ("not yet valid",),
            ("certificate is not valid until",),
            ("notBefore", "future"),
            ("x509: certificate has expired or is not yet valid", "is before"),
        ),
        hints=("current time", "clock", "skew"),
        where="any client",
        meaning=(
            "A certificate begins in the future of whoever reads it: the clock of the client or of the agent is wrong."
        ),
        action="Compare the clocks and put the wrong one right; the certificate is good.",
        look="mocdeck forecast skew",
        avoid="Do not renew, and do not call it expired.",
    ),
    Ailment(
        id="agent_unreachable",
        said=(
            *(("deadline exceeded",), ("context deadline exceeded",), ("unavailable",), ("code = Unavailable",)),
            *(("connection refused",), ("no route to host",), ("i/o timeout",)),
        ),
        hints=("rpc error", "55000", "65000", "dial tcp", "cloudagent"),
        where="any client",
        meaning="The cloud agent does not answer. What is known of its clients is only the last word about them.",
        action="See whether the agent runs and whether both ports, 55000 and 65000, can be reached from here.",
        look="mocdeck status",
        avoid="Do not take the last values for the present ones.",
    ),
    Ailment(
        id="versions_differ",
        said=(("unknown flag",), ("unknown shorthand flag",)),
        hints=("cmdlet", "Repair-", "mocctl", "kvactl"),
        where="a repair cmdlet on a host",
        meaning="The PowerShell module and the tool that it calls are of different versions.",
        action="Open a new shell, compare the versions of module and tool, and install those that belong together.",
        look="mocdeck --version",
        avoid="Do not try the same again: it fails in the same way.",
    ),
)
