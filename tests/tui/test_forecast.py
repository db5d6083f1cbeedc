"""The forecast screen: what is safe, who is stranded, when the CA cuts short; and the line in a client's detail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from backend.clock import ManualClock
from tests.tui.staged_agent import AUTO, DAY, Seed, StagedAgent
from tui.app import MocdeckApp
from tui.screens.forecast import FLEET_ROW, ForecastScreen

MakeApp = Callable[..., MocdeckApp]
WELL = (
    Seed(name="kms-001", left=60 * DAY, token=80 * DAY, kind="KMS", cluster="wl-1", flags=AUTO, heard=timedelta(0)),
    Seed(name="csi-001", left=50 * DAY, token=60 * DAY, cluster="wl-2"),
)


def shown(app: MocdeckApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def row_of(app: MocdeckApp, name: str) -> str:
    return next(line for line in shown(app).splitlines() if line[2:].startswith(name))


async def open_forecast(app: MocdeckApp, pilot: Pilot[int]) -> ForecastScreen:
    await app.settled()
    await pilot.press("7")
    await app.settled()
    screen = app.deck
    assert isinstance(screen, ForecastScreen)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_each_cluster_says_until_when_it_may_be_off_and_whether_it_may_restart(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app(gateway=StagedAgent(list(WELL)))
    async with app.run_test(size=size) as pilot:
        await open_forecast(app, pilot)
        text = shown(app)
        assert all(len(line) <= size[0] for line in text.splitlines())
        # 50 days less a tenth of 90; the staged CA has 100 of 365 days, which limits later
        assert "2027-01-02 16:52:14Z" in row_of(app, "wl-2")
        assert "41d 00h" in row_of(app, "wl-2")
        assert "yes" in row_of(app, "wl-1")
        assert "In-cluster certificates (about 4 days each) are not observed" in text
        assert "cuts new certificates of 90 d short in 10d" in text


async def test_a_dead_kms_token_forbids_both_and_the_cure_stands_below(make_app: MakeApp) -> None:
    dead = Seed(name="kms-002", left=60 * DAY, token=-DAY, kind="KMS", cluster="wl-1", flags=AUTO, heard=timedelta(0))
    app = make_app(gateway=StagedAgent([*WELL, dead]))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_forecast(app, pilot)
        line = row_of(app, "wl-1")
        assert "NOT SAFE" in line
        assert " NO " in line
        assert row_of(app, "wl-2").count("yes") == 1
        await pilot.press("j")
        await app.settled()
        text = shown(app)
        assert "kms-002: KMS token expired" in text
        assert "mocdeck rotate-token kms-002" in text


async def test_the_stranded_stand_first_with_what_silence_would_cost(make_app: MakeApp) -> None:
    out = Seed(name="csi-009", left=-2 * DAY, token=-DAY, cluster="wl-2")
    app = make_app(gateway=StagedAgent([*WELL, out]))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_forecast(app, pilot)
        lines = shown(app).splitlines()
        head = next(number for number, line in enumerate(lines) if line.startswith("CANNOT RECOVER"))
        assert lines[head + 1].split() == ["now", "-", "wl-2", "csi-009"]
        assert lines[head + 2].split() == ["60d", "00h", "60d", "00h", "wl-2", "csi-001"]
        assert lines[head + 3].split() == ["100d", "00h", "80d", "00h", "wl-1", "kms-001"]


async def test_a_date_that_passes_while_it_is_shown_is_not_shown_as_a_future_one(
    make_app: MakeApp, clock: ManualClock
) -> None:
    short = Seed(name="csi-001", left=9 * DAY + timedelta(seconds=3), token=60 * DAY, cluster="wl-2")
    app = make_app(gateway=StagedAgent([short]))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_forecast(app, pilot)
        assert "0m 03s" in row_of(app, "wl-2")
        clock.advance(timedelta(seconds=3))
        app.tick()
        await app.settled()
        assert "NOT SAFE" in row_of(app, "wl-2")
        assert "AGO" not in row_of(app, "wl-2")


async def test_enter_shows_the_clients_of_the_cluster(make_app: MakeApp) -> None:
    app = make_app(gateway=StagedAgent(list(WELL)))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_forecast(app, pilot)
        assert screen.cursor_key == FLEET_ROW
        await pilot.press("j", "enter")
        await app.settled()
        assert app.model.filter_text in {"cluster:wl-1", "cluster:wl-2"}


async def test_the_detail_tells_recovery_apart_from_expiry(make_app: MakeApp) -> None:
    app = make_app(gateway=StagedAgent(list(WELL)))
    async with app.run_test(size=(120, 40)) as pilot:
        await app.settled()
        app.model.choose_filter("", None, app.clock.monotonic())
        await pilot.press("d")
        await app.settled()
        assert "it cannot recover by itself from" in " ".join(shown(app).split())


async def test_the_whole_staged_fleet_with_its_hostile_names_fits(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_forecast(app, pilot)
        for line in shown(app).splitlines():
            assert len(line) == 80
            assert "\x1b" not in line
