"""What the hot path asks of the store: a statement more is a twentieth of a sign-in, and nobody would see it come."""

from __future__ import annotations

from typing import Any

import pytest

from backend.pki import keys, renewal
from backend.store.work import Work
from backend.wire.convert import SigningOrder, signing_message
from backend.wire.moc import common_pb2, identity_pb2


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that runs, its savepoint's aside."""
    seen: list[str] = []
    run = Work._run

    def counted(work: Work, statement: Any, values: Any, taken: str) -> None:
        seen.append(str(statement))
        run(work, statement, values, taken)

    monkeypatch.setattr(Work, "_run", counted)
    return seen


def test_a_sign_in_and_a_renewal_ask_the_store_no_more_than_they_need(site: Any, statements: list[str]) -> None:
    seen = statements
    token = site.identity(site.admin(), "kms-1").token
    site.sign_in("kms-1", token)
    key, new = keys.generate_key(keys.KeyKind.P256), keys.generate_key(keys.KeyKind.P256)
    seen.clear()
    leaf = site.sign_in("kms-1", token, key)
    signing_in = list(seen)
    seen.clear()
    old = leaf.decode()
    order = SigningOrder(name="kms-1", csr_pem=renewal.make_renewal_csr(new, key, old), old_certificate_pem=old)
    request = identity_pb2.IdentityCertificateRequest(
        IdentityName="kms-1", CSR=[signing_message(order)], OperationType=common_pb2.IdentityCertificate_Renew
    )
    assert site.call("IdentityAgent", "OperateCertificates", request, leaf).Certificates
    assert len(signing_in) <= 12, signing_in
    assert len(seen) <= 20, seen
    assert sum("FROM authorities" in statement for statement in seen) == 1
