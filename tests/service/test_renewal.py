"""Renewing and creating certificates over the data port (R65, R66, R68; moc/protocol.md 4.3, 4.4, 4.7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import UnrecognizedExtension

from backend.core.errors import (
    AccessDenied,
    AgentError,
    CertificateExpired,
    CertificateUntrusted,
    Fenced,
    InconsistentState,
    InvalidInput,
    NotFound,
    Revoked,
)
from backend.core.model import AuthorityStatus, Certificate, RevokeReason
from backend.pki.keys import KeyKind, PrivateKey, generate_key
from backend.pki.profiles import ORIGINAL_CERTIFICATE, renew_count_of
from backend.pki.renewal import ProofRefused, make_renewal_csr
from backend.pki.requests import make_csr
from backend.pki.trust import split_bundle
from backend.service import certificates, identities
from backend.service.caller import Caller
from backend.service.fence import set_fence
from backend.service.renewal import create_certificate, renew

if TYPE_CHECKING:
    from tests.service.conftest import Site

SECOND = timedelta(seconds=1)


class Client:
    """A client that holds a key and its certificate."""

    def __init__(self, site: Site, name: str, kind: KeyKind = KeyKind.P256) -> None:
        self.site, self.name = site, name
        self.key: PrivateKey = generate_key(kind)
        self.identity, self.token = site.identity(name)
        self.certificate: Certificate = site.certificate(name, self.token, self.key)
        self.caller: Caller = site.caller(self.certificate)

    def csr(self, new_key: PrivateKey | None = None, old_key: PrivateKey | None = None) -> str:
        return make_renewal_csr(new_key or generate_key(KeyKind.P256), old_key or self.key, self.certificate.pem)

    def renew(self, csr: str = "", old: str | None = None, caller: Caller | None = None, name: str = "") -> Certificate:
        with self.site.transaction() as tx:
            return renew(
                tx,
                self.site.world,
                caller or self.caller,
                identity_name=name or self.name,
                csr_pem=csr or self.csr(),
                old_certificate_pem=self.certificate.pem if old is None else old,
            )


@pytest.mark.parametrize("kind", [KeyKind.P256, KeyKind.RSA2048])
def test_a_renewal_keeps_the_lifetime_and_counts_one_more_with_the_first_certificate_in_it(
    site: Site, kind: KeyKind
) -> None:
    client = Client(site, "kva", kind)
    first = client.certificate
    site.clock.advance(timedelta(days=60))
    keys = [generate_key(kind) for _ in range(2)]
    for count, key in enumerate(keys, start=1):
        renewed = client.renew(client.csr(key))
        leaf = split_bundle(renewed.pem)[0]
        assert renewed.validity.lifetime == first.validity.lifetime
        assert renewed.renew_count == renew_count_of(leaf) == count
        original = leaf.extensions.get_extension_for_oid(ORIGINAL_CERTIFICATE).value
        assert isinstance(original, UnrecognizedExtension)
        assert original.value == split_bundle(first.pem)[0].public_bytes(Encoding.DER)
        client.key, client.certificate = key, renewed
        site.clock.advance(timedelta(days=20))


def test_a_renewal_may_keep_its_key_and_still_moves_on(site: Site) -> None:
    client = Client(site, "kva")
    renewed = client.renew(client.csr(client.key))
    assert renewed.serial != client.certificate.serial
    again = client.renew(client.csr(client.key))
    assert again.serial == renewed.serial  # the lost answer, once more
    client.certificate = renewed
    assert client.renew(client.csr(client.key)).renew_count == 2


def test_a_plain_request_renews_the_identity_whose_certificate_carries_the_connection(site: Site) -> None:
    client = Client(site, "kva")
    plain = make_csr(generate_key(KeyKind.P256), "kva")
    assert client.renew(plain, old="").renew_count == 1
    assert client.renew(make_csr(generate_key(KeyKind.P256), "kva")).renew_count == 1


def test_a_plain_request_renews_nobody_else(site: Site) -> None:
    """R68: not even for an owner: it would be a certificate without proof of the old key."""
    client = Client(site, "kva")
    with pytest.raises(AccessDenied, match="proof"):
        client.renew(make_csr(generate_key(KeyKind.P256), "kva"), caller=site.admin)


def test_somebody_with_the_permission_renews_another_with_the_proof_of_its_key(site: Site) -> None:
    client = Client(site, "kva")
    assert client.renew(caller=site.admin).identity_number == client.identity.number


def test_nobody_renews_with_the_certificate_of_another(site: Site) -> None:
    """R68."""
    client, other = Client(site, "kva"), Client(site, "csi")
    with pytest.raises(AccessDenied):
        client.renew(other.csr(), old=other.certificate.pem)
    with pytest.raises(InvalidInput):
        client.renew(other.csr())
    with pytest.raises(AccessDenied):
        client.renew(make_csr(generate_key(KeyKind.P256), "kva"), old=other.certificate.pem)


def test_the_old_key_must_have_signed_the_proof(site: Site) -> None:
    """R68: the old certificate is public; its key is not."""
    client, other = Client(site, "kva"), Client(site, "csi")
    stolen = other.csr().encode()
    with pytest.raises((InvalidInput, ProofRefused)):
        client.renew(stolen.decode(), old=client.certificate.pem)


def test_a_foreign_or_tampered_certificate_is_not_renewed(site: Site) -> None:
    client = Client(site, "kva")
    with site.transaction() as tx:
        root = tx.authorities.issuing().pem
    with pytest.raises(CertificateUntrusted):
        client.renew(make_csr(generate_key(KeyKind.P256), "kva"), old=root)
    with pytest.raises(InvalidInput):
        client.renew(old="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def test_an_expired_certificate_is_not_renewed_and_the_text_makes_go_clients_sign_in(site: Site) -> None:
    client = Client(site, "kva")
    site.clock.advance(client.certificate.validity.not_after - site.clock.now())
    client.renew()
    site.clock.advance(SECOND)
    with pytest.raises(CertificateExpired) as caught:
        client.renew()
    assert str(caught.value) == "Certificate has expired: Expired"


def test_a_revoked_certificate_or_identity_is_not_renewed(site: Site) -> None:
    """R68."""
    client, other = Client(site, "kva"), Client(site, "csi")
    with site.transaction() as tx:
        tx.certificates.revoke(client.certificate.serial, site.clock.now(), RevokeReason.CERTIFICATE)
        identities.revoke(tx, site.world, site.admin, "csi")
    for one in (client, other):
        with pytest.raises(Revoked):
            one.renew()


def test_a_certificate_of_a_distrusted_generation_is_not_renewed(site: Site) -> None:
    client = Client(site, "kva")
    with site.transaction() as tx:
        staged = site.world.signer.stage(2, "north", site.clock.now(), timedelta(days=365))
        tx.authorities.add(staged)
        tx.authorities.set_status(1, AuthorityStatus.DISTRUSTED)
        tx.authorities.set_status(2, AuthorityStatus.ISSUING)
    with pytest.raises(CertificateUntrusted):
        client.renew()


def test_a_certificate_of_a_trusted_older_generation_is_renewed_into_the_issuing_one(site: Site) -> None:
    client = Client(site, "kva")
    with site.transaction() as tx:
        staged = site.world.signer.stage(2, "north", site.clock.now(), timedelta(days=365))
        tx.authorities.add(staged)
        tx.authorities.set_status(1, AuthorityStatus.TRUSTED)
        tx.authorities.set_status(2, AuthorityStatus.ISSUING)
    assert client.renew().generation == 2


def test_a_certificate_shortened_by_its_ca_gets_its_full_lifetime_from_the_next_ca(site: Site) -> None:
    client = Client(site, "kva")
    site.clock.advance(timedelta(days=80))
    for _ in range(4):
        client.key, csr = (fresh := generate_key(KeyKind.P256)), client.csr(fresh)
        client.certificate = client.renew(csr)
        site.clock.advance(timedelta(days=70))
    assert client.certificate.validity.lifetime < timedelta(days=90)
    with site.transaction() as tx:
        tx.authorities.add(site.world.signer.stage(2, "north", site.clock.now(), timedelta(days=365)))
        tx.authorities.set_status(1, AuthorityStatus.TRUSTED)
        tx.authorities.set_status(2, AuthorityStatus.ISSUING)
    assert client.renew().validity.lifetime == timedelta(days=90)


def test_nothing_is_renewed_or_created_while_issuing_is_fenced(site: Site) -> None:
    client = Client(site, "kva")
    with site.transaction() as tx:
        set_fence(tx, "ca rotation")
    with pytest.raises(Fenced):
        client.renew()
    with site.transaction() as tx, pytest.raises(Fenced):
        create_certificate(tx, site.world, client.caller, identity_name="kva", csr_pem="-")


def test_an_identity_may_certify_another_key_of_its_own(site: Site) -> None:
    client = Client(site, "kva")
    csr = make_csr(generate_key(KeyKind.P256), "whatever it likes")
    with site.transaction() as tx:
        made = create_certificate(
            tx, site.world, client.caller, identity_name="kva", csr_pem=csr, lifetime=timedelta(days=1)
        )
    assert split_bundle(made.pem)[0].subject == split_bundle(client.certificate.pem)[0].subject
    assert made.validity.lifetime == timedelta(days=1)
    with site.transaction() as tx, pytest.raises(InvalidInput, match="longer"):
        create_certificate(
            tx, site.world, client.caller, identity_name="kva", csr_pem=csr, lifetime=timedelta(days=90) + SECOND
        )


def test_nobody_gets_the_certificate_of_an_identity_with_more_rights(site: Site) -> None:
    """R69: a signer could otherwise sign itself an owner."""
    signer = site.signed_in("signer", "CertificateSigner")
    csr = make_csr(generate_key(KeyKind.P256), "admin")
    with site.transaction() as tx, pytest.raises(AccessDenied):
        certificates.sign(tx, site.world, signer, name="admin", csr_pem=csr)
    with site.transaction() as tx, pytest.raises(NotFound):
        certificates.sign(tx, site.world, signer, name="nobody", csr_pem=csr)
    site.identity("kva")
    with site.transaction() as tx:
        signed = certificates.sign(tx, site.world, signer, name="kva", csr_pem=csr)
        assert certificates.get(tx, "kva").certificate == signed
        identities.revoke(tx, site.world, site.admin, "kva")
    with site.transaction() as tx, pytest.raises(InconsistentState):
        certificates.sign(tx, site.world, signer, name="kva", csr_pem=csr)


def test_a_refused_renewal_leaves_no_certificate(site: Site) -> None:
    client = Client(site, "kva")
    for csr, old in ((client.csr(), "x"), ("x", client.certificate.pem), (client.csr()[:200], client.certificate.pem)):
        with pytest.raises(AgentError):
            client.renew(csr, old)
    with site.transaction() as tx:
        assert [found.serial for found in tx.certificates.of(client.identity.number)] == [client.certificate.serial]
