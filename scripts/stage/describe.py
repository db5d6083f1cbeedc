"""One staged client in full, and the site's newest events."""

from __future__ import annotations

from datetime import timedelta

from scripts.stage.fleet import DAY, LIFETIME, MINUTE, NOW, Seed
from tui.gateway import CertificateView, ClientDetail, EventView, HeartbeatView, TokenView

_SERIAL = "1c5be4a07d3f92685f2a91c077de{:04x}"


def _event(index: int, minutes: int, action: str, subject: str, outcome: str, detail: dict[str, str]) -> EventView:
    return EventView(
        index=index,
        at=NOW - minutes * MINUTE,
        actor="ops-anna",
        origin="tui",
        action=action,
        subject=subject,
        outcome=outcome,
        detail=tuple(detail.items()),
        digest="ab12" * 16,
    )


def events() -> list[EventView]:
    """Return the newest events, newest first."""
    return [
        _event(412, 0, "start_operation", "wl5-cloud-prov-3", "done", {"action": "renew"}),
        _event(411, 1, "renew", "kva-02", "done", {"serial": "33ab71c0", "reason": "OPS-4411"}),
        _event(410, 4, "renew", "wl3-csi-3", "refused", {"why": "its certificate has ended; sign in"}),
        _event(409, 31, "rotate_token", "wl4-kms-1", "done", {"overlap": "1 d"}),
        _event(408, 55, "sign_in", "wl4-csi-2", "done", {"serial": "90e1c7aa"}),
        _event(407, 76, "renew", "caph-01", "failed", {"why": "no answer: the client sent no heartbeat"}),
    ]


def describe(seed: Seed, number: int) -> ClientDetail:
    """Return one client in full."""
    ends = None if seed.left is None else NOW + seed.left
    serial = _SERIAL.format(number)
    certificates: tuple[CertificateView, ...] = ()
    if ends is not None:
        certificates = (_certificate(seed, serial), _earlier(seed, number))
    heard = NOW - seed.silent_for
    return ClientDetail(
        name=seed.name,
        id=f"6f1c2b7e-0d53-4a8e-9a51-{number:012x}",
        number=number,
        kind=seed.kind,
        client_type="NODE" if seed.kind == "NodeAgent" else "CONTROLPLANE",
        cluster=seed.cluster,
        host=seed.host,
        owner=seed.owner,
        location="MocLocation",
        roles=("NodeAgentReader",) if seed.kind == "NodeAgent" else ("Contributor",),
        login_file_path=seed.login_file,
        token_lifetime=LIFETIME,
        created_at=NOW - 271 * DAY,
        revoked_at=None,
        revoked_by="",
        certificates=certificates,
        tokens=() if seed.token is None else (_token(seed),),
        last_seen_at=heard,
        last_seen_from="10.0.4.17",
        last_seen_serial=serial,
        heartbeat=HeartbeatView(
            heard_at=heard,
            interval=timedelta(seconds=30),
            address="10.0.4.17",
            serial=serial,
            epoch=7,
            skew=timedelta(seconds=seed.skew),
            loop_alive=True,
            last_error="",
            version="0.1.0",
        )
        if seed.beats
        else None,
        history=(
            _event(371, 129_555, "renew", seed.name, "done", {"serial": serial[-8:]}),
            _event(204, 259_110, "sign_in", seed.name, "done", {"from": "10.0.4.17"}),
        ),
        delivery_route="heartbeat" if seed.beats else "file" if seed.login_file else "manual",
        places=(f"{seed.login_file}: ready, can be written",) if seed.login_file else (),
        tags=(("rack", "b-12"),),
    )


def _certificate(seed: Seed, serial: str) -> CertificateView:
    ends = NOW + (seed.left or LIFETIME)
    return CertificateView(
        serial=serial,
        generation=seed.generation,
        issuer=f"bonn CA g{seed.generation}",
        not_before=ends - LIFETIME,
        not_after=ends,
        fingerprint="9c4170be5d21f3a8" * 4,
        issued_at=ends - LIFETIME + timedelta(minutes=5),
        renew_from=ends - 30 * DAY,
        renew_until=ends - 25 * DAY,
        first_used_at=ends - LIFETIME + timedelta(minutes=5, seconds=2),
        last_used_at=NOW - seed.silent_for,
        revoked_at=None,
        revoke_reason="",
        renew_count=2,
        current=True,
        shortened=False,
        pem="",
    )


def _earlier(seed: Seed, number: int) -> CertificateView:
    now = _certificate(seed, f"0b7719d2c4e8350a5f2a91c066aa{number:04x}")
    shift = 63 * DAY
    return CertificateView(
        serial=now.serial,
        generation=now.generation,
        issuer=now.issuer,
        not_before=now.not_before - shift,
        not_after=now.not_after - shift,
        fingerprint="77aa01c3e9b24d58" * 4,
        issued_at=now.issued_at - shift,
        renew_from=None,
        renew_until=None,
        first_used_at=now.issued_at - shift,
        last_used_at=now.issued_at,
        revoked_at=None,
        revoke_reason="",
        renew_count=1,
        current=False,
        shortened=False,
        pem="",
    )


def _token(seed: Seed) -> TokenView:
    ends = NOW + (seed.token or LIFETIME)
    return TokenView(
        id="b2c1",
        issued_at=ends - LIFETIME,
        expires_at=ends,
        state="current",
        dies_at=None,
        first_used_at=None,
        delivered_at=ends - LIFETIME + timedelta(seconds=31),
    )
