"""The demo's past: the site's birth, its clients' stories, a CA rotation, an operation left running.

All of it by use cases, sorted by instant, under one clock that ends at the demo's start. Many events share a
transaction; what makes keys or moves a CA rotation has its own, as in a running agent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import yaml

from backend.clock import ManualClock
from backend.core.errors import InconsistentState
from backend.core.model import Bundle, Cluster, Secret
from backend.core.plan import ActionKind
from backend.core.rotation import ClientStanding, Phase
from backend.delivery.file import write_login_file
from backend.demo.cast import DEPLOYMENT, MANAGEMENT, PLANNED_OFF, REMOVED, REPAIRED_BY_HAND
from backend.demo.player import Holding, Player
from backend.demo.stories import BIRTH, CA_ROTATION, DAY, MINUTE, NEVER_CAME_BACK, Story
from backend.pki.files import write_atomic
from backend.service import deliveries, fleet, operations, rotation
from backend.service.auto_rotation import rotate_due
from backend.service.backup import note_backup, write_backup
from backend.service.bootstrap import STORE_FILE, NewAgent, init_agent, open_world
from backend.service.token_file import TOKEN_FILE
from backend.service.world import World
from backend.store.port import Store, Transaction
from backend.store.snapshot import copy_store
from backend.store.sqlite import open_store

ADMINISTRATOR: Final = "admin"
BACKUP_FILE: Final = "agent-backup.tar"  # beside the agent's directory
LOOPBACK: Final = "127.0.0.1"
_ADMIN_LIFETIME: Final = 90 * DAY
_ADMIN_CAME: Final = (250 * DAY, 170 * DAY, 52 * DAY, 8 * DAY)  # each time with a fresh token
_OPERATION_AGO: Final = 25 * MINUTE
_BACKUP_AGO: Final = 11 * MINUTE
_TOKENS_AGO: Final = 3 * MINUTE  # the agent's last look at tokens that are due
_RULES: Final = """\
rotate:
  - {name: plug-ins, kinds: [KMS], clusters: [mgmt], overlap: 12h}
  - {name: network, identities: [mgmt-dns, mgmt-ipam, shop-proxy]}
"""
_REMOVED_AGO: Final = 15 * DAY
_OFF_AGO: Final = timedelta(hours=20)
_OFF_FOR: Final = 2 * DAY
_BATCH: Final = 400  # events a transaction
_MOST_TICKS: Final = 20  # a CA rotation has seven moves up to the cutover

Play = Callable[[Transaction], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A site with its past: the agent's directory, and what each client holds when the demo begins."""

    agent: NewAgent
    bundle: Bundle
    holdings: Mapping[str, Holding]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """Something that happens `ago` before the start. Without `play` it needs its own transactions: `act`."""

    ago: timedelta
    play: Play | None = None
    act: Callable[[], None] | None = None


def seed(
    directory: Path,
    passphrase: Secret,
    stories: Iterable[Story],
    *,
    start: datetime,
    login_path: Callable[[str], str],
    deployment: str = DEPLOYMENT,
) -> Seeded:
    """Make an agent in `directory` and play everything that happened to it before `start`."""
    clock = ManualClock(start - BIRTH)
    agent = init_agent(
        directory,
        passphrase=passphrase,
        fqdns=(LOOPBACK, "localhost"),
        deployment=deployment,
        clock=clock,
        open_store=open_store,
        administrator=ADMINISTRATOR,
    )
    write_atomic(directory / TOKEN_FILE, _RULES.encode())
    world = open_world(directory, passphrase=passphrase, clock=clock, simulated=True)
    store = open_store(directory / STORE_FILE)
    try:
        past = _Past(world, store, Player(world, clock, login_path), start)
        past.play(tuple(stories))
        with store.transaction() as tx:
            bundle = tx.bundles.current()
    finally:
        store.close()
    return Seeded(agent=agent, bundle=bundle, holdings=past.player.holdings)


