"""Signed bundle epochs: what is said of each published trust bundle, who signed it, and how a client walks the chain.

Each epoch's statement names the one before it and is signed twice: by the CA that issued in the epoch before, so that
whoever trusted that one may go on, and by the CA that issues now (pki.md 4.6, 5.1; the idea is TUF's root rotation). A
cut epoch lacks the first signature on purpose: the CA before it may be in wrong hands. Pure: signing needs a key and is
`backend.pki.issue`'s, keeping is the store's. Dates are not looked at: an old root may have ended while a client slept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any, ClassVar, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from backend.core.errors import AgentError, InvalidInput
from backend.pki.keys import check_allowed, verify_signature
from backend.pki.trust import fingerprint, is_authority, split_bundle

MOST_LINKS: Final = 2000  # centuries of yearly rotations with four epochs each; a longer chain is an attack
MOST_STATEMENT_BYTES: Final = 16 * 1024
_KIND: Final = "mocdeck trust bundle epoch 1"  # what a CA key signs is a certificate or this, never mistaken


class ChainRefused(AgentError):
    """The signed chain does not lead from the roots held here to a newer bundle; what is held stays."""

    reason: ClassVar[str] = "chain_refused"


class ChainBroken(ChainRefused):
    """A statement or bundle is not what it claims to be, or does not follow the one before it."""

    reason: ClassVar[str] = "chain_broken"


class NotInChain(ChainRefused):
    """No epoch of the chain has the roots that are held: another deployment's, or older than its first signature."""

    reason: ClassVar[str] = "not_in_chain"


class EpochSkipped(ChainRefused):
    """An epoch is missing, so nobody vouches for the next one."""

    reason: ClassVar[str] = "epoch_skipped"


class EpochOlder(ChainRefused):
    """The chain ends before the epoch held, or goes back: an old one played again."""

    reason: ClassVar[str] = "epoch_older"


class WrongSigner(ChainRefused):
    """A signature is not by the CA that had to sign."""

    reason: ClassVar[str] = "wrong_signer"


