"""Several agents in one list: merged by what is worst, each with its own clock, link, marks and actions."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.clock import ManualClock
from backend.core.facts import Overlay, Severity
from backend.core.fleet import FleetDelta
from tests.tui.staged_agent import DAY, MINUTE, NOW, Seed, StagedAgent, event, operation, snapshot
from tui.app import MocdeckApp
from tui.commands import BY_ID
from tui.gateway import Connection, Unreachable
from tui.lines import line_text
from tui.marks import client_id, number_of, site_of
from tui.screens.fleet import FleetScreen
from tui.screens.jobs import JobsScreen
from tui.widgets.fleet_table import FleetTable
from tui.widgets.lines import Lines

MakeApp = Callable[..., MocdeckApp]

BONN = [
    Seed(name="csi-1", left=-72 * MINUTE, token=6 * DAY, cluster="wl1"),
    Seed(name="kms-1", left=5 * DAY, token=60 * DAY, kind="KMS", cluster="wl1"),
    Seed(name="csi-2", left=70 * DAY, token=80 * DAY, cluster="wl1"),
]
OSLO = [
    Seed(name="csi-1", left=-9 * MINUTE, token=-2 * DAY, cluster="wl9"),
    Seed(name="csi-9", left=60 * DAY, token=80 * DAY, cluster="wl9"),
]


class SiteAgent(StagedAgent):
    """A staged agent with a name of its own; `ahead` is its clock less the others'."""

    def __init__(self, name: str, seeds: list[Seed], *, tag: str = "", ahead: timedelta = timedelta(0)) -> None:
        super().__init__(seeds)
        self.name, self.tag, self.ahead = name, tag, ahead
        self.operations_kept = []

    @property
    def connection(self) -> Connection:
        return replace(super().connection, context=self.name, address=f"{self.name}.example:55000", tag=self.tag)

    async def watch(self, since: int) -> AsyncIterator[FleetDelta]:
        self.watches.append(since)
        if not self.reachable:
            raise Unreachable(f"no agent at {self.name}.example:55000")
        if not since:
            yield replace(snapshot(self.seeds, at=NOW + self.ahead), deployment=self.name)
        while True:
            item = await self.queue.get()
            if isinstance(item, Exception):
                raise item
            yield item


@pytest.fixture
def bonn() -> SiteAgent:
    return SiteAgent("bonn", BONN)


@pytest.fixture
def oslo() -> SiteAgent:
    return SiteAgent("oslo", OSLO, tag="PROD")


@pytest.fixture
def make_both(make_app: MakeApp, bonn: SiteAgent, oslo: SiteAgent) -> MakeApp:
    return lambda **options: make_app(gateway=[bonn, oslo], **options)


def table(app: MocdeckApp) -> FleetTable:
    screen = app.deck
    assert isinstance(screen, FleetScreen)
    return screen.table


def named(app: MocdeckApp) -> list[tuple[str, str]]:
    found = (app.model.find(client) for client in app.model.order)
    return [(client.site, client.row.name) for client in found if client is not None]


def head(app: MocdeckApp) -> str:
    return "\n".join(line_text(line) for line in app.deck.query_one("#head", Lines).lines)


async def turn(app: MocdeckApp) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    await app.settled()


def test_an_id_names_a_client_of_one_site_and_of_the_only_site_it_is_the_number() -> None:
    assert client_id(0, 7) == 7
    there = client_id(3, 2**48 - 1)
    assert (site_of(there), number_of(there)) == (3, 2**48 - 1)


async def test_the_clients_of_all_sites_stand_in_one_list_worst_first(make_both: MakeApp) -> None:
    app = make_both()
    async with app.run_test(size=(140, 40)):
        await app.settled()
        assert named(app) == [
            *(("bonn", "csi-1"), ("oslo", "csi-1"), ("bonn", "kms-1"), ("oslo", "csi-9"), ("bonn", "csi-2")),
        ]
        assert app.model.total == 5
        text = head(app)
        assert "2 sites" in text
        assert "5 clients" in text
        assert "bonn 3 CA 100d" in text
        assert "oslo 2 CA 100d" in text
        assert "SITE" in table(app).text


async def test_a_narrow_list_names_the_site_with_the_cluster(make_both: MakeApp) -> None:
    app = make_both()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        rows = table(app).text.splitlines()
        assert "bonn/wl1" in rows[1]
        assert "oslo/wl9" in rows[2]
    app = make_both()
    async with app.run_test(size=(60, 20)):
        await app.settled()
        assert "oslo/csi-1" in table(app).text.splitlines()[2]


