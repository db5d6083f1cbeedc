"""The drawer beside the list: one client, what its state means, and which keys help.

Pure, and made from the fleet's columns alone, so that moving the cursor asks the agent nothing.
"""

from __future__ import annotations

from datetime import datetime

from backend.core.countdown import countdown, remaining_share
from backend.core.facts import Limit, Overlay, State
from backend.core.lifecycle import Validity
from tui.banner import View
from tui.columns import next_step, renews, role_of, state_text
from tui.fate import if_nothing_is_done
from tui.format import NOTHING, bar, instant, lifetime, span, wrapped
from tui.lines import Line, boxed, plain
from tui.model import Client

_LABEL = 9


def labelled(label: str, text: str, role: str = "text", width: int = _LABEL) -> Line:
    """Return a line with a dim label before a text."""
    return ((label.ljust(width), "dim"), (text, role))


def drawer_lines(client: Client | None, view: View, width: int, height: int) -> list[Line]:
    """Return the whole drawer, frame included."""
    frame = view.glyphs.frame
    if client is None or view.now is None or width < 20 or height < 5:
        return boxed("", [plain("nothing is selected", "dim")], max(width, 20), max(height, 3), *frame)
    body = _body(client, view, view.now, width - 4)
    places = [client.site] if view.model.has_several_sites else []
    where = " / ".join([*places, client.row.cluster] if client.row.cluster else places)
    return boxed(f"{client.row.name} @ {where}" if where else client.row.name, body, width, height, *frame)


def _body(client: Client, view: View, now: datetime, width: int) -> list[Line]:
    judged = client.judged
    lines: list[Line] = [
        labelled("state", state_text(judged, width, view.glyphs), role_of(judged)),
        labelled("next", next_step(client), "title"),
        (),
    ]
    for reason in judged.reasons[:3]:
        lines.extend(plain(text, "text") for text in wrapped(reason, width))
    lines.append(())
    lines.extend(action_lines(client, view, now, width))
    lines.append(())
    lines.extend(_certificate(client, view, now, width))
    lines.extend(_token(client, view, now, width))
    lines.extend(_standing(client, now))
    lines.append(())
    lines.extend(plain(text, "dim") for text in wrapped(if_nothing_is_done(judged, now), width))
    return lines


def _certificate(client: Client, view: View, now: datetime, width: int) -> list[Line]:
    row, judged = client.row, client.judged
    if row.certificate_not_before is None or row.certificate_not_after is None or judged.effective_not_after is None:
        return [labelled("cert", "none")]
    validity = Validity(not_before=row.certificate_not_before, not_after=row.certificate_not_after)
    limited = "  CA ends first" if judged.limited_by is Limit.AUTHORITY else ""
    share = remaining_share(validity, now)
    return [
        labelled("cert", f"CA g{row.generation}  {countdown(judged.effective_not_after - now)}{limited}", "title"),
        labelled("  from", instant(row.certificate_not_before)),
        labelled("  until", f"{instant(row.certificate_not_after)} ({lifetime(validity.lifetime)})"),
        labelled("  left", f"{bar(share, min(24, width - 16), view.glyphs)} {int(share * 100):3d} %"),
    ]


def _token(client: Client, view: View, now: datetime, width: int) -> list[Line]:
    row, judged = client.row, client.judged
    if judged.token_expires_at is None:
        return [labelled("token", "never seen by this agent" if row.token_expires_at is None else NOTHING)]
    lines = [
        labelled("token", countdown(judged.token_expires_at - now), "title"),
        labelled("  until", instant(judged.token_expires_at)),
    ]
    if row.token_issued_at is not None:
        whole = (judged.token_expires_at - row.token_issued_at).total_seconds()
        share = max(0.0, (judged.token_expires_at - now).total_seconds() / whole) if whole > 0 else 0.0
        lines.append(labelled("  left", f"{bar(share, min(24, width - 16), view.glyphs)} {int(share * 100):3d} %"))
    return lines


def _standing(client: Client, now: datetime) -> list[Line]:
    row = client.row
    seen = NOTHING if row.last_seen_at is None else f"{span(now - row.last_seen_at)} ago"
    lines = [
        labelled("kind", row.kind.value),
        labelled("renews", renews(row.flags)),
        labelled("owner", row.owner or row.host or NOTHING),
        labelled("last seen", seen, width=10),
    ]
    if row.heartbeat_interval:
        heard = NOTHING if row.heartbeat_at is None else f"{span(now - row.heartbeat_at)} ago"
        lines.append(labelled("heartbeat", heard, width=10))
    if Overlay.UNCERTAIN in client.judged.overlays or client.judged.state is State.SKEW or row.skew:
        ahead = "ahead" if row.skew.total_seconds() >= 0 else "behind"
        lines.append(labelled("clock", f"{span(abs(row.skew))} {ahead}"))
    return lines


def action_lines(client: Client, view: View, now: datetime, width: int) -> list[Line]:
    """Return every action with its key: possible, or refused and why."""
    verdicts = view.model.verdicts(client.id, now)
    lines: list[Line] = []
    for command in view.keymap.commands:
        verdict = None if command.action is None else verdicts.get(command.action)
        if verdict is None:
            continue
        why = wrapped(verdict.why, max(12, width - 14))
        role = "text" if verdict.runs else "dim"
        lines.append(
            ((command.key, "key" if verdict.runs else "dim"), (f"  {command.label:10} ", role), (why[0], "dim"))
        )
        lines.extend(plain(" " * 14 + more, "dim") for more in why[1:])
    return lines
