"""What the header says of a recording: that one is made, or which part of which day is played, and how fast."""

from __future__ import annotations

from datetime import datetime, timedelta

from tui.format import span
from tui.gateway import Gateway
from tui.recording import RecordingGateway
from tui.replaying import ReplayClock


def tape_words(gateway: Gateway, replay: ReplayClock | None, now: datetime | None, *, wide: bool) -> str:
    """Return `REC`, `REPLAY 2026-11-22 x4 12%`, or "" where nothing is recorded or played.

    `now` is the agent's time in the recording. The clock at the left of the header shows it, the day only when `wide`.
    """
    if isinstance(gateway, RecordingGateway):
        return "REC FAILED" if gateway.tape.failure else "REC"
    if replay is None:
        return ""
    day = "" if wide or now is None else f" {now:%Y-%m-%d}"
    if replay.is_over:
        return f"REPLAY{day} ended"
    state = "paused" if replay.paused else f"x{replay.speed:g}"
    place, length = replay.monotonic(), replay.length
    if wide:
        return f"REPLAY {state} {span(timedelta(seconds=place))}/{span(timedelta(seconds=length))}"
    return f"REPLAY{day} {state} {int(100 * place / length)}%"
