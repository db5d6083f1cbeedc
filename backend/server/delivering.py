"""Owed login files brought to their places, and looks at those places before a plan counts on them.

Every wait for a disk or an API server is in a thread and has an end; each cluster has a lane of its own, so that one
that does not answer holds up nobody else's files. What was found goes into the world's `ReachBook`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from backend.core.delivery import DeliveryRefused, Place, ReachState, Route, SecretPlace, Way
from backend.core.errors import AgentError
from backend.core.model import Secret
from backend.delivery.file import look_at_path, write_login_file
from backend.delivery.kubernetes import Cluster, look_at_secret, write_secret
from backend.server.aside import aside
from backend.service import deliveries
from backend.service.world import World
from backend.store.port import Transaction

log = logging.getLogger("mocdeck.delivery")
Ask = Callable[[Callable[[Transaction], Any]], Awaitable[Any]]
PATIENCE_SECONDS: Final = 12.0  # for one look; a first one also loads the Kubernetes library
PLAN_SECONDS: Final = 20.0  # for all looks that a plan waits for
_AT_ONCE: Final = 4
_NO_PLACE: Final = "delivery.yaml names no Secret for it any more; name one, or withdraw the operation"


class Deliverer:
    """Carries out deliveries of one agent and looks at places for it."""

    def __init__(self, world: World, ask: Ask) -> None:
        self._world = world
        self._ask = ask
        self._busy: set[tuple[str, Place]] = set()

    @property
    def lanes(self) -> tuple[str, ...]:
        """Files, then each cluster."""
        return ("", *self._world.delivery.clusters)

    async def deliver(self, lane: str) -> None:
        """Bring what is due in a lane to its places, until nothing is."""
        while owed := await self._ask(lambda tx: deliveries.due(tx, self._world, lane)):
            ready = [one.delivery_id for one in owed if await self._is_ready(one)]
            for file in await self._prepared(ready, lane):
                await self._put(file)

    async def _prepared(self, ready: Sequence[str], lane: str) -> list[deliveries.PreparedFile]:
        found: list[deliveries.PreparedFile] = await self._ask(
            lambda tx: deliveries.prepare(tx, self._world, ready, lane)
        )
        return found

    async def _is_ready(self, owed: deliveries.Owed) -> bool:
        """Look before anything is minted; False also when an earlier attempt had arrived after all."""
        if not owed.place.where:
            await self._ask(lambda tx: deliveries.mark_unreachable(tx, self._world, owed, _NO_PLACE))
            return False
        way, held = await self._look(owed.identity_name, owed.place)
        if held is not None and await self._ask(lambda tx: deliveries.settle(tx, self._world, owed, held)):
            return False
        if not way.is_ready:
            await self._ask(lambda tx: deliveries.mark_unreachable(tx, self._world, owed, way.sentence))
            log.warning("login file not delivered", extra={"fields": {"state": way.state.value, "why": way.sentence}})
        return way.is_ready

    async def _put(self, file: deliveries.PreparedFile) -> None:
        try:
            await aside(lambda: self._write(file), name="mocdeck-delivery")
        except asyncio.CancelledError:
            fields = {"place": str(file.place), "identity": file.identity_name}
            log.warning("login file not finished; it is tried again at the next start", extra={"fields": fields})
            raise
        except AgentError as failure:
            why = str(failure)
            await self._ask(lambda tx: deliveries.mark_failed(tx, self._world, file, why))
            log.warning("login file not delivered", extra={"fields": {"why": why}})
        else:
            await self._ask(lambda tx: deliveries.mark_written(tx, self._world, file))

    async def look(self, names: Sequence[str] | None, *, anew: bool = False) -> None:
        """Look at the places of these clients (None: of all) that were not looked at lately, or `anew` at all of them.

        Ends after `PLAN_SECONDS` at the latest: a place that is not done by then is noted as late.
        """
        wanted = await self._ask(lambda tx: self._wanted(tx, names))
        now = self._world.clock.now()
        wanted = [one for one in wanted if anew or not self._world.reach.is_fresh(one[0], one[1], now)]
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str, place: Place) -> None:
            async with slots:
                await self._look(name, place)

        looks = [asyncio.create_task(one(name, place)) for name, place in wanted]
        if not looks:
            return
        _, late = await asyncio.wait(looks, timeout=PLAN_SECONDS)
        for (name, place), task in zip(wanted, looks, strict=True):
            if task in late:
                task.cancel()
                self._note(name, place, ReachState.LATE, "was not looked at in time; ask again")
        await asyncio.gather(*looks, return_exceptions=True)

    def _wanted(self, tx: Transaction, names: Sequence[str] | None) -> list[tuple[str, Place]]:
        settings = self._world.delivery
        if names is None:
            found = tx.identities.all()
        else:
            found = [identity for name in names if (identity := tx.identities.find(name)) is not None]
        alive = [identity for identity in found if identity.revoked_at is None]
        return [(identity.name, place) for identity in alive for place in settings.places_of(identity)]

    async def _look(self, name: str, place: Place) -> tuple[Way, Secret | None]:
        if (name, place) in self._busy:  # its thread still hangs: no second one is spent on it
            return self._note(name, place, ReachState.LATE, "does not answer: an earlier look at it still waits"), None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                held = await aside(lambda: self._look_once(name, place), name="mocdeck-look")
        except TimeoutError:
            return self._note(name, place, ReachState.LATE, "does not answer in time"), None
        except AgentError as failure:
            state = failure.state if isinstance(failure, DeliveryRefused) else ReachState.REFUSED
            return self._note(name, place, state, str(failure)), None
        return self._note(name, place, ReachState.READY, "can be written"), held

    def _note(self, name: str, place: Place, state: ReachState, sentence: str) -> Way:
        way = Way(place=place, state=state, sentence=sentence, looked_at=self._world.clock.now())
        self._world.reach.note(name, way)
        return way

    def _look_once(self, name: str, place: Place) -> Secret | None:
        self._busy.add((name, place))
        try:
            return self._look_there(name, place)
        finally:
            self._busy.discard((name, place))

    def _look_there(self, name: str, place: Place) -> Secret | None:
        if place.route is Route.FILE:
            return look_at_path(Path(place.where), name)
        return look_at_secret(self._cluster(place), SecretPlace.parse(place.where), name)

    def _write(self, file: deliveries.PreparedFile) -> None:
        if file.place.route is Route.FILE:
            write_login_file(file.path, file.identity_name, file.content)
        else:
            secret = SecretPlace.parse(file.place.where)
            write_secret(self._cluster(file.place), secret, file.identity_name, file.content)

    def _cluster(self, place: Place) -> Cluster:
        door = self._world.delivery.clusters[place.cluster]  # a place is made from its door
        return Cluster(name=door.name, kubeconfig=door.kubeconfig, context=door.context, take_over=door.take_over)
