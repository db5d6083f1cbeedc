"""A client's rounds at the canary: dialling its doors with the trust and the certificate of every day (pki.md 4.2).

Each door is verified as the agent itself is: chain and name, against the roots that are stored. The agent's word which
door is which makes no difference here; a door that opens is gone through, and a root that comes with a rehearsal is
believed at the doors only. Rounds run beside the heartbeats and hold nothing up; the next heartbeat reports.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from typing import Final

from backend.client.access_file import AccessFile
from backend.core.canary import ORDER, SERVER_NAMES, CanaryKind, CanaryReport, CanaryResult, CanaryTask
from backend.core.errors import AgentError
from backend.pki.contexts import load_pair
from backend.wire.knock import words_of

log = logging.getLogger(__name__)

SECONDS: Final = 5.0  # for one step of one door
_ANSWER_BYTES: Final = 16
_SEEN: Final = b"seen"


class CanaryRounds:
    """One client's rounds: at most one at a time, and the report of the last.

    Each runs in a thread that nobody waits for: a command that is done must not hang on a port that a firewall blocks.
    """

    def __init__(self) -> None:
        self.report: CanaryReport | None = None
        self._round: threading.Thread | None = None

    @property
    def is_under_way(self) -> bool:
        """Tell whether a round has not ended yet."""
        return self._round is not None and self._round.is_alive()

    def begin(self, task: CanaryTask, host: str, access: AccessFile) -> None:
        """Make a round, unless one is under way."""
        if not self.is_under_way:
            self._round = threading.Thread(target=self._make, args=(task, host, access), name="canary", daemon=True)
            self._round.start()

    def forget(self) -> None:
        """The agent asks for nothing: there is nothing to report any more."""
        if not self.is_under_way:
            self.report = None

    def _make(self, task: CanaryTask, host: str, access: AccessFile) -> None:
        self.report = make_round(task, host, access)
        for result in self.report.results:
            log.debug("canary", extra={"door": result.kind.value, "opened": result.opened, "why": result.failure})


def make_round(task: CanaryTask, host: str, access: AccessFile) -> CanaryReport:
    """Dial every door once, the one that proves trust last."""
    try:
        context = _context(access, task.rehearsal_root_pem)
    except (AgentError, OSError) as error:  # ssl.SSLError is one
        why = f"our own files cannot be used for TLS: {error}"
        return CanaryReport(
            rotation_id=task.rotation_id,
            results=(CanaryResult(kind=CanaryKind.TRUST, opened=False, failure=why),),
        )
    results = tuple(_dial(kind, task, host, context) for kind in ORDER)
    return CanaryReport(rotation_id=task.rotation_id, results=results)


def _dial(kind: CanaryKind, task: CanaryTask, host: str, context: ssl.SSLContext) -> CanaryResult:
    try:
        with (
            socket.create_connection((host, task.port), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=SERVER_NAMES[kind]) as secured,
        ):
            secured.sendall(f"{task.nonce}\n".encode())
            answer = secured.recv(_ANSWER_BYTES)
    except ssl.SSLCertVerificationError as error:
        return CanaryResult(kind=kind, opened=False, failure=error.verify_message)
    except ssl.SSLError as error:
        return CanaryResult(kind=kind, opened=False, failure=error.reason or "TLS alert")
    except OSError as error:
        return CanaryResult(kind=kind, opened=False, failure=words_of(error))
    if not answer.startswith(_SEEN):
        return CanaryResult(kind=kind, opened=False, failure="the agent did not recognise this client there")
    return CanaryResult(kind=kind, opened=True)


def _context(access: AccessFile, rehearsal_root_pem: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=access.trust_pem + rehearsal_root_pem)
    load_pair(context, access.certificate_pem, access.key_pem)
    return context
