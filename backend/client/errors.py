"""What can go wrong between this computer and an agent, beyond what the agent itself refuses (`backend.core.errors`).

    AgentError
    ├── Unreachable              nothing answers there, or not in time: try again later
    ├── AgentUntrusted           the agent's certificate fits none of the roots that we hold: a newer login file
    ├── FileInvalid              a file of ours cannot be read: names the file, the key and what was expected
    └── Unauthenticated
        ├── CertificateRefused   the agent's TLS did not take our certificate: sign in again
        └── NoCredential         there is neither a usable certificate nor a token to sign in with

That the signed chain of trust bundles leads nowhere is `backend.pki.epochs.ChainRefused`. Turning gRPC's statuses into
these and the core's classes is `backend.client.statuses`' work.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from backend.core.errors import AgentError, InvalidInput, Unauthenticated


class Unreachable(AgentError):
    """No connection to the agent, or no answer before the deadline."""

    reason: ClassVar[str] = "unreachable"
    moc_code: ClassVar[int] = 31  # Timeout


class AgentUntrusted(AgentError):
    """The agent's certificate does not verify with the roots that this client holds, or is for another name."""

    reason: ClassVar[str] = "agent_untrusted"
    moc_code: ClassVar[int] = 43


class CertificateRefused(Unauthenticated):
    """The agent closed the TLS handshake on our certificate, without a word why (as TLS 1.3 servers may)."""

    reason: ClassVar[str] = "certificate_refused"


class NoCredential(Unauthenticated):
    """Neither a usable certificate nor a living token: a new login file has to be brought."""

    reason: ClassVar[str] = "no_credential"


class FileInvalid(InvalidInput):
    """A file is not what it should be; `path`, `key` and `expected` say where and what."""

    reason: ClassVar[str] = "file_invalid"

    def __init__(self, path: Path, key: str, expected: str) -> None:
        where = f"{path}: {key}" if key else f"{path}"
        super().__init__(f"{where}: expected {expected}")
        self.path = path
        self.key = key
        self.expected = expected
