"""What the agent has done since it started: calls, sign-ins, renewals, refusals, results, and the core's pace.

Counted when the caller is answered, that is after the commit. Counters begin at 0 with the process, as Prometheus
expects of them. Labels come from closed sets only: a caller cannot make new ones.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from backend.core.errors import AgentError
from backend.core.rbac import ProviderOperation
from backend.server.calls import Call, Reply
from backend.wire.convert import verbs
from backend.wire.methods import METHODS, get_method
from backend.wire.moc import certificate_pb2, identity_pb2

_LOGIN: Final = get_method("AuthenticationAgent", "Login").path
_RENEW: Final = get_method("CertificateAgent", "Renew").path
_OPERATE: Final = get_method("IdentityAgent", "OperateCertificates").path
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BATCHES: Final = (1, 2, 4, 8, 16, 32)


class Counters:
    """The agent's counters and histograms, in one registry."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._calls = Counter("mocdeck_calls", "Calls that were answered.", ["service", "method"], registry=registry)
        self._refusals = Counter(
            "mocdeck_refusals",
            "Calls that were refused, by reason.",
            ["service", "method", "reason"],
            registry=registry,
        )
        self._sign_ins = Counter("mocdeck_sign_ins", "Certificates issued for a token.", registry=registry)
        self._renewals = Counter("mocdeck_renewals", "Certificates issued for an older one.", registry=registry)
        self._targets = Counter(
            "mocdeck_operation_targets",
            "Clients that an operation is through with.",
            ["action", "result"],
            registry=registry,
        )
        self._operations = Counter(
            "mocdeck_operations", "Operations that ended.", ["action", "result"], registry=registry
        )
        self._ticks = Counter("mocdeck_agent_ticks", "Rounds of the agent's own work.", registry=registry)
        self._tick_failures = Counter(
            "mocdeck_agent_tick_failures", "Parts of the agent's own work that failed.", ["part"], registry=registry
        )
        self._commit = Histogram(
            "mocdeck_core_commit_seconds",
            "Time of one batch in the core, its commit included.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._wait = Histogram(
            "mocdeck_core_wait_seconds",
            "Time from a call's arrival to the start of its batch.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._batch = Histogram(
            "mocdeck_core_batch_calls", "Calls that shared one commit.", buckets=_BATCHES, registry=registry
        )

    def answered(self, call: Call, reply: Reply) -> None:
        """Count a call that was carried out."""
        service, method = _names(call.path)
        self._calls.labels(service, method).inc()
        if call.path == _LOGIN:
            self._sign_ins.inc()
        elif call.path == _RENEW:
            self._renewals.inc(len(certificate_pb2.CertificateResponse.FromString(reply.bodies[0]).Certificates))
        elif call.path == _OPERATE:
            self._renewals.inc(_renewed(call))

    def refused(self, call: Call, refusal: AgentError) -> None:
        """Count a call that was refused; reasons are the error classes' own words."""
        self._refusals.labels(*_names(call.path), refusal.reason).inc()

    def ticked(self, failed_parts: Iterable[str]) -> None:
        """Count a round of the agent's own work and what failed in it."""
        self._ticks.inc()
        for part in failed_parts:
            self._tick_failures.labels(part).inc()

    def ended(self, action: str, result: str, targets: Tally[str]) -> None:
        """Count an operation that has ended, with its clients by result."""
        self._operations.labels(action, result).inc()
        for state, count in targets.items():
            self._targets.labels(action, state).inc(count)

    def committed(self, waits: Iterable[float], seconds: float, calls: int) -> None:
        """Take the times of one batch; called on the core's thread."""
        self._commit.observe(seconds)
        self._batch.observe(calls)
        for wait in waits:
            self._wait.observe(wait)


def _names(path: str) -> tuple[str, str]:
    """Short service and method of a path from the table of served calls."""
    method = METHODS[path]
    return method.service.rpartition(".")[2], method.name


def _renewed(call: Call) -> int:
    request = identity_pb2.IdentityCertificateRequest.FromString(call.body)
    is_renewal = verbs.certificate_verb(request) == ProviderOperation.IDENTITY_CERTIFICATE_RENEW
    return len(request.CSR) if is_renewal else 0
