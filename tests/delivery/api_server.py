"""A small API server that speaks Kubernetes' own words over TLS: paths, patch types, field managers, Status objects.

It knows Secrets, namespaces and SelfSubjectAccessReviews, and of server-side apply what Secrets need: who owns which
key of `data`, conflicts, force, what a manager no longer names, resource versions, and a trial that keeps nothing.
"""

from __future__ import annotations

import base64
import copy
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

APPLY = "application/apply-patch+yaml"
TOKEN = "kubeconfig-token"


class Refused(Exception):
    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        self.body = {**status, "message": message, "reason": reason, "details": details, "code": code}
        self.code = code


class ApiServer:
    def __init__(self, tls: ssl.SSLContext) -> None:
        self.namespaces = {"default", "kube-system"}
        self.secrets: dict[tuple[str, str], dict[str, Any]] = {}
        self.allowed = {"get", "patch", "create"}
        self.requests: list[tuple[str, str, str]] = []  # method, path with query, content type
        self.broken: Refused | None = None
        self.before_patch: Callable[[], None] = lambda: None
        self.hold = threading.Event()
        self.hold.set()
        self.redirect = ""
        self.kept = threading.Event()  # something was applied for good
        self.garbage = b""
        self._version = 100
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def create(self, namespace: str, name: str, manager: str, data: dict[str, str], **more: Any) -> None:
        """As `kubectl create` does: an Update by `manager`."""
        fields: dict[str, Any] = {"f:data": {".": {}, **{f"f:{key}": {} for key in data}}, "f:type": {}}
        entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
        self._version += 1
        self.secrets[namespace, name] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "namespace": namespace,
                "name": name,
                "resourceVersion": str(self._version),
                "managedFields": [{**entry, "fieldsV1": fields}],
            },
            "type": "Opaque",
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
            **more,
        }

    def value(self, namespace: str, name: str, key: str) -> str:
        return base64.b64decode(self.secrets[namespace, name]["data"][key]).decode()

    def answer(self, method: str, path: str, query: dict[str, str], kind: str, body: bytes) -> tuple[int, Any]:
        with self._lock:
            if self.broken is not None:
                raise self.broken
            parts = path.strip("/").split("/")
            if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" and method == "POST":
                return self._review(json.loads(body))
            if parts[:3] == ["api", "v1", "namespaces"] and len(parts) == 6 and parts[4] == "secrets":
                if method == "GET":
                    return self._get(parts[3], parts[5])
                if method == "PATCH":
                    return self._patch(parts[3], parts[5], query, kind, body)
            raise Refused(404, "NotFound", "the server could not find the requested resource")

    def _review(self, review: dict[str, Any]) -> tuple[int, Any]:
        wanted = review["spec"]["resourceAttributes"]
        assert wanted["resource"] == "secrets"
        return 201, {**review, "status": {"allowed": wanted["verb"] in self.allowed}}

    def _get(self, namespace: str, name: str) -> tuple[int, Any]:
        self._require("get", namespace, name)
        found = self.secrets.get((namespace, name))
        if found is None:
            raise Refused(404, "NotFound", f'secrets "{name}" not found', name=name, kind="secrets")
        return 200, found

    def _require(self, verb: str, namespace: str, name: str) -> None:
        if verb not in self.allowed:
            why = f'User "mocdeck" cannot {verb} resource "secrets" in API group "" in the namespace "{namespace}"'
            raise Refused(403, "Forbidden", f'secrets "{name}" is forbidden: {why}', name=name, kind="secrets")

    def _patch(self, namespace: str, name: str, query: dict[str, str], kind: str, body: bytes) -> tuple[int, Any]:
        self._require("patch", namespace, name)
        if kind != APPLY:
            raise Refused(415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {kind}")
        if not query.get("fieldManager"):
            raise Refused(422, "Invalid", "fieldManager: Required value: is required for apply patch")
        applied = json.loads(body)
        assert (applied["metadata"]["namespace"], applied["metadata"]["name"]) == (namespace, name)
        for value in applied["data"].values():
            base64.b64decode(value, validate=True)
        if query.get("dryRun") != "All":
            self.before_patch()
        present = self.secrets.get((namespace, name))
        if present is None:
            self._require("create", namespace, name)
            if namespace not in self.namespaces:
                raise Refused(404, "NotFound", f'namespaces "{namespace}" not found', name=namespace, kind="namespaces")
        made, code = self._applied(namespace, name, present, applied, query)
        if query.get("dryRun") != "All":
            self.secrets[namespace, name] = made
            self.kept.set()
        return code, made

    def _applied(
        self, namespace: str, name: str, present: dict[str, Any] | None, applied: dict[str, Any], query: dict[str, str]
    ) -> tuple[dict[str, Any], int]:
        manager, wanted = query["fieldManager"], applied["data"]
        made = copy.deepcopy(present) or {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": namespace, "name": name, "resourceVersion": "0", "managedFields": []},
            "type": "Opaque",
            "data": {},
        }
        version = applied["metadata"].get("resourceVersion")
        if version and version != made["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", f'Operation cannot be fulfilled on secrets "{name}": it has been modified')
        if made.get("immutable"):
            value = next(iter(wanted.values()))  # as the real one, which quotes what was refused
            raise Refused(422, "Invalid", f'Secret "{name}" is invalid: data: Forbidden: {value}', kind="Secret")
        entries = made["metadata"]["managedFields"]
        owners = {
            key: [e for e in entries if f"f:{key}" in e["fieldsV1"].get("f:data", {}) and e["manager"] != manager]
            for key in wanted
        }
        causes = [
            {
                "reason": "FieldManagerConflict",
                "message": f'conflict with "{entry["manager"]}" using v1',
                "field": f".data.{key}",
            }
            for key, found in owners.items()
            for entry in found
            if made["data"].get(key) != wanted[key]
        ]
        if causes and query.get("force") != "true":
            raise Refused(409, "Conflict", f"Apply failed with {len(causes)} conflict", causes=causes)
        for key, found in owners.items():
            for entry in found:
                if made["data"].get(key) != wanted[key]:
                    del entry["fieldsV1"]["f:data"][f"f:{key}"]
        own = next((e for e in entries if e["manager"] == manager and e["operation"] == "Apply"), None)
        for field in [] if own is None else list(own["fieldsV1"]["f:data"]):
            if field.removeprefix("f:") not in wanted:  # what a manager no longer names goes
                made["data"].pop(field.removeprefix("f:"), None)
        fields: dict[str, Any] = {"f:data": {f"f:{key}": {} for key in wanted}}
        fresh = {"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1"}
        made["metadata"]["managedFields"] = [e for e in entries if e is not own] + [{**fresh, "fieldsV1": fields}]
        made["data"].update(wanted)
        self._version += 1
        made["metadata"]["resourceVersion"] = str(self._version)
        return made, 201 if present is None else 200


def _require_token(header: str | None) -> None:
    if header != f"Bearer {TOKEN}":
        raise Refused(401, "Unauthorized", "Unauthorized")


def _handler(api: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            kind = self.headers.get("Content-Type", "")
            api.requests.append((self.command, self.path, kind))
            api.hold.wait(20)
            if api.redirect:
                self.send_response(307)
                self.send_header("Location", api.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            try:
                _require_token(self.headers.get("Authorization"))
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                code, answer = api.answer(self.command, parts.path, query, kind, body)
            except Refused as refused:
                code, answer = refused.code, refused.body
            data = api.garbage or json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            return

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ssl.SSLError):
                return  # the other end hung up, or did not like our certificate

    return Handler
