"""A transaction is kept whole or not at all: after an error, a full disk, a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import AlreadyExists
from backend.store.port import Store, StoreOpener

ROOT = Path(__file__).parents[2]


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def finished(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def names(store: Store) -> list[str]:
    with store.transaction() as tx:
        return [identity.name for identity in tx.identities.all()]


def test_an_exception_undoes_the_whole_transaction(store: Store, make: Any) -> None:
    with pytest.raises(KeyError), store.transaction() as tx:  # noqa: PT012 - the exception leaves the transaction
        tx.identities.add(make.identity("kva"))
        raise KeyError
    assert names(store) == []


def test_a_part_fails_alone(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        tx.identities.add(make.identity("before"))
        with pytest.raises(KeyError), tx.savepoint():  # noqa: PT012 - the exception leaves the part
            tx.identities.add(make.identity("inside"))
            raise KeyError
        with tx.savepoint():
            tx.identities.add(make.identity("after"))
    assert names(store) == ["after", "before"]


def test_parts_nest(store: Store, make: Any) -> None:
    with store.transaction() as tx, tx.savepoint():
        tx.identities.add(make.identity("outer"))
        with pytest.raises(AlreadyExists), tx.savepoint():  # noqa: PT012 - the refusal leaves the part
            tx.identities.add(make.identity("inner"))
            with tx.savepoint():
                tx.identities.add(make.identity("innermost"))
            tx.identities.add(make.identity("outer"))
    assert names(store) == ["outer"]


def test_a_refused_row_leaves_the_rest_of_the_transaction(store: Store, make: Any) -> None:
    with store.transaction() as tx:
        tx.identities.add(make.identity("kva"))
        with pytest.raises(AlreadyExists):
            tx.identities.add(make.identity("kva"))
        tx.identities.add(make.identity("csi"))
    assert names(store) == ["csi", "kva"]


KILLED = """
import sys
import tempfile
from pathlib import Path
from backend.store.sqlite import open_store
store = open_store(Path(sys.argv[1]))
for number in range(10_000):
    with store.transaction() as tx:
        tx.meta.put("last", str(number))
        tx.meta.put(f"row {number}", "whole")
    print(number, flush=True)
"""


def test_what_was_committed_survives_a_kill(path: Path, opener: StoreOpener) -> None:
    process = child(KILLED, path)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 25:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    store = opener(path)
    with store.transaction() as tx:
        last = tx.meta.find("last")
        assert last is not None
        assert int(last) >= 25
        assert all(tx.meta.find(f"row {number}") for number in range(int(last) + 1))
        assert tx.meta.find(f"row {int(last) + 1}") is None
    store.close()


KILLED_OPEN = """
import os, signal, sys
from pathlib import Path
from backend.store.sqlite import open_store
store = open_store(Path(sys.argv[1]))
with store.transaction() as tx:
    tx.meta.put("committed", "yes")
with store.transaction() as tx:
    for number in range(5_000):
        tx.meta.put(f"open {number}", "x" * 1_000)
    with tx.savepoint():
        tx.meta.put("part", "yes")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_not_committed_vanishes_with_a_kill(path: Path, opener: StoreOpener) -> None:
    process = child(KILLED_OPEN, path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    store = opener(path)
    with store.transaction() as tx:
        assert tx.meta.find("committed") == "yes"
        assert tx.meta.find("open 0") is None
        assert tx.meta.find("part") is None
    store.close()


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from backend.core.errors import StoreUnavailable
from backend.store.sqlite import open_store
path, size = Path(sys.argv[1]), int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then the write fails, as it does on a full disk
store = open_store(path)
with store.transaction() as tx:
    tx.meta.put("before", "yes")
room = Path(f"{path}-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
refused = 0
try:
    with store.transaction() as tx:
        for number in range(4):  # each is one call of a batch, answered for itself
            try:
                with tx.savepoint():
                    for part in range(size):
                        tx.meta.put(f"{number}.{part}", "x" * 4_000)
            except StoreUnavailable:
                refused += 1
except StoreUnavailable as error:
    print("refused", refused, error)
with store.transaction() as tx:
    print("kept", tx.meta.find("before"), tx.meta.find("0.0"), tx.meta.find("3.0"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
with store.transaction() as tx:
    tx.meta.put("after", "yes")
    print("after", tx.meta.find("after"))
store.close()
"""


@pytest.mark.parametrize("size", [1, 1_000])
def test_a_full_disk_keeps_nothing_of_the_batch_and_needs_no_restart(path: Path, size: int) -> None:
    refused, kept, after = finished(child(FULL_DISK, path, size)).splitlines()
    assert refused.startswith("refused")
    assert "nothing" in refused
    assert kept == "kept yes None None"
    assert after == "after yes"


READ_ONLY = """
import os, sys
from pathlib import Path
from backend.core.errors import StoreUnavailable
from backend.store.sqlite import open_store
import alembic.operations, alembic.runtime.migration, alembic.script, alembic.ddl
directory = Path(sys.argv[1])
if os.getuid() == 0:  # root may write anything: be somebody else
    os.chown(directory, 65534, 65534)
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
path = directory / "store.db"
open_store(path).close()
path.chmod(0o400)
try:
    open_store(path)
except StoreUnavailable as error:
    print(error)
path.chmod(0o600)
directory.chmod(0o500)
try:
    open_store(path)
except StoreUnavailable as error:
    print(error)
directory.chmod(0o700)
store = open_store(path)
with store.transaction() as tx:
    tx.meta.put("fine", "again")
    print(tx.meta.find("fine"))
store.close()
"""


def test_a_read_only_file_or_directory_is_said_plainly() -> None:
    with tempfile.TemporaryDirectory() as directory:
        file, folder, again = finished(child(READ_ONLY, directory)).splitlines()
    assert "cannot be read and written" in file
    assert "cannot be opened" in folder or "read-only" in folder
    assert again == "again"
