"""A CA rotation with overlap, or a rehearsal, in memory and moved by hand.

Where a client stands, what the gates say, who is waited for and which phase may follow is `backend.core.overlap`'s
judgement; what clients do is told by `prove`, `use_new` and `pass_shadow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from backend.core.errors import InconsistentState, InvalidInput, OldVersion
from backend.core.overlap import (
    WAVES,
    OverlapClient,
    OverlapEvent,
    OverlapPhase,
    Route,
    count_levels,
    evidence,
    forward_event,
    next_phase,
)
from backend.core.overlap_gates import (
    OverlapFacts,
    OverlapSettings,
    ProbeFacts,
    open_wave,
    overlap_gates,
    waiting_for,
    wave_failures,
)
from backend.core.rotation import Gate
from backend.core.trust_matrix import BOTH, GENERATIONS, LivePort, Outcome, is_accepted, presentations
from backend.core.trust_matrix import NEW as NEW_TRUST
from backend.core.trust_matrix import OLD as OLD_TRUST
from scripts.stage.fleet import DEPLOYMENT, Seed
from tui.rotating import GateView, ProbeView, RotationClientView, RotationKind, RotationMove, RotationView, WaveView

OLD, NEW = 4, 5
_TRUSTS = (OLD_TRUST, BOTH, NEW_TRUST)
_JUDGED = {OverlapPhase.SHADOW, OverlapPhase.DISTRUSTED, OverlapPhase.RETIRED}
_BEAT = timedelta(seconds=30)


@dataclass(kw_only=True)
class StagedOverlap:
    """One rotation; `clients` are what was observed, and everything shown follows from them."""

    id: str
    kind: RotationKind
    started_at: datetime
    phase_at: datetime
    reason: str
    seeds: Mapping[str, Seed]
    clients: list[OverlapClient]
    settings: OverlapSettings
    phase: OverlapPhase = OverlapPhase.PLANNED
    version: int = 1
    ended_at: datetime | None = None
    outcome: str = ""
    held: str = ""
    rolled_back_from: str = ""
    rounds: int = 0
    probed_at: datetime | None = None
    broken: dict[str, str] = field(default_factory=dict)  # cells that were not as they must

    # What happens in the world

    def prove(self, number: int, now: datetime) -> None:
        """Let that many of the clients that report recognise the canary."""
        waiting = [one for one in self.clients if one.route is Route.ITSELF and one.proved_at is None]
        self._put(waiting[:number], lambda one: replace(one, informed_at=now, proved_at=now, heard_at=now))

    def use(self, generation: int, number: int, now: datetime) -> None:
        """Let that many clients call with a certificate of a generation, in the order of the waves."""
        waiting = [one for one in self.clients if one.route is not Route.OUT and one.generation != generation]
        waiting.sort(key=lambda one: (one.route is not Route.ITSELF, one.wave))
        self._put(waiting[:number], lambda one: replace(one, generation=generation, generation_at=now, heard_at=now))

    def fail(self, name: str, error: str, now: datetime) -> None:
        """Let a client that was told to renew report an error instead."""
        failing = [one for one in self.clients if one.name == name]
        order = now - timedelta(seconds=20)
        self._put(failing, lambda one: replace(one, ordered_at=order, heard_at=now, last_error=error))

    def pass_shadow(self, now: datetime) -> None:
        """Let everybody that takes part call once more."""
        self._put([one for one in self.clients if one.counts], lambda one: replace(one, generation_at=now))

    def probe(self, now: datetime, **broken: str) -> None:
        """One round of probes; `broken` names what a cell found instead."""
        self.rounds += 1
        self.probed_at = now
        self.broken = broken

    def _put(self, chosen: Sequence[OverlapClient], change: Callable[[OverlapClient], OverlapClient]) -> None:
        numbers = {one.number for one in chosen}
        self.clients = [change(one) if one.number in numbers else one for one in self.clients]

    def move_on(self, now: datetime) -> None:
        """Enter the next phase, there or back."""
        event = forward_event(self.phase)
        if event is not None:
            self.enter(event, now)

    def enter(self, event: OverlapEvent, now: datetime) -> None:
        """Enter the phase that an event leads to."""
        if event is OverlapEvent.ROLL_BACK:
            self.rolled_back_from = self.phase.value
        self.phase = next_phase(self.phase, event)
        self.phase_at, self.probed_at = now, None
        self.version += 1
        if not self.phase.is_open:
            self.ended_at = now
            ends = {OverlapPhase.RETIRED: "completed", OverlapPhase.ROLLED_BACK: "rolled_back"}
            self.outcome = ends.get(self.phase, "aborted")

    def end_rehearsal(self, outcome: str, now: datetime) -> None:
        """End it; only a rehearsal ends like this."""
        self.outcome, self.ended_at, self.phase_at = outcome, now, now
        self.version += 1

    # What an operator tells it

    def move(self, version: int, move: RotationMove, names: Sequence[str], reason: str, now: datetime) -> None:
        """Do what the operator tells."""
        if version != self.version:
            raise OldVersion(f"CA rotation {self.id} is at version {self.version}, not {version}; look at it again")
        self.version += 1
        if move is RotationMove.HOLD:
            self.held = f"ops-anna: {reason}"
        elif move is RotationMove.ROLL_BACK and self.kind is RotationKind.REHEARSAL:
            self.end_rehearsal("aborted", now)
        elif move is RotationMove.ROLL_BACK:
            self.held = ""
            is_early = self.phase is OverlapPhase.PLANNED
            self.enter(OverlapEvent.ABORT if is_early else OverlapEvent.ROLL_BACK, now)
        elif move in {RotationMove.WAIVE, RotationMove.WRITE_OFF}:
            what = "waived" if move is RotationMove.WAIVE else "written_off"
            chosen = [one for one in self.clients if one.name in set(names)]
            self._put(chosen, lambda one: replace(one, **{what: f"ops-anna: {reason}"}))  # type: ignore[arg-type]
        elif move in {RotationMove.ADVANCE, RotationMove.AUTOMATIC}:
            self._advance(now, automatic=move is RotationMove.AUTOMATIC)
        else:
            raise InvalidInput(f"{move.name} is for the disruptive rotation; this one has overlap")

    def _advance(self, now: datetime, *, automatic: bool) -> None:
        was_held, self.held = self.held, ""
        self.settings = replace(self.settings, automatic=self.settings.automatic or automatic)
        unmet = [f"{gate.test}: {gate.why}" for gate in self._gates(now) if not gate.met]
        if not unmet and self.phase is not OverlapPhase.DISTRUSTED:
            self.move_on(now)
        elif not was_held and not automatic:
            raise InconsistentState(f"CA rotation {self.id} stays in {self.phase.value}: {'; '.join(unmet)}")

    # What is seen of it

    def _facts(self, now: datetime) -> OverlapFacts:
        both, new = self.phase.trusts_both, self.phase.issues_new
        bundle = (OLD, NEW) if both else (NEW,) if new else (OLD,)
        return OverlapFacts(
            phase=self.phase,
            from_generation=OLD,
            to_generation=NEW,
            phase_at=self.phase_at,
            clients=self.clients,
            settings=self.settings,
            is_staged=self.phase is not OverlapPhase.PLANNED,
            bundle=bundle,
            serving=NEW if self.phase.serves_new else OLD,
            probes=ProbeFacts(
                rounds=1 if self.probed_at else 0,
                total=self.rounds * len(self._cells()),
                deviations=len(self.broken),
                last_at=self.probed_at,
                deviation="; ".join(f"{cell}: {seen}" for cell, seen in self.broken.items()),
            ),
            slowest=_BEAT,
            held=self.held,
        )

    def _gates(self, now: datetime) -> tuple[Gate, ...]:
        if self.kind is not RotationKind.REHEARSAL:
            return overlap_gates(self._facts(now), now)
        left = [one.name for one in self._unproved()]
        why = f"waiting for {', '.join(left)}" if left else "all were"
        gate = Gate(test="every client that reports was at the canary", met=not left, why=why)
        return () if self.ended_at else (gate,)

    def _unproved(self) -> list[OverlapClient]:
        return [one for one in self.clients if one.route is Route.ITSELF and one.proved_at is None]

    def view(self, now: datetime) -> RotationView:
        """Return the rotation as the gateway would."""
        is_rehearsal = self.kind is RotationKind.REHEARSAL
        facts = self._facts(now)
        awaited = {one.number for one in (self._unproved() if is_rehearsal else waiting_for(facts, now))}
        since = self.phase_at if self.phase in _JUDGED else None
        gates = self._gates(now)
        proofs = [evidence(one, to_generation=NEW, shadow_since=since) for one in self.clients]
        counts = count_levels(proof.level for proof in proofs)
        shown = tuple(
            self._client(one, proof.level.value, proof.at, proof.source, one.number in awaited)
            for one, proof in zip(self.clients, proofs, strict=True)
        )
        return replace(
            self._frame(now, shown),
            gates=tuple(GateView(test=gate.test, met=gate.met, why=gate.why) for gate in gates),
            levels=tuple((level.value, number) for level, number in counts.items()),
            probes=() if is_rehearsal else self._probes(),
            waves=() if is_rehearsal else self._waves(facts, now),
            would_fail=tuple(
                one.name for one in self.clients if since and one.would_fail_at and one.would_fail_at >= since
            ),
            next_step=self._next(gates),
            way_back=self._way_back(),
        )

    def _frame(self, now: datetime, clients: tuple[RotationClientView, ...]) -> RotationView:
        """What is said of it without looking at the clients."""
        return RotationView(
            id=self.id,
            phase=(self.outcome or "rehearsing") if self.kind is RotationKind.REHEARSAL else self.phase.value,
            version=self.version,
            from_generation=OLD,
            to_generation=NEW,
            started_at=self.started_at,
            phase_at=self.phase_at,
            ended_at=self.ended_at,
            outcome=self.outcome,
            clients=clients,
            total=len(clients),
            connected=0,
            informed=0,
            lost=0,
            returned=0,
            stuck=0,
            written_off=0,
            gates=(),
            actor="ops-anna",
            reason=self.reason,
            deployment=DEPLOYMENT,
            agent_time=now,
            outage_p50=None,
            outage_max=None,
            kind=self.kind,
            cause="routine",
            automatic=self.settings.automatic,
            held=self.held,
            epoch=8,
            rolled_back_from=self.rolled_back_from,
        )

    def _client(
        self, one: OverlapClient, level: str, at: datetime | None, source: str, is_awaited: bool
    ) -> RotationClientView:
        seed = self.seeds[one.name]
        return RotationClientView(
            name=one.name,
            cluster=seed.cluster,
            kind=seed.kind,
            owner=seed.owner,
            route=one.route.value,
            why="",
            state="",
            last_error=one.last_error,
            after=one.after,
            level=level,
            level_at=at,
            level_source=source,
            wave=one.wave,
            awaited=is_awaited and self.ended_at is None,
            waived=one.waived,
            written_off=one.written_off,
            careless=one.careless,
            generation=one.generation,
            would_fail_at=one.would_fail_at,
            would_fail_from="10.0.4.17" if one.would_fail_at else "",
        )

    def _cells(self) -> list[tuple[str, str]]:
        """The truth table of both ways, and the live port's, in the prober's words."""
        cells = []
        for who, other, fails in (("agent", "client", Outcome.UNTRUSTED), ("client", "agent", Outcome.REFUSED)):
            for shown in presentations():
                for trust in _TRUSTS:
                    outcome = Outcome.OK if is_accepted(shown, trust) else fails
                    cells.append((f"{who} shows {shown.label}, {other} trusts {trust}", outcome.value))
        both = GENERATIONS if self.phase.trusts_both else (NEW_TRUST if self.phase.issues_new else OLD_TRUST,)
        port = LivePort(serving=NEW_TRUST if self.phase.serves_new else OLD_TRUST, with_cross=True, bundle=both)
        for leaf in GENERATIONS:
            cells.extend(
                (f"port: {leaf} leaf, trusts {trust}", port.expected(leaf, trust).value) for trust in GENERATIONS
            )
        return cells

    def _probes(self) -> tuple[ProbeView, ...]:
        if not self.rounds:
            return ()
        return tuple(
            ProbeView(
                cell=cell,
                expected=expected,
                observed=self.broken.get(cell, expected),
                made=self.rounds,
                deviations=1 if cell in self.broken else 0,
                last_at=self.probed_at,
            )
            for cell, expected in self._cells()
        )

    def _waves(self, facts: OverlapFacts, now: datetime) -> tuple[WaveView, ...]:
        target = OLD if self.phase.is_rollback else NEW
        made = []
        for number in range(1, len(WAVES) + 1):
            members = [one for one in self.clients if one.wave == number and one.counts]
            failed = len(wave_failures(facts, number, now)) if number == open_wave(facts) else 0
            moved = sum(one.generation == target for one in members)
            made.append(WaveView(number=number, total=len(members), moved=moved, failed=failed))
        return tuple(made)

    def _next(self, gates: Sequence[Gate]) -> str:
        unmet = [gate for gate in gates if not gate.met]
        if self.ended_at is not None:
            return "nothing: it has ended"
        if self.held:
            return "look at why it is held, mend it, then advance"
        if unmet or self.kind is RotationKind.REHEARSAL:
            return f"wait: {unmet[0].test if unmet else 'it ends by itself'}"
        if self.phase is OverlapPhase.DISTRUSTED:
            return f"destroy the key of CA g{OLD}, or roll back while it is there"
        if self.settings.automatic or self.phase.is_rollback:
            return "wait: the next phase begins at the next tick"
        return "advance: every gate of this phase is met"

    def _way_back(self) -> str:
        if self.ended_at is not None:
            return "none: it has ended"
        if self.kind is RotationKind.REHEARSAL:
            return "end it at any time: nothing was changed"
        if self.phase.is_rollback:
            return "it is on its way back"
        if self.phase is OverlapPhase.PLANNED:
            return "abort: nothing was made yet"
        return f"roll back: g{OLD} issues again, those on g{NEW} renew once more"
