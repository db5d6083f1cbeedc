"""Each drill as its operator meets it: the bad state shows, the printed recipe is carried out, and all ends well."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from backend.cli.root import cli
from backend.clock import SystemClock
from backend.core.errors import NotFound
from backend.core.facts import State
from backend.demo.drills import EXPLAINED, Drill, Explanation, get_drill, overview
from backend.demo.drillsites import DRILLS

if TYPE_CHECKING:
    from tests.demo.conftest import Demo, Launching

Start = Callable[[str], AbstractContextManager["Demo"]]
PATIENCE_SECONDS = 40.0
RECIPES = "test_the_recipe_of_a_drill"
AHEAD = 2  # sites that are made while one is tested
ADMINISTRATOR = "admin"
CALLING = {State.OK, State.LATENT, State.DUE}  # whose certificates open the data port


@pytest.fixture(scope="module")
def start_drill(launching: Launching, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts the drill of a name, and with it those of the next tests: making a site takes longer than its test."""
    launch, started = launching
    names = [item.callspec.id for item in request.session.items if item.name.startswith(RECIPES)]  # type: ignore[attr-defined]
    launched: dict[str, subprocess.Popen[str]] = {}

    def start(name: str) -> AbstractContextManager[Demo]:
        following = names[names.index(name) :][: 1 + AHEAD]
        launched.update({one: launch("--drill", one) for one in following if one not in launched})
        return started(launched[name])

    yield start
    for process in launched.values():
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@contextmanager
def services() -> Iterator[list[subprocess.Popen[bytes]]]:
    """What a recipe leaves running; ended before the site that it runs on is removed."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        yield running
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(20)


def recipe_of(demo: Demo) -> list[str]:
    """The command lines of the printed recipe."""
    return [line.strip() for line in demo.said if line.startswith("  mocdeck ") and "MOCDECK_HOME" not in line][1:]


def mocdeck(demo: Demo, *words: str) -> Result:
    """Run the command line against the drill, in this process: loading it anew would take longer than the drill."""
    return CliRunner().invoke(cli, words, env={"MOCDECK_HOME": str(demo.home)})


def carry_out(demo: Demo, line: str, services: list[subprocess.Popen[bytes]]) -> tuple[int, str]:
    words = shlex.split(line)[1:]
    if words[-1] != "&":
        done = mocdeck(demo, *words)
        return done.exit_code, done.output
    service = subprocess.Popen(
        [sys.executable, "-m", "backend.cli", *words[:-1]],
        env={**os.environ, "MOCDECK_HOME": str(demo.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    services.append(service)
    return 0, ""


def fleet(demo: Demo) -> dict[str, dict[str, Any]]:
    """Every client as `mocdeck status` tells it; nothing while the agent is away."""
    told = mocdeck(demo, "status", "--output", "json").stdout
    return {one["name"]: one for one in json.loads(told)["clients"]} if told else {}


def states(demo: Demo) -> dict[str, str]:
    return {name: one["state"] for name, one in fleet(demo).items()}


def is_heard(demo: Demo, drill: Drill) -> bool:
    """Tell whether every client that runs and can call has called: until then plans may still change."""
    heard = {name for name, one in fleet(demo).items() if one["heartbeat_at"]}
    return heard >= {story.name for story in drill.stories if story.living is not None and story.expect in CALLING}


def wait_for(holds: Callable[[], bool], told: Callable[[], object]) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert clock.monotonic() < deadline, told()
        threading.Event().wait(0.3)


def wanted(drill: Drill) -> dict[str, str]:
    ends: dict[str, State | None] = {story.name: State.OK for story in drill.stories} | {ADMINISTRATOR: State.OK}
    ends |= drill.ends
    return {name: state.value for name, state in ends.items() if state is not None}


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.id)
def test_the_recipe_of_a_drill_ends_its_bad_state(drill: Drill, start_drill: Start) -> None:
    with start_drill(drill.id) as demo, services() as running:
        if not drill.agent_is_away:
            wait_for(lambda: is_heard(demo, drill), lambda: states(demo))
            seen = states(demo)
            assert {story.name: seen[story.name] for story in drill.stories if story.expect is not State.OK} == {
                story.name: story.expect.value for story in drill.stories if story.expect is not State.OK
            }
        lines = recipe_of(demo)
        assert len(lines) == len(drill.recipe)
        for line, step in zip(lines, drill.recipe, strict=True):
            code, said = carry_out(demo, line, running)
            assert code == step.code, f"{line}\n{said}"
        wait_for(lambda: states(demo) == wanted(drill), lambda: states(demo))


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["demo", *words])


def test_every_pain_is_a_drill_or_says_why_it_is_none() -> None:
    named = [line.split()[0] for line in overview().splitlines()]
    assert named == [f"P{number}" for number in range(1, 20)]
    assert run("--drill", "list").output.strip() == overview()


@pytest.mark.parametrize("one", EXPLAINED, ids=lambda one: one.id)
def test_a_pain_that_cannot_be_shown_is_explained_in_one_paragraph(one: Explanation) -> None:
    told = run("--drill", one.id.lower())
    assert told.exit_code == 0
    assert told.output.splitlines() == [f"{one.id}: {one.title}", one.why]


def test_a_drill_is_found_in_either_case_and_an_unknown_one_is_not() -> None:
    assert get_drill("p5").id == "P5"
    with pytest.raises(NotFound, match="--drill list"):
        get_drill("P20")


def test_every_drill_has_a_client_that_runs_and_one_that_is_not_well() -> None:
    for drill in DRILLS:
        assert any(story.living is not None for story in drill.stories), drill.id
        assert drill.agent_is_away or any(story.expect is not State.OK or story.overlays for story in drill.stories), (
            drill.id
        )
