"""The birth of an agent: whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from backend.clock import ManualClock
from backend.core.errors import AgentError, AlreadyExists, InvalidInput, NotFound
from backend.core.model import AuthorityStatus, Secret
from backend.core.rbac import GeneralOperation, Need, Provider, may
from backend.pki.vault import WrongPassphrase
from backend.service import audit
from backend.service.agent_file import read_agent_file
from backend.service.bootstrap import init_agent, open_world
from backend.store.port import Store
from backend.store.sqlite import open_store

if TYPE_CHECKING:
    from datetime import datetime

    from tests.service.conftest import Born, Site

PASSPHRASE = Secret("pass")


def init(directory: Path, start: datetime, **changes: object) -> None:
    arguments: dict[str, object] = {"passphrase": PASSPHRASE, "fqdns": ["ca.example.test"], **changes}
    init_agent(directory, clock=ManualClock(start), open_store=open_store, **arguments)  # type: ignore[arg-type]


def test_a_newborn_agent_has_one_issuing_ca_one_bundle_and_an_owner(site: Site) -> None:
    with site.transaction() as tx:
        [authority] = tx.authorities.all()
        bundle = tx.bundles.current()
        assert audit.verify(tx).intact
    assert authority.status is AuthorityStatus.ISSUING
    assert (bundle.epoch, bundle.generations, bundle.pem) == (1, (1,), authority.pem)
    assert may(site.admin.grants, Need(provider=Provider.CREDENTIAL_MONITOR, operation=GeneralOperation.DELETE))


def test_what_init_reports_is_what_is_there(born: Born) -> None:
    agent = born.agent
    assert read_agent_file(agent.directory) == agent.names
    assert agent.names.fqdns == ("ca.example.test", "127.0.0.1")
    document = yaml.safe_load(agent.login_file.read_text())
    assert (document["name"], document["clienttype"]) == ("admin", "Admin")
    assert agent.authority.status is AuthorityStatus.ISSUING
    assert sorted(path.name for path in agent.directory.iterdir()) == ["admin", "agent.yaml", "keys", "store.db"]
    assert not list(agent.directory.parent.glob(".*"))


def test_everything_is_private_from_birth(born: Born) -> None:
    for path in (born.agent.directory, *born.agent.directory.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_keys_are_unreadable_without_the_passphrase(born: Born) -> None:
    for path in (born.agent.directory / "keys").iterdir():
        assert b"PRIVATE KEY" not in path.read_bytes()
    with pytest.raises(WrongPassphrase):
        open_world(born.agent.directory, passphrase=Secret("wrong"), clock=ManualClock(born.world.clock.now()))


def test_an_empty_directory_is_taken_and_a_used_one_refused(born: Born, tmp_path: Path) -> None:
    start = born.world.clock.now()
    empty = tmp_path / "empty"
    empty.mkdir()
    init(empty, start)
    with pytest.raises(AlreadyExists, match="already holds an agent"):
        init(empty, start)
    used = tmp_path / "used"
    used.mkdir()
    (used / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="not empty"):
        init(used, start)
    with pytest.raises(InvalidInput, match="not a directory"):
        init(used / "notes.txt", start)
    assert [path.name for path in used.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    "changes",
    [
        {"fqdns": []},
        {"fqdns": ["not a name"]},
        {"passphrase": Secret("")},
        {"deployment": "a\x1b[31m"},
        {"administrator": ""},
    ],
)
def test_a_birth_that_is_refused_leaves_nothing(born: Born, tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(AgentError):
        init(tmp_path / "agent", born.world.clock.now(), **changes)
    assert not list(tmp_path.iterdir())


def test_a_birth_that_fails_half_way_leaves_nothing(born: Born, tmp_path: Path) -> None:
    def full_disk(path: Path) -> Store:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    with pytest.raises(OSError, match="No space"):
        init_agent(
            tmp_path / "agent",
            passphrase=PASSPHRASE,
            fqdns=["ca.example.test"],
            clock=ManualClock(born.world.clock.now()),
            open_store=full_disk,
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not YAML"),
        ("- a", "must hold the keys"),
        ("deployment: x\ndeployment_id: y\nfqdns: []", "fqdns must be a list"),
        ("deployment: x\ndeployment_id: y\nfqdns: z", "fqdns must be a list"),
        ("deployment: ''\ndeployment_id: y\nfqdns: [z]", "deployment must be a text"),
        ("deployment: x\ndeployment_id: 7\nfqdns: [z]", "deployment_id must be a text"),
        ("deployment: x\ndeployment_id: y\nfqdns: [z]\nport: 1", "unknown key 'port'"),
        ("x" * 70_000, "far more than"),
    ],
)
def test_a_damaged_agent_file_is_refused_with_its_path(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "agent.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=complaint) as caught:
        read_agent_file(tmp_path)
    assert str(tmp_path / "agent.yaml") in str(caught.value)


def test_a_directory_without_an_agent_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="mocdeck agent init"):
        read_agent_file(tmp_path)
