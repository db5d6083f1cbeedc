"""Identities on the wire (moc/protocol.md, section 5): drafts in, identities out, and the verbs of `Operate`.

The fleet's shape travels in tags of its own (architecture.md, decision 10). They are split off here, so that the
rooms below know fields, and joined here again, so that standard MOC clients keep them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from backend.core.drafts import IdentityDraft
from backend.core.errors import InvalidInput
from backend.core.limits import CLIENT_LIFETIME
from backend.core.model import (
    TAG_AUTO_RENEW,
    TAG_CLUSTER,
    TAG_HOST,
    TAG_KIND,
    TAG_OWNER,
    ClientKind,
    ClientType,
    Identity,
    Secret,
)
from backend.wire.convert.checks import (
    check_login_file_path,
    check_name,
    check_optional_name,
    check_port,
    check_text,
    quoted,
)
from backend.wire.convert.instants import DAY, SECOND
from backend.wire.convert.statuses import status_message, tags_from, tags_message, version_from
from backend.wire.moc import common_pb2, identity_pb2

LONGEST_TOKEN: Final = timedelta(days=3650)  # the ten years of MOC's old self-signed certificates (protocol.md 3.3)
FLEET_TAGS: Final = frozenset({TAG_KIND, TAG_CLUSTER, TAG_HOST, TAG_OWNER, TAG_AUTO_RENEW})
_AUTO_RENEW: Final[Mapping[str, bool]] = {"yes": True, "no": False}

# What a client without a kind tag most likely is. The other types are shared by too many programs to tell.
_KIND_OF_TYPE: Final[Mapping[ClientType, ClientKind]] = {
    ClientType.NODE: ClientKind.NODE_AGENT,
    ClientType.ADMIN: ClientKind.ADMIN,
    ClientType.LOADBALANCER: ClientKind.LB_AGENT,
}


def identity_draft(message: identity_pb2.Identity) -> IdentityDraft:
    """What a create-or-update call asks for.

    Fields that only the agent decides (id, token, certificates, revoked, status beyond its version) are not read:
    clients echo whole answers (moc/protocol.md 2.1), and an echo must not change them.

    Raises:
        InvalidInput: a field is not what `checks` wants, or a fleet tag has a value that means nothing.
    """
    client_type = _client_type(message.clientType)
    tags = tags_from(message.tags)
    fleet = {key: value for key, value in tags.items() if key in FLEET_TAGS}
    return IdentityDraft(
        name=check_name(message.name, "identity name"),
        kind=_kind(fleet.get(TAG_KIND, ""), client_type),
        client_type=client_type,
        cluster=check_optional_name(fleet.get(TAG_CLUSTER, ""), f"tag {TAG_CLUSTER}"),
        host=fleet.get(TAG_HOST, ""),
        owner=fleet.get(TAG_OWNER, ""),
        location=check_optional_name(message.locationName, "locationName"),
        tags={key: value for key, value in tags.items() if key not in FLEET_TAGS},
        token_lifetime=token_lifetime(days=message.tokenExpiry, in_seconds=message.tokenExpiryInSeconds),
        auto_rotate=message.autoRotate,
        login_file_path=check_login_file_path(message.loginFilePath),
        auto_renew=_auto_renew(fleet.get(TAG_AUTO_RENEW, "")),
        cloud_fqdn=check_text(message.cloudFqdn, "cloudFqdn"),
        cloud_port=check_port(message.cloudPort, "cloudPort"),
        cloud_auth_port=check_port(message.cloudAuthPort, "cloudAuthPort"),
        version=version_from(message),
    )


def token_lifetime(*, days: int, in_seconds: int) -> timedelta:
    """How long the identity's tokens live: the seconds when they are set, else the days, else 90 days.

    Which of the two fields wins is not public (moc/protocol.md 5.1); seconds are the newer and finer one.

    Raises:
        InvalidInput: one is negative, or the one that counts is above 3650 days.
    """
    for field, value in (("tokenExpiry", days), ("tokenExpiryInSeconds", in_seconds)):
        if value < 0:
            raise InvalidInput(
                f"{field} is {value}; a token cannot end before it begins (0: {CLIENT_LIFETIME.days} days)"
            )
    limit = LONGEST_TOKEN // (SECOND if in_seconds else DAY)
    field, value = ("tokenExpiryInSeconds", in_seconds) if in_seconds else ("tokenExpiry", days)
    if value > limit:
        raise InvalidInput(f"{field} is {value}; at most {limit} ({LONGEST_TOKEN.days} days) is allowed")
    if in_seconds:
        return timedelta(seconds=in_seconds)
    return timedelta(days=days) if days else CLIENT_LIFETIME


def identity_message(identity: Identity, token: Secret | None = None) -> identity_pb2.Identity:
    """The identity as an answer; `token` only right after it was minted, the one time that it leaves the agent.

    `tokenExpiry` holds the whole days of the lifetime: a client that knows only days sees at least 0, never more
    than the truth.
    """
    return identity_pb2.Identity(
        name=identity.name,
        id=identity.id,
        token=token.reveal() if token is not None else "",
        status=status_message(identity.version),
        locationName=identity.location,
        tags=tags_message(all_tags(identity)),
        tokenExpiry=identity.token_lifetime // DAY,
        tokenExpiryInSeconds=identity.token_lifetime // SECOND,
        clientType=identity.client_type.name,
        cloudFqdn=identity.cloud_fqdn,
        cloudPort=identity.cloud_port,
        cloudAuthPort=identity.cloud_auth_port,
        authType=common_pb2.CASIGNED,
        revoked=identity.revoked_at is not None,
        autoRotate=identity.auto_rotate,
        loginFilePath=identity.login_file_path,
    )


def all_tags(identity: Identity | IdentityDraft) -> dict[str, str]:
    """The identity's own tags and those that carry its place in the fleet; empty ones are left out."""
    auto_renew = {True: "yes", False: "no", None: ""}[identity.auto_renew]
    fleet = {
        TAG_KIND: identity.kind.value,
        TAG_CLUSTER: identity.cluster,
        TAG_HOST: identity.host,
        TAG_OWNER: identity.owner,
        TAG_AUTO_RENEW: auto_renew,
    }
    return {**identity.tags, **{key: value for key, value in fleet.items() if value}}


