"""A running CA rotation as lines: phases, counts that add up, gates, and who is stuck with what helps.

Pure; every number is the agent's observation, made anew at each look. Stuck clients stand first, each with its own
remedy and its owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len

from tui.format import bar, count, fit, instant, shorten, span, time_of_day, wrapped
from tui.glyphs import Glyphs
from tui.lines import BLANK, Line, cut, plain
from tui.rotating import GateView, RotationClientView, RotationMove, RotationView

PHASES: Final = ("planned", "staged", "fenced", "cutover", "re-enrolling", "verified", "done")
ABORTED: Final = "aborted"
BEFORE_CUTOVER: Final = frozenset(PHASES[:3])
STUCK: Final = "stuck"
LOST: Final = "lost"
GATE_LINES: Final = 3
WIDE: Final = 110  # columns from which the cluster has its own place
LOGIN_FILE_COMMAND: Final = "mocdeck identity login-file NAME --out FILE"
_AFTER_GATES: Final = (LOST, "connected", "informed", "written off", "returned")
_HEADS: Final = {
    STUCK: "STUCK: they do not come back without a person",
    LOST: "LOST: on their way back",
    "connected": "CONNECTED: they do not have the new root yet",
    "informed": "INFORMED: they have the new root and will come back by themselves",
    "written off": "WRITTEN OFF",
    "returned": "RETURNED: signed in with the new CA",
}
_ROLES: Final = {STUCK: "critical", LOST: "warning", "written off": "dim"}


def phase_lines(rotation: RotationView, width: int) -> list[Line]:
    """Return the track D0 to D6 with the present phase marked, on as many lines as it needs."""
    here = PHASES.index(rotation.phase) if rotation.phase in PHASES else -1
    if rotation.phase == ABORTED:
        return [plain("ABORTED before the cutover: nobody lost anything, the old CA goes on", "warning")]
    lines: list[list[tuple[str, str]]] = [[]]
    used = 0
    for number, name in enumerate(PHASES):
        past = number < here or rotation.ended_at is not None
        sign = "[x]" if past else "[>]" if number == here else "[ ]"
        text = f"{sign} D{number} {name}"
        gap = "   " if used else ""
        if used + cell_len(gap + text) > width:
            lines.append([])
            used, gap = 0, ""
        role = "title" if number == here and not past else "text" if past else "dim"
        lines[-1].extend([(gap, "text"), (text, role)])
        used += cell_len(gap + text)
    return [tuple(line) for line in lines]


def sum_text(rotation: RotationView) -> str:
    """Return the six counts and their sum, as an equation that can be checked."""
    return (
        f"{rotation.connected} connected + {rotation.informed} informed + {rotation.lost} lost + "
        f"{rotation.returned} returned + {rotation.stuck} stuck + {rotation.written_off} written off = {rotation.total}"
    )


def adds_up(rotation: RotationView) -> bool:
    """Tell whether the counts sum to the number of clients, and the clients' own states to the same counts."""
    counts = (
        rotation.connected,
        rotation.informed,
        rotation.lost,
        rotation.returned,
        rotation.stuck,
        rotation.written_off,
    )
    return sum(counts) == rotation.total == len(rotation.clients)


