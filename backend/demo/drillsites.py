"""The sites of the drills: a handful of clients each, in the bad state, with the recipe that ends it.

A table and nothing else. A test carries out each recipe on the running site and looks at the end.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from backend.core.facts import Overlay, Severity, State
from backend.core.model import ClientKind
from backend.demo.cast import PLANNED_OFF, REMOVED
from backend.demo.drills import Drill, Step
from backend.demo.stories import DAY, MINUTE, Living, Story

_HOUR: Final = timedelta(hours=1)


def _fine(name: str, kind: ClientKind, **changes: object) -> Story:
    """A client that runs and has nothing to report."""
    story = Story(name=name, kind=kind, expect=State.OK, severity=Severity.OK, living=Living())
    return replace(story, **changes)  # type: ignore[arg-type] # the fields of a story


def _bad(name: str, kind: ClientKind, expect: State, **changes: object) -> Story:
    """A client that runs, and is what the drill is about."""
    return replace(_fine(name, kind, expect=expect, severity=Severity.EXPIRED), **changes)  # type: ignore[arg-type] # likewise


def _idle(name: str, kind: ClientKind, expect: State, **changes: object) -> Story:
    """A client whose files lie here and whose program does not run."""
    return replace(_bad(name, kind, expect, living=None, at_rest=True, last_call=6 * DAY), **changes)  # type: ignore[arg-type] # likewise


def _locked(name: str, kind: ClientKind, **changes: object) -> Story:
    """A client that runs, with both certificate and token ended; it waits for a login file."""
    locked: dict[str, object] = {"certificate_left": -3 * DAY, "token_left": -5 * DAY, "last_call": 4 * DAY}
    return _bad(name, kind, State.LOCKED_OUT, **(locked | changes))


def _files(*names: str) -> str:
    """Login files and cloudconfigs of clients, as options."""
    each = "--login-file {{clients}}/{name}/login.yaml --config {{clients}}/{name}/cloudconfig"
    return " ".join(each.format(name=name) for name in names)


def _carried(name: str) -> str:
    """The option that puts a login file where its client reads it: the carrying by hand."""
    return f"--out {{clients}}/{name}/login.yaml"


_KVA: Final = _fine("mgmt-kva", ClientKind.KVA)
_SOON: Final = "--timeout 45s"

_P2: Final = Drill(
    id="P2",
    title="an administrator's tool was not used for 60 days",
    symptom="mocctl says 'Certificate has expired: Expired': its certificate is renewed only when the tool is used.",
    stories=(
        _KVA,
        _fine("mocctl-ben-h1", ClientKind.MOCCTL, host="host-01", owner="ben", lifetime=60 * DAY),
        _idle(
            "mocctl-ana-h1", ClientKind.MOCCTL, State.REPAIRABLE,
            host="host-01", owner="ana", lifetime=60 * DAY, certificate_left=-2 * DAY, token_left=31 * DAY,
        ),
    ),
    recipe=(
        Step(line="mocdeck status --filter mocctl", why="one row for each user and host names the one", code=2),
        Step(
            line=f"mocdeck client login {_files('mocctl-ana-h1')}",
            why="its token still signs in, on that host and as that user; `client run` in its place keeps it so",
        ),
    ),
)  # fmt: skip

_P3: Final = Drill(
    id="P3",
    title="the certificate of kvactl has ended, and nobody knows whose",
    symptom="Every cluster command fails for one user on one host; the others work, so the message misleads.",
    stories=(
        _KVA,
        _fine("kvactl-ben-h1", ClientKind.KVACTL, host="host-01", owner="ben", lifetime=60 * DAY),
        _fine("kvactl-ana-h3", ClientKind.KVACTL, host="host-03", owner="ana", lifetime=60 * DAY),
        _idle(
            "kvactl-ana-h1", ClientKind.KVACTL, State.LOCKED_OUT,
            host="host-01", owner="ana", lifetime=60 * DAY, certificate_left=-4 * DAY, token_left=-2 * DAY,
        ),
    ),
    recipe=(
        Step(line="mocdeck status --filter kvactl", why="user and host of the one that is locked out", code=2),
        Step(
            line=f"mocdeck identity login-file kvactl-ana-h1 --yes {_carried('kvactl-ana-h1')}",
            why="a login file with a fresh token, put where that user's tool reads it",
        ),
        Step(line=f"mocdeck client login {_files('kvactl-ana-h1')}", why="sign in there; no other host is touched"),
    ),
)  # fmt: skip

_P4: Final = Drill(
    id="P4",
    title="the certificate is fine and the token is dead",
    symptom="'Valid Token Required' at the next sign-in, while everything seems to work.",
    stories=(
        _KVA,
        _bad("shop-csi", ClientKind.CSI, State.LATENT, cluster="shop", certificate_left=46 * DAY, token_left=-4 * DAY),
    ),
    recipe=(
        Step(line="mocdeck status --state latent", why="two countdowns: the token's has ended", code=1),
        Step(line="mocdeck renew shop-csi --dry-run", why="renewing is refused: it does not help the token", code=5),
        Step(
            line=f"mocdeck rotate-token shop-csi --yes {_SOON}", why="over its heartbeat, while its certificate works"
        ),
    ),
)

_P5: Final = Drill(
    id="P5",
    title="KMS is locked out after a reboot",
    symptom="The API server does not start without its KMS plug-in, and the usual repair needs the API server.",
    stories=(
        _KVA,
        _locked("shop-kms", ClientKind.KMS, cluster="shop"),
        _bad("ledger-kms", ClientKind.KMS, State.LATENT, cluster="ledger", token_left=-6 * DAY),
    ),
    recipe=(
        Step(line="mocdeck forecast reboot", why="which KMS would not come back from the next reboot either", code=2),
        Step(
            line=f"mocdeck repair shop-kms --yes {_SOON} {_carried('shop-kms')}",
            why="out of band: the login file is carried to the control plane's own disk, and KMS signs in",
        ),
        Step(line=f"mocdeck rotate-token ledger-kms --yes {_SOON}", why="before that one reboots"),
        Step(line="mocdeck forecast reboot", why="now what restarts comes back"),
    ),
)

_P6: Final = Drill(
    id="P6",
    title="a node agent's token has ended",
    symptom="The host stays 'Starting'; or creating fails with 'doesn't expose any nodes' or OutOfCapacity.",
    stories=(
        _fine("host-01", ClientKind.NODE_AGENT, host="host-01"),
        _locked("host-02", ClientKind.NODE_AGENT, host="host-02", has_login_path=True),
        _bad("mgmt-kva", ClientKind.KVA, State.LATENT, token_left=-DAY),
    ),
    recipe=(
        Step(
            line="mocdeck status --filter nodeagent",
            why="capacity is not the cause: a node agent cannot get in",
            code=2,
        ),
        Step(line=f"mocdeck update certificates --yes {_SOON}", why="node agents first, then management"),
    ),
)

_P7: Final = Drill(
    id="P7",
    title="an upgrade hangs",
    symptom="'ControlPlane machines are still upgrading': CAPH cannot authenticate, and waiting does not help.",
    stories=(
        _KVA,
        _fine("host-01", ClientKind.NODE_AGENT, host="host-01"),
        _locked("mgmt-caph", ClientKind.CAPH, has_login_path=True),
    ),
    recipe=(
        Step(line="mocdeck forecast upgrade --duration 6h", why="readiness names CAPH", code=2),
        Step(line=f"mocdeck repair mgmt-caph --yes {_SOON}", why="a fresh login file at its path; it signs in"),
        Step(line="mocdeck forecast upgrade --duration 6h", why="everything lasts for the upgrade and its margin"),
    ),
)

_P8: Final = Drill(
    id="P8",
    title="signed by unknown authority, for one user only",
    symptom="A tool that was away during the last CA rotation trusts the old CA, and is trusted by nobody.",
    stories=(
        _KVA,
        _fine("mocctl-ben-h2", ClientKind.MOCCTL, host="host-02", owner="ben", lifetime=60 * DAY),
        _bad(
            "mocctl-ana-h2", ClientKind.MOCCTL, State.TRUST_BROKEN,
            host="host-02", owner="ana", lifetime=365 * DAY, certificate_left=165 * DAY, token_left=-110 * DAY,
            last_call=131 * DAY,
        ),
    ),
    recipe=(
        Step(line="mocdeck status --state trust-broken", why="not expired: its dates are fine", code=2),
        Step(line="mocdeck describe mocctl-ana-h2", why="its certificate is of CA g1, the agent issues with g2"),
        Step(line="mocdeck renew mocctl-ana-h2 --dry-run", why="renewing is refused", code=5),
        Step(
            line=f"mocdeck repair mocctl-ana-h2 --yes {_SOON} {_carried('mocctl-ana-h2')}",
            why="a login file with the present CA, carried there; it signs in",
        ),
    ),
)  # fmt: skip

_P11: Final = Drill(
    id="P11",
    title="the load balancers were forgotten",
    symptom="The cluster was updated and looks well; weeks later a new LoadBalancer service or a fail-over fails.",
    stories=(
        _KVA,
        _fine("shop-kms", ClientKind.KMS, cluster="shop"),
        _fine("shop-csi", ClientKind.CSI, cluster="shop"),
        _bad("shop-lb-1", ClientKind.LB_AGENT, State.LATENT, cluster="shop", token_left=-8 * DAY),
        _locked("shop-lb-2", ClientKind.LB_AGENT, cluster="shop", has_login_path=True),
    ),
    recipe=(
        Step(
            line="mocdeck update cluster-certificates shop --fix-cloud-credentials --dry-run",
            why="without the flag both load balancer agents are left alone, and the plan says so",
        ),
        Step(
            line="mocdeck update cluster-certificates shop --fix-cloud-credentials --patch-load-balancer "
            f"--yes {_SOON}",
            why="the active one over its heartbeat, the passive one by its login file",
        ),
    ),
)

_P12: Final = Drill(
    id="P12",
    title="automatic rotation failed silently",
    symptom="Rotation and renewal are automatic, and yet a token has ended and a renewal slot has passed.",
    stories=(
        _KVA,
        _idle("shop-kms", ClientKind.KMS, State.LATENT, cluster="shop", auto_rotate=True, token_left=-2 * DAY),
        _idle(
            "shop-csi", ClientKind.CSI, State.DUE, cluster="shop", overlays=frozenset({Overlay.MISSED_SLOT}),
            certificate_left=25 * DAY + 16 * _HOUR, beats_until=5 * _HOUR, last_call=None,
        ),
    ),
    recipe=(
        Step(line="mocdeck alerts list", why="both are listed: a token not rotated, a slot passed"),
        Step(
            line=f"mocdeck client run --interval 1s {_files('shop-kms', 'shop-csi')} &",
            why="the programs had stopped; started again, one renews by itself and the agent rotates the other's token",
        ),
    ),
)  # fmt: skip

_P13: Final = Drill(
    id="P13",
    title="one expiry hides another",
    symptom="The certificate that runs out is renewed, and the next update fails again: the token below it was dead.",
    stories=(
        _fine("host-01", ClientKind.NODE_AGENT, host="host-01"),
        _bad(
            "mgmt-kva", ClientKind.KVA, State.LATENT,
            certificate_left=11 * DAY, token_left=-9 * DAY, auto_renew=False, living=Living(renews_itself=False),
        ),
    ),
    recipe=(
        Step(line="mocdeck describe mgmt-kva", why="all layers at once: certificate and token, each with its own end"),
        Step(line="mocdeck renew mgmt-kva --dry-run", why="the plan says that renewing does not help its token"),
        Step(line=f"mocdeck update certificates --yes {_SOON}", why="the token first, then the certificate"),
    ),
)  # fmt: skip

_P14: Final = Drill(
    id="P14",
    title="nobody can see when anything ends",
    symptom="There is no list of the dates; the first sign of an end is that it has come.",
    stories=(
        _KVA,
        *(
            _bad(
                f"shop-{word}", kind, State.DUE,
                cluster="shop", certificate_left=left * DAY, auto_renew=False, living=Living(renews_itself=False),
            )
            for word, kind, left in (("csi", ClientKind.CSI, 12), ("certmgr", ClientKind.CERT_MANAGER, 10))
        ),
    ),
    recipe=(
        Step(line="mocdeck status --output csv --fail-within 14d", why="every date, for a sheet or a script", code=2),
        Step(line="mocdeck forecast away --for 14d", why="what ends while nobody looks", code=2),
        Step(line=f'mocdeck renew --filter "next:renew" --yes {_SOON}', why="what is due and can be told"),
        Step(line="mocdeck forecast away --for 14d", why="nothing ends in that time"),
    ),
)  # fmt: skip

_P15: Final = Drill(
    id="P15",
    title="the agent is down after a failed upgrade",
    symptom="Nothing can be renewed, and whatever was seen last is no longer certain.",
    agent_is_away=True,
    stories=(
        replace(_KVA, beats_until=MINUTE),
        _fine("shop-kms", ClientKind.KMS, cluster="shop", beats_until=MINUTE),
        _fine("shop-csi", ClientKind.CSI, cluster="shop", beats_until=MINUTE),
    ),
    recipe=(
        Step(line="mocdeck status", why="reachability first: nothing old is shown as if it were true", code=69),
        Step(
            line="mocdeck agent run --simulated --directory {agent} --passphrase-file {passphrase} "
            "--host 127.0.0.1 --port {data} --auth-port {login} &",
            why="bring it up; clients try again by themselves",
        ),
    ),
)

_P16: Final = Drill(
    id="P16",
    title="orphans and empty identities",
    symptom="A cluster is gone and its identity is not; a host has an identity without a token.",
    stories=(
        _KVA,
        _bad(
            "pilot-csi", ClientKind.CSI, State.OK,
            cluster=REMOVED, living=None, last_call=16 * DAY, overlays=frozenset({Overlay.ORPHAN}),
            severity=Severity.INFO,
        ),
        _bad(
            "host-03", ClientKind.NODE_AGENT, State.EMPTY,
            host="host-03", unminted="none", certificate_left=None, created_ago=DAY, auto_renew=None,
        ),
    ),
    recipe=(
        Step(line="mocdeck status --severity expired", why="neither of them counts as expired"),
        Step(line="mocdeck identity delete pilot-csi --yes", why="its owner is gone for good"),
        Step(
            line=f"mocdeck repair host-03 --yes {_SOON} {_carried('host-03')}",
            why="a token, carried to the host; its node agent signs in",
        ),
    ),
    ends={"pilot-csi": None},
)  # fmt: skip

_P17: Final = Drill(
    id="P17",
    title="agents on edge devices: the workload runs, the credential does not",
    symptom="A certificate has ended unseen, for the workload went on; another device still trusts the old CA.",
    stories=(
        _KVA,
        _locked("edge-01", ClientKind.OTHER, cluster="edge", has_login_path=True),
        _bad(
            "edge-02", ClientKind.OTHER, State.TRUST_BROKEN, cluster="edge",
            lifetime=365 * DAY, certificate_left=165 * DAY, token_left=-110 * DAY, last_call=126 * DAY,
        ),
    ),
    recipe=(
        Step(line="mocdeck status --cluster edge", why="two causes, two states, although both programs run", code=2),
        Step(line=f"mocdeck repair edge-01 --yes {_SOON}", why="a login file at its path; it signs in"),
        Step(
            line=f"mocdeck repair edge-02 --yes {_SOON} {_carried('edge-02')}",
            why="the present CA with it, and carried there",
        ),
    ),
)  # fmt: skip

_P18: Final = Drill(
    id="P18",
    title="a laboratory is switched off",
    symptom="An action on a stopped cluster hangs; and its clients run out while it is off.",
    stories=(
        _KVA,
        _idle(
            "lab-kms", ClientKind.KMS, State.LOCKED_OUT,
            cluster=PLANNED_OFF, overlays=frozenset({Overlay.PLANNED_OFF}), has_login_path=True,
            certificate_left=-6 * _HOUR, token_left=-DAY, last_call=DAY + _HOUR,
        ),
        _idle(
            "lab-csi", ClientKind.CSI, State.OK, cluster=PLANNED_OFF, overlays=frozenset({Overlay.PLANNED_OFF}),
            beats_until=DAY, last_call=None, severity=Severity.INFO,
        ),
    ),
    recipe=(
        Step(line="mocdeck repair lab-kms --yes", why="refused at once, with the reason", code=5),
        Step(line=f"mocdeck cluster put {PLANNED_OFF} --yes", why="it is switched on again"),
        Step(line=f"mocdeck client run --interval 1s {_files('lab-kms', 'lab-csi')} &", why="its programs start"),
        Step(line=f"mocdeck repair lab-kms --yes {_SOON}", why="a login file at its path; it signs in"),
    ),
)  # fmt: skip

_P19: Final = Drill(
    id="P19",
    title="a rotation that is only half done",
    symptom="The new credential is stored, and the service goes on with the old one.",
    stories=(
        _KVA,
        _bad("shop-kms", ClientKind.KMS, State.LATENT, cluster="shop", token_left=-4 * DAY),
        _idle(
            "shop-csi", ClientKind.CSI, State.LOCKED_OUT,
            cluster="shop", certificate_left=-3 * DAY, token_left=-5 * DAY, has_login_path=True,
        ),
    ),
    recipe=(
        Step(
            line="mocdeck update cluster-certificates shop --fix-cloud-credentials --yes --timeout 4s",
            why="not done: the login file lies there and nobody has signed in with it",
            code=7,
        ),
        Step(line="mocdeck operations list", why="the operation waits two minutes for proof, then says what to do"),
        Step(line=f"mocdeck client run --interval 1s {_files('shop-csi')} &", why="the service is restarted"),
    ),
)  # fmt: skip

DRILLS: Final = (_P2, _P3, _P4, _P5, _P6, _P7, _P8, _P11, _P12, _P13, _P14, _P15, _P16, _P17, _P18, _P19)
