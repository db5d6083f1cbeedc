"""Events: what people look for stands first, and the whole event opens on enter."""

from __future__ import annotations

from collections.abc import Callable

from tests.tui.staged_agent import NOW, StagedAgent
from tui.app import MocdeckApp
from tui.feed import event_line, useful_first
from tui.gateway import EventView
from tui.lines import line_text

EVENT = EventView(
    index=7,
    at=NOW,
    actor="ana",
    origin="cli",
    action="renew",
    subject="csi-001",
    outcome="done",
    detail=(
        ("not_after_before", "2026-11-30T00:00:00+00:00"),
        ("path", "/srv/" + "deep/" * 60),
        ("token", ""),
        ("operation", "op-1"),
        ("serial_after", "5f2a91c0"),
    ),
    digest="ab" * 32,
)


def test_serials_and_operations_come_before_the_rest_and_empty_fields_not_at_all() -> None:
    assert [name for name, _ in useful_first(EVENT)] == ["serial_after", "operation", "not_after_before", "path"]
    assert "by ana  serial_after=5f2a91c0" in line_text(event_line(EVENT, 120))


async def test_enter_shows_an_event_whole(make_app: Callable[..., MocdeckApp], agent: StagedAgent) -> None:
    agent.audit = [EVENT]
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("6")
        await app.settled()
        await pilot.press("enter")
        await app.settled()
        assert type(app.screen).__name__ == "EventDialog"
        await pilot.press("enter")
        await app.settled()
        assert type(app.screen).__name__ == "EventsScreen"
