"""The Kubernetes route: a login file as one key of one Secret, by server-side apply; nothing else in it is touched.

Each key has a field manager of its own, because an apply takes back whatever its manager owned and does not name: two
clients may share a Secret. Another program's login file of the same client is replaced only where delivery.yaml says
`take_over`, and anything else never. The Secret's data goes into no log and no refusal; nor does any text of the API
server that could quote it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from backend.core.delivery import DeliveryRefused, ReachState, SecretPlace
from backend.core.inert import inert
from backend.core.model import Secret
from backend.delivery.held import held_name, held_text
from backend.delivery.kubeconfig import ApiServer, read_kubeconfig
from backend.delivery.statuses import failure_of, refusal_of

if TYPE_CHECKING:
    from pathlib import Path

    from kubernetes.client import ApiClient

APPLY: Final = "application/apply-patch+yaml"
CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 5.0
_MOST_BYTES: Final = 4 * 1024 * 1024  # a Secret holds 1 MiB, a third more in base64
_TRIES: Final = 3  # when somebody else writes to the Secret between our look and our apply
_SECRET: Final = "/api/v1/namespaces/{namespace}/secrets/{name}"  # noqa: S105 - a path
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_PLACEHOLDER: Final = "mocdeck: looks whether it could write here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One API server as delivery.yaml names it."""

    name: str
    kubeconfig: Path
    context: str = ""
    take_over: bool = False


def look_at_secret(cluster: Cluster, place: SecretPlace, identity_name: str) -> Secret | None:
    """See whether the login file of `identity_name` could be put there now; return the one there.

    Asks for the rights, reads what lies there, and has the server try the very apply without keeping it.

    Raises:
        DeliveryRefused: it could not, with the state and a sentence.
    """
    with _Session(cluster) as session:
        for verb in ("patch", "get"):
            session.require_right(verb, place)
        return session.apply(place, identity_name, _PLACEHOLDER, is_trial=True)


def write_secret(cluster: Cluster, place: SecretPlace, identity_name: str, text: Secret) -> None:
    """Put a login file there.

    Raises:
        DeliveryRefused: it is not there; what was there stays.
    """
    with _Session(cluster) as session:
        session.apply(place, identity_name, text.reveal(), is_trial=False)


