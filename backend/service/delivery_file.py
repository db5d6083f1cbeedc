"""`delivery.yaml` in an agent's directory: through which API servers login files may go. Read once, at the start.

    clusters:
      - name: wl1                                  # as in the fleet
        kubeconfig: /etc/mocdeck/wl1.kubeconfig    # mode 0600; read again for every look and every delivery
        context: mocdeck@wl1                       # optional: not the kubeconfig's current one
        take_over: true                            # optional: also where another program wrote the login file
        kinds:                                     # optional: NAMESPACE/NAME/KEY for all clients of a kind
          CSI: kube-system/csi-login/value
        identities:                                # optional: for one client; wins over its kind
          csi-wl1-b: kube-system/csi-login-b/value

A client's own tag `mocdeck.secret` wins over both. For CAPH the place is known: default/caphlogintoken/value. Refuses a
file that others can read, and whatever it does not understand, with the file, the path in it and what was expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from backend.core.delivery import KNOWN_SECRETS, TAG_SECRET, Place, Route, SecretPlace
from backend.core.errors import InvalidInput
from backend.core.inert import inert
from backend.core.model import ClientKind, Identity
from backend.pki.files import read_private

DELIVERY_FILE: Final = "delivery.yaml"
_MAX_BYTES: Final = 1024 * 1024
_MOST_CLUSTERS: Final = 256
_KEYS: Final = ("name", "kubeconfig", "context", "take_over", "kinds", "identities")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDoor:
    """How one cluster's API server is reached, and where its clients' login files lie in it."""

    name: str
    kubeconfig: Path
    context: str = ""
    take_over: bool = False
    kinds: Mapping[ClientKind, SecretPlace] = field(default_factory=dict)
    identities: Mapping[str, SecretPlace] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """What `delivery.yaml` says; empty without one."""

    clusters: Mapping[str, ClusterDoor] = field(default_factory=dict)

    def places_of(self, identity: Identity) -> tuple[Place, ...]:
        """Where the agent could put this client's login file, in order of preference."""
        found = []
        secret = self._secret_of(identity)
        if secret is not None:
            found.append(Place(route=Route.KUBERNETES, where=str(secret), cluster=identity.cluster))
        if identity.login_file_path:
            found.append(Place(route=Route.FILE, where=identity.login_file_path))
        return tuple(found)

    def _secret_of(self, identity: Identity) -> SecretPlace | None:
        door = self.clusters.get(identity.cluster)
        if door is None:
            return None
        if identity.tags.get(TAG_SECRET):
            try:
                return SecretPlace.parse(identity.tags[TAG_SECRET])
            except InvalidInput:  # `identities` refuses such a tag; one that an older version let in names no place
                return None
        named = door.identities.get(identity.name) or door.kinds.get(identity.kind)
        return named or KNOWN_SECRETS.get(identity.kind)


def read_delivery_file(directory: Path) -> DeliverySettings:
    """Read `delivery.yaml` of an agent's directory; no file means no cluster is reached.

    A kubeconfig that is missing or unusable is no reason to refuse: it is found, and said, at every look.

    Raises:
        UnsafeFile: others can read it, or it is no regular file.
        InvalidInput: it is not what it should be; the text names the file, the path in it and what was expected.
    """
    path = directory / DELIVERY_FILE
    try:
        data = read_private(path, _MAX_BYTES)
    except FileNotFoundError:
        return DeliverySettings()
    try:
        document = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise InvalidInput(f"{path} is not YAML; correct it, or remove it for no delivery into clusters") from None
    listed = _mapping(document if document is not None else {}, ("clusters",), "the file", path).get("clusters") or []
    if not isinstance(listed, list) or len(listed) > _MOST_CLUSTERS:
        raise InvalidInput(f"{path}: clusters must be a list of at most {_MOST_CLUSTERS} entries")
    doors: dict[str, ClusterDoor] = {}
    for index, entry in enumerate(listed):
        door = _door(entry, f"clusters[{index}]", path)
        if door.name in doors:
            raise InvalidInput(f"{path}: clusters[{index}].name {door.name!r} is taken by an earlier cluster")
        doors[door.name] = door
    return DeliverySettings(clusters=doors)


def _door(entry: object, where: str, path: Path) -> ClusterDoor:
    fields = _mapping(entry, _KEYS, where, path)
    kubeconfig = Path(_text(fields.get("kubeconfig"), f"{where}.kubeconfig", path))
    if not kubeconfig.is_absolute():
        raise InvalidInput(f"{path}: {where}.kubeconfig must be an absolute path")
    take_over = fields.get("take_over", False)
    if not isinstance(take_over, bool):
        raise InvalidInput(f"{path}: {where}.take_over must be true or false")
    kinds = {}
    for word, place in _secrets(fields, "kinds", where, path).items():
        try:
            kinds[ClientKind(word)] = place
        except ValueError:
            known = ", ".join(kind.value for kind in ClientKind)
            raise InvalidInput(f"{path}: {where}.kinds holds {inert(word, 40)!r}; kinds are {known}") from None
    return ClusterDoor(
        name=_text(fields.get("name"), f"{where}.name", path),
        kubeconfig=kubeconfig,
        context=_text(fields["context"], f"{where}.context", path) if "context" in fields else "",
        take_over=take_over,
        kinds=kinds,
        identities=_secrets(fields, "identities", where, path),
    )


def _secrets(fields: Mapping[str, Any], key: str, where: str, path: Path) -> dict[str, SecretPlace]:
    found = fields.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidInput(f"{path}: {where}.{key} must map names to NAMESPACE/NAME/KEY")
    places = {}
    for name, text in found.items():
        try:
            places[str(name)] = SecretPlace.parse(text if isinstance(text, str) else "")
        except InvalidInput:
            raise InvalidInput(
                f"{path}: {where}.{key}.{inert(str(name), 40)} must be NAMESPACE/NAME/KEY, as in"
                " default/caphlogintoken/value"
            ) from None
    return places


def _mapping(value: object, keys: tuple[str, ...], where: str, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{path}: {where} must hold the keys {', '.join(keys)}")
    unknown = sorted(str(key) for key in set(value) - set(keys))
    if unknown:
        raise InvalidInput(
            f"{path}: {where} holds the unknown key {inert(unknown[0], 40)!r}; known are {', '.join(keys)}"
        )
    return value


def _text(value: object, where: str, path: Path) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise InvalidInput(f"{path}: {where} must be a text on one line that is not empty")
    return value
