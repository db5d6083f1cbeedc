"""For ears and fingers: a real cursor on the row, nothing that moves by itself, no boxes, a row as one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from backend.clock import ManualClock
from backend.core.fleet import FleetDelta, unix
from tests.tui.staged_agent import NOW, SEEDS, StagedAgent, columns_of
from tests.tui.terminal import Terminal
from tui.accessible import in_words, sentence
from tui.app import MocdeckApp
from tui.lines import line_text
from tui.link_options import LinkOptions
from tui.widgets.lines import Lines

MakeApp = Callable[..., MocdeckApp]
EARS = LinkOptions(accessible=True)


@pytest.fixture(params=[(), ("plain",)], ids=["changes", "whole lines"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    started = Terminal(["run", str(tmp_path), "accessible", *request.param], {}, size=(140, 40), answers=True)
    yield started
    started.close()


def test_the_cursor_is_seen_on_the_chosen_row_and_nothing_moves_by_itself(terminal: Terminal) -> None:
    terminal.wait_for(">  -1h 12m AGO")
    terminal.pump(2.5)
    assert terminal.pump(2.5) == b""
    screen = terminal.screen()
    assert not screen.cursor.hidden
    assert screen.display[screen.cursor.y].startswith(">")
    terminal.press(b"jj")
    terminal.pump(0.8)
    screen = terminal.screen()
    assert "gone-node" in screen.display[screen.cursor.y]
    text = "\n".join(screen.display)
    assert text.isascii()
    assert "--" not in text.replace("--:--", "")
    assert "|  " not in text
    terminal.press(b".")
    terminal.wait_for("gone-node in bonn-wl3 is revoked, certificate has ")
    assert b"\x1b[?1000h" not in terminal.written


def notice(app: MocdeckApp) -> str:
    return line_text(app.deck.query_one("#notice", Lines).lines[0])


async def test_news_is_one_line_and_is_shown_when_asked_for(
    make_app: MakeApp, agent: StagedAgent, clock: ManualClock
) -> None:
    app = make_app(options=EARS)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        table = app.deck.query_one("#table", Lines)
        before, head = table.text, line_text(app.deck.query_one("#head", Lines).lines[0])
        clock.advance(timedelta(seconds=30))
        app.tick()
        assert table.text == before
        names, clients = columns_of(SEEDS[4:5], first=5)
        at = unix(NOW + timedelta(seconds=30))
        agent.tell(FleetDelta(change=2, agent_time=at, last=True, names=names, clients=clients))
        await pilot.pause()
        await app.settled()
        assert notice(app) == "1 client changed; . shows the present second"
        assert line_text(app.deck.query_one("#head", Lines).lines[0]) == head
        clock.advance(timedelta(seconds=60))
        app.tick()
        assert notice(app), "a line that is read by finger stays until the next one"
        await pilot.press("full_stop")
        assert line_text(app.deck.query_one("#head", Lines).lines[0]) != head
        assert notice(app).startswith("csi-012 in bonn-wl3 is repairable, certificate ended 1 hour 13 minutes ago")


async def test_the_cursor_follows_into_menus_and_typed_lines(make_app: MakeApp) -> None:
    app = make_app(options=EARS)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("s")
        await pilot.pause()
        place = app.cursor_place()
        assert place is not None
        block = next(block for block in app.screen.query(Lines))
        line = block.lines[place[1] - block.region.y]
        assert any(role.endswith("+cursor") for _, role in line)
        await pilot.press("escape", "slash")
        await pilot.pause()
        assert app.cursor_place() == tuple(app.cursor_position)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "no time"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "1 minute 1 second"),
        (3599, "59 minutes 59 seconds"),
        (3600, "1 hour"),
        (86_399, "23 hours 59 minutes"),
        (90_000, "1 day 1 hour"),
        (-4320, "1 hour 12 minutes"),
    ],
)
def test_a_length_of_time_is_said_in_two_units(seconds: int, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


async def test_a_client_without_certificate_or_token_is_said_too(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        client = app.model.find_named("kvactl-ben")
        assert client is not None
        said = sentence(client, NOW)
        assert said.startswith("kvactl-ben is ")
        assert "certificate absent, token unknown, next: " in said
