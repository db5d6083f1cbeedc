"""Read-only is one gate: every command that changes something is refused, by iteration over the registry (check 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from backend.clock import ManualClock
from tests.tui.staged_agent import SEEDS, StagedAgent
from tui.app import MocdeckApp
from tui.commands import BY_ID, COMMANDS, EVERYWHERE, Command, Group, complete, of_screen
from tui.gate import Situation, refusal
from tui.screens.alerts import AlertsScreen
from tui.screens.clusters import ClustersScreen
from tui.screens.deck import DeckScreen
from tui.screens.detail import DetailScreen
from tui.screens.diagnosing import DiagnosisScreen
from tui.screens.events import EventsScreen
from tui.screens.fleet import FleetScreen
from tui.screens.forecast import ForecastScreen
from tui.screens.help import HelpScreen
from tui.screens.jobs import JobsScreen
from tui.screens.note import NoteScreen
from tui.screens.timeline import TimelineScreen

MakeApp = Callable[..., MocdeckApp]
SCREENS: tuple[type[DeckScreen], ...] = (
    FleetScreen,
    TimelineScreen,
    DetailScreen,
    ClustersScreen,
    JobsScreen,
    EventsScreen,
    ForecastScreen,
    AlertsScreen,
    DiagnosisScreen,
    HelpScreen,
    NoteScreen,
)
READY = Situation(write_mode=True, selected=1, has_row=True)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.mutates], ids=lambda c: c.id)
def test_read_only_refuses_every_command_that_changes_something(command: Command) -> None:
    reason = refusal(command, Situation(write_mode=False, selected=1, has_row=True))
    assert reason is not None
    assert "read-only" in reason
    assert refusal(command, READY) is None


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.mutates], ids=lambda c: c.id)
def test_while_the_agent_is_away_nothing_changes_and_the_reason_says_for_how_long(command: Command) -> None:
    reason = refusal(command, Situation(write_mode=True, away="2m 04s", selected=1, has_row=True))
    assert reason is not None
    assert "2m 04s" in reason


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if not c.mutates and c.needs.value == "nothing" and c.group is not Group.REPLAY],
    ids=lambda c: c.id,
)
def test_looking_is_never_refused(command: Command) -> None:
    assert refusal(command, Situation(write_mode=False, away="9d 01h")) is None


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.id)
def test_a_recording_refuses_every_change_and_an_agent_every_key_of_a_recording(command: Command) -> None:
    played = refusal(command, replace(READY, is_replay=True))
    assert (played is not None) is (command.mutates or command.id == "write")
    assert (refusal(command, READY) is not None) is (command.group is Group.REPLAY)


def test_capitals_change_something_and_lower_case_never_does() -> None:
    for command in COMMANDS:
        if command.mutates:
            assert command.key.isupper(), command.id


def test_no_two_commands_of_a_screen_share_a_key() -> None:
    for scope in EVERYWHERE:
        keys = [key for command in of_screen(scope) for key in command.keys]
        assert len(keys) == len(set(keys)), scope


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: s.__name__)
def test_every_command_of_a_screen_has_a_handler(screen: type[DeckScreen]) -> None:
    for command in of_screen(screen.scope):
        assert hasattr(screen, f"cmd_{command.id}") or hasattr(MocdeckApp, f"cmd_{command.id}"), command.id


def test_the_command_line_completes_from_the_registry() -> None:
    assert complete("rene", "fleet")[0] is BY_ID["renew"]
    assert complete("rotate-ca", "fleet") == (BY_ID["rotate_ca"],)
    assert complete("stop", "fleet") == ()


async def test_in_read_only_no_key_and_no_typed_command_reaches_the_agent(
    make_app: MakeApp, agent: StagedAgent
) -> None:
    app = make_app(write=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        assert "| RO" in app.deck.query_one("#head").text  # type: ignore[attr-defined]
        for command in COMMANDS:
            if command.mutates:
                app.run_command(command)
                await app.settled()
                assert isinstance(app.screen, FleetScreen), command.id
                assert "read-only" in app.notice_text
        for key in ("colon", *"renew", "enter"):
            await pilot.press(key)
        await app.settled()
        assert isinstance(app.screen, FleetScreen)
        assert agent.asked == []


async def test_write_mode_wants_a_reason_and_lapses_after_half_an_hour(make_app: MakeApp, clock: ManualClock) -> None:
    app = make_app(write=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        for key in ("colon", *"write", "enter", "enter"):
            await pilot.press(key)
        await app.settled()
        assert not app.situation().write_mode
        for key in ("colon", *"write", "enter", *"OPS-4411", "enter"):
            await pilot.press(key)
        await app.settled()
        assert app.situation().write_mode
        assert app.write_reason == "OPS-4411"
        clock.advance(timedelta(minutes=30))
        app.tick()
        assert app.situation().write_mode
        clock.advance(timedelta(seconds=1))
        app.tick()
        assert not app.situation().write_mode


async def test_pasted_text_runs_no_command(make_app: MakeApp, agent: StagedAgent) -> None:
    from textual import events

    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        app.screen.post_message(events.Paste("RTSXyq" * 34))
        app.post_message(events.Paste("RTSXyq" * 34))
        await pilot.pause()
        assert isinstance(app.screen, FleetScreen)
        assert agent.asked == []
        assert len(app.model.order) == len(SEEDS)


async def test_keys_faster_than_typing_open_no_action(make_app: MakeApp, agent: StagedAgent) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        for number in range(4):
            app.note_key(100.0 + number / 100)
        app.run_command(BY_ID["repair"])
        assert "faster than anyone types" in app.notice_text
        assert isinstance(app.screen, FleetScreen)
        assert agent.asked == []


async def test_a_held_enter_only_opens_the_detail(make_app: MakeApp, agent: StagedAgent) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press(*["enter"] * 20)
        await app.settled()
        assert isinstance(app.screen, DetailScreen)
        assert agent.asked == []
