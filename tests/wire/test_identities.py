"""Identities on the wire: what a client asks for, what it gets back, and which verb it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.drafts import IdentityDraft
from backend.core.errors import InvalidInput, NotSupported
from backend.core.model import ClientKind, ClientType, Identity, Secret
from backend.wire import convert
from backend.wire.moc import common_pb2, identity_pb2, security_pb2

quick = settings(derandomize=True, deadline=None, max_examples=80)
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

names = st.text("abcäøZ09.- _", min_size=1, max_size=64).filter(
    lambda text: text == text.strip() and text not in {".", ".."}
)
texts = st.text("abc.- 09", max_size=40)
paths = st.one_of(st.just(""), st.builds("/var/lib/{}.yaml".format, st.text("abc", min_size=1, max_size=20)))
drafts = st.builds(
    IdentityDraft,
    name=names,
    kind=st.sampled_from(ClientKind),
    client_type=st.sampled_from(ClientType),
    cluster=st.one_of(st.just(""), names),
    host=texts,
    owner=texts,
    location=st.one_of(st.just(""), names),
    tags=st.dictionaries(st.text("xyz", min_size=1, max_size=8), texts, max_size=5),
    token_lifetime=st.integers(1, 3650 * 86400).map(lambda number: timedelta(seconds=number)),
    auto_rotate=st.booleans(),
    login_file_path=paths,
    auto_renew=st.sampled_from([None, True, False]),
    cloud_fqdn=texts,
    cloud_port=st.integers(0, 65535),
    cloud_auth_port=st.integers(0, 65535),
    version=st.one_of(st.just(""), st.integers(1, 10**19).map(str)),
)


def identity_of(draft: IdentityDraft) -> Identity:
    return Identity(
        number=7,
        id="0f8fad5b-d9cb-469f-a165-70867728950e",
        name=draft.name,
        kind=draft.kind,
        client_type=draft.client_type,
        cluster=draft.cluster,
        host=draft.host,
        owner=draft.owner,
        location=draft.location,
        tags=draft.tags,
        token_lifetime=draft.token_lifetime,
        auto_rotate=draft.auto_rotate,
        login_file_path=draft.login_file_path,
        auto_renew=draft.auto_renew,
        cloud_fqdn=draft.cloud_fqdn,
        cloud_port=draft.cloud_port,
        cloud_auth_port=draft.cloud_auth_port,
        created_at=AT,
        version=draft.version,
    )


@quick
@given(drafts)
def test_a_draft_survives_the_wire(draft: IdentityDraft) -> None:
    sent = convert.draft_message(draft).SerializeToString()
    assert convert.identity_draft(identity_pb2.Identity.FromString(sent)) == draft


@quick
@given(drafts)
def test_an_answer_sent_back_asks_for_no_change(draft: IdentityDraft) -> None:
    """The Go SDK reads an identity, changes a field and posts the whole of it."""
    answer = convert.identity_message(identity_of(draft), Secret("eyJ.x.y"))
    assert convert.identity_draft(answer) == draft


@quick
@given(st.binary(max_size=200))
def test_hostile_bytes_are_refused_or_become_a_clean_draft(data: bytes) -> None:
    message = identity_pb2.Identity()
    try:
        message.ParseFromString(data)
        draft = convert.identity_draft(message)
    except Exception as refusal:
        assert type(refusal).__name__ in {"DecodeError", "InvalidInput"}  # noqa: PT017 - either is right
    else:
        assert draft.name


def test_a_token_leaves_only_with_the_answer_that_made_it() -> None:
    identity = identity_of(IdentityDraft(name="kms"))
    assert convert.identity_message(identity).token == ""
    assert convert.identity_message(identity, Secret("eyJ.x.y")).token == "eyJ.x.y"


def test_an_answer_always_has_a_version_or_go_clients_panic() -> None:
    identity = identity_of(IdentityDraft(name="kms", version="1795449600000000000"))
    assert convert.identity_message(identity).status.version.number == "1795449600000000000"


def test_an_answer_shows_both_expiries_and_the_days_never_promise_more() -> None:
    identity = identity_of(IdentityDraft(name="kms", token_lifetime=timedelta(days=2, seconds=-1)))
    message = convert.identity_message(identity)
    assert (message.tokenExpiry, message.tokenExpiryInSeconds) == (1, 2 * 86400 - 1)


def test_what_only_the_agent_decides_is_not_taken_from_a_caller() -> None:
    message = identity_pb2.Identity(
        name="kms", id="mine", token="forged", password="x", revoked=True, certificates={"": "x"}, resourceGroup="g"
    )
    assert convert.identity_draft(message) == IdentityDraft(name="kms", client_type=ClientType.CONTROLPLANE)


@pytest.mark.parametrize(
    ("client_type", "kind"),
    [
        (common_pb2.NODE, ClientKind.NODE_AGENT),
        (common_pb2.ADMIN, ClientKind.ADMIN),
        (common_pb2.LOADBALANCER, ClientKind.LB_AGENT),
        (common_pb2.EXTERNALCLIENT, ClientKind.OTHER),
        (common_pb2.CONTROLPLANE, ClientKind.OTHER),
    ],
)
def test_a_client_without_a_kind_tag_gets_the_kind_its_type_tells(
    client_type: common_pb2.ClientType, kind: ClientKind
) -> None:
    assert convert.identity_draft(identity_pb2.Identity(name="x", clientType=client_type)).kind is kind


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("mocdeck.kind", "Toaster", "known kinds are NodeAgent"),
        ("mocdeck.auto-renew", "maybe", "say yes or no"),
        ("mocdeck.cluster", "a/b", "looks like a path"),
    ],
)
def test_a_fleet_tag_without_sense_is_refused(key: str, value: str, why: str) -> None:
    tags = common_pb2.Tags(tags=[common_pb2.Tag(key=key, value=value)])
    with pytest.raises(InvalidInput, match=why):
        convert.identity_draft(identity_pb2.Identity(name="x", tags=tags))


def test_an_unknown_client_type_is_refused() -> None:
    message = identity_pb2.Identity.FromString(identity_pb2.Identity(name="x").SerializeToString() + b"\x70\x63")
    with pytest.raises(InvalidInput, match="clientType is 99"):
        convert.identity_draft(message)


@pytest.mark.parametrize("verb", [common_pb2.Identity_Revoke, common_pb2.Identity_Rotate])
def test_operate_means_the_verb_that_it_names(verb: common_pb2.ProviderAccessOperation) -> None:
    request = identity_pb2.IdentityOperationRequest(OperationType=verb)
    assert convert.identity_verb(request) == verb


def test_an_old_client_that_says_rotate_or_renew_in_the_obsolete_field_is_understood() -> None:
    rotate = identity_pb2.IdentityOperationRequest(OBSOLETE_OperationType=security_pb2.ROTATE)
    renew = identity_pb2.IdentityCertificateRequest(OBSOLETE_OperationType=security_pb2.RENEW_CERTIFICATE)
    assert convert.identity_verb(rotate) == common_pb2.Identity_Rotate
    assert convert.certificate_verb(renew) == common_pb2.IdentityCertificate_Renew


def test_a_call_that_says_nothing_never_revokes_or_creates() -> None:
    with pytest.raises(InvalidInput, match="not set"):
        convert.identity_verb(identity_pb2.IdentityOperationRequest())
    with pytest.raises(InvalidInput, match="not set"):
        convert.certificate_verb(identity_pb2.IdentityCertificateRequest())


def test_a_verb_of_another_call_is_not_supported() -> None:
    with pytest.raises(NotSupported, match="205"):
        convert.identity_verb(identity_pb2.IdentityOperationRequest(OperationType=common_pb2.Certificate_Renew))
    with pytest.raises(NotSupported, match="401"):
        convert.certificate_verb(
            identity_pb2.IdentityCertificateRequest(OperationType=common_pb2.IdentityCertificate_Update)
        )
    for verb in (common_pb2.IdentityCertificate_Create, common_pb2.IdentityCertificate_Renew):
        assert convert.certificate_verb(identity_pb2.IdentityCertificateRequest(OperationType=verb)) == verb
