"""The agent's CA keys: loaded from the vault when needed, one per generation, and never handed out.

Only the generation whose row says ISSUING signs leaves; a staged one exists as a key file and a row, no more
(pki.md, invariant I9). Files come first and rows second, so that a crash leaves an orphan file and never a row
without its key (pki.md 5.7).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from backend.core.errors import InconsistentState
from backend.core.lifecycle import Validity
from backend.core.model import Authority, AuthorityStatus
from backend.pki.issue import Issuer, make_root
from backend.pki.keys import KeyKind, PrivateKey, generate_key, load_private_key, private_key_pem
from backend.pki.trust import bundle_pem, fingerprint, split_bundle, validity_of
from backend.pki.vault import KeyVault
from backend.store.port import Transaction
from backend.store.records import CrossCertificate

SERVER_KEY_FILE: Final = "server.key"


def key_file_name(generation: int) -> str:
    """Name of a generation's key in the vault."""
    return f"ca-g{generation}.key"


class Signer:
    """CA generations over one key vault; used by the core thread only."""

    def __init__(self, vault: KeyVault) -> None:
        self._vault = vault
        self._issuers: dict[str, Issuer] = {}  # by the root's fingerprint: a generation number alone could be reused
        self._server_key: PrivateKey | None = None

    def issuing(self, tx: Transaction) -> Issuer:
        """The issuer that signs new leaves now."""
        return self.of(tx.authorities.issuing())

    def of(self, authority: Authority) -> Issuer:
        """The issuer of a given generation, whatever its status: for the self-test of a staged one.

        Raises:
            InconsistentState: its key is destroyed.
        """
        if authority.status is AuthorityStatus.DESTROYED:
            raise InconsistentState(f"the key of CA generation {authority.generation} is destroyed; it signs nothing")
        cached = self._issuers.get(authority.fingerprint)
        if cached is not None:
            return cached
        issuer = Issuer(authority, load_private_key(self._vault.read(authority.key_file), is_sealed=True))
        self._issuers[authority.fingerprint] = issuer
        return issuer

    def stage(self, generation: int, deployment: str, now: datetime, lifetime: timedelta) -> Authority:
        """Make the key and root of a new generation, write the key file, and return the row to add.

        The caller has made sure that no row names this generation: a key file that is there already is then an
        orphan of a broken attempt and is replaced.
        """
        key = generate_key(KeyKind.P256)
        root = make_root(generation, deployment, key, now, lifetime)
        name = key_file_name(generation)
        self._vault.write(name, private_key_pem(key))
        return Authority(
            generation=generation,
            subject=root.subject.rfc4514_string(),
            validity=Validity(not_before=root.not_valid_before_utc, not_after=root.not_valid_after_utc),
            fingerprint=fingerprint(root),
            pem=root.public_bytes(Encoding.PEM).decode("ascii"),
            key_file=name,
            status=AuthorityStatus.STAGED,
            created_at=now,
        )

    def cross_sign(self, *, subject: Authority, issuer: Authority, now: datetime) -> CrossCertificate:
        """Let one generation vouch for another's CA; the row to add. The issuer's key is needed, the subject's is not.

        Raises:
            InconsistentState: the issuer's key is destroyed, or both roots are never valid at the same time.
        """
        made = self.of(issuer).cross_sign(split_bundle(subject.pem)[0])
        return CrossCertificate(
            subject_generation=subject.generation,
            issuer_generation=issuer.generation,
            pem=bundle_pem([made]),
            not_after=validity_of(made).not_after,
            created_at=now,
        )

    def server_key(self) -> PrivateKey:
        """The agent's own TLS key; made and kept in the vault at the first call."""
        if self._server_key is None:
            if SERVER_KEY_FILE not in self._vault.names():
                self._vault.write(SERVER_KEY_FILE, private_key_pem(generate_key(KeyKind.P256)))
            self._server_key = load_private_key(self._vault.read(SERVER_KEY_FILE), is_sealed=True)
        return self._server_key

    def key_files(self) -> tuple[str, ...]:
        """Names of the CA keys that the vault holds."""
        return tuple(name for name in self._vault.names() if name.startswith("ca-g") and name.endswith(".key"))

    def destroy(self, key_file: str) -> None:
        """Overwrite and remove a CA key file; idempotent."""
        self._issuers.clear()
        if key_file in self._vault.names():
            self._vault.shred(key_file)
