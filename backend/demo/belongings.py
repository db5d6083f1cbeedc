"""The files of the present: what the seeded clients hold, written as MOC's programs and ours keep it.

Login files and cloudconfigs for the clients that live, the manifest of their process, and the context of the dashboard.
Every file is 0600 and every directory 0700, below the demo's own directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import yaml

from backend.client.access_file import make_access_file, write_access_file
from backend.client.contexts import Context, Contexts, find_places, read_contexts, write_contexts
from backend.client.login_file import CLIENT_TYPES, LoginFile, write_login_file
from backend.core.model import ClientType, Secret
from backend.demo.cast import DEPLOYMENT
from backend.demo.past import ADMINISTRATOR, LOOPBACK, Seeded
from backend.demo.player import Holding
from backend.demo.stories import HEARTBEAT, Story
from backend.pki.files import make_private_directory, write_atomic
from backend.pki.keys import private_key_pem

_WORDS: Final = {kind: word for word, kind in CLIENT_TYPES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the demo's agent answers, on the loopback address."""

    data: int
    login: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything of one site lies; further sites of a demo share the `first` one's home."""

    root: Path
    name: str = DEPLOYMENT
    first: Layout | None = None

    @property
    def agent(self) -> Path:
        """The agent's directory."""
        return self.root / "agent"

    @property
    def passphrase(self) -> Path:
        """The generated passphrase of the agent's keys."""
        return self.root / "passphrase"

    @property
    def home(self) -> Path:
        """MOCDECK_HOME of the demo: configuration, data and state of the dashboard and the command line."""
        return self.root / "home" if self.first is None else self.first.home

    @property
    def manifest(self) -> Path:
        """The living clients, for `mocdeck client run`."""
        return self.root / "clients.yaml"

    @property
    def logs(self) -> Path:
        """Logs of the demo and of its programs."""
        return self.root / "log"

    def client(self, name: str) -> Path:
        """The directory of one client."""
        return self.root / "clients" / name

    def login_file(self, name: str) -> Path:
        """The login file of one client; a path that the agent may know."""
        return self.client(name) / "login.yaml"

    def environment(self) -> dict[str, str]:
        """The variables that make a program of this demo leave the user's own files alone."""
        return {"MOCDECK_HOME": str(self.home)}

    def make(self) -> None:
        """Make the directories that hold files of several parts."""
        for path in (self.root / "clients", self.home, self.logs):
            make_private_directory(path)


def write_clients(
    layout: Layout, stories: tuple[Story, ...], seeded: Seeded, ports: Ports, *, heartbeat: timedelta = HEARTBEAT
) -> None:
    """Write the files of the clients that live or rest here, and the manifest of the living ones' process."""
    entries: list[dict[str, object]] = []
    for story in stories:
        if story.living is None and not story.at_rest:
            continue
        make_private_directory(layout.client(story.name))
        held = seeded.holdings[story.name]
        cloudconfig = layout.client(story.name) / "cloudconfig"
        _write_login(layout.login_file(story.name), story.name, story.client_type, held, seeded, ports)
        if held.certificate is not None:
            _write_access(cloudconfig, story.name, held, seeded)
        if story.living is None:
            continue
        entries.append(
            {
                "config": str(cloudconfig),
                "login_file": str(layout.login_file(story.name)),
                "interval": f"{heartbeat.seconds}s",
                "clock_offset": f"{story.living.clock_offset.seconds}s",
                "auto_renew": story.living.renews_itself,
            }
        )
    write_atomic(layout.manifest, yaml.safe_dump({"clients": entries}, sort_keys=False).encode())


def write_context(layout: Layout, seeded: Seeded, ports: Ports) -> None:
    """Write the administrator's credential and the context that the dashboard and the command line use."""
    places = find_places(layout.environment())
    held = seeded.holdings[ADMINISTRATOR]
    login_file = seeded.agent.login_file
    cloudconfig = places.data / layout.name / "cloudconfig"
    _write_login(login_file, ADMINISTRATOR, ClientType.ADMIN, held, seeded, ports)
    _write_access(cloudconfig, ADMINISTRATOR, held, seeded)
    context = Context(
        name=layout.name,
        address=LOOPBACK,
        port=ports.data,
        auth_port=ports.login,
        cloudconfig=cloudconfig,
        login_file=login_file,
    )
    known = Contexts() if layout.first is None else read_contexts(places.config_file)
    write_contexts(places.config_file, known.put(context, use=layout.first is None))


def _write_login(path: Path, name: str, kind: ClientType, held: Holding, seeded: Seeded, ports: Ports) -> None:
    if held.token is None:
        return  # its token was made elsewhere, or there is none: so there is no file either
    login = LoginFile(
        name=name,
        token=held.token,
        trust_pem=held.trust_pem or seeded.bundle.pem,
        client_type=_WORDS[kind],
        cloud_fqdn=LOOPBACK,
        cloud_port=ports.data,
        cloud_auth_port=ports.login,
        auth_type="CA-Signed",
    )
    write_login_file(path, login)


def _write_access(path: Path, name: str, held: Holding, seeded: Seeded) -> None:
    key, certificate = held.pair()
    access = make_access_file(
        trust_pem=held.trust_pem or seeded.bundle.pem,
        certificate_pem=certificate.pem,
        key_pem=Secret(private_key_pem(key).decode()),
        identity_name=name,
    )
    write_access_file(path, access)
