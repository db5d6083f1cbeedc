"""Sign-ins and renewals a second, through TLS and with durable commits, each beside the floors of the same run."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from floors import Paper, rate

from backend.clock import SystemClock
from backend.core.drafts import IdentityDraft
from backend.core.model import Secret
from backend.pki import keys, requests, trust
from backend.service import guard, identities
from backend.service.bootstrap import STORE_FILE, open_world
from backend.service.signin import sign_in
from backend.store.sqlite import open_store
from backend.wire.convert import decoded

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]
CALLS = 64 * 40


def single_commits(path: Path) -> float:
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("pragma journal_mode=wal")
    store.execute("pragma synchronous=full")
    store.execute("create table leaves (serial integer primary key, pem text)")
    found = rate(lambda: store.execute("insert into leaves (pem) values (?)", ("x" * 800,)))
    store.close()
    return found


def bare_signing() -> float:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    text = hashlib.sha256(b"leaf").digest()
    return rate(lambda: key.sign(text, ec.ECDSA(hashes.SHA256())))


def enrolled(directory: Path, count: int) -> dict[str, str]:
    """Identities with their tokens, made through the use case."""
    clock = SystemClock()
    world = open_world(directory, passphrase=Secret("correct horse battery staple"), clock=clock)
    store = open_store(directory / STORE_FILE)
    login = yaml.safe_load((directory / "admin" / "login.yaml").read_text())
    with store.transaction() as tx:
        csr = requests.make_csr(keys.generate_key(keys.KeyKind.P256), "admin")
        made = sign_in(tx, world, token=Secret(login["token"]), name="admin", csr_pem=csr, address="127.0.0.1")
        leaf = trust.split_bundle(made.pem)[0]
        from cryptography.hazmat.primitives.serialization import Encoding

        admin = guard.authenticate(tx, world, leaf.public_bytes(Encoding.DER), "127.0.0.1")
        tokens = {}
        for number in range(count):
            name = f"kms-{number}"
            _, token = identities.create_or_update(tx, world, admin, IdentityDraft(name=name))
            assert token is not None
            tokens[name] = token.reveal()
    store.close()
    return tokens


def test_sign_ins_and_renewals(directory: Path, tmp_path: Path, programs: Any, row: Any) -> None:
    beside, ran, _ = programs
    paper = Paper()
    row("floor: bare P-256 signatures", f"{bare_signing():,.0f}/s", "one core; physical")
    signing = rate(paper.sign)
    row("floor: request read, leaf built and signed", f"{signing:,.0f}/s", "one core, no store, no network")
    commits = single_commits(tmp_path / "floor.db")
    row("floor: SQLite WAL FULL, one commit an insert", f"{commits:,.0f}/s", "no group commit")
    order = paper.echo_order()
    with beside("echo-server", order) as (_, server):
        echo = ran("echo-load", {**order, "port": server["port"], "calls": 2 * CALLS})
    floor = echo["per_second"]
    row("floor: grpc.aio echo, mutual TLS, 64 kept connections", f"{floor:,.0f}/s", "load on the same cores")

    tokens = enrolled(directory, 64)
    roots = decoded(yaml.safe_load((directory / "admin" / "login.yaml").read_text())["certificate"], "roots")
    with beside("agent", {"directory": str(directory), "passphrase": "correct horse battery staple"}) as (_, at):
        found = ran("agent-load", {**at, "roots": roots, "tokens": tokens, "calls": CALLS})
    for what, figures in (("sign-ins", found["sign_ins"]), ("renewals", found["renewals"])):
        per_second = figures["per_second"]
        row(
            f"{what}, durable, through TLS",
            f"{per_second:,.0f}/s",
            f"{per_second / floor:.2f} of echo, {per_second / signing:.2f} of signing, {per_second / commits:.2f} of"
            f" single commits; p50 {figures['p50_ms']:.0f} ms, p99 {figures['p99_ms']:.0f} ms",
        )