async def test_one_site_has_no_column_and_no_line_of_sites(make_app: MakeApp, bonn: SiteAgent) -> None:
    app = make_app(gateway=bonn)
    async with app.run_test(size=(140, 40)):
        await app.settled()
        assert "SITE" not in table(app).text
        assert "site bonn" in head(app)
        assert "bonn 3" not in head(app)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40), (200, 60)])
async def test_what_is_said_of_the_sites_fits(make_both: MakeApp, size: tuple[int, int], oslo: SiteAgent) -> None:
    app = make_both()
    async with app.run_test(size=size):
        await app.settled()
        oslo.cut()
        await turn(app)
        assert all(len(line) <= size[0] for line in head(app).splitlines())
        assert "oslo AWAY" in head(app) or "oslo 2 AWAY" in head(app)


async def test_a_site_that_is_away_makes_only_its_own_rows_stale(
    make_both: MakeApp, oslo: SiteAgent, bonn: SiteAgent, clock: ManualClock
) -> None:
    app = make_both()
    async with app.run_test(size=(80, 24)):
        await app.settled()
        oslo.cut()
        await turn(app)
        clock.advance(timedelta(seconds=15))
        bonn.tell(FleetDelta(change=1, agent_time=int((NOW + timedelta(seconds=15)).timestamp()), last=True))
        await turn(app)
        app.tick()
        stale = {client.site for c in app.model.order if (client := app.model.find(c)) and is_stale(client.judged)}
        assert stale == {"oslo"}
        assert app.model.severity_count(Severity.OK) == 1
        assert "oslo AWAY 15s" in head(app)
        assert "oslo: no agent" in line_text(app.deck.query_one("#notice", Lines).lines[0])
        oslo.reachable = True
        for _ in range(12):
            clock.advance(timedelta(seconds=1))
            await turn(app)
        bonn.tell(FleetDelta(change=1, agent_time=int((NOW + timedelta(seconds=27)).timestamp()), last=True))
        oslo.tell(FleetDelta(change=1, agent_time=int((NOW + timedelta(seconds=27)).timestamp()), last=True))
        await turn(app)
        app.tick()
        now_stale = [c for c in app.model.order if (client := app.model.find(c)) and is_stale(client.judged)]
        assert not now_stale
        assert "AWAY" not in head(app)


def is_stale(judged: Any) -> bool:
    return Overlay.STALE in judged.overlays


async def test_each_countdown_runs_by_its_own_agents_clock(make_app: MakeApp, bonn: SiteAgent) -> None:
    ahead = SiteAgent("oslo", [Seed(name="there", left=3 * DAY, token=60 * DAY)], ahead=timedelta(hours=1))
    app = make_app(gateway=[SiteAgent("bonn", [Seed(name="here", left=3 * DAY, token=60 * DAY)]), ahead])
    async with app.run_test(size=(80, 24)):
        await app.settled()
        rows = [line for line in table(app).text.splitlines() if "here" in line or "there" in line]
        assert any("3d 00h" in row and " here" in row for row in rows), rows
        assert any("2d 23h" in row and "there" in row for row in rows), rows


async def test_two_sites_of_one_name_are_called_by_their_contexts(make_app: MakeApp) -> None:
    class Twin(SiteAgent):
        @property
        def connection(self) -> Connection:
            return replace(super().connection, context=f"{self.tag}-{self.name}", tag="")

    app = make_app(gateway=[Twin("bonn", BONN, tag="old"), Twin("bonn", BONN, tag="new")])
    async with app.run_test(size=(80, 24)):
        await app.settled()
        assert {site for site, _ in named(app)} == {"old-bonn", "new-bonn"}


async def test_a_site_filter_narrows_the_list_to_a_site(make_both: MakeApp) -> None:
    app = make_both()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("slash", *"site:osl", "enter")
        await app.settled()
        assert {site for site, _ in named(app)} == {"oslo"}
        await pilot.press("escape")
        await app.settled()
        assert len(named(app)) == 5


async def test_an_action_goes_to_the_clients_own_agent(make_both: MakeApp, bonn: SiteAgent, oslo: SiteAgent) -> None:
    app = make_both()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("j")  # the second row is oslo's
        assert app.current_site.name == "oslo"
        assert app.site_tag == "PROD"
        await pilot.press("S")
        await app.settled()
        assert oslo.asked == ["plan"]
        assert bonn.asked == []