class _Session:
    """A few calls to one API server, each with a deadline and none of them repeated by itself."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._client = _client_of(read_kubeconfig(cluster.kubeconfig, cluster.context))

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.rest_client.close()

    def require_right(self, verb: str, place: SecretPlace) -> None:
        """Raise unless the server says that we may (SelfSubjectAccessReview)."""
        attributes = {"verb": verb, "resource": "secrets", "namespace": place.namespace, "name": place.name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"version": "v1", "group": "", **attributes}},
        }
        status, answer = self._call("POST", _REVIEWS, body=review)
        if status not in {200, 201}:
            raise refusal_of(self._cluster.name, place, status, answer)
        if not _of(answer, "status").get("allowed"):
            raise DeliveryRefused(
                ReachState.FORBIDDEN,
                f"{self._cluster.name}: the kubeconfig's account may not {verb} Secret {place.namespace}/{place.name};"
                f" give it get and patch on this Secret, and create in its namespace while it is not there",
            )

    def apply(self, place: SecretPlace, identity_name: str, text: str, *, is_trial: bool) -> Secret | None:
        """Look at the Secret, then apply our one key to exactly what was looked at; return what lay there."""
        for left in reversed(range(_TRIES)):
            found = self._find(place)
            is_taken_over = False if found is None else self._may_replace(place, identity_name, found)
            metadata = {"namespace": place.namespace, "name": place.name}
            if found is not None:
                metadata["resourceVersion"] = str(_of(found, "metadata").get("resourceVersion", ""))
            value = base64.b64encode(text.encode()).decode("ascii")
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {place.key: value}}
            query = [("fieldManager", manager_of(place.key)), ("force", "true" if is_taken_over else "false")]
            if is_trial:
                query.append(("dryRun", "All"))
            status, answer = self._call("PATCH", _SECRET, place, body=body, query=query)
            if status in {200, 201}:
                return None if found is None else _text_in(found, place.key)
            if status != 409 or _causes(answer) or not left:
                break
        raise refusal_of(self._cluster.name, place, status, answer)

    def _find(self, place: SecretPlace) -> Mapping[str, Any] | None:
        status, answer = self._call("GET", _SECRET, place)
        if status == 404:
            return None  # a namespace that is not there is said by the apply
        if status != 200:
            raise refusal_of(self._cluster.name, place, status, answer)
        return answer

    def _may_replace(self, place: SecretPlace, identity_name: str, found: Mapping[str, Any]) -> bool:
        """Tell whether the key is to be taken from another program; raise if what it holds is to stay."""
        where = f"{self._cluster.name}: key {place.key} of Secret {place.namespace}/{place.name}"
        if found.get("immutable"):
            raise DeliveryRefused(ReachState.REFUSED, f"{where} is in an immutable Secret; make it anew, not immutable")
        value = _of(found, "data").get(place.key)
        if isinstance(value, str) and value:
            _refuse_foreign(where, value, identity_name)
        others = _managers(found, place.key) - {manager_of(place.key)}
        if others and not self._cluster.take_over:
            named = ", ".join(sorted(inert(other, 60) for other in others))
            raise DeliveryRefused(
                ReachState.CONFLICT,
                f"{where} is managed by {named}; let that stop writing it, or set take_over for"
                f" {self._cluster.name} in delivery.yaml",
            )
        return bool(others)

    def _call(
        self,
        method: str,
        path: str,
        place: SecretPlace | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        query: list[tuple[str, str]] | None = None,
    ) -> tuple[int, Mapping[str, Any]]:
        named = {} if place is None else {"namespace": place.namespace, "name": place.name}
        kind = APPLY if method == "PATCH" else "application/json"
        headers = {"Accept": "application/json", **({} if body is None else {"Content-Type": kind})}
        text = None if body is None else json.dumps(body)
        ready = self._client.param_serialize(
            method, path, named, query or [], headers, body, auth_settings=["BearerToken"]
        )
        try:
            answer = self._client.call_api(
                ready[0],
                ready[1],
                ready[2],
                text if method == "PATCH" else ready[3],
                _request_timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            )
            data = answer.response.read(_MOST_BYTES, decode_content=True)
            answer.response.release_conn()
        except _faults() as failure:  # the library's own texts quote addresses, headers and bodies: none is kept
            raise failure_of(self._cluster.name, failure) from None
        return int(answer.status), _parsed(data)


def manager_of(key: str) -> str:
    """The field manager under which a key is applied (at most 128 characters)."""
    manager = f"mocdeck.{key}"
    return manager if len(manager) <= 128 else f"mocdeck.{hashlib.sha256(key.encode()).hexdigest()}"


def _client_of(server: ApiServer) -> ApiClient:
    from kubernetes.client import ApiClient, Configuration  # a second or two that no other start owes

    configuration = Configuration(host=server.url)
    configuration.proxy = server.proxy_url or None  # never the environment's: API servers are in the local network
    configuration.retries = False  # nor is a redirect followed: what is sent may be a token
    if server.server_name:
        configuration.tls_server_name = server.server_name
    if server.bearer is not None:
        configuration.api_key["authorization"] = server.bearer.reveal()
        configuration.api_key_prefix["authorization"] = "Bearer"
    client = ApiClient(configuration)
    client.rest_client.pool_manager.connection_pool_kw["ssl_context"] = server.tls
    return client


def _faults() -> tuple[type[Exception], ...]:
    from kubernetes.client.exceptions import OpenApiException
    from urllib3.exceptions import HTTPError

    return OpenApiException, HTTPError, OSError, ValueError


def _refuse_foreign(where: str, value: str, identity_name: str) -> None:
    try:
        held = held_name(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        held = None
    if held is None:
        raise DeliveryRefused(
            ReachState.FOREIGN,
            f"{where} holds something else than a login file and is not replaced; name another place for"
            f" {identity_name} in delivery.yaml, or remove the key",
        )
    if held != identity_name:
        raise DeliveryRefused(
            ReachState.FOREIGN,
            f"{where} holds the login file of another identity than {identity_name} and is not replaced; give each"
            " identity a place of its own",
        )


def _text_in(found: Mapping[str, Any], key: str) -> Secret | None:
    value = _of(found, "data").get(key)
    return held_text(base64.b64decode(value)) if isinstance(value, str) and value else None


def _managers(found: Mapping[str, Any], key: str) -> set[str]:
    entries = _of(found, "metadata").get("managedFields")
    return {
        str(entry.get("manager", ""))
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and f"f:{key}" in _of(_of(entry, "fieldsV1"), "f:data")
    }


def _causes(answer: Mapping[str, Any]) -> bool:
    """Tell a conflict of managers from one of versions: only the first names fields."""
    return bool(_of(answer, "details").get("causes"))


def _of(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _parsed(data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
