"""The first administrator's login file in the agent's own directory names the ports that the agent really has.

It is written before the first start, with the usual ports; whoever starts the agent on others would find a file that
leads nowhere. Only the two ports are put right: the token stays the one that is in it.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from backend.core.errors import AgentError
from backend.pki.files import read_private, write_atomic
from backend.service.bootstrap import LOGIN_FILE
from backend.service.world import ADMIN_DIRECTORY, World
from backend.store.port import Transaction

_MAX_BYTES = 1024 * 1024


def put_ports_right(tx: Transaction, world: World) -> bool:
    """Let the file name the ports of `world`; tell whether it had named others. A file that is not ours is left alone.

    Call it before anything else may write the file.
    """
    path = world.agent_directory / ADMIN_DIRECTORY / LOGIN_FILE
    document = _read(path)
    identity = None if document is None else tx.identities.find(str(document.get("name")))
    if document is None or identity is None:
        return False
    ports = {
        "cloudport": identity.cloud_port or world.port,
        "cloudauthport": identity.cloud_auth_port or world.auth_port,
    }
    if all(document.get(key) == port for key, port in ports.items()):
        return False
    text = yaml.safe_dump({**document, **ports}, sort_keys=False, allow_unicode=True, width=2**31)
    write_atomic(path, text.encode())
    return True


def _read(path: Path) -> dict[str, object] | None:
    """Return what the file says; None when it is missing, unsafe or no login file: then a delivery writes it anew."""
    try:
        document = yaml.safe_load(read_private(path, _MAX_BYTES, follow_links=False))
    except (OSError, AgentError, yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None
    return document if isinstance(document, dict) and {"name", "token", "cloudport"} <= document.keys() else None
