"""A real agent for tests of use cases: its own directory, SQLite file, vault and keys, under a clock that stands still.

The agent is born once a session and copied for every test, because deriving keys takes longer than a test should.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding

from backend.clock import ManualClock
from backend.core.drafts import IdentityDraft
from backend.core.model import Certificate, Identity, Secret
from backend.core.rbac import RoleAssignment
from backend.pki.keys import KeyKind, PrivateKey, generate_key
from backend.pki.requests import make_csr
from backend.pki.trust import split_bundle
from backend.pki.vault import KeyVault
from backend.service import identities, roles
from backend.service.bootstrap import KEYS_DIRECTORY, STORE_FILE, NewAgent, init_agent, open_world
from backend.service.caller import Caller
from backend.service.clock_watch import ClockWatch
from backend.service.guard import authenticate
from backend.service.mirror import FleetMirror
from backend.service.pace import TICK_RESTS, Held, Pace
from backend.service.peers import PeerCache
from backend.service.rates import Rates
from backend.service.signer import Signer
from backend.service.signin import sign_in
from backend.service.world import World
from backend.store.port import Store, Transaction
from backend.store.sqlite import open_store

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
PASSPHRASE = Secret("correct horse battery staple")
ADDRESS = "192.0.2.7:50123"


@dataclass(frozen=True, slots=True, kw_only=True)
class Born:
    """The agent of the session: never written to after its birth."""

    agent: NewAgent
    world: World
    vault: KeyVault


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One test's agent. `admin` is the first administrator, signed in, with the role Owner."""

    world: World
    store: Store
    clock: ManualClock
    directory: Path
    admin_token: Secret
    admin: Caller

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction that commits at its end."""
        return self.store.transaction()

    def identity(self, name: str, **fields: Any) -> tuple[Identity, Secret]:
        """A new identity and its first token; fields are those of `IdentityDraft`."""
        with self.transaction() as tx:
            made, token = identities.create_or_update(tx, self.world, self.admin, IdentityDraft(name=name, **fields))
        assert token is not None
        return made, token

    def certificate(self, name: str, token: Secret, key: PrivateKey | None = None) -> Certificate:
        """Sign in with a fresh P-256 key, or the one given."""
        csr = make_csr(key or generate_key(KeyKind.P256), name)
        with self.transaction() as tx:
            return sign_in(tx, self.world, token=token, name=name, csr_pem=csr, address=ADDRESS)

    def caller(self, certificate: Certificate) -> Caller:
        """Whoever calls with this certificate now."""
        with self.transaction() as tx:
            return authenticate(tx, self.world, der(certificate), ADDRESS)

    def signed_in(self, name: str, *role_names: str, **fields: Any) -> Caller:
        """A new identity with these roles everywhere, signed in."""
        _, token = self.identity(name, **fields)
        with self.transaction() as tx:
            for role in role_names:
                assignment = RoleAssignment(name="", role_name=role, identity_name=name)
                roles.assign_role(tx, self.world, self.admin, assignment)
        return self.caller(self.certificate(name, token))


def der(certificate: Certificate) -> bytes:
    """The leaf as TLS hands it over."""
    return split_bundle(certificate.pem)[0].public_bytes(Encoding.DER)


@pytest.fixture(scope="session")
def born(tmp_path_factory: pytest.TempPathFactory) -> Born:
    """An agent as `mocdeck agent init` leaves it."""
    clock = ManualClock(START)
    agent = init_agent(
        tmp_path_factory.mktemp("born") / "agent",
        passphrase=PASSPHRASE,
        fqdns=("ca.example.test", "127.0.0.1"),
        deployment="north",
        clock=clock,
        open_store=open_store,
    )
    world = open_world(agent.directory, passphrase=PASSPHRASE, clock=clock)
    return Born(agent=agent, world=world, vault=KeyVault.open(agent.directory / KEYS_DIRECTORY, PASSPHRASE))


@pytest.fixture
def new_site(born: Born) -> Iterator[Callable[[Path], Site]]:
    """Makes copies of the session's agent under given directories, opened, with their administrators signed in."""
    made: list[Site] = []

    def make(parent: Path) -> Site:
        made.append(_open_copy(born, parent / "agent"))
        return made[-1]

    yield make
    for site in made:
        site.store.close()


@pytest.fixture
def site(new_site: Callable[[Path], Site], tmp_path: Path) -> Site:
    """One copy of the session's agent."""
    return new_site(tmp_path)


def _open_copy(born: Born, directory: Path) -> Site:
    shutil.copytree(born.agent.directory, directory)
    clock = ManualClock(START)
    # The passphrase's key is the same for every copy; deriving it anew would take a tenth of a second a test.
    vault = KeyVault(directory / KEYS_DIRECTORY, born.vault._aead)
    world = replace(
        born.world,
        clock=clock,
        signer=Signer(vault),
        agent_directory=directory,
        peers=PeerCache(),
        mirror=FleetMirror(),
        rates=Rates(),
        watch=ClockWatch(),
        pace=Pace(TICK_RESTS),
        shown=Held(),
    )
    store = open_store(directory / STORE_FILE)
    token = Secret(yaml.safe_load((directory / "admin" / "login.yaml").read_text())["token"])
    csr = make_csr(generate_key(KeyKind.P256), "admin")
    with store.transaction() as tx:
        certificate = sign_in(tx, world, token=token, name="admin", csr_pem=csr, address=ADDRESS)
    with store.transaction() as tx:
        admin = authenticate(tx, world, der(certificate), ADDRESS)
    return Site(world=world, store=store, clock=clock, directory=directory, admin_token=token, admin=admin)