class ChainCut(ChainRefused):
    """The chain was cut on purpose, because the CA that is trusted here may be in wrong hands."""

    reason: ClassVar[str] = "chain_cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is signed about one epoch. `roots` and `issuer` are fingerprints, `issuer` one of `roots`.

    `previous_sha256` is "" where a chain begins. `chain_cut` says that the signature of the CA before is missing on
    purpose.
    """

    deployment_id: str
    epoch: int
    created_at: datetime
    roots: tuple[str, ...]
    issuer: str
    bundle_sha256: str
    previous_sha256: str = ""
    chain_cut: bool = False

    def __post_init__(self) -> None:
        if self.epoch < 1:
            raise ValueError(f"epochs begin with 1, not with {self.epoch}")
        if self.issuer not in self.roots:
            raise ValueError(f"the CA that issues in epoch {self.epoch} is not among its roots")

    @property
    def text(self) -> str:
        """The one form in which it is signed, kept and sent: JSON with sorted keys, no white space and ASCII only."""
        values = {**asdict(self), "kind": _KIND, "created_at": int(self.created_at.timestamp())}
        return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @property
    def sha256(self) -> str:
        """Digest by which the next statement names this one."""
        return _sha256(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One epoch as it travels. `previous_signature` is empty where the chain begins and where it was cut."""

    statement: str
    signature: bytes
    previous_signature: bytes
    bundle_pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Where a walk ended: the newest epoch that the roots held lead to; `has_moved` if that is not where it began."""

    epoch: int
    bundle_pem: str
    has_moved: bool


@dataclass(frozen=True, slots=True)
class _Read:
    statement: Statement
    roots: Mapping[str, x509.Certificate]
    link: Link


def state(
    *,
    deployment_id: str,
    epoch: int,
    created_at: datetime,
    bundle_pem: str,
    issuer: str,
    previous: Statement | None,
    chain_cut: bool = False,
) -> Statement:
    """Return the statement to sign about a bundle; `previous` is that of the epoch before, None where a chain begins.

    Raises:
        InvalidInput: the bundle cannot be read.
        ValueError: `issuer` is not the fingerprint of one of its roots.
    """
    return Statement(
        deployment_id=deployment_id,
        epoch=epoch,
        created_at=created_at,
        roots=tuple(fingerprint(root) for root in split_bundle(bundle_pem)),
        issuer=issuer,
        bundle_sha256=_sha256(bundle_pem),
        previous_sha256="" if previous is None else previous.sha256,
        chain_cut=chain_cut,
    )


def read_statement(text: str) -> Statement:
    """Read a statement back; its text must be the very one that `Statement.text` gives.

    Raises:
        ChainBroken: it is none of ours, or is written in another way than it was signed.
    """
    try:
        values: dict[str, Any] = json.loads(text[: MOST_STATEMENT_BYTES + 1])
        created_at = datetime.fromtimestamp(values.pop("created_at"), UTC)
        kind, roots = values.pop("kind"), tuple(values.pop("roots"))
        found = Statement(created_at=created_at, roots=roots, **values)
        is_canonical = kind == _KIND and type(found.epoch) is int and found.text == text
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError):
        is_canonical = False
    if not is_canonical:
        raise ChainBroken("a statement about a trust bundle cannot be read; nothing was taken from the chain")
    return found


def walk(held_pem: str, links: Sequence[Link], *, epoch: int = 0) -> Walked:
    """Follow the chain from the roots held to the newest epoch, or refuse it as a whole.

    `epoch` is the one that the held roots are known to be of; 0: unknown, and the newest epoch with exactly these roots
    is where the walk begins. The first link that is looked at is that very epoch: its own signature shows that the
    chain is this deployment's. A cut epoch lets only those pass who held the root of its issuer before the walk.

    Raises:
        ChainRefused: one of its subclasses says why; take nothing of it.
        InvalidInput: the roots held cannot be read.
    """
    held = {fingerprint(root): root for root in split_bundle(held_pem)}
    if not links or len(links) > MOST_LINKS:
        raise ChainBroken(f"a chain of {len(links)} epochs is not one to walk; nothing was taken from it")
    read = [_read(link) for link in links]
    _check_order(read)
    start = _find_anchor(read, held, epoch)
    anchor = read[start]
    _check_signature(anchor, held[anchor.statement.issuer], anchor.link.signature)
    for before, after in pairwise(read[start:]):
        _check_step(before, after, held)
    last = read[-1]
    return Walked(epoch=last.statement.epoch, bundle_pem=last.link.bundle_pem, has_moved=len(read) > start + 1)


def _read(link: Link) -> _Read:
    statement = read_statement(link.statement)
    try:
        certificates = split_bundle(link.bundle_pem)
        roots = {fingerprint(root): root for root in certificates}
    except InvalidInput as error:
        raise ChainBroken(f"the bundle of epoch {statement.epoch} cannot be read: {error}") from None
    if _sha256(link.bundle_pem) != statement.bundle_sha256 or tuple(roots) != statement.roots:
        raise ChainBroken(f"the bundle of epoch {statement.epoch} is not the one that was signed; nothing was taken")
    if not all(is_authority(root) for root in certificates):
        raise ChainBroken(f"the bundle of epoch {statement.epoch} holds a certificate that is no CA; it is not taken")
    return _Read(statement, roots, link)


def _check_order(read: Sequence[_Read]) -> None:
    for before, after in pairwise(read):
        step = after.statement.epoch - before.statement.epoch
        if step > 1:
            raise EpochSkipped(
                f"the chain goes from epoch {before.statement.epoch} to {after.statement.epoch}; ask for all of it"
            )
        if step < 1:
            raise EpochOlder(f"the chain goes back from epoch {before.statement.epoch} to {after.statement.epoch}")


def _find_anchor(read: Sequence[_Read], held: Mapping[str, x509.Certificate], epoch: int) -> int:
    """Return the place of the epoch that is held."""
    first, last = read[0].statement.epoch, read[-1].statement.epoch
    if epoch > last:
        raise EpochOlder(f"the chain ends at epoch {last}, before epoch {epoch} that is held here")
    if epoch and epoch < first:
        raise EpochSkipped(f"the chain begins at epoch {first}, after epoch {epoch} that is held here")
    if epoch:
        if read[epoch - first].roots.keys() != held.keys():
            raise NotInChain(f"epoch {epoch} of the chain has other roots than those held; it is another agent's chain")
        return epoch - first
    for place in reversed(range(len(read))):
        if read[place].roots.keys() == held.keys():
            return place
    raise NotInChain("no epoch of the chain has the roots that are held here; it does not begin early enough")


def _check_step(before: _Read, after: _Read, held: Mapping[str, x509.Certificate]) -> None:
    """Check that `after` follows `before`, and that somebody who could be trusted until then says so."""
    old, new = before.statement, after.statement
    if new.previous_sha256 != old.sha256 or new.deployment_id != old.deployment_id:
        raise ChainBroken(f"epoch {new.epoch} does not follow the epoch {old.epoch} that came with it; it is not taken")
    if new.chain_cut and new.issuer not in held:
        raise ChainCut(
            f"the chain of trust was cut at epoch {new.epoch}: the CA trusted here may be in wrong hands; what is held "
            "stays, bring a fresh login file by a safe way"
        )
    if not new.chain_cut:
        _check_signature(after, before.roots[old.issuer], after.link.previous_signature)
    _check_signature(after, after.roots[new.issuer], after.link.signature)


def _check_signature(read: _Read, root: x509.Certificate, signature: bytes) -> None:
    statement = read.statement
    try:
        verify_signature(check_allowed(root.public_key()), signature, statement.text.encode())
    except (InvalidSignature, InvalidInput):
        raise WrongSigner(
            f"epoch {statement.epoch} is not signed by {root.subject.rfc4514_string()}, which had to; it is not taken"
        ) from None


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
