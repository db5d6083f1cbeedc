"""The long-running client: one identity kept usable for as long as the program lives.

Owns the loop: it wakes every few seconds, looks at clock and files, asks `backend.client.planner`, carries the answer
out, sends heartbeats and obeys orders. It never ends by itself: what breaks a pass is counted, reported in the next
heartbeat, and the loop goes on. Many runners may share one process and one event loop.
"""

from __future__ import annotations

import logging
import random
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from backend.client.backoff import Backoff, retry_cap
from backend.client.clock_watch import ClockWatch
from backend.client.credential import Credential
from backend.client.heartbeat import Answer, OrderKind, Report, beat
from backend.client.news import News
from backend.client.orders import OrderBook
from backend.client.planner import (
    Decision,
    FetchBundle,
    FetchChain,
    Renew,
    SignIn,
    Situation,
    Wait,
    decide,
)
from backend.client.progress import Progress, status_of
from backend.client.settings import RunnerSettings
from backend.clock import Clock
from backend.core.errors import AgentError, Fenced, LimitReached, NotSupported
from backend.core.limits import SKEW_UNCERTAIN

log = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(seconds=5)  # pki.md 5.8 allows a minute; a login file brought by hand should not wait
LEAST_SLEEP: Final = timedelta(seconds=1)  # clocks count whole seconds; and no mistake may spin
LEAST_BETWEEN_RENEWALS: Final = timedelta(seconds=30)  # R34
_BEAT_JITTER: Final = 0.1
_HEARTBEAT_BOUNDS: Final = (timedelta(seconds=5), timedelta(hours=1))  # what an agent may wish for
_CRASH_PAUSE: Final = timedelta(seconds=5)
_MAX_LOST_BEATS: Final = 4  # the longest pause between heartbeats to an agent that is away, in intervals


