"""Microsoft's open Go client library, built against our program of stories, and an agent on the two ports it dials.

The library's ports are constants (moc/protocol.md 1.1), so one agent at a time runs here, and a machine where the ports
are taken skips. The agent is born 200 days ago by the ordinary use cases, so that due and past certificates are real.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from backend.client.access_file import make_access_file, write_access_file
from backend.clock import ManualClock, SystemClock
from backend.core.model import Secret
from backend.pki.keys import KeyKind, generate_key, private_key_pem
from backend.pki.requests import make_csr
from backend.server.app import Agent
from backend.service.bootstrap import STORE_FILE, init_agent, open_world
from backend.service.signin import sign_in
from backend.service.world import Policy
from backend.store.sqlite import open_store

HOST = "127.0.0.1"
PORTS = (55000, 65000)
PASSPHRASE = Secret("correct horse battery staple")
BORN = timedelta(days=200)
POLICY = Policy(token_lifetime=timedelta(days=400))  # the first administrator still signs in today
STORY_SECONDS = 60.0

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """A running agent, the administrator's login file and the access file that stories read and write."""

    directory: Path
    login: Path
    access_file: Path

    def put_certificate_of(self, age: timedelta) -> None:
        """Make the access file one that the administrator's client got that long ago."""
        shutil.copyfile(self.directory / f"access-{age.days}", self.access_file)
        self.access_file.chmod(0o600)


class Tell(Protocol):
    """Runs one story in a process of its own and returns its steps by name."""

    async def __call__(self, story: str, host: str = HOST) -> dict[str, Step]: ...


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of stories, built outside the tree; the library comes from the Go module proxy, pinned by go.sum."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        pytest.skip("no Go toolchain: install Go 1.22 or newer to prove the wire against Microsoft's client library")
    folder = Path(__file__).parent / "go"
    fetched = subprocess.run(
        [go, "mod", "download"], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    if fetched.returncode:
        pytest.skip(f"the Go modules cannot be fetched here: {fetched.stderr.strip()[-400:]}")
    target = tmp_path_factory.mktemp("interop") / "interop"
    subprocess.run([go, "build", "-mod=readonly", "-o", target, "."], cwd=folder, check=True, timeout=600)
    return target


@pytest.fixture(scope="session")
def born(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent of 200 days, whose administrator signed in 100 and 70 days ago."""
    directory = tmp_path_factory.mktemp("born") / "agent"
    now = SystemClock().now()
    init_agent(
        directory,
        passphrase=PASSPHRASE,
        fqdns=[HOST, "localhost"],
        deployment="interop",
        clock=ManualClock(now - BORN),
        open_store=open_store,
        policy=POLICY,
    )
    for days in (100, 70):
        _sign_in_then(directory, timedelta(days=days), ManualClock(now - timedelta(days=days)))
    return directory


def _sign_in_then(directory: Path, age: timedelta, clock: ManualClock) -> None:
    login = yaml.safe_load((directory / "admin" / "login.yaml").read_text())
    world = open_world(directory, passphrase=PASSPHRASE, clock=clock, policy=POLICY)
    key = generate_key(KeyKind.RSA2048)
    store = open_store(directory / STORE_FILE)
    try:
        with store.transaction() as tx:
            certificate = sign_in(
                tx,
                world,
                token=Secret(login["token"]),
                name=login["name"],
                csr_pem=make_csr(key, login["name"]),
                address="192.0.2.7:50123",
            )
            trust = tx.bundles.current().pem
    finally:
        store.close()
    access = make_access_file(
        trust_pem=trust,
        certificate_pem=certificate.pem,
        key_pem=Secret(private_key_pem(key).decode("ascii")),
        identity_name=login["name"],
    )
    write_access_file(directory / f"access-{age.days}", access)


@pytest.fixture
async def site(born: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """The agent of `born`, today, on the library's ports."""
    _skip_unless_possible()
    directory = tmp_path / "agent"
    shutil.copytree(born, directory)
    agent = Agent(directory, PASSPHRASE)
    await agent.start(host=HOST, port=PORTS[0], auth_port=PORTS[1])
    yield Site(directory, directory / "admin" / "login.yaml", tmp_path / "cloudconfig")
    await agent.stop()


def _skip_unless_possible() -> None:
    for port in PORTS:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, port))
            except OSError as failure:
                pytest.skip(f"the library dials {HOST}:{port}, and that port cannot be had: {failure.strerror}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.connect(("8.8.8.8", 80))  # sends nothing; the library asks the same to learn its own address
        except OSError as failure:
            pytest.skip(f"the library needs a route to learn its own address, and there is none: {failure.strerror}")


@pytest.fixture
def tell(program: Path, site: Site, tmp_path: Path) -> Tell:
    """The teller of this test's stories, on this test's site."""

    async def run(story: str, host: str = HOST) -> dict[str, Step]:
        environment = {"HOME": str(tmp_path), "PATH": os.defpath, "WSSD_CONFIG_PATH": str(site.access_file)}
        process = await asyncio.create_subprocess_exec(
            program, story, host, site.login, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), STORY_SECONDS)
        assert process.returncode == 0, err.decode()
        steps = [json.loads(line) for line in out.splitlines()]
        return {step["step"]: step for step in steps}

    return run
