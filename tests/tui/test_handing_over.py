"""`:handover`: the note of a shift in a file and on the screen, the same as the command line's for the same facts."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from tests.tui.staged_agent import StagedAgent
from tests.tui.staged_alerts import FOUND
from tui.app import MocdeckApp
from tui.lines import line_text
from tui.screens.note import NoteScreen
from tui.widgets.lines import Lines

MakeApp = Callable[..., MocdeckApp]


def body(app: MocdeckApp) -> list[str]:
    return [line_text(line) for line in app.screen.query_one("#body", Lines).lines]


async def test_the_note_is_written_privately_and_shown(make_app: MakeApp, agent: StagedAgent, tmp_path: Path) -> None:
    agent.alerts_kept = FOUND
    app = make_app(write=False)
    async with app.run_test(size=(100, 60)) as pilot:
        await app.settled()
        await pilot.press("colon", *"handover", "enter")
        await app.settled()
        assert isinstance(app.screen, NoteScreen)
        text = "\n".join(body(app))
        assert "written to" in text
        assert "New problems: 3" in text
        assert "kms-007" in text
        assert max(map(len, body(app))) <= 100
    (path,) = (tmp_path / "handovers").iterdir()
    assert path.name == "handover-20261122T165214Z.md"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    note = path.read_text()
    assert note.startswith("# Hand-over of bonn")
    assert "From 2026-11-22T08:52:14Z to 2026-11-22T16:52:14Z" in note
    assert agent.asked == []


async def test_the_same_facts_give_the_same_note(make_app: MakeApp, tmp_path: Path) -> None:
    notes = []
    for _ in range(2):
        app = make_app()
        async with app.run_test(size=(80, 24)):
            await app.settled()
            app.cmd_handover()
            await app.settled()
        (path,) = (tmp_path / "handovers").iterdir()
        notes.append(path.read_text())
        path.unlink()
    assert notes[0] == notes[1]


async def test_while_the_agent_is_away_no_note_is_made_up(
    make_app: MakeApp, agent: StagedAgent, tmp_path: Path
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        agent.reachable = False
        app.cmd_handover()
        await app.settled()
        assert app.notice_text.startswith("hand-over: no agent")
    assert not (tmp_path / "handovers").exists()
