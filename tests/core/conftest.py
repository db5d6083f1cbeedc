"""Clients described by what is left of their certificate and token at one fixed instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.core.facts import CertificateFacts, ClientFacts, TokenFacts
from backend.core.fleet import AuthorityInfo
from backend.core.health import assess
from backend.core.lifecycle import Validity
from backend.core.model import AuthorityStatus, ClientKind, TokenStanding
from backend.core.stranding import stranding
from backend.core.subjects import SiteView, Subject

NOW = datetime(2026, 11, 22, 16, 52, 14, tzinfo=UTC)
DAY = timedelta(days=1)

MakeClient = Callable[..., ClientFacts]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def make_client() -> MakeClient:
    """Build facts; `left` and `token_left` are time left, None for no certificate and for a token never seen."""

    def make(
        left: timedelta | None = 60 * DAY,
        token_left: timedelta | None = 60 * DAY,
        *,
        lifetime: timedelta = 90 * DAY,
        token_lifetime: timedelta | None = 90 * DAY,
        token_standing: TokenStanding | None = None,
        authority_left: timedelta = 300 * DAY,
        is_trusted: bool = True,
        is_revoked: bool = False,
        kind: ClientKind = ClientKind.CSI,
        name: str = "csi-001",
        auto_renew: bool | None = False,
        auto_rotate: bool | None = False,
        observed_ago: timedelta | None = timedelta(0),
        skew: timedelta = timedelta(0),
        identity_revoked: bool = False,
        is_orphan: bool = False,
        planned_off_until: datetime | None = None,
        action_running: bool = False,
        agent_alive: bool = True,
        has_heartbeat: bool = True,
    ) -> ClientFacts:
        certificate = None
        if left is not None:
            certificate = CertificateFacts(
                validity=Validity(not_before=NOW + left - lifetime, not_after=NOW + left),
                authority_not_after=NOW + authority_left,
                is_trusted=is_trusted,
                is_revoked=is_revoked,
            )
        standing = token_standing or (TokenStanding.UNKNOWN if token_left is None else TokenStanding.KNOWN)
        known = standing is TokenStanding.KNOWN and token_left is not None
        token = TokenFacts(
            standing=standing,
            issued_at=NOW + token_left - token_lifetime if known and token_left and token_lifetime else None,
            expires_at=NOW + token_left if known and token_left is not None else None,
        )
        return ClientFacts(
            kind=kind,
            name=name,
            certificate=certificate,
            token=token,
            auto_renew=auto_renew,
            auto_rotate=auto_rotate,
            identity_revoked=identity_revoked,
            observed_at=None if observed_ago is None else NOW - observed_ago,
            skew=skew,
            is_orphan=is_orphan,
            planned_off_until=planned_off_until,
            action_running=action_running,
            agent_alive=agent_alive,
            has_heartbeat=has_heartbeat,
        )

    return make


MakeSite = Callable[..., SiteView]


@pytest.fixture
def make_site() -> MakeSite:
    """Build a site of clients, each judged and forecast at `now`; `owners` by name, `ca_left` of 365 days."""

    def make(
        *clients: ClientFacts,
        now: datetime = NOW,
        ca_left: timedelta = 300 * DAY,
        owners: dict[str, str] | None = None,
        **frame: Any,
    ) -> SiteView:
        validity = Validity(not_before=NOW + ca_left - 365 * DAY, not_after=NOW + ca_left)
        issuing = AuthorityInfo(
            generation=3, subject="north CA g3", validity=validity, status=AuthorityStatus.ISSUING, fingerprint="ab"
        )
        subjects = tuple(
            Subject(
                number=number,
                cluster="wl-1",
                host="host-1",
                owner=(owners or {}).get(facts.name, ""),
                facts=facts,
                found=assess(facts, now),
                stranding=stranding(facts, now, issuing_not_after=validity.not_after),
            )
            for number, facts in enumerate(clients, 1)
        )
        return SiteView(now=now, subjects=subjects, clusters=(), issuing=issuing, **frame)

    return make
