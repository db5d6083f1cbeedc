"""What a caller asks for, before the agent gives it a number, an id and a time of birth.

Made by `backend.wire.convert` from checked messages; use cases turn it into the stored value. Nothing here is a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from backend.core.limits import CLIENT_LIFETIME
from backend.core.model import ClientKind, ClientType


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityDraft:
    """An identity as a create-or-update call describes it; fields mean what they mean in `model.Identity`.

    `cloud_fqdn` and the ports are empty or 0 where the agent's own are meant. `version` is the one the caller read
    before it changed something; empty: the caller does not care who wrote last.
    """

    name: str
    kind: ClientKind = ClientKind.OTHER
    client_type: ClientType = ClientType.EXTERNALCLIENT
    cluster: str = ""
    host: str = ""
    owner: str = ""
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    token_lifetime: timedelta = CLIENT_LIFETIME
    auto_rotate: bool = False
    login_file_path: str = ""
    auto_renew: bool | None = None
    cloud_fqdn: str = ""
    cloud_port: int = 0
    cloud_auth_port: int = 0
    version: str = ""
