"""The operator's door to an agent: what the dashboard and the command line call.

Owns the assembly: one session, and the calls of every service on it. Renewing, signing in and following a CA rotation
happen by themselves in `backend.client.session`; each call has a deadline and raises the agent's own sentence.
"""

from __future__ import annotations

import random
from types import TracebackType
from typing import Self

from backend.client.calls_alerts import AlertCalls
from backend.client.calls_authority import AuthorityCalls
from backend.client.calls_delivery import DeliveryCalls
from backend.client.calls_directory import AgentCalls, IdentityCalls, RoleCalls
from backend.client.calls_fleet import FleetCalls
from backend.client.calls_operations import OperationCalls
from backend.client.contexts import Context
from backend.client.credential import CredentialFacts
from backend.client.session import Session
from backend.clock import Clock, SystemClock


class Operator(
    FleetCalls, OperationCalls, AuthorityCalls, IdentityCalls, RoleCalls, AgentCalls, AlertCalls, DeliveryCalls
):
    """An open way to one agent; `async with await Operator.connect(context)` closes it at the end."""

    def __init__(self, context: Context, session: Session) -> None:
        FleetCalls.__init__(self, session)
        self.context = context

    @classmethod
    async def connect(cls, context: Context, *, clock: Clock | None = None, rng: random.Random | None = None) -> Self:
        """Read the context's credential, renew it or sign in when that is due, and begin the heartbeats.

        The agent itself is not asked for anything unless the credential is due, so an agent that is away shows at the
        first call and the next call tries again.

        Raises:
            AgentError: there is no usable credential and none can be had; says what to do.
        """
        session = Session(context.settings(), clock or SystemClock(), rng=rng)
        try:
            await session.open()
        except BaseException:
            await session.close()
            raise
        return cls(context, session)

    @property
    def credential(self) -> CredentialFacts:
        """The operator's own credential, as it is now."""
        return self._session.facts

    async def sign_in(self) -> CredentialFacts:
        """Sign in now with the context's login file."""
        return await self._session.sign_in()

    async def close(self) -> None:
        """End heartbeats and connection."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        """Return itself; it is open already."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()
