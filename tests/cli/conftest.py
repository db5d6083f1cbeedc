"""A real agent in a process of its own, with a history, and the command line against it.

The agent was made 200 days ago and serves now; its clients are in states that only time brings about.
"""

from __future__ import annotations

import gc
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding

from backend.cli.root import cli
from backend.clock import SystemClock
from backend.core.drafts import IdentityDraft
from backend.core.model import ClientKind, Cluster, Secret
from backend.pki.keys import KeyKind, generate_key
from backend.pki.requests import make_csr
from backend.pki.trust import split_bundle
from backend.service import fleet, identities
from backend.service.bootstrap import STORE_FILE, init_agent, open_world
from backend.service.guard import authenticate
from backend.service.signin import sign_in
from backend.store.sqlite import open_store

PASSPHRASE = "correct horse battery staple"
ROOT = Path(__file__).resolve().parents[2]
LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+) \(data\) and :(\d+) \(sign-in\)\n")
# name, kind, days since it signed in last (None: never), reported renewals
CLIENTS = [
    ("locked-kms", ClientKind.KMS, 150),  # certificate and token ended
    ("due-csi", ClientKind.CSI, 70),
    ("fresh-caph", ClientKind.CAPH, 1),
    ("new-kva", ClientKind.KVA, None),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An agent's process and where it answers."""

    process: subprocess.Popen[str]
    directory: Path
    port: int
    auth_port: int

    @property
    def way(self) -> list[str]:
        """Options that lead there."""
        return ["--address", "127.0.0.1", "--port", str(self.port), "--auth-port", str(self.auth_port)]


Mocdeck = Callable[..., Result]


def run_agent(directory: Path, *extra: str) -> Running:
    """Start `mocdeck agent run` and wait for its line."""
    words = ["--directory", str(directory), "--host", "127.0.0.1", "--port", "0", "--auth-port", "0", *extra]
    log_path = directory.parent / f"{directory.name}.log"
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend.cli", "agent", "run", *words],
            cwd=ROOT,
            env={"MOCDECK_PASSPHRASE": PASSPHRASE, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = LISTENING.fullmatch(line)
    assert found, f"{line!r} {log_path.read_text()}"
    return Running(process=process, directory=directory, port=int(found[1]), auth_port=int(found[2]))


def end(running: Running) -> int:
    """SIGTERM; return the exit code."""
    running.process.send_signal(signal.SIGTERM)
    assert running.process.stdout is not None
    running.process.stdout.close()
    return running.process.wait(timeout=20)


@pytest.fixture(scope="session")
def born(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent's directory with its history; copied, never run."""
    directory = tmp_path_factory.mktemp("born") / "agent"
    birth = SystemClock(-timedelta(days=200))
    init_agent(
        directory,
        passphrase=Secret(PASSPHRASE),
        fqdns=("127.0.0.1",),
        deployment="bonn",
        clock=birth,
        open_store=open_store,
    )
    store = open_store(directory / STORE_FILE)

    def world(days: int) -> Any:
        return open_world(directory, passphrase=Secret(PASSPHRASE), clock=SystemClock(-timedelta(days=days)))

    def enter(days: int, name: str, token: Secret) -> Any:
        csr = make_csr(generate_key(KeyKind.P256), name)
        with store.transaction() as tx:
            made = sign_in(tx, world(days), token=token, name=name, csr_pem=csr, address="192.0.2.1:1")
        with store.transaction() as tx:
            der = split_bundle(made.pem)[0].public_bytes(Encoding.DER)
            return authenticate(tx, world(days), der, "192.0.2.1:1")

    text = yaml.safe_load((directory / "admin" / "login.yaml").read_text())
    admin = enter(200, "admin", Secret(text["token"]))
    with store.transaction() as tx:
        fleet.put_cluster(tx, world(200), admin, Cluster(name="wl-1", is_management=False))
    for name, kind, days in CLIENTS:
        draft = IdentityDraft(name=name, kind=kind, cluster="wl-1")
        with store.transaction() as tx:
            _, token = identities.create_or_update(tx, world(days or 0), admin, draft)
        assert token is not None
        if days is not None:
            enter(days, name, token)
    with store.transaction() as tx:
        _, fresh = identities.rotate(tx, world(0), admin, "admin", overlap=timedelta(0))
    login = {**text, "token": fresh.reveal(), "cloudfqdn": "127.0.0.1"}
    path = directory / "admin" / "login.yaml"
    path.write_text(yaml.safe_dump(login))
    path.chmod(0o600)
    store.close()
    return directory


@pytest.fixture(scope="module")
def agent(born: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """That agent, serving; one for each test module."""
    directory = tmp_path_factory.mktemp("site") / "agent"
    shutil.copytree(born, directory)
    running = run_agent(directory)
    yield running
    assert end(running) == 0, "SIGTERM ends an agent gracefully"


@pytest.fixture
def mocdeck(tmp_path: Path) -> Iterator[Mocdeck]:
    """Run one command line with a home of its own; the result has stdout, stderr and exit_code."""
    environment = {
        "MOCDECK_HOME": str(tmp_path / "home"),
        "HOME": str(tmp_path),
        "MOCDECK_PASSPHRASE": "",
        "WSSD_CONFIG_PATH": "",
        "WSSD_CLIENT_TOKEN": "",
        "ACCESSFILE_DIR_PATH": "",
    }

    def run(*words: object, **extra: str) -> Result:
        result = CliRunner(env={**environment, **extra}).invoke(cli, [str(word) for word in words])
        assert "Traceback" not in result.stderr
        return result

    yield run
    gc.enable()  # `status` switches it off for its own short life


@pytest.fixture(scope="module")
def signed_in(agent: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contexts file of an administrator who signed in to the agent."""
    home = tmp_path_factory.mktemp("signed-in")
    login = agent.directory / "admin" / "login.yaml"
    words = ["login", "--login-file", str(login), "--context", "bonn", *agent.way]
    result = CliRunner(env={"MOCDECK_HOME": str(home)}).invoke(cli, words)
    assert result.exit_code == 0, result.stderr
    return home / "config" / "config.yaml"


@pytest.fixture
def operator(mocdeck: Mocdeck, signed_in: Path, tmp_path: Path) -> Mocdeck:
    """The command line of that administrator."""
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    shutil.copy(signed_in, config)
    return mocdeck


@pytest.fixture(scope="session")
def start() -> Callable[..., tuple[Running, Callable[[Running], int]]]:
    """Start an agent of one's own with further options; returns it, and what ends it."""
    return lambda directory, *extra: (run_agent(directory, *extra), end)
