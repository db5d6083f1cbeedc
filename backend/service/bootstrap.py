"""The birth of an agent and its opening: the directory with its keys, its store and its first administrator.

`init_agent` builds everything in a temporary directory beside the wanted one and renames it at the end, so an agent is
there whole or not at all. `open_world` reads one back. The layout: `agent.yaml` (names), `keys/` (the vault),
`store.db`, `admin/login.yaml` (the first administrator's login file).
"""

from __future__ import annotations

import os
import secrets
import shutil
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from backend.clock import Clock
from backend.core.drafts import IdentityDraft
from backend.core.errors import AlreadyExists, InvalidInput
from backend.core.model import Authority, AuthorityStatus, ClientKind, ClientType, Identity, Secret
from backend.core.rbac import RoleAssignment
from backend.core.roles import OWNER
from backend.pki.files import make_private_directory, sync_directory, write_atomic
from backend.pki.profiles import ServerProfile, check_name, is_dns_name
from backend.pki.vault import KeyVault
from backend.service import audit
from backend.service.agent_file import AgentNames, read_agent_file, write_agent_file
from backend.service.deliveries import login_file
from backend.service.epochs import publish_first
from backend.service.mint import create_mint, load_mint
from backend.service.rates import Rates
from backend.service.signer import Signer
from backend.service.token_line import mark_token_delivered, rotate_token
from backend.service.versions import next_version
from backend.service.world import ADMIN_DIRECTORY, Policy, World
from backend.store.port import StoreOpener, Transaction

DATA_PORT: Final = 55000  # moc/protocol.md 1.1
AUTH_PORT: Final = 65000
KEYS_DIRECTORY: Final = "keys"
STORE_FILE: Final = "store.db"
LOGIN_FILE: Final = "login.yaml"
FIRST_ADMINISTRATOR: Final = "admin"
_NAMELESS: Final = "site"  # the deployment's name where clients dial an address and nobody named it


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgent:
    """What `init_agent` made, to be told to the person who asked for it."""

    directory: Path
    names: AgentNames
    authority: Authority
    administrator: str
    login_file: Path
    token_expires_at: datetime