async def test_marks_of_two_sites_make_no_plan_and_the_sentence_names_both(
    make_both: MakeApp, bonn: SiteAgent, oslo: SiteAgent
) -> None:
    app = make_both()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("space", "space")
        assert app.model.marks == {client_id(0, 1), client_id(1, 1)}
        await pilot.press("S")
        await app.settled()
        assert bonn.asked == oslo.asked == []
        assert "bonn and oslo" in (app.refusal(BY_ID["repair"]) or "")
        app.model.marks -= {client_id(0, 1)}
        await pilot.press("G", "S")  # the cursor is on a client of bonn, the mark on one of oslo
        await app.settled()
        assert (bonn.asked, oslo.asked) == ([], ["plan"])


async def test_marks_cursor_and_filter_survive_a_site_that_comes_and_goes(
    make_both: MakeApp, oslo: SiteAgent, clock: ManualClock
) -> None:
    app = make_both()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("j", "space", "k")
        before = (set(app.model.marks), table(app).cursor)
        assert before == ({client_id(1, 1)}, client_id(1, 1))
        oslo.cut()
        await turn(app)
        oslo.reachable = True
        clock.advance(timedelta(seconds=2))
        await turn(app)
        oslo.tell(replace(snapshot(OSLO, change=3), deployment="oslo"))  # a whole snapshot again
        await turn(app)
        await pilot.resize_terminal(60, 20)
        await app.settled()
        assert (set(app.model.marks), table(app).cursor) == before


async def test_screens_of_one_site_name_it_and_go_on_to_the_next(make_both: MakeApp, oslo: SiteAgent) -> None:
    oslo.operations_kept = [operation()]
    app = make_both()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("5")
        assert isinstance(app.deck, JobsScreen)
        assert "bonn" in head(app).splitlines()[0]
        assert "no operation yet" in app.deck.query_one("#body", Lines).text
        await pilot.press("n")
        await app.settled()
        assert "oslo" in head(app).splitlines()[0]
        assert "renew" in app.deck.query_one("#body", Lines).text
        await pilot.press("1", "j")
        assert app.current_site.name == "oslo"  # at home the cursor's site is the current one


async def test_the_news_at_home_are_of_all_sites_and_say_of_which(
    make_both: MakeApp, bonn: SiteAgent, oslo: SiteAgent
) -> None:
    bonn.audit, oslo.audit = [event(3, subject="kms-1")], [event(5, subject="csi-9")]
    bonn.operations_kept = [operation(ended_at=NOW)]
    oslo.operations_kept = [operation(started_at=NOW - DAY)]
    app = make_both()
    async with app.run_test(size=(140, 40)):
        await app.settled()
        pane = app.deck.query_one("#pane", Lines).text.splitlines()
        assert "(1 running)" in pane[0]
        assert "by ops-anna at oslo" in pane[1]
        assert "oslo/csi-9" in pane[2]
        assert "bonn/kms-1" in pane[3]
        assert "oslo/csi-9" in app.deck.query_one("#status", Lines).text


async def test_of_a_site_that_never_answered_the_others_say_nothing(make_app: MakeApp, bonn: SiteAgent) -> None:
    gone = SiteAgent("riga", [])
    gone.reachable = False
    app = make_app(gateway=[gone, bonn])
    async with app.run_test(size=(80, 24)):
        await app.settled()
        assert [site for site, _ in named(app)] == ["bonn"] * 3
        assert "riga NO AGENT" in head(app) or "riga 0 NO AGENT" in head(app)
        assert "CERT LEFT" in table(app).text


async def test_an_export_of_several_sites_names_the_site_of_each_row(make_both: MakeApp, tmp_path: Path) -> None:
    app = make_both()
    async with app.run_test(size=(120, 30)) as pilot:
        await turn(app)
        order = named(app)
        for key in ("c", "j", "i"):
            await pilot.press("e", key)
            await turn(app)
    paths = {path.suffix: path for path in (tmp_path / "exports").iterdir()}
    rows = list(csv.DictReader(io.StringIO(paths[".csv"].read_text())))
    assert [(row["site"], row["client"]) for row in rows] == order
    assert {row["agent"] for row in rows} == {"bonn.example:55000, oslo.example:55000"}
    items = json.loads(paths[".json"].read_text())["items"]
    assert [(item["site"], item["name"]) for item in items] == order
    assert set(re.findall(r"CATEGORIES:(\S+)", paths[".ics"].read_text())) == {"bonn/wl1", "oslo/wl9"}


async def test_a_hand_over_note_is_of_the_site_that_is_looked_at(make_both: MakeApp, tmp_path: Path) -> None:
    app = make_both()
    async with app.run_test(size=(120, 30)):
        await turn(app)
        app.enter_site(1)
        app.cmd_handover()
        await turn(app)
    (path,) = (tmp_path / "handovers").iterdir()
    assert path.read_text().startswith("# Hand-over of oslo")
