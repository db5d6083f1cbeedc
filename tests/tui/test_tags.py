"""A tag stands wherever its site is named, and a plan for clients of several sites asks which site is meant."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.clock import ManualClock
from backend.core.facts import Severity
from scripts.stage.agent import StagedAgent
from scripts.stage.drive import Stage, stage
from scripts.stage.fleet import NOW
from tui.app import MocdeckApp
from tui.gateway import Connection
from tui.screens.clusters import ClustersScreen
from tui.screens.menu import Menu
from tui.screens.plan_dialog import PlanDialog
from tui.screens.stop_dialog import StopDialog


class TaggedAgent(StagedAgent):
    """A staged agent whose context has a name and a tag."""

    def __init__(self, clock: ManualClock, name: str, tag: str) -> None:
        super().__init__(clock)
        self._named = (name, tag)

    @property
    def connection(self) -> Connection:
        name, tag = self._named
        return replace(super().connection, context=name, tag=tag)


async def _two(size: tuple[int, int], body: Any) -> None:
    clock = ManualClock(NOW)
    agents = [TaggedAgent(clock, "bonn", "PROD"), TaggedAgent(clock, "oslo", "")]
    app = MocdeckApp(
        agents, clock, write=True, ascii_only=True, state_dir=Path(tempfile.mkdtemp()), colour=True, true_colour=True
    )
    async with app.run_test(size=size) as pilot:
        made = Stage(app=app, agent=agents[0], clock=clock, pilot=pilot)
        await made.settle()
        app.tick()
        await made.settle()
        await body(made, agents)


def _marked(made: Stage, *sites: int) -> set[int]:
    found = set()
    for site in sites:
        fleet = made.app.model.sites[site]
        for index in range(len(fleet.columns)):
            if fleet.columns.text("name", index) in {"nodeagent-07", "kva-01"}:
                found.add(fleet.id_at(index))
    return found


async def test_the_header_names_the_tagged_site_and_each_confirmation_its_own_tag() -> None:
    async def body(made: Stage, agents: list[TaggedAgent]) -> None:
        assert "bonn PROD" in made.text or "PROD" in made.text.splitlines()[0]
        for site, tagged in ((0, True), (1, False)):
            made.app.model.marks.clear()
            made.app.model.marks |= _marked(made, site)
            await made.press("R")
            assert isinstance(made.app.screen, PlanDialog)
            assert ("tagged PROD" in made.text) is tagged
            await made.press("escape")
            made.clock.advance(timedelta(seconds=1))
        assert [agent.asked for agent in agents] == [[], []]

    await _two((140, 40), body)


async def test_a_plan_over_two_sites_asks_which_site_and_plans_only_its_clients() -> None:
    async def body(made: Stage, agents: list[TaggedAgent]) -> None:
        made.app.model.marks |= _marked(made, 0, 1)
        await made.press("P")
        assert isinstance(made.app.screen, Menu)
        assert "a plan belongs to one site" in made.text
        await made.press("2")
        assert "renew 2" in made.text
        await made.press("R")
        assert isinstance(made.app.screen, PlanDialog)
        assert [agent.looks["plan"] for agent in agents] == [0, 1]

    await _two((80, 24), body)


async def test_the_clusters_of_all_sites_stand_in_one_list_and_their_keys_mean_their_own_site() -> None:
    async def body(made: Stage, agents: list[TaggedAgent]) -> None:
        await made.press("3")
        screen = made.app.screen
        assert isinstance(screen, ClustersScreen)
        sums = screen.sums
        assert {one.site.place for one in sums} == {0, 1}
        assert sum(one.clients for one in sums) == made.app.model.total
        for severity in Severity:
            assert sum(one.counts[severity] for one in sums) == made.app.model.severity_count(severity)
        assert [one.badness for one in sums] == sorted(one.badness for one in sums)
        screen.cursor_key = next(one.key for one in sums if one.site.place == 1 and one.name == "bonn-wl5")
        screen.draw()
        await made.press("N")
        assert [agent.looks["plan"] for agent in agents] == [0, 1]
        await made.press("escape", "enter")
        assert made.app.deck.scope == "fleet"
        assert 'cluster:"bonn-wl5"' in made.app.model.filter_text

    await _two((120, 30), body)


@pytest.mark.parametrize("tag", ["PROD", "prod"])
async def test_a_tag_stands_in_the_header_in_words(tag: str) -> None:
    async with stage(site_tag=tag) as made:
        assert tag in made.text.splitlines()[0]


async def test_whatever_is_confirmed_the_title_names_the_tag() -> None:
    async with stage(site_tag="PROD") as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        assert "PROD" in made.text.splitlines()[0]
        await made.type("1")
        await made.confirm()
        await made.press("5", "K")
        assert isinstance(made.app.screen, StopDialog)
        assert "Stop renew  PROD" in made.text
