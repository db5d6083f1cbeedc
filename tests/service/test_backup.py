"""A backup is the agent of one instant, whole, private and never written over; the agent runs on meanwhile."""

from __future__ import annotations

import stat
import tarfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backend.core.errors import AlreadyExists, InconsistentState, InvalidInput, NotFound
from backend.core.model import Secret
from backend.service import audit
from backend.service.backup import BACKUP_KEY, Backup, note_backup, write_backup
from backend.service.bootstrap import open_world
from backend.service.reconcile import reconcile
from backend.service.rotation_checks import check_readiness
from backend.store.snapshot import copy_store
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from tests.service.conftest import Site

PASSPHRASE = Secret("correct horse battery staple")  # of the agent that every test copies


def back_up(site: Site, output: Path) -> Backup:
    return write_backup(site.directory, output, copy_store=copy_store, open_store=open_store)


def restore(archive: Path, place: Path) -> Path:
    place.mkdir(mode=0o700)
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="fully_trusted")  # noqa: S202 - our own archive, made a moment ago
    return place


def test_a_backup_of_a_running_agent_starts_as_that_agent(site: Site, tmp_path: Path) -> None:
    made = back_up(site, tmp_path / "b.tar")
    with site.transaction() as tx:
        head = tx.audit.head()
        audit.record(tx, site.clock.now(), actor="x", origin="rpc", action="after", subject="the backup")
    place = restore(made.path, tmp_path / "restored")
    world = open_world(place, passphrase=PASSPHRASE, clock=site.clock)
    store = open_store(place / "store.db")
    try:
        with store.transaction() as tx:
            assert tx.audit.head() == head
            assert audit.verify(tx).intact
            assert reconcile(tx, world) == ()
            world.signer.of(tx.authorities.issuing())
    finally:
        store.close()


def test_only_its_owner_can_read_it_and_locks_and_links_are_not_in_it(site: Site, tmp_path: Path) -> None:
    (site.directory / "lock").touch()
    (site.directory / "link").symlink_to("/etc/passwd")
    (site.directory / "keys" / ".half.tmp").touch()
    made = back_up(site, tmp_path / "b.tar")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert list(tmp_path.glob(".b.tar*")) == []
    with tarfile.open(made.path) as tar:
        members = {member.name: member for member in tar}
    assert not {"lock", "link", "keys/.half.tmp", "store.db-wal"} & set(members)
    assert {"agent.yaml", "store.db", "keys/ca-g1.key", "keys/vault.json", "admin/login.yaml"} <= set(members)
    assert {stat.S_IMODE(member.mode) for member in members.values() if member.isdir()} == {0o700}
    assert members["store.db"].mode == 0o600


def test_it_is_never_written_over_and_never_into_the_agent(site: Site, tmp_path: Path) -> None:
    taken = tmp_path / "b.tar"
    taken.write_text("precious")
    with pytest.raises(AlreadyExists, match="never written over"):
        back_up(site, taken)
    assert taken.read_text() == "precious"
    with pytest.raises(InvalidInput, match="own directory"):
        back_up(site, site.directory / "keys" / "b.tar")
    with pytest.raises(NotFound, match="no directory"):
        back_up(site, tmp_path / "missing" / "b.tar")
    with pytest.raises(NotFound, match="no agent"):
        write_backup(tmp_path, tmp_path / "c.tar", copy_store=copy_store, open_store=open_store)


def test_a_key_that_is_missing_makes_no_backup(site: Site, tmp_path: Path) -> None:
    (site.directory / "keys" / "ca-g1.key").rename(tmp_path / "elsewhere")
    with pytest.raises(InconsistentState, match=r"ca-g1\.key"):
        back_up(site, tmp_path / "b.tar")
    assert not list(tmp_path.glob("*b.tar*"))


@pytest.mark.parametrize(
    ("age", "result", "words"),
    [
        (timedelta(minutes=11), "ok", "11 min old"),
        (timedelta(hours=24), "ok", "24 h old"),
        (timedelta(hours=24, seconds=1), "warn", "1 d 0 h old"),
        (timedelta(days=3, hours=2), "warn", "3 d 2 h old"),
        (None, "warn", "knows of no backup"),
    ],
)
def test_a_rotation_is_ready_for_a_day_after_a_backup(
    age: timedelta | None, result: str, words: str, site: Site, tmp_path: Path
) -> None:
    with site.transaction() as tx:
        if age is not None:
            note_backup(tx, site.clock.now() - age, Backup(path=tmp_path / "b.tar", files=1, size_bytes=1))
            assert tx.meta.find(BACKUP_KEY)
        checks = {check.test: check for check in check_readiness(tx, site.world, site.admin, site.clock.now())}
    check = checks["keys and store are backed up"]
    assert check.result == result
    assert words in check.details
    assert ("mocdeck agent backup" in check.recommendation) is (result == "warn")
