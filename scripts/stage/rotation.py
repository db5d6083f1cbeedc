"""A CA rotation in memory, moved by hand: `step` does what an agent would do in one of its moves.

Where a client stands, what the gates say and how long the outages were is `backend.core.rotation`'s judgement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from backend.core.blast import ReturnRoute, WayBack
from backend.core.errors import InvalidInput, OldVersion
from backend.core.rotation import (
    ClientStanding,
    Event,
    Phase,
    RotationClient,
    RotationFacts,
    advance,
    count,
    gates,
    outages,
    standing,
)
from scripts.stage.fleet import DEPLOYMENT, Seed
from tui.rotating import GateView, RotationClientView, RotationMove, RotationView

_EVENTS = {
    Phase.PLANNED: Event.STAGE,
    Phase.STAGED: Event.FENCE,
    Phase.FENCED: Event.CUT_OVER,
    Phase.CUTOVER: Event.REOPEN,
    Phase.RE_ENROLLING: Event.VERIFY,
    Phase.VERIFIED: Event.COMPLETE,
}


@dataclass(kw_only=True)
class StagedRotation:
    """One rotation; `clients` are what was observed, and the counts follow from them."""

    id: str
    started_at: datetime
    reason: str
    seeds: Mapping[str, Seed]
    ways: Mapping[str, WayBack]
    clients: list[RotationClient]
    phase: Phase = Phase.PLANNED
    phase_at: datetime
    version: int = 1
    ended_at: datetime | None = None
    outcome: str = ""
    proceed: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    def inform(self, number: int, now: datetime) -> None:
        """Let that many of the clients that report take the new root home."""
        waiting = [c for c in self.clients if c.route is ReturnRoute.ITSELF and c.informed_at is None]
        for client in waiting[:number]:
            self._put(replace(client, informed_at=now))

    def bring_back(self, number: int, now: datetime) -> None:
        """Let that many of the clients that can return sign in with the new CA."""
        routes = {ReturnRoute.ITSELF, ReturnRoute.FILE}
        waiting = [c for c in self.clients if c.route in routes and c.returned_at is None]
        for client in waiting[:number]:
            self._put(replace(client, returned_at=now))

    def _put(self, client: RotationClient) -> None:
        self.clients = [client if one.number == client.number else one for one in self.clients]

    def move_on(self, now: datetime) -> None:
        """Enter the next phase."""
        self.enter(_EVENTS[self.phase], now)

    def enter(self, event: Event, now: datetime) -> None:
        """Enter the phase that an event leads to; at the cutover everybody is lost."""
        self.phase = advance(self.phase, event)
        self.phase_at = now
        self.version += 1
        if event is Event.CUT_OVER:
            self.clients = [
                replace(c, lost_at=None if c.route is ReturnRoute.OUT else now - timedelta(seconds=5 + c.number % 20))
                for c in self.clients
            ]
        if self.phase in {Phase.DONE, Phase.ABORTED}:
            self.ended_at = now
            self.outcome = "completed" if self.phase is Phase.DONE else "aborted"

    def move(self, version: int, move: RotationMove, written_off: Sequence[str], reason: str, now: datetime) -> None:
        """Do what the operator tells."""
        if version != self.version:
            raise OldVersion(f"CA rotation {self.id} is at version {self.version}, not {version}; look at it again")
        if move is RotationMove.ABORT:
            self.enter(Event.ABORT, now)
        elif move is RotationMove.PROCEED:
            self.proceed = True
            self.version += 1
        else:
            if not reason:
                raise InvalidInput("writing clients off needs a reason; it is kept in the audit trail")
            for client in [c for c in self.clients if c.name in set(written_off)]:
                self._put(replace(client, written_off=reason))
            self.enter(Event.VERIFY, now)

    def view(self, now: datetime) -> RotationView:
        """Return the rotation as the gateway would."""
        at = self.ended_at or now
        stands = [standing(client, self.phase, at) for client in self.clients]
        counted = count(stands)
        measured = outages(self.clients)
        facts = RotationFacts(
            phase=self.phase,
            clients=self.clients,
            is_staged=self.phase is not Phase.PLANNED,
            is_published=self.phase is not Phase.PLANNED,
            proceed=self.proceed,
            is_serving=True,
        )
        return RotationView(
            id=self.id,
            phase=self.phase.value,
            version=self.version,
            from_generation=4,
            to_generation=5,
            started_at=self.started_at,
            phase_at=self.phase_at,
            ended_at=self.ended_at,
            outcome=self.outcome,
            clients=tuple(self._client(c, s) for c, s in zip(self.clients, stands, strict=True)),
            total=len(self.clients),
            connected=counted[ClientStanding.CONNECTED],
            informed=counted[ClientStanding.INFORMED],
            lost=counted[ClientStanding.LOST],
            returned=counted[ClientStanding.RETURNED],
            stuck=counted[ClientStanding.STUCK],
            written_off=counted[ClientStanding.WRITTEN_OFF],
            gates=tuple(GateView(test=g.test, met=g.met, why=g.why) for g in gates(facts, now)),
            actor="ops-anna",
            reason=self.reason,
            deployment=DEPLOYMENT,
            agent_time=now,
            outage_p50=None if measured is None else measured.p50,
            outage_max=None if measured is None else measured.longest,
        )

    def _client(self, client: RotationClient, stands: ClientStanding) -> RotationClientView:
        seed = self.seeds[client.name]
        return RotationClientView(
            name=client.name,
            cluster=seed.cluster,
            kind=seed.kind,
            owner=seed.owner,
            route=client.route.value,
            why=client.written_off or self.ways[client.name].why,
            state=stands.value,
            since=self.phase_at,
            lost_at=client.lost_at,
            returned_at=client.returned_at,
            last_error=self.errors.get(client.name, ""),
        )
