"""Alerts on the dashboard: worst first with who was told, sinks that fail in words, and acknowledging with an end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from backend.clock import ManualClock
from tests.tui.staged_agent import DAY, NOW, StagedAgent
from tests.tui.staged_alerts import FOUND, WELL
from tui.app import MocdeckApp
from tui.gateway import AlertsView, SilenceView, SinkView
from tui.screens.alerts import AcknowledgeDialog, AlertsScreen

MakeApp = Callable[..., MocdeckApp]


def shown(app: MocdeckApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def open_alerts(app: MocdeckApp, pilot: Pilot[int]) -> AlertsScreen:
    await app.settled()
    await pilot.press("8")
    await app.settled()
    screen = app.deck
    assert isinstance(screen, AlertsScreen)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_worst_stands_first_with_since_when_and_who_knows(
    make_app: MakeApp, agent: StagedAgent, size: tuple[int, int]
) -> None:
    agent.alerts_kept = FOUND
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await open_alerts(app, pilot)
        lines = shown(app).splitlines()
        assert all(len(line) <= size[0] for line in lines)
        at = next(number for number, line in enumerate(lines) if "EXPIRED" in line and "kms-007" in line)
        assert "1h 00m" in lines[at]
        assert "told 11-22 15:52Z" in lines[at]
        assert "nobody yet" in lines[at + 1]
        assert "an operation is" in lines[at + 2]
        assert "sink pager FAILS since" in shown(app)
        assert "status 500" in shown(app)


async def test_a_failing_sink_stands_in_words_in_every_header(make_app: MakeApp, agent: StagedAgent) -> None:
    agent.alerts_kept = FOUND
    app = make_app()
    async with app.run_test(size=(140, 40)):
        await app.settled()
        assert "NOTICES TO pager FAIL" in shown(app)
        agent.alerts_kept = AlertsView(sinks=(WELL,))
        app.cmd_reload()
        await app.settled()
        assert "NOTICES TO" not in shown(app)


async def test_a_sink_that_begins_to_fail_is_seen_though_no_client_changed(
    make_app: MakeApp, agent: StagedAgent, clock: ManualClock
) -> None:
    app = make_app()
    async with app.run_test(size=(140, 40)):
        await app.settled()
        agent.alerts_kept = FOUND
        for _ in range(15):
            app.tick()
        await app.settled()
        assert "NOTICES TO pager FAIL" in shown(app)


@pytest.mark.parametrize(("sinks", "words"), [((), "nobody is told"), ((WELL,), "1 sink to tell")])
async def test_no_alert_says_what_that_means(
    make_app: MakeApp, agent: StagedAgent, sinks: tuple[SinkView, ...], words: str
) -> None:
    agent.alerts_kept = AlertsView(sinks=sinks)
    app = make_app()
    async with app.run_test(size=(120, 24)) as pilot:
        await open_alerts(app, pilot)
        assert "no alert: nothing is at least a warning" in shown(app)
        assert words in shown(app)


async def test_acknowledging_wants_an_end_and_the_screen_shows_it(
    make_app: MakeApp, agent: StagedAgent, clock: ManualClock
) -> None:
    agent.alerts_kept = FOUND
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_alerts(app, pilot)
        await pilot.press("A")
        dialog = app.screen
        assert isinstance(dialog, AcknowledgeDialog)
        for key in ("tab", "tab"):
            await pilot.press(key)
        clock.advance(timedelta(seconds=1))
        await pilot.press("y")
        assert isinstance(app.screen, AcknowledgeDialog), "without an end nothing is acknowledged"
        dialog.fields[0].text, dialog.fields[1].text = "2d", "spare part"
        clock.advance(timedelta(seconds=1))
        await pilot.press("y")
        await app.settled()
        (asked,) = agent.asked
        assert asked.startswith("acknowledge client:kms-007 2026-11-24T16:52:")
        assert asked.endswith("spare part")
        assert "ack to 11-24" in shown(app)
        assert "unless it gets worse" in app.notice_text


@pytest.mark.parametrize(
    ("text", "ends"),
    [("2d", True), ("2026-12-01", True), ("2026-11-22", False), ("366d", True), ("367d", False), ("0s", False)],
)
async def test_an_end_is_ahead_and_within_a_year(make_app: MakeApp, text: str, ends: bool) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        dialog = AcknowledgeDialog(FOUND.alerts[0])
        await app.push_screen(dialog)
        assert (dialog._lacks(text) == "") is ends


def test_an_own_acknowledgement_goes_before_the_cluster_s_silence() -> None:
    def quiet(subject: str) -> SilenceView:
        return SilenceView(
            subject=subject, name=subject, is_acknowledgement=True, until=NOW + DAY, ceiling="expired", actor="anna",
            reason="",
        )  # fmt: skip

    found = AlertsView(alerts=FOUND.alerts, silences=(quiet("cluster:bonn-wl3"), quiet("client:kms-007")))
    over = [found.quiet_over(one) for one in found.alerts]
    assert [one.subject if one else "" for one in over] == ["client:kms-007", "cluster:bonn-wl3", "cluster:bonn-wl3"]


async def test_enter_shows_the_alert_s_client_in_the_list(make_app: MakeApp, agent: StagedAgent) -> None:
    agent.alerts_kept = FOUND
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_alerts(app, pilot)
        await pilot.press("enter")
        await app.settled()
        assert app.deck.scope == "fleet"
        shown_names = [client.row.name for number in app.model.order if (client := app.model.find(number))]
        assert shown_names == ["kms-007"]
