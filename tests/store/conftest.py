"""A real store file, and short ways to the values that fill it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.core.lifecycle import Validity
from backend.core.model import (
    AuditEvent,
    Authority,
    AuthorityStatus,
    Bundle,
    Certificate,
    ClientKind,
    Heartbeat,
    Identity,
    LastSeen,
    Outcome,
    Token,
    TokenState,
)
from backend.store.port import Store, StoreOpener
from backend.store.records import CrossCertificate, SignedStatement
from backend.store.sqlite import open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Make:
    """Values with only what a test cares about to be named."""

    now: datetime = NOW

    def identity(self, name: str, **other: object) -> Identity:
        given: dict[str, object] = {
            "number": 0,
            "id": f"id-of-{name}",
            "name": name,
            "kind": ClientKind.KVA,
            "created_at": NOW,
        }
        return Identity(**{**given, **other})  # type: ignore[arg-type]

    def certificate(self, serial: int, number: int, **other: object) -> Certificate:
        given: dict[str, object] = {
            "serial": serial,
            "identity_number": number,
            "generation": 1,
            "validity": Validity(not_before=NOW, not_after=NOW + 90 * DAY),
            "requested": 90 * DAY,
            "renew_from": NOW + 54 * DAY,
            "renew_until": NOW + 59 * DAY,
            "key_sha256": f"{serial:064x}",
            "fingerprint": f"{serial:064x}",
            "pem": "-----BEGIN CERTIFICATE-----",
            "issued_at": NOW,
        }
        return Certificate(**{**given, **other})  # type: ignore[arg-type]

    def token(self, token_id: str, number: int, **other: object) -> Token:
        given: dict[str, object] = {
            "id": token_id,
            "identity_number": number,
            "digest": "d" * 64,
            "issued_at": NOW,
            "expires_at": NOW + 90 * DAY,
            "state": TokenState.CURRENT,
        }
        return Token(**{**given, **other})  # type: ignore[arg-type]

    def authority(self, generation: int, status: AuthorityStatus = AuthorityStatus.ISSUING) -> Authority:
        return Authority(
            generation=generation,
            subject=f"CN=demo CA g{generation}",
            validity=Validity(not_before=NOW, not_after=NOW + 365 * DAY),
            fingerprint=f"{generation:064x}",
            pem="-----BEGIN CERTIFICATE-----",
            key_file=f"ca-{generation}",
            status=status,
            created_at=NOW,
        )

    def bundle(self, epoch: int, *generations: int) -> Bundle:
        return Bundle(epoch=epoch, generations=generations or (1,), pem="pem", created_at=NOW)

    def statement(self, epoch: int) -> SignedStatement:
        return SignedStatement(
            epoch=epoch, statement=f'{{"epoch":{epoch}}}', signature="c2ln", previous_signature="", signed_at=NOW
        )

    def cross(self, subject: int, issuer: int) -> CrossCertificate:
        return CrossCertificate(
            subject_generation=subject, issuer_generation=issuer, pem="pem", not_after=NOW + 365 * DAY, created_at=NOW
        )

    def heartbeat(self, number: int, **other: object) -> Heartbeat:
        given: dict[str, object] = {
            "identity_number": number,
            "heard_at": NOW,
            "interval": timedelta(seconds=30),
            "address": "10.0.0.7",
            "serial": 2**159 - 1,
            "epoch": 3,
            "skew": timedelta(seconds=-7),
            "loop_alive": True,
            "last_error": "",
            "version": "1.0",
        }
        return Heartbeat(**{**given, **other})  # type: ignore[arg-type]

    def seen(self, number: int) -> LastSeen:
        return LastSeen(identity_number=number, at=NOW, address="10.0.0.7", serial=5)

    def event(self, index: int, subject: str = "kva") -> AuditEvent:
        return AuditEvent(
            index=index,
            at=NOW,
            actor="admin",
            origin="rpc",
            action="sign_in",
            subject=subject,
            outcome=Outcome.DONE,
            detail={"serial": "1f", "ort": "Köln"},
            previous="0" * 64,
            digest=f"{index:064x}",
        )


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def opener() -> StoreOpener:
    return open_store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a fresh store: copying it is ten times faster than migrating anew for each test."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    open_store(path).close()
    return path.read_bytes()


@pytest.fixture
def store(path: Path, opener: StoreOpener, empty_store: bytes) -> Iterator[Store]:
    path.touch(mode=0o600)
    path.write_bytes(empty_store)
    opened = opener(path)
    yield opened
    opened.close()


@pytest.fixture
def ready(store: Store, make: Make) -> Store:
    """A store with an issuing CA and the identities kva (1) and csi (2)."""
    with store.transaction() as tx:
        tx.authorities.add(make.authority(1))
        tx.bundles.add(make.bundle(1))
        tx.identities.add(make.identity("kva"))
        tx.identities.add(make.identity("csi"))
    return store
