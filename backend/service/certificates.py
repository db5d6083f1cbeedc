"""Named certificates (MOC's CertificateAgent): entries with a name, filled by signing and renewing.

An entry is kept as it came; its content is the certificate last issued under its name. Every certificate belongs to an
identity, so `sign` takes the name of one (empty: the caller's own), and what it issues is that identity's template.
Deleting an entry forgets the name; a certificate stops counting only when its identity is revoked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from backend.core.errors import CertificateUntrusted, InvalidInput, NotFound
from backend.core.model import Certificate
from backend.pki.trust import fingerprint, split_bundle
from backend.service import inventory
from backend.service.caller import Caller
from backend.service.inventory import CERTIFICATE, ResourceDraft
from backend.service.renewal import create_certificate
from backend.service.renewal import renew as renew_certificate
from backend.service.versions import check_version, next_version
from backend.service.world import World
from backend.store.port import Transaction
from backend.store.records import Resource

_ISSUED: Final = "issued certificate"  # rows that say which serial fills an entry; the body is its hex


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCertificate:
    """An entry, its content, or both; never neither."""

    name: str
    entry: Resource | None
    certificate: Certificate | None


def create_or_update(tx: Transaction, world: World, caller: Caller, draft: ResourceDraft) -> NamedCertificate:
    """Keep an entry; a certificate that fills it stays.

    Raises:
        OldVersion: the version sent is not the present one.
    """
    entry = inventory.put(tx, world, caller, draft)
    return NamedCertificate(name=entry.name, entry=entry, certificate=_find_content(tx, entry.name))


def get(tx: Transaction, name: str) -> NamedCertificate:
    """Return what is kept under a name.

    Raises:
        NotFound: nothing is.
    """
    entry, certificate = tx.resources.find(CERTIFICATE, name), _find_content(tx, name)
    if entry is None and certificate is None:
        raise NotFound(f"certificate {name!r}: Not Found")
    return NamedCertificate(name=name, entry=entry, certificate=certificate)


def list_all(tx: Transaction) -> Sequence[NamedCertificate]:
    """Return everything kept, by name."""
    entries = {entry.name for entry in tx.resources.all(CERTIFICATE)}
    issued = {entry.name for entry in tx.resources.all(_ISSUED)}
    return [get(tx, name) for name in sorted(entries | issued)]


def delete(tx: Transaction, world: World, caller: Caller, draft: ResourceDraft) -> None:
    """Forget a name.

    Raises:
        NotFound: nothing is kept under it.
        OldVersion: the version sent is not the present one.
    """
    kept = get(tx, draft.name)
    if kept.entry is not None:
        inventory.delete(tx, world, caller, draft)
    if kept.certificate is not None:
        tx.resources.delete(_ISSUED, draft.name)


def sign(
    tx: Transaction,
    world: World,
    caller: Caller,
    *,
    name: str,
    csr_pem: str,
    lifetime: timedelta | None = None,
) -> Certificate:
    """Issue a certificate of the identity `name` (empty: the caller's own) and fill the entry of that name.

    Raises:
        NotFound: there is no identity of that name; create it first.
        AccessDenied: the identity has rights that the caller has not.
        InvalidInput: the request cannot be read, or `lifetime` is longer than the policy's.
        Fenced: issuing is stopped for a CA rotation.
    """
    name = name or caller.name
    if tx.identities.find(name) is None:
        raise NotFound(f"identity {name!r}: Not Found; a certificate is signed for an identity, create it first")
    certificate = create_certificate(
        tx, world, caller, identity_name=name, csr_pem=csr_pem, lifetime=lifetime, action="sign_certificate"
    )
    _fill(tx, world, name, certificate)
    return certificate


def renew(
    tx: Transaction, world: World, caller: Caller, *, name: str, csr_pem: str, old_certificate_pem: str
) -> Certificate:
    """Renew `old_certificate_pem` and fill the entry `name` (empty: the one of its identity).

    Raises:
        InvalidInput: no old certificate is given.
        CertificateUntrusted: it was not issued by this agent.
        As `backend.service.renewal.renew` besides.
    """
    if not old_certificate_pem:
        raise InvalidInput("no oldCertificate is given; send the certificate that is to be renewed")
    leaf = split_bundle(old_certificate_pem)[0]
    row = tx.certificates.find(leaf.serial_number)
    identity = None if row is None else tx.identities.find_by_number(row.identity_number)
    if row is None or identity is None or row.fingerprint != fingerprint(leaf):
        raise CertificateUntrusted("the old certificate was not issued by this agent; sign in again")
    certificate = renew_certificate(
        tx, world, caller, identity_name=identity.name, csr_pem=csr_pem, old_certificate_pem=old_certificate_pem
    )
    _fill(tx, world, name or identity.name, certificate)
    return certificate


def precheck(tx: Transaction, drafts: Iterable[ResourceDraft]) -> None:
    """Raise what `create_or_update` would raise for these drafts; change nothing."""
    for draft in drafts:
        present = tx.resources.find(CERTIFICATE, draft.name)
        check_version(draft.version, "" if present is None else present.version, f"certificate {draft.name!r}")


def _find_content(tx: Transaction, name: str) -> Certificate | None:
    row = tx.resources.find(_ISSUED, name)
    return None if row is None else tx.certificates.find(int(row.body, 16))


def _fill(tx: Transaction, world: World, name: str, certificate: Certificate) -> None:
    now = world.clock.now()
    tx.resources.put(
        Resource(
            kind=_ISSUED,
            name=name,
            id=f"{certificate.serial:x}",
            location="",
            version=next_version(now),
            created_at=now,
            body=f"{certificate.serial:x}".encode("ascii"),
        )
    )
