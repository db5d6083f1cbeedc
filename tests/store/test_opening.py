"""Opening a store: made privately, upgraded once, refused with a reason."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from backend.core.errors import AgentError, StoreUnavailable
from backend.store import migrations, schema
from backend.store.columns import METADATA
from backend.store.errors import StoreDamaged, StoreTooNew, StoreUnsafe
from backend.store.port import Store, StoreOpener

ROOT = Path(__file__).parents[2]


def by_hand(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def refused(opener: StoreOpener, path: Path, kind: type[AgentError]) -> str:
    with pytest.raises(kind) as caught:
        opener(path)
    return str(caught.value)


def test_the_files_are_private_from_birth(store: Store, path: Path, make: Any) -> None:
    with store.transaction() as tx:
        tx.identities.add(make.identity("kva"))
    for suffix in ("", "-wal", "-shm"):
        assert Path(f"{path}{suffix}").stat().st_mode & 0o777 == 0o600


def test_a_generous_umask_changes_nothing(path: Path, opener: StoreOpener) -> None:
    before = os.umask(0)
    try:
        opener(path).close()
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_closing_leaves_one_file(store: Store, path: Path, make: Any) -> None:
    with store.transaction() as tx:
        tx.identities.add(make.identity("kva"))
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_a_store_is_opened_again_with_what_it_held(path: Path, opener: StoreOpener, make: Any) -> None:
    store = opener(path)
    with store.transaction() as tx:
        tx.identities.add(make.identity("kva"))
    store.close()
    store = opener(path)
    with store.transaction() as tx:
        assert tx.identities.get("kva").number == 1
    store.close()


def test_every_commit_is_on_the_disk(store: Store) -> None:
    engine = store._engine  # type: ignore[attr-defined]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_the_migrations_lead_to_the_tables(store: Store, path: Path) -> None:
    store.close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_the_newest_version_is_the_last_migration() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_heads() == [schema.NEWEST]


def test_a_store_from_the_future_is_refused_and_left_alone(path: Path, opener: StoreOpener) -> None:
    opener(path).close()
    by_hand(path, "UPDATE alembic_version SET version_num = '0099'")
    before = path.read_bytes()
    message = refused(opener, path, StoreTooNew)
    assert str(path) in message
    assert "0099" in message
    assert schema.NEWEST in message
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "statement", ["UPDATE alembic_version SET version_num = 'head'", "DELETE FROM alembic_version"]
)
def test_an_unreadable_version_is_damage(path: Path, opener: StoreOpener, statement: str) -> None:
    opener(path).close()
    by_hand(path, statement)
    assert "schema version" in refused(opener, path, StoreDamaged)


def test_another_programs_database_is_left_alone(path: Path, opener: StoreOpener) -> None:
    by_hand(path, "CREATE TABLE bookmarks (url TEXT)")
    path.chmod(0o600)
    assert "another program" in refused(opener, path, StoreDamaged)


@pytest.mark.parametrize("content", [b"this is no database\n" * 300, b"SQLite format 3\x00" + b"\xff" * 4_096])
def test_a_broken_file_is_said_to_be_broken(path: Path, opener: StoreOpener, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    assert str(path) in refused(opener, path, StoreDamaged)
    assert path.read_bytes() == content


def test_a_torn_file_is_an_error_and_not_a_traceback(path: Path, opener: StoreOpener, make: Any) -> None:
    store = opener(path)
    with store.transaction() as tx:
        for number in range(500):
            tx.identities.add(make.identity(f"client-{number}"))
    store.close()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreUnavailable, match="store"):  # noqa: PT012 - at the opening or at the first read
        store = opener(path)
        try:
            with store.transaction() as tx:
                tx.identities.all()
        finally:
            store.close()


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666])
def test_a_file_that_others_can_open_is_refused_with_the_cure(path: Path, opener: StoreOpener, mode: int) -> None:
    opener(path).close()
    path.chmod(mode)
    assert f"chmod 600 {path}" in refused(opener, path, StoreUnsafe)


def test_a_directory_that_others_can_write_is_refused_with_the_cure(path: Path, opener: StoreOpener) -> None:
    path.parent.chmod(0o770)
    assert f"chmod go-w {path.parent}" in refused(opener, path, StoreUnsafe)


def test_a_link_is_not_followed(path: Path, opener: StoreOpener) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    assert "not a regular file" in refused(opener, path, StoreUnsafe)
    assert not path.with_name("elsewhere").exists()


def test_a_missing_directory_is_said_by_name(path: Path, opener: StoreOpener) -> None:
    missing = path.parent / "missing" / "store.db"
    assert str(missing) in refused(opener, missing, StoreUnavailable)


def test_a_directory_is_no_store(path: Path, opener: StoreOpener) -> None:
    path.mkdir()
    assert str(path) in refused(opener, path, AgentError)


def test_the_port_loads_no_database_library() -> None:
    script = (
        "import sys, backend.store.port, backend.store.records, backend.store.errors;"
        "print([name for name in sys.modules if name.split('.')[0] in ('sqlalchemy', 'alembic', 'sqlite3')])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"
