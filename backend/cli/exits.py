"""Exit codes: the one table (domain.md, section 17), and which error ends with which.

The codes from 64 on follow BSD's sysexits.h where it has a name for the matter; those from 80 on are mocdeck's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """How the program ends. Of several status codes 2 goes before 3, before 1, before 0."""

    OK = 0  # an action: done and verified
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3
    PARTLY = 4
    REFUSED = 5
    NOT_CONFIRMED = 6
    UNVERIFIED = 7
    USAGE = 64
    DAMAGED = 65
    NOT_FOUND = 66
    UNREACHABLE = 69
    INTERNAL = 70
    DISK = 74
    BUSY = 75
    ACCESS = 77
    CONFIG = 78
    UNTRUSTED = 80
    PASSPHRASE = 81
    PORT = 82
    STORE_TOO_NEW = 83
    UNSAFE_FILE = 84
    INTERRUPTED = 130


MEANINGS: Final[Mapping[Exit, str]] = {
    Exit.OK: "status: all is well; action: done and verified",
    Exit.WARNING: "status: the worst that is shown is a warning",
    Exit.CRITICAL: "status: something is critical or expired, or ends within --fail-within",
    Exit.UNKNOWN: "status: something is unknown and nothing is worse",
    Exit.PARTLY: "action: some clients done, others failed, were refused or not started",
    Exit.REFUSED: "action: refused before anything was changed",
    Exit.NOT_CONFIRMED: "action: not confirmed, nothing was changed",
    Exit.UNVERIFIED: "action: carried out, but not seen to work (yet)",
    Exit.USAGE: "the command line or a value on it is wrong",
    Exit.DAMAGED: "data is damaged: a key vault, the store or the audit chain",
    Exit.NOT_FOUND: "no such client, identity, role, context, operation or file; no known message fits",
    Exit.UNREACHABLE: "the agent does not answer",
    Exit.INTERNAL: "a fault in mocdeck itself",
    Exit.DISK: "a file or the store cannot be read or written",
    Exit.BUSY: "another mocdeck is changing things in this context; come back later",
    Exit.ACCESS: "no credential that the agent accepts, or no permission",
    Exit.CONFIG: "the configuration or a credential file is wrong, or no context is configured",
    Exit.UNTRUSTED: "the agent's certificate is not trusted",
    Exit.PASSPHRASE: "the passphrase is missing or does not open the keys",
    Exit.PORT: "a port cannot be bound",
    Exit.STORE_TOO_NEW: "the store was written by a newer version",
    Exit.UNSAFE_FILE: "others can reach a file or directory that must be private",
    Exit.INTERRUPTED: "interrupted at the keyboard",
}

_BY_REASON: Final[Mapping[str, Exit]] = {
    "not_found": Exit.NOT_FOUND,
    "no_context": Exit.CONFIG,
    "failed": Exit.INTERNAL,
    "already_exists": Exit.REFUSED,
    "invalid_input": Exit.USAGE,
    "bad_filter": Exit.USAGE,
    "not_supported": Exit.REFUSED,
    "unauthenticated": Exit.ACCESS,
    "token_rejected": Exit.ACCESS,
    "certificate_expired": Exit.ACCESS,
    "certificate_refused": Exit.ACCESS,
    "no_credential": Exit.ACCESS,
    "revoked": Exit.ACCESS,
    "access_denied": Exit.ACCESS,
    "proof_refused": Exit.ACCESS,
    "certificate_untrusted": Exit.ACCESS,
    "agent_untrusted": Exit.UNTRUSTED,
    "chain_refused": Exit.UNTRUSTED,
    "chain_broken": Exit.UNTRUSTED,
    "chain_cut": Exit.UNTRUSTED,
    "not_in_chain": Exit.UNTRUSTED,
    "epoch_skipped": Exit.UNTRUSTED,
    "epoch_older": Exit.UNTRUSTED,
    "wrong_signer": Exit.UNTRUSTED,
    "old_version": Exit.REFUSED,
    "inconsistent_state": Exit.REFUSED,
    "illegal_transition": Exit.REFUSED,
    "plan_changed": Exit.REFUSED,
    "confirmation_refused": Exit.NOT_CONFIRMED,
    "fenced": Exit.REFUSED,
    "unreachable": Exit.UNREACHABLE,
    "file_invalid": Exit.CONFIG,
    "wrong_passphrase": Exit.PASSPHRASE,
    "no_passphrase": Exit.PASSPHRASE,
    "port_unavailable": Exit.PORT,
    "store_too_new": Exit.STORE_TOO_NEW,
    "store_damaged": Exit.DAMAGED,
    "vault_damaged": Exit.DAMAGED,
    "unsafe_file": Exit.UNSAFE_FILE,
    "store_unsafe": Exit.UNSAFE_FILE,
    "store_unavailable": Exit.DISK,
    "not_written": Exit.DISK,
    "busy": Exit.BUSY,
    "not_confirmed": Exit.NOT_CONFIRMED,
}


def exit_for(reason: str) -> Exit:
    """Return the exit code of an `AgentError` by its stable reason; a refusal of an unknown kind is a refusal."""
    return _BY_REASON.get(reason, Exit.REFUSED)


def exit_table() -> str:
    """Return the codes with their meanings, one a line, for the help and the README."""
    return "\n".join(f"{code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())
