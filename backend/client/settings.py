"""How one client is set up: where its files lie, where its agent is, what keys it makes. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from backend.client import paths
from backend.core.limits import HEARTBEAT
from backend.pki.keys import KeyKind

DATA_PORT: Final = 55000  # moc/protocol.md 1.1
LOGIN_PORT: Final = 65000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """One credential's surroundings.

    `login_file` None: the client has only its cloudconfig and cannot sign in. Empty `address` and zero ports: as the
    login file says, else MOC's. `server_name` empty: the address is the name to verify, as in MOC's clients.
    """

    access_file: Path
    login_file: Path | None = None
    address: str = ""
    port: int = 0
    auth_port: int = 0
    server_name: str = ""
    key_kind: KeyKind = KeyKind.P256
    plaintext: bool = False

    def __post_init__(self) -> None:
        for port in (self.port, self.auth_port):
            if not 0 <= port <= 65535:
                raise ValueError(f"{port} is not a port")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSettings(ClientSettings):
    """A long-running client: besides, how often it says that it lives.

    `renews_itself` False: like the programs that cannot renew by themselves, it keeps its certificate until it is told
    to renew; it still signs in when the certificate has ended.
    """

    heartbeat: timedelta = HEARTBEAT
    renews_itself: bool = True

    def __post_init__(self) -> None:
        ClientSettings.__post_init__(self)
        if self.heartbeat < timedelta(seconds=1):
            raise ValueError(f"a heartbeat every {self.heartbeat} is too often")


def runner_settings_from_environment(environment: Mapping[str, str], home: Path, program: str) -> RunnerSettings:
    """Return settings with MOC's own files, found as its Go clients find them (moc/protocol.md 3.6)."""
    return RunnerSettings(
        access_file=paths.access_file_path(environment, home, program),
        login_file=paths.login_file_path(environment, home),
        plaintext=paths.is_plaintext(environment),
    )
