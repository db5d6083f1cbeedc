"""Identities: the accounts of clients, with their tokens' rotation, revocation and end.

A token leaves the agent once, in the answer to the call that made it. Nothing re-enables a revoked identity: it keeps
its row for the record, can be read and deleted, and its holder gets a new identity.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from backend.core.delivery import TAG_SECRET, SecretPlace
from backend.core.drafts import IdentityDraft
from backend.core.errors import InconsistentState, InvalidInput, NotFound
from backend.core.model import TAG_TOKEN, Cluster, Identity, RevokeReason, Secret, TokenStanding
from backend.service import audit
from backend.service.auto_rotation import rotate_due
from backend.service.caller import Caller
from backend.service.deliveries import login_file
from backend.service.rights import refuse_last_owner, refuse_wider
from backend.service.token_line import end_tokens, find_current, rotate_token
from backend.service.versions import check_version, next_version
from backend.service.world import ADMIN_DIRECTORY, World
from backend.store.port import Transaction
from backend.store.records import OrderKind

__all__ = [
    "create_or_update",
    "delete",
    "get",
    "list_all",
    "login_file",
    "precheck",
    "revoke",
    "rotate",
    "rotate_due",
]

_WITHOUT_TOKEN: Final = {"elsewhere": TokenStanding.UNKNOWN, "none": TokenStanding.EMPTY}  # values of TAG_TOKEN


def create_or_update(
    tx: Transaction, world: World, caller: Caller, draft: IdentityDraft
) -> tuple[Identity, Secret | None]:
    """Make an identity with its first token, or update one.

    An update sets kind, client type, cluster, host, owner, location, tags, token lifetime (of the next token on),
    auto-rotation, login file path, and the address and ports for its login files; whether it renews by itself only
    where the draft says so. Name, id, token and revocation stay. It mints no token, unless the identity never had one.

    The tag `mocdeck.token` says that no token is to be minted: "elsewhere" for an identity whose token was made by
    somebody else, "none" for a placeholder. It is not kept; rotating the token ends what it said.

    Returns:
        The identity, and its token if one was made now: the only time that it can be had.

    Raises:
        OldVersion: the version sent is not the present one.
        InconsistentState: the identity is revoked.
        AccessDenied: the identity is there and has rights that the caller has not.
        InvalidInput: the login file path lies among the agent's own files, or a tag has no such value.
    """
    present = tx.identities.find(draft.name)
    _check_draft(tx, world, caller, draft, present)
    now = world.clock.now()
    if present is None:
        identity = tx.identities.add(_applied(draft, _newborn(draft, now), now))
    else:
        identity = _applied(draft, present, now)
        tx.identities.put(identity)
    _know_cluster(tx, identity.cluster)
    token = None if TAG_TOKEN in draft.tags else _first_token(tx, world, identity)
    detail = {"kind": identity.kind.value, "cluster": identity.cluster, "login_file": identity.login_file_path}
    if token is not None:
        current = find_current(tx, identity.number)
        detail["token"] = "" if current is None else current.id
    _audit(tx, now, caller, "create_identity" if present is None else "update_identity", identity, detail)
    world.peers.clear()
    return tx.identities.get(identity.name), token


def precheck(tx: Transaction, world: World, caller: Caller, drafts: Iterable[IdentityDraft]) -> None:
    """Raise what `create_or_update` would raise for these drafts; change nothing."""
    for draft in drafts:
        _check_draft(tx, world, caller, draft, tx.identities.find(draft.name))


def get(tx: Transaction, name: str) -> Identity:
    """Return one identity, revoked or not: clients read before they revoke, rotate or delete (moc/protocol.md 5.2).

    Raises:
        NotFound: there is none of that name.
    """
    found = tx.identities.find(name)
    if found is None:
        raise NotFound(f"identity {name!r}: Not Found")
    return found


def list_all(tx: Transaction) -> Sequence[Identity]:
    """Return all identities by name."""
    return tx.identities.all()


def delete(tx: Transaction, world: World, caller: Caller, name: str, *, version: str = "") -> None:
    """Remove an identity with its tokens and role assignments; its certificates stay as revoked rows.

    Raises:
        NotFound: there is none of that name.
        OldVersion: the version sent is not the present one.
        InconsistentState: it is the caller's own or the last owner.
        AccessDenied: it has rights that the caller has not.
    """
    identity = get(tx, _named(name, "deleted"))
    check_version(version, identity.version, f"identity {identity.name!r}")
    if identity.number == caller.identity.number:
        raise InconsistentState(f"identity {identity.name!r} cannot delete itself; let another administrator do it")
    refuse_wider(tx, caller, identity)  # its role assignments go too, which is a change of roles
    refuse_last_owner(tx, identity)
    now = world.clock.now()
    certificates = tx.certificates.revoke_of(identity.number, now, RevokeReason.IDENTITY)
    tokens = end_tokens(tx, identity.number, now)
    assignments = tx.assignments.of(identity.name)
    for assignment in assignments:
        tx.assignments.delete(assignment.name)
    tx.identities.delete(identity.number)
    detail = {"certificates": str(certificates), "tokens": str(tokens), "assignments": str(len(assignments))}
    _audit(tx, now, caller, "delete_identity", identity, detail)
    world.peers.clear()


def revoke(tx: Transaction, world: World, caller: Caller, name: str) -> Identity:
    """End an identity for good: its certificates are refused from the next call on and its tokens sign in no more.

    Revoking a revoked identity changes nothing and returns it.

    Raises:
        NotFound: there is none of that name.
        InvalidInput: the name is empty: that would mean all of them.
        InconsistentState: it is the last owner.
        AccessDenied: it has rights that the caller has not.
    """
    identity = get(tx, _named(name, "revoked"))
    if identity.revoked_at is not None:
        return identity
    refuse_wider(tx, caller, identity)  # or whoever may keep identities could put every owner but the last out of work
    refuse_last_owner(tx, identity)
    now = world.clock.now()
    certificates = tx.certificates.revoke_of(identity.number, now, RevokeReason.IDENTITY)
    tokens = end_tokens(tx, identity.number, now)
    for kind in OrderKind:
        tx.orders.cancel(identity.number, kind)
    revoked = replace(
        identity,
        revoked_at=now,
        revoked_by=caller.name,
        token_standing=TokenStanding.EMPTY,
        version=next_version(now, identity.version),
    )
    tx.identities.put(revoked)
    _audit(tx, now, caller, "revoke_identity", revoked, {"certificates": str(certificates), "tokens": str(tokens)})
    world.peers.clear()
    return revoked


def rotate(
    tx: Transaction, world: World, caller: Caller, name: str, *, overlap: timedelta | None = None
) -> tuple[Identity, Secret]:
    """Make a new token and hand it to the caller; the old one signs in for `overlap` more (None: the policy's).

    Raises:
        NotFound: there is none of that name.
        InvalidInput: the name is empty, which would mean all of them, or the overlap is negative.
        InconsistentState: the identity is revoked.
        AccessDenied: it has rights that the caller has not, and would get with the token.
    """
    identity = get(tx, _named(name, "rotated"))
    if overlap is not None and overlap < timedelta(0):
        raise InvalidInput(f"an overlap of {overlap} cannot be; say 0 to end the old token at once")
    _refuse_revoked(identity)
    refuse_wider(tx, caller, identity)
    record, token = rotate_token(tx, world, identity, overlap=overlap)
    overlap = world.policy.token_overlap if overlap is None else overlap
    detail = {
        "token": record.id,
        "expires_at": record.expires_at.isoformat(),
        "overlap_seconds": str(int(overlap.total_seconds())),
    }
    _audit(tx, record.issued_at, caller, "rotate_token", identity, detail)
    return tx.identities.get(identity.name), token


def _newborn(draft: IdentityDraft, now: datetime) -> Identity:
    standing = _WITHOUT_TOKEN.get(draft.tags.get(TAG_TOKEN, ""), TokenStanding.KNOWN)
    return Identity(
        number=0, id=str(uuid.uuid4()), name=draft.name, kind=draft.kind, token_standing=standing, created_at=now
    )


def _applied(draft: IdentityDraft, identity: Identity, now: datetime) -> Identity:
    return replace(
        identity,
        kind=draft.kind,
        client_type=draft.client_type,
        cluster=draft.cluster,
        host=draft.host,
        owner=draft.owner,
        location=draft.location,
        tags={key: value for key, value in draft.tags.items() if key != TAG_TOKEN},
        token_lifetime=draft.token_lifetime,
        auto_rotate=draft.auto_rotate,
        login_file_path=draft.login_file_path,
        auto_renew=identity.auto_renew if draft.auto_renew is None else draft.auto_renew,
        cloud_fqdn=draft.cloud_fqdn,
        cloud_port=draft.cloud_port,
        cloud_auth_port=draft.cloud_auth_port,
        version=next_version(now, identity.version),
    )


def _check_draft(tx: Transaction, world: World, caller: Caller, draft: IdentityDraft, present: Identity | None) -> None:
    check_version(draft.version, "" if present is None else present.version, f"identity {draft.name!r}")
    _check_path(world, draft.login_file_path)
    if TAG_TOKEN in draft.tags and draft.tags[TAG_TOKEN] not in _WITHOUT_TOKEN:
        raise InvalidInput(f"tag {TAG_TOKEN} is {' or '.join(_WITHOUT_TOKEN)}; leave it out to get a token")
    if draft.tags.get(TAG_SECRET):
        SecretPlace.parse(draft.tags[TAG_SECRET])
    if present is None:
        return
    _refuse_revoked(present)
    refuse_wider(tx, caller, present)  # where its login file goes and how long its tokens live is power over its rights


def _check_path(world: World, path: str) -> None:
    own = world.agent_directory.absolute()
    # The agent writes there with its own rights: a path to its keys or its store would be an attack.
    if path and Path(path).is_relative_to(own) and Path(path).parent != own / ADMIN_DIRECTORY:
        raise InvalidInput(f"loginFilePath {path!r} lies among the agent's own files; choose another place")


def _first_token(tx: Transaction, world: World, identity: Identity) -> Secret | None:
    """A token for an identity that holds none; one whose token was made elsewhere keeps it."""
    if identity.token_standing is TokenStanding.UNKNOWN or find_current(tx, identity.number) is not None:
        return None
    return rotate_token(tx, world, identity)[1]


def _know_cluster(tx: Transaction, name: str) -> None:
    """A cluster is known from its first client on; which one is the management cluster is said elsewhere."""
    if name and tx.clusters.find(name) is None:
        tx.clusters.put(Cluster(name=name, is_management=False))


def _refuse_revoked(identity: Identity) -> None:
    if identity.revoked_at is not None:
        raise InconsistentState(
            f"identity {identity.name!r} was revoked at {identity.revoked_at} and stays so; make a new identity"
        )


def _named(name: str, what: str) -> str:
    if not name:
        raise InvalidInput(f"no identity is named, so none is {what}; an empty name never means all of them")
    return name


def _audit(
    tx: Transaction, now: datetime, caller: Caller, action: str, identity: Identity, detail: dict[str, str]
) -> None:
    audit.record(
        tx,
        now,
        actor=caller.name,
        origin=caller.origin,
        action=action,
        subject=identity.name,
        detail={key: value for key, value in detail.items() if value},
    )
