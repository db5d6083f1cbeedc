"""The diagnose view: a paste of any length is explained, runs nothing and is not shown again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual import events

from tests.tui.staged_agent import StagedAgent
from tui.app import MocdeckApp
from tui.gateway import ClientDetail
from tui.lines import line_text
from tui.screens.diagnosing import DiagnosisScreen
from tui.widgets.lines import Lines

MakeApp = Callable[..., MocdeckApp]
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJrbXMifQ.c2VjcmV0"


def shown(app: MocdeckApp) -> str:
    return "\n".join(line_text(line) for widget in app.screen.query(Lines) for line in widget.lines)


async def paste(app: MocdeckApp, text: str) -> None:
    app.post_message(events.Paste(text))
    await app.settled()


async def test_a_pasted_log_of_many_lines_is_explained_and_starts_nothing(
    make_app: MakeApp, agent: StagedAgent
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("9")
        await paste(app, f"R\nT\nX\nlogin with {TOKEN}\nrpc error: Valid Token\nRequired\ny\n")
        assert isinstance(app.screen, DiagnosisScreen)
        text = shown(app)
        assert "one message fits" in text
        assert "do not   Do not renew the certificate" in text.replace("   do", "do").replace("not     ", "not   ")
        assert "7 lines" in text
        assert TOKEN not in text
        assert agent.asked == []


async def test_before_a_paste_it_lists_what_is_known_and_esc_forgets_a_text_before_it_leaves(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("9")
        assert "KNOWN MESSAGES" in shown(app)
        await paste(app, "the printer is on fire")
        assert "no known message fits" in shown(app)
        await paste(app, "OutOfCapacity")
        assert "No node agent is signed in" in shown(app)
        await pilot.press("escape")
        assert isinstance(app.screen, DiagnosisScreen)
        assert "KNOWN MESSAGES" in shown(app)
        await pilot.press("escape")
        assert app.deck.scope == "fleet"


async def test_a_message_can_be_typed_and_is_explained_while_typing(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(60, 20)) as pilot:
        await app.settled()
        await pilot.press("9", "i", *"unknown flag")
        await app.settled()
        assert "different versions" in " ".join(shown(app).split())
        await pilot.press("enter")
        assert "different versions" in " ".join(shown(app).split())
        await pilot.press("i", "escape")
        assert "KNOWN MESSAGES" in shown(app)


async def test_a_paste_on_any_other_screen_does_nothing(make_app: MakeApp, agent: StagedAgent) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        before = shown(app)
        await paste(app, "9RTX\ny\n")
        assert (shown(app), agent.asked) == (before, [])


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
async def test_no_line_is_wider_than_the_screen(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await pilot.press("9")
        await paste(
            app, "x509: certificate has expired or is not yet valid; Internal error; OutOfCapacity; unavailable"
        )
        assert all(len(line_text(line)) <= size[0] for line in app.screen.query_one("#body", Lines).lines)


async def test_a_client_s_page_explains_its_last_error(
    make_app: MakeApp, agent: StagedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def describe(name: str) -> ClientDetail:
        found = await StagedAgent.describe(agent, name)
        assert found.heartbeat is not None
        return replace(found, heartbeat=replace(found.heartbeat, last_error="x509: signed by unknown authority"))

    monkeypatch.setattr(agent, "describe", describe)
    app = make_app()
    async with app.run_test(size=(100, 90)) as pilot:
        await app.settled()
        await pilot.press("d")
        await app.settled()
        text = " ".join(shown(app).split())
        assert "last error x509: signed by unknown authority" in text
        assert "Client and agent trust different CAs" in text
        assert "Do not renew" in text