class _Past:
    """The events of one site's past, and the doing of those that are nobody's story."""

    def __init__(self, world: World, store: Store, player: Player, start: datetime) -> None:
        self._world = world
        self._store = store
        self._start = start
        self.player = player

    def play(self, stories: tuple[Story, ...]) -> None:
        """Play all events in the order of their instants; of two at one instant the one named first goes first."""
        events = sorted([*self._site_events(stories), *self._story_events(stories)], key=lambda event: -event.ago)
        batch: list[_Event] = []
        for event in events:
            if event.act is not None or len(batch) == _BATCH:
                self._commit(batch)
                batch = []
            if event.act is None:
                batch.append(event)
                continue
            self.player.move_to(self._start - event.ago)
            event.act()
        self._commit(batch)
        self.player.move_to(self._start)

    def _commit(self, batch: Iterable[_Event]) -> None:
        with self._store.transaction() as tx:
            for event in batch:
                self.player.move_to(self._start - event.ago)
                assert event.play is not None  # noqa: S101 - the others are played alone
                event.play(tx)

    def _story_events(self, stories: tuple[Story, ...]) -> Iterator[_Event]:
        for story in stories:
            for ago, deed in story.deeds():
                yield _Event(ago=ago, play=lambda tx, story=story, deed=deed: self.player.do(tx, story, deed))  # type: ignore[misc] # bound now

    def _site_events(self, stories: tuple[Story, ...]) -> Iterator[_Event]:
        clusters = {story.cluster for story in stories}
        yield _Event(ago=BIRTH, play=self._first_day)
        for ago in _ADMIN_CAME:
            yield _Event(ago=ago, play=self._admin_comes)
        yield _Event(ago=CA_ROTATION, act=self._rotate_ca)
        yield _Event(ago=NEVER_CAME_BACK, act=self._write_off)
        if REMOVED in clusters:
            yield _Event(ago=_REMOVED_AGO, play=self._remove_cluster)
        if PLANNED_OFF in clusters:
            yield _Event(ago=_OFF_AGO, play=self._switch_off)
        if any(story.name == REPAIRED_BY_HAND for story in stories):
            yield _Event(ago=_OPERATION_AGO, play=self._repair_by_hand)
        yield _Event(ago=_BACKUP_AGO, act=self._back_up)
        yield _Event(ago=_TOKENS_AGO, play=lambda tx: rotate_due(tx, self._world))

    def _first_day(self, tx: Transaction) -> None:
        self._admin_reads_file(tx)
        fleet.put_cluster(tx, self._world, self.player.get_admin(), Cluster(name=MANAGEMENT, is_management=True))

    def _admin_comes(self, tx: Transaction) -> None:
        self.player.rotate(tx, ADMINISTRATOR)
        self.player.admin = self.player.sign_in(tx, ADMINISTRATOR, _ADMIN_LIFETIME)

    def _admin_reads_file(self, tx: Transaction) -> None:
        """Sign the administrator in with the login file that lies in the agent's directory."""
        path = Path(tx.identities.get(ADMINISTRATOR).login_file_path)
        self.player.holding(ADMINISTRATOR).token = Secret(yaml.safe_load(path.read_bytes())["token"])
        self.player.admin = self.player.sign_in(tx, ADMINISTRATOR, _ADMIN_LIFETIME)

    def _remove_cluster(self, tx: Transaction) -> None:
        fleet.remove_cluster(tx, self._world, self.player.get_admin(), REMOVED)

    def _switch_off(self, tx: Transaction) -> None:
        until = self._start - _OFF_AGO + _OFF_FOR
        cluster = Cluster(name=PLANNED_OFF, is_management=False, planned_off_until=until)
        fleet.put_cluster(tx, self._world, self.player.get_admin(), cluster)

    def _repair_by_hand(self, tx: Transaction) -> None:
        """An operation that waits for a person since: its login file was not taken yet."""
        admin = self.player.get_admin()
        plan = operations.plan(tx, self._world, admin, action=ActionKind.REPAIR, names=[REPAIRED_BY_HAND])
        operations.start(tx, self._world, admin, plan_id=plan.id, hash=plan.draft.hash, origin="cli")
        operations.tick(tx, self._world)

    def _back_up(self) -> None:
        """What the site's administrator does before a CA rotation."""
        directory = self._world.agent_directory
        made = write_backup(directory, directory.with_name(BACKUP_FILE), copy_store=copy_store, open_store=open_store)
        with self._store.transaction() as tx:
            note_backup(tx, self._world.clock.now(), made)

    def _rotate_ca(self) -> None:
        """A CA rotation as it was then: planned, confirmed, cut over; the administrator is the first to return."""
        with self._store.transaction() as tx:
            plan = rotation.plan_rotation(tx, self._world, self.player.get_admin())
            rotation.start_rotation(
                tx,
                self._world,
                self.player.get_admin(),
                plan_id=plan.id,
                hash=plan.hash,
                deployment=self._world.deployment,
                reason="yearly rotation, announced a week before",
            )
        self._tick_until(Phase.RE_ENROLLING)
        with self._store.transaction() as tx:
            files = deliveries.prepare(tx, self._world)
        for file in files:
            write_login_file(file.path, file.identity_name, file.content)
        with self._store.transaction() as tx:
            for file in files:
                deliveries.mark_written(tx, self._world, file)
            self._admin_reads_file(tx)

    def _write_off(self) -> None:
        """End the rotation a day later: whoever is still away is named, and is trust broken from then on."""
        away = {ClientStanding.LOST, ClientStanding.STUCK}
        with self._store.transaction() as tx:
            rotation.tick(tx, self._world)
            view = rotation.get(tx, self._world)
            if view.row.phase == Phase.RE_ENROLLING.value:  # where everybody is back there is nothing to end by hand
                rotation.move(
                    tx,
                    self._world,
                    self.player.get_admin(),
                    rotation_id=view.row.id,
                    version=view.row.version,
                    move=rotation.Move.FINISH,
                    written_off=[client.row.name for client in view.clients if client.standing in away],
                    reason="the host is switched off; its tools get login files when it is back",
                )
        self._tick_until(Phase.DONE)

    def _tick_until(self, phase: Phase) -> None:
        for _ in range(_MOST_TICKS):
            with self._store.transaction() as tx:
                rotation.tick(tx, self._world)
                if rotation.get(tx, self._world).row.phase == phase.value:
                    return
            self.player.move_to(self._world.clock.now() + timedelta(seconds=1))
        raise InconsistentState(f"the demo's past CA rotation did not reach {phase.value}; report this")
