"""`agent.yaml`: the names of an agent, written once at its birth and read at every start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from backend.core.errors import InvalidInput, NotFound
from backend.pki.files import write_atomic

AGENT_FILE: Final = "agent.yaml"
_MAX_BYTES: Final = 64 * 1024
_KEYS: Final = ("deployment", "deployment_id", "fqdns")
_OPTIONAL: Final = ("second_approver",)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentNames:
    """Name and GUID of the deployment, and the names and addresses that its clients dial."""

    deployment: str
    deployment_id: str
    fqdns: tuple[str, ...]
    second_approver: bool = False  # another person has to approve a CA rotation with overlap


def write_agent_file(directory: Path, names: AgentNames) -> None:
    """Write `agent.yaml` into an agent's directory."""
    document = {"deployment": names.deployment, "deployment_id": names.deployment_id, "fqdns": list(names.fqdns)}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    write_atomic(directory / AGENT_FILE, text.encode())


def read_agent_file(directory: Path) -> AgentNames:
    """Read `agent.yaml` of an agent's directory.

    Raises:
        NotFound: there is none.
        InvalidInput: it is not what was written; the text names the file, the key and what was expected.
    """
    path = directory / AGENT_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no agent in {directory}; make one with `mocdeck agent init`") from None
    if len(data) > _MAX_BYTES:
        raise InvalidInput(f"{path} has {len(data)} bytes, far more than this file ever has; restore it from a backup")
    try:
        document = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"{path} is not YAML: {_short(error)}; restore it from a backup") from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{path} must hold the keys {', '.join(_KEYS)}; restore it from a backup")
    known = (*_KEYS, *_OPTIONAL)
    unknown = sorted(str(key) for key in set(document) - set(known))
    if unknown:
        raise InvalidInput(f"{path} holds the unknown key {unknown[0]!r}; known keys are {', '.join(known)}")
    if not isinstance(document.get("second_approver", False), bool):
        raise InvalidInput(f"{path}: second_approver must be true or false")
    return AgentNames(
        deployment=_text(document, "deployment", path),
        deployment_id=_text(document, "deployment_id", path),
        fqdns=_texts(document, "fqdns", path),
        second_approver=document.get("second_approver", False),
    )


def _text(document: dict[Any, Any], key: str, path: Path) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{path}: {key} must be a text that is not empty")
    return value


def _texts(document: dict[Any, Any], key: str, path: Path) -> tuple[str, ...]:
    value = document.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise InvalidInput(f"{path}: {key} must be a list of at least one name or address")
    return tuple(value)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
