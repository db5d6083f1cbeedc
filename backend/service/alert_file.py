"""`alerts.yaml` in an agent's directory: whom to tell, and of what. Read once, at the agent's start.

    sinks:
      - name: oncall
        url: https://hooks.example/T00/B00     # secret: whoever knows it can post
        authorization: Bearer abc              # optional, secret
        minimum_severity: critical             # optional; warning, unknown, critical or expired
        alive_every: 5m                        # optional: a sign of life, for a dead-man's switch at the other end
        ca_file: /etc/ssl/site-ca.pem          # optional: trust this CA instead of the system's

Refuses a file that others can read, and whatever it does not understand, with the file, the path in it and what was
expected. No value that may be secret is ever part of a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import yaml

from backend.core.alerts import LEAST
from backend.core.errors import InvalidInput
from backend.core.facts import Severity
from backend.core.inert import inert
from backend.core.model import Secret
from backend.pki.files import read_private

ALERT_FILE: Final = "alerts.yaml"
_MAX_BYTES: Final = 64 * 1024
_MOST_SINKS: Final = 16
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_SPAN: Final = re.compile(r"([0-9]{1,4})([smh])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_SHORTEST_ALIVE: Final = timedelta(seconds=10)
_LONGEST_ALIVE: Final = timedelta(days=1)
_SEVERITIES: Final = {
    severity.name.lower(): severity
    for severity in (Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL, Severity.EXPIRED)
}
_KEYS: Final = ("name", "url", "authorization", "minimum_severity", "alive_every", "ca_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """One receiver of notices. `place` is the scheme and host of its URL, which may be shown; the rest may not.

    `alive_every` zero: it gets no signs of life.
    """

    name: str
    url: Secret
    place: str
    is_loopback: bool = False
    authorization: Secret | None = None
    least: Severity = LEAST
    alive_every: timedelta = timedelta(0)
    ca_file: Path | None = None


def read_alert_file(directory: Path) -> tuple[Sink, ...]:
    """Read `alerts.yaml` of an agent's directory; no file means no sinks.

    Raises:
        UnsafeFile: others can read it, or it is no regular file.
        InvalidInput: it is not what it should be; the text names the file, the path in it and what was expected.
    """
    path = directory / ALERT_FILE
    try:
        data = read_private(path, _MAX_BYTES)
    except FileNotFoundError:
        return ()
    try:
        document = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        # Not the parser's words: they quote the text around the fault, which may be a secret.
        raise InvalidInput(f"{path} is not YAML; correct it, or remove it for no notifications") from None
    listed = _mapping(document if document is not None else {}, ("sinks",), "the file", path).get("sinks") or []
    if not isinstance(listed, list) or len(listed) > _MOST_SINKS:
        raise InvalidInput(f"{path}: sinks must be a list of at most {_MOST_SINKS} entries")
    sinks = tuple(_sink(entry, f"sinks[{index}]", path) for index, entry in enumerate(listed))
    names = [sink.name for sink in sinks]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidInput(f"{path}: sinks[{index}].name {name!r} is taken by an earlier sink; names must differ")
    return sinks


def _sink(entry: object, where: str, path: Path) -> Sink:
    fields = _mapping(entry, _KEYS, where, path)
    name = fields.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(f"{path}: {where}.name must be 1 to 32 of a-z, 0-9, '.', '_' and '-'")
    url = _text(fields, "url", where, path)
    parts = _split(url, where, path)
    severity = fields.get("minimum_severity", LEAST.name.lower())
    if not isinstance(severity, str) or severity not in _SEVERITIES:
        raise InvalidInput(f"{path}: {where}.minimum_severity must be one of {', '.join(_SEVERITIES)}")
    header = _text(fields, "authorization", where, path) if "authorization" in fields else None
    if header is not None and (not header.isascii() or not header.isprintable()):
        raise InvalidInput(f"{path}: {where}.authorization must be printable ASCII on one line")
    return Sink(
        name=name,
        url=Secret(url),
        place=f"{parts.scheme}://{inert(parts.hostname or '')}",
        is_loopback=_is_loopback(parts.hostname or ""),
        authorization=None if header is None else Secret(header),
        least=_SEVERITIES[severity],
        alive_every=_span(fields.get("alive_every"), where, path),
        ca_file=_ca_file(fields, where, path),
    )


def _mapping(value: object, keys: tuple[str, ...], where: str, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{path}: {where} must hold the keys {', '.join(keys)}")
    unknown = sorted(str(key) for key in set(value) - set(keys))
    if unknown:
        raise InvalidInput(
            f"{path}: {where} holds the unknown key {inert(unknown[0], 40)!r}; known are {', '.join(keys)}"
        )
    return value


def _text(fields: Mapping[str, Any], key: str, where: str, path: Path) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{path}: {where}.{key} must be a text that is not empty")
    return value


def _split(url: str, where: str, path: Path) -> SplitResult:
    """Return the parts of a URL that may be posted to: https, or http to this very computer."""
    expected = f"{path}: {where}.url must be an https:// URL with a host (http:// only to a loopback address)"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidInput(expected) from None
    is_clean = url.isascii() and url.isprintable() and " " not in url
    if not host or port == 0 or not is_clean or parts.username is not None:
        raise InvalidInput(f"{expected}; credentials belong into authorization")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise InvalidInput(expected)
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _span(value: object, where: str, path: Path) -> timedelta:
    if value is None:
        return timedelta(0)
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    span = timedelta(0) if found is None else timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    if not _SHORTEST_ALIVE <= span <= _LONGEST_ALIVE:
        raise InvalidInput(f"{path}: {where}.alive_every must be a span from 10s to 24h, as in 5m")
    return span


def _ca_file(fields: Mapping[str, Any], where: str, path: Path) -> Path | None:
    if "ca_file" not in fields:
        return None
    found = Path(_text(fields, "ca_file", where, path))
    if not found.is_absolute() or not found.is_file():
        raise InvalidInput(f"{path}: {where}.ca_file must be the absolute path of a PEM file that is there")
    return found
