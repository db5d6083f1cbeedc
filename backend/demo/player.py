"""Plays stories: each deed is one ordinary use case, under a clock that only moves forward.

Holds what the clients hold: keys, certificates and tokens. The rows are the agent's, made by nothing but its use cases;
the one exception is a certificate that is not valid yet, which is issued below the audit, since an event of the future
would rightly put the agent's clock in doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

import backend
from backend.clock import ManualClock
from backend.core.drafts import IdentityDraft
from backend.core.errors import InconsistentState
from backend.core.model import TAG_TOKEN, Certificate, Secret
from backend.core.rbac import RoleAssignment
from backend.demo.stories import HEARTBEAT, Deed, Story
from backend.pki.keys import KeyKind, PrivateKey, generate_key
from backend.pki.renewal import make_renewal_csr
from backend.pki.requests import make_csr, read_csr
from backend.service import identities, roles
from backend.service.caller import Caller
from backend.service.guard import authenticate, mark_used
from backend.service.heartbeat import Beat, beat
from backend.service.issuing import find_x509, issue_certificate
from backend.service.renewal import create_certificate, renew
from backend.service.signin import sign_in
from backend.service.token_line import find_current
from backend.service.world import World
from backend.store.port import Transaction

_NETWORK: Final = "192.0.2"  # RFC 5737: addresses for documentation, as nobody called from anywhere
_HOSTS: Final = 254


@dataclass(slots=True)
class Holding:
    """What one client has in its hands. `trust_pem` are the roots that came with the newest of it."""

    address: str
    token: Secret | None = None
    key: PrivateKey | None = None
    certificate: Certificate | None = None
    trust_pem: str = ""

    def pair(self) -> tuple[PrivateKey, Certificate]:
        """Key and certificate; a story that uses them before it got them is wrong."""
        if self.key is None or self.certificate is None:
            raise InconsistentState("a demo client has no certificate at this point of its story; report this")
        return self.key, self.certificate


class Player:
    """The clients of the past. `admin` is the administrator, whose hands do what a client cannot do itself."""

    def __init__(self, world: World, clock: ManualClock, login_path: Callable[[str], str]) -> None:
        self._world = world
        self._clock = clock
        self._login_path = login_path
        self.holdings: dict[str, Holding] = {}
        self.admin: Caller | None = None
        self._deeds: dict[Deed, Callable[[Transaction, Story], object]] = {
            Deed.CREATE: self._create,
            Deed.ROTATE: self._rotate,
            Deed.SIGN_IN: lambda tx, story: self.sign_in(tx, story.name, story.lifetime),
            Deed.CERTIFY: self._certify,
            Deed.CERTIFY_EARLY: self._certify_early,
            Deed.RENEW: self._renew,
            Deed.CALL: lambda tx, story: self.call(tx, story.name),
            Deed.BEAT: self._beat,
            Deed.REVOKE: self._revoke,
        }

    def move_to(self, at: datetime) -> None:
        """Let the time pass up to `at`; an instant that has gone by already is now."""
        ahead = at - self._clock.now()
        if ahead > timedelta(0):
            self._clock.advance(ahead)

    def do(self, tx: Transaction, story: Story, deed: Deed) -> None:
        """Do one deed now."""
        self._deeds[deed](tx, story)

    def get_admin(self) -> Caller:
        """The administrator as a caller; raises `InconsistentState` before the first sign-in."""
        if self.admin is None:
            raise InconsistentState("the demo's administrator has not signed in at this point; report this")
        return self.admin

    def holding(self, name: str) -> Holding:
        """What a client holds; from its first mention on."""
        if name not in self.holdings:
            self.holdings[name] = Holding(address=f"{_NETWORK}.{len(self.holdings) % _HOSTS + 1}")
        return self.holdings[name]

    def sign_in(self, tx: Transaction, name: str, lifetime: timedelta) -> Caller:
        """Trade the held token for a certificate and use it at once."""
        held = self.holding(name)
        if held.token is None:
            raise InconsistentState(f"the demo client {name} has no token to sign in with; report this")
        policy = replace(self._world.policy, client_lifetime=lifetime)
        key = generate_key(KeyKind.P256)
        held.certificate = sign_in(
            tx,
            replace(self._world, policy=policy),
            token=held.token,
            name=name,
            csr_pem=make_csr(key, name),
            address=held.address,
        )
        held.key = key
        held.trust_pem = tx.bundles.current().pem
        return self.call(tx, name)

    def call(self, tx: Transaction, name: str) -> Caller:
        """Any authenticated call: it proves that the certificate is in use."""
        held = self.holding(name)
        _, certificate = held.pair()
        caller = authenticate(tx, self._world, find_x509(certificate).public_bytes(Encoding.DER), held.address)
        mark_used(tx, caller, self._clock.now())
        return caller

    def rotate(self, tx: Transaction, name: str) -> None:
        """The administrator rotates a token and brings it to its client."""
        _, token = identities.rotate(tx, self._world, self.get_admin(), name)
        held = self.holding(name)
        held.token, held.trust_pem = token, tx.bundles.current().pem

    def _create(self, tx: Transaction, story: Story) -> None:
        draft = IdentityDraft(
            name=story.name,
            kind=story.kind,
            client_type=story.client_type,
            cluster=story.cluster,
            host=story.host,
            owner=story.owner,
            tags={TAG_TOKEN: story.unminted} if story.unminted else {},
            token_lifetime=story.token_lifetime,
            auto_rotate=story.auto_rotate,
            login_file_path=self._login_path(story.name) if story.has_login_path else "",
            auto_renew=story.auto_renew,
        )
        _, token = identities.create_or_update(tx, self._world, self.get_admin(), draft)
        self.holding(story.name).token = token
        for role in story.roles:
            assignment = RoleAssignment(name="", role_name=role, identity_name=story.name)
            roles.assign_role(tx, self._world, self.get_admin(), assignment)

    def _rotate(self, tx: Transaction, story: Story) -> None:
        self.rotate(tx, story.name)

    def _certify(self, tx: Transaction, story: Story) -> None:
        held, key = self.holding(story.name), generate_key(KeyKind.P256)
        held.certificate = create_certificate(
            tx,
            self._world,
            self.get_admin(),
            identity_name=story.name,
            csr_pem=make_csr(key, story.name),
            lifetime=story.lifetime,
        )
        held.key = key
        self.call(tx, story.name)

    def _certify_early(self, tx: Transaction, story: Story) -> None:
        assert story.early_by is not None  # noqa: S101 - the deed follows from it
        ahead = replace(self._world, clock=ManualClock(self._clock.now() + story.early_by))
        identity = tx.identities.get(story.name)
        request = read_csr(make_csr(generate_key(KeyKind.P256), story.name))
        issue_certificate(tx, ahead, identity, request, lifetime=story.lifetime)

    def _renew(self, tx: Transaction, story: Story) -> None:
        held = self.holding(story.name)
        old_key, old = held.pair()
        caller, key = self.call(tx, story.name), generate_key(KeyKind.P256)
        csr = make_renewal_csr(key, old_key, old.pem)
        held.certificate = renew(tx, self._world, caller, identity_name=story.name, csr_pem=csr)
        held.key = key
        self.call(tx, story.name)

    def _beat(self, tx: Transaction, story: Story) -> None:
        _, certificate = self.holding(story.name).pair()
        caller = self.call(tx, story.name)
        token = find_current(tx, caller.identity.number)
        said = Beat(
            serial=certificate.serial,
            epoch=tx.bundles.current().epoch,
            clock=self._clock.now(),
            loop_alive=story.auto_renew is not False,
            interval=HEARTBEAT,
            version=backend.__version__,
            token_id="" if token is None else token.id,
            can_store_token=True,
        )
        beat(tx, self._world, caller, said)

    def _revoke(self, tx: Transaction, story: Story) -> None:
        identities.revoke(tx, self._world, self.get_admin(), story.name)