def draft_message(draft: IdentityDraft) -> identity_pb2.Identity:
    """A draft as a client sends it; `identity_draft` is the way back."""
    return identity_pb2.Identity(
        name=draft.name,
        status=status_message(draft.version) if draft.version else None,
        locationName=draft.location,
        tags=tags_message(all_tags(draft)),
        tokenExpiryInSeconds=draft.token_lifetime // SECOND,
        clientType=draft.client_type.name,
        cloudFqdn=draft.cloud_fqdn,
        cloudPort=draft.cloud_port,
        cloudAuthPort=draft.cloud_auth_port,
        autoRotate=draft.auto_rotate,
        loginFilePath=draft.login_file_path,
    )


def _client_type(number: int) -> ClientType:
    try:
        return ClientType(number)
    except ValueError:
        raise InvalidInput(f"clientType is {number}; 0 to {max(ClientType)} are known") from None


def _kind(tag: str, client_type: ClientType) -> ClientKind:
    if not tag:
        return _KIND_OF_TYPE.get(client_type, ClientKind.OTHER)
    try:
        return ClientKind(tag)
    except ValueError:
        known = ", ".join(kind.value for kind in ClientKind)
        raise InvalidInput(f"tag {TAG_KIND} is {quoted(tag)}; known kinds are {known}") from None


def _auto_renew(tag: str) -> bool | None:
    if tag and tag not in _AUTO_RENEW:
        raise InvalidInput(f"tag {TAG_AUTO_RENEW} is {quoted(tag)}; say yes or no, or leave it out while nobody knows")
    return _AUTO_RENEW.get(tag)
