"""A recorded session played again: the same screens at the same instants, no agent, nothing that can be changed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from backend.clock import ManualClock
from scripts.stage import overlap_scenes
from scripts.stage.agent import StagedAgent
from scripts.stage.drive import ROUNDS, Stage, stage
from scripts.stage.fleet import NOW, SEEDS
from tui.app import MocdeckApp
from tui.commands import COMMANDS, OVERLAP, ROTATION
from tui.gateway import Gateway
from tui.lines import line_text
from tui.recording import record
from tui.replaying import RecordedOnly, ReplayClock, replay
from tui.tape import TapeInvalid, TapeWriter, read_tape
from tui.widgets.lines import Lines

SECRETS = re.compile(r"-----BEGIN|eyJ[A-Za-z0-9_-]{10,}|PRIVATE KEY")


@dataclass(kw_only=True)
class Player:
    """The dashboard on a recording, with a clock that is moved by hand."""

    app: MocdeckApp
    clock: ReplayClock
    real: ManualClock

    async def settle(self) -> None:
        for _ in range(ROUNDS):
            await self.app.settled()

    async def seconds(self, number: float) -> None:
        """Let real time pass, in the steps in which the replay looks."""
        while number > 0:
            step = min(0.5, number)
            number -= step
            self.real.advance(timedelta(seconds=step))
            await self.settle()
        self.app.tick()
        await self.settle()

    @property
    def text(self) -> str:
        return "\n".join(line_text(line) for widget in self.app.screen.query(Lines) for line in widget.lines)


@asynccontextmanager
async def play(path: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Player]:
    real = ManualClock(NOW + timedelta(days=400))  # it is played much later
    gateways, clock = replay(read_tape(path), real)
    app = MocdeckApp(gateways, clock, write=False, ascii_only=True, state_dir=path.parent, true_colour=True)
    async with app.run_test(size=size):
        player = Player(app=app, clock=clock, real=real)
        await player.settle()
        app.tick()
        await player.settle()
        yield player


def body(text: str) -> list[str]:
    """The lines of the list, without the header and what the session did not record."""
    return [line for line in text.splitlines() if re.match(r"[> ][* ]\s+\S", line)]


@pytest.fixture
async def recorded(tmp_path: Path) -> tuple[Path, list[str]]:
    """Ninety seconds: a client gets worse at 30, the link breaks at 60 and is back at 70."""
    path = tmp_path / "session"
    frames = []
    async with stage((80, 24), record_to=path) as made:
        await made.seconds(29)
        frames.append(made.text)
        made.agent.alter("wl3-csi-3", silent_for=timedelta(hours=9))
        await made.seconds(1)
        await made.press("d")
        await made.press("escape", "6", "1")
        frames.append(made.text)
        await made.seconds(28)
        made.agent.cut()
        await made.seconds(10)
        made.agent.reachable = True
        await made.seconds(22)
        frames.append(made.text)
    return path, frames


async def test_at_the_same_instant_the_same_rows_stand_on_the_screen(recorded: tuple[Path, list[str]]) -> None:
    path, frames = recorded
    async with play(path) as player:
        await player.seconds(29)
        assert body(player.text) == body(frames[0])
        assert frames[0][: len("mocdeck 16:52:43Z")] == player.text[: len("mocdeck 16:52:43Z")]
        await player.seconds(3.5)
        assert len(body(player.text)) == len(body(frames[1]))
        assert (
            next(line for line in player.text.splitlines() if "wl3-csi-3" in line).split()
            == next(line for line in frames[1].splitlines() if "wl3-csi-3" in line).split()
        )


async def test_the_header_says_replay_with_the_recorded_day_and_time(recorded: tuple[Path, list[str]]) -> None:
    async with play(recorded[0]) as player:
        await player.seconds(10)
        head = player.text.splitlines()[0]
        assert "REPLAY 2026-11-22 x1" in head
        assert "16:52:24Z" in head
        assert "SIMULATED" not in head or player.app.simulated
    async with play(recorded[0], (140, 40)) as player:
        await player.seconds(10)
        assert "REPLAY x1 10s/1m" in player.text.splitlines()[0]


async def test_it_stands_still_runs_faster_and_slower_and_jumps(recorded: tuple[Path, list[str]]) -> None:
    async with play(recorded[0]) as player:
        app, clock = player.app, player.clock
        await player.seconds(10)
        app.cmd_pause()
        await player.seconds(30)
        assert clock.monotonic() == pytest.approx(10)
        assert "paused" in player.text.splitlines()[0]
        assert "16:52:24Z" in player.text.splitlines()[0]
        app.cmd_pause()
        app.cmd_replay_faster()
        app.cmd_replay_faster()
        await player.seconds(5)
        assert clock.monotonic() == pytest.approx(30)
        for _ in range(20):
            app.cmd_replay_slower()
        assert clock.speed == 0.25
        await player.seconds(4)
        assert clock.monotonic() == pytest.approx(31)
        app.cmd_replay_back()
        await player.settle()
        assert clock.monotonic() == 0
        assert "16:52:14Z" in player.text.splitlines()[0]
        app.cmd_replay_on()
        assert clock.monotonic() == 60
        clock.seek(65)
        app.moved_in_time()
        await player.seconds(0.5)
        assert "AGENT AWAY" in player.text.splitlines()[0], "the link was broken then, and it is again"
        app.cmd_replay_end()
        await player.seconds(2)
        assert "ended" in player.text.splitlines()[0]
        assert "AGENT AWAY" not in player.text.splitlines()[0]
        app.cmd_pause()  # stands
        app.cmd_pause()  # and goes on from the beginning
        await player.seconds(0.5)
        assert "16:52:14Z" in player.text.splitlines()[0]


async def test_after_a_jump_back_the_rows_are_those_of_then(recorded: tuple[Path, list[str]]) -> None:
    path, frames = recorded
    async with play(path) as player:
        player.app.cmd_replay_end()
        await player.seconds(1)
        assert body(player.text) != body(frames[0])
        player.clock.seek(29.0)
        player.app.moved_in_time()
        await player.seconds(0.5)
        assert body(player.text) == body(frames[0])


async def test_nothing_can_be_changed_by_key_by_word_or_by_call(recorded: tuple[Path, list[str]]) -> None:
    async with play(recorded[0]) as player:
        app = player.app
        for command in COMMANDS:
            if command.mutates or command.id == "write":
                app.run_command(command)
                await player.settle()
                assert "this is a recording" in app.notice_text, command.id
        app.deck._run_typed("write OPS-1")
        assert not app.write_mode
        calls = [name for name in dir(Gateway) if not name.startswith("_")]
        answered = {
            "connection",
            "watch",
            "describe",
            "operation",
            "operations",
            "rotation",
            "events",
            "alerts",
            "close",
        }
        for name in set(calls) - answered:
            with pytest.raises(RecordedOnly, match="recording"):
                await getattr(app.gateway, name)("x")


async def test_events_and_opened_pages_are_there_and_others_are_not_made_up(recorded: tuple[Path, list[str]]) -> None:
    async with play(recorded[0]) as player:
        await player.seconds(40)
        assert len(await player.app.gateway.events()) == len(player.app.audit) > 0
        opened = [entry.key for entry in read_tape(recorded[0]).entries if entry.kind == "describe"]
        assert opened
        assert (await player.app.gateway.describe(opened[0])).name == opened[0]
        player.clock.seek(5)
        with pytest.raises(Exception, match="nobody had opened it by then"):
            await player.app.gateway.describe(opened[0])


async def test_a_ca_rotation_can_be_seen_again_though_nobody_looked_at_every_step(tmp_path: Path) -> None:
    path = tmp_path / "rotation"
    async with stage((140, 40), record_to=path) as made:
        await made.press("X", "d", "C")
        await made.type("bonn\t1\tOPS-4502\t")
        await made.press("y")
        await _rotate(made)
        last = made.text
    async with play(path, (140, 40)) as player:
        await player.seconds(60)
        player.app.cmd_view_rotation()
        await player.seconds(1)
        assert player.app.deck.scope == ROTATION
        phase = re.search(r"CA ROTATION (\S+)", last)
        assert phase is not None
        assert phase[0] in player.text
        assert "re-enroll" in player.text.lower() or "returned" in player.text.lower()


async def _rotate(made: Stage) -> None:
    rotation = made.agent.staged_rotation
    assert rotation is not None
    made.agent.tell()
    await made.seconds(2)
    rotation.move_on(made.agent.now)
    made.agent.tell()
    await made.seconds(4)
    rotation.inform(99, made.agent.now)
    await made.seconds(26)
    for wait in (2, 1):
        rotation.move_on(made.agent.now)
        made.agent.tell()
        await made.seconds(wait)
    rotation.move_on(made.agent.now)
    for _ in range(3):
        await made.seconds(4)
        rotation.bring_back(7, made.agent.now)
        made.agent.tell()
    await made.seconds(2)


async def test_a_recording_holds_no_secret_and_says_rec_while_it_is_made(recorded: tuple[Path, list[str]]) -> None:
    path, frames = recorded
    assert "REC" in frames[0].splitlines()[0]
    assert SECRETS.search(path.read_text()) is None


def test_a_recording_without_a_whole_snapshot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short"
    tape = TapeWriter(path, {})
    tape.note(0.0, "fleet", {"full": True, "change": 1})
    tape.close()
    with pytest.raises(TapeInvalid, match="no snapshot"):
        replay(read_tape(path), ManualClock(NOW))


async def test_a_recording_of_a_later_version_is_played_as_far_as_it_is_understood(
    recorded: tuple[Path, list[str]], tmp_path: Path
) -> None:
    tape = read_tape(recorded[0])
    path = tmp_path / "later"
    writer = TapeWriter(path, {"context": "bonn", "more": [1]})
    for entry in tape.entries:
        value = {**entry.value, "news": {"a": 1}} if isinstance(entry.value, dict) else entry.value
        writer.note(entry.at, entry.kind, value, entry.key)
        writer.note(entry.at, "something else", {"b": 2})
    writer.close()
    async with play(path) as player:
        await player.seconds(29)
        assert body(player.text) == body(recorded[1][0])


async def test_several_sites_are_recorded_and_played_together_one_of_them_away_all_the_time(tmp_path: Path) -> None:
    path = tmp_path / "sites"
    clock = ManualClock(NOW)
    agents = [StagedAgent(clock), StagedAgent(clock, SEEDS[:5])]
    agents[1].reachable = False
    app = MocdeckApp(
        record(agents, path, clock), clock, write=False, ascii_only=True, state_dir=tmp_path, true_colour=True
    )
    async with app.run_test(size=(100, 30)):
        for _ in range(ROUNDS):
            await app.settled()
        agents[0].alter("wl3-csi-3", silent_for=timedelta(hours=9))
        for _ in range(ROUNDS):
            await app.settled()
    tape = read_tape(path)
    assert [site["context"] for site in tape.head["sites"]] == ["bonn", "bonn"]
    assert {entry.site for entry in tape.entries} == {0, 1}
    async with play(path, (100, 30)) as player:
        await player.seconds(1)
        first, second = player.app.sites
        assert len(first.fleet.columns) == len(SEEDS)
        assert "connection refused" in second.failure
        assert len(second.fleet.columns) == 0


async def test_a_rotation_with_overlap_can_be_seen_again_wave_by_wave(tmp_path: Path) -> None:
    path = tmp_path / "overlap"
    async with stage((140, 40), record_to=path) as made:
        await overlap_scenes.issuing(made)
        last = await made.agent.rotation()
    assert last is not None
    async with play(path, (140, 40)) as player:
        player.app.cmd_replay_end()
        await player.seconds(1)
        player.app.cmd_view_rotation()
        await player.seconds(1)
        seen = await player.app.gateway.rotation()
        assert seen is not None
        assert (seen.kind, seen.phase, seen.levels, seen.waves) == (last.kind, last.phase, last.levels, last.waves)
        assert player.app.deck.scope == OVERLAP
        player.app.cmd_replay_start()
        await player.seconds(0.5)
        before = await player.app.gateway.rotation()
        assert before is None or before.phase != last.phase