def progress_lines(rotation: RotationView, now: datetime, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the whole progress; once the rotation has ended, its end."""
    lines: list[Line] = [*phase_lines(rotation, width), *_times(rotation, now, width)]
    lines.append(BLANK)
    if rotation.ended_at is not None:
        lines.extend(end_lines(rotation, width))
    else:
        lines.append(_bar(rotation, width, glyphs))
    sums = "title" if adds_up(rotation) else "error"
    lines.extend(plain(part, sums) for part in wrapped(sum_text(rotation), width))
    lines.append(cut(_outage(rotation), width))
    lines.extend(_group(STUCK, rotation, now, width))
    if rotation.gates and rotation.ended_at is None:
        lines.extend([BLANK, plain(f"GATES: what has to hold before {rotation.phase} is left", "head")])
        for gate in rotation.gates:
            lines.extend(gate_lines(gate, width))
    for state in _AFTER_GATES:
        lines.extend(_group(state, rotation, now, width))
    return [cut(line, width) for line in lines]


def _bar(rotation: RotationView, width: int, glyphs: Glyphs) -> Line:
    """How far it is: before the cutover of those that can learn the new root, after it of everybody."""
    if rotation.phase in BEFORE_CUTOVER:
        able = [client for client in rotation.clients if client.route == "itself" and client.state != "written off"]
        part, whole = sum(client.state == "informed" for client in able), len(able)
        text = f"{part} of {whole} that can have the new root"
    else:
        part, whole = rotation.returned + rotation.written_off, rotation.total
        text = f"{part} of {whole} back{' or written off' if rotation.written_off else ''}"
    share = part / whole if whole else 1.0
    return ((bar(share, max(10, min(50, width - 40)), glyphs), "running"), (f" {text}", "text"))


def _times(rotation: RotationView, now: datetime, width: int) -> list[Line]:
    until = rotation.ended_at or now
    parts = [
        f"CA g{rotation.from_generation} -> g{rotation.to_generation} of {rotation.deployment}",
        f"elapsed {span(until - rotation.started_at)}",
        "" if rotation.ended_at else f"in this phase {span(now - rotation.phase_at)}",
        f"by {rotation.actor}",
        f"reason: {rotation.reason}" if rotation.reason else "",
    ]
    lines: list[str] = [""]
    for part in (part for part in parts if part):
        longer = f"{lines[-1]} | {part}" if lines[-1] else part
        if cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(shorten(part, width))
    return [plain(text) for text in lines]


def end_lines(rotation: RotationView, width: int) -> list[Line]:
    """Return how a rotation ended, with its totals."""
    ended = rotation.ended_at or rotation.phase_at
    if rotation.outcome == ABORTED:
        text = f"ABORTED at {instant(ended)}: the old CA g{rotation.from_generation} goes on, nobody lost anything."
    else:
        text = (
            f"{(rotation.outcome or 'ended').upper()} at {instant(ended)} in {span(ended - rotation.started_at)}: "
            f"CA g{rotation.to_generation} issues; {rotation.returned} of {rotation.total} came back"
            + (f", {rotation.written_off} were written off" if rotation.written_off else "")
            + "."
        )
    return [plain(part, "title") for part in wrapped(text, width)]


def _outage(rotation: RotationView) -> Line:
    if rotation.outage_p50 is None or rotation.outage_max is None:
        waiting = "nobody has lost anything yet" if rotation.phase in BEFORE_CUTOVER else "nobody is back yet"
        return (("outage  ", "dim"), ("-" if rotation.ended_at else waiting, "dim"))
    return (
        ("outage  ", "dim"),
        (f"median {span(rotation.outage_p50)}, worst {span(rotation.outage_max)}", "text"),
        (f"   from last call to first, of {count(rotation.returned, 'client')} back", "dim"),
    )


def gate_lines(gate: GateView, width: int) -> list[Line]:
    """Return one gate, met or not, with its reason."""
    sign, role = ("[x]", "text") if gate.met else ("[ ]", "warning")
    parts = wrapped(f"{gate.test}: {gate.why}" if gate.why else gate.test, max(20, width - 8))
    if len(parts) > GATE_LINES:  # the clients that it names are listed below, every one
        parts = [*parts[: GATE_LINES - 1], shorten(f"{parts[GATE_LINES - 1]} and more", max(20, width - 8))]
    first: Line = (("  ", "text"), (f"{sign} {parts[0]}", role))
    return [first, *(((" " * 6, "text"), (part, role)) for part in parts[1:])]


def _group(state: str, rotation: RotationView, now: datetime, width: int) -> list[Line]:
    members = [client for client in rotation.clients if client.state == state]
    if not members:
        return []
    if state == STUCK:  # those that were out before come last: nothing of theirs was lost by the rotation
        members.sort(key=lambda client: client.route == "out")
    elif state == "connected":  # first those that are waited for
        members.sort(key=lambda client: client.route != "itself")
    title = _HEADS[state]
    if state == LOST and rotation.phase in {*BEFORE_CUTOVER, ABORTED}:
        title = "OUT BEFORE: they had no connection to lose"
    lines: list[Line] = [BLANK, plain(f"{title} ({len(members)})", "head")]
    if state == STUCK:
        lines.append(plain(shorten(f"  a fresh login file to carry: {LOGIN_FILE_COMMAND}", width), "dim"))
    for client in members:
        lines.extend(_client_lines(client, rotation, now, width))
    return lines


def _client_lines(client: RotationClientView, rotation: RotationView, now: datetime, width: int) -> list[Line]:
    role = _ROLES.get(client.state, "text")
    first: Line = (
        (f"  {fit(shorten(client.name, 22), 23)}", "title" if client.state == STUCK else role),
        (fit(shorten(client.cluster or "-", 12), 13) if width >= WIDE else "", "dim"),
        (fit(shorten(client.owner or "no owner", 11), 12), "text"),
    )
    room = max(20, width - sum(cell_len(text) for text, _ in first))
    if client.state in {STUCK, LOST}:
        what = remedy(client) if client.state == STUCK else _short_way(client)
        line: Line = (*first, (fit(away(client, rotation, now), 9), role), (shorten(what, room - 9), "text"))
        if not client.last_error or client.state != STUCK:
            return [line]
        errors = wrapped(f"its last error: {client.last_error}", max(20, width - 38))
        return [line, *(plain(f"{' ' * 37}{part}", "dim") for part in errors)]
    if client.state == "returned":
        back = "" if client.returned_at is None else time_of_day(client.returned_at)
        gap = _gap(client)
        return [(*first, (f"{back}{f'  out for {gap}' if gap else ''}", "text"))]
    return [(*first, (shorten(client.why if client.state == "written off" else _short_way(client), room), "dim"))]


def _short_way(client: RotationClientView) -> str:
    return {
        "itself": "comes back by itself",
        "file": "the agent writes its login file",
        "manual": "needs a login file by hand",
        "out": "was out before",
    }.get(client.route, client.route)


def away(client: RotationClientView, rotation: RotationView, now: datetime) -> str:
    """Return for how long a client has been away: since its last call, else since it was seen to be."""
    since = client.lost_at or client.since
    return "" if since is None else span((rotation.ended_at or now) - since)


def _gap(client: RotationClientView) -> str:
    if client.returned_at is None or client.lost_at is None:
        return ""
    return span(client.returned_at - client.lost_at)


def remedy(client: RotationClientView) -> str:
    """Return what brings a stuck client back, by its way; the words that matter first."""
    if client.route == "itself":
        return "restart it, else carry a file"
    if client.route == "file":
        return "start it: its file is written"
    if client.route == "out":
        return "was out: carry a file, or W"
    return "carry a login file to it"


_NO_PROCEED: Final = {
    "planned": "the new CA is being made, which nothing speeds up; A aborts",
    "fenced": "the agent goes on by itself in a moment; A aborts until the cutover",
    "cutover": "the agent goes on by itself in a moment; there is no way back",
    "re-enrolling": "only clients that are not back are waited for; carry them login files, or W writes them off",
    "verified": "everybody is counted; the agent ends it in a moment",
}


def move_refusal(move: RotationMove, rotation: RotationView) -> str:
    """Return why a decision does nothing in the present phase and which key does; "" when it may be taken."""
    if rotation.ended_at is not None:
        return f"this CA rotation has ended ({rotation.outcome or 'done'}); esc leaves"
    is_early = rotation.phase in BEFORE_CUTOVER
    if move is RotationMove.ABORT:
        return "" if is_early else "the cutover has happened; there is no way back, only forward: W ends it"
    if move is RotationMove.FINISH:
        if is_early:
            return "nobody has lost anything yet; A aborts"
        return "" if not_back(rotation) else "everybody is back; the agent ends it in a moment"
    unmet = [gate for gate in rotation.gates if not gate.met]
    if any("clock" in gate.test for gate in unmet):
        return ""  # a person may vouch for the clock in any phase
    if rotation.phase != "staged":
        return _NO_PROCEED.get(rotation.phase, "nothing waits")
    return "" if unmet else "no gate waits for anything; the agent goes on in a moment"


def not_back(rotation: RotationView) -> Sequence[RotationClientView]:
    """Return the clients that a finish would write off, stuck ones first."""
    return sorted(
        (client for client in rotation.clients if client.state in {STUCK, LOST}), key=lambda one: one.state != STUCK
    )
