"""Simulated clients over the real use cases: each holds key, certificate, token and bundle epoch, as programs do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backend.core.errors import AgentError
from backend.core.model import Certificate, Secret
from backend.pki.keys import KeyKind, PrivateKey, generate_key
from backend.pki.renewal import make_renewal_csr
from backend.service import deliveries
from backend.service.guard import mark_used
from backend.service.heartbeat import Beat, BeatAnswer, beat
from backend.service.renewal import renew
from backend.store.records import OrderKind

if TYPE_CHECKING:
    from backend.service.ticks import TickReport
    from tests.service.conftest import Site

INTERVAL = timedelta(seconds=30)


@dataclass
class Client:
    """A living client. `obeys` False: it reports and does nothing it is told; `stores` False: its file is read-only."""

    site: Site
    name: str
    number: int
    token: Secret
    token_id: str = ""
    key: PrivateKey = field(default_factory=lambda: generate_key(KeyKind.P256))
    certificate: Certificate | None = None
    epoch: int = 0
    done_order: str = ""
    obeys: bool = True
    stores: bool = True
    skew: timedelta = timedelta(0)
    bundle: str = ""

    def sign_in(self) -> None:
        """Trade the token for a certificate, and make a first call with it."""
        key = generate_key(KeyKind.P256)
        self.certificate = self.site.certificate(self.name, self.token, key)
        self.key = key

    def call(self) -> None:
        """Any authenticated call."""
        assert self.certificate is not None
        caller = self.site.caller(self.certificate)
        with self.site.transaction() as tx:
            mark_used(tx, caller, self.site.clock.now())

    def renew(self) -> None:
        """Renew with the proof of the old key."""
        assert self.certificate is not None
        key = generate_key(KeyKind.P256)
        csr = make_renewal_csr(key, self.key, self.certificate.pem)
        caller = self.site.caller(self.certificate)
        with self.site.transaction() as tx:
            self.certificate = renew(tx, self.site.world, caller, identity_name=self.name, csr_pem=csr)
        self.key = key

    def beat(self, **changes: Any) -> BeatAnswer:
        """One heartbeat over the certificate at hand; takes the answer's trust, token and order home."""
        assert self.certificate is not None
        caller = self.site.caller(self.certificate)
        now = self.site.clock.now()
        said = Beat(
            serial=self.certificate.serial,
            epoch=self.epoch,
            clock=now + self.skew,
            loop_alive=True,
            interval=INTERVAL,
            version="test",
            token_id=self.token_id,
            can_store_token=self.stores,
            done_order=self.done_order,
        )
        with self.site.transaction() as tx:
            mark_used(tx, caller, now)
            answer = beat(tx, self.site.world, caller, replace(said, **changes))
        if self.obeys:
            self._obey(answer)
        return answer

    def live(self) -> None:
        """What a client does each interval: beat, or sign in when its certificate is refused and it has a way."""
        try:
            if self.certificate is None:
                self.sign_in()
            self.beat()
        except AgentError:
            try:
                self.sign_in()
                self.beat()
            except AgentError:
                return

    def _obey(self, answer: BeatAnswer) -> None:
        if answer.bundle_pem:
            self.epoch, self.bundle = answer.epoch, answer.bundle_pem
        if answer.order is None:
            return
        if answer.order.kind is OrderKind.TAKE_TOKEN:
            assert answer.login_token is not None
            self.token, self.token_id = answer.login_token, answer.order.token_id
        elif answer.order.kind is OrderKind.SIGN_IN:
            self.sign_in()
        else:
            self.renew()
        self.done_order = answer.order.id


@dataclass(frozen=True)
class Live:
    """The site with its living clients."""

    site: Site
    clients: dict[str, Client]

    def client(self, name: str, *, signed_in: bool = True, cluster: str = "edge", **fields: Any) -> Client:
        """A new identity with a client that has signed in and sent its first heartbeat."""
        identity, token = self.site.identity(name, cluster=cluster, **fields)
        client = Client(site=self.site, name=name, number=identity.number, token=token)
        with self.site.transaction() as tx:
            client.token_id = tx.tokens.of(identity.number)[0].id
        self.clients[name] = client
        if signed_in:
            client.sign_in()
            client.beat()
        return client

    def tick(self) -> TickReport:
        """One tick of the agent, in a transaction of its own."""
        from backend.service.ticks import tick

        with self.site.transaction() as tx:
            return tick(tx, self.site.world)

    def write_files(self) -> list[str]:
        """Deliver what is owed to paths, as the agent's core does."""
        with self.site.transaction() as tx:
            files = deliveries.prepare(tx, self.site.world)
        # The administrator's own file still names the directory that the site was copied from: not ours to write.
        files = [file for file in files if file.path.is_relative_to(self.site.directory.parent)]
        for file in files:
            file.path.write_text(file.content.reveal())
            with self.site.transaction() as tx:
                deliveries.mark_written(tx, self.site.world, file)
        return [str(file.path) for file in files]

    def pass_interval(self, *silent: str) -> TickReport:
        """Half a minute: every client lives, but the silent ones, then the agent ticks."""
        self.site.clock.advance(INTERVAL)
        for client in self.clients.values():
            if client.name not in silent:
                client.live()
        return self.tick()


@pytest.fixture
def live(site: Site) -> Live:
    """A site for living clients."""
    return Live(site=site, clients={})


@pytest.fixture
def new_live(new_site: Callable[[Path], Site]) -> Callable[[Path], Live]:
    """Makes further sites under the given directories, for tests that need many."""
    return lambda directory: Live(site=new_site(directory), clients={})
