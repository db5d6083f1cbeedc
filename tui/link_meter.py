"""How good the link to the terminal is: how long an answer takes, how much is under way, and whether to go easy on it.

Pure: instants are monotonic seconds. The terminal is asked where its cursor is (`CSI 6n`, ECMA-48, 8.3.35) behind a
frame; the answer says that the frame has arrived, which no buffer on the way can say. Until a terminal has answered
once nothing is held back, since some never do.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

PROBE: Final = "\x1b[6n"
FRAMES_AHEAD: Final = 2  # frames that may be under way before a tick waits
BYTES_AHEAD: Final = 3000  # bytes under way before a key's frame waits; half a second at 48 kbit/s
PERIOD: Final = 15.0  # seconds that one judgement lasts
SLOW_SECONDS: Final = 0.25
GOOD_SECONDS: Final = 0.20  # below slow, so that a link at the limit does not flap
GOOD_PERIODS: Final = 2  # a slow link has to be good for so long
BACKLOG_SECONDS: Final = 3.0  # a frame that waited for longer than this says that the link could not take what is sent
BACKLOG_PERIODS: Final = 2  # once is a stall, which passes; in two periods running it is the link
GIVE_UP_SECONDS: Final = 30.0  # an answer that is this late was lost; one more frame may go


class LinkMeter:
    """Counts frames out and answers in; `forced` takes the link for slow whatever is measured."""

    def __init__(self, *, forced: bool = False) -> None:
        self.forced = forced
        self.is_slow = forced
        self.delay: float | None = None  # seconds, the median of the last period
        self._answers = False
        self._probes: deque[tuple[float, int, int]] = deque()  # when asked, frames and bytes sent by then
        self._frames = 0
        self._bytes = 0
        self._arrived = (0, 0)  # frames and bytes known to have arrived
        self._heard: list[float] = []
        self._judged_at: float | None = None
        self._held_since: float | None = None
        self._held_too_long = False
        self._backlogs = 0  # periods in a row
        self._good = 0

    @property
    def frames_ahead(self) -> int:
        """Frames that were sent and are not known to have arrived; 0 while the terminal never answered."""
        return self._frames - self._arrived[0] if self._answers else 0

    @property
    def bytes_ahead(self) -> int:
        """The same in bytes."""
        return self._bytes - self._arrived[1] if self._answers else 0

    def may_tick(self, now: float) -> bool:
        """Tell whether a tick's frame may be sent."""
        return self.frames_ahead < FRAMES_AHEAD or self._is_lost(now)

    def may_send(self, now: float) -> bool:
        """Tell whether a frame may be sent that answers a key; such a one is never held for a tick's sake."""
        return self.frames_ahead < FRAMES_AHEAD or self.bytes_ahead < BYTES_AHEAD or self._is_lost(now)

    def _is_lost(self, now: float) -> bool:
        return bool(self._probes) and now - self._probes[0][0] > GIVE_UP_SECONDS

    def wants_probe(self, now: float) -> bool:
        """Tell whether the next frame is to ask: whenever no question is open; now and then where none was answered."""
        if not self._answers:
            return not self._probes or now - self._probes[-1][0] > PERIOD
        return not self._probes or self._is_lost(now)

    @property
    def must_ask(self) -> bool:
        """Tell whether a question has to go without a frame: all that is held waits for an answer nobody was asked."""
        return not self._probes and self.frames_ahead >= FRAMES_AHEAD

    def asked(self, now: float) -> None:
        """Count a question that went without a frame."""
        self._probes.append((now, self._frames, self._bytes))

    def sent(self, size: int, now: float, *, probe: bool) -> None:
        """Count a frame of `size` bytes."""
        self._frames += 1
        self._bytes += size
        self._held_since = None
        if probe:
            if self._is_lost(now):
                self._probes.clear()
            self.asked(now)

    def held(self, now: float) -> None:
        """Note that a frame had to wait."""
        self._held_since = self._held_since if self._held_since is not None else now
        self._held_too_long |= now - self._held_since > BACKLOG_SECONDS

    def answered(self, now: float) -> None:
        """Take the terminal's answer to the oldest question."""
        if not self._probes:
            return
        asked_at, frames, size = self._probes.popleft()
        self._answers = True
        self._arrived = (frames, size)
        self._heard.append(now - asked_at)
        if self._judged_at is None or now - self._judged_at >= PERIOD:
            self._judge(now)

    def _judge(self, now: float) -> None:
        first = self._judged_at is None
        self.delay = median(self._heard)
        self._heard.clear()
        self._judged_at = now
        self._backlogs = self._backlogs + 1 if self._held_too_long else 0
        self._held_too_long = False
        if self.forced or first:
            return  # the first answer waits for the first frames to be drawn, which says little about the link
        if self.delay > SLOW_SECONDS or self._backlogs >= BACKLOG_PERIODS:
            self.is_slow, self._good = True, 0
        elif self.delay < GOOD_SECONDS and not self._backlogs:
            self._good += 1
            if self._good >= GOOD_PERIODS:
                self.is_slow = False

    def words(self) -> str:
        """Return what the header says: nothing while nothing is known."""
        known = "" if self.delay is None else f"{rounded_ms(self.delay)}ms"
        if self.is_slow:
            return " ".join(part for part in ("SLOW LINK", known) if part)
        return f"link {known}" if known else ""


def rounded_ms(seconds: float) -> int:
    """Return milliseconds, rounded as coarsely as they are uncertain, so that the header is seldom written again."""
    exact = seconds * 1000
    unit = 1 if exact < 20 else 5 if exact < 100 else 10 if exact < 1000 else 100
    return max(1, round(exact / unit) * unit)
