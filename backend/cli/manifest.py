"""The manifest of `mocdeck client run --manifest`: many clients of one process, each with its own settings.

YAML: a mapping with the key `clients`, a list of mappings. `config` (the cloudconfig) is required. Every mistake is
named by file, path and what was expected; a mistyped key is a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from backend.client.errors import FileInvalid
from backend.client.settings import RunnerSettings
from backend.core.durations import parse_duration
from backend.core.limits import HEARTBEAT
from backend.pki.keys import KeyKind

MAX_BYTES: Final = 16 * 1024 * 1024
KEY_KINDS: Final[Mapping[str, KeyKind]] = {"p256": KeyKind.P256, "rsa2048": KeyKind.RSA2048}
_TEXTS: Final = ("config", "login_file", "address", "server_name", "key", "interval", "clock_offset")
_PORTS: Final = ("port", "auth_port")
_SWITCHES: Final = ("auto_renew",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedClient:
    """One client of this process. `clock_offset` shifts its clock, to show what a wrong clock does."""

    settings: RunnerSettings
    clock_offset: timedelta = timedelta(0)


def read_manifest(path: Path) -> tuple[ManagedClient, ...]:
    """Read a manifest; relative paths in it count from its own directory.

    Raises:
        FileInvalid: names the path in the file and what was expected.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FileInvalid(path, "", f"at most {MAX_BYTES} bytes")
    values = _load(data, path)
    if not isinstance(values, dict) or not isinstance(values.get("clients"), list) or not values["clients"]:
        raise FileInvalid(path, "clients", "a list of at least one client, each with config and login_file")
    _refuse_unknown(values, {"clients"}, "", path)
    clients = tuple(_client(entry, f"clients[{index}]", path) for index, entry in enumerate(values["clients"]))
    used: set[Path] = set()
    for index, client in enumerate(clients):
        if client.settings.access_file in used:
            raise FileInvalid(path, f"clients[{index}].config", "a file that no other client of the manifest uses")
        used.add(client.settings.access_file)
    return clients


def _load(data: bytes, path: Path) -> Any:
    try:
        return yaml.load(data.decode("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except UnicodeDecodeError:
        raise FileInvalid(path, "", "UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise FileInvalid(path, "", f"valid YAML{line}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise FileInvalid(path, "", "valid YAML") from None


def _client(entry: object, where: str, path: Path) -> ManagedClient:
    if not isinstance(entry, dict):
        raise FileInvalid(path, where, "a mapping with config, login_file ...")
    _refuse_unknown(entry, {*_TEXTS, *_PORTS, *_SWITCHES}, f"{where}.", path)
    texts = {key: _text(entry, key, where, path) for key in _TEXTS}
    if not texts["config"]:
        raise FileInvalid(path, f"{where}.config", "the path of the client's cloudconfig")
    key = texts["key"] or "p256"
    if key not in KEY_KINDS:
        raise FileInvalid(path, f"{where}.key", f"one of {', '.join(KEY_KINDS)}")
    interval = _duration(texts["interval"], HEARTBEAT, f"{where}.interval", path)
    if interval < timedelta(seconds=1):
        raise FileInvalid(path, f"{where}.interval", "at least 1s")
    return ManagedClient(
        settings=RunnerSettings(
            access_file=path.parent / texts["config"],
            login_file=path.parent / texts["login_file"] if texts["login_file"] else None,
            address=texts["address"],
            port=_port(entry, "port", where, path),
            auth_port=_port(entry, "auth_port", where, path),
            server_name=texts["server_name"],
            key_kind=KEY_KINDS[key],
            heartbeat=interval,
            renews_itself=_switch(entry, "auto_renew", where, path),
        ),
        clock_offset=_duration(texts["clock_offset"], timedelta(0), f"{where}.clock_offset", path),
    )


def _refuse_unknown(values: Mapping[object, object], known: set[str], prefix: str, path: Path) -> None:
    for key in values:
        if key not in known:
            raise FileInvalid(path, f"{prefix}{key}", "only the keys " + ", ".join(sorted(known)))


def _text(entry: Mapping[str, object], key: str, where: str, path: Path) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FileInvalid(path, f"{where}.{key}", "text")
    return value


def _port(entry: Mapping[str, object], key: str, where: str, path: Path) -> int:
    value = entry.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise FileInvalid(path, f"{where}.{key}", "a port number from 1 to 65535")
    return value


def _switch(entry: Mapping[str, object], key: str, where: str, path: Path) -> bool:
    value = entry.get(key, True)
    if not isinstance(value, bool):
        raise FileInvalid(path, f"{where}.{key}", "yes or no")
    return value


def _duration(text: str, default: timedelta, where: str, path: Path) -> timedelta:
    """A duration; a leading minus is understood, as clocks may be behind."""
    if not text:
        return default
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text)
    try:
        return sign * parse_duration(rest)
    except ValueError:
        raise FileInvalid(path, where, "a duration such as 30s, 5m or -10m") from None
