"""An operator's connection to one agent: every call made with a credential that is kept usable meanwhile.

Owns when the credential is renewed or signed in anew between calls, and the retries after refusals that fresh roots or
a fresh credential cure. Heartbeats bring new roots before a CA rotation's cutover, so the session survives it. Rows,
plans and words are for the call modules beside it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from google.protobuf.message import Message

from backend.client.access_file import AccessFile
from backend.client.backoff import Backoff, retry_cap
from backend.client.channel import CALL_DEADLINE, SILENCE_DEADLINE
from backend.client.credential import Credential, CredentialFacts
from backend.client.errors import AgentUntrusted, NoCredential, Unreachable
from backend.client.heartbeat import Order, OrderKind, Report, beat
from backend.client.orders import OrderBook
from backend.client.planner import AwaitLoginFile, FetchChain, Renew, SignIn, Situation, decide
from backend.client.settings import ClientSettings
from backend.clock import Clock
from backend.core.errors import AgentError, Unauthenticated
from backend.core.limits import HEARTBEAT
from backend.wire.methods import Method, get_method

log = logging.getLogger(__name__)
M = TypeVar("M", bound=Message)

_WORD_SECONDS: Final = 1.0
_CURABLE: Final = (Unauthenticated, AgentUntrusted)
_CURES: Final = 2  # of one call: after a CA rotation that was slept through, newer roots and then a new sign-in


class Session:
    """One identity's way to one agent. `open()` begins the heartbeats, `close()` ends everything."""

    def __init__(self, settings: ClientSettings, clock: Clock, *, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._credential = Credential(settings, clock)
        self._orders = OrderBook(self._credential.material.memory.done_order)
        self._renewing = asyncio.Lock()
        self._backoff = Backoff(self._rng)
        self._retry_at: datetime | None = None
        self._upkeep: asyncio.Task[None] | None = None
        self._last_error = ""
        self._wanted = asyncio.Event()

    @property
    def facts(self) -> CredentialFacts:
        """The credential as people may see it."""
        return self._credential.facts()

    async def open(self) -> None:
        """Make sure that there is a usable credential, and start the heartbeats.

        Raises:
            AgentError: there is none and none can be had; says why.
        """
        await self._keep_credential()
        if self._upkeep is None:
            self._upkeep = asyncio.get_running_loop().create_task(self._keep_alive())

    async def close(self) -> None:
        """End heartbeats and connection."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await self._upkeep
            self._upkeep = None
        await self._credential.close()

    async def call(
        self, service: str, name: str, request: Message, kind: type[M], deadline: timedelta | None = None
    ) -> M:
        """Make one call on the data port; `kind` is the class of its answer.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection.
        """
        method = get_method(service, name)
        cures = _CURES
        while True:
            shown = await self._keep_credential()
            try:
                answer = await self._once(method, request, deadline or CALL_DEADLINE)
                break
            except _CURABLE as error:
                cures -= 1
                if cures < 0 or not await self._cure(error, shown):
                    raise
        if not isinstance(answer, kind):
            raise TypeError(f"{method.path} answers with {type(answer).__name__}, not {kind.__name__}")
        return answer

    async def stream(self, service: str, name: str, request: Message, kind: type[M]) -> AsyncIterator[M]:
        """Yield the answers of a streaming call. A refusal before the first answer is cured as in `call`.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection.
        """
        method = get_method(service, name)
        cures = _CURES
        while True:
            shown = await self._keep_credential()
            began = False
            try:
                async for answer in self._stream_once(method, request, kind):
                    began = True
                    yield answer
            except _CURABLE as error:
                cures -= 1
                if cures < 0 or not await self._cure(error, shown):
                    raise
                if began:
                    raise Unreachable("the connection was renewed with a fresh credential; ask again") from None
            else:
                return

    def beat_soon(self) -> None:
        """Send the next heartbeat within a second: a CA rotation waits to hear that this session has the new roots."""
        self._wanted.set()

    async def sign_in(self) -> CredentialFacts:
        """Sign in now, whatever is held: what `mocdeck login` does.

        Raises:
            AgentError: the agent's refusal, or what is wrong with the connection.
        """
        async with self._renewing:
            self._credential.refresh()
            await self._credential.sign_in()
        return self.facts

    async def _once(self, method: Method, request: Message, deadline: timedelta) -> Message:
        shown = self._credential.material.access
        answer = await self._credential.open_link().call(method, request, deadline=deadline)
        self._proved(shown)
        return answer

    async def _stream_once(self, method: Method, request: Message, kind: type[M]) -> AsyncIterator[M]:
        shown = self._credential.material.access
        async for answer in self._credential.open_link().stream(method, request, silence=SILENCE_DEADLINE):
            self._proved(shown)
            if not isinstance(answer, kind):
                raise TypeError(f"{method.path} answers with {type(answer).__name__}, not {kind.__name__}")
            yield answer

    def _proved(self, shown: AccessFile | None) -> None:
        if self._credential.material.access is shown:
            self._credential.note_success()

    async def _keep_credential(self) -> AccessFile | None:
        """Renew or sign in when it is due. A failure counts only if nothing usable is left."""
        async with self._renewing:
            self._credential.refresh()
            decision = decide(self._situation(), self._clock.now())
            if isinstance(decision, FetchChain) and await self._follow_chain():
                decision = decide(self._situation(), self._clock.now())
            if isinstance(decision, Renew | SignIn):
                await self._issue(decision)
            elif isinstance(decision, AwaitLoginFile) and self._is_without_certificate():
                raise NoCredential(self._advice(decision))
            return self._credential.material.access

    async def _issue(self, decision: Renew | SignIn) -> None:
        try:
            await (self._credential.renew() if isinstance(decision, Renew) else self._credential.sign_in())
        except AgentUntrusted as error:
            if not await self._follow_chain():
                self._put_off(decision, error)
            elif isinstance(again := decide(self._situation(), self._clock.now()), Renew | SignIn):
                await self._issue(again)  # once: after it the chain is known to lead no further
            return
        except (AgentError, OSError) as error:
            self._put_off(decision, error)
            return
        self._retry_at = None
        self._backoff.succeed()
        self._finish_order()

    async def _follow_chain(self) -> bool:
        """Tell whether the signed chain led to newer roots; without any, what is held stays and was tried."""
        if not isinstance(decide(self._situation(), self._clock.now()), FetchChain):
            return False
        try:
            await self._credential.follow_chain()
        except (AgentError, OSError) as error:
            self._last_error = str(error)
            log.warning("chain of trust not followed", extra={"why": str(error)})
            return False
        return True

    def _put_off(self, decision: Renew | SignIn, error: AgentError | OSError) -> None:
        """Let the next try wait; where nothing usable is left, a person waits too and hears why at once."""
        access = self._credential.material.access
        wait = self._backoff.fail(cap=retry_cap(access.validity.lifetime if access is not None else None))
        self._retry_at = self._clock.now() + timedelta(seconds=int(wait.total_seconds()))
        log.warning("try failed", extra={"why": str(error), "step": decision.reason})
        if self._is_without_certificate():
            self._retry_at = None
            raise error

    async def _cure(self, error: AgentError, shown: AccessFile | None) -> bool:
        """Tell whether a call that was refused may be made once more, with another credential or other roots."""
        async with self._renewing:
            material = self._credential.material
            if material.access is not shown:
                return True  # another call has cured it meanwhile
            self._credential.note_failure(error)
            if material.access is not shown:
                return True  # fell back to the pair before
            self._retry_at = None
            if self._credential.refresh() and material.access is not shown:
                return True  # another program on this computer has renewed it
            is_led = await self._follow_chain()
            if isinstance(decide(self._situation(), self._clock.now()), SignIn):
                await self._credential.sign_in()
                return True
            return is_led

    def _situation(self) -> Situation:
        order = self._orders.open
        return Situation(
            holding=self._credential.holding(),
            login_changed=self._credential.material.login_is_new,
            renew_ordered=order is not None and order.kind is OrderKind.RENEW_NOW,
            sign_in_ordered=order is not None and order.kind is OrderKind.SIGN_IN_NOW,
            retry_at=self._retry_at,
        )

    def _is_without_certificate(self) -> bool:
        access = self._credential.material.access
        return access is None or access.validity.is_expired(self._clock.now())

    def _advice(self, decision: AwaitLoginFile) -> str:
        problem = self._credential.material.login_error
        return f"{decision.reason}{f' ({problem})' if problem else ''}; bring a fresh login file and sign in with it"

    async def _keep_alive(self) -> None:
        """Beat for as long as the session lives. It only fetches roots and orders, so a failure waits for the next."""
        while True:
            has_news = False
            try:
                has_news = await self._beat()
            except (AgentError, OSError) as error:
                self._last_error = str(error)
                log.debug("heartbeat failed", extra={"why": str(error)})
            except Exception as error:  # the client's loop: it must outlive what nobody thought of
                self._last_error = f"the heartbeats broke: {type(error).__name__}"
                log.exception("heartbeat broke")
            await self._clock.sleep(_WORD_SECONDS)
            if not has_news:  # else the next heartbeat says at once that the new roots are stored
                await self._rest(HEARTBEAT.total_seconds() * (0.9 + 0.2 * self._rng.random()) - _WORD_SECONDS)

    async def _rest(self, seconds: float) -> None:
        """Wait that long, or until somebody wants a heartbeat."""
        waits = [asyncio.ensure_future(self._wanted.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            self._wanted.clear()

    async def _beat(self) -> bool:
        """Send one heartbeat; tell whether it brought new roots, which the next one reports as stored."""
        await self._keep_credential()
        # Interval zero and no loop: an operator's program comes and goes; nobody should miss its heartbeats or count on
        # it to renew.
        report = Report(interval=timedelta(0), loop_alive=False, last_error=self._last_error)
        answer = await beat(self._credential, report, self._clock)
        self._last_error = answer.bundle_error
        self._orders.hear(answer.order, self._clock.monotonic())
        if self._orders.open is not None:
            self._obey(self._orders.open)
        return answer.bundle_stored

    def _obey(self, order: Order) -> None:
        """Store a fresh token; renewing and signing in follow with the next call or heartbeat."""
        if order.token is not None:
            self._credential.material.take_token(order.token)
            self._finish_order()

    def _finish_order(self) -> None:
        if self._orders.open is None:
            return
        material = self._credential.material
        material.remember(replace(material.memory, done_order=self._orders.finish()))
