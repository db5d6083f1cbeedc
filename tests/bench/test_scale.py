"""Starting, reading and showing a large fleet: each figure beside the target of performance.md, section 4."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.clock import SystemClock
from backend.core.drafts import IdentityDraft
from backend.core.model import Cluster, Secret, Token
from backend.pki import keys, requests
from backend.service import fleet
from backend.service.bootstrap import STORE_FILE, open_world
from backend.service.signin import sign_in
from backend.service.world import World
from backend.store.port import Store
from backend.store.sqlite import open_store
from backend.wire.convert import fleet_chunks, fleet_delta

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
PASSPHRASE = Secret("correct horse battery staple")
CLI = [sys.executable, "-m", "backend.cli"]


def populate(store: Store, world: World, directory: Path, count: int) -> None:
    """That many clients as rows: copies of one real certificate under serials of their own; keys are not needed."""
    token = re.search(r"^token: (\S+)$", (directory / "admin" / "login.yaml").read_text(), re.MULTILINE)
    assert token is not None
    csr = requests.make_csr(keys.generate_key(keys.KeyKind.P256), "admin")
    now = world.clock.now()
    with store.transaction() as tx:
        made = sign_in(tx, world, token=Secret(token[1]), name="admin", csr_pem=csr, address="127.0.0.1")
        admin = tx.identities.get("admin")
        have = len(tx.identities.all())
        if not tx.clusters.all():
            for number in range(50):
                tx.clusters.put(Cluster(name=f"w{number:04d}", is_management=False))
    for begin in range(have, count, 5000):
        with store.transaction() as tx:
            for number in range(begin, min(begin + 5000, count)):
                draft = IdentityDraft(name=f"w{number:06d}-kms", cluster=f"w{number % 50:04d}")
                identity = tx.identities.add(
                    replace(
                        admin, number=0, id=f"{number:032x}", name=draft.name, cluster=draft.cluster, auto_rotate=False,
                        login_file_path="", version=str(number + 1),
                    )
                )  # fmt: skip
                fingerprint = f"{number:064x}"
                tx.certificates.add(
                    replace(
                        made, serial=2**140 + number, identity_number=identity.number, fingerprint=fingerprint,
                        key_sha256=fingerprint,
                    )
                )  # fmt: skip
                tx.tokens.add(
                    Token(
                        id=f"token-{number}",
                        identity_number=identity.number,
                        digest=fingerprint,
                        issued_at=now,
                        expires_at=now + timedelta(days=90),
                    )
                )


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "MOCDECK_HOME": str(home),
        "MOCDECK_PASSPHRASE": PASSPHRASE.reveal(),
        "TERM": "xterm-256color",
        "GRPC_VERBOSITY": "NONE",
    }


def resident_mib(pid: int) -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


@contextlib.contextmanager
def running(directory: Path, home: Path) -> Iterator[tuple[int, float, tuple[str, str]]]:
    """An agent started as a user would: its pid, the seconds until it was ready, and its ports."""
    began = time.perf_counter()
    options = ["--directory", str(directory), "--host", "127.0.0.1", "--port", "0", "--auth-port", "0"]
    with (
        (home.parent / "agent.log").open("w") as log,
        subprocess.Popen(
            [*CLI, "agent", "run", *options], env=environment(home), stdout=subprocess.PIPE, stderr=log, text=True
        ) as program,
    ):
        try:
            assert program.stdout is not None
            found = re.search(r":(\d+) \(data\) and :(\d+)", program.stdout.readline())
            assert found is not None, (home.parent / "agent.log").read_text()
            yield program.pid, time.perf_counter() - began, (found[1], found[2])
        finally:
            program.terminate()


def first_frame(home: Path, text: bytes) -> float:
    """Seconds until the dashboard on a real terminal shows that text."""
    main, side = pty.openpty()
    began = time.perf_counter()
    with subprocess.Popen(
        CLI, env={**environment(home), "COLUMNS": "140", "LINES": "40"}, stdin=side, stdout=side, stderr=side
    ) as program:
        os.close(side)
        seen = b""
        while text not in seen:
            assert time.perf_counter() - began < 60, seen[-2000:]
            if select.select([main], [], [], 1)[0]:
                seen += os.read(main, 65536)
        took = time.perf_counter() - began
        program.kill()
    os.close(main)
    return took


def test_an_agent_starts_and_a_fleet_of_ten_thousand_is_shown(directory: Path, tmp_path: Path, row: Any) -> None:
    home = tmp_path / "home"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import grpc, cryptography.x509, sqlalchemy"], check=True)
    imports = time.perf_counter() - began
    with running(directory, home) as (pid, ready, _):
        beside = f"its imports alone {imports:.2f} s; target 0.5"
        row("agent: whole process until both ports answer", f"{ready:.2f} s", beside)
        row("agent: resident at start", f"{resident_mib(pid):.0f} MiB", "target 90")

    world = open_world(directory, passphrase=PASSPHRASE, clock=SystemClock())
    store = open_store(directory / STORE_FILE)
    populate(store, world, directory, 10_000)
    store.close()
    with running(directory, home) as (pid, ready, ports):
        row("agent: ready with 10,000 clients", f"{ready:.2f} s")
        shutil.copy(directory / "admin" / "login.yaml", tmp_path / "login.yaml")
        options = ["--login-file", str(tmp_path / "login.yaml"), "--address", "127.0.0.1"]
        options += ["--port", ports[0], "--auth-port", ports[1]]
        cli(home, "login", *options)
        took = min(status(home) for _ in range(3))
        row("mocdeck status on 10,000 clients, whole process", f"{took:.2f} s", "best of 3; target 0.6")
        took = first_frame(home, b"-kms")
        row("dashboard on 10,000 clients: first row on a terminal", f"{took:.2f} s", "whole process; issue: 5")
        before = cpu_seconds(pid)
        time_passes(5.0)
        row("agent with 10,000 clients at rest", f"{20 * (cpu_seconds(pid) - before):.0f} %", "of one core")
        row("agent with 10,000 clients: resident", f"{resident_mib(pid):.0f} MiB")


def cli(home: Path, *arguments: str) -> bytes:
    done = subprocess.run([*CLI, *arguments], env=environment(home), capture_output=True, timeout=60, check=False)
    assert done.stdout or done.returncode == 0, done.stderr[-500:]
    return done.stdout


def status(home: Path) -> float:
    began = time.perf_counter()
    assert cli(home, "status", "--output", "json").count(b"-kms") >= 9_000
    return time.perf_counter() - began


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def time_passes(seconds: float) -> None:
    """Let the agent do what it does when nobody asks: what it costs is measured over this time."""
    select.select([], [], [], seconds)


@pytest.mark.parametrize("count", [10_000, 100_000])
def test_the_fleet_is_read_as_columns(directory: Path, row: Any, count: int) -> None:
    world = open_world(directory, passphrase=PASSPHRASE, clock=SystemClock())
    store = open_store(directory / STORE_FILE)
    populate(store, world, directory, count)
    began = time.perf_counter()
    with store.transaction() as tx:
        chunks = [chunk.SerializeToString() for delta in fleet.read(tx, world, 0) for chunk in fleet_chunks(delta)]
    took = time.perf_counter() - began
    size = sum(map(len, chunks))
    row(f"snapshot of {count:,} clients, agent's side", f"{took:.2f} s", f"{size / count:.0f} bytes a client")
    from backend.core.fleet import FleetColumns
    from backend.wire.mocdeck.v1 import fleet_pb2

    columns = FleetColumns()
    began = time.perf_counter()
    for chunk in chunks:
        columns.apply(fleet_delta(fleet_pb2.FleetChunk.FromString(chunk)))
    row(
        f"snapshot of {count:,} clients, reader's side",
        f"{time.perf_counter() - began:.2f} s",
        "target 0.5 both for 100,000",
    )
    assert len(columns) == count
    change = columns.change
    with store.transaction() as tx:
        tx.changes.touch(columns.row(0).number)
    with store.transaction() as tx:
        delta = [chunk.SerializeToString() for part in fleet.read(tx, world, change) for chunk in fleet_chunks(part)]
    row(f"delta of one client among {count:,}", f"{sum(map(len, delta)):,} bytes", "proportional to the change")
    store.close()
