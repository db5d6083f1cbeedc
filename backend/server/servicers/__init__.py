"""One servicer module per agent; `TABLE` joins them and says how every served RPC is handled."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from backend.server.servicer import Table
from backend.server.servicers import (
    admin,
    alert,
    audit,
    authentication,
    authority,
    certificate,
    client,
    delivery,
    fleet,
    identity,
    inventory,
    operation,
    role,
    trust,
)

TABLE: Final[Table] = MappingProxyType(
    {
        **authentication.TABLE,
        **identity.TABLE,
        **certificate.TABLE,
        **role.TABLE,
        **inventory.TABLE,
        **admin.TABLE,
        **client.TABLE,
        **fleet.TABLE,
        **operation.TABLE,
        **authority.TABLE,
        **audit.TABLE,
        **alert.TABLE,
        **delivery.TABLE,
        **trust.TABLE,
    }
)
