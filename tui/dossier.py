"""One client in full, as lines: what US-02 asks for, in the order an operator asks it.

Pure. The judgement and the dates of the row come from the model and go on while the agent is away; the rest is what the
agent described. No key, no token and no part of one is ever here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backend.core.countdown import long_countdown
from backend.core.diagnosis import diagnose
from backend.core.facts import Limit, Overlay
from backend.core.lifecycle import Validity
from tui.banner import View
from tui.columns import next_step, renews, role_of, state_text
from tui.drawer import action_lines
from tui.fate import if_nothing_is_done
from tui.feed import event_line
from tui.format import NOTHING, bar, count, grouped, instant, lifetime, span, wrapped
from tui.gateway import CertificateView, ClientDetail, TokenRotationView, TokenView
from tui.lines import BLANK, Line, plain
from tui.model import Client

_LABEL = 16


def _field(label: str, text: str, role: str = "text") -> Line:
    return ((f"  {label}".ljust(_LABEL), "dim"), (text, role))


def _paragraph(label: str, text: str, width: int, role: str = "text") -> list[Line]:
    parts = wrapped(text, max(20, width - _LABEL))
    return [_field(label, parts[0], role), *(_field("", more, role) for more in parts[1:])]


def dossier_lines(client: Client, detail: ClientDetail | None, view: View, now: datetime) -> list[Line]:
    """Return the whole page; without `detail` the parts that only the agent knows say that they are being read."""
    width = view.width
    judged = client.judged
    lines: list[Line] = [plain("STATE", "head")]
    lines.append(_field("state", state_text(judged, 60, view.glyphs), role_of(judged)))
    lines.append(_field("next step", next_step(client), "title"))
    for number, reason in enumerate(judged.reasons):
        lines.extend(_paragraph("because" if not number else "", reason, width))
    lines.extend(_effective(client, now))
    lines.extend(_recovery(client, view, now, width))
    lines.extend(_paragraph("", if_nothing_is_done(judged, now), width, "dim"))
    lines.extend([BLANK, plain("ACTIONS", "head")])
    lines.extend((("  ", "text"), *line) for line in action_lines(client, view, now, width - 2))
    lines.append(BLANK)
    if detail is None:
        return [*lines, plain("reading the rest from the agent", "dim")]
    lines.extend(_identity(client, detail, width))
    lines.extend(_certificates(client, detail, view, now))
    lines.extend(_tokens(detail, view, now))
    lines.extend(_observation(client, detail, now, width))
    lines.extend(_history(detail, width))
    return lines


def _effective(client: Client, now: datetime) -> list[Line]:
    judged = client.judged
    if judged.effective_not_after is None:
        return [_field("effective end", "no certificate")]
    limit = "CA" if judged.limited_by is Limit.AUTHORITY else "certificate"
    left = long_countdown(judged.effective_not_after - now)
    return [_field("effective end", f"{instant(judged.effective_not_after)}   {left}   limited by {limit}", "title")]


def _recovery(client: Client, view: View, now: datetime, width: int) -> list[Line]:
    """From when on it is beyond its own help: another instant than its end (pki.md 4.7)."""
    found = view.model.stranding(client.id, now)
    if found is None:
        return []
    if found.is_stranded(now):
        return _paragraph("on its own", f"it cannot recover by itself. {found.why}", width, "expired")
    if found.from_at is None or found.silent_from_at is None:
        return _paragraph("on its own", f"nobody knows whether it can recover by itself. {found.why}", width)
    at_least = "" if found.is_certain else " at the earliest"
    text = f"it cannot recover by itself from {instant(found.from_at)} on{at_least}"
    if found.silent_from_at != found.from_at:
        text += f"; if it fell silent now, from {instant(found.silent_from_at)} on"
    return _paragraph("on its own", f"{text}. {found.why}", width)


def _identity(client: Client, detail: ClientDetail, width: int) -> list[Line]:
    lines = [
        plain("IDENTITY", "head"),
        _field("name", detail.name, "title"),
        _field("id", detail.id),
        _field("kind, type", f"{detail.kind}, {detail.client_type}"),
        _field("cluster, host", f"{detail.cluster or NOTHING}, {detail.host or NOTHING}"),
        _field("owner", detail.owner or NOTHING),
        _field("location", detail.location or NOTHING),
        _field("roles", ", ".join(detail.roles) or NOTHING),
        _field("renews", renews(client.row.flags)),
        _field(
            "login file", f"{detail.login_file_path or 'none kept for it'}   route: {detail.delivery_route or NOTHING}"
        ),
    ]
    for place in detail.places:
        lines.extend(_paragraph("", place, width))
    lines.append(_field("created", instant(detail.created_at)))
    if detail.revoked_at is not None:
        lines.append(_field("revoked", f"{instant(detail.revoked_at)} by {detail.revoked_by}", "expired"))
    tags = "  ".join(f"{name}={value}" for name, value in detail.tags)
    return [*lines, _field("tags", tags or NOTHING, "dim"), BLANK]


def _certificates(client: Client, detail: ClientDetail, view: View, now: datetime) -> Iterable[Line]:
    yield plain("CERTIFICATE", "head")
    current = next((c for c in detail.certificates if c.current), None)
    if current is None:
        yield _field("certificate", "none")
    else:
        yield from _certificate(client, detail, current, view, now)
    older = [c for c in detail.certificates if not c.current]
    for old in older[:5]:
        revoked = f", revoked {instant(old.revoked_at)} ({old.revoke_reason})" if old.revoked_at else ""
        yield _field("earlier", f"{_serial(old.serial)}   until {instant(old.not_after)}{revoked}", "dim")
    if len(older) > 5:
        yield _field("", count(len(older) - 5, "more earlier one"), "dim")
    yield BLANK


def _serial(serial: str) -> str:
    return grouped(serial)


def _certificate(
    client: Client, detail: ClientDetail, current: CertificateView, view: View, now: datetime
) -> Iterable[Line]:
    validity = Validity(not_before=current.not_before, not_after=current.not_after)
    share = max(0.0, validity.left(now) / validity.lifetime)
    used = _use(current, detail, now)
    yield _field("serial", _serial(current.serial))
    yield _field("chain", f"this certificate, issued by {current.issuer} (CA g{current.generation})")
    yield _field("valid from", instant(current.not_before))
    short = ", shortened: the CA ends first" if current.shortened else ""
    yield _field("valid until", f"{instant(current.not_after)}   lifetime {lifetime(validity.lifetime)}{short}")
    yield _field("left", f"{bar(share, 26, view.glyphs)} {int(share * 100)} %", role_of(client.judged))
    yield _field("renew due", _slot(current, now))
    fingerprint = current.fingerprint
    half = len(fingerprint) // 2
    yield _field("sha256", grouped(fingerprint[:half]))
    yield _field("", grouped(fingerprint[half:]))
    yield _field("issued", f"{instant(current.issued_at)}   renewed {count(current.renew_count, 'time')} before")
    yield _field("in use", used[0], used[1])


def _use(current: CertificateView, detail: ClientDetail, now: datetime) -> tuple[str, str]:
    if current.first_used_at is None:
        other = f"; its last call used {_serial(detail.last_seen_serial)}" if detail.last_seen_serial else ""
        return f"NOT IN USE: stored, and no call was made with it yet{other}", "warning"
    last = current.last_used_at or current.first_used_at
    return f"yes, since {instant(current.first_used_at)}, last {span(now - last)} ago", "text"


def _slot(current: CertificateView, now: datetime) -> str:
    if current.renew_from is None:
        return "no slot is known"
    until = f" to {instant(current.renew_until)}" if current.renew_until is not None else ""
    when = "in " + span(current.renew_from - now) if current.renew_from > now else "the slot has begun"
    return f"{instant(current.renew_from)}{until}   {when}"


def _tokens(detail: ClientDetail, view: View, now: datetime) -> Iterable[Line]:
    yield plain("TOKEN (only its dates are kept; the token itself is nowhere on this screen)", "head")
    if not detail.tokens:
        yield _field("token", "the agent has no record of one")
    for token in detail.tokens[:3]:
        yield from _token(token, view, now)
    yield _field("lifetime", f"{lifetime(detail.token_lifetime)} for the next one")
    if detail.rotation is not None:
        yield from _rotation(detail.rotation, view.width)
    yield BLANK


def _rotation(found: TokenRotationView, width: int) -> Iterable[Line]:
    """Who rotates it of the agent's own accord, and what stands against it."""
    due = f", from {instant(found.due_at)} on" if found.due_at else ""
    who = {"flag": "by its flag autoRotate", "policy": f"by policy, rule {found.rule}"}.get(found.by)
    text = f"by the agent, {who}{due}; the old one lives on for {span(found.overlap)} at most" if who else ""
    yield from _paragraph("rotated", text or f"by nobody: a person does{due}", width)
    if found.fault and found.fault_since is not None:
        yield from _paragraph("fails", f"since {instant(found.fault_since)}: {found.fault}", width, "warning")