class Runner:
    """One client. `run()` is the program; `step()` is one pass, for those who drive the loop themselves."""

    def __init__(self, settings: RunnerSettings, clock: Clock, *, rng: random.Random | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._credential = Credential(settings, clock)
        self._watch = ClockWatch(clock.now(), clock.monotonic())
        self._orders = OrderBook(self._credential.material.memory.done_order)
        self._interval = settings.heartbeat
        self._beat_backoff = Backoff(self._rng, first=self._interval, cap=self._interval * _MAX_LOST_BEATS)
        self._try_backoff = Backoff(self._rng)
        self._beat_at = clock.monotonic()
        self._retry_at: datetime | None = None
        self._last_issue: float | None = None
        self._renewals_refused = 0
        self._not_stored = ""
        self._clock_doubted = False
        self._bundle_behind = False
        self._progress = Progress()
        self._news = News()

    @property
    def credential(self) -> Credential:
        """The credential that this runner keeps."""
        return self._credential

    @property
    def crashes(self) -> int:
        """Passes in a row that ended in an unexpected exception."""
        return self._progress.crashes

    async def run(self) -> None:
        """Run until cancelled."""
        try:
            while True:
                await self._clock.sleep((await self.guarded_step()).total_seconds())
        finally:
            await self._credential.close()

    async def guarded_step(self) -> timedelta:
        """One pass that cannot fail; returns how long to wait before the next."""
        try:
            pause = await self.step()
        except Exception as error:
            self._progress.crashes += 1
            self._complain(f"the client's loop broke, {self.crashes} in a row: {type(error).__name__}: {error}")
            log.exception("loop broke", extra={"crashes": self.crashes})
            with suppress(Exception):  # the pass may have broken before its heartbeat: say so, if that still works
                await self._beat_if_due()
            return _CRASH_PAUSE
        self._progress.crashes = 0
        return pause

    async def step(self) -> timedelta:
        """One pass; returns how long to wait before the next."""
        self._look_at_clock()
        self._look_at_files()
        decision = decide(self._situation(), self._believed_now())
        await self._carry_out(decision)
        await self._beat_if_due()
        after = decide(self._situation(), self._believed_now())
        self._publish(after)
        return self._pause(after)

    def _look_at_clock(self) -> None:
        jump = self._watch.find_jump(self._clock.now(), self._clock.monotonic())
        if jump is None:
            return
        log.warning("clock jumped", extra={"seconds": int(jump.by.total_seconds())})
        self._complain(jump.sentence)
        self._clock_doubted = True
        self._progress.skew = timedelta(0)  # it was measured on the other side of the jump
        self._retry_at = None
        self._beat_at = self._clock.monotonic()

    def _look_at_files(self) -> None:
        material = self._credential.material
        try:
            changed = self._credential.refresh()
        except (AgentError, OSError) as error:
            self._complain(str(error))
            return
        if changed:
            self._retry_at = None
            self._not_stored = ""  # somebody else has written there
            self._try_backoff.succeed()
            if material.login_error:
                self._complain(material.login_error)

    def _situation(self) -> Situation:
        order = self._orders.open
        return Situation(
            holding=self._credential.holding(),
            login_changed=self._credential.material.login_is_new,
            clock_doubted=self._clock_doubted,
            bundle_behind=self._bundle_behind,
            renew_ordered=order is not None and order.kind is OrderKind.RENEW_NOW,
            sign_in_ordered=order is not None and order.kind is OrderKind.SIGN_IN_NOW,
            renews_itself=self._settings.renews_itself,
            renewals_refused=self._renewals_refused,
            retry_at=self._retry_at,
        )

    def _believed_now(self) -> datetime:
        """Our clock, or the agent's when ours is known to be far off: dates are the agent's."""
        now = self._clock.now()
        return now - self._progress.skew if abs(self._progress.skew) > SKEW_UNCERTAIN else now

    async def _carry_out(self, decision: Decision) -> None:
        match decision:
            case SignIn():
                await self._issue(decision, OrderKind.SIGN_IN_NOW)
            case Renew():
                await self._issue(decision, OrderKind.RENEW_NOW)
            case FetchBundle():
                self._beat_at = self._clock.monotonic()
                self._bundle_behind = False
            case FetchChain():
                await self._follow_chain(decision)
            case _:  # waiting; a doubted clock is settled by the heartbeat that is due now
                pass

    async def _issue(self, decision: SignIn | Renew, kind: OrderKind) -> None:
        """Get a new certificate and use it at once; a failure is counted and waits its turn."""
        if self._is_too_soon():
            return
        log.info("certificate wanted", extra={"why": decision.reason, "how": kind.value})
        try:
            await (self._credential.sign_in() if isinstance(decision, SignIn) else self._credential.renew())
        except (AgentError, OSError) as error:
            self._failed(decision, error)
            return
        self._last_issue = self._clock.monotonic()
        self._retry_at = None
        self._try_backoff.succeed()
        self._renewals_refused = 0
        order = self._orders.open
        if order is not None and (order.kind is kind or order.kind is OrderKind.RENEW_NOW):
            self._done(self._orders.finish())  # a sign-in brings a new certificate too
        self._beat_at = self._clock.monotonic()

    async def _follow_chain(self, decision: FetchChain) -> None:
        """Find the way back to an agent whose roots were changed while this client slept."""
        log.info("chain of trust wanted", extra={"why": decision.reason})
        try:
            await self._credential.follow_chain()
        except (AgentError, OSError) as error:
            self._failed(decision, error)
            return
        self._retry_at = None
        self._try_backoff.succeed()
        self._beat_at = self._clock.monotonic()

    def _failed(self, decision: SignIn | Renew | FetchChain, error: AgentError | OSError) -> None:
        if not isinstance(error, NotSupported):  # an older agent has no chain: what led to asking for it stays said
            self._complain(str(error))
        if self._has_another_way(decision):
            return  # the next pass takes it
        is_put_off = isinstance(error, Fenced | LimitReached)
        hint = error.retry_after if isinstance(error, Fenced | LimitReached) else timedelta(0)
        reached = isinstance(error, AgentError) and not is_put_off and error.reason != "unreachable"
        if isinstance(decision, Renew) and reached:
            self._renewals_refused += 1
        access = self._credential.material.access
        cap = retry_cap(access.validity.lifetime if access is not None else None)
        wait = max(LEAST_SLEEP, self._try_backoff.fail(cap=cap, at_least=hint))
        self._retry_at = self._believed_now() + timedelta(seconds=int(wait.total_seconds()))
        self._news.tell_failure(str(error), int(wait.total_seconds()))

    def _has_another_way(self, decision: SignIn | Renew | FetchChain) -> bool:
        """Tell whether the failure of one way opens another: that is no second try of the same."""
        holding = self._credential.holding()
        is_led_no_further = holding.chain_refused or holding.chain_cut
        if isinstance(decision, FetchChain):
            return is_led_no_further
        if isinstance(decision, Renew) and holding.certificate_refused:
            return True
        return holding.agent_untrusted and not is_led_no_further

    def _is_too_soon(self) -> bool:
        """A certificate that is due or refused at birth must not become a storm; what people want is not held up."""
        material = self._credential.material
        wanted = self._orders.open is not None or material.login_is_new or material.access is None
        if self._last_issue is None or wanted:
            return False
        return self._clock.monotonic() - self._last_issue < LEAST_BETWEEN_RENEWALS.total_seconds()

    async def _beat_if_due(self) -> None:
        if self._clock.monotonic() < self._beat_at or self._credential.material.access is None:
            return
        # A loop that waits to be told renews nothing in time, so nobody is promised that it does.
        loop_alive = self.crashes == 0 and self._settings.renews_itself
        # Agents try again after a pause; until a token is stored, every heartbeat says why the last one was not.
        last_error = self._progress.last_error or self._not_stored
        renews = self._settings.renews_itself
        report = Report(interval=self._interval, loop_alive=loop_alive, last_error=last_error, renews_itself=renews)
        was_refused = self._credential.holding().certificate_refused
        reported = self._credential.material.memory.done_order
        try:
            answer = await beat(self._credential, report, self._clock)
        except AgentError as error:
            self._progress.is_connected = False
            self._complain(str(error))
            wait = max(LEAST_SLEEP, self._beat_backoff.fail())
            if self._credential.holding().certificate_refused and not was_refused:
                self._retry_at = None  # a wait that belonged to another trouble
                self._try_backoff.succeed()
        else:
            self._heard(answer)
            wait = self._interval * (1 + _BEAT_JITTER * (2 * self._rng.random() - 1))
            if answer.bundle_stored or self._credential.material.memory.done_order != reported:
                wait = LEAST_SLEEP  # a CA rotation or an operation waits for this client's word that it has it
        self._beat_at = self._clock.monotonic() + wait.total_seconds()

    def _heard(self, answer: Answer) -> None:
        self._beat_backoff.succeed()
        self._progress.is_connected = True
        self._progress.last_contact_at = self._clock.now()
        self._clock_doubted = False
        self._progress.skew = answer.skew
        self._progress.last_error = answer.bundle_error
        self._bundle_behind = answer.bundle_behind
        if answer.interval is not None:
            least, most = _HEARTBEAT_BOUNDS
            self._interval = min(most, max(least, answer.interval))
        if self._orders.hear(answer.order, self._clock.monotonic()):
            self._retry_at = None  # somebody wants it now
        if self._orders.complaint:
            self._complain(self._orders.complaint)
        self._take_token()

    def _take_token(self) -> None:
        order = self._orders.open
        if order is None or order.token is None:
            return
        try:
            self._credential.material.take_token(order.token)
        except (AgentError, OSError) as error:
            self._not_stored = f"the fresh token could not be stored: {error}"
            self._complain(self._not_stored)
            return
        self._not_stored = ""
        log.info("token stored", extra={"token": self._credential.claims.id})
        self._done(self._orders.finish())

    def _done(self, order_id: str) -> None:
        material = self._credential.material
        material.remember(replace(material.memory, done_order=order_id))

    def _complain(self, sentence: str) -> None:
        self._progress.complain(sentence, self._clock.now())

    def _publish(self, decision: Decision) -> None:
        self._progress.failures = self._try_backoff.failures
        self._progress.is_retrying = self._retry_at is not None
        status = status_of(self._credential, self._progress, decision, self._clock.now())
        self._credential.material.publish(status)
        self._news.tell(status, refused=self._credential.holding().certificate_refused)

    def _pause(self, decision: Decision) -> timedelta:
        if isinstance(decision, SignIn | Renew | FetchBundle | FetchChain):
            return LEAST_SLEEP
        pause = LOOK_EVERY
        if self._credential.material.access is not None:
            pause = min(pause, timedelta(seconds=self._beat_at - self._clock.monotonic()))
        if isinstance(decision, Wait):
            pause = min(pause, decision.until - self._believed_now())
        return max(LEAST_SLEEP, pause)
