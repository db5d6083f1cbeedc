"""What went wrong with an API server, as a state and a sentence: one row for each thing that an operator can mend.

Status objects are read for their reason, kind and fields. Their message is repeated only where it cannot hold data.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from backend.core.delivery import DeliveryRefused, ReachState, SecretPlace
from backend.core.inert import inert


def refusal_of(cluster: str, place: SecretPlace, status: int, answer: Mapping[str, Any]) -> DeliveryRefused:
    """Name what a status other than success means for a Secret."""
    secret = f"Secret {place.namespace}/{place.name}"
    details = answer.get("details")
    details = details if isinstance(details, dict) else {}
    if status == 401:
        why = "does not accept the kubeconfig's credential, which may have ended; fetch a fresh kubeconfig"
        return _refused(ReachState.FORBIDDEN, cluster, why)
    if status == 403:
        if _has_cause(details, "NamespaceTerminating"):
            return _refused(ReachState.MISSING, cluster, f"is deleting namespace {place.namespace}; see who removed it")
        why = (
            f"forbids the kubeconfig's account to write {secret}; give it get and patch, and create while it is absent"
        )
        return _refused(ReachState.FORBIDDEN, cluster, why)
    if status == 404 and details.get("kind") == "namespaces":
        return _refused(
            ReachState.MISSING, cluster, f"has no namespace {place.namespace}; make it, or correct the place"
        )
    if status == 404:
        return _refused(ReachState.REFUSED, cluster, "does not know Secrets; is this an API server?")
    if status == 409:
        return _refused(ReachState.CONFLICT, cluster, _conflict(place, details))
    if status in {429, 502, 503, 504}:
        return _refused(
            ReachState.DOWN, cluster, f"answers that it is not ready (status {status}); see its control plane"
        )
    if status >= 500:
        why = f"cannot serve {secret} (status {status}), as when its KMS plug-in is locked out; see its control plane"
        return _refused(ReachState.DOWN, cluster, why)
    if 300 <= status < 400:
        return _refused(ReachState.REFUSED, cluster, f"sends elsewhere (status {status}); name the server itself")
    reason = inert(str(answer.get("reason") or "no reason"), 40)
    return _refused(
        ReachState.REFUSED, cluster, f"refuses {secret} (status {status}, {reason}); see its admission rules"
    )


def failure_of(cluster: str, failure: Exception) -> DeliveryRefused:
    """Name what stood between us and an answer; nothing of the exception's own text is kept but TLS's reason."""
    from urllib3 import exceptions as faults

    tls = _tls_failure(failure)
    if tls is not None:
        return _refused(ReachState.UNTRUSTED, cluster, tls)
    if isinstance(failure, faults.NameResolutionError):
        return _refused(
            ReachState.DOWN, cluster, "cannot be found: its name has no address; correct the kubeconfig or DNS"
        )
    if isinstance(failure, faults.ConnectTimeoutError | faults.ReadTimeoutError | TimeoutError):
        return _refused(ReachState.LATE, cluster, "does not answer in time; see whether its control plane is up")
    if isinstance(failure, faults.ProxyError):
        return _refused(
            ReachState.DOWN, cluster, "cannot be reached through the kubeconfig's proxy; see whether that runs"
        )
    if isinstance(failure, faults.HTTPError | OSError):
        return _refused(
            ReachState.DOWN,
            cluster,
            "does not answer: nobody takes the connection, or it breaks off; see whether its control plane is up",
        )
    kind = inert(type(failure).__name__, 40)
    return _refused(
        ReachState.REFUSED, cluster, f"gives an answer that cannot be read ({kind}); is this an API server?"
    )


def _tls_failure(failure: BaseException | None) -> str | None:
    """Say what is wrong with the TLS of either end; None when it is not TLS."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import SSLError

    text = str(failure)
    if isinstance(failure, ApiException) and failure.status == 0:
        text = str(failure.reason)
    elif not isinstance(failure, SSLError | ssl.SSLError):
        return None
    if "has expired" in text:
        return "shows a TLS certificate that has ended; renew its control plane's certificates first"
    if "not yet valid" in text:
        return "shows a TLS certificate that is not valid yet; look at the clocks"
    if "ostname mismatch" in text or "IP address mismatch" in text or "doesn't match" in text:
        return "shows a TLS certificate for another name; correct the kubeconfig's server or tls-server-name"
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return "shows a TLS certificate of an unknown CA; fetch a fresh kubeconfig, and ask why its CA changed"
    if "ALERT" in text.upper():
        return "does not accept the kubeconfig's client certificate, which may have ended; fetch a fresh kubeconfig"
    return "does not speak TLS as it should; is this an API server?"


def _conflict(place: SecretPlace, details: Mapping[str, Any]) -> str:
    where = f"key {place.key} of Secret {place.namespace}/{place.name}"
    managers = []
    causes = details.get("causes")
    for cause in causes if isinstance(causes, list) else []:
        message = str(cause.get("message", "")) if isinstance(cause, dict) else ""
        if message.startswith('conflict with "'):  # ... followed by the manager's name and nothing of the data
            managers.append(inert(message.removeprefix('conflict with "').partition('"')[0], 60))
    if managers:
        named = ", ".join(sorted(set(managers)))
        return f"says that {where} is managed by {named}; let that stop writing it, or set take_over in delivery.yaml"
    return f"says that Secret {place.namespace}/{place.name} changes all the time; see who writes it"


def _has_cause(details: Mapping[str, Any], reason: str) -> bool:
    causes = details.get("causes")
    return any(
        isinstance(one, dict) and one.get("reason") == reason for one in (causes if isinstance(causes, list) else [])
    )


def _refused(state: ReachState, cluster: str, what: str) -> DeliveryRefused:
    return DeliveryRefused(state, f"the API server of {cluster} {what}")
