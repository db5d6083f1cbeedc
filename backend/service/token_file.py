"""`tokens.yaml` in an agent's directory: whose tokens the agent rotates by itself. Read once, at the agent's start.

    rotate:                            # the first rule that fits a client counts
      - name: nodes                    # shown wherever the rule works
        kinds: [NodeAgent, KMS]        # optional; of any kind
        clusters: [wl1, wl2]           # optional; of any cluster
        identities: [csi-wl1-b]        # optional; of any name
        overlap: 12h                   # optional: how long the old token lives on beside the new one
      - name: lab
        clusters: [lab]
        rotate: false                  # these are left to a person, unless the identity itself says autoRotate
      - name: others
        all: true                      # instead of kinds, clusters and identities

An identity with `autoRotate` is rotated whatever stands here. Refuses a file that others can read, and whatever it does
not understand, with the file, the path in it and what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from backend.core.durations import parse_duration
from backend.core.errors import InvalidInput
from backend.core.inert import inert
from backend.core.model import ClientKind
from backend.core.token_policy import TokenPolicy, TokenRule
from backend.pki.files import read_private

TOKEN_FILE: Final = "tokens.yaml"  # noqa: S105 - a file name
_MAX_BYTES: Final = 256 * 1024
_MOST_RULES: Final = 100
_LONGEST_OVERLAP: Final = timedelta(days=30)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_KEYS: Final = ("name", "kinds", "clusters", "identities", "all", "rotate", "overlap")
_KINDS: Final = {kind.value.lower(): kind for kind in ClientKind}


def read_token_file(directory: Path) -> TokenPolicy:
    """Read `tokens.yaml` of an agent's directory; no file means no rule, and only `autoRotate` counts.

    Raises:
        UnsafeFile: others can read it, or it is no regular file.
        InvalidInput: it is not what it should be; the text names the file, the path in it and what was expected.
    """
    path = directory / TOKEN_FILE
    try:
        data = read_private(path, _MAX_BYTES)
    except FileNotFoundError:
        return TokenPolicy()
    return parse_token_policy(data, path)


def parse_token_policy(data: bytes, path: Path) -> TokenPolicy:
    """Return the policy that a file's bytes say; `path` is for the refusals.

    Raises:
        InvalidInput: as `read_token_file`.
    """
    try:
        document = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise InvalidInput(f"{path} is not YAML; correct it, or remove it for no policy") from None
    listed = _mapping(document if document is not None else {}, ("rotate",), "the file", path).get("rotate") or []
    if not isinstance(listed, list) or len(listed) > _MOST_RULES:
        raise InvalidInput(f"{path}: rotate must be a list of at most {_MOST_RULES} rules")
    rules = tuple(_rule(entry, f"rotate[{index}]", path) for index, entry in enumerate(listed))
    names = [rule.name for rule in rules]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidInput(f"{path}: rotate[{index}].name {name!r} is taken by an earlier rule; names must differ")
    return TokenPolicy(rules=rules)


def _rule(entry: object, where: str, path: Path) -> TokenRule:
    fields = _mapping(entry, _KEYS, where, path)
    name = fields.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(f"{path}: {where}.name must be 1 to 32 of letters, digits, '.', '_' and '-'")
    is_all, rotates = _yes_or_no(fields, "all", where, path), _yes_or_no(fields, "rotate", where, path, default=True)
    chosen = [key for key in ("kinds", "clusters", "identities") if fields.get(key) is not None]
    if is_all == bool(chosen):
        raise InvalidInput(f"{path}: {where} must have either kinds, clusters or identities, or `all: true`")
    if not rotates and "overlap" in fields:
        raise InvalidInput(f"{path}: {where} has an overlap and does not rotate; remove one of the two")
    return TokenRule(
        name=name,
        kinds=_kinds(_texts(fields, "kinds", where, path), where, path),
        clusters=frozenset(_texts(fields, "clusters", where, path)),
        identities=frozenset(_texts(fields, "identities", where, path)),
        rotates=rotates,
        overlap=_overlap(fields, where, path),
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


def _yes_or_no(fields: Mapping[str, Any], key: str, where: str, path: Path, *, default: bool = False) -> bool:
    value = fields.get(key, default)
    if not isinstance(value, bool):
        raise InvalidInput(f"{path}: {where}.{key} must be true or false")
    return value


def _texts(fields: Mapping[str, Any], key: str, where: str, path: Path) -> list[str]:
    found = fields.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
        raise InvalidInput(f"{path}: {where}.{key} must be a list of at least one text")
    return found


def _kinds(words: list[str], where: str, path: Path) -> frozenset[ClientKind]:
    unknown = next((word for word in words if word.lower() not in _KINDS), None)
    if unknown is not None:
        known = ", ".join(kind.value for kind in ClientKind)
        raise InvalidInput(f"{path}: {where}.kinds holds {inert(unknown, 40)!r}; kinds are {known}")
    return frozenset(_KINDS[word.lower()] for word in words)


def _overlap(fields: Mapping[str, Any], where: str, path: Path) -> timedelta | None:
    if "overlap" not in fields:
        return None
    expected = f"{path}: {where}.overlap must be a duration up to 30d, as in 12h"
    try:
        overlap = parse_duration(str(fields["overlap"]))
    except ValueError:
        raise InvalidInput(expected) from None
    if not timedelta(0) < overlap <= _LONGEST_OVERLAP:
        raise InvalidInput(expected)
    return overlap
