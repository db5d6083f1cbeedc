"""One identity's credential and how it is kept usable: signing in, renewing, believing new roots, falling back.

Carries out what `backend.client.planner` decides and remembers the agent's answers about it. The order of writes is the
promise: a fresh pair is whole on disk before it is used, and the pair before it waits beside it until the fresh one has
been used once, so a lost answer, a kill or a refused new certificate never locks the client out (pki.md 5.8, R31).
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from backend.client.access_file import AccessFile, make_access_file
from backend.client.canary import CanaryRounds
from backend.client.chain import TrustChain
from backend.client.channel import DataLink, call_login
from backend.client.errors import AgentUntrusted, FileInvalid, NoCredential, Unreachable
from backend.client.material import Material
from backend.client.planner import Holding
from backend.client.record import token_mark
from backend.client.settings import DATA_PORT, LOGIN_PORT, ClientSettings
from backend.client.statuses import Line
from backend.client.token_claims import TokenClaims, peek
from backend.clock import Clock
from backend.core.canary import CanaryTask
from backend.core.errors import AgentError, InvalidInput, NotFound, TokenRejected, Unauthenticated
from backend.core.limits import SAME_KEY_WINDOW
from backend.core.model import Secret
from backend.pki import keys, renewal, requests
from backend.pki.trust import common_name_of
from backend.wire.convert import SigningOrder, decoded, login_message, signing_message
from backend.wire.methods import get_method
from backend.wire.moc import authentication_pb2, common_pb2, identity_pb2

log = logging.getLogger(__name__)

REFUSED_TOKEN_REST: Final = timedelta(hours=1)  # then it is tried again: the agent may have been restored meanwhile
_ISSUE_DEADLINE: Final = timedelta(seconds=30)
_EMPTY_AUTHORIZATION: Final = (("authorization", ""),)  # present and empty on renewals (moc/protocol.md 1.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFacts:
    """What may be shown of a credential; no secrets. Instants None: there is none, or it states none."""

    identity: str
    agent: str
    serial: str
    not_before: datetime | None
    not_after: datetime | None
    token_id: str
    token_expires_at: datetime | None


class Credential:
    """One identity's material, its line to the agent, and the agent's answers about both."""

    def __init__(self, settings: ClientSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._pending: tuple[keys.PrivateKey, datetime] | None = None
        self._refused_serial: int | None = None
        self._refused_token: tuple[str, datetime] | None = None
        self._distrusted = ""  # the roots with which the agent's certificate did not verify
        if settings.plaintext:
            log.warning("data port without TLS: MOC's debug mode is on", extra={"path": str(settings.access_file)})
        self.material = Material(settings)
        self.chain = TrustChain(self.material, clock)
        self.canary = CanaryRounds()
        self.link = DataLink(clock, plaintext=settings.plaintext)

    def refresh(self) -> bool:
        """Read changed files; tell whether any had changed. Raises OSError or UnsafeFile when ours cannot be read."""
        return self.material.refresh(self._clock.now())

    @property
    def claims(self) -> TokenClaims:
        """What can be read of the token in the login file."""
        return peek(self.material.login.token) if self.material.login is not None else TokenClaims()

    def holding(self) -> Holding:
        """The facts that the planner decides from."""
        access, login = self.material.access, self.material.login
        return Holding(
            validity=access.validity if access is not None else None,
            serial=access.serial if access is not None else 0,
            has_token=login is not None,
            token_expires_at=self.claims.expires_at,
            token_refused=self._is_token_refused(),
            certificate_refused=access is not None and access.serial == self._refused_serial,
            agent_untrusted=bool(self._distrusted) and self._distrusted == self.material.trust_pem(),
            chain_refused=self.chain.is_refused,
            chain_cut=self.chain.is_cut,
        )

    def facts(self) -> CredentialFacts:
        """The facts that people see."""
        access, login, claims = self.material.access, self.material.login, self.claims
        name = access.identity_name if access is not None else login.name if login is not None else ""
        return CredentialFacts(
            identity=name,
            agent=self._where(),
            serial=access.serial_hex if access is not None else "",
            not_before=access.validity.not_before if access is not None else None,
            not_after=access.validity.not_after if access is not None else None,
            token_id=claims.id,
            token_expires_at=claims.expires_at,
        )

    def open_link(self) -> DataLink:
        """Return the link to the data port, over the present certificate and roots.

        Raises:
            NoCredential: there is no certificate to show.
        """
        access = self.material.access
        if access is None:
            raise NoCredential(f"there is no certificate in {self._settings.access_file}; sign in with a login file")
        host = self._host()
        self.link.use(
            Line(
                host=host,
                port=self._port(),
                server_name=self._settings.server_name or host,
                trust_pem=access.trust_pem,
                access=access,
            )
        )
        return self.link

    async def sign_in(self) -> AccessFile:
        """Trade the login file's token for a certificate and make it the credential.

        Raises:
            NoCredential: there is no login file to sign in with.
            AgentError: the agent's refusal, or what is wrong with the connection.
            OSError, UnsafeFile: the new credential could not be written; the old one stays.
        """
        login = self.material.login
        if login is None:
            raise NoCredential(self.material.login_error or "there is no login file; sign-in needs one")
        line = self._login_line()
        key = await self._take_key()
        request = login_message(login.name, requests.make_csr(key, login.name))
        method = get_method("AuthenticationAgent", "Login")
        try:
            answer = await call_login(line, method, request, login.token, self._clock)
        except AgentError as error:
            if isinstance(error, AgentUntrusted):
                self._distrusted = line.trust_pem
            self.note_failure(error, token=login.token)
            raise
        assert isinstance(answer, authentication_pb2.AuthenticationResponse)  # noqa: S101 - the method's own type
        # Signed with the trust that was just proved: the login file's own, or the cloudconfig's newer one.
        new = _paired(line.trust_pem, decoded(answer.Token, "the certificate in the sign-in answer"), key, login.name)
        self.material.swap(new, login=login)
        self.material.remember(replace(self.material.memory, address=line.host))  # for a start without the login file
        self.material.settle_chained()
        new = self.material.access or new
        self._became(new)
        log.info("signed in", extra={"identity": new.identity_name, "serial": new.serial_hex})
        return new

    async def renew(self) -> AccessFile:
        """Renew the certificate with a new key, proving the old one, and make it the credential.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection.
            OSError, UnsafeFile: the new credential could not be written; the old one stays.
        """
        self.open_link()  # refuses without a certificate
        old = self.material.access
        assert old is not None  # noqa: S101 - see above
        key = await self._take_key(like=old)
        request = _renewal_request(old, key)
        link = self.open_link()  # again: another call may have dropped it while the key was made
        method = get_method("IdentityAgent", "OperateCertificates")
        try:
            answer = await link.call(method, request, deadline=_ISSUE_DEADLINE, metadata=_EMPTY_AUTHORIZATION)
        except AgentError as error:
            self.note_failure(error)
            raise
        assert isinstance(answer, identity_pb2.IdentityCertificateResponse)  # noqa: S101 - the method's own type
        if not answer.Certificates:
            raise NotFound(f"the agent answered the renewal of {old.identity_name} without a certificate")
        pem = decoded(answer.Certificates[0].certificate, "the renewed certificate")
        new = _paired(old.trust_pem, pem, key, old.identity_name)
        self.material.swap(new, login=None)
        self._became(new)
        log.info("renewed", extra={"identity": new.identity_name, "serial": new.serial_hex})
        return new

    async def follow_chain(self) -> None:
        """Ask anybody at the login port for the signed chain of trust bundles, and believe where it leads.

        Raises:
            AgentError: it leads nowhere, or could not be had; what is held stays.
            OSError, UnsafeFile: the new roots could not be written; the old ones stay.
        """
        await self.chain.follow(self._login_line())
        self._distrusted = ""

    def note_success(self) -> None:
        """A call on the data port went through: certificate and roots are good, and the pair before is not needed."""
        self._refused_serial = None
        self._distrusted = ""
        self.material.confirm()

    def note_failure(self, error: AgentError, *, token: Secret | None = None) -> None:
        """Remember what a failed call says about certificate, token or roots; fall back if a fresh pair was refused.

        `token` is the one that was shown, on a sign-in.
        """
        if not isinstance(error, AgentUntrusted | Unreachable):
            self._distrusted = ""  # it was the agent that answered
        if token is not None:
            if isinstance(error, TokenRejected):
                self._refused_token = (token_mark(token), self._clock.now() + REFUSED_TOKEN_REST)
            return
        if isinstance(error, AgentUntrusted) and self.material.access is not None:
            self._distrusted = self.material.access.trust_pem
            return
        if isinstance(error, Unauthenticated) and self.material.access is not None:
            refused = self.material.access.serial
            if not self.material.fall_back():
                self._refused_serial = refused
            self.link.drop()

    def take_canary(self, task: CanaryTask | None) -> None:
        """Go to the canary as the agent asks, beside everything else; None: it asks for nothing."""
        access = self.material.access
        if task is None or access is None:
            self.canary.forget()
        else:
            self.canary.begin(task, self._host(), access)

    async def close(self) -> None:
        """Close the connection."""
        await self.link.close()

    def _became(self, new: AccessFile) -> None:
        self._pending = None
        self._refused_serial = None
        self._distrusted = ""
        self._refused_token = None
        self.open_link()
        log.debug("credential swapped", extra={"serial": new.serial_hex})

    def _is_token_refused(self) -> bool:
        login = self.material.login
        if login is None or self._refused_token is None:
            return False
        mark, until = self._refused_token
        rest = until - self._clock.now()  # longer than it ever is when the clock fell back meanwhile
        return mark == token_mark(login.token) and timedelta(0) < rest <= REFUSED_TOKEN_REST

    async def _take_key(self, like: AccessFile | None = None) -> keys.PrivateKey:
        """A new key; the one of a try that got no answer is shown again, as the agent then repeats its answer."""
        now = self._clock.now()
        if self._pending is not None and timedelta(0) <= now - self._pending[1] < SAME_KEY_WINDOW:
            return self._pending[0]
        kind = self._settings.key_kind
        if like is not None:
            kind = keys.kind_of(keys.load_private_key(like.key_pem.reveal().encode()).public_key())
        key = await asyncio.to_thread(keys.generate_key, kind)  # RSA takes long enough to hold up a shared loop
        self._pending = (key, now)
        return key

    def _login_line(self) -> Line:
        """The way to the login port, over the newest roots that are believed here."""
        host, login = self._host(), self.material.login
        return Line(
            host=host,
            port=self._settings.auth_port or (login.cloud_auth_port if login is not None else 0) or LOGIN_PORT,
            server_name=self._settings.server_name or host,
            trust_pem=self.material.trust_pem(),
        )

    def _host(self) -> str:
        login = self.material.login
        host = self._settings.address or (login.cloud_fqdn if login is not None else "") or self.material.memory.address
        if not host:
            where = self._settings.login_file or self._settings.access_file
            raise FileInvalid(where, "cloudfqdn", "the agent's host name or address, or one given as a setting")
        return host

    def _port(self) -> int:
        login = self.material.login
        return self._settings.port or (login.cloud_port if login is not None else 0) or DATA_PORT

    def _where(self) -> str:
        try:
            return Line(host=self._host(), port=self._port(), server_name="", trust_pem="").where
        except FileInvalid:
            return ""


def _renewal_request(old: AccessFile, key: keys.PrivateKey) -> identity_pb2.IdentityCertificateRequest:
    old_key = keys.load_private_key(old.key_pem.reveal().encode())
    leaf = x509.load_pem_x509_certificate(old.certificate_pem.encode())
    order = SigningOrder(
        name=common_name_of(leaf.subject),
        csr_pem=renewal.make_renewal_csr(key, old_key, old.certificate_pem),
        old_certificate_pem=old.certificate_pem,
    )
    return identity_pb2.IdentityCertificateRequest(
        IdentityName=old.identity_name,
        CSR=[signing_message(order)],
        OperationType=common_pb2.ProviderAccessOperation.IdentityCertificate_Renew,
    )


def _paired(trust_pem: str, certificate_pem: str, key: keys.PrivateKey, name: str) -> AccessFile:
    """Build the new cloudconfig; an answer that does not fit our key is the agent's fault, not a file's."""
    try:
        return make_access_file(
            trust_pem=trust_pem,
            certificate_pem=certificate_pem,
            key_pem=Secret(keys.private_key_pem(key).decode()),
            identity_name=name,
        )
    except FileInvalid as error:
        raise InvalidInput(
            f"the agent's answer for {name} is no certificate for the key that was sent: {error.key}; "
            "it is dropped and the present certificate stays"
        ) from None
