"""The agent goes away and comes back: rows stay and age, nothing blocks, and it is never shown as well (US-06)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from backend.clock import ManualClock
from backend.core.facts import Severity
from tests.tui.staged_agent import SEEDS, StagedAgent
from tui.agent_clock import SILENCE, AgentClock
from tui.app import MocdeckApp
from tui.commands import BY_ID
from tui.lines import line_text
from tui.widgets.lines import Lines

MakeApp = Callable[..., MocdeckApp]


def head(app: MocdeckApp) -> str:
    return line_text(app.deck.query_one("#head", Lines).lines[0])


async def turn(app: MocdeckApp) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    await app.settled()


async def test_rows_stay_turn_stale_and_are_never_ok_while_the_agent_is_away(
    make_app: MakeApp, agent: StagedAgent, clock: ManualClock
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        agent.cut()
        await turn(app)
        clock.advance(timedelta(seconds=64))
        app.tick()
        assert "AGENT AWAY 1m 04s" in head(app)
        assert app.model.total == len(SEEDS)
        assert app.model.severity_count(Severity.OK) == 0
        assert "no agent at agent.example:55000" in line_text(app.deck.query_one("#notice", Lines).lines[0])
        await pilot.press("j")
        assert app.refusal(BY_ID["renew"]) is not None
        assert "1m 04s" in (app.refusal(BY_ID["renew"]) or "")


async def test_it_comes_back_by_itself_and_asks_only_for_what_is_new(
    make_app: MakeApp, agent: StagedAgent, clock: ManualClock
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        agent.cut()
        await turn(app)
        agent.reachable = True
        for _ in range(12):
            clock.advance(timedelta(seconds=1))
            await turn(app)
        assert agent.watches[0] == 0
        assert agent.watches[-1] == 1


async def test_an_agent_that_was_never_there_is_named_with_its_address(make_app: MakeApp, agent: StagedAgent) -> None:
    agent.reachable = False
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await turn(app)
        assert "NO AGENT" in head(app)
        assert "agent.example:55000" in app.deck.query_one("#table", Lines).text
        await pilot.press("3")
        await turn(app)
        await pilot.press("q")


def test_the_agents_clock_goes_on_by_monotonic_time_and_ignores_late_messages() -> None:
    from tests.tui.staged_agent import NOW

    reckoned = AgentClock(100.0)
    assert reckoned.now(100.0) is None
    reckoned.heard(NOW, 101.0)
    assert reckoned.now(104.5) == NOW + timedelta(seconds=3)
    reckoned.heard(NOW + timedelta(seconds=1), 105.0)  # three seconds under way
    assert reckoned.now(105.0) == NOW + timedelta(seconds=4)
    reckoned.heard(NOW - timedelta(hours=1), 106.0)  # the clock was set back
    assert reckoned.now(106.0) == NOW - timedelta(hours=1)


def test_silence_counts_from_the_second_after_its_limit() -> None:
    from tests.tui.staged_agent import NOW

    reckoned = AgentClock(0.0)
    assert not reckoned.is_alive(0.0)
    reckoned.heard(NOW, 0.0)
    limit = SILENCE.total_seconds()
    assert reckoned.is_alive(limit)
    assert not reckoned.is_alive(limit + 1)
    assert reckoned.away_for(limit + 1) == SILENCE + timedelta(seconds=1)
