"""One API server and one credential out of a kubeconfig: what a login file may be sent through, and nothing less.

Refuses whatever would run a program, show the login file to somebody else or need a person: exec and auth-provider
plug-ins, passwords, plain HTTP, unverified TLS. Embedded keys touch no disk but for the moment in which OpenSSL, which
takes files only, reads one that nobody else may open.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from backend.core.delivery import DeliveryRefused, ReachState
from backend.core.inert import inert
from backend.core.model import Secret
from backend.pki.files import UnsafeFile, read_private

_MOST_BYTES: Final = 1024 * 1024
_ONE: Final = {"clusters": "cluster", "users": "user", "contexts": "context"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServer:
    """Where to connect and how both ends prove themselves; `tls` holds the client certificate, if there is one."""

    url: str
    tls: ssl.SSLContext
    server_name: str = ""
    proxy_url: str = ""
    bearer: Secret | None = None


def read_kubeconfig(path: Path, context: str = "") -> ApiServer:
    """Read what a context of a kubeconfig names; `context` "": its current one.

    Raises:
        DeliveryRefused: it is missing, others may read it, or it cannot be used; the text never quotes it.
    """
    document = _document(path)
    chosen = context or document.get("current-context")
    if not isinstance(chosen, str) or not chosen:
        raise _unusable(path, "names no current context; name one in delivery.yaml")
    named = _named(document, "contexts", chosen, path)
    cluster = _named(document, "clusters", named.get("cluster"), path)
    user = _named(document, "users", named.get("user"), path)
    url = cluster.get("server")
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise _unusable(path, "names no https:// server; a login file goes over nothing else")
    if cluster.get("insecure-skip-tls-verify"):
        raise _unusable(path, "does not verify its server; put the cluster's CA there in place of that")
    for refused in ("exec", "auth-provider", "username", "password"):
        if user.get(refused):
            raise _unusable(path, f"signs in with {refused!r}; give one with a client certificate or a token")
    return ApiServer(
        url=str(url).rstrip("/"),
        tls=_tls(path, cluster, user),
        server_name=_string(cluster, "tls-server-name", path),
        proxy_url=_string(cluster, "proxy-url", path),
        bearer=_bearer(path, user),
    )


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(read_private(path, _MOST_BYTES))
    except FileNotFoundError:
        raise DeliveryRefused(ReachState.MISSING, f"kubeconfig {path} is not there; put it there, mode 0600") from None
    except UnsafeFile as unsafe:
        raise DeliveryRefused(ReachState.UNUSABLE, str(unsafe)) from unsafe
    except OSError as failure:
        raise _unusable(path, f"cannot be read: {failure.strerror or 'the disk refuses'}") from failure
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise _unusable(path, "is not YAML; fetch it anew") from None  # not the parser's words: they quote the text
    if not isinstance(document, dict):
        raise _unusable(path, "is no kubeconfig; fetch it anew")
    return document


def _named(document: Mapping[str, Any], section: str, name: object, path: Path) -> Mapping[str, Any]:
    entries = document.get(section)
    one = _ONE[section]
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(one), dict):
            return dict(entry[one])
    raise _unusable(path, f"has no {one} {inert(str(name), 60)!r}")


def _tls(path: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    roots = _material(path, cluster, "certificate-authority")
    certificate, key = _material(path, user, "client-certificate"), _material(path, user, "client-key")
    if (certificate is None) is not (key is None):
        raise _unusable(path, "has only one of client certificate and key; fetch it anew")
    try:
        if roots is None:
            tls.load_default_certs()
        else:
            tls.load_verify_locations(cadata=roots.decode("ascii"))
        if certificate is not None and key is not None:
            _load_pair(tls, certificate, key)
    except (ssl.SSLError, OSError, ValueError) as failure:
        raise _unusable(path, "holds a certificate or key that cannot be read; fetch it anew") from failure
    return tls


def _load_pair(tls: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="mocdeck-") as directory:  # mode 0700
        pair = Path(directory) / "pair.pem"
        pair.touch(mode=0o600)
        pair.write_bytes(certificate.rstrip() + b"\n" + key)
        tls.load_cert_chain(pair, password=lambda: "")  # an encrypted key fails here instead of asking a terminal


def _material(path: Path, entry: Mapping[str, Any], name: str) -> bytes | None:
    """PEM of a kubeconfig's entry: embedded, or in a file beside it."""
    embedded, outside = entry.get(f"{name}-data"), entry.get(name)
    if isinstance(embedded, str) and embedded:
        try:
            return base64.b64decode(embedded, validate=True)
        except (binascii.Error, ValueError):
            raise _unusable(path, f"has a {name}-data that is not base64; fetch it anew") from None
    if not isinstance(outside, str) or not outside:
        return None
    file = path.parent / outside
    try:
        return read_private(file, _MOST_BYTES) if name == "client-key" else file.read_bytes()
    except UnsafeFile as unsafe:
        raise DeliveryRefused(ReachState.UNUSABLE, str(unsafe)) from unsafe
    except OSError as failure:
        raise _unusable(path, f"names a {name} that cannot be read: {failure.strerror}") from failure


def _bearer(path: Path, user: Mapping[str, Any]) -> Secret | None:
    token, file = user.get("token"), user.get("tokenFile")
    if isinstance(file, str) and file:
        try:
            token = read_private(path.parent / file, _MOST_BYTES).decode("ascii").strip()
        except UnsafeFile as unsafe:
            raise DeliveryRefused(ReachState.UNUSABLE, str(unsafe)) from unsafe
        except (OSError, UnicodeDecodeError) as failure:
            raise _unusable(path, "names a token file that cannot be read") from failure
    if not isinstance(token, str) or not token:
        return None
    if not token.isascii() or not token.isprintable():
        raise _unusable(path, "holds a token that is none")
    return Secret(token)


def _string(entry: Mapping[str, Any], key: str, path: Path) -> str:
    value = entry.get(key) or ""
    if not isinstance(value, str):
        raise _unusable(path, f"has a {key} that is no text")
    return value


def _unusable(path: Path, what: str) -> DeliveryRefused:
    return DeliveryRefused(ReachState.UNUSABLE, f"kubeconfig {path} {what}")