def _token(token: TokenView, view: View, now: datetime) -> Iterable[Line]:
    left = token.expires_at - now
    whole = token.expires_at - token.issued_at
    share = max(0.0, left / whole) if whole else 0.0
    role = "text" if token.state == "current" else "dim"
    yield _field(token.state, f"issued {instant(token.issued_at)}   until {instant(token.expires_at)}", role)
    if token.state == "current":
        yield _field("left", f"{bar(share, 26, view.glyphs)} {int(share * 100)} %   {long_countdown(left)}")
    if token.dies_at is not None:
        yield _field("", f"still signs in until {instant(token.dies_at)}", "dim")
    used = instant(token.first_used_at) if token.first_used_at else "not yet"
    delivered = instant(token.delivered_at) if token.delivered_at else "not known"
    yield _field("", f"delivered {delivered}   first used {used}", "dim")


def _observation(client: Client, detail: ClientDetail, now: datetime, width: int) -> Iterable[Line]:
    yield plain("LAST OBSERVATION", "head")
    if detail.last_seen_at is None:
        yield _field("last call", "the agent has never had a call of it")
    else:
        ago = span(now - detail.last_seen_at)
        yield _field(
            "last call", f"{instant(detail.last_seen_at)}, {ago} ago, from {detail.last_seen_from or 'unknown'}"
        )
        yield _field("with serial", _serial(detail.last_seen_serial) or NOTHING)
    beat = detail.heartbeat
    if beat is None:
        yield _field("heartbeat", "it sends none; the agent's own records are the source")
    else:
        old = ", STALE" if Overlay.STALE in client.judged.overlays else ""
        yield _field(
            "heartbeat", f"{span(now - beat.heard_at)} ago{old}, every {span(beat.interval)}, from {beat.address}"
        )
        loop = "alive" if beat.loop_alive else "DOWN"
        ahead = "ahead of" if beat.skew.total_seconds() >= 0 else "behind"
        yield _field("its renewal", f"{loop}   trust epoch {beat.epoch}   version {beat.version or NOTHING}")
        yield _field("its clock", f"{span(abs(beat.skew))} {ahead} the agent's")
        if beat.last_error:
            yield from _paragraph("last error", beat.last_error, width, "warning")
            for one in diagnose(beat.last_error)[:1]:
                yield from _paragraph("that is", f"{one.ailment.meaning} {one.ailment.avoid}", width)
    yield BLANK


def _history(detail: ClientDetail, width: int) -> Iterable[Line]:
    yield plain("HISTORY", "head")
    if not detail.history:
        yield _field("", "nothing recorded")
    for event in detail.history:
        yield (("  ", "text"), *event_line(event, width - 2, full_date=True))