def init_agent(
    directory: Path,
    *,
    passphrase: Secret,
    fqdns: Sequence[str],
    deployment: str = "",
    clock: Clock,
    open_store: StoreOpener,
    port: int = DATA_PORT,
    auth_port: int = AUTH_PORT,
    administrator: str = FIRST_ADMINISTRATOR,
    policy: Policy | None = None,
) -> NewAgent:
    """Make everything that an agent needs, and its first administrator with the role Owner.

    `fqdns` are the names and addresses that clients dial, the first one being the one in login files; `deployment` is
    the name that confirms a CA rotation (empty: the first label of the first name, or "site").

    Raises:
        AlreadyExists: the directory holds an agent.
        InvalidInput: the directory holds something else, a name cannot be certified, or the passphrase is empty.
        OSError: the disk refuses; nothing is left behind.
    """
    directory = directory.absolute()
    refuse_used_directory(directory)
    ServerProfile(names=tuple(fqdns))  # refuses what could not be certified when the agent starts
    deployment = deployment or (fqdns[0].partition(".")[0] if is_dns_name(fqdns[0]) else _NAMELESS)
    check_name(deployment)
    check_name(administrator)
    names = AgentNames(deployment=deployment, deployment_id=str(uuid.uuid4()), fqdns=tuple(fqdns))
    directory.parent.mkdir(parents=True, exist_ok=True)
    building = directory.with_name(f".{directory.name}.init-{secrets.token_hex(4)}")
    try:
        make_private_directory(building)
        vault = KeyVault.create(building / KEYS_DIRECTORY, passphrase)
        world = World(
            clock=clock,
            signer=Signer(vault),
            tokens=create_mint(vault),
            deployment=names.deployment,
            deployment_id=names.deployment_id,
            fqdns=names.fqdns,
            port=port,
            auth_port=auth_port,
            agent_directory=directory,
            policy=policy or Policy(),
        )
        made = _fill(building, world, names, open_store, administrator)
        write_agent_file(building, names)  # last: its presence says that the agent is whole
        os.rename(building, directory)  # an empty directory is replaced, a filled one refused by the system
        sync_directory(directory.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            shutil.rmtree(building)
        raise
    return made


def open_world(
    directory: Path,
    *,
    passphrase: Secret,
    clock: Clock,
    port: int = DATA_PORT,
    auth_port: int = AUTH_PORT,
    policy: Policy | None = None,
    simulated: bool = False,
) -> World:
    """Open an agent's names and keys; the store at `directory / STORE_FILE` is opened apart.

    Raises:
        NotFound: there is no agent in the directory.
        InvalidInput: `agent.yaml` is damaged.
        WrongPassphrase: the passphrase does not open the keys.
        UnsafeFile: others may reach the keys.
    """
    directory = directory.absolute()
    names = read_agent_file(directory)
    policy = policy or Policy(second_approver=names.second_approver)
    vault = KeyVault.open(directory / KEYS_DIRECTORY, passphrase)
    return World(
        clock=clock,
        signer=Signer(vault),
        tokens=load_mint(vault),
        deployment=names.deployment,
        deployment_id=names.deployment_id,
        fqdns=names.fqdns,
        port=port,
        auth_port=auth_port,
        agent_directory=directory,
        policy=policy,
        rates=Rates(policy.rates),
        simulated=simulated,
    )


def refuse_used_directory(directory: Path) -> None:
    """Refuse a directory that holds anything.

    Raises:
        AlreadyExists: it holds an agent.
        InvalidInput: it holds something else, or is no directory.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise InvalidInput(f"{directory} is not a directory; choose another place for the agent")
    held = {entry.name for entry in directory.iterdir()}
    if held & {"agent.yaml", KEYS_DIRECTORY, STORE_FILE}:
        raise AlreadyExists(f"{directory} already holds an agent; start it with `mocdeck agent run`, or choose another")
    if held:
        raise InvalidInput(f"{directory} is not empty; choose a new or empty directory for the agent")


def _fill(building: Path, world: World, names: AgentNames, open_store: StoreOpener, administrator: str) -> NewAgent:
    now = world.clock.now()
    staged = world.signer.stage(1, world.deployment, now, world.policy.authority_lifetime)
    store = open_store(building / STORE_FILE)
    try:
        with store.transaction() as tx:
            tx.authorities.add(staged)
            tx.authorities.set_status(staged.generation, AuthorityStatus.ISSUING)
            publish_first(tx, world, staged.generation, now)
            identity = _first_administrator(tx, world, administrator)
            record, token = rotate_token(tx, world, identity)
            mark_token_delivered(tx, record.id, now)
            text = login_file(world, tx, identity, token)
            authority = tx.authorities.issuing()
            _audit(tx, world, identity, authority)
    finally:
        store.close()
    make_private_directory(building / ADMIN_DIRECTORY)
    write_atomic(building / ADMIN_DIRECTORY / LOGIN_FILE, text.encode())
    return NewAgent(
        directory=world.agent_directory,
        names=names,
        authority=authority,
        administrator=identity.name,
        login_file=world.agent_directory / ADMIN_DIRECTORY / LOGIN_FILE,
        token_expires_at=record.expires_at,
    )


def _first_administrator(tx: Transaction, world: World, name: str) -> Identity:
    """The identity whose login file lies in the agent's own directory and is kept fresh by the agent."""
    now = world.clock.now()
    draft = IdentityDraft(name=name)
    identity = tx.identities.add(
        Identity(
            number=0,
            id=str(uuid.uuid4()),
            name=draft.name,
            kind=ClientKind.ADMIN,
            client_type=ClientType.ADMIN,
            token_lifetime=world.policy.token_lifetime,
            auto_rotate=True,
            login_file_path=str(world.agent_directory / ADMIN_DIRECTORY / LOGIN_FILE),
            created_at=now,
            version=next_version(now),
        )
    )
    tx.assignments.put(
        RoleAssignment(
            name=str(uuid.uuid4()),
            id=str(uuid.uuid4()),
            role_name=OWNER.name,
            identity_name=name,
            version=next_version(now),
        )
    )
    return identity


def _audit(tx: Transaction, world: World, identity: Identity, authority: Authority) -> None:
    detail = {
        "deployment_id": world.deployment_id,
        "administrator": identity.name,
        "ca": authority.subject,
        "ca_fingerprint": authority.fingerprint,
        "ca_not_after": authority.validity.not_after.isoformat(),
    }
    audit.record(
        tx,
        world.clock.now(),
        actor="agent",
        origin="agent",
        action="init_agent",
        subject=world.deployment,
        detail=detail,
    )
