"""What a second costs: rows formatted, regions repainted and bytes on the wire (checks 1, 2, 3, 10, 13)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyte
import pytest

from backend.clock import ManualClock
from backend.core.facts import Severity
from tests.tui.staged_agent import DAY, HOSTILE, SEEDS, Seed, StagedAgent
from tui.app import MocdeckApp
from tui.glyphs import ASCII, UNICODE, is_utf8
from tui.screens.fleet import FleetScreen
from tui.widgets.fleet_table import FleetTable

MakeApp = Callable[..., MocdeckApp]
COLOUR = re.compile(r"\x1b\[[0-9;]*?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;]*m")


class Wire:
    """What a terminal would have been sent, counted at the driver although no terminal is there."""

    def __init__(self, app: MocdeckApp, monkeypatch: pytest.MonkeyPatch) -> None:
        self.text = ""
        driver = app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", self._write)
        monkeypatch.setattr(MocdeckApp, "is_headless", property(lambda _: False))

    def _write(self, data: str) -> None:
        self.text += data

    def take(self) -> str:
        text, self.text = self.text, ""
        return re.sub(r"\x1b\[\?2026[hl]|\x1b\[[0-9;]*H$", "", text)


def table(app: MocdeckApp) -> FleetTable:
    screen = app.deck
    assert isinstance(screen, FleetScreen)
    return screen.table


def fleet(size: int) -> list[Seed]:
    """A fleet of the reference kind: a few clients below an hour, the rest far from any boundary."""
    return [
        Seed(
            name=f"csi-{n:06}", left=timedelta(minutes=5 * n + 3) if n < 8 else timedelta(hours=20 * n), token=80 * DAY
        )
        for n in range(size)
    ]


@pytest.mark.parametrize("size", [50, 3000])
async def test_a_tick_formats_no_more_rows_than_are_visible(make_app: MakeApp, clock: ManualClock, size: int) -> None:
    app = make_app(gateway=StagedAgent(fleet(size)))
    async with app.run_test(size=(80, 24)):
        await app.settled()
        before = table(app).rows_formatted
        clock.advance(timedelta(seconds=1))
        app.tick()
        assert table(app).rows_formatted - before <= table(app).page


async def test_a_tick_at_140x40_writes_at_most_800_bytes(
    make_app: MakeApp, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(gateway=StagedAgent(fleet(1000)))
    async with app.run_test(size=(140, 40)) as pilot:
        await app.settled()
        app.deck.set_class(False, "-drawer")
        await pilot.pause()
        wire = Wire(app, monkeypatch)
        costs = []
        for _ in range(10):
            clock.advance(timedelta(seconds=1))
            app.tick()
            await pilot.pause()
            costs.append(len(wire.take().encode()))
        assert sorted(costs)[len(costs) // 2] <= 800, costs
        assert min(costs) > 0


async def test_nothing_is_written_while_nothing_changes(
    make_app: MakeApp, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with app.run_test(size=(140, 40)) as pilot:
        await app.settled()
        await pilot.pause()
        wire = Wire(app, monkeypatch)
        for _ in range(5):
            app.tick()
            await pilot.pause()
        assert wire.take() == ""


async def test_nobody_looking_costs_one_tick_in_thirty_seconds(
    make_app: MakeApp, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        app.app_focus = False
        await pilot.pause()
        wire = Wire(app, monkeypatch)
        ticks = 0
        for _ in range(60):
            clock.advance(timedelta(seconds=1))
            app.tick()
            await pilot.pause(0)
            ticks += bool(wire.take())
        assert ticks <= 2


async def test_hostile_names_put_no_control_on_the_wire_and_every_cell_where_it_belongs(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = [Seed(name=name, left=(20 + n) * DAY, token=60 * DAY, cluster=name) for n, name in enumerate(HOSTILE)]
    app = make_app(gateway=StagedAgent(seeds), ascii_only=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        wire = Wire(app, monkeypatch)
        app.screen.refresh(layout=True)
        await pilot.pause()
        text = wire.take()
        assert "\x1b]" not in text
        assert "\x07" not in text
        assert "\x9b" not in text
        assert "\u202e" not in text
        terminal = pyte.Screen(80, 24)
        pyte.Stream(terminal).feed(text)
        rows = terminal.display[5:11]
        assert any("[red]bold[/red" in row for row in rows)
        for row in rows:
            assert row[2 + 12 + 12 + 1 : 2 + 12 + 12 + 1 + 2].strip() in {"▲", "△", "?", "✖"}, row


async def test_without_colour_each_severity_still_differs_in_plain_text(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(colour=False)
    async with app.run_test(size=(80, 60)) as pilot:
        await app.settled()
        wire = Wire(app, monkeypatch)
        app.screen.refresh(layout=True)
        await pilot.pause()
        text = wire.take()
        assert len(text) > 1000
        assert COLOUR.findall(text) == []
        assert "39" not in re.findall(r"\x1b\[([0-9;]*)m", text)
        signs = {line[27] for line in table(app).text.splitlines()[1:] if line.strip()}
        assert signs >= {"X", "!", "?", "^", "i", "o", "~"}


def test_every_severity_has_its_own_sign_in_both_sets() -> None:
    for glyphs in (ASCII, UNICODE):
        signs = [glyphs.severity(severity) for severity in Severity] + [glyphs.running]
        assert len(set(signs)) == len(signs)
        assert all(len(sign) == 1 for sign in signs)
    assert all(ASCII.severity(severity).isascii() for severity in Severity)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LC_CTYPE": "C.utf8"}, True),
        ({}, False),
    ],
)
def test_the_first_locale_variable_that_is_set_decides(environment: dict[str, str], expected: Any) -> None:
    assert is_utf8(environment) is expected


async def test_in_ascii_no_other_character_is_drawn_whatever_a_client_is_called(make_app: MakeApp) -> None:
    seeds = [*SEEDS, Seed(name="日本語クラスタ", left=DAY, token=60 * DAY)]
    app = make_app(gateway=StagedAgent(seeds))
    async with app.run_test(size=(140, 40)) as pilot:
        await app.settled()
        await pilot.pause()
        for strip in app.screen._compositor.render_strips():
            assert strip.text.isascii(), strip.text
            assert strip.cell_length == 140
