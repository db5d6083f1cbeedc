"""Keeping the canary: its doors show what the rows say, and what visitors prove goes into the rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from backend.server.canary import Canary, CanaryMaterial, Sighting
from backend.service import canary
from backend.service.canary import CanaryKit
from backend.service.world import World
from backend.store.port import Transaction

T = TypeVar("T")
Ask = Callable[[Callable[[Transaction], T]], Awaitable[T]]


class CanaryKeeper:
    """Call `look` again and again; the listener itself lives from `start` to `stop`."""

    def __init__(self, world: Callable[[], World], show: Ask[CanaryKit | None], note: Ask[bool]) -> None:
        self._world = world
        self._show = show
        self._note = note
        self._kit: CanaryKit | None = None
        self._canary = Canary(self._recognise)

    async def start(self, host: str, port: int) -> int:
        """Listen; nobody gets in before the first look. Returns the port.

        Raises:
            PortUnavailable: with the address and what to do.
        """
        return await self._canary.start(host, port)

    async def look(self) -> None:
        """Show at the doors what the rows ask for, or nothing."""
        kit = await self._show(lambda tx: canary.canary_kit(tx, self._world(), self._kit))
        if kit is not self._kit:
            self._kit = kit
            self._canary.set_material(
                None if kit is None else CanaryMaterial(chains=kit.chains, key=kit.key, roots=kit.roots)
            )

    async def stop(self) -> None:
        """Close the port and end the visits."""
        await self._canary.stop()

    async def _recognise(self, seen: Sighting) -> bool:
        return await self._note(
            lambda tx: canary.note_sighting(
                tx, self._world(), kind=seen.kind, nonce=seen.nonce, leaf_der=seen.leaf_der, address=seen.address
            )
        )
