"""Sign-in, signing requests and certificates in MOC's own encodings; the resources that are kept as messages; audit."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.wrappers_pb2 import BoolValue
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import InvalidInput, NotSupported
from backend.core.lifecycle import Validity
from backend.core.model import AuditEvent, Certificate, Outcome
from backend.wire import convert
from backend.wire.moc import (
    authentication_pb2,
    certificate_pb2,
    common_pb2,
    group_pb2,
    identity_pb2,
    location_pb2,
    node_pb2,
)
from backend.wire.mocdeck.v1 import fleet_pb2

quick = settings(derandomize=True, deadline=None, max_examples=60)
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
CONTENTS = st.text("ABCab+/09=", max_size=200)


def login(*certificates: tuple[str, str], name: str = "kms") -> authentication_pb2.AuthenticationRequest:
    return authentication_pb2.AuthenticationRequest(
        Identity=identity_pb2.Identity(name=name, certificates=dict(certificates))
    )


def test_a_sign_in_carries_its_request_as_pem_under_the_empty_key() -> None:
    assert convert.login_request(login(("", CSR))) == convert.LoginRequest(name="kms", csr_pem=CSR)
    assert convert.login_message("kms", CSR) == login(("", CSR))


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (login(), "0 certificates"),
        (login(("a", CSR)), "under the empty key"),
        (login(("", CSR), ("b", CSR)), "2 certificates"),
        (login(("", "")), "is empty"),
        (login(("", "hello")), "not PEM"),
        (login(("", CSR), name="a/b"), "looks like a path"),
        (login(("", CSR + "x" * 16384)), "at most 16384"),
        (login(("", CSR + "ä")), "not PEM"),
    ],
)
def test_another_sign_in_is_refused(request_: authentication_pb2.AuthenticationRequest, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        convert.login_request(request_)


@pytest.mark.parametrize("certificate", [PEM, base64.b64encode(PEM.encode()).decode()])
def test_a_self_signed_sign_in_is_told_to_update(certificate: str) -> None:
    with pytest.raises(NotSupported, match="update the client"):
        convert.login_request(login(("", certificate)))


def test_the_token_of_a_sign_in_answer_is_base64_of_the_certificate() -> None:
    answer = convert.login_response(PEM)
    assert base64.b64decode(answer.Token).decode() == PEM
    assert answer.Result.value


@quick
@given(CONTENTS, CONTENTS, st.one_of(st.none(), st.integers(1, 3650 * 86400)))
def test_a_signing_order_survives_the_wire(csr: str, old: str, lifetime: int | None) -> None:
    order = convert.SigningOrder(
        name="kms",
        csr_pem=CSR + csr,
        old_certificate_pem=PEM + old if old else "",
        lifetime=timedelta(seconds=lifetime) if lifetime else None,
    )
    assert convert.signing_order(convert.signing_message(order)) == order


def test_an_old_certificate_is_taken_as_base64_of_pem_and_as_pem() -> None:
    for old in (PEM, convert.encoded(PEM)):
        message = certificate_pb2.CertificateSigningRequest(name="kms", csr=CSR, oldCertificate=old)
        assert convert.signing_order(message).old_certificate_pem == PEM


@pytest.mark.parametrize(
    ("message", "error", "why"),
    [
        (certificate_pb2.CertificateSigningRequest(csr=CSR, isCA=BoolValue(value=True)), NotSupported, "isCA"),
        (certificate_pb2.CertificateSigningRequest(csr=CSR, caName="other"), NotSupported, "caName"),
        (certificate_pb2.CertificateSigningRequest(csr=CSR, validity=-1), InvalidInput, "validity is -1"),
        (certificate_pb2.CertificateSigningRequest(csr=CSR, validity=2**62), InvalidInput, "validity is"),
        (certificate_pb2.CertificateSigningRequest(csr=PEM), InvalidInput, "not PEM text of type CERTIFICATE REQUEST"),
        (certificate_pb2.CertificateSigningRequest(csr=CSR, oldCertificate="%%%"), InvalidInput, "neither base64"),
        (certificate_pb2.CertificateSigningRequest(csr=CSR, oldCertificate="AAAA"), InvalidInput, "oldCertificate"),
        (certificate_pb2.CertificateSigningRequest(csr=CSR, oldCertificate="A" * 32769), InvalidInput, "at most 32768"),
        (certificate_pb2.CertificateSigningRequest(name="a/b", csr=CSR), InvalidInput, "certificate name"),
    ],
)
def test_a_request_that_cannot_be_signed_is_refused(
    message: certificate_pb2.CertificateSigningRequest, error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        convert.signing_order(message)


def test_a_false_is_ca_is_an_ordinary_request() -> None:
    message = certificate_pb2.CertificateSigningRequest(csr=CSR, isCA=BoolValue(value=False))
    assert convert.signing_order(message) == convert.SigningOrder(name="", csr_pem=CSR)


def test_an_issued_certificate_shows_pem_unix_seconds_and_a_version() -> None:
    certificate = Certificate(
        serial=0xABC,
        identity_number=1,
        generation=1,
        validity=Validity(not_before=AT, not_after=AT + timedelta(days=90)),
        requested=timedelta(days=90),
        renew_from=AT,
        renew_until=AT,
        key_sha256="",
        fingerprint="",
        pem=PEM,
        issued_at=AT,
    )
    message = convert.certificate_message(certificate, name="kms")
    assert (message.name, message.id, message.certificate) == ("kms", "abc", PEM)
    assert message.notBefore == int(AT.timestamp())
    assert message.notAfter - message.notBefore == 90 * 86400
    assert message.status.version.number == f"{int(AT.timestamp())}000000000"


TAGS = common_pb2.Tags(tags=[common_pb2.Tag(key="a", value="b")])


def test_a_location_keeps_its_name_and_tags_and_not_what_only_the_agent_decides() -> None:
    kept = convert.location_from(location_pb2.Location(name="MocLocation", id="forged", tags=TAGS))
    assert (kept.name, kept.id, kept.tags) == ("MocLocation", "", TAGS)
    assert kept.status.HasField("version")


def test_a_group_needs_a_location() -> None:
    group = group_pb2.Group(name="g", locationName="MocLocation", tags=TAGS)
    assert convert.group_from(group).locationName == "MocLocation"
    with pytest.raises(InvalidInput, match="locationName is empty"):
        convert.group_from(group_pb2.Group(name="g"))


def node(**changes: object) -> node_pb2.Node:
    message = node_pb2.Node(name="n1", fqdn="n1.contoso.com", locationName="L", port=45000, authorizerPort=45001)
    for field, value in changes.items():
        setattr(message, field, value)
    return message


def test_a_node_keeps_what_a_caller_can_know() -> None:
    kept = convert.node_from(node(runningState=node_pb2.Active, certificate=PEM))
    assert (kept.fqdn, kept.port, kept.authorizerPort, kept.certificate) == ("n1.contoso.com", 45000, 45001, PEM)
    assert kept.runningState == node_pb2.Unknown


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (node(fqdn=""), "fqdn"),
        (node(port=0), "port of the node"),
        (node(authorizerPort=70000), "authorizerPort"),
        (node(locationName=""), "locationName"),
        (node(certificate="%%"), "certificate of the node"),
    ],
)
def test_a_node_that_nobody_could_reach_is_refused(message: node_pb2.Node, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        convert.node_from(message)


def test_a_named_certificate_keeps_no_body_of_the_caller() -> None:
    sent = certificate_pb2.Certificate(name="web", type=certificate_pb2.Server, certificate="forged", notAfter=9)
    kept = convert.named_certificate_from(sent)
    assert (kept.name, kept.type, kept.certificate, kept.notAfter) == ("web", certificate_pb2.Server, "", 0)
    unknown = certificate_pb2.Certificate.FromString(sent.SerializeToString() + b"\x38\x09")
    with pytest.raises(InvalidInput, match="certificate type is 9"):
        convert.named_certificate_from(unknown)


def test_the_version_that_a_caller_read_comes_back_with_its_change() -> None:
    sent = location_pb2.Location(name="L", status=convert.status_message("41"))
    assert convert.version_from(sent) == "41"
    assert convert.location_from(sent).status.version.number == "41"


events = st.builds(
    AuditEvent,
    index=st.integers(1, 2**63),
    at=st.integers(1, 10**9).map(lambda number: AT + timedelta(seconds=number)),
    actor=st.text(max_size=20),
    origin=st.sampled_from(["rpc", "cli", "tui", "agent"]),
    action=st.text("abc_", max_size=20),
    subject=st.text(max_size=20),
    outcome=st.sampled_from(Outcome),
    detail=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4),
    previous=st.text("0123456789abcdef", max_size=64),
    digest=st.text("0123456789abcdef", max_size=64),
)


@quick
@given(events)
def test_an_audit_event_survives_the_wire_unchanged_so_that_its_digest_still_fits(event: AuditEvent) -> None:
    sent = convert.audit_record(event).SerializeToString()
    assert convert.audit_event(fleet_pb2.AuditRecord.FromString(sent)) == event


def test_an_audit_record_without_an_instant_or_a_known_outcome_is_refused() -> None:
    with pytest.raises(InvalidInput, match="unknown outcome"):
        convert.audit_event(fleet_pb2.AuditRecord(index=3, at=1, outcome="fine"))
    with pytest.raises(InvalidInput, match="instant of audit record 3 is missing"):
        convert.audit_event(fleet_pb2.AuditRecord(index=3, outcome="done"))
