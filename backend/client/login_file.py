"""MOC's login YAML: the file that brings an identity's token and the agent's roots (moc/protocol.md 3.4).

Owns its format both ways. Keys that it does not know are kept, so that rewriting a file of a newer tool loses nothing;
the nine known keys are always written, empty ones too, as the Go writer does. When to read it is others' decision.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from backend.client.errors import FileInvalid
from backend.client.private import read_own_file
from backend.core.errors import InvalidInput
from backend.core.limits import MESSAGE_BYTES
from backend.core.model import ClientType, Secret
from backend.pki import files, trust

CLIENT_TYPES: Final[Mapping[str, ClientType]] = {
    "Admin": ClientType.ADMIN,
    "BareMetal": ClientType.BAREMETAL,
    "ControlPlane": ClientType.CONTROLPLANE,
    "ExternalClient": ClientType.EXTERNALCLIENT,
    "LoadBalancer": ClientType.LOADBALANCER,
    "Node": ClientType.NODE,
}
_TEXTS: Final = ("name", "token", "certificate", "clienttype", "cloudfqdn", "location", "type")
_PORTS: Final = ("cloudport", "cloudauthport")
_KNOWN: Final = frozenset((*_TEXTS, *_PORTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFile:
    """What a login YAML says. `trust_pem` is the decoded bundle; `other` holds unknown keys for the next writing."""

    name: str
    token: Secret
    trust_pem: str
    client_type: str = "ExternalClient"
    cloud_fqdn: str = ""
    cloud_port: int = 0
    cloud_auth_port: int = 0
    location: str = ""
    auth_type: str = ""
    other: Mapping[str, object] = field(default_factory=dict, repr=False)

    def with_token(self, token: Secret) -> LoginFile:
        """The same file with a fresh token."""
        return replace(self, token=token)

    def with_trust(self, trust_pem: str) -> LoginFile:
        """The same file with another bundle."""
        return replace(self, trust_pem=trust_pem)


def read_login_file(path: Path) -> LoginFile:
    """Read and check a login YAML.

    Raises:
        FileInvalid: it is not one; names the key and what was expected.
        FileNotFoundError, UnsafeFile: it is missing, not ours or not a regular file.
    """
    return parse_login_file(read_own_file(path, MESSAGE_BYTES), path)


def parse_login_file(data: bytes, path: Path) -> LoginFile:
    """Parse a login YAML's bytes; `path` is for messages.

    Raises:
        FileInvalid: names the key and what was expected; never shows a value, as one of them is a token.
    """
    values = _mapping(data, path)
    texts = {key: _text(values, key, path) for key in _TEXTS}
    if not texts["name"]:
        raise FileInvalid(path, "name", "the identity's name, not empty")
    if not texts["token"]:
        raise FileInvalid(path, "token", "the identity's token (a JWT), not empty")
    if any(character.isspace() or not character.isprintable() for character in texts["token"]):
        raise FileInvalid(path, "token", "a JWT on one line, without spaces")
    if texts["clienttype"] and texts["clienttype"] not in CLIENT_TYPES:
        raise FileInvalid(path, "clienttype", "one of " + ", ".join(CLIENT_TYPES))
    return LoginFile(
        name=texts["name"],
        token=Secret(texts["token"]),
        trust_pem=decode_bundle(texts["certificate"], path, "certificate"),
        client_type=texts["clienttype"],
        cloud_fqdn=texts["cloudfqdn"],
        cloud_port=_port(values, "cloudport", path),
        cloud_auth_port=_port(values, "cloudauthport", path),
        location=texts["location"],
        auth_type=texts["type"],
        other={key: value for key, value in values.items() if key not in _KNOWN},
    )


def write_login_file(path: Path, login: LoginFile) -> None:
    """Replace the file whole, mode 0600.

    Raises:
        OSError, UnsafeFile: it could not be written; the old file stays.
    """
    files.write_atomic(path, render_login_file(login).encode())


def render_login_file(login: LoginFile) -> str:
    """Return the YAML text, all known keys first and in MOC's order. It holds the token: for a 0600 file only."""
    values: dict[str, object] = {
        "name": login.name,
        "token": login.token.reveal(),
        "certificate": base64.b64encode(login.trust_pem.encode()).decode(),
        "clienttype": login.client_type,
        "cloudfqdn": login.cloud_fqdn,
        "cloudport": login.cloud_port,
        "cloudauthport": login.cloud_auth_port,
        "location": login.location,
        "type": login.auth_type,
    }
    # One long line for each value: a folded token would still be legal YAML, but not to people's line-based tools.
    return yaml.safe_dump({**values, **login.other}, sort_keys=False, width=2**20, allow_unicode=True)


def decode_bundle(text: str, path: Path, key: str) -> str:
    """Return the PEM text behind MOC's base64, checked to hold at least one certificate.

    Raises:
        FileInvalid: it is no base64 of PEM text with certificates.
    """
    try:
        pem = base64.b64decode("".join(text.split()), validate=True).decode("ascii")
        trust.split_bundle(pem)
    except (binascii.Error, UnicodeDecodeError, InvalidInput):
        raise FileInvalid(path, key, "the base64 text of one or more PEM certificates") from None
    return pem


def _mapping(data: bytes, path: Path) -> dict[str, Any]:
    if not data.strip():
        raise FileInvalid(path, "", "a login YAML, but the file is empty")
    try:
        values = yaml.safe_load(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise FileInvalid(path, "", "UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise FileInvalid(path, "", f"valid YAML{line}") from None
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: an impossible date
        raise FileInvalid(path, "", "valid YAML") from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise FileInvalid(path, "", "a YAML mapping with the keys name, token, certificate ...")
    return values


def _text(values: Mapping[str, object], key: str, path: Path) -> str:
    value = values.get(key, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FileInvalid(path, key, "text")
    return value


def _port(values: Mapping[str, object], key: str, path: Path) -> int:
    value = values.get(key, 0)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise FileInvalid(path, key, "a port number from 0 to 65535")
    return value
